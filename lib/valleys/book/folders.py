"""Finished files and folders are put in their place, and what was there goes only when they are."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from valleys.book.chapters import BookError


def put(made: Path, place: Path) -> Path:
    """Move a finished file or folder to its place, in the stead of what is there.

    Raises:
        OSError: it could not be moved; what was there is there again.
    """
    if not place.is_dir():
        return made.replace(place)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".replaced-") as scratch:
        earlier = place.rename(Path(scratch) / place.name)
        try:
            return made.rename(place)
        finally:
            if not place.exists():
                earlier.rename(place)


def free(place: Path) -> Path:
    """The first name beside a place that nothing has: `NAME-2`, `NAME-3` and so on."""
    number = 2
    while (beside := place.with_name(f"{place.name}-{number}")).exists():
        number += 1
    return beside


@contextlib.contextmanager
def usable(place: Path, option: str) -> Iterator[None]:
    """Tell in one line that a place cannot be used, and with which option to name another.

    Raises:
        BookError: the file system refused.
    """
    try:
        yield
    except OSError as error:
        raise BookError(f"{place} cannot be used: {error.strerror or error}; name another folder with {option}") from None
