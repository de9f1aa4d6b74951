"""Schedules held against each other on the same starts, with intervals over starts and runs."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.statistics import ENDS, Estimate

FACTORS = {  # what is compared as a factor: the variable, and whether at a level
    "flat": ("level_flatness", True),
    "end_flat": ("end_flatness", False),
    "end_loss": ("end_loss", False),
    "delay": ("freezing_time", False),
    "cost": ("samples", False),
    "way": ("time", False),
    "dose": ("dose", False),
}
POINTS = {"gain": ("level_accuracy", True), "end_gain": ("end_accuracy", False)}  # a difference
COUNTED = ("cost", "way", "dose")  # what a schedule costs: known, without an interval


def contrast(
    found: xr.Dataset, name: str, first: str, second: str, *, level: int = -1, seed: int = 0
) -> Estimate:
    """One schedule against another: starts are drawn for both at once, runs for each.

    Args:
        found: a grid of `noise_schedule` over start and schedule.
        name: of `FACTORS`, a ratio of geometric means, or of `POINTS`, a difference of means in
            percentage points.
        first: the schedule above.
        second: the one below.
        level: place of the loss at which flatness and accuracy are compared.
        seed: of the resamples.
    """
    variable, at_level = (FACTORS | POINTS)[name]
    values = found[variable].isel(level=level) if at_level else found[variable]
    values = 100 * values if name in POINTS else xr.ufuncs.log(values)
    above, below = (_rows(values.sel(schedule=schedule)) for schedule in (first, second))
    difference = statistics.nested_difference(above, below, np.random.default_rng(seed))
    return difference if name in POINTS else statistics.exponential(difference)


def contrasts(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Every schedule against the constant one.

    Args:
        found: a grid of `noise_schedule` over start and schedule.
        seed: of the resamples.

    Returns:
        Dimension schedule. Factors: `flat_0`, … at each level and `flat` at the lowest, `end_flat`
        and `end_loss` at the end of the schedule, `delay` of freezing, `cost` in samples, `way` in
        training time, `dose` of noise. Percentage points: `gain` in accuracy at the lowest level,
        `end_gain` at the end of the schedule. All but what it costs with `_low` and `_high`.
    """
    schedules, n_levels = found.schedule.values.tolist(), found.sizes["level"]
    wanted = {f"flat_{level}": ("flat", level) for level in range(n_levels)}
    wanted |= {name: (name, -1) for name in FACTORS | POINTS}
    parts = {}
    for told, (name, level) in wanted.items():
        every = [
            contrast(found, name, each, "constant", level=level, seed=seed) for each in schedules
        ]
        for end in ENDS[:1] if name in COUNTED else ENDS:
            parts[f"{told}{end}"] = ("schedule", [_end(each, end) for each in every])
    return xr.Dataset(parts, {"schedule": schedules}).assign_attrs(
        lowest=float(found.level[-1]), highest=float(found.level[0])
    )


def table(grids: Mapping[str, xr.Dataset], *, seed: int = 0) -> xr.Dataset:
    """What `contrasts` gives of several grids, along a dimension `budget`, without the constant
    schedule itself; NaN for a schedule that a grid does not have.

    Args:
        grids: by what the schedules have alike.
        seed: of the resamples.
    """
    parts = [contrasts(grid, seed=seed) for grid in grids.values()]
    every = {name: None for part in parts for name in part.schedule.values[1:].tolist()}
    same = [part.reindex(schedule=list(every)) for part in parts]
    return xr.concat(same, "budget", combine_attrs="override").assign_coords(budget=list(grids))


def in_tail(found: xr.Dataset) -> xr.DataArray:
    """Share of the runs of each schedule that came to the lowest level after its end."""
    late = found.level_time.isel(level=-1) > found.time
    return late.mean(["start", "run"])


def _end(estimate: Estimate, end: str) -> float:
    return float(getattr(estimate, end.lstrip("_") or "value"))


def _rows(values: xr.DataArray) -> np.ndarray:
    """One number a run, (n_starts, n_runs)."""
    return values.transpose("start", "run").values
