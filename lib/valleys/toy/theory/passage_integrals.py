"""The two integrals into which the paper splits the mean time to the ridge (Eqs. A22 and A23).

With losses counted from the ridge, (L − L0)/D, so that nothing leaves the range of a float64; the
factors e^{∓L0/D} of the printed forms cancel in their product.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import dawsn

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import SQRT_PI, Pair, diffusion, reduced_barriers


def inner_integrals(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> Pair:
    """∫ e^{(L0 − L)/D} dx over the whole parabola of the (flat, sharp) valley, √(πDf) e^{z²}
    (Eq. A22).

    Example:
        >>> from valleys.toy.landscapes.two_valley import TwoValley
        >>> from valleys.toy.theory.passage_integrals import inner_integrals
        >>> flat, sharp = inner_integrals(TwoValley(), 20.0, 0.02)
        >>> float(flat.round(2)), float(sharp.round(2))
        (4.59, 1.92)
    """
    width = _width(landscape, y, effective_noise)
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    return SQRT_PI * width * np.exp(flat_z**2), SQRT_PI * width * np.exp(sharp_z**2)


def outer_integrals(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> Pair:
    """∫ e^{(L − L0)/D} dx from the bottom of the (flat, sharp) valley to the ridge,
    √(πDf)/2 e^{−z²} erfi z = √(Df) dawsn z (Eq. A23).
    """
    width = _width(landscape, y, effective_noise)
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    return width * dawsn(flat_z), width * dawsn(sharp_z)


def _width(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """√(Df), which is √(2Δ_S) in both valleys."""
    flat_diffusion, _ = diffusion(landscape, y, effective_noise)
    return np.sqrt(flat_diffusion * landscape.flatness(y)[0])
