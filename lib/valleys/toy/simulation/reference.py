"""The step of Eqs. 13-15 in plain NumPy: to read beside the compiled kernel, to test against,
and the yardstick of its speed.
"""

import numpy as np
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.kernels import JITTER


def covariance(
    landscape: TwoValley, x: ArrayLike, y: ArrayLike, noise_strength: float, noise: str = "hessian"
) -> np.ndarray:
    """Covariance Σ of the gradient noise ξ (Eqs. 14 and 15), shape (..., 2, 2); the kinds of
    noise are those of `phase_diagram`.
    """
    hessian = landscape.hessian(x, y)
    if noise == "hessian":
        spread = _positive_part(hessian)
    elif noise == "hessian_squared":
        spread = hessian @ hessian
    else:
        flat, sharp = landscape.flatness(y)
        temperature, _ = np.broadcast_arrays(2 / np.sqrt(flat * sharp), hessian[..., 0, 0])
        spread = temperature[..., None, None] * np.eye(2)
    return 2 * noise_strength * spread + JITTER * np.eye(2)


def step(
    landscape: TwoValley,
    x: np.ndarray,
    y: np.ndarray,
    learning_rate: float,
    noise_strength: float,
    noise: str,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """θ − η(∇L + ξ) for every run (Eq. 13); x and y of shape (n_runs,)."""
    gradient = landscape.gradient(x, y)
    spread = covariance(landscape, x, y, noise_strength, noise)
    first, second = generator.standard_normal((2, *x.shape))
    along_x = np.sqrt(spread[:, 0, 0])
    coupling = spread[:, 0, 1] / along_x
    along_y = np.sqrt(np.maximum(spread[:, 1, 1] - coupling**2, 0))
    new_x = x - learning_rate * (gradient[:, 0] + along_x * first)
    new_y = y - learning_rate * (gradient[:, 1] + coupling * first + along_y * second)
    return new_x, new_y


def _positive_part(hessian: np.ndarray) -> np.ndarray:
    """H₊ with the negative eigenvalue, if any, set to 0; the larger one is positive everywhere
    in this landscape.
    """
    half_trace = (hessian[..., 0, 0] + hessian[..., 1, 1]) / 2
    half_gap = np.hypot((hessian[..., 0, 0] - hessian[..., 1, 1]) / 2, hessian[..., 0, 1])
    largest, smallest = half_trace + half_gap, np.minimum(half_trace - half_gap, 0)
    scale = largest / (largest - smallest)
    return scale[..., None, None] * (hessian - smallest[..., None, None] * np.eye(2))
