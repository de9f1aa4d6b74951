"""On which side runs end, by when they cross the ridge for the last time: the density of
`master_equation`, with the chance of no further crossing carried back from the end.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from valleys.toy.exact.master_equation import (
    NEGLIGIBLE,
    Grid,
    History,
    Process,
    check_noise,
    forward,
    stay,
)
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings


def last_crossings(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    n_steps: int = 20_000,
    start_y: float = 5.0,
    noise: str = "hessian",
    accuracy: float = 1.0,
) -> xr.Dataset:
    """Probability that no crossing comes after a step and the run ends flat, or sharp.

    A run that crosses no more ends on the side on which it is. Start, noise, accuracy and steps as
    in `evolve`.

    Returns:
        Dim step, with time = learning_rate · step: `frozen_flat` and `frozen_sharp`, which rise
        from the runs that never cross to the final shares; they add up to `frozen` of `evolve`.

    Raises:
        ValueError: as `evolve` does.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.exact.last_crossing import last_crossings
        >>> found = last_crossings(TwoValley(), 0.1, 0.1, n_steps=1000)
        >>> float(found.frozen_flat[-1].round(2)), float(found.frozen_sharp[-1].round(2))
        (0.68, 0.32)
    """
    rates, strengths = [learning_rate], [noise_strength]
    check_settings(landscape, rates, strengths, start_y=start_y, n_steps=n_steps, noise=noise)
    check_noise(noise)
    process = Process(landscape, float(learning_rate), float(noise_strength), noise, accuracy)
    grid = process.grid(start_y, n_steps)
    history = forward(process, grid, n_steps, start_y)
    by_side = np.array(list(_backward(process, grid, history)))[::-1]
    times = {"step": history.steps, "time": ("step", learning_rate * history.steps)}
    sides = {"frozen_flat": by_side[:, 0], "frozen_sharp": by_side[:, 1]}
    return xr.Dataset({name: ("step", values) for name, values in sides.items()}, times)


def _backward(process: Process, grid: Grid, history: History) -> Iterator[tuple[float, float]]:
    """Probability to be flat, and to be sharp, and to cross no more, from the last border on."""
    stays = np.ones_like(grid.x)
    yield _by_side(history.densities[-1] * grid.weight, stays, grid.first_flat)
    for place in range(history.kernel_ys.size - 1, -1, -1):
        kernel, first, _ = process.kernel(grid, history.kernel_ys[place])
        length = int(history.steps[place + 1] - history.steps[place])
        visited = history.densities[place : place + 2].max(axis=0) * grid.weight > NEGLIGIBLE
        stays = stay(kernel, first, stays, grid.weight, grid.first_flat, visited, length)
        yield _by_side(history.densities[place] * grid.weight, stays, grid.first_flat)


def _by_side(at_nodes: np.ndarray, stays: np.ndarray, first_flat: int) -> tuple[float, float]:
    each = at_nodes * stays / at_nodes.sum()
    return float(each[first_flat:].sum()), float(each[:first_flat].sum())
