"""Runs of Eq. 13 over a ridge that rises and falls, by the plain step, with a count of how often
each run freezes.
"""

import numpy as np
import xarray as xr

from valleys.toy.landscapes.uneven import UnevenValley
from valleys.toy.simulation import reference
from valleys.toy.simulation.langevin import (
    START_X,
    Seed,
    check_settings,
    fraction_error,
    mean_and_error,
    streams,
)


def freezings(
    landscape: UnevenValley,
    learning_rate: float,
    noise_strength: float,
    n_runs: int = 1000,
    n_steps: int = 50_000,
    start_y: float = 1.0,
    seed: Seed = 0,
) -> xr.Dataset:
    """Where runs end and how often they freeze, each with its standard error, without dims.

    p_flat, the share of runs with x > 0 at the end; freezings, how often a run goes half a ripple,
    π/q, along y without a change of side, one way without a change counting once; freezing_y, y at
    the last change; end_y. Half the runs start on each side of the ridge, as in `phase_diagram`.
    Raises ValueError for any setting out of range.
    """
    settings = [learning_rate], [noise_strength]
    check_settings(landscape, *settings, n_runs=n_runs, n_steps=n_steps, start_y=start_y, seed=seed)
    rng = np.random.default_rng(streams(seed))
    x = np.where(np.arange(n_runs) % 2, START_X, -START_X)
    y, last_y, count = np.full(n_runs, start_y), np.full(n_runs, start_y), np.zeros(n_runs)
    half = np.pi / landscape.wave_number
    step = learning_rate, noise_strength, "hessian", rng
    for _ in range(n_steps):
        new_x, y = reference.step(landscape, x, y, *step)
        crossed = (new_x >= 0) != (x >= 0)
        count += crossed & (y - last_y > half)
        last_y, x = np.where(crossed, y, last_y), new_x
    return _told(x, y, last_y, count + (y - last_y > half))


def _told(x: np.ndarray, y: np.ndarray, last_y: np.ndarray, count: np.ndarray) -> xr.Dataset:
    n_flat, n_runs = int((x > 0).sum()), x.size
    values = {"p_flat": n_flat / n_runs, "p_flat_error": fraction_error(n_flat, n_runs)}
    for name, each in (("freezings", count), ("freezing_y", last_y), ("end_y", y)):
        values[name], values[f"{name}_error"] = mean_and_error(each)
    return xr.Dataset(values)
