"""How long each chapter takes at each size, as `make times` measured it on one machine: the file `params/times.yml`."""

import datetime
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import atomic
from valleys.results.machine import granted, processor, system

KINDS = {
    "smoke": "size `smoke`, computed",
    "quick": "size `quick`, computed",
    "paper": "size `paper`, loaded from the results that come with the book",
    "anew": "size `paper`, computed anew",
}
HEADER = "# Seconds of each run of each chapter, alone on an idle machine. Made by `make times`; delete it to begin again.\n"


@dataclass(frozen=True)
class Times:
    """Measured seconds by chapter and kind of run, and where they were measured."""

    machine: str = field(default_factory=lambda: f"{system()}, {granted()} cores")  # all that may be used, as the runner does
    processor: str = field(default_factory=processor)
    chapters: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    measured: str = ""  # day of the last measurement

    def __post_init__(self) -> None:
        """Refuse kinds of run that do not exist."""
        if unknown := sorted({kind for runs in self.chapters.values() for kind in runs} - set(KINDS)):
            raise BookError(f"params/times.yml has times of {', '.join(unknown)}; the kinds are {', '.join(KINDS)}")

    def of(self, chapter: str, kind: str) -> list[float]:
        """Seconds of each run so far."""
        return self.chapters.get(chapter, {}).get(kind, [])

    def median(self, chapter: str, kind: str) -> float | None:
        """Median seconds, None if nothing was measured."""
        return statistics.median(runs) if (runs := self.of(chapter, kind)) else None

    def with_run(self, chapter: str, kind: str, seconds: float) -> "Times":
        """These times and one more.

        Raises:
            BookError: the others were measured on another machine.
        """
        here = Times()
        if self.chapters and (self.machine, self.processor) != (here.machine, here.processor):
            raise BookError(f"params/times.yml was measured on {self.machine}, {self.processor}; delete it to measure on this machine")
        runs = self.chapters.get(chapter, {}) | {kind: [*self.of(chapter, kind), round(seconds, 1)]}
        return Times(
            here.machine, here.processor, dict(sorted((self.chapters | {chapter: runs}).items())), datetime.datetime.now(datetime.UTC).date().isoformat()
        )


def times_file(root: Path | None = None) -> Path:
    """Where the times lie."""
    return (root or book_root()) / "params" / "times.yml"


def read(path: Path) -> Times:
    """The times of a file; none if there is no file."""
    return Times(**yaml.safe_load(path.read_text(encoding="utf-8"))) if path.is_file() else Times()


def write(path: Path, times: Times) -> None:
    """Keep the times."""
    content = {"machine": times.machine, "processor": times.processor, "measured": times.measured, "chapters": times.chapters}
    atomic.write(path, (HEADER + yaml.safe_dump(content, sort_keys=False, width=160, default_flow_style=None)).encode())
