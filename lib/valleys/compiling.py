"""Where compiled loops are kept: beside their source, else in the home folder, else nowhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as nb


def _can_keep() -> bool:
    """Whether numba finds a folder for compiled code; where it finds none, with clone and home
    read-only, it refuses to compile what is to be kept.
    """
    try:
        nb.njit(cache=True)(lambda: None)
    except RuntimeError:
        return False
    return True


CAN_KEEP = _can_keep()


def renewed_with(folder: str) -> Callable[[Any], Any]:
    """Decorates what `numba.njit` made of a function of whose code files in a folder beside its own
    are a part: what numba kept of it is forgotten if one of them was edited since. Numba itself
    looks at the file alone in which the function stands.
    """

    def forget_older(compiled: Any) -> Any:
        files = Path(compiled.py_func.__code__.co_filename).with_name(folder).glob("*.py")
        edited = max(file.stat().st_mtime for file in files)
        kept = compiled.stats.cache_path
        for index in Path(kept).glob(f"*.{compiled.__name__}-*.nbi") if kept else ():
            if index.stat().st_mtime < edited:
                index.unlink(missing_ok=True)
        return compiled

    return forget_older
