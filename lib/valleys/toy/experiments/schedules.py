"""The best noise schedule of the two-valley model, beside others: by rates, in the limit of small
steps, by runs, and where noise has a price.
"""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from valleys.results.spec import require
from valleys.toy.exact.schedules import evolve_schedule
from valleys.toy.exact.small_steps import relax_along
from valleys.toy.experiments.specs import Spec
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings, streams
from valleys.toy.simulation.schedules import Blocks, scheduled
from valleys.toy.theory import budgets as theory
from valleys.toy.theory.families import MOST_NOISE, SHAPES, best_by_descent, best_of_shape
from valleys.toy.theory.schedules import Rates, Way, follow, greedy

BEST = "best"
SCHEDULES = (BEST, *SHAPES)
OTHER_RATES = ("passage", "kramers")
SPENDINGS = (BEST, "constant", "best in time")
GUESSES = (3e-4, 1e-3, 3e-3)  # constant noises from which a descent begins; more are random
N_KNOTS, BENDS = 40, (2, 40)  # knots of a descent, and of a random change, fewest and most
RECORDS = 25


@dataclass(frozen=True)
class SchedulesSpec(Spec):
    """One duration, learning rate times steps, with every schedule at its best amplitude."""

    duration: float
    start_y: float = 1.0
    start_p: float = 0.5
    n_pieces: int = 1000
    n_changes: int = 1000  # random changes of the best schedule
    n_guesses: int = 4  # of the descent
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no way can be made of."""
        Way.of(self.landscape, self.duration, self.start_y, 2)
        require(
            0 <= self.start_p < 1,
            f"start_p is {self.start_p!r}; it must be a probability below 1",
        )
        least = {"n_pieces": 50, "n_changes": 1, "n_guesses": 1}
        for name, lowest in least.items():
            require(getattr(self, name) >= lowest, f"{name} must be {lowest} or more")

    @property
    def way(self) -> Way:
        """From the start."""
        return Way.of(self.landscape, self.duration, self.start_y, self.n_pieces)


def schedules(spec: SchedulesSpec) -> xr.Dataset:
    """All schedules by exact rates.

    Returns:
        time (border), y and opening s (piece); noise (schedule, piece) and p_flat (schedule,
        border), amplitude and turn (schedule), NaN where a schedule has none; descended (guess),
        P_flat at the end of the best schedule by descent, and descended_noise (guess, piece);
        changed and change (trial), P_flat at the end after a random change of the best schedule,
        and the root mean square of the change of ln Δ_S; by_rates and told (rates), the end of the
        schedule that is best by other rates, and what those say of it.
    """
    rates, way = Rates.of(spec.landscape), spec.way
    found = {shape: best_of_shape(rates, way, shape, spec.start_p) for shape in SHAPES}
    best = greedy(rates, way, spec.start_p, MOST_NOISE)
    noise = np.array([best, *(each.noise for each in found.values())])
    numbers = [(np.nan, np.nan), *((each.amplitude, each.turn) for each in found.values())]
    amplitudes, turns = np.transpose(numbers)
    values = {
        "time": ("border", way.times),
        "y": ("piece", way.y),
        "opening": ("piece", way.opening),
        "noise": (("schedule", "piece"), noise),
        "p_flat": (("schedule", "border"), follow(rates, way, noise, spec.start_p)),
        "amplitude": ("schedule", amplitudes),
        "turn": ("schedule", turns),
        **_descended(spec, rates, way),
        **_changed(spec, rates, way, best),
        **_by_other_rates(spec, rates, way),
    }
    return xr.Dataset(values, {"schedule": list(SCHEDULES), "rates": list(OTHER_RATES)})


def _descended(spec: SchedulesSpec, rates: Rates, way: Way) -> dict[str, tuple]:
    """From constant guesses, then from random ones."""
    random = np.random.default_rng(streams(spec.seed).spawn(2)[0])
    drawn = [np.exp(random.normal(np.log(1e-3), 1.0, N_KNOTS)) for _ in range(spec.n_guesses)]
    guesses = [*GUESSES, *drawn][: spec.n_guesses]
    noise = np.array(
        [best_by_descent(rates, way, guess, N_KNOTS, spec.start_p) for guess in guesses]
    )
    ends = follow(rates, way, noise, spec.start_p)[:, -1]
    return {"descended": ("guess", ends), "descended_noise": (("guess", "piece"), noise)}


def _changed(spec: SchedulesSpec, rates: Rates, way: Way, best: np.ndarray) -> dict[str, tuple]:
    """Changes of ln noise, linear between a random number of knots, of random size."""
    random = np.random.default_rng(streams(spec.seed).spawn(2)[1])
    place = np.linspace(0, 1, best.size)
    changes = np.empty((spec.n_changes, best.size))
    for row in changes:
        knots = random.integers(*BENDS, endpoint=True)
        size = np.exp(random.uniform(np.log(0.01), 0))
        row[:] = size * np.interp(place, np.linspace(0, 1, knots), random.normal(size=knots))
    noise = np.minimum(best * np.exp(changes), MOST_NOISE)
    change = np.sqrt((np.log(noise / best) ** 2).mean(axis=1))
    ends = follow(rates, way, noise, spec.start_p)[:, -1]
    return {"changed": ("trial", ends), "change": ("trial", change)}


def _by_other_rates(spec: SchedulesSpec, rates: Rates, way: Way) -> dict[str, tuple]:
    tables = [Rates.of(spec.landscape, kind) for kind in OTHER_RATES]
    noises = [greedy(each, way, spec.start_p, MOST_NOISE) for each in tables]
    pairs = list(zip(tables, noises, strict=True))
    told = [follow(each, way, noise, spec.start_p)[-1] for each, noise in pairs]
    ends = [follow(rates, way, noise, spec.start_p)[-1] for noise in noises]
    return {"by_rates": ("rates", ends), "told": ("rates", told)}


@dataclass(frozen=True)
class FollowedSpec(Spec):
    """One schedule of a duration at its best, from y0 and P_flat = ½, followed without rates."""

    duration: float
    schedule: str = BEST
    start_y: float = 1.0
    n_pieces: int = 1000
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no schedule can be made of."""
        SchedulesSpec(self.duration, self.start_y, n_pieces=self.n_pieces, landscape=self.landscape)
        require(
            self.schedule in SCHEDULES,
            f"unknown schedule {self.schedule!r}; choose one of {', '.join(SCHEDULES)}",
        )

    def noise(self) -> tuple[Way, np.ndarray]:
        """The way, and the effective noise on each piece of it."""
        way = Way.of(self.landscape, self.duration, self.start_y, self.n_pieces)
        rates = Rates.of(self.landscape)
        if self.schedule == BEST:
            return way, greedy(rates, way, largest_noise=MOST_NOISE)
        return way, best_of_shape(rates, way, self.schedule).noise


@dataclass(frozen=True)
class SteppedSpec(FollowedSpec):
    """The same at a learning rate, in runs or by the master equation, which knows no runs."""

    learning_rate: float = 0.01
    n_runs: int = 4000
    seed: int = 0

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        super().check()
        settings = {"start_y": self.start_y, "n_runs": self.n_runs, "seed": self.seed}
        check_settings(self.landscape, [self.learning_rate], [1.0], **settings)
        require(
            self.duration >= 10 * self.learning_rate,
            f"duration is {self.duration:g}; it must be at least ten steps long",
        )

    @property
    def work(self) -> float:
        """Steps times runs."""
        return self.n_runs * self.duration / self.learning_rate

    def blocks(self) -> Blocks:
        """The schedule in steps."""
        way, noise = self.noise()
        return Blocks.of(way.times, noise, self.learning_rate)


def small_steps(spec: FollowedSpec) -> xr.Dataset:
    """P_flat, mean_y and mass at the end in the limit of small steps; see `relax_along`."""
    way, noise = spec.noise()
    return relax_along(spec.landscape, way.times, noise, spec.start_y).isel(time=-1, drop=True)


def runs(spec: SteppedSpec) -> xr.Dataset:
    """P_flat and mean y of runs of Eq. 13, at records spread over the logarithm of time.

    Returns:
        time, p_flat, mean_y (record), with errors, and diverged (record).
    """
    setting = spec.landscape, spec.learning_rate, spec.blocks()
    found = scheduled(*setting, spec.n_runs, spec.start_y, seed=spec.seed)
    wanted = np.geomspace(0.01 * spec.duration, spec.duration, RECORDS)
    kept = [int(np.abs(found.time.values - each).argmin()) for each in wanted]
    return found.isel(step=kept).rename(step="record").reset_coords("time").drop_vars("record")


def stepped(spec: SteppedSpec) -> xr.Dataset:
    """P_flat, mean_y and mass at the end by the master equation; see `evolve_schedule`."""
    found = evolve_schedule(spec.landscape, spec.learning_rate, spec.blocks(), spec.start_y)
    return found.isel(step=-1, drop=True)


@dataclass(frozen=True)
class BudgetsSpec(Spec):
    """A number of samples, in units in which Δ_S = learning rate over batch size."""

    n_samples: float
    start_y: float = 1.0
    n_pieces: int = 600
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what cannot be spent."""
        require(
            1e3 <= self.n_samples <= 1e9,
            f"n_samples is {self.n_samples!r}; give a number from 1e3 to 1e9",
        )
        Way.of(self.landscape, 1.0, self.start_y, 2)
        require(self.n_pieces >= 50, "n_pieces must be 50 or more")


def budgets(spec: BudgetsSpec) -> xr.Dataset:
    """What the samples buy: spent best, at the best constant noise, and by the schedule that is
    best in time as far as they reach.

    Returns:
        samples (border), spent so far; noise (spending, piece); time and p_flat (spending, border);
        small_steps (spending), P_flat at the end without rates, by `relax_along`;
        worth_of_time and balance (piece), of the best: λ_t, and Δ_S (λ_P dP/dt + λ_t), which theory
        has constant where the noise is free.
    """
    rates = Rates.of(spec.landscape)
    budget = theory.Budget.of(rates, spec.n_samples, spec.start_y, spec.n_pieces)
    constant = theory.best_constant(budget)
    noise = np.array(
        [
            theory.best_spending(budget, [constant / 10, constant / 3, constant]),
            np.full(spec.n_pieces, constant),
            theory.best_in_time(budget, spec.start_y),
        ]
    )
    courses = [budget.spend(each) for each in noise]
    followed = [
        relax_along(spec.landscape, times, each, spec.start_y)
        for each, (times, _) in zip(noise, courses, strict=True)
    ]
    values = {
        "small_steps": ("spending", [float(each.p_flat[-1]) for each in followed]),
        "samples": ("border", np.concatenate([[0], np.cumsum(budget.samples)])),
        "noise": (("spending", "piece"), noise),
        "time": (("spending", "border"), [times for times, _ in courses]),
        "p_flat": (("spending", "border"), [p_flat for _, p_flat in courses]),
        **{name: ("piece", each) for name, each in budget.balance(noise[0]).items()},
    }
    return xr.Dataset(values, {"spending": list(SPENDINGS)})
