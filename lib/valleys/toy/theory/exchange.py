"""Exact exchange between two valleys at fixed y and small steps: how fast the flat share comes to
its stationary value, as the first eigenvalue above zero of the Fokker-Planck operator.

On either side of the ridge x is an Ornstein-Uhlenbeck process, so that an eigenfunction of the
backward operator is a Hermite function on each side, He_ν with ν = κ f/2; it and its slope are
continuous on the ridge (Gardiner 2009, Sec. 5.2). For high ridges κ is the sum of both escape
rates; for low ones, where no rate of escape exists, it is the relaxation within a valley.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit, hyp1f1, rgamma

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import (
    SQRT_PI,
    Pair,
    bottom_to_bottom,
    noise_diffusion,
    open_y,
)
from valleys.toy.theory.freezing import find_root

HIGH = 4.0  # z of both valleys from which on κ is the sum of the escape rates, to one in 10⁶
SMALLEST = 1e-14  # of ν, below which no root is looked for


def exchange_rates(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike, noise: str = "hessian"
) -> Pair:
    """k⁺ out of the flat and k⁻ out of the sharp valley, with dP_flat/dt = k⁻(1 − P_flat) −
    k⁺ P_flat (Eq. A26): κ (1 − q) and κ q, of the exact κ and the exact stationary share q.

    Args:
        landscape: of two valleys.
        y: place along the valleys, above 0; broadcasts with the noise.
        effective_noise: Δ_S.
        noise: as in `noise_diffusion`.

    Raises:
        ValueError: y or the noise is out of range.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.theory.exchange import exchange_rates
        >>> flat, sharp = exchange_rates(TwoValley(), 20.0, 0.02)
        >>> float(flat.round(3)), float(sharp.round(3))
        (0.136, 0.503)
    """
    y, effective_noise = np.broadcast_arrays(open_y(y), effective_noise)
    flat, sharp = landscape.flatness(y)
    spreads = noise_diffusion(landscape, y, effective_noise, noise)
    flat_z, sharp_z = (np.sqrt(landscape.barrier(y) / spread) for spread in spreads)
    share = stationary_share(flat, flat_z, sharp, sharp_z)
    total = exchange(flat, flat_z, sharp, sharp_z)
    return total * (1 - share), total * share


def stationary_share(
    flat: ArrayLike, flat_z: ArrayLike, sharp: ArrayLike, sharp_z: ArrayLike
) -> np.ndarray:
    """Share of the first of two valleys in the stationary state of the Itô process, each given by
    its f and z = √(ΔL/D): weights √f z e^{z²}(1 + erf z).
    """
    flat_z, sharp_z = np.asarray(flat_z, dtype=float), np.asarray(sharp_z, dtype=float)
    odds = np.log(np.sqrt(np.asarray(flat) / np.asarray(sharp)) * flat_z / sharp_z)
    odds = odds + flat_z**2 - sharp_z**2 + np.log((1 + erf(flat_z)) / (1 + erf(sharp_z)))
    return expit(odds)


@np.vectorize
def exchange(flat: float, flat_z: float, sharp: float, sharp_z: float) -> float:
    """κ [per unit of time] between two valleys, each given by its f and z = √(ΔL/D) > 0."""
    if min(flat_z, sharp_z) > HIGH:
        ways = (flat, flat_z, sharp, sharp_z), (sharp, sharp_z, flat, flat_z)
        return sum(1 / float(bottom_to_bottom(*way)) for way in ways)
    orders = np.array([flat, sharp]) / min(flat, sharp)  # ν over the smaller one
    widths = np.sqrt([flat, sharp]) / np.array([flat_z, sharp_z])
    ridge = -np.sqrt(2) * np.array([flat_z, sharp_z])

    def mismatch(order: float) -> float:
        """Of the slopes on the ridge, over ν."""
        values = hermite(order * orders, ridge)
        slopes = orders * hermite(order * orders - 1, ridge) / widths
        return float(slopes[0] * values[1] + slopes[1] * values[0])

    first = 1 / orders.max()
    bracket = (SMALLEST, first) if mismatch(first) < 0 else (first, 1.0)
    root = find_root(mismatch, *bracket, xtol=SMALLEST)
    return 2 * root / min(flat, sharp)


def hermite(order: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The Hermite function He_ν(x), the polynomial of the probabilists where ν is whole."""
    half = place**2 / 2
    even = rgamma((1 - order) / 2) * hyp1f1(-order / 2, 0.5, half)
    odd = np.sqrt(2) * place * rgamma(-order / 2) * hyp1f1((1 - order) / 2, 1.5, half)
    return 2 ** (order / 2) * SQRT_PI * (even - odd)
