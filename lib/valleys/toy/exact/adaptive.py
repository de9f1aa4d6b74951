"""The walk that divides by the size of its gradient, at fixed y: its transition operator."""

import numpy as np

from valleys.toy.exact.transition_operator import LARGEST_GRID, stationary_density
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings

REACH = 6.0  # of the grid beyond both bottoms, in standard deviations
N_ROUNDS = 60  # in which the mean square of a long memory settles


def p_flat_adaptive(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    *,
    pull: bool = False,
    points_per_kick: int = 8,
) -> float:
    """Stationary share of x > 0 of x₊ = x − η (∂x L + ξ)/√v with v = 2σ ∂²L/∂x² where x is: a
    memory that knows the valley at once.

    Args:
        landscape: the two valleys.
        learning_rate: η, the standard deviation of a step.
        noise_strength: σ.
        y: where, above 0.
        pull: whether v has the square of the slope in it, as the mean square of the gradient has.
        points_per_kick: points of the grid in a standard deviation of a step.

    Raises:
        ValueError: a setting out of range, or a grid out of reach.
    """
    check_settings(landscape, [learning_rate], [noise_strength], start_y=y)
    x = _grid(landscape, learning_rate, noise_strength, y, points_per_kick)
    slope = landscape.gradient(x, y)[:, 0]
    square = 2 * noise_strength * landscape.hessian(x, y)[:, 0, 0]
    size = np.sqrt(square + slope**2 * pull)
    mean, kick = x - learning_rate * slope / size, learning_rate * np.sqrt(square) / size
    operator = np.exp(-(((x[:, None] - mean) / kick) ** 2) / 2)
    operator /= operator.sum(axis=0)  # column: from x, row: to x'
    system = operator - np.eye(len(x))
    system[-1] = 1.0  # the last balance follows from the others
    weights = np.linalg.solve(system, np.eye(len(x))[-1])
    return float(weights[x > 0].sum())


def p_flat_remembered(
    landscape: TwoValley, learning_rate: float, noise_strength: float, y: float
) -> float:
    """The same for a memory that is long against every stay: v is then one number, the mean of
    2σ ∂²L/∂x² over both valleys, and the walk is Eq. 13 at η/√v.

    Raises:
        ValueError: a setting out of range.
    """
    curves = 2 / np.array(landscape.flatness(y))  # of the flat valley and of the sharp one
    share = 0.5
    for _ in range(N_ROUNDS):
        v = 2 * noise_strength * (share * curves[0] + (1 - share) * curves[1])
        found = stationary_density(landscape, learning_rate / np.sqrt(v), noise_strength, y)
        if abs(float(found.p_flat) - share) < 1e-9:
            break
        share = float(found.p_flat)
    return share


def _grid(
    landscape: TwoValley, learning_rate: float, noise_strength: float, y: float, per_kick: int
) -> np.ndarray:
    """Middles of cells with a border on the ridge, to well beyond both bottoms."""
    flat, sharp = (float(place) for place in landscape.valley_positions(y))
    stiff = 2 / np.array(landscape.flatness(y))
    pulls = learning_rate * np.sqrt(stiff / (2 * noise_strength))
    if pulls.max() >= 2:
        raise ValueError(
            f"learning rate {learning_rate:g} throws the walk out of its valley; lower it"
        )
    widths = learning_rate / np.sqrt(pulls * (2 - pulls))
    ends = -sharp + REACH * widths[1], flat + REACH * widths[0]
    spacing = learning_rate / per_kick
    below, above = (int(np.ceil(end / spacing)) for end in ends)
    if below + above > LARGEST_GRID:
        raise ValueError(
            f"the step is too small for a grid of {LARGEST_GRID} points; raise the "
            f"learning rate above {learning_rate:g}"
        )
    return spacing * (np.arange(-below, above) + 0.5)
