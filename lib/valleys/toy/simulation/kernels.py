"""The compiled loops of the simulation: LANES independent runs advance side by side, as arithmetic
that a compiler can vectorise.

Each lane owns a xoshiro256++ generator (Blackman and Vigna 2021), and turns one 64-bit word into
one pair of normals (Box and Muller 1958). The logarithm, the exponential and the circle functions
are series, because calls into the C library would stop vectorisation. All of it is one file:
numba's cache notices edits of the file that a compiled function stands in, and of no other.
"""

import math

import numba as nb
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from valleys.compiling import CAN_KEEP

LANES = 64  # runs that advance together
WORDS = 4  # 64-bit words in the state of one generator
NOISES = ("hessian", "hessian_squared", "isotropic")
HESSIAN, HESSIAN_SQUARED, ISOTROPIC = range(3)
X, Y, LAST_CROSSING, CROSSING_Y, ALIVE = range(5)  # rows of the state of a block of runs
STATE_ROWS = 5
JITTER = 1e-8  # added to the noise variance along every direction
X_LIMIT = 1e3  # a run beyond |x| = X_LIMIT has diverged

COMPILE = {"error_model": "numpy", "nogil": True, "cache": CAN_KEEP, "fastmath": {"contract"}}

_LN2 = math.log(2.0)
_MANTISSA = np.uint64((1 << 52) - 1)
_SHIFT = np.uint64(52)
_ONE = np.uint64(0x3FF0000000000000)  # the bits of 1.0
_RADIUS_BITS = np.uint64(24)  # the low 24 bits of a word give the angle, the high 40 the radius
_ANGLE_MASK = np.uint64((1 << 24) - 1)


@intrinsic
def _bits_of(typing_context, value):
    """Bits of a float64, as uint64."""

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.uint64))

    return types.uint64(types.float64), codegen


@intrinsic
def _float_of(typing_context, value):
    """The float64 with the given bits (uint64)."""

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.uint64), codegen


@nb.njit(inline="always")
def _rotate(word, left, right):
    return (word << left) | (word >> right)


@nb.njit(inline="always")
def natural_log(value):
    """ln(value) of a positive, normal float64; absolute error below 1e-14 for values in (0, 1]."""
    bits = _bits_of(value * 1.4142135623730951)  # pyright: ignore[reportCallIssue]  # numba fills in the context
    exponent = np.int64(bits >> _SHIFT) - 1023
    mantissa = _float_of((bits & _MANTISSA) | _ONE) * 0.7071067811865476  # in [1/√2, √2)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    series = 1.0 / 17 + q * (1.0 / 19)
    series = 1.0 / 13 + q * (1.0 / 15 + q * series)
    series = 1.0 / 9 + q * (1.0 / 11 + q * series)
    series = 1.0 / 5 + q * (1.0 / 7 + q * series)
    return exponent * _LN2 + 2.0 * s * (1.0 + q * (1.0 / 3 + q * series))


@nb.njit(inline="always")
def exponential(value):
    """exp(value) for |value| < 700, and its value at the bound beyond; relative error below
    1e-14.
    """
    value = min(max(value, -700.0), 700.0)
    power = math.floor(value / _LN2 + 0.5)
    r = value - power * _LN2
    series = 1.0 + r / 12 * (1.0 + r / 13)
    series = 1.0 + r / 8 * (1.0 + r / 9 * (1.0 + r / 10 * (1.0 + r / 11 * series)))
    series = 1.0 + r / 4 * (1.0 + r / 5 * (1.0 + r / 6 * (1.0 + r / 7 * series)))
    series = 1.0 + r * (1.0 + r / 2 * (1.0 + r / 3 * series))
    return series * _float_of(np.uint64(np.int64(power) + 1023) << _SHIFT)  # pyright: ignore[reportCallIssue]  # numba fills in the context


@nb.njit(inline="always")
def _sine(angle):
    q = angle * angle
    series = 1.0 - q / 210 * (1.0 - q / 272 * (1.0 - q / 342 * (1.0 - q / 420)))
    return angle * (
        1.0
        - q
        / 6
        * (
            1.0
            - q / 20 * (1.0 - q / 42 * (1.0 - q / 72 * (1.0 - q / 110 * (1.0 - q / 156 * series))))
        )
    )


@nb.njit(inline="always")
def _cosine(angle):
    q = angle * angle
    series = 1.0 - q / 182 * (1.0 - q / 240 * (1.0 - q / 306 * (1.0 - q / 380)))
    return 1.0 - q / 2 * (
        1.0 - q / 12 * (1.0 - q / 30 * (1.0 - q / 56 * (1.0 - q / 90 * (1.0 - q / 132 * series))))
    )


@nb.njit(**COMPILE)
def fill_normals(words, first, second):
    """Fill `first` and `second`, each (LANES,), with independent standard normals; advances
    `words`, (WORDS, LANES) uint64.
    """
    for k in range(LANES):
        s0, s1, s2, s3 = words[0, k], words[1, k], words[2, k], words[3, k]
        word = _rotate(s0 + s3, np.uint64(23), np.uint64(41)) + s0
        shifted = s1 << np.uint64(17)
        s2 ^= s0
        s3 ^= s1
        words[0, k] = s0 ^ s3
        words[1, k] = s1 ^ s2
        words[2, k] = s2 ^ shifted
        words[3, k] = _rotate(s3, np.uint64(45), np.uint64(19))
        uniform = (np.int64(word >> _RADIUS_BITS) + 0.5) * 2.0**-40  # in (0, 1)
        side = 1.0 - 2.0 * np.int64(word & np.uint64(1))
        # in (−π/2, π/2)
        angle = math.pi * ((np.int64((word & _ANGLE_MASK) >> np.uint64(1)) + 0.5) * 2.0**-23 - 0.5)
        radius = side * math.sqrt(-2.0 * natural_log(uniform))
        first[k] = radius * _cosine(angle)
        second[k] = radius * _sine(angle)


@nb.njit(inline="always")
def _factor(noise, noise_strength, xx, xy, yy, temperature):
    """Cholesky factor (l11, l21, l22) of the covariance Σ of the gradient noise (Eqs. 14 and
    15).
    """
    # 2σH₊, with H₊ = scale·(H − shift·1): the negative eigenvalue, if any, moved to 0
    if noise == HESSIAN:
        largest = 0.5 * (xx + yy + math.sqrt((xx - yy) ** 2 + 4.0 * xy * xy))
        shift = min((xx * yy - xy * xy) / largest, 0.0)
        strength = 2.0 * noise_strength * largest / (largest - shift)
        c11, c21, c22 = strength * (xx - shift), strength * xy, strength * (yy - shift)
    elif noise == HESSIAN_SQUARED:
        strength = 2.0 * noise_strength
        c11, c21, c22 = (
            strength * (xx * xx + xy * xy),
            strength * xy * (xx + yy),
            strength * (xy * xy + yy * yy),
        )
    else:
        c11 = 2.0 * noise_strength * temperature
        c21, c22 = 0.0, c11
    l11 = math.sqrt(c11 + JITTER)
    l21 = c21 / l11
    return l11, l21, math.sqrt(max(c22 + JITTER - l21 * l21, 0.0))


@nb.njit(inline="always")
def _one_step(state, first, second, step, landscape, learning_rate, noise_strength, noise):
    """θ ← θ − η(∇L + ξ) in every lane (Eq. 13), and the bookkeeping of crossings and divergence."""
    x1, x2, x0, f0, y_b, y_f, y_d, drift, y_min = landscape
    depth = x0 * x0 / f0
    for k in range(LANES):
        x, y, was_alive, last_crossing, crossing_y = (
            state[X, k],
            state[Y, k],
            state[ALIVE, k],
            state[LAST_CROSSING, k],
            state[CROSSING_Y, k],
        )
        side = 1.0 if x >= 0.0 else -1.0
        distance = abs(x)
        position = x1 if x >= 0.0 else x2
        inverse = 1.0 / (y + y_f)
        # on each side L − L0 = a|x|² − b|x| with a = depth (q/position)², b = 2 depth q p/position
        q, p = (y + y_b) * inverse, y * inverse
        q1, p1 = (y_f - y_b) * inverse * inverse, y_f * inverse * inverse
        q2, p2 = -2.0 * q1 * inverse, -2.0 * p1 * inverse
        linear = 2.0 * depth / position
        square = depth / (position * position)
        slope_y = drift / y_d * exponential(-y / y_d)
        gradient_x = side * (2.0 * square * q * q * distance - linear * q * p)
        gradient_y = (
            2.0 * square * q * q1 * distance - linear * (q1 * p + q * p1)
        ) * distance - slope_y
        hessian_xx = 2.0 * square * q * q
        hessian_xy = side * (4.0 * square * q * q1 * distance - linear * (q1 * p + q * p1))
        hessian_yy = (
            2.0 * square * (q1 * q1 + q * q2) * distance
            - linear * (q2 * p + 2.0 * q1 * p1 + q * p2)
        ) * distance + slope_y / y_d
        temperature = 2.0 * depth * q * q / (x1 * x2)
        l11, l21, l22 = _factor(
            noise, noise_strength, hessian_xx, hessian_xy, hessian_yy, temperature
        )
        new_x = x - learning_rate * (gradient_x + l11 * first[k])
        new_y = y - learning_rate * (gradient_y + l21 * first[k] + l22 * second[k])
        alive = (was_alive > 0.0) & (new_y > y_min) & (abs(new_x) < X_LIMIT)
        crossed = alive & ((new_x >= 0.0) != (x >= 0.0))
        state[X, k] = new_x if alive else x
        state[Y, k] = new_y if alive else y
        state[ALIVE, k] = 1.0 if alive else 0.0
        state[LAST_CROSSING, k] = step if crossed else last_crossing
        state[CROSSING_Y, k] = new_y if (crossed | (step == 1.0)) else crossing_y


def _advancer(noise):
    """The compiled loop for one kind of noise; the kind is a constant, so that the loop over
    lanes has no branch.
    """

    @nb.njit(**COMPILE)
    def advance(state, words, first_step, n_steps, landscape, learning_rate, noise_strength):
        first, second = np.empty(LANES), np.empty(LANES)
        for step in range(first_step, first_step + n_steps):
            fill_normals(words, first, second)
            _one_step(
                state, first, second, float(step), landscape, learning_rate, noise_strength, noise
            )

    return advance


ADVANCE = {name: _advancer(code) for code, name in enumerate(NOISES)}

# Rows of a block at fixed y. Index 0 of a pair is the sharp valley, 1 the flat one.
POSITION, CORE, ARMED, IN_FLAT, ESCAPES, CORE_TIME, TOPS, ARMED_TIME, SUM, SQUARES = (
    0,
    1,
    2,
    3,
    4,
    6,
    8,
    10,
    12,
    14,
)
FROZEN_ROWS = 16


@nb.njit(inline="always")
def _frozen_step(state, normal, bottoms, curves, step_sizes, learning_rate):
    """One step of x at fixed y in every lane, with the clocks of escapes.

    CORE is the valley whose bottom the run saw last; a change of CORE is an escape.
    ARMED is the valley whose bottom the run saw since it was last on the ridge; reaching x = 0
    while ARMED is a `top`.
    """
    for k in range(LANES):
        x, core, armed = state[POSITION, k], state[CORE, k], state[ARMED, k]
        flat = x >= 0.0
        bottom, curve, kick = (
            bottoms[1] if flat else bottoms[0],
            curves[1] if flat else curves[0],
            step_sizes[1] if flat else step_sizes[0],
        )
        x = x - learning_rate * curve * (x - bottom) + kick * normal[k]
        at_flat, at_sharp = x >= bottoms[1], x <= bottoms[0]
        in_sharp, in_flat = core < 0.0, core > 0.0
        from_sharp, from_flat = armed < 0.0, armed > 0.0
        state[POSITION, k] = x
        state[IN_FLAT, k] += 1.0 if x >= 0.0 else 0.0
        left, right = min(x, 0.0), max(x, 0.0)
        state[SUM, k] += left
        state[SUM + 1, k] += right
        state[SQUARES, k] += left * left
        state[SQUARES + 1, k] += right * right
        state[CORE_TIME, k] += 1.0 if in_sharp else 0.0
        state[CORE_TIME + 1, k] += 1.0 if in_flat else 0.0
        state[ESCAPES, k] += 1.0 if in_sharp & at_flat else 0.0
        state[ESCAPES + 1, k] += 1.0 if in_flat & at_sharp else 0.0
        state[ARMED_TIME, k] += 1.0 if from_sharp else 0.0
        state[ARMED_TIME + 1, k] += 1.0 if from_flat else 0.0
        top_sharp, top_flat = from_sharp & (x >= 0.0), from_flat & (x < 0.0)
        state[TOPS, k] += 1.0 if top_sharp else 0.0
        state[TOPS + 1, k] += 1.0 if top_flat else 0.0
        armed = 0.0 if top_sharp | top_flat else armed
        state[ARMED, k] = 1.0 if at_flat else (-1.0 if at_sharp else armed)
        state[CORE, k] = 1.0 if at_flat else (-1.0 if at_sharp else core)


@nb.njit(**COMPILE)
def advance_frozen(
    state,
    words,
    counts,
    n_steps,
    sample_every,
    bottoms,
    curves,
    step_sizes,
    learning_rate,
    left,
    bin_width,
):
    """Advance a block of runs at fixed y; add every `sample_every`-th position to `counts`,
    (LANES, n_bins).
    """
    first, second = np.empty(LANES), np.empty(LANES)
    n_bins = counts.shape[1]
    for step in range(n_steps):
        if step % 2 == 0:
            fill_normals(words, first, second)
            _frozen_step(state, first, bottoms, curves, step_sizes, learning_rate)
        else:
            _frozen_step(state, second, bottoms, curves, step_sizes, learning_rate)
        if (step + 1) % sample_every == 0:
            for k in range(LANES):
                place = math.floor((state[POSITION, k] - left) / bin_width)
                if 0 <= place < n_bins:
                    counts[k, place] += 1


# a run in a row of valleys also knows the one it is in
VALLEY, ROW_STATE_ROWS = STATE_ROWS, STATE_ROWS + 1
TINY = 1e-300  # an eigenvalue below it counts as this one, so that it has a logarithm


@nb.njit(inline="always")
def _power_factor(power, noise_strength, xx, xy, yy, scale):
    """Cholesky factor of Σ = 2σ κ (H₊/κ)^p, with κ the scale: through the eigenvalues of H,
    negative ones set to 0; p = 0 gives κ·1.
    """
    half_trace, gap = 0.5 * (xx + yy), math.sqrt((xx - yy) ** 2 + 4.0 * xy * xy)
    largest, smallest = half_trace + 0.5 * gap, half_trace - 0.5 * gap
    strength = 2.0 * noise_strength * scale
    high = strength * exponential(power * natural_log(max(largest / scale, TINY)))
    low = strength * exponential(power * natural_log(max(smallest / scale, TINY)))
    tilt = (high - low) / max(gap, TINY)
    c11, c21, c22 = low + tilt * (xx - smallest), tilt * xy, low + tilt * (yy - smallest)
    l11 = math.sqrt(c11 + JITTER)
    l21 = c21 / l11
    return l11, l21, math.sqrt(max(c22 + JITTER - l21 * l21, 0.0))


@nb.njit(inline="always")
def _row_step(
    state, first, second, step, scales, row, learning_rate, noise_strength, power, moving
):
    """`_one_step` in a row of valleys, with noise of any power of the Hessian; where `moving` is
    0, y stands still and only the curvature along x counts.
    """
    x0, f0, y_b, y_f, y_d, drift, y_min = scales
    widths, centres, ridges, mean_width = row
    depth = x0 * x0 / f0
    n_ridges = len(ridges)
    for k in range(LANES):
        x, y, was_alive, last_crossing = (
            state[X, k],
            state[Y, k],
            state[ALIVE, k],
            state[LAST_CROSSING, k],
        )
        valley, crossing_y = state[VALLEY, k], state[CROSSING_Y, k]
        width, centre = widths[0], (centres[0] if y >= 0.0 else -widths[0])
        for j in range(n_ridges):
            beyond = valley > j + 0.5
            width = widths[j + 1] if beyond else width
            centre = (centres[j + 1] if y >= 0.0 else widths[j + 1]) if beyond else centre
        inverse = 1.0 / (y + y_f)
        # in each valley L − L0 = a (u² − w² p²) with a = depth/w² and u = q x − C p
        q, p = (y + y_b) * inverse, y * inverse
        q1, p1 = (y_f - y_b) * inverse * inverse, y_f * inverse * inverse
        q2, p2 = -2.0 * q1 * inverse, -2.0 * p1 * inverse
        u, u1, u2 = q * x - centre * p, q1 * x - centre * p1, q2 * x - centre * p2
        square, slope_y = 2.0 * depth / (width * width), drift / y_d * exponential(-y / y_d)
        gradient_x = square * q * u
        gradient_y = square * (u * u1 - width * width * p * p1) - slope_y
        hessian_xx = square * q * q
        hessian_xy = square * (q1 * u + q * u1) * moving
        hessian_yy = (
            square * (u1 * u1 + u * u2 - width * width * (p1 * p1 + p * p2)) + slope_y / y_d
        )
        hessian_yy = hessian_yy * moving + 0.5 * hessian_xx * (1.0 - moving)
        scale = 2.0 * depth * q * q / (mean_width * mean_width)
        l11, l21, l22 = _power_factor(
            power, noise_strength, hessian_xx, hessian_xy, hessian_yy, scale
        )
        new_x = x - learning_rate * (gradient_x + l11 * first[k])
        new_y = y - moving * learning_rate * (gradient_y + l21 * first[k] + l22 * second[k])
        alive = (was_alive > 0.0) & (new_y > y_min) & (abs(new_x) < X_LIMIT)
        new_x, new_y = (new_x if alive else x), (new_y if alive else y)
        new_valley = 0.0
        for j in range(n_ridges):
            new_valley += 1.0 if new_x * (new_y + y_b) >= ridges[j] * max(new_y, 0.0) else 0.0
        crossed = alive & (new_valley != valley)
        state[X, k], state[Y, k], state[VALLEY, k] = new_x, new_y, new_valley
        state[ALIVE, k] = 1.0 if alive else 0.0
        state[LAST_CROSSING, k] = step if crossed else last_crossing
        state[CROSSING_Y, k] = new_y if (crossed | (step == 1.0)) else crossing_y


@nb.njit(**COMPILE)
def advance_row(
    state, words, first_step, n_steps, scales, row, learning_rate, noise_strength, power, moving
):
    """Advance a block of runs, (ROW_STATE_ROWS, LANES), in a row of valleys; the pairs of
    normals are those of ADVANCE.
    """
    first, second = np.empty(LANES), np.empty(LANES)
    for step in range(first_step, first_step + n_steps):
        fill_normals(words, first, second)
        _row_step(
            state,
            first,
            second,
            float(step),
            scales,
            row,
            learning_rate,
            noise_strength,
            power,
            moving,
        )
