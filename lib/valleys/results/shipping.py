"""The results that come with the book: a folder that holds what some chapters show, as long as
the code behind it is the code of today.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from valleys.errors import BookError
from valleys.results import atomic, store


@dataclass(frozen=True)
class Shipment:
    """What became of the files of a folder of results, by their names within it."""

    kept: set[str]
    added: set[str]
    outdated: set[str]  # removed: made by other code, or not readable
    unasked: set[str]  # removed: no chapter shows them
    size: int  # bytes of the files that are there now

    def lines(self) -> str:
        """What was added and removed, each file on a line, and the sum."""
        changes = (
            ("added", self.added),
            ("removed, outdated", self.outdated),
            ("removed, not asked for", self.unasked),
        )
        each = [f"{what}: {name}" for what, names in changes for name in sorted(names)]
        n_removed = len(self.outdated) + len(self.unasked)
        counts = f"{len(self.kept)} kept, {len(self.added)} added, {n_removed} removed"
        return "\n".join([*each, f"{counts}; {self.size / 1e6:.2f} MB in all"])


def ship(folder: Path, computed: Path, compute: Callable[[], set[str]]) -> Shipment:
    """Bring a folder of results up to date.

    Args:
        folder: where the shipped results lie.
        computed: where computed results lie; those that were asked for are copied from there.
        compute: runs the chapters, and returns the names of the results that they asked for; raises
            where a chapter failed, and then nothing but the outdated files is removed.

    Raises:
        BookError: a chapter failed, or a result that was asked for is in neither folder.
    """
    outdated = {name for name in names(folder) if not store.is_current(folder / name)}
    _remove(folder, outdated)
    before = names(folder)
    try:
        asked = compute()
    except BookError as error:
        state = f"what was computed is kept in {computed}, {len(outdated)} outdated results were"
        raise BookError(f"{error}; {state} removed, and nothing else") from error
    _copy(asked - before, computed, folder)
    now = names(folder)
    if missing := sorted(asked - now):
        failure = f"{len(missing)} results could not be written to {folder}, such as {missing[0]}"
        raise BookError(f"{failure}; nothing was removed but what is outdated")
    _remove(folder, now - asked)
    size = sum((folder / name).stat().st_size for name in asked)
    return Shipment(before & asked, asked - before, outdated - asked, now - asked, size)


def names(folder: Path) -> set[str]:
    """Names `<study>/<hash>.nc` of the results in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.glob("*/*.nc")}


def _copy(chosen: set[str], source: Path, target: Path) -> None:
    for name in chosen:
        if source != target and (source / name).exists():
            atomic.write(target / name, (source / name).read_bytes())


def _remove(folder: Path, chosen: set[str]) -> None:
    for name in chosen:
        (folder / name).unlink()
        if not any((folder / name).parent.iterdir()):
            (folder / name).parent.rmdir()
