"""Matrix products in compiled code, four by four, as fast as the processor's vectors allow.

For processors with wide vectors whose BLAS does not use them: measured on an AMD EPYC with AVX-512
and OpenBLAS's kernels for Haswell, 150 instead of 100 GFLOP/s in batches of 50.
"""

from typing import Any

from numba import njit
from numba.cpython.unsafe import tuple as tuples

FAST = {"contract", "reassoc", "nsz"}  # sums may be formed in any order; NaN must stay NaN
_with: Any = tuples.tuple_setitem  # an intrinsic: its first parameter is numba's own
SIDE = 4  # of the block of results that are kept in registers


@njit(fastmath=FAST)
def receive(values, weight, out):
    """out = values · weightᵀ, from (N, n_in) and (n_out, n_in)."""
    for sample in range(0, len(out), SIDE):
        for unit in range(0, out.shape[1], SIDE):
            if sample + SIDE <= len(out) and unit + SIDE <= out.shape[1]:
                sums = _sums(values, weight, sample, unit, out.dtype.type(0))
                for place in range(SIDE * SIDE):
                    out[sample + place // SIDE, unit + place % SIDE] = sums[place]
            else:
                _few_sums(values, weight, sample, unit, out)


@njit(fastmath=FAST, inline="always")
def _sums(values, weight, sample, unit, zero):
    """What four units receive from four samples, sample by sample."""
    four = (zero, zero, zero, zero)
    sums = four + four + four + four
    for k in range(values.shape[1]):
        for i in range(SIDE):
            for j in range(SIDE):
                term = values[sample + i, k] * weight[unit + j, k]
                sums = _with(sums, SIDE * i + j, sums[SIDE * i + j] + term)
    return sums


@njit(fastmath=FAST)
def _few_sums(values, weight, first_sample, first_unit, out):
    """The same of fewer than four units or samples at the edge, two by two as far as they go."""
    samples, units = min(first_sample + SIDE, len(out)), min(first_unit + SIDE, out.shape[1])
    for sample in range(first_sample, samples, 2):
        for unit in range(first_unit, units, 2):
            i, j = min(sample + 1, samples - 1), min(unit + 1, units - 1)
            a = b = c = d = out.dtype.type(0)
            for k in range(values.shape[1]):
                a += values[sample, k] * weight[unit, k]
                b += values[sample, k] * weight[j, k]
                c += values[i, k] * weight[unit, k]
                d += values[i, k] * weight[j, k]
            out[sample, unit], out[sample, j], out[i, unit], out[i, j] = a, b, c, d


@njit(fastmath=FAST)
def carry_back(deltas, weight, out):
    """out = deltas · weight, from (N, n_out) and (n_out, n_in)."""
    out[:] = 0
    move(weight, deltas.T, out.dtype.type(1), out)


@njit(fastmath=FAST)
def move(values, deltas, factor, weight):
    """weight ← weight + factor · deltasᵀ · values, from (N, n_in) and (N, n_out)."""
    n_samples, n_units = deltas.shape
    for unit in range(0, n_units, SIDE):
        for sample in range(0, n_samples, SIDE):
            if sample + SIDE <= n_samples and unit + SIDE <= n_units:
                _move_four(values, deltas, factor, (sample, unit), weight)
            else:
                _move_few(values, deltas, factor, (sample, unit), weight)


@njit(fastmath=FAST, inline="always")
def _move_four(values, deltas, factor, corner, weight):
    """What four samples add to the weights of four units."""
    sample, unit = corner
    four = (factor, factor, factor, factor)
    c = four + four + four + four
    for i in range(SIDE):
        for j in range(SIDE):
            c = _with(c, SIDE * j + i, factor * deltas[sample + i, unit + j])
    for k in range(weight.shape[1]):  # written out: in loops it takes twice as long
        v, w = values[sample, k], values[sample + 1, k]
        x, y = values[sample + 2, k], values[sample + 3, k]
        weight[unit, k] += c[0] * v + c[1] * w + c[2] * x + c[3] * y
        weight[unit + 1, k] += c[4] * v + c[5] * w + c[6] * x + c[7] * y
        weight[unit + 2, k] += c[8] * v + c[9] * w + c[10] * x + c[11] * y
        weight[unit + 3, k] += c[12] * v + c[13] * w + c[14] * x + c[15] * y


@njit(fastmath=FAST)
def _move_few(values, deltas, factor, corner, weight):
    """The same of fewer than four samples or units at the edge, two by two as far as they go."""
    n_samples, n_units = min(corner[0] + SIDE, len(values)), min(corner[1] + SIDE, len(weight))
    nothing = weight.dtype.type(0)  # the factor of a sample or unit that is not there
    for unit in range(corner[1], n_units, 2):
        for sample in range(corner[0], n_samples, 2):
            i, j = min(sample + 1, n_samples - 1), min(unit + 1, n_units - 1)
            second = factor if i > sample else nothing
            other, both = (factor, second) if j > unit else (nothing, nothing)
            a, b = factor * deltas[sample, unit], second * deltas[i, unit]
            c, d = other * deltas[sample, j], both * deltas[i, j]
            for k in range(weight.shape[1]):
                v, w = values[sample, k], values[i, k]
                weight[unit, k] += a * v + b * w
                weight[j, k] += c * v + d * w
