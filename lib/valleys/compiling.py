"""Where compiled loops are kept: beside their source, else in the home folder, else nowhere."""

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
