"""Code of today that was found to compute what earlier code computed, so that results of the earlier code stay current (`valleys.results.rekey`)."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import yaml

from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import atomic

HEADING = """\
# Code of today (its digest, the key) that gives the values of the code that made the stored results (made_by): `python -m valleys carry` writes this
# file, once it has computed drawn parts of them again, and drops what no longer holds.
"""


@dataclass(frozen=True)
class Entry:
    """That the code of today behind a study and these kinds of specs stands for the code that made its results, and how that is known."""

    study: str
    kinds: list[str]
    made_by: str
    day: str
    evidence: str


def place() -> Path:
    """The file of this book."""
    return book_root() / "results" / "same_code.yml"


def made_by(version: str, study: str) -> str:
    """Digest of the code that made the results of a study: the earlier one that this version stands for, else the version itself."""
    try:
        path = place()
        entries = _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:  # nothing was carried, or a worker far from the book
        return version
    return entries[version].made_by if version in entries and entries[version].study == study else version


def read(path: Path) -> dict[str, Entry]:
    """The entries by the digest of today's code; none if there is no file.

    Raises:
        BookError: the file holds something else.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(version): Entry(**entry) for version, entry in found.items()}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError):
        raise BookError(f"{path} is damaged; delete it, and let `python -m valleys carry` write it anew") from None


@cache
def _read(path: Path, _changed: int) -> dict[str, Entry]:
    return read(path)


def write(path: Path, entries: dict[str, Entry]) -> None:
    """Put these entries in the stead of those that are there, all or none."""
    ordered = {version: asdict(entry) for version, entry in sorted(entries.items(), key=lambda item: item[1].study)}
    atomic.write(path, (HEADING + yaml.safe_dump(ordered, sort_keys=False, width=140)).encode())
