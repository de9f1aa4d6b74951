"""Memory in which rows are whole vectors and begin where vectors do: a vector that lies across two
lines of the processor's memory takes twice as long to load.
"""

import math

import numpy as np

from valleys.nets.engine.kernels.vectors import WIDTH


def empty(shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """Room for such numbers in one piece, which begins where a vector does."""
    size = math.prod(shape) * kind.itemsize
    room = np.empty(size + WIDTH, np.uint8)
    begin = -room.ctypes.data % WIDTH
    return room[begin : begin + size].view(kind).reshape(shape)


def in_vectors(rows: np.ndarray) -> np.ndarray:
    """The same rows, (…, n), filled up with 0 to whole vectors; themselves if they are."""
    lanes = WIDTH // rows.itemsize
    if rows.shape[-1] % lanes == 0 and rows.ctypes.data % WIDTH == 0:
        return rows
    filled = empty((*rows.shape[:-1], -(-rows.shape[-1] // lanes) * lanes), rows.dtype)
    filled[..., : rows.shape[-1]] = rows
    filled[..., rows.shape[-1] :] = 0
    return filled
