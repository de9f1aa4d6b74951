"""The products of matrices of a step of training, in vectors of 512 bits.

Measured on one core of an AMD EPYC: 190 to 250 GFLOP/s with layers of 50 units or more, where
OpenBLAS's kernels for AVX-512 reach 180, those for Haswell 100, and a large product 235.
"""

import numpy as np
from numba import njit

from valleys.nets.engine.kernels import vectors

SIDE, ACROSS, WIDTH = vectors.SIDE, vectors.ACROSS, vectors.WIDTH
NARROW = 2  # vectors of columns up to which they are taken one by one
DEEP = 64  # rows of the second matrix that are taken at once: so many stay in the near memory


@njit
def receive(values, weight, out):
    """out = values · weightᵀ, from (N, n_in) and (n_out, n_in)."""
    out[:] = 0
    one, size = out.dtype.type(1), out.itemsize
    if weight.shape[1] <= len(values):  # to turn the weights costs less than sums within vectors
        _add(_begin(values, 0, 1), _turned(weight), one, out)
        return
    strides = values.strides[0], weight.strides[0], out.strides[0]
    begin = values.ctypes.data, weight.ctypes.data, out.ctypes.data
    for row in range(0, len(out), SIDE):
        for column in range(0, out.shape[1], SIDE):
            counts = min(SIDE, len(out) - row), min(SIDE, out.shape[1] - column), values.shape[1]
            a, b = begin[0] + row * strides[0], begin[1] + column * strides[1]
            c = begin[2] + row * strides[2] + column * size
            vectors.add_sums(counts, (a, b, c), strides, one)


@njit
def _turned(matrix):
    """The transposed matrix, its rows in one piece."""
    turned = np.empty((matrix.shape[1], matrix.shape[0]), matrix.dtype)
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            turned[column, row] = matrix[row, column]
    return turned


@njit
def carry_back(deltas, weight, out):
    """out = deltas · weight, from (N, n_out) and (n_out, n_in)."""
    out[:] = 0
    _add(_begin(deltas, 0, 1), weight, out.dtype.type(1), out)


@njit
def move(values, deltas, factor, weight):
    """weight ← weight + factor · deltasᵀ · values, from (N, n_in) and (N, n_out)."""
    _add(_begin(deltas, 1, 0), values, factor, weight)


@njit
def _begin(matrix, row, term):
    """Where a matrix begins, and the strides [bytes] of its axes of rows and of terms."""
    return matrix.ctypes.data, matrix.strides[row], matrix.strides[term]


@njit
def _add(a, b, factor, out):
    """out ← out + factor · a · b, from what `_begin` gives of a, (n_terms, n_columns) and (n_rows,
    n_columns).
    """
    lanes = WIDTH // out.itemsize
    for first in range(0, len(b), DEEP):
        n_terms, column = min(DEEP, len(b) - first), 0
        while column < out.shape[1]:
            narrow = out.shape[1] - column <= NARROW * lanes
            across = lanes if narrow else ACROSS * lanes
            width = min(across, out.shape[1] - column)
            for row in range(0, len(out), SIDE):
                counts = min(SIDE, len(out) - row), width, n_terms
                places = _places(a, b, out, (first, row, column))
                strides = a[1], a[2], b.strides[0], out.strides[0]
                if narrow:
                    vectors.add_narrow_block(counts, places, strides, factor)
                else:
                    vectors.add_block(counts, places, strides, factor)
            column += width


@njit
def _places(a, b, out, corner):
    """Where the three matrices of a block begin."""
    term, row, column = corner
    across = column * out.itemsize
    return (
        a[0] + row * a[1] + term * a[2],
        b.ctypes.data + term * b.strides[0] + across,
        out.ctypes.data + row * out.strides[0] + across,
    )
