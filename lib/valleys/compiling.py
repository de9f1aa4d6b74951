"""Where compiled loops are kept: beside their source, else in the home folder, else nowhere."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
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


def forget_older(compiled: Callable[..., Any], modules: Iterable[ModuleType]) -> None:
    """Forget what numba kept of a function if modules whose code is part of it were edited since:
    numba itself looks at the file alone in which the function stands.

    Args:
        compiled: what `numba.njit` made of the function.
        modules: those others of which it calls compiled functions, themselves or through others.
    """
    folder = compiled.stats.cache_path  # pyright: ignore[reportFunctionMemberAccess]  # numba's own
    edited = max(Path(str(module.__file__)).stat().st_mtime for module in modules)
    for index in Path(folder).glob(f"*.{compiled.__name__}-*.nbi") if folder else ():
        if index.stat().st_mtime < edited:
            index.unlink(missing_ok=True)
