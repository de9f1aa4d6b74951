"""What the studies of the two-valley model can be asked for: frozen, and refused before work
starts if it makes no sense.
"""

from dataclasses import dataclass, field

import numpy as np

from valleys.toy.exact import master_equation
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings


def _fix(spec: object, **lists: object) -> None:
    """Turn the lists of a frozen spec into tuples of floats, so that equal specs are equal and
    hashable.
    """
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
        check_settings(
            self.landscape,
            self.learning_rates,
            self.noise_strengths,
            self.n_runs,
            self.n_steps,
            self.noise,
            self.seed,
            self.start_y,
        )


@dataclass(frozen=True)
class FreezingSpec:
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

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, learning_rates=self.learning_rates, effective_noises=self.effective_noises)
        check_settings(
            self.landscape,
            self.learning_rates,
            self.effective_noises,
            self.n_runs,
            1,
            self.noise,
            self.seed,
            self.start_y,
        )
        if not self.duration >= max(self.learning_rates):
            raise ValueError(f"duration is {self.duration!r}; it must be at least one step long")


@dataclass(frozen=True)
class EvolutionSpec:
    """P_flat as it evolves, for several noise strengths at one learning rate; defaults as in
    Fig. 6B.
    """

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
        check_settings(
            self.landscape,
            rates,
            self.noise_strengths,
            *shape,
            self.noise,
            self.seed,
            self.start_y,
            self.record_every,
        )


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
        check_settings(
            self.landscape,
            rates,
            self.noise_strengths,
            *shape,
            self.noise,
            self.seed,
            self.start_y,
            self.record_every,
        )


@dataclass(frozen=True)
class FrozenSpec:
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

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(
            self,
            learning_rates=self.learning_rates,
            effective_noises=self.effective_noises,
            ys=self.ys,
        )
        if not self.ys or min(self.ys) <= 0:
            raise ValueError(
                f"ys are {self.ys}; give at least one, all positive, because two "
                "valleys exist for y > 0 only"
            )
        check_settings(
            self.landscape,
            self.learning_rates,
            self.effective_noises,
            self.n_runs,
            1,
            self.noise,
            self.seed,
            self.ys[0],
        )
        if self.duration < 10 * max(self.learning_rates) or self.burn_in < 0 or self.n_bins < 1:
            raise ValueError(
                "duration must be at least 10 steps long, burn_in must not be "
                "negative, n_bins must be at least 1"
            )


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
        check_settings(
            self.landscape,
            self.learning_rates,
            self.noise_strengths,
            2,
            self.n_steps,
            self.noise,
            0,
            self.start_y,
        )
        master_equation.check_noise(self.noise)


@dataclass(frozen=True)
class MasterHistorySpec:
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

    def __post_init__(self) -> None:
        """Refuse, before any work, what cannot be computed."""
        _fix(self, learning_rates=self.learning_rates, effective_noises=self.effective_noises)
        check_settings(
            self.landscape,
            self.learning_rates,
            self.effective_noises,
            2,
            1,
            self.noise,
            0,
            self.start_y,
        )
        master_equation.check_noise(self.noise)
        if not self.duration >= 10 * max(self.learning_rates) or self.n_records < 2:
            raise ValueError("duration must be at least 10 steps long and n_records at least 2")


@dataclass(frozen=True)
class ContrastSpec:
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

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, flatness_ratios=self.flatness_ratios)
        if not self.flatness_ratios or not all(
            1 <= ratio < np.inf for ratio in self.flatness_ratios
        ):
            raise ValueError(
                f"flatness_ratios are {self.flatness_ratios}; give at least one, all "
                "1 or more, because x1 is the flat valley"
            )
        rates, shape = ([self.learning_rate], [self.noise_strength]), (self.n_runs, self.n_steps)
        check_settings(self.landscape, *rates, *shape, self.noise, self.seed, self.start_y)


@dataclass(frozen=True)
class ResponseSpec:
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

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        _fix(self, forces=self.forces, ys=self.ys)
        if not self.forces or min(self.forces) <= 0:
            raise ValueError(
                f"forces are {self.forces}; give at least one, all positive, because "
                "each pushes both ways"
            )
        FrozenSpec(
            [self.learning_rate],
            [self.effective_noise],
            self.ys,
            self.n_runs,
            self.duration,
            self.burn_in,
            80,
            self.noise,
            self.seed,
            self.landscape,
        )
