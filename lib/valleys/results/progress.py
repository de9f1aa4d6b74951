"""How far a sweep has come: a bar on a terminal, silence elsewhere.

A chapter runs in a process without a terminal; it tells its progress in a file, which the process
that shows the bars reads.
"""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from valleys import config

EVERY_SECONDS = 0.5


class Advance(Protocol):
    """What is called when cells are finished, or others begin."""

    def __call__(self, count: int = 1, under_way: str = "") -> None:
        """So many more are finished, and this is under way."""
        ...


@contextlib.contextmanager
def progress(
    name: str, *, total: int, initial: int = 0, unit: str = "cell", hidden: bool | None = None
) -> Iterator[Advance]:
    """A function to call for each finished cell.

    Args:
        name: what the cells are.
        total: cells in all.
        initial: cells that were there before, which do not count for the rate.
        unit: what one of them is called.
        hidden: whether no bar is shown here; None for none but on a terminal.
    """
    path, done = config.text(config.PROGRESS), initial
    label = {"name": name, "total": total, "initial": initial, "unit": unit}
    label |= {"process": os.getpid()}

    def advance(count: int = 1, under_way: str = "") -> None:
        nonlocal done
        done += count
        _show(bar, done, under_way)
        note(under_way)

    def note(under_way: str = "") -> None:
        if path:
            state = label | {"done": done} | ({"under_way": under_way} if under_way else {})
            with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(state) + "\n")

    with _bar(name, total=total, initial=initial, unit=unit, hidden=hidden) as bar:
        note()
        yield advance


def _bar(
    name: str,
    *,
    total: int,
    initial: int,
    unit: str = "cell",
    hidden: bool | None = None,
    leave: bool = True,
) -> tqdm:
    """Cells done, cells a second and the time left."""
    return tqdm(desc=name, unit=unit, disable=hidden, total=total, initial=initial, leave=leave)


def _show(bar: tqdm, done: int, under_way: str) -> None:
    """How many cells are done, and what is under way."""
    bar.set_postfix_str(under_way, refresh=False)
    bar.update(done - bar.n)
    bar.refresh()


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
            known = {name: state[name] for name in ("total", "initial", "unit") if name in state}
            self.bars[sweep] = _bar(state["name"], **known, leave=False)
        _show(self.bars[sweep], state["done"], state.get("under_way", ""))
        if state["done"] == state["total"]:
            self.bars.pop(sweep).close()
