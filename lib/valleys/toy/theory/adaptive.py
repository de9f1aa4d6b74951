"""The effective potential of a walk that divides by the size of its gradient, at fixed y.

Adam and RMSprop divide each gradient by √v, with v the running mean of its square. In a valley of
curvature H the noise of Eq. 13 gives v ≈ 2σH, if the memory of v is long against a step and short
against a stay in a valley, and if the pull is small beside the noise, ΔL ≪ σ. Then the noise of a
step is η in both valleys, and the pull is L'/√(2σH): a Boltzmann weight exp(−U) with
U' = (2/η) L'/√(2σH), continuous at the ridge. Its height over a bottom is
E = 2ΔL/(η√(2σH)), so that E of the flat valley is √γ times that of the sharp one, and not γ times
as for plain stochastic gradient descent.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import positive


def exponents(
    landscape: TwoValley, y: ArrayLike, learning_rate: ArrayLike, noise_strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """E = 2ΔL/(η√(2σH)) of the flat valley and of the sharp one, H = 2/f.

    Args:
        landscape: the two valleys.
        y: where, above 0.
        learning_rate: η.
        noise_strength: σ.

    Raises:
        ValueError: a rate or strength that is not above 0.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.theory.adaptive import exponents
        >>> flat, sharp = exponents(TwoValley(), 10.0, 0.02, 1.0)
        >>> bool(abs(flat / sharp - TwoValley().flatness_ratio ** 0.5) < 1e-12)
        True
    """
    rate, strength = positive(learning_rate, "learning_rate"), positive(noise_strength, "noise")
    height = 2 * landscape.barrier(y) / rate
    first, second = (height * np.sqrt(f / (4 * strength)) for f in landscape.flatness(y))
    return first, second


def rate_of(
    landscape: TwoValley, y: float, exponent: ArrayLike, noise_strength: float
) -> np.ndarray:
    """η at which E of the sharp valley is so much."""
    return exponents(landscape, y, 1.0, noise_strength)[1] / positive(exponent, "exponent")


def log_odds(
    landscape: TwoValley, y: ArrayLike, learning_rate: ArrayLike, noise_strength: float
) -> np.ndarray:
    """ln P_flat/P_sharp for small steps: the weight of a valley is e^E √(2π/κ) Φ(√(2E)), with
    κ = 2E/x*², the curvature of U, and x* its bottom.
    """
    weights = []
    places = landscape.valley_positions(y)
    both = exponents(landscape, y, learning_rate, noise_strength)
    for height, place in zip(both, places, strict=True):
        width = np.log(np.abs(place)) - np.log(2 * height) / 2
        weights.append(height + width + np.log(ndtr(np.sqrt(2 * height))))
    return weights[0] - weights[1]
