"""Finished files and folders are put in their place, and what was there goes only when they are."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from valleys.errors import BookError

REPLACED = ".replaced-"  # how folders begin that hold for a moment what is replaced


def put(made: Path, place: Path) -> Path:
    """Move a finished file or folder to its place, in the stead of what is there.

    Raises:
        OSError: it could not be moved; what was there is there again.
    """
    if not place.is_dir():
        return made.replace(place)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=REPLACED) as scratch:
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


def sweep(folder: Path, *beginnings: str, keep: Path | None = None) -> None:
    """Remove what killed processes left in a folder, by how the names of their scratch folders
    begin; nobody may be at work there.
    """
    for path in [path for beginning in beginnings for path in folder.glob(f"{beginning}*")]:
        if path != keep:
            # an orphan may still write there; the next sweep takes the rest
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def usable(place: Path, option: str) -> Iterator[None]:
    """Tell in one line that a place cannot be used, and with which option to name another.

    Raises:
        BookError: the file system refused.
    """
    try:
        yield
    except OSError as error:
        raise BookError(
            f"{place} cannot be used: {error.strerror or error}; name another folder with {option}"
        ) from None
