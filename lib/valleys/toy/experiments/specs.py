"""What the studies of the two-valley model can be asked for: frozen, and refused before work
starts if it makes no sense.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from valleys.toy.exact import master_equation
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings

FLOATS = tuple[float, ...]
OF_RUNS = ("start_y", "n_runs", "n_steps", "record_every", "noise", "seed")


class Spec:
    """What every spec does: its lists become tuples of floats, so that equal specs are equal and
    hashable, and what makes no sense is refused before any work.
    """

    def __post_init__(self) -> None:
        """Settle the lists, then check.

        Raises:
            ValueError: a list holds no numbers, or nothing can be computed with the values.
        """
        for each in fields(self):  # pyright: ignore[reportArgumentType]  # of each kind of it
            if each.type == FLOATS:
                object.__setattr__(self, each.name, _floats(each.name, getattr(self, each.name)))
        self.check()

    def check(self) -> None:
        """Refuse what nothing can be computed with."""
        raise NotImplementedError

    def values_of(self, *names: str) -> dict[str, Any]:
        """Some of the fields by their names, those that this kind of spec has."""
        return {name: getattr(self, name) for name in names if hasattr(self, name)}


def _floats(name: str, values: Sequence[float]) -> tuple[float, ...]:
    try:
        settled = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {values!r}; it must be a list of numbers") from None
    if not settled:
        raise ValueError(f"{name} is empty; give at least one number")
    return settled


def check_duration(duration: float, learning_rates: Sequence[float], n_steps: int = 10) -> None:
    """Refuse runs of fewer steps at the largest learning rate (ValueError)."""
    least = n_steps * max(learning_rates)
    if not duration >= least:
        raise ValueError(
            f"duration is {duration!r}; it must be at least {n_steps} steps long, {least:g} or more"
        )


class TwoValleySpec(Spec):
    """A spec of runs in a landscape of two valleys."""

    landscape: TwoValley

    def check_runs(
        self, learning_rates: Sequence[float], noises: Sequence[float], **values: Any
    ) -> None:
        """Refuse what no simulation can run with; values stand for fields that the spec lacks."""
        own = self.values_of(*OF_RUNS)
        check_settings(self.landscape, learning_rates, noises, **own | values)


class MapSpec(TwoValleySpec):
    """A spec of all pairs of learning rates and noise strengths."""

    learning_rates: tuple[float, ...]
    noise_strengths: tuple[float, ...]

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        self.check_runs(self.learning_rates, self.noise_strengths)


class DurationSpec(TwoValleySpec):
    """A spec of all pairs of learning rates and effective noises, for one duration in units of
    time, η·step.
    """

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    duration: float
    shortest = 10  # steps

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        self.check_runs(self.learning_rates, self.effective_noises)
        check_duration(self.duration, self.learning_rates, self.shortest)


@dataclass(frozen=True)
class PhaseDiagramSpec(MapSpec):
    """A map over learning rate and noise strength; defaults as in Figs. 5C and 5D."""

    learning_rates: tuple[float, ...]
    noise_strengths: tuple[float, ...]
    n_runs: int = 2000
    n_steps: int = 20_000
    start_y: float = 5.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)


@dataclass(frozen=True)
class FreezingSpec(DurationSpec):
    """Runs that freeze, for every learning rate and effective noise; the duration is in units of
    time, η·step.
    """

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    n_runs: int = 1000
    duration: float = 1000.0
    start_y: float = 1.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)
    shortest = 1


@dataclass(frozen=True)
class RecordedSpec(TwoValleySpec):
    """Runs at one learning rate that are recorded on their way, for each noise strength."""

    learning_rate: float
    noise_strengths: tuple[float, ...]
    n_runs: int
    n_steps: int
    start_y: float
    record_every: int
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        self.check_runs([self.learning_rate], self.noise_strengths)


@dataclass(frozen=True)
class EvolutionSpec(RecordedSpec):
    """P_flat as it evolves, for several noise strengths at one learning rate; defaults as in
    Fig. 6B.
    """

    learning_rate: float = 0.01
    noise_strengths: tuple[float, ...] = (0.01, 0.05, 0.1)
    n_runs: int = 1000
    n_steps: int = 100_000
    start_y: float = 1.0
    record_every: int = 100


@dataclass(frozen=True)
class TrajectoriesSpec(RecordedSpec):
    """A few single runs for each of several noise strengths."""

    learning_rate: float = 0.05
    noise_strengths: tuple[float, ...] = (0.02, 0.1)
    n_runs: int = 4
    n_steps: int = 20_000
    start_y: float = 5.0
    record_every: int = 20


@dataclass(frozen=True)
class FrozenSpec(DurationSpec):
    """x at fixed y, for every learning rate, effective noise and y; durations in units of time,
    η·step.
    """

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

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        if min(self.ys) <= 0:
            raise ValueError(
                f"ys are {self.ys}; all must be positive, because two valleys exist for y > 0 only"
            )
        self.check_runs(self.learning_rates, self.effective_noises, start_y=self.ys[0])
        check_duration(self.duration, self.learning_rates)
        if self.burn_in < 0 or self.n_bins < 1:
            raise ValueError("burn_in must not be negative, n_bins must be at least 1")


@dataclass(frozen=True)
class MasterMapSpec(MapSpec):
    """The map of PhaseDiagramSpec without runs and seed, for the master equation."""

    learning_rates: tuple[float, ...]
    noise_strengths: tuple[float, ...]
    n_steps: int = 20_000
    start_y: float = 5.0
    noise: str = "hessian"
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what cannot be computed."""
        super().check()
        master_equation.check_noise(self.noise)


@dataclass(frozen=True)
class MasterHistorySpec(DurationSpec):
    """Histories at the given learning rates and effective noises, of the same duration in time,
    η·step.
    """

    learning_rates: tuple[float, ...]
    effective_noises: tuple[float, ...]
    duration: float = 1000.0
    start_y: float = 1.0
    n_records: int = 200
    noise: str = "hessian"
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what cannot be computed."""
        super().check()
        master_equation.check_noise(self.noise)
        if self.n_records < 2:
            raise ValueError(f"n_records is {self.n_records!r}; it must be at least 2")


@dataclass(frozen=True)
class ContrastSpec(TwoValleySpec):
    """The same runs in landscapes that differ in the flatness ratio γ alone: x1² = γ x2², with
    the x2 of `landscape`.
    """

    flatness_ratios: tuple[float, ...]
    learning_rate: float = 0.01
    noise_strength: float = 0.1
    n_runs: int = 2000
    n_steps: int = 20_000
    start_y: float = 1.0
    noise: str = "hessian"
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        if not all(1 <= ratio < np.inf for ratio in self.flatness_ratios):
            raise ValueError(
                f"flatness_ratios are {self.flatness_ratios}; all must be 1 or more, because x1 "
                "is the flat valley"
            )
        self.check_runs([self.learning_rate], [self.noise_strength])


@dataclass(frozen=True)
class ResponseSpec(TwoValleySpec):
    """x at fixed y, at rest and pushed both ways with each of several forces; durations in units
    of time, η·step.
    """

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

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        if min(self.forces) <= 0:
            raise ValueError(
                f"forces are {self.forces}; all must be positive, because each pushes both ways"
            )
        held = self.values_of("n_runs", "duration", "burn_in", "noise", "seed", "landscape")
        FrozenSpec((self.learning_rate,), (self.effective_noise,), self.ys, **held)
