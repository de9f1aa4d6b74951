"""Theory of freezing: time scales, freezing point, final probability (Eqs. 24-26, A7-A8, A26,
A29-A37).

Times are η·step. Functions broadcast over the effective noise Δ_S.
Where a formula ends it takes its limit: y_freeze is 0 if the noise is too weak for any escape, and
∞ if it is too strong for any freezing.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import dawsn

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import (
    escape_times_exact,
    open_y,
    p_flat_exact,
    positive,
    rates_kramers,
    reduced_barriers,
)

EPSILON = 0.1  # ε of Eq. 25 as in Fig. 6C
Y_SEARCH = np.logspace(-6, 4, 4000)  # where a freezing point is looked for


def relaxation_times(landscape: TwoValley, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """τ_x = ½ f1,2(y), relaxation along x in the (flat, sharp) valley (Eq. A7).

    Example:
        >>> from valleys.toy import TwoValley, relaxation_times
        >>> flat, sharp = relaxation_times(TwoValley(), 20.0)
        >>> float(flat.round(3)), float(sharp.round(3))
        (0.205, 0.135)
    """
    flat, sharp = landscape.flatness(y)
    return flat / 2, sharp / 2


def drift_speed(landscape: TwoValley, y: ArrayLike) -> np.ndarray:
    """dy/dt = (L_d/y_d) e^{−y/y_d} + 2 x0² y_f y/(f0 (y + y_f)³), down the floor of either valley
    (Eq. A8).

    Example:
        >>> from valleys.toy import TwoValley, drift_speed
        >>> drift_speed(TwoValley(), [0.0, 20.0, 200.0]).round(4)
        array([0.01  , 0.0207, 0.0021])
    """
    y = np.asarray(y, dtype=float)
    return -landscape.drift_slope(y) + 2 * landscape.x0**2 * landscape.y_f * y / (
        landscape.f0 * (y + landscape.y_f) ** 3
    )


def drift_time(landscape: TwoValley, y: ArrayLike) -> np.ndarray:
    """τ_y = 1/(dy/dt), the time to move by one unit of y (Eq. A8)."""
    return 1 / drift_speed(landscape, y)


def freezing_rate(landscape: TwoValley, y: ArrayLike) -> np.ndarray:
    """Φ(y) = ½ (dy/dt)·(x1² − x2²) y_b y/(y + y_b)³ (Eq. A33, first line).

    The ½ is the paper's; d/dy (y/(y + y_b))² carries a factor 2 that Eq. A31 leaves out, so that ε
    stands for 2ε in Eq. A32. The step before `freezing_constant`, which bounds it; no chapter shows
    it, tests compare both.
    """
    y = np.asarray(y, dtype=float)
    opening = (landscape.x1**2 - landscape.x2**2) * landscape.y_b * y / (y + landscape.y_b) ** 3
    return drift_speed(landscape, y) * opening / 2


def freezing_constant(landscape: TwoValley) -> float:
    """Φ = 2(x1² − x2²)/(27 y_b)·(L_d/y_d + 8 x0²/(27 f0 y_f)), the upper bound of Φ(y) (Eq. A33,
    second line, with the f0 it leaves out).
    """
    drift = landscape.L_d / landscape.y_d + 8 * landscape.x0**2 / (
        27 * landscape.f0 * landscape.y_f
    )
    return 2 * (landscape.x1**2 - landscape.x2**2) / (27 * landscape.y_b) * drift


def freezing_y(
    landscape: TwoValley, effective_noise: ArrayLike, epsilon: float = EPSILON
) -> np.ndarray:
    """y_freeze = y_b s/(x2 − s) with s = √(Δ_S ln(Δ_S/(ε²Φ²))) (Eqs. 25 and A36); 0 for √Δ_S ≤ εΦ
    and ∞ for s ≥ x2.

    Example:
        >>> from valleys.toy import TwoValley, freezing_y
        >>> freezing_y(TwoValley(), [0.001, 0.01, 0.1]).round(1)
        array([ 8.4, 80.7,  inf])
    """
    noise, ratio = _noise_ratio(landscape, effective_noise, epsilon)
    reach = np.sqrt(noise * 2 * np.log(np.maximum(ratio, 1.0)))
    room = landscape.x2 - reach
    return np.where(room > 0, landscape.y_b * reach / np.where(room > 0, room, 1.0), np.inf)


def p_flat_at_freezing(
    landscape: TwoValley, effective_noise: ArrayLike, y_freeze: ArrayLike
) -> np.ndarray:
    """P_tr = [1 + γ^{−½} exp((x2² − x1²)/(2Δ_S)·(y_freeze/(y_b + y_freeze))²)]⁻¹, also for y_freeze
    = ∞ (Eqs. 24 and A29).

    The step before `p_flat_transient`, which puts in Eq. 25.
    """
    noise, y = np.broadcast_arrays(np.asarray(effective_noise, float), np.asarray(y_freeze, float))
    if not (np.all(noise > 0) and np.all(y >= 0)):
        raise ValueError("the effective noise must be positive and y_freeze must not be negative")
    opening = np.where(np.isinf(y), 1.0, y / (landscape.y_b + np.where(np.isinf(y), 1.0, y)))
    exponent = (landscape.x2**2 - landscape.x1**2) / (2 * noise) * opening**2
    return 1 / (1 + landscape.flatness_ratio**-0.5 * np.exp(exponent))


def p_flat_transient(
    landscape: TwoValley, effective_noise: ArrayLike, epsilon: float = EPSILON
) -> np.ndarray:
    """P_tr = [1 + γ^{−½}(√Δ_S/(εΦ))^{1−γ}]⁻¹ (Eqs. 26 and A37).

    Below √Δ_S = εΦ it keeps its value there, 1/(1 + γ^{−½}), the asymptotic share at y_freeze = 0.
    It goes on past the end of Eq. 25 (s ≥ x2), where no freezing point exists: see
    `freezing_limit`.

    Example:
        >>> from valleys.toy import TwoValley, p_flat_transient
        >>> p_flat_transient(TwoValley(), [0.001, 0.01, 0.1]).round(3)
        array([0.995, 0.997, 0.999])
    """
    _, ratio = _noise_ratio(landscape, effective_noise, epsilon)
    gamma = landscape.flatness_ratio
    return 1 / (1 + gamma**-0.5 * np.maximum(ratio, 1.0) ** (1 - gamma))


def epsilon_of(landscape: TwoValley, effective_noise: ArrayLike, p_flat: ArrayLike) -> np.ndarray:
    """The ε with which Eq. 26 gives `p_flat`: √Δ_S/Φ·(√γ (1 − P)/P)^{1/(γ−1)}.

    Raises ValueError for γ = 1, where Eq. 26 does not depend on ε, and for a p_flat that is no
    probability between 0 and 1.
    """
    noise, p_flat = positive(effective_noise, "effective noise"), np.asarray(p_flat, dtype=float)
    gamma = landscape.flatness_ratio
    if gamma == 1 or not np.all((p_flat > 0) & (p_flat < 1)):
        raise ValueError(
            "Eq. 26 can be solved for ε only if x1 > x2 and p_flat lies between 0 and 1"
        )
    return (
        np.sqrt(noise)
        / freezing_constant(landscape)
        * (gamma**0.5 * (1 - p_flat) / p_flat) ** (1 / (gamma - 1))
    )


def epsilon_of_freezing_y(
    landscape: TwoValley, effective_noise: ArrayLike, y_freeze: ArrayLike
) -> np.ndarray:
    """The ε at which Eq. 25 gives y_freeze: √Δ_S/Φ · exp(−s²/(2Δ_S)) with s = x2 y_freeze/(y_freeze
    + y_b).

    Raises ValueError if γ = 1, because Φ is 0 then.
    """
    noise, y = positive(effective_noise, "effective noise"), open_y(y_freeze)
    if landscape.flatness_ratio == 1:
        raise ValueError("Eq. 25 can be solved for ε only if x1 > x2")
    reach = landscape.x2 * y / (y + landscape.y_b)
    return np.sqrt(noise) / freezing_constant(landscape) * np.exp(-(reach**2) / (2 * noise))


def epsilon_of_criterion(
    landscape: TwoValley, effective_noise: ArrayLike, y_freeze: ArrayLike
) -> np.ndarray:
    """The ε at which Eq. A30 holds at y_freeze > 0, with the rates of Eq. 21 and nothing
    approximated: k⁻(k⁺ + k⁻)/(k⁺ · `ratio_decay`).
    """
    flat_rate, sharp_rate = rates_kramers(landscape, y_freeze, effective_noise)
    return (
        sharp_rate
        * (flat_rate + sharp_rate)
        / (flat_rate * ratio_decay(landscape, y_freeze, effective_noise))
    )


def race(landscape: TwoValley, effective_noise: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Exact k⁻ over the speed at which the exact odds change, −d ln(k⁺/k⁻)/dt, at y > 0: far
    above 1 the share keeps up, far below it is frozen.
    """
    y, width = np.asarray(y, dtype=float), 1e-4
    sides = [
        escape_times_exact(landscape, y * (1 + sign * width), effective_noise) for sign in (-1, 1)
    ]
    odds = [np.log(sharp_time / flat_time) for flat_time, sharp_time in sides]  # ln(k⁺/k⁻)
    shift = (odds[0] - odds[1]) / (2 * width * y) * drift_speed(landscape, y)
    return 1 / escape_times_exact(landscape, y, effective_noise)[1] / shift


def y_of_share(landscape: TwoValley, effective_noise: ArrayLike, p_flat: ArrayLike) -> np.ndarray:
    """The y at which the quasi-steady share `p_flat_exact` is p_flat; ∞ if the share is never so
    large.

    Raises ValueError if p_flat is below its value at y = 0.
    """
    low, high = Y_SEARCH[[0, -1]]

    def root(noise: float, share: float) -> float:
        if share < p_flat_exact(landscape, low, noise):
            raise ValueError(f"p_flat is {share:g}, below the quasi-steady share at y = 0")
        if share >= p_flat_exact(landscape, high, noise):
            return np.inf
        return find_root(lambda y: p_flat_exact(landscape, y, noise) - share, low, high, xtol=1e-9)

    return np.vectorize(root, otypes=[float])(
        positive(effective_noise, "effective noise"), np.asarray(p_flat, dtype=float)
    )


def freezing_limit(landscape: TwoValley, epsilon: float = EPSILON) -> float:
    """The effective noise at which Eq. 25 diverges, where Δ_S ln(Δ_S/(ε²Φ²)) = x2²; 0 if γ = 1,
    because Φ is 0 then.
    """
    threshold = (_checked_epsilon(epsilon) * freezing_constant(landscape)) ** 2
    if threshold == 0:
        return 0.0

    def excess(log_noise: float) -> float:
        return np.exp(log_noise) * (log_noise - np.log(threshold)) - landscape.x2**2

    highest = np.log(max(np.e * threshold, landscape.x2**2))
    return float(np.exp(find_root(excess, np.log(threshold), highest)))


def ratio_decay(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """−d ln(k⁺/k⁻)/dt = (dy/dt)·(z₊'/dawsn z₊ − z₋'/dawsn z₋), how fast the ratio of the rates of
    Eq. 21 falls; y > 0.

    Eq. A31 approximates it by Φ(y)/Δ_S, which is half of its value for high barriers.
    """
    y = np.asarray(y, dtype=float)
    slopes = [
        z * landscape.y_b / (y * (y + landscape.y_b)) / dawsn(z)
        for z in reduced_barriers(landscape, y, effective_noise)
    ]
    return drift_speed(landscape, y) * (slopes[0] - slopes[1])


def freezing_y_numeric(
    landscape: TwoValley, effective_noise: ArrayLike, epsilon: float = EPSILON
) -> np.ndarray:
    """The first y at which k⁻ falls to −ε (1 + k⁺/k⁻)⁻¹ d(k⁺/k⁻)/dt (Eq. A30), with the rates of
    Eq. 21 and nothing approximated.

    ∞ if k⁻ never falls so low.

    Example:
        >>> from valleys.toy import TwoValley, freezing_y_numeric
        >>> freezing_y_numeric(TwoValley(), [0.001, 0.01]).round(1)
        array([12.8,  inf])
    """
    _checked_epsilon(epsilon)

    def excess(y: np.ndarray, noise: float) -> np.ndarray:
        flat_rate, sharp_rate = rates_kramers(landscape, y, noise)
        return (
            sharp_rate * (flat_rate + sharp_rate)
            - epsilon * ratio_decay(landscape, y, noise) * flat_rate
        )

    def first_root(noise: float) -> float:
        below = np.flatnonzero(excess(Y_SEARCH, noise) < 0)
        if below.size == 0:
            return np.inf
        low, high = Y_SEARCH[[below[0] - 1, below[0]]]
        return find_root(excess, low, high, args=(noise,))

    return np.vectorize(first_root, otypes=[float])(positive(effective_noise, "effective noise"))


def p_flat_balance(
    landscape: TwoValley,
    effective_noise: float,
    y: ArrayLike,
    start_p: float = 0.5,
    rates: str = "exact",
) -> np.ndarray:
    """P_flat along increasing y of dP_flat/dt = k⁻(1 − P_flat) − k⁺ P_flat with dy/dt of Eq. A8
    (Eq. A26); starts from start_p at y[0].

    rates: "kramers" takes Eq. 21, "exact" the inverse of `escape_times_exact`. Each interval of y
    uses the rates of its middle.

    Example:
        >>> import numpy as np
        >>> from valleys.toy import TwoValley, p_flat_balance
        >>> y = np.linspace(5, 100, 200)
        >>> float(p_flat_balance(TwoValley(), 0.01, y)[-1].round(3))
        0.993
    """
    y = np.asarray(y, dtype=float)
    if y.ndim != 1 or y.size < 2 or not (np.all(np.diff(y) > 0) and y[0] >= 0):
        raise ValueError("y must be an increasing sequence of at least two numbers, none negative")
    if not 0 <= start_p <= 1:
        raise ValueError(f"start_p is {start_p!r}; it must be a probability between 0 and 1")
    if rates not in RATES:
        raise ValueError(f"unknown rates {rates!r}; choose one of {', '.join(RATES)}")
    middle = (y[1:] + y[:-1]) / 2
    flat_rate, sharp_rate = RATES[rates](landscape, middle, effective_noise)
    memory = np.exp(-(flat_rate + sharp_rate) * np.diff(y) / drift_speed(landscape, middle))
    balance = sharp_rate / np.maximum(sharp_rate + flat_rate, np.finfo(float).tiny)
    p_flat = [start_p]
    for kept, target in zip(memory, balance, strict=True):
        p_flat.append(target + (p_flat[-1] - target) * kept)
    return np.array(p_flat)


def _rates_exact(
    landscape: TwoValley, y: np.ndarray, effective_noise: float
) -> tuple[np.ndarray, np.ndarray]:
    flat_time, sharp_time = escape_times_exact(landscape, y, effective_noise)
    return 1 / flat_time, 1 / sharp_time


RATES = {"kramers": rates_kramers, "exact": _rates_exact}


def _noise_ratio(
    landscape: TwoValley, effective_noise: ArrayLike, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Δ_S and √Δ_S/(εΦ), which is ∞ for γ = 1."""
    noise = positive(effective_noise, "effective noise")
    with np.errstate(divide="ignore"):
        return noise, np.sqrt(noise) / np.float64(
            _checked_epsilon(epsilon) * freezing_constant(landscape)
        )


def find_root(function: Callable[..., Any], low: float, high: float, **options: Any) -> float:
    """Where a function is 0 between two places of opposite signs."""
    return cast("float", brentq(function, low, high, **options))  # a tuple only if asked for


def _checked_epsilon(epsilon: float) -> float:
    if not (np.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon is {epsilon!r}; it must be a positive number, such as {EPSILON}")
    return epsilon
