"""Runs one by one: on which side each ends, and when it crosses the ridge for the last time."""

import numpy as np
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.exact.last_crossing import last_crossings as exactly
from valleys.toy.experiments.cells import gridded, parts_on
from valleys.toy.experiments.specs import FreezingSpec, MasterHistorySpec
from valleys.toy.simulation.kernels import ALIVE, LAST_CROSSING, X
from valleys.toy.simulation.langevin import TwoValleyWalk, histories, in_threads


def last_crossings(spec: FreezingSpec) -> xr.Dataset:
    """Runs of Eq. 13 over (learning_rate, effective_noise, run).

    Returns:
        `last_crossing`, the last step at which x changed sign (1 if it never did), and `flat`, 1 if
        x > 0 at the end and 0 if not; NaN for runs that left the landscape.
    """
    return gridded(last_crossings_parts(spec), _grid(spec))


def last_crossings_parts(spec: FreezingSpec) -> list[Part]:
    """Each learning rate and noise."""

    def cell(rate: float, noise: float, stream: np.random.SeedSequence) -> xr.Dataset:
        walk = TwoValleyWalk(spec.landscape, rate, noise / rate, spec.start_y, spec.noise)
        n_steps = round(spec.duration / rate)
        ends = histories(walk, spec.n_runs, n_steps, n_steps, stream)[-1]
        known = ends[ALIVE] > 0
        of_runs = {"last_crossing": ends[LAST_CROSSING], "flat": ends[X] > 0}
        return xr.Dataset(
            {name: ("run", np.where(known, values, np.nan)) for name, values in of_runs.items()}
        )

    return parts_on(_grid(spec), cell, spec.seed, by_rate=True)


def last_crossings_exact(spec: MasterHistorySpec) -> xr.Dataset:
    """The same without a random number, over (learning_rate, effective_noise, time): `frozen_flat`
    and `frozen_sharp` of `exact.last_crossing`, at n_records times spaced evenly on a logarithmic
    axis.
    """
    return gridded(last_crossings_exact_parts(spec), _grid(spec), in_threads)


def last_crossings_exact_parts(spec: MasterHistorySpec) -> list[Part]:
    """Each learning rate and noise."""
    times = np.geomspace(max(spec.learning_rates), spec.duration, spec.n_records)
    settings = spec.values_of("start_y", "noise")

    def cell(rate: float, noise: float, _: np.random.SeedSequence) -> xr.Dataset:
        n_steps = round(spec.duration / rate)
        found = exactly(spec.landscape, rate, noise / rate, n_steps, **settings)
        in_time = found.swap_dims(step="time").drop_vars("step")
        return in_time.interp(time=times, kwargs={"fill_value": "extrapolate"})

    return parts_on(_grid(spec), cell, 0, by_rate=True)


def _grid(spec: FreezingSpec | MasterHistorySpec) -> dict[str, tuple[float, ...]]:
    return {"learning_rate": spec.learning_rates, "effective_noise": spec.effective_noises}


PARTS = {last_crossings: last_crossings_parts, last_crossings_exact: last_crossings_exact_parts}
