"""One piece of work at a time for a place; the kernel lets go of what a process held, however
that process ended.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from valleys.errors import BookError


@contextlib.contextmanager
def alone(place: Path, work: str, *, reading: bool = False) -> Iterator[None]:
    """Hold a file or folder while something is made of it; where there is no such thing as a lock
    the work goes on without.

    Args:
        place: what is written or read; `.NAME.lock` beside it is what is locked, and stays.
        work: what is under way, such as "a build", for whoever comes meanwhile.
        reading: whether others may read the place, too.

    Raises:
        BookError: other work holds it; told at once, with what it is.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # read-only, or a file system without locks
            place.parent.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(
                open(place.with_name(f".{place.name}.lock"), "a+", encoding="utf-8")
            )
            try:
                fcntl.flock(lock, (fcntl.LOCK_SH if reading else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "other work"
                raise BookError(
                    f"{holder} is under way in {place}; wait until it has ended, or "
                    "work in another clone"
                ) from None
            lock.truncate(0)
            lock.write(f"{work} (process {os.getpid()})")
            lock.flush()
        yield
