"""Theory of a row of valleys: shares at fixed y, hops between neighbours, the balance of hops along
y (Eqs. 17-26 for more than two).

Noise has the covariance 2σ κ (H₊/κ)^p of `rows`. Rates are per unit of time η·step. With U = (L −
L0)/D in each valley, the Itô flux is J = −e^{−U} ∂x(e^{U} D P). Without flux D P e^{U} is one
constant for the whole row; between two bottoms it falls by J ∫ e^{U} dx.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import dawsn, erf, logsumexp

from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import SQRT_PI, positive
from valleys.toy.theory.freezing import drift_speed

# ΔL/D above which a rate is 0 for all purposes, and e^{ΔL/D} leaves the range of a float64
HIGHEST = 600.0


def diffusion(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike, power: float = 1.0
) -> np.ndarray:
    """D_i = Δ_S κ (2/(f_i κ))^p along x, shape (n_valleys, …); broadcasts y with the effective
    noise.
    """
    row, y, noise = _broadcast(landscape, y, effective_noise)
    scale = row.mean_curvature(y)
    return noise * scale * (2 / (row.flatness(y) * scale)) ** power


def barrier_over_noise(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike, power: float = 1.0
) -> np.ndarray:
    """z_i² = ΔL/D_i, shape (n_valleys, …)."""
    row, y, noise = _broadcast(landscape, y, effective_noise)
    return row.barrier(y) / diffusion(row, y, noise, power)


def shares(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike, power: float = 1.0
) -> np.ndarray:
    """Stationary share of each valley at fixed y and small steps, shape (n_valleys, …).

    P_i ∝ √(f_i/D_i) e^{z_i²} erf z_i, with (1 + erf z_i)/2 for erf z_i in the two outer valleys:
    the order of the inner ones does not matter.

    Example:
        >>> from valleys.toy import ManyValleys, shares
        >>> shares(ManyValleys(), 20.0, 0.02).round(3)
        array([0.152, 0.284, 0.563])
    """
    weights = _log_weights(landscape, y, effective_noise, power)
    return np.exp(weights - logsumexp(weights, axis=0))


def hop_rates(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike, power: float = 1.0
) -> np.ndarray:
    """Rate k from valley j (second axis) to its neighbour i (first axis), shape (n_valleys,
    n_valleys, …): 1/(W_j R_ij), y > 0.

    W_j is the integral of e^{−U}/D over the valley, R_ij that of e^{U} from bottom to bottom, √(f_i
    D_i) dawsn z_i + √(f_j D_j) dawsn z_j. Exact for high ridges; at any height the rates keep
    `shares` as they are.

    Example:
        >>> from valleys.toy import ManyValleys, hop_rates
        >>> hop_rates(ManyValleys(), 20.0, 0.02).round(4)
        array([[0.    , 0.2306, 0.    ],
               [0.43  , 0.    , 0.1279],
               [0.    , 0.2534, 0.    ]])
    """
    row, y, noise = _broadcast(landscape, y, effective_noise)
    z2, flatness = np.minimum(barrier_over_noise(row, y, noise, power), HIGHEST), row.flatness(y)
    spread = diffusion(row, y, noise, power)
    climb = np.sqrt(flatness * spread) * dawsn(np.sqrt(z2))
    weight = np.exp(np.minimum(_log_weights(row, y, noise, power), HIGHEST))
    rates = np.zeros((row.n_valleys, *weight.shape))
    for left in range(row.n_valleys - 1):
        resistance = climb[left] + climb[left + 1]
        rates[left + 1, left], rates[left, left + 1] = (
            1 / (weight[left] * resistance),
            1 / (weight[left + 1] * resistance),
        )
    return rates


def balance(
    landscape: ManyValleys | TwoValley,
    effective_noise: float,
    y: ArrayLike,
    start: ArrayLike | None = None,
    power: float = 1.0,
) -> np.ndarray:
    """Share of each valley along increasing y > 0, shape (n_valleys, n_y): dP/dt = gains less
    losses, with dy/dt of Eq. A8 (Eq. A26 for a row).

    start: shares at y[0], equal ones if None. Each interval of y uses the rates of its middle,
    exactly.
    """
    row, y = ManyValleys.of(landscape), np.asarray(y, dtype=float)
    if y.ndim != 1 or y.size < 2 or not (np.all(np.diff(y) > 0) and y[0] > 0):
        raise ValueError("y must be an increasing sequence of at least two positive numbers")
    share = (
        np.full(row.n_valleys, 1 / row.n_valleys)
        if start is None
        else np.asarray(start, dtype=float)
    )
    if share.shape != (row.n_valleys,) or np.any(share < 0) or not np.isclose(share.sum(), 1):
        raise ValueError(f"start must be {row.n_valleys} shares that add up to 1; got {start!r}")
    middle = (y[1:] + y[:-1]) / 2
    lengths = np.diff(y) / drift_speed(row.pair(0, 1), middle)
    rates = np.moveaxis(hop_rates(row, middle, effective_noise, power), -1, 0)
    generators = rates - np.eye(row.n_valleys) * rates.sum(axis=1, keepdims=True)
    course = [share]
    for flow in _exponentials(generators * lengths[:, None, None]):
        course.append(flow @ course[-1])
    return np.array(course).T


def reversal(landscape: TwoValley, y: float, effective_noise: float) -> float:
    """The power p of the Hessian at which both valleys are equally likely at fixed y, by
    `shares`; between −1 (y → 0) and 0 (high ridges).
    """
    low, high = -4.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (low, middle)
            if shares(landscape, y, effective_noise, middle)[1] > 0.5
            else (middle, high)
        )
    return (low + high) / 2


def _exponentials(matrices: np.ndarray) -> np.ndarray:
    """e^A of generators of hops, shape (…, n, n), by scaling and squaring all of them at once; a
    loop of scipy's expm takes a hundred times as long.
    """
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrices).sum(axis=-2).max(), 1e-12)))) + 4)
    small, one = matrices / 2.0**halvings, np.eye(matrices.shape[-1])
    powers = one + small @ (one + small / 2 @ (one + small / 3 @ (one + small / 4)))
    for _ in range(halvings):
        powers = powers @ powers
    return powers


def _log_weights(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike, power: float
) -> np.ndarray:
    """ln of ∫ e^{−U}/D over each valley."""
    row, y, noise = _broadcast(landscape, y, effective_noise)
    z2 = barrier_over_noise(row, y, noise, power)
    z = np.sqrt(z2)
    outer = np.reshape(row.outer, (-1, *[1] * y.ndim))
    with np.errstate(divide="ignore"):
        inside = np.log(np.where(outer, (1 + erf(z)) / 2, erf(z)))
    return (
        np.log(SQRT_PI)
        + np.log(row.flatness(y) / diffusion(row, y, noise, power)) / 2
        + z2
        + inside
    )


def _broadcast(
    landscape: ManyValleys | TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[ManyValleys, np.ndarray, np.ndarray]:
    y, noise = np.broadcast_arrays(
        np.asarray(y, dtype=float), positive(effective_noise, "effective noise")
    )
    if not np.all(y >= 0):
        raise ValueError(
            "y must not be negative, because the valleys exist for y ≥ 0; got "
            f"{y.min():g} as the smallest value"
        )
    return ManyValleys.of(landscape), y, noise
