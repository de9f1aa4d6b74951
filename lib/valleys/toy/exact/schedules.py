"""Eq. 13 with a noise strength that follows a schedule, without sampling: the density of
`master_equation`, carried on from block to block of steps.
"""

import numpy as np
import xarray as xr

from valleys.results.spec import require
from valleys.toy.exact.master_equation import (
    Grid,
    Process,
    carry,
    check_noise,
)
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import START_X, check_settings
from valleys.toy.simulation.schedules import Blocks

NAMES = ("p_flat", "mean_y", "mass")


def evolve_schedule(
    landscape: TwoValley,
    learning_rate: float,
    blocks: Blocks,
    start_y: float = 1.0,
    noise: str = "hessian",
    accuracy: float = 1.0,
) -> xr.Dataset:
    """P_flat along a schedule, from the start of `evolve`.

    Dim step, at the borders of the blocks, with time = learning_rate · step: p_flat, mean_y, and
    mass, which strays from 1 by the numerical error.

    Args:
        landscape: of two valleys.
        learning_rate: η.
        blocks: steps and noise strengths, all above 0: without noise no density has a width.
        start_y: of all runs.
        noise: as in `evolve`.
        accuracy: multiplies the resolution in x and in y.

    Raises:
        ValueError: a setting is out of range, or the weakest noise is too weak for the grid.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.exact.schedules import evolve_schedule
        >>> from valleys.toy.simulation.schedules import Blocks
        >>> run = evolve_schedule(TwoValley(), 0.1, Blocks((100, 100), (0.05, 0.1)), 5.0)
        >>> float(run.mass[-1].round(6))
        1.0
    """
    strengths = blocks.noise_strengths
    require(min(strengths) > 0, "the noise of a schedule must be above 0 to carry a density")
    total = sum(blocks.n_steps)
    check_settings(
        landscape, [learning_rate], strengths, start_y=start_y, n_steps=total, noise=noise
    )
    check_noise(noise)

    def process(strength: float, finer: float = 1.0) -> Process:
        return Process(landscape, float(learning_rate), strength, noise, accuracy * finer)

    finer = float(np.sqrt(max(strengths) / min(strengths)))
    grid = process(max(strengths), finer).grid(start_y, total)  # reach of one, mesh of the other
    rows = _carried([process(each) for each in strengths], grid, blocks, start_y)
    values = {name: ("step", each) for name, each in zip(NAMES, rows.T, strict=True)}
    steps = blocks.borders
    return xr.Dataset(values, {"step": steps, "time": ("step", learning_rate * steps)})


def _carried(processes: list[Process], grid: Grid, blocks: Blocks, start_y: float) -> np.ndarray:
    """P_flat, mean y and mass at each border, (n_borders, 3)."""
    mean, kick, along_y = processes[0].moments(np.array([-START_X, START_X]), start_y)
    gaussians = np.exp(-(((grid.x[:, None] - mean) / kick) ** 2) / 2)
    density, y = gaussians @ (1 / kick) / np.sqrt(8 * np.pi), start_y + float(along_y.mean())
    step, last, speed = 1, int(blocks.borders[-1]), float(along_y.mean())
    rows = [(0.5, start_y, 1.0)]
    for process, border in zip(processes, blocks.borders[1:], strict=True):
        while step < border:
            length = min(process.stretch(step, y, speed, max(last, step + 20)), int(border) - step)
            kernel, first, along_y = process.kernel(grid, y + speed * length / 2)
            density, way = carry(kernel, first, density, grid.weight, along_y, length)
            step, y, speed = step + length, y + way, way / length
        at_nodes = density * grid.weight
        rows.append((at_nodes[grid.first_flat :].sum() / at_nodes.sum(), y, at_nodes.sum()))
    return np.array(rows)
