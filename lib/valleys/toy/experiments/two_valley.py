"""The studies of the two-valley chapters: each a function of one spec that returns a dataset."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.exact import master_equation
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.experiments.cells import gridded, parts_on
from valleys.toy.experiments.specs import (
    ContrastSpec,
    EvolutionSpec,
    FreezingSpec,
    FrozenSpec,
    MasterHistorySpec,
    MasterMapSpec,
    PhaseDiagramSpec,
    RecordedSpec,
    ResponseSpec,
    TrajectoriesSpec,
)
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import langevin
from valleys.toy.simulation.fixed_y import frozen_y
from valleys.toy.simulation.langevin import in_threads


def phase_diagram(spec: PhaseDiagramSpec) -> xr.Dataset:
    """P_flat, freezing time [steps] and freezing y over (learning_rate, noise_strength); see
    `langevin.phase_diagram`.

    Adds time_to_freeze = learning_rate · freezing_time with its error, and the coordinate
    effective_noise = learning_rate · noise_strength.
    """
    runs = spec.values_of("n_runs", "n_steps", "start_y", "noise", "seed")
    return _with_times(
        langevin.phase_diagram(spec.landscape, spec.learning_rates, spec.noise_strengths, **runs)
    )


def phase_diagram_parts(spec: PhaseDiagramSpec) -> list[Part]:
    """Each cell of the map."""
    grid = {"learning_rate": spec.learning_rates, "noise_strength": spec.noise_strengths}
    return parts_on(grid, partial(_map_cell, spec, spec.n_steps), spec.seed)


def _map_cell(
    spec: PhaseDiagramSpec | FreezingSpec,
    n_steps: int,
    rate: float,
    strength: float,
    stream: np.random.SeedSequence,
) -> xr.Dataset:
    return _with_times(
        langevin.map_cell(
            spec.landscape, rate, strength, stream, spec.n_runs, n_steps, spec.start_y, spec.noise
        )
    )


def freezing(spec: FreezingSpec) -> xr.Dataset:
    """The same quantities over (learning_rate, effective_noise), for runs of the same duration
    in time.
    """
    seeds = langevin.streams(spec.seed).spawn(len(spec.learning_rates))
    rows = [_freezing_row(spec, *each) for each in zip(spec.learning_rates, seeds, strict=True)]
    return xr.concat(rows, dim="learning_rate")


def _freezing_row(spec: FreezingSpec, rate: float, seed: np.random.SeedSequence) -> xr.Dataset:
    """All noises at one learning rate."""
    strengths = [noise / rate for noise in spec.effective_noises]
    runs = spec.values_of("n_runs", "start_y", "noise")
    n_steps = round(spec.duration / rate)
    row = langevin.phase_diagram(
        spec.landscape, [rate], strengths, n_steps=n_steps, seed=seed, **runs
    )
    return (
        _with_times(row)
        .drop_vars("effective_noise")
        .rename(noise_strength="effective_noise")
        .assign_coords(effective_noise=list(spec.effective_noises))
    )


def freezing_parts(spec: FreezingSpec) -> list[Part]:
    """Each learning rate and noise; a learning rate has a stream of its own, from which those of
    its noises come.
    """

    def one(rate: float, noise: float, stream: np.random.SeedSequence) -> xr.Dataset:
        return _map_cell(spec, round(spec.duration / rate), rate, noise / rate, stream)

    grids = [
        {"learning_rate": [rate], "effective_noise": spec.effective_noises}
        for rate in spec.learning_rates
    ]
    rows = zip(grids, langevin.streams(spec.seed).spawn(len(grids)), strict=True)
    return [part for grid, stream in rows for part in parts_on(grid, one, stream, by_rate=True)]


def evolution(spec: EvolutionSpec) -> xr.Dataset:
    """P_flat and mean y over (noise_strength, step); see `langevin.flat_probability`."""
    return _for_each_noise(evolution_parts(spec), spec)


def evolution_parts(spec: EvolutionSpec) -> list[Part]:
    """Each noise strength."""
    return _noise_parts(langevin.flat_probability, spec)


def trajectories(spec: TrajectoriesSpec) -> xr.Dataset:
    """x, y and loss over (noise_strength, run, step); see `langevin.trajectories`."""
    return _for_each_noise(trajectories_parts(spec), spec)


def trajectories_parts(spec: TrajectoriesSpec) -> list[Part]:
    """Each noise strength."""
    return _noise_parts(langevin.trajectories, spec)


def frozen(spec: FrozenSpec) -> xr.Dataset:
    """Occupation, density and rates at fixed y over (learning_rate, effective_noise, y); see
    `fixed_y.frozen_y`.
    """
    return gridded(frozen_parts(spec), _fixed_grid(spec))


def frozen_parts(spec: FrozenSpec) -> list[Part]:
    """Each learning rate, noise and y."""

    settings = spec.values_of("n_runs", "n_bins", "noise")

    def cell(rate: float, noise: float, y: float, seed: np.random.SeedSequence) -> xr.Dataset:
        steps = _steps_at_fixed_y(spec, rate)
        return frozen_y(spec.landscape, rate, noise / rate, y, seed=seed, **steps, **settings)

    return parts_on(_fixed_grid(spec), cell, spec.seed, by_rate=True)


def _steps_at_fixed_y(spec: FrozenSpec | ResponseSpec, rate: float) -> dict[str, Any]:
    """Durations in steps."""
    return {"n_steps": round(spec.duration / rate), "burn_in": round(spec.burn_in / rate)}


def operator(spec: FrozenSpec) -> xr.Dataset:
    """p_flat of the discrete step at fixed y, from its transition operator, over (learning_rate,
    effective_noise, y).
    """
    return gridded(operator_parts(spec), _fixed_grid(spec))


def operator_parts(spec: FrozenSpec) -> list[Part]:
    """Each learning rate, noise and y."""

    def cell(rate: float, noise: float, y: float, _: np.random.SeedSequence) -> xr.Dataset:
        found = stationary_density(spec.landscape, rate, noise / rate, y, spec.noise)
        return found[["p_flat"]]

    return parts_on(_fixed_grid(spec), cell, spec.seed)


def _fixed_grid(spec: FrozenSpec) -> dict[str, tuple[float, ...]]:
    return {
        "learning_rate": spec.learning_rates,
        "effective_noise": spec.effective_noises,
        "y": spec.ys,
    }


def master_map(spec: MasterMapSpec) -> xr.Dataset:
    """The map of `phase_diagram` without sampling; see `master_equation.phase_diagram`."""
    settings = spec.values_of("n_steps", "start_y", "noise")
    return _with_times(
        master_equation.phase_diagram(
            spec.landscape, spec.learning_rates, spec.noise_strengths, **settings
        )
    )


def master_map_parts(spec: MasterMapSpec) -> list[Part]:
    """Each cell of the map."""

    def cell(rate: float, strength: float, _: np.random.SeedSequence) -> xr.Dataset:
        return master_map(
            replace(spec, learning_rates=(rate,), noise_strengths=(strength,))
        ).squeeze(drop=True)

    return parts_on(
        {"learning_rate": spec.learning_rates, "noise_strength": spec.noise_strengths}, cell, 0
    )


def master_histories(spec: MasterHistorySpec) -> xr.Dataset:
    """`master_equation.evolve` over (learning_rate, effective_noise), at n_records times spaced
    evenly on a logarithmic axis.
    """
    return gridded(master_histories_parts(spec), _duration_grid(spec), in_threads)


def master_histories_parts(spec: MasterHistorySpec) -> list[Part]:
    """Each learning rate and noise."""
    times = np.geomspace(max(spec.learning_rates), spec.duration, spec.n_records)
    settings = spec.values_of("start_y", "noise")

    def history(rate: float, noise: float, _: np.random.SeedSequence) -> xr.Dataset:
        n_steps = round(spec.duration / rate)
        run = master_equation.evolve(spec.landscape, rate, noise / rate, n_steps, **settings)
        run = run.drop_dims("x").assign(to_flat=run.to_flat / rate, to_sharp=run.to_sharp / rate)
        in_time = run.swap_dims(step="time").drop_vars("step")
        return in_time.interp(time=times, kwargs={"fill_value": "extrapolate"})

    return parts_on(_duration_grid(spec), history, 0, by_rate=True)


def _duration_grid(spec: MasterHistorySpec) -> dict[str, tuple[float, ...]]:
    return {"learning_rate": spec.learning_rates, "effective_noise": spec.effective_noises}


def contrast(spec: ContrastSpec) -> xr.Dataset:
    """P_flat and freezing over flatness_ratio, at one learning rate and noise strength; see
    `langevin.phase_diagram`.
    """
    cells = [part.compute() for part in contrast_parts(spec)]
    return _with_times(
        xr.concat(cells, dim=xr.Variable("flatness_ratio", list(spec.flatness_ratios)))
    ).squeeze(["learning_rate", "noise_strength"])


def contrast_parts(spec: ContrastSpec) -> list[Part]:
    """Each flatness ratio."""
    runs = spec.values_of("n_runs", "n_steps", "start_y", "noise")
    place = [spec.learning_rate], [spec.noise_strength]

    def end(ratio: float, seed: np.random.SeedSequence) -> xr.Dataset:
        landscape = with_contrast(spec.landscape, ratio)
        return langevin.phase_diagram(landscape, *place, seed=seed, **runs)

    return parts_on({"flatness_ratio": spec.flatness_ratios}, end, spec.seed)


def contrast_exact(spec: ContrastSpec) -> xr.Dataset:
    """p_flat over flatness_ratio at the end of the same runs, from the master equation; runs and
    seed of the spec do not matter.
    """
    return gridded(contrast_exact_parts(spec), {"flatness_ratio": spec.flatness_ratios}, in_threads)


def contrast_exact_parts(spec: ContrastSpec) -> list[Part]:
    """Each flatness ratio."""

    settings = spec.values_of("learning_rate", "noise_strength", "n_steps", "start_y", "noise")

    def end(ratio: float, _: np.random.SeedSequence) -> xr.Dataset:
        run = master_equation.evolve(with_contrast(spec.landscape, ratio), **settings)
        return xr.Dataset({"p_flat": float(run.p_flat[-1])})

    return parts_on({"flatness_ratio": spec.flatness_ratios}, end, spec.seed)


def with_contrast(landscape: TwoValley, flatness_ratio: float) -> TwoValley:
    """The landscape with x1 = √γ x2 and all else unchanged; Fig. 6C varies γ this way."""
    return replace(landscape, x1=landscape.x2 * max(flatness_ratio, 1.0) ** 0.5)


def response(spec: ResponseSpec) -> xr.Dataset:
    """Fluctuation against response over y: variance_x, and susceptibility d⟨x⟩/d force, (⟨x⟩ pushed
    right − ⟨x⟩ pushed left)/(2 force), over force.

    The same of the steps on one side of the ridge, over valley: valley_variance and
    valley_susceptibility. Their ratios are temperature (force, y) and valley_temperature (force,
    valley, y). Each with its error; runs with different forces are independent.
    operator_temperature (force, y) is the same ratio from the transition operator of the step,
    without a random number.
    """
    found = _fluctuation_and_response(_pushed_runs(spec), list(spec.forces))
    solved = [[_operator_temperature(spec, force, y) for y in spec.ys] for force in spec.forces]
    return found.assign(operator_temperature=(("force", "y"), solved))


def _pushed_runs(spec: ResponseSpec) -> xr.Dataset:
    """Moments of x over (force, y, valley), at rest and pushed both ways."""
    pushes = sorted({0.0, *spec.forces, *(-force for force in spec.forces)})
    points = list(product(pushes, spec.ys))
    seeds = np.random.SeedSequence(spec.seed).spawn(len(points))
    settings = spec.values_of("n_runs", "noise") | _steps_at_fixed_y(spec, spec.learning_rate)
    place = (spec.landscape, spec.learning_rate, spec.effective_noise / spec.learning_rate)
    parts = [
        frozen_y(*place, y, force=push, seed=seed, **settings).drop_dims("bin")
        for (push, y), seed in zip(points, seeds, strict=True)
    ]
    index = pd.MultiIndex.from_tuples(points, names=["force", "y"])
    coordinates = xr.Coordinates.from_pandas_multiindex(index, "point")
    return xr.concat(parts, dim="point").assign_coords(coordinates).unstack("point")


def _operator_temperature(spec: ResponseSpec, force: float, y: float) -> float:
    """Var x at rest over (⟨x⟩ pushed right − ⟨x⟩ pushed left)/(2 force), of the stationary
    densities of the step.
    """
    strength = spec.effective_noise / spec.learning_rate
    place = (spec.landscape, spec.learning_rate, strength, y, spec.noise)
    densities = [stationary_density(*place, force=push).density for push in (0.0, -force, force)]
    rest, left, right = (density / density.sum() for density in densities)
    mean = float((rest * rest.x).sum())
    variance = float((rest * (rest.x - mean) ** 2).sum())
    return variance * 2 * force / float((right * right.x).sum() - (left * left.x).sum())


def _fluctuation_and_response(runs: xr.Dataset, forces: list[float]) -> xr.Dataset:
    """Differences of the pushed runs, and their ratio with the variance at rest; `runs` has dims
    (force, y, valley).
    """
    rest, forwards = runs.sel(force=0.0, drop=True), runs.sel(force=forces)
    backwards = runs.sel(force=[-force for force in forces]).assign_coords(force=forces)
    spreads = {"": ("mean_x", "variance_x"), "valley_": ("valley_mean", "valley_variance")}
    names = ["p_flat", *(variance for _, variance in spreads.values())]
    found = rest[[each for name in names for each in (name, f"{name}_error")]]
    for prefix, (mean, variance) in spreads.items():
        slope = (forwards[mean] - backwards[mean]) / (2 * forwards.force)
        errors = np.hypot(forwards[f"{mean}_error"], backwards[f"{mean}_error"])
        error = errors / (2 * forwards.force)
        ratio = rest[variance] / slope
        spread = abs(ratio) * np.hypot(rest[f"{variance}_error"] / rest[variance], error / slope)
        values = {
            "susceptibility": slope,
            "susceptibility_error": error,
            "temperature": ratio,
            "temperature_error": spread,
        }
        found = found.assign({f"{prefix}{name}": value for name, value in values.items()})
    return found.transpose("force", "valley", "y")


def _with_times(cells: xr.Dataset) -> xr.Dataset:
    ends = ("", "_error", "_spread")
    times = {
        f"time_to_freeze{end}": cells.learning_rate * cells[f"freezing_time{end}"]
        for end in ends
        if f"freezing_time{end}" in cells
    }
    return cells.assign(times).assign_coords(
        effective_noise=cells.learning_rate * cells.noise_strength
    )


def _for_each_noise(parts: list[Part], spec: RecordedSpec) -> xr.Dataset:
    return xr.concat(
        [part.compute() for part in parts],
        dim=xr.Variable("noise_strength", list(spec.noise_strengths)),
    )


def _noise_parts(simulate: Callable[..., xr.Dataset], spec: RecordedSpec) -> list[Part]:
    """The simulation for every noise strength, each with a stream of its own."""
    settings = spec.values_of("n_runs", "n_steps", "start_y", "record_every", "noise")

    def one(strength: float, seed: np.random.SeedSequence) -> xr.Dataset:
        return simulate(spec.landscape, spec.learning_rate, strength, seed=seed, **settings)

    return parts_on({"noise_strength": spec.noise_strengths}, one, spec.seed)


PARTS = {
    phase_diagram: phase_diagram_parts,
    freezing: freezing_parts,
    evolution: evolution_parts,
    trajectories: trajectories_parts,
    frozen: frozen_parts,
    operator: operator_parts,
    master_map: master_map_parts,
    master_histories: master_histories_parts,
    contrast: contrast_parts,
    contrast_exact: contrast_exact_parts,
}
