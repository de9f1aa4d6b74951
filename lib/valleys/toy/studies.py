"""The studies of the chapters: each a spec that refuses bad values, and a function of that spec that returns a dataset."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from valleys.toy import langevin
from valleys.toy.diagnosis import N_PATH, drift_path
from valleys.toy.discrete import stationary_density, two_states
from valleys.toy.frozen import frozen_y
from valleys.toy.langevin import check_settings
from valleys.toy.two_valley import TwoValley

OPERATOR_YS = 16  # places along y where the transition operator is solved
SLOWEST_RATE = 1e-12  # hops per unit of time below which a rate is not resolved


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
class ContrastSpec:
    """The same runs in landscapes that differ in the flatness ratio γ alone: x1² = γ x2², with the x2 of `landscape`."""

    flatness_ratios: tuple[float, ...]
    learning_rate: float = 0.01
    noise_strength: float = 0.1
    n_runs: int = 2000
    n_steps: int = 20_000
    start_y: float = 1.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, flatness_ratios=self.flatness_ratios)
        if not self.flatness_ratios or not all(1 <= ratio < np.inf for ratio in self.flatness_ratios):
            raise ValueError(f"flatness_ratios are {self.flatness_ratios}; give at least one, all 1 or more, because x1 is the flat valley")
        rates, shape = ([self.learning_rate], [self.noise_strength]), (self.n_runs, self.n_steps)
        check_settings(self.landscape, *rates, *shape, self.noise, self.seed, self.start_y)


@dataclass(frozen=True)
class ResponseSpec:
    """x at fixed y, at rest and pushed both ways with each of several forces; durations in units of time, η·step."""

    forces: tuple[float, ...]
    ys: tuple[float, ...]
    learning_rate: float = 0.005
    effective_noise: float = 0.001
    n_runs: int = 1024
    duration: float = 400.0
    burn_in: float = 50.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, forces=self.forces, ys=self.ys)
        if not self.forces or min(self.forces) <= 0:
            raise ValueError(f"forces are {self.forces}; give at least one, all positive, because each pushes both ways")
        FrozenSpec([self.learning_rate], [self.effective_noise], self.ys, self.n_runs, self.duration, self.burn_in, 80, self.noise, self.seed, self.landscape)


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


def contrast(spec: ContrastSpec) -> xr.Dataset:
    """P_flat and freezing over flatness_ratio, at one learning rate and noise strength; see `langevin.phase_diagram`."""
    runs = {"n_runs": spec.n_runs, "n_steps": spec.n_steps, "start_y": spec.start_y, "noise": spec.noise}
    seeds = np.random.SeedSequence(spec.seed).spawn(len(spec.flatness_ratios))
    landscapes = [with_contrast(spec.landscape, ratio) for ratio in spec.flatness_ratios]
    cells = [langevin.phase_diagram(one, [spec.learning_rate], [spec.noise_strength], seed=seed, **runs) for one, seed in zip(landscapes, seeds, strict=True)]
    return _with_times(xr.concat(cells, dim=xr.Variable("flatness_ratio", list(spec.flatness_ratios)))).squeeze(["learning_rate", "noise_strength"])


def contrast_balance(spec: ContrastSpec) -> xr.Dataset:
    """p_flat over flatness_ratio at the end of dP/dt = (k⁺ + k⁻)(p − P) along the drift of Eq. A8 (Eq. A26), from one half and without simulation.

    p, the share at fixed y, and k⁺ + k⁻ are those of the step of this learning rate, from its transition operator.
    """
    time, y = (along[:N_PATH] for along in drift_path(spec.landscape, spec.start_y, spec.learning_rate * spec.n_steps))
    middle, ys = (y[1:] + y[:-1]) / 2, np.geomspace(max(spec.start_y, 0.1), y[-1], OPERATOR_YS)
    shares = []
    for ratio in spec.flatness_ratios:
        landscape = with_contrast(spec.landscape, ratio)
        share, rate = np.array([two_states(landscape, spec.learning_rate, spec.noise_strength, at, spec.noise) for at in ys]).T
        kept = np.exp(-np.exp(np.interp(middle, ys, np.log(rate + SLOWEST_RATE))) * np.diff(time))
        p_flat = 0.5
        for target, memory in zip(np.interp(middle, ys, share), kept, strict=True):
            p_flat = target + (p_flat - target) * memory
        shares.append(p_flat)
    return xr.Dataset({"p_flat": ("flatness_ratio", shares)}, {"flatness_ratio": list(spec.flatness_ratios)})


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
    times = {f"time_to_freeze{end}": cells.learning_rate * cells[f"freezing_time{end}"] for end in ("", "_error")}
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
    parts = xr.concat([one(*point, seed) for point, seed in zip(points, seeds, strict=True)], dim="point")
    index = pd.MultiIndex.from_tuples(points, names=list(grid))
    unstacked = parts.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "point")).unstack("point")
    return unstacked.reindex({name: list(values) for name, values in grid.items()}).transpose(*grid, ...)
