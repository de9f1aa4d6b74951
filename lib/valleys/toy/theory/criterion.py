"""The paper's criterion of freezing with a constant speed, k⁻ = εΦ/Δ_S (Eqs. A32 to A34), for any
escape rates.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import (
    escape_times_exact,
    positive,
    rates_asymptotic,
    rates_kramers,
)
from valleys.toy.theory.freezing import EPSILON, find_root, freezing_constant

HIGHEST_Z = 20.0  # root of the ridge over the noise, beyond which no rate is looked for
PEAK_Z = 0.5**0.5  # where Eq. A25 is largest: below, it is no rate of escape


def _exact(landscape: TwoValley, y: float, noise: float) -> float:
    return 1 / float(escape_times_exact(landscape, y, noise)[1])


RATES: dict[str, Callable[[TwoValley, float, float], float]] = {
    "exact": _exact,
    "kramers": lambda *place: float(rates_kramers(*place)[1]),
    "asymptotic": lambda *place: float(rates_asymptotic(*place)[1]),
}


def frozen_rate(
    landscape: TwoValley, effective_noise: ArrayLike, epsilon: float = EPSILON
) -> np.ndarray:
    """εΦ/Δ_S, the rate k⁻ out of the sharp valley at which the walk counts as frozen (Eq. A32 with
    k⁺/(k⁺ + k⁻) taken as one, and the constant Φ of Eq. A33).
    """
    return epsilon * freezing_constant(landscape) / positive(effective_noise, "effective noise")


def place_of_height(landscape: TwoValley, effective_noise: float, z: ArrayLike) -> np.ndarray:
    """The y at which √(ΔL f2/(2Δ_S)) of the sharp valley is z: y_b s/(x2 − s), s = z√(2Δ_S).

    Raises:
        ValueError: the ridge never stands so high over the noise.
    """
    reach = np.asarray(z, dtype=float) * np.sqrt(2 * positive(effective_noise, "effective noise"))
    if not np.all((reach > 0) & (reach < landscape.x2)):
        raise ValueError(
            f"the effective noise {effective_noise:g} is too strong for a ridge of z = "
            f"{np.max(z):g}; give a weaker one"
        )
    return landscape.y_b * reach / (landscape.x2 - reach)


def freezing_y_by_rate(
    landscape: TwoValley,
    effective_noise: ArrayLike,
    epsilon: float = EPSILON,
    rates: str = "exact",
) -> np.ndarray:
    """The y at which k⁻ falls to εΦ/Δ_S: with exact rates or those of Eq. 21 ("kramers"), Eq. A32;
    with those of Eq. A25 ("asymptotic"), Eq. A34.

    0 where k⁻ is never so high, ∞ where it never falls so low. Raises ValueError for rates that are
    not in RATES.
    """
    if rates not in RATES:
        raise ValueError(f"unknown rates {rates!r}; choose one of {', '.join(RATES)}")

    def root(noise: float) -> float:
        level = np.log(frozen_rate(landscape, noise, epsilon))
        low = float(place_of_height(landscape, noise, PEAK_Z))
        highest = min(HIGHEST_Z, 0.999 * landscape.x2 / np.sqrt(2 * noise))
        high = float(place_of_height(landscape, noise, highest))

        def excess(y: float) -> float:
            return np.log(RATES[rates](landscape, y, noise)) - level

        if excess(low) < 0:
            return 0.0
        return find_root(excess, low, high) if excess(high) < 0 else np.inf

    return np.vectorize(root, otypes=[float])(positive(effective_noise, "effective noise"))
