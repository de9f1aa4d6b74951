"""The studies of the two-valley chapters: each a function of one spec that returns a dataset."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from valleys.toy.exact import master_equation
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.experiments.specs import (
    ContrastSpec,
    EvolutionSpec,
    FreezingSpec,
    FrozenSpec,
    MasterHistorySpec,
    MasterMapSpec,
    PhaseDiagramSpec,
    ResponseSpec,
    TrajectoriesSpec,
)
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import langevin
from valleys.toy.simulation.fixed_y import frozen_y
from valleys.toy.simulation.langevin import in_threads


def phase_diagram(spec: PhaseDiagramSpec) -> xr.Dataset:
    """P_flat, freezing time [steps] and freezing y over (learning_rate, noise_strength); see `langevin.phase_diagram`.

    Adds time_to_freeze = learning_rate · freezing_time with its error, and the coordinate effective_noise = learning_rate · noise_strength.
    """
    runs = {"n_runs": spec.n_runs, "n_steps": spec.n_steps, "start_y": spec.start_y, "noise": spec.noise, "seed": spec.seed}
    return _with_times(langevin.phase_diagram(spec.landscape, spec.learning_rates, spec.noise_strengths, **runs))


def freezing(spec: FreezingSpec) -> xr.Dataset:
    """The same quantities over (learning_rate, effective_noise), for runs of the same duration in time."""
    rows = []
    for rate, seed in zip(spec.learning_rates, np.random.SeedSequence(spec.seed).spawn(len(spec.learning_rates)), strict=True):
        strengths = [noise / rate for noise in spec.effective_noises]
        runs = {"n_runs": spec.n_runs, "n_steps": round(spec.duration / rate), "start_y": spec.start_y, "noise": spec.noise, "seed": seed}
        row = _with_times(langevin.phase_diagram(spec.landscape, [rate], strengths, **runs))
        rows.append(row.drop_vars("effective_noise").rename(noise_strength="effective_noise").assign_coords(effective_noise=list(spec.effective_noises)))
    return xr.concat(rows, dim="learning_rate")


def evolution(spec: EvolutionSpec) -> xr.Dataset:
    """P_flat and mean y over (noise_strength, step); see `langevin.flat_probability`."""
    return _for_each_noise(langevin.flat_probability, spec)


def trajectories(spec: TrajectoriesSpec) -> xr.Dataset:
    """x, y and loss over (noise_strength, run, step); see `langevin.trajectories`."""
    return _for_each_noise(langevin.trajectories, spec)


def frozen(spec: FrozenSpec) -> xr.Dataset:
    """Occupation, density and rates at fixed y over (learning_rate, effective_noise, y); see `fixed_y.frozen_y`."""

    def one(learning_rate: float, effective_noise: float, y: float, seed: np.random.SeedSequence) -> xr.Dataset:
        steps = {"n_steps": round(spec.duration / learning_rate), "burn_in": round(spec.burn_in / learning_rate)}
        size = {"n_runs": spec.n_runs, "n_bins": spec.n_bins, "noise": spec.noise, "seed": seed}
        return frozen_y(spec.landscape, learning_rate, effective_noise / learning_rate, y, **steps, **size)

    return _over_grid(one, spec)


def operator(spec: FrozenSpec) -> xr.Dataset:
    """p_flat of the discrete step at fixed y, from its transition operator, over (learning_rate, effective_noise, y)."""

    def one(learning_rate: float, effective_noise: float, y: float, seed: np.random.SeedSequence) -> xr.Dataset:
        return stationary_density(spec.landscape, learning_rate, effective_noise / learning_rate, y, spec.noise)[["p_flat"]]

    return _over_grid(one, spec)


def master_map(spec: MasterMapSpec) -> xr.Dataset:
    """The map of `phase_diagram` without sampling; see `master_equation.phase_diagram`."""
    settings = {"n_steps": spec.n_steps, "start_y": spec.start_y, "noise": spec.noise}
    return _with_times(master_equation.phase_diagram(spec.landscape, spec.learning_rates, spec.noise_strengths, **settings))


def master_histories(spec: MasterHistorySpec) -> xr.Dataset:
    """`master_equation.evolve` over (learning_rate, effective_noise), at n_records times spaced evenly on a logarithmic axis."""
    times = np.geomspace(max(spec.learning_rates), spec.duration, spec.n_records)

    def one(cell: tuple[float, float]) -> xr.Dataset:
        rate, noise = cell
        run = master_equation.evolve(spec.landscape, rate, noise / rate, round(spec.duration / rate), spec.start_y, spec.noise)
        run = run.drop_dims("x").assign(to_flat=run.to_flat / rate, to_sharp=run.to_sharp / rate)
        return run.swap_dims(step="time").drop_vars("step").interp(time=times, kwargs={"fill_value": "extrapolate"})

    points = list(product(spec.learning_rates, spec.effective_noises))
    return _gridded(in_threads(one, points), points, {"learning_rate": spec.learning_rates, "effective_noise": spec.effective_noises})


def contrast(spec: ContrastSpec) -> xr.Dataset:
    """P_flat and freezing over flatness_ratio, at one learning rate and noise strength; see `langevin.phase_diagram`."""
    runs = {"n_runs": spec.n_runs, "n_steps": spec.n_steps, "start_y": spec.start_y, "noise": spec.noise}
    seeds = np.random.SeedSequence(spec.seed).spawn(len(spec.flatness_ratios))
    landscapes = [with_contrast(spec.landscape, ratio) for ratio in spec.flatness_ratios]
    cells = [langevin.phase_diagram(one, [spec.learning_rate], [spec.noise_strength], seed=seed, **runs) for one, seed in zip(landscapes, seeds, strict=True)]
    return _with_times(xr.concat(cells, dim=xr.Variable("flatness_ratio", list(spec.flatness_ratios)))).squeeze(["learning_rate", "noise_strength"])


def contrast_exact(spec: ContrastSpec) -> xr.Dataset:
    """p_flat over flatness_ratio at the end of the same runs, from the master equation; runs and seed of the spec do not matter."""

    def end(flatness_ratio: float) -> float:
        landscape = with_contrast(spec.landscape, flatness_ratio)
        return float(master_equation.evolve(landscape, spec.learning_rate, spec.noise_strength, spec.n_steps, spec.start_y, spec.noise).p_flat[-1])

    return xr.Dataset({"p_flat": ("flatness_ratio", in_threads(end, spec.flatness_ratios))}, {"flatness_ratio": list(spec.flatness_ratios)})


def with_contrast(landscape: TwoValley, flatness_ratio: float) -> TwoValley:
    """The landscape with x1 = √γ x2 and all else unchanged; Fig. 6C varies γ this way."""
    return replace(landscape, x1=landscape.x2 * max(flatness_ratio, 1.0) ** 0.5)


def response(spec: ResponseSpec) -> xr.Dataset:
    """Fluctuation against response over y: variance_x, and susceptibility d⟨x⟩/d force, (⟨x⟩ pushed right − ⟨x⟩ pushed left)/(2 force), over force.

    The same of the steps on one side of the ridge, over valley: valley_variance and valley_susceptibility. Their ratios are temperature (force, y)
    and valley_temperature (force, valley, y). Each with its error; runs with different forces are independent.
    operator_temperature (force, y) is the same ratio from the transition operator of the step, without a random number.
    """
    pushes = sorted({0.0, *spec.forces, *(-force for force in spec.forces)})
    steps = {"n_steps": round(spec.duration / spec.learning_rate), "burn_in": round(spec.burn_in / spec.learning_rate)}
    settings = {"n_runs": spec.n_runs, "noise": spec.noise} | steps
    points = list(product(pushes, spec.ys))
    seeds = np.random.SeedSequence(spec.seed).spawn(len(points))
    strength = spec.effective_noise / spec.learning_rate
    setting = (spec.landscape, spec.learning_rate, strength)
    parts = [frozen_y(*setting, y, force=push, seed=seed, **settings) for (push, y), seed in zip(points, seeds, strict=True)]
    runs = xr.concat([part.drop_dims("bin") for part in parts], dim="point")
    index = pd.MultiIndex.from_tuples(points, names=["force", "y"])
    found = _fluctuation_and_response(runs.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "point")).unstack("point"), list(spec.forces))
    solved = [[_operator_temperature(spec, force, y) for y in spec.ys] for force in spec.forces]
    return found.assign(operator_temperature=(("force", "y"), solved))


def _operator_temperature(spec: ResponseSpec, force: float, y: float) -> float:
    """Var x at rest over (⟨x⟩ pushed right − ⟨x⟩ pushed left)/(2 force), of the stationary densities of the step."""
    setting = (spec.landscape, spec.learning_rate, spec.effective_noise / spec.learning_rate, y, spec.noise)
    densities = [stationary_density(*setting, force=push).density for push in (0.0, -force, force)]
    rest, left, right = (density / density.sum() for density in densities)
    mean = float((rest * rest.x).sum())
    variance = float((rest * (rest.x - mean) ** 2).sum())
    return variance * 2 * force / float((right * right.x).sum() - (left * left.x).sum())


def _fluctuation_and_response(runs: xr.Dataset, forces: list[float]) -> xr.Dataset:
    """Differences of the pushed runs, and their ratio with the variance at rest; `runs` has dims (force, y, valley)."""
    rest, forwards = runs.sel(force=0.0, drop=True), runs.sel(force=forces)
    backwards = runs.sel(force=[-force for force in forces]).assign_coords(force=forces)
    found = rest[["p_flat", "p_flat_error", "variance_x", "variance_x_error", "valley_variance", "valley_variance_error"]]
    for mean, variance, prefix in (("mean_x", "variance_x", ""), ("valley_mean", "valley_variance", "valley_")):
        slope = (forwards[mean] - backwards[mean]) / (2 * forwards.force)
        error = np.hypot(forwards[f"{mean}_error"], backwards[f"{mean}_error"]) / (2 * forwards.force)
        ratio = rest[variance] / slope
        spread = abs(ratio) * np.hypot(rest[f"{variance}_error"] / rest[variance], error / slope)
        names = {"susceptibility": slope, "susceptibility_error": error, "temperature": ratio, "temperature_error": spread}
        found = found.assign({f"{prefix}{name}": value for name, value in names.items()})
    return found.transpose("force", "valley", "y")


def _with_times(cells: xr.Dataset) -> xr.Dataset:
    ends = ("", "_error", "_spread")
    times = {f"time_to_freeze{end}": cells.learning_rate * cells[f"freezing_time{end}"] for end in ends if f"freezing_time{end}" in cells}
    return cells.assign(times).assign_coords(effective_noise=cells.learning_rate * cells.noise_strength)


def _for_each_noise(simulate: Callable, spec: EvolutionSpec | TrajectoriesSpec) -> xr.Dataset:
    """The simulation for every noise strength, each with a stream of its own."""
    settings = {name: getattr(spec, name) for name in ("n_runs", "n_steps", "start_y", "record_every", "noise")}
    seeds = np.random.SeedSequence(spec.seed).spawn(len(spec.noise_strengths))
    cells = zip(spec.noise_strengths, seeds, strict=True)
    parts = [simulate(spec.landscape, spec.learning_rate, strength, seed=seed, **settings) for strength, seed in cells]
    return xr.concat(parts, dim=xr.Variable("noise_strength", list(spec.noise_strengths)))


def _over_grid(one: Callable, spec: FrozenSpec) -> xr.Dataset:
    """The results of `one` on the grid of a spec, in its order, with the streams handed out in the order of the grid."""
    grid = {"learning_rate": spec.learning_rates, "effective_noise": spec.effective_noises, "y": spec.ys}
    points = list(product(*grid.values()))
    seeds = np.random.SeedSequence(spec.seed).spawn(len(points))
    return _gridded([one(*point, seed) for point, seed in zip(points, seeds, strict=True)], points, grid)


def _gridded(parts: list[xr.Dataset], points: list[tuple[float, ...]], grid: dict[str, tuple[float, ...]]) -> xr.Dataset:
    """One dataset a point, put together along the dimensions of the grid."""
    joined = xr.concat(parts, dim="point")
    index = pd.MultiIndex.from_tuples(points, names=list(grid))
    unstacked = joined.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "point")).unstack("point")
    return unstacked.reindex({name: list(values) for name, values in grid.items()}).transpose(*grid, ...)
