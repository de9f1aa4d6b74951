"""Files that are there whole or not at all, whatever happens to the process that writes them."""

import contextlib
import hashlib
import os
import platform
import time
import uuid
from pathlib import Path

ENDING = "partial"
DAY_SECONDS = 86_400.0
MARKS = (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid"))  # of this start of this machine, and of its process numbers


def write(path: Path, content: bytes | memoryview) -> None:
    """Write beside the final place, then rename; what killed writers left there is removed.

    Raises:
        OSError: the disk is full or the place cannot be written; then nothing is left of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    partial = path.with_name(f".{path.name}.{_host()}.{os.getpid()}.{uuid.uuid4().hex}.{ENDING}")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power failure may leave the name without the content
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove partial files whose writer is dead, or of which nobody here can tell and that have been at rest for a day."""
    for partial in folder.glob(f".*.{ENDING}"):
        with contextlib.suppress(OSError):  # another process may be as tidy
            if _is_left_over(partial):
                partial.unlink()


def _is_left_over(partial: Path) -> bool:
    match partial.name.split("."):
        case [*_, host, process, _, _] if host == _host() and process.isdigit():
            return not _is_alive(int(process))
    return time.time() - partial.stat().st_mtime > DAY_SECONDS


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _host() -> str:
    """A mark of this machine since its last start and of its process numbers, which tells no name."""
    marks = [platform.node()]
    for mark in MARKS:
        with contextlib.suppress(OSError):
            marks.append(os.readlink(mark) if mark.is_symlink() else mark.read_text())
    return hashlib.sha256(" ".join(marks).encode()).hexdigest()[:12]
