"""The studies of the chapter on more valleys and other noise: each a function of one spec that
returns a dataset.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.experiments.cells import gridded, parts_on
from valleys.toy.experiments.specs import Spec, check_duration
from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import rows
from valleys.toy.simulation.rows import Walk


def in_order(widths: Sequence[float], orders: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
    """Rows of the same valleys in several orders; an order lists ranks from left to right, 1 the
    first of the widths.

    Raises ValueError if an order does not hold every rank once.
    """
    for order in orders:
        if sorted(order) != list(range(1, len(widths) + 1)):
            raise ValueError(
                f"order {list(order)} must hold each of the numbers 1 to "
                f"{len(widths)} once, one for each width"
            )
    return [tuple(widths[rank - 1] for rank in order) for order in orders]


@dataclass(frozen=True)
class OccupationSpec(Spec):
    """Runs in rows of equally many valleys, for every effective noise; each row is a list of
    widths from left to right. The duration is η·step.
    """

    rows: tuple[tuple[float, ...], ...]
    effective_noises: tuple[float, ...]
    learning_rate: float = 0.01
    n_runs: int = 2400
    duration: float = 800.0
    start_y: float = 1.0
    seed: int = 0

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        if isinstance(self.rows, str) or len({len(row) for row in self.rows}) != 1:
            raise ValueError(
                f"rows are {self.rows!r}; give one or more lists of widths, all of "
                "the same length, such as [[0.65, 0.725, 0.8]]"
            )
        object.__setattr__(self, "rows", tuple(ManyValleys(row).widths for row in self.rows))
        check_duration(self.duration, [self.learning_rate])
        for row, noise in product(self.rows, self.effective_noises):
            rows.check_size(
                self.walk(row, noise),
                self.n_runs,
                round(self.duration / self.learning_rate),
                seed=self.seed,
            )

    def walk(self, widths: tuple[float, ...], effective_noise: float) -> Walk:
        """The setting of one cell."""
        return Walk(
            ManyValleys(widths),
            self.learning_rate,
            effective_noise / self.learning_rate,
            self.start_y,
        )


@dataclass(frozen=True)
class RowRunsSpec(Spec):
    """A few single runs in one row of valleys."""

    widths: tuple[float, ...]
    learning_rate: float = 0.02
    effective_noise: float = 0.002
    n_runs: int = 15
    n_steps: int = 20_000
    start_y: float = 1.0
    record_every: int = 50
    seed: int = 0

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        rows.check_size(self.walk, self.n_runs, self.n_steps, self.record_every, self.seed)

    @property
    def walk(self) -> Walk:
        """The setting of the runs."""
        return Walk(
            ManyValleys(self.widths),
            self.learning_rate,
            self.effective_noise / self.learning_rate,
            self.start_y,
        )


class NoisePowersSpec(Spec, ABC):
    """A spec of runs in two valleys under noise of each power of the Hessian."""

    learning_rates: tuple[float, ...]
    powers: tuple[float, ...]
    n_runs: int
    duration: float
    seed: int

    @abstractmethod
    def walk(self, learning_rate: float, place: float, power: float) -> Walk:
        """The setting of one cell, at an effective noise or a y."""

    def check_walks(self, places: Sequence[float]) -> None:
        """Refuse what no simulation can run with in any cell."""
        for point in product(self.learning_rates, places, self.powers):
            n_steps = round(self.duration / point[0])
            rows.check_size(self.walk(*point), self.n_runs, n_steps, seed=self.seed)


@dataclass(frozen=True)
class PowersSpec(NoisePowersSpec):
    """Runs in two valleys under noise Σ = 2σ κ (H₊/κ)^p, for every learning rate, effective
    noise and power p; the duration is η·step.
    """

    powers: tuple[float, ...]
    effective_noises: tuple[float, ...]
    learning_rates: tuple[float, ...] = (0.01,)
    n_runs: int = 2000
    duration: float = 800.0
    start_y: float = 1.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        check_duration(self.duration, self.learning_rates)
        self.check_walks(self.effective_noises)

    def walk(self, learning_rate: float, place: float, power: float) -> Walk:
        """The setting of one cell, at an effective noise."""
        return Walk(self.landscape, learning_rate, place / learning_rate, self.start_y, power)


@dataclass(frozen=True)
class FixedPowersSpec(NoisePowersSpec):
    """x at fixed y under noise (2/f)^p, for every learning rate, y and power p, negative ones
    too; durations in units of time, η·step.
    """

    powers: tuple[float, ...]
    ys: tuple[float, ...]
    learning_rates: tuple[float, ...] = (0.01,)
    effective_noise: float = 0.001
    n_runs: int = 1000
    duration: float = 800.0
    burn_in: float = 200.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        if not 0 <= self.burn_in < self.duration:
            raise ValueError(
                f"burn_in is {self.burn_in!r}; it must lie between 0 and the "
                f"duration, {self.duration:g}"
            )
        self.check_walks(self.ys)

    def walk(self, learning_rate: float, place: float, power: float) -> Walk:
        """The setting of one cell, at a y."""
        strength = self.effective_noise / learning_rate
        return Walk(self.landscape, learning_rate, strength, place, power, moves=False)


def occupation(spec: OccupationSpec) -> xr.Dataset:
    """Final shares and freezing, dims (row, effective_noise, valley); width over (row, valley);
    see `rows.occupation`.
    """
    found = gridded(
        occupation_parts(spec),
        {"row": range(len(spec.rows)), "effective_noise": spec.effective_noises},
    )
    return found.assign(width=found.width.isel(effective_noise=0, drop=True))


def occupation_parts(spec: OccupationSpec) -> list[Part]:
    """Each row at each noise."""
    steps = round(spec.duration / spec.learning_rate)

    def one(row: int, noise: float, seed: np.random.SeedSequence) -> xr.Dataset:
        return rows.occupation(spec.walk(spec.rows[row], noise), spec.n_runs, steps, seed)

    return parts_on(
        {"row": range(len(spec.rows)), "effective_noise": spec.effective_noises}, one, spec.seed
    )


def row_runs(spec: RowRunsSpec) -> xr.Dataset:
    """Single runs, dims (run, step): x, y and valley; see `rows.runs`."""
    return rows.runs(spec.walk, spec.n_runs, spec.n_steps, spec.record_every, spec.seed)


def powers(spec: PowersSpec) -> xr.Dataset:
    """p_flat and freezing of runs that move, dims (learning_rate, effective_noise, power)."""
    return gridded(powers_parts(spec), _moving_grid(spec))


def powers_parts(spec: PowersSpec) -> list[Part]:
    """Each learning rate, noise and power."""

    def one(rate: float, noise: float, power: float, seed: np.random.SeedSequence) -> xr.Dataset:
        return _flat(
            rows.occupation(
                spec.walk(rate, noise, power), spec.n_runs, round(spec.duration / rate), seed
            )
        )

    return parts_on(_moving_grid(spec), one, spec.seed, by_rate=True)


def _moving_grid(spec: PowersSpec) -> dict[str, tuple[float, ...]]:
    return {
        "learning_rate": spec.learning_rates,
        "effective_noise": spec.effective_noises,
        "power": spec.powers,
    }


def fixed_powers(spec: FixedPowersSpec) -> xr.Dataset:
    """p_flat at fixed y, the share of the time after burn_in, dims (learning_rate, y, power)."""
    return gridded(fixed_powers_parts(spec), _fixed_grid(spec))


def fixed_powers_parts(spec: FixedPowersSpec) -> list[Part]:
    """Each learning rate, y and power."""

    def one(rate: float, y: float, power: float, seed: np.random.SeedSequence) -> xr.Dataset:
        every = max(1, round(2 / rate))
        steps, burn_in = (
            every * round(time / rate / every) for time in (spec.duration, spec.burn_in)
        )
        return _flat(
            rows.occupation_in_time(
                spec.walk(rate, y, power), spec.n_runs, max(steps, every), burn_in, every, seed
            )
        )

    return parts_on(_fixed_grid(spec), one, spec.seed, by_rate=True)


def _fixed_grid(spec: FixedPowersSpec) -> dict[str, tuple[float, ...]]:
    return {"learning_rate": spec.learning_rates, "y": spec.ys, "power": spec.powers}


PARTS = {occupation: occupation_parts, powers: powers_parts, fixed_powers: fixed_powers_parts}


def _flat(found: xr.Dataset) -> xr.Dataset:
    """The share of the right one of two valleys, the flat one, as p_flat."""
    return (
        found.isel(valley=1, drop=True)
        .drop_vars("width")
        .rename(share="p_flat", share_error="p_flat_error")
    )
