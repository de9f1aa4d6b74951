"""The studies of the chapters: each a spec that refuses bad values, and a function of that spec that returns a dataset."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from valleys.toy import langevin, master_equation
from valleys.toy.discrete import stationary_density
from valleys.toy.frozen import frozen_y
from valleys.toy.langevin import check_settings, in_threads
from valleys.toy.two_valley import TwoValley


def _fix(spec: object, **lists: object) -> None:
    """Turn the lists of a frozen spec into tuples of floats, so that equal specs are equal and hashable."""
    for name, values in lists.items():
        try:
            object.__setattr__(spec, name, tuple(float(value) for value in values))
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {values!r}; it must be a list of numbers") from None


@dataclass(frozen=True)
class PhaseDiagramSpec:
    """A map over learning rate and noise strength; defaults as in Figs. 5C and 5D."""

    learning_rates: tuple[float, ...]
    noise_strengths: tuple[float, ...]
    n_runs: int = 2000
    n_steps: int = 20_000
    start_y: float = 5.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, learning_rates=self.learning_rates, noise_strengths=self.noise_strengths)
        check_settings(self.landscape, self.learning_rates, self.noise_strengths, self.n_runs, self.n_steps, self.noise, self.seed, self.start_y)


@dataclass(frozen=True)
class FreezingSpec:
    """Runs that freeze, for every learning rate and effective noise; the duration is in units of time, η·step."""

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    n_runs: int = 1000
    duration: float = 1000.0
    start_y: float = 1.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, learning_rates=self.learning_rates, effective_noises=self.effective_noises)
        check_settings(self.landscape, self.learning_rates, self.effective_noises, self.n_runs, 1, self.noise, self.seed, self.start_y)
        if not self.duration >= max(self.learning_rates):
            raise ValueError(f"duration is {self.duration!r}; it must be at least one step long")


@dataclass(frozen=True)
class EvolutionSpec:
    """P_flat as it evolves, for several noise strengths at one learning rate; defaults as in Fig. 6B."""

    learning_rate: float = 0.01
    noise_strengths: tuple[float, ...] = (0.01, 0.05, 0.1)
    n_runs: int = 1000
    n_steps: int = 100_000
    start_y: float = 1.0
    record_every: int = 100
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, noise_strengths=self.noise_strengths)
        rates, shape = [self.learning_rate], (self.n_runs, self.n_steps)
        check_settings(self.landscape, rates, self.noise_strengths, *shape, self.noise, self.seed, self.start_y, self.record_every)


@dataclass(frozen=True)
class TrajectoriesSpec:
    """A few single runs for each of several noise strengths."""

    learning_rate: float = 0.05
    noise_strengths: tuple[float, ...] = (0.02, 0.1)
    n_runs: int = 4
    n_steps: int = 20_000
    start_y: float = 5.0
    record_every: int = 20
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, noise_strengths=self.noise_strengths)
        rates, shape = [self.learning_rate], (self.n_runs, self.n_steps)
        check_settings(self.landscape, rates, self.noise_strengths, *shape, self.noise, self.seed, self.start_y, self.record_every)


@dataclass(frozen=True)
class FrozenSpec:
    """x at fixed y, for every learning rate, effective noise and y; durations in units of time, η·step."""

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    ys: tuple[float, ...]
    n_runs: int = 256
    duration: float = 1000.0
    burn_in: float = 50.0
    n_bins: int = 80
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, learning_rates=self.learning_rates, effective_noises=self.effective_noises, ys=self.ys)
        if not self.ys or min(self.ys) <= 0:
            raise ValueError(f"ys are {self.ys}; give at least one, all positive, because two valleys exist for y > 0 only")
        check_settings(self.landscape, self.learning_rates, self.effective_noises, self.n_runs, 1, self.noise, self.seed, self.ys[0])
        if self.duration < 10 * max(self.learning_rates) or self.burn_in < 0 or self.n_bins < 1:
            raise ValueError("duration must be at least 10 steps long, burn_in must not be negative, n_bins must be at least 1")


@dataclass(frozen=True)
class MasterMapSpec:
    """The map of PhaseDiagramSpec without runs and seed, for the master equation."""

    learning_rates: tuple[float, ...]
    noise_strengths: tuple[float, ...]
    n_steps: int = 20_000
    start_y: float = 5.0
    noise: str = "hessian"
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what cannot be computed."""
        _fix(self, learning_rates=self.learning_rates, noise_strengths=self.noise_strengths)
        check_settings(self.landscape, self.learning_rates, self.noise_strengths, 2, self.n_steps, self.noise, 0, self.start_y)
        master_equation.check_noise(self.noise)


@dataclass(frozen=True)
class MasterHistorySpec:
    """Histories at the given learning rates and effective noises, of the same duration in time, η·step."""

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    duration: float = 1000.0
    start_y: float = 1.0
    n_records: int = 200
    noise: str = "hessian"
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what cannot be computed."""
        _fix(self, learning_rates=self.learning_rates, effective_noises=self.effective_noises)
        check_settings(self.landscape, self.learning_rates, self.effective_noises, 2, 1, self.noise, 0, self.start_y)
        master_equation.check_noise(self.noise)
        if not self.duration >= 10 * max(self.learning_rates) or self.n_records < 2:
            raise ValueError("duration must be at least 10 steps long and n_records at least 2")


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
    """Occupation, density and rates at fixed y over (learning_rate, effective_noise, y); see `frozen.frozen_y`."""

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
