"""The studies of the chapter on more valleys and other noise: each a function of one spec that returns a dataset."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import rows
from valleys.toy.simulation.rows import Walk

Cell = tuple[Mapping[str, Any], float, Callable[[], xr.Dataset]]  # where it stands, its share of the work, how to compute it alone


def _numbers(spec: object, *names: str) -> None:
    """Turn the lists of a frozen spec into tuples of floats, none empty, so that equal specs are equal and hashable."""
    for name in names:
        values = getattr(spec, name)
        try:
            object.__setattr__(spec, name, tuple(float(value) for value in values))
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {values!r}; it must be a list of numbers") from None
        if not getattr(spec, name):
            raise ValueError(f"{name} is empty; give at least one number")


def _duration(duration: float, learning_rates: Sequence[float]) -> None:
    if not duration >= 10 * max(learning_rates):
        raise ValueError(f"duration is {duration!r}; it must be at least ten steps long, {10 * max(learning_rates):g} or more")


def in_order(widths: Sequence[float], orders: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
    """Rows of the same valleys in several orders; an order lists ranks from left to right, 1 the first of the widths.

    Raises ValueError if an order does not hold every rank once.
    """
    for order in orders:
        if sorted(order) != list(range(1, len(widths) + 1)):
            raise ValueError(f"order {list(order)} must hold each of the numbers 1 to {len(widths)} once, one for each width")
    return [tuple(widths[rank - 1] for rank in order) for order in orders]


@dataclass(frozen=True)
class OccupationSpec:
    """Runs in rows of equally many valleys, for every effective noise; each row is a list of widths from left to right. The duration is η·step."""

    rows: tuple[tuple[float, ...], ...]
    effective_noises: tuple[float, ...]
    learning_rate: float = 0.01
    n_runs: int = 2400
    duration: float = 800.0
    start_y: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _numbers(self, "effective_noises")
        if isinstance(self.rows, str) or len({len(row) for row in self.rows}) != 1:
            raise ValueError(f"rows are {self.rows!r}; give one or more lists of widths, all of the same length, such as [[0.65, 0.725, 0.8]]")
        object.__setattr__(self, "rows", tuple(ManyValleys(row).widths for row in self.rows))
        _duration(self.duration, [self.learning_rate])
        for row, noise in product(self.rows, self.effective_noises):
            rows.check_size(self.walk(row, noise), self.n_runs, round(self.duration / self.learning_rate), seed=self.seed)

    def walk(self, widths: tuple[float, ...], effective_noise: float) -> Walk:
        """The setting of one cell."""
        return Walk(ManyValleys(widths), self.learning_rate, effective_noise / self.learning_rate, self.start_y)


@dataclass(frozen=True)
class RowRunsSpec:
    """A few single runs in one row of valleys."""

    widths: tuple[float, ...]
    learning_rate: float = 0.02
    effective_noise: float = 0.002
    n_runs: int = 15
    n_steps: int = 20_000
    start_y: float = 1.0
    record_every: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _numbers(self, "widths")
        rows.check_size(self.walk, self.n_runs, self.n_steps, self.record_every, self.seed)

    @property
    def walk(self) -> Walk:
        """The setting of the runs."""
        return Walk(ManyValleys(self.widths), self.learning_rate, self.effective_noise / self.learning_rate, self.start_y)


@dataclass(frozen=True)
class PowersSpec:
    """Runs in two valleys under noise Σ = 2σ κ (H₊/κ)^p, for every learning rate, effective noise and power p; the duration is η·step."""

    powers: tuple[float, ...]
    effective_noises: tuple[float, ...]
    learning_rates: tuple[float, ...] = (0.01,)
    n_runs: int = 2000
    duration: float = 800.0
    start_y: float = 1.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _numbers(self, "powers", "effective_noises", "learning_rates")
        _duration(self.duration, self.learning_rates)
        for point in product(self.learning_rates, self.effective_noises, self.powers):
            rows.check_size(self.walk(*point), self.n_runs, round(self.duration / point[0]), seed=self.seed)

    def walk(self, learning_rate: float, effective_noise: float, power: float) -> Walk:
        """The setting of one cell."""
        return Walk(self.landscape, learning_rate, effective_noise / learning_rate, self.start_y, power)


@dataclass(frozen=True)
class FixedPowersSpec:
    """x at fixed y under noise (2/f)^p, for every learning rate, y and power p, negative ones too; durations in units of time, η·step."""

    powers: tuple[float, ...]
    ys: tuple[float, ...]
    learning_rates: tuple[float, ...] = (0.01,)
    effective_noise: float = 0.001
    n_runs: int = 1000
    duration: float = 800.0
    burn_in: float = 200.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _numbers(self, "powers", "ys", "learning_rates")
        if not 0 <= self.burn_in < self.duration:
            raise ValueError(f"burn_in is {self.burn_in!r}; it must lie between 0 and the duration, {self.duration:g}")
        for point in product(self.learning_rates, self.ys, self.powers):
            rows.check_size(self.walk(*point), self.n_runs, round(self.duration / point[0]), seed=self.seed)

    def walk(self, learning_rate: float, y: float, power: float) -> Walk:
        """The setting of one cell."""
        return Walk(self.landscape, learning_rate, self.effective_noise / learning_rate, y, power, moves=False)


def occupation(spec: OccupationSpec) -> xr.Dataset:
    """Final shares and freezing, dims (row, effective_noise, valley); width over (row, valley); see `rows.occupation`."""
    steps = round(spec.duration / spec.learning_rate)
    places = list(product(range(len(spec.rows)), spec.effective_noises))

    def one(place: tuple[int, float], seed: np.random.SeedSequence) -> xr.Dataset:
        return rows.occupation(spec.walk(spec.rows[place[0]], place[1]), spec.n_runs, steps, seed)

    found = _gridded(one, places, {"row": range(len(spec.rows)), "effective_noise": spec.effective_noises}, spec.seed)
    return found.assign(width=found.width.isel(effective_noise=0, drop=True))


def row_runs(spec: RowRunsSpec) -> xr.Dataset:
    """Single runs, dims (run, step): x, y and valley; see `rows.runs`."""
    return rows.runs(spec.walk, spec.n_runs, spec.n_steps, spec.record_every, spec.seed)


def powers(spec: PowersSpec) -> xr.Dataset:
    """p_flat and freezing of runs that move, dims (learning_rate, effective_noise, power)."""
    grid = {"learning_rate": spec.learning_rates, "effective_noise": spec.effective_noises, "power": spec.powers}

    def one(place: tuple[float, ...], seed: np.random.SeedSequence) -> xr.Dataset:
        return _flat(rows.occupation(spec.walk(*place), spec.n_runs, round(spec.duration / place[0]), seed))

    return _gridded(one, list(product(*grid.values())), grid, spec.seed)


def fixed_powers(spec: FixedPowersSpec) -> xr.Dataset:
    """p_flat at fixed y, the share of the time after burn_in, dims (learning_rate, y, power)."""
    grid = {"learning_rate": spec.learning_rates, "y": spec.ys, "power": spec.powers}

    def one(place: tuple[float, ...], seed: np.random.SeedSequence) -> xr.Dataset:
        every = max(1, round(2 / place[0]))
        steps, burn_in = (every * round(time / place[0] / every) for time in (spec.duration, spec.burn_in))
        return _flat(rows.occupation_in_time(spec.walk(*place), spec.n_runs, max(steps, every), burn_in, every, seed))

    return _gridded(one, list(product(*grid.values())), grid, spec.seed)


def occupation_cells(spec: OccupationSpec) -> Iterator[Cell]:
    """Where each cell stands, its share of the work, and how to compute it alone."""
    steps = round(spec.duration / spec.learning_rate)
    for (row, noise), stream in _with_streams(list(product(range(len(spec.rows)), spec.effective_noises)), spec.seed):
        yield {"row": row, "effective_noise": noise}, 1, partial(rows.occupation, spec.walk(spec.rows[row], noise), spec.n_runs, steps, stream)


def powers_cells(spec: PowersSpec) -> Iterator[Cell]:
    """The same of `powers`."""
    for (rate, noise, power), stream in _with_streams(list(product(spec.learning_rates, spec.effective_noises, spec.powers)), spec.seed):
        steps = round(spec.duration / rate)
        cell = partial(_flat_of, rows.occupation, spec.walk(rate, noise, power), spec.n_runs, steps, stream)
        yield {"learning_rate": rate, "effective_noise": noise, "power": power}, steps, cell


def fixed_powers_cells(spec: FixedPowersSpec) -> Iterator[Cell]:
    """The same of `fixed_powers`."""
    for (rate, y, power), stream in _with_streams(list(product(spec.learning_rates, spec.ys, spec.powers)), spec.seed):
        every = max(1, round(2 / rate))
        steps, burn_in = (every * round(time / rate / every) for time in (spec.duration, spec.burn_in))
        cell = partial(_flat_of, rows.occupation_in_time, spec.walk(rate, y, power), spec.n_runs, max(steps, every), burn_in, every, stream)
        yield {"learning_rate": rate, "y": y, "power": power}, steps + burn_in, cell


def _with_streams(places: list[tuple], seed: int) -> Iterator[tuple[tuple, np.random.SeedSequence]]:
    yield from zip(places, np.random.SeedSequence(seed).spawn(len(places)), strict=True)


def _flat_of(simulate: Callable, *arguments: object) -> xr.Dataset:
    return _flat(simulate(*arguments))


def _flat(found: xr.Dataset) -> xr.Dataset:
    """The share of the right one of two valleys, the flat one, as p_flat."""
    return found.isel(valley=1, drop=True).drop_vars("width").rename(share="p_flat", share_error="p_flat_error")


def _gridded(one: Callable, places: list[tuple], grid: dict[str, Sequence[float]], seed: int) -> xr.Dataset:
    """The results of `one` on a grid, each with a stream of its own, handed out in the order of the grid."""
    seeds = np.random.SeedSequence(seed).spawn(len(places))
    joined = xr.concat([one(place, stream) for place, stream in zip(places, seeds, strict=True)], dim="point", data_vars="all")
    index = pd.MultiIndex.from_tuples(places, names=list(grid))
    unstacked = joined.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "point")).unstack("point")
    return unstacked.reindex({name: list(values) for name, values in grid.items()}).transpose(*grid, ...)
