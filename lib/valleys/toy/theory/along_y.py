"""The paper's stationary density along y (Eq. A13), and why no run comes to it.

Without flux its logarithm has the slope −(⟨∂y L⟩ + d⟨D22⟩/dy)/⟨D22⟩, with averages over x at y. Far
out that is y/(2Δ_S): the density would grow like e^{y²/(4Δ_S)}, and has no norm.
"""

import numpy as np
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import conditional_density, open_y

N_NODES = 200  # of the quadrature over x on each side of the ridge
REACH = 8.0  # standard deviations beyond a bottom at which the density is taken as zero
STEP = 1e-4  # of y, relative, for the slope of ⟨D22⟩


def averages(
    landscape: TwoValley, y: ArrayLike, effective_noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """⟨∂y L⟩ and ⟨D22⟩ = Δ_S ⟨∂y² L⟩ over P(x|y) of Eq. 18, each of the shape of y (Eq. A13)."""
    y = open_y(y)[..., None]
    x, weight = _nodes(landscape, y, effective_noise)
    weight = weight * conditional_density(landscape, x, y, effective_noise)
    slope = (weight * landscape.gradient(x, y)[..., 1]).sum(axis=-1)
    return slope, effective_noise * (weight * landscape.hessian(x, y)[..., 1, 1]).sum(axis=-1)


def marginal_slope(landscape: TwoValley, y: ArrayLike, effective_noise: float) -> np.ndarray:
    """d ln P/dy of the solution of Eq. A13 without flux, at y > 0.

    Example:
        >>> from valleys.toy.landscapes.two_valley import TwoValley
        >>> from valleys.toy.theory.along_y import marginal_slope
        >>> bool(marginal_slope(TwoValley(), 50.0, 0.003) > 0)
        True
    """
    y = np.asarray(y, dtype=float)
    slope, diffusion = averages(landscape, y, effective_noise)
    before, after = (
        averages(landscape, y * (1 + sign * STEP), effective_noise)[1] for sign in (-1, 1)
    )
    return -(slope + (after - before) / (2 * STEP * y)) / diffusion


def _nodes(
    landscape: TwoValley, y: np.ndarray, effective_noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights of Gauss-Legendre quadrature on both sides of the ridge, on the last
    axis.
    """
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    ends = [
        bottom + sign * REACH * np.sqrt(effective_noise)
        for bottom, sign in zip(landscape.valley_positions(y), (1, -1), strict=True)
    ]
    x = np.concatenate([end * (1 + nodes) / 2 for end in ends], axis=-1)
    return x, np.concatenate([abs(end) * weights / 2 for end in ends], axis=-1)
