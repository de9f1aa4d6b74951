"""The results that come with the book, and what it takes to compute all of them again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from valleys.book.numbers.reporting import duration
from valleys.paths import book_results
from valleys.results.naming import Made
from valleys.results.store import attributes

# what NeuroLibre grants a book
CORES, MOST_HOURS, MOST_MEMORY = 2, 8, "7.5 GB"


@dataclass(frozen=True)
class ShippedResult:
    """A result that comes with the book."""

    study: str
    bytes: int
    seconds: float  # by the clock; of many cells their sum
    threads: int  # that computed it at once; of many cells those of each
    computed_at: str
    machine: str


def shipped_results(folder: Path | None = None) -> list[ShippedResult]:
    """Every result of a folder, sorted by study; of the folder that comes with the book if None."""
    return sorted(
        (_shipped(path) for path in (folder or book_results()).glob("*/*.nc")),
        key=lambda result: (result.study, result.computed_at),
    )


def core_seconds(results: Iterable[ShippedResult]) -> float:
    """Time of one core that results took: by the clock, for each thread that was held."""
    return sum(result.seconds * result.threads for result in results)


def cost(results: Iterable[ShippedResult]) -> str:
    """How long two cores compute all of them again at best, and whether NeuroLibre grants that."""
    results = list(results)
    seconds = core_seconds(results) / CORES
    kept = seconds <= 3600 * MOST_HOURS
    return (
        f"By the times in their files, all results took {duration(CORES * seconds)} of one core, "
        f"that is {duration(seconds)} on {CORES} cores that never wait. "
        f"NeuroLibre grants {MOST_HOURS} h on {CORES} cores with {MOST_MEMORY} of memory: by these "
        f"hours, this book {'stays below that' if kept else 'takes longer than that'}. "
        f"What is computed takes {sum(result.bytes for result in results) / 1e6:.0f} MB of disk; "
        "how much memory it took is not recorded."
    )


def _shipped(path: Path) -> ShippedResult:
    described = attributes(path)
    return ShippedResult(
        Made.of(described).study,
        path.stat().st_size,
        float(described["wall_time_seconds"]),
        int(described["threads"]),
        described["computed_at"],
        described["machine"],
    )
