"""Files that are there whole or not at all, whatever happens to the process that writes them."""

import contextlib
import os
import time
import uuid
from pathlib import Path

ENDING = "partial"
DAY_SECONDS = 86_400.0  # at rest for so long, a partial file has no writer any more


def write(path: Path, content: bytes | memoryview) -> None:
    """Write beside the final place, then rename; what killed writers left there a day ago is
    removed.

    Raises:
        OSError: the disk is full or the place cannot be written; then nothing is left of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.{ENDING}")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power failure may leave the name without the content
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove partial files that have been at rest for a day."""
    for partial in folder.glob(f".*.{ENDING}"):
        with contextlib.suppress(OSError):  # another process may be as tidy
            if time.time() - partial.stat().st_mtime > DAY_SECONDS:
                partial.unlink()
