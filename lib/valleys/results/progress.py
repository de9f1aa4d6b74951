"""How far a sweep has come: a bar on a terminal, silence elsewhere.

A chapter runs in a process without a terminal; it tells its progress in a file, which the process
that shows the bars reads.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from valleys import config

EVERY_SECONDS = 0.5


@contextlib.contextmanager
def progress(name: str, *, total: int, initial: int) -> Iterator[Callable[[], None]]:
    """A function to call for each finished cell.

    Args:
        name: what the cells are.
        total: cells in all.
        initial: cells that were there before, which do not count for the rate.
    """
    path, done = config.text(config.PROGRESS), initial
    label = {"name": name, "total": total, "initial": initial, "process": os.getpid()}

    def advance() -> None:
        nonlocal done
        done += 1
        bar.update()
        note()

    def note() -> None:
        if path:
            with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(label | {"done": done}) + "\n")

    with _bar(name, total=total, initial=initial) as bar:
        note()
        yield advance


def _bar(name: str, *, total: int, initial: int, leave: bool = True) -> tqdm:
    """Cells done, cells a second and the time left; `disable=None` is quiet where there is no
    terminal.
    """
    return tqdm(desc=name, unit="cell", disable=None, total=total, initial=initial, leave=leave)


class Watch:
    """Shows, on the terminal of this process, the bars of sweeps that run in others."""

    def __init__(self, path: Path) -> None:
        """Watch the file in which they tell their progress."""
        self.path, self.position = path, 0
        self.bars: dict[tuple[str, int], tqdm] = {}
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        """Begin to watch."""
        self.path.touch()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show the last lines and close the bars."""
        self.stopped.set()
        self.thread.join()
        self.show()
        for bar in self.bars.values():
            bar.close()

    def _run(self) -> None:
        while not self.stopped.wait(EVERY_SECONDS):
            self.show()

    def show(self) -> None:
        """Bring the bars up to what has been written since the last time."""
        with open(self.path, encoding="utf-8") as lines:
            lines.seek(self.position)
            new = lines.read()
        complete = new[: new.rfind("\n") + 1]
        self.position += len(complete.encode())
        for line in complete.splitlines():
            self._take(json.loads(line))

    def _take(self, state: dict) -> None:
        sweep = (state["name"], state["process"])
        if state["done"] == state["total"] and sweep not in self.bars:
            return  # all of it was there
        if sweep not in self.bars:
            self.bars[sweep] = _bar(
                state["name"], total=state["total"], initial=state["initial"], leave=False
            )
        self.bars[sweep].update(state["done"] - self.bars[sweep].n)
        if state["done"] == state["total"]:
            self.bars.pop(sweep).close()
