"""The discrete step at fixed y without simulation: its transition operator on a grid, exact at
any learning rate.
"""

import numpy as np
import xarray as xr

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.fixed_y import along_x
from valleys.toy.simulation.langevin import check_settings

LARGEST_GRID = 4000


def stationary_density(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    noise: str = "hessian",
    points_per_kick: int = 8,
    force: float = 0.0,
) -> xr.Dataset:
    """P(x|y) of x_{t+1} = x_t − η(∂x L − force + ξ): the fixed point of p(x') = ∫ N(x'; x − η(∂x L
    − force), η² Var ξ) p(x) dx.

    Dim x: density; p_flat: its integral over x > 0. The midpoint rule has `points_per_kick` points
    per standard deviation of one step and a cell border on the jump at x = 0; its error of p_flat
    is of order 1e-4. Raises ValueError for a setting out of range, or if the grid would need more
    than LARGEST_GRID points.

    Example:
        >>> from valleys.toy import TwoValley, stationary_density
        >>> found = stationary_density(TwoValley(), 0.05, 0.4, y=10.0)
        >>> float(found.p_flat.round(3))
        0.663
    """
    x, spacing, operator = _transition(
        landscape, learning_rate, noise_strength, y, noise, points_per_kick, force
    )
    weights = _stationary(operator)
    return xr.Dataset(
        {"density": ("x", weights / spacing), "p_flat": ((), weights[x > 0].sum())}, {"x": x}
    )


def _transition(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    noise: str,
    points_per_kick: int,
    force: float,
) -> tuple[np.ndarray, float, np.ndarray]:
    """Grid, its spacing, and the operator on it; ValueError for bad settings and for a grid out
    of reach.
    """
    check_settings(landscape, [learning_rate], [noise_strength], start_y=y, noise=noise)
    line = along_x(landscape, learning_rate, noise_strength, y, noise, 1, force)
    spacing = min(line.kicks) / points_per_kick
    n_sharp, n_flat = (int(np.ceil(abs(edge) / spacing)) for edge in line.edges)
    if n_sharp + n_flat > LARGEST_GRID:
        raise ValueError(
            f"the step is too small for a grid of {LARGEST_GRID} points; raise the "
            f"learning rate above {learning_rate:g}"
        )
    x = spacing * (np.arange(-n_sharp, n_flat) + 0.5)
    side = (x > 0).astype(int)
    mean = x - learning_rate * np.take(line.curves, side) * (x - np.take(line.bottoms, side))
    # column: from x, row: to x'
    operator = np.exp(-(((x[:, None] - mean) / np.take(line.kicks, side)) ** 2) / 2)
    return x, spacing, operator / operator.sum(axis=0)


def _stationary(operator: np.ndarray) -> np.ndarray:
    system = operator - np.eye(len(operator))
    system[-1] = 1.0  # the last balance follows from the others; normalisation takes its place
    return np.linalg.solve(system, np.eye(len(operator))[-1])
