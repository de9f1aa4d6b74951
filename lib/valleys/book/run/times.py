"""How long each chapter takes at each size, as `make times` measured it on one machine: the file
`params/times.yml`.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import atomic

KINDS = {
    "smoke": "size `smoke`, computed",
    "quick": "size `quick`, computed",
    "paper": "size `paper`, loaded from the results that come with the book",
    "anew": "size `paper`, computed anew",
}
HEADER = (
    "# Seconds of a run of each chapter, alone on an idle machine. Made by `make times`; delete it "
    "to begin again.\n"
)


@dataclass(frozen=True)
class Times:
    """Seconds by chapter and kind of run, the line that names the machine, and the day."""

    machine: str = ""  # such as Linux x86_64, 2 cores (AMD EPYC)
    measured: str = ""  # day of the last measurement
    chapters: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse kinds of run that do not exist."""
        kinds = {kind for runs in self.chapters.values() for kind in runs}
        if unknown := sorted(kinds - set(KINDS)):
            raise BookError(
                f"params/times.yml has times of {', '.join(unknown)}; the kinds are "
                f"{', '.join(KINDS)}; delete the others"
            )

    def of(self, chapter: str, kind: str) -> float | None:
        """Seconds of a run, None if it was not measured."""
        return self.chapters.get(chapter, {}).get(kind)

    def with_run(self, chapter: str, kind: str, seconds: float) -> "Times":
        """These times and one more."""
        runs = self.chapters.get(chapter, {}) | {kind: round(seconds, 1)}
        return replace(self, chapters=dict(sorted((self.chapters | {chapter: runs}).items())))


def times_file(root: Path | None = None) -> Path:
    """Where the times lie."""
    return (root or book_root()) / "params" / "times.yml"


def read(path: Path) -> Times:
    """The times of a file; none if there is no file."""
    if not path.is_file():
        return Times()
    return Times(**yaml.safe_load(path.read_text(encoding="utf-8")))


def write(path: Path, times: Times) -> None:
    """Keep the times."""
    content = {"machine": times.machine, "measured": times.measured, "chapters": times.chapters}
    table = yaml.safe_dump(content, sort_keys=False, width=160, default_flow_style=None)
    atomic.write(path, (HEADER + table).encode())
