"""What made a build of the book: how each notebook was run, where each figure comes from, and
which results came with the clone.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from valleys.book.chapters import Chapter, all_chapters
from valleys.book.run.parameters import SIZES, run_parameters
from valleys.paths import book_results
from valleys.results.naming import Made
from valleys.results.store import PACKAGE, attributes


@dataclass(frozen=True)
class Execution:
    """How a notebook was run."""

    seconds: float | None
    finished: str  # ISO time
    values: Mapping[str, Any]  # parameters that were set, over the defaults


@dataclass(frozen=True)
class ShippedResult:
    """A result that comes with the book."""

    study: str
    bytes: int
    seconds: float
    computed_at: str
    machine: str
    version: str


def execution(notebook: Path, tracked: Mapping[str, Any] | None = None) -> Execution | None:
    """How an executed notebook was made: told by papermill in the notebook itself, else by
    MyST-NB, which ran it for this build; None if by neither.
    """
    told = nbformat.read(notebook, as_version=4).metadata.get("papermill")
    if told:
        return Execution(
            told["duration"], told["end_time"] or told["start_time"], told["parameters"]
        )
    if tracked:
        finished = datetime.datetime.fromtimestamp(tracked["mtime"], datetime.UTC)
        return Execution(tracked["runtime"], finished.isoformat(timespec="seconds"), {})
    return None


def size_of(
    chapter: str,
    values: Mapping[str, Any],
    chapters: Mapping[str, Chapter],
    root: Path | None = None,
) -> str:
    """The size that sets exactly these values in a chapter, or `own values`; exercises are the
    same at every size and have none.
    """
    if chapter not in chapters:
        return ""
    found = [
        size for size in SIZES if run_parameters(chapters, size, root=root)[chapter] == dict(values)
    ]
    return found[0] if found else "own values"


def overall_size(executions: Mapping[str, Execution]) -> str:
    """The size of all chapters together, by chapter name; `different sizes` where they do not
    agree.
    """
    chapters = all_chapters()
    found = {
        size for name, made in executions.items() if (size := size_of(name, made.values, chapters))
    }
    return found.pop() if len(found) == 1 else "different sizes"


def shipped_results(folder: Path | None = None) -> list[ShippedResult]:
    """Every result of a folder, sorted by study; of the folder that comes with the book if None."""
    return sorted(
        (_shipped(path) for path in (folder or book_results()).glob("*/*.nc")),
        key=lambda result: (result.study, result.computed_at),
    )


def provenance(glued: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """For each page that tells where its figures come from: the line of each, by what it stands
    for, in the order of the page.
    """
    lines = {
        page: {_subject(name): str(text) for name, text in values.items() if name.endswith("_made")}
        for page, values in sorted(glued.items())
    }
    return {page: found for page, found in lines.items() if found}


def _shipped(path: Path) -> ShippedResult:
    told = attributes(path)
    return ShippedResult(
        Made.of(told).study,
        path.stat().st_size,
        float(told["wall_time_seconds"]),
        told["computed_at"],
        told["machine"],
        told.get(PACKAGE, "not told"),
    )


def _subject(name: str) -> str:
    """`c04_map_made` stands for `map`, and `c01_made` for most of a chapter."""
    return " ".join(name.removesuffix("_made").split("_")[1:]) or "most figures"
