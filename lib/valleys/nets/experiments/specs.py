"""What the network studies can be asked for: frozen, plain, and refused before work starts if
they make no sense.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.datasets import N_CLASSES, check_request
from valleys.results.grid import Grid
from valleys.results.spec import check_distinct, require, settle

THRESHOLDS = (0.2, 0.1, 0.05, 0.01)
MAIN_THRESHOLD = 0.1  # the paper's L_c
# about what all test images and the curvature of a record cost, in samples
SAMPLES_OF_A_RECORD = 20_000
# large, and read cell by cell only
ALONG = ("weights", "misclassified_along", "misclassified_full_along")


@dataclass(frozen=True)
class Spec:
    """What every study shares: the data, the seed, the device.

    Attributes:
        dataset: digits, mnist or cifar10.
        train_per_class: training images per class.
        test_per_class: images per class of the small test set.
        seed: one seed for the initialization and, through spawned streams, for every batch order.
        device: a torch device.
    """

    dataset: str = "digits"
    train_per_class: int = 100
    test_per_class: int = 20
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Settle the types, then refuse what makes no sense.

        Raises:
            ValueError: a value of the wrong kind or outside its range.
        """
        for entry in dataclasses.fields(self):
            object.__setattr__(
                self, entry.name, settle(entry.name, entry.type, getattr(self, entry.name))
            )
        check_request(self.dataset, self.train_per_class, self.test_per_class)
        self.require_at_least(seed=0)
        self.check()

    def check(self) -> None:
        """Refuse what makes no sense for this study."""

    def shared_with(self, kind: "type[Spec]", **values: Any) -> dict[str, Any]:
        """Values of the fields that another kind of spec has as well, and others given here."""
        names = {entry.name for entry in dataclasses.fields(kind)}
        shared = [entry.name for entry in dataclasses.fields(self) if entry.name in names]
        return {name: getattr(self, name) for name in shared} | values

    def require_at_least(self, **least: int) -> None:
        """Refuse values below these, by their names."""
        for name, low in least.items():
            value = getattr(self, name)
            require(value >= low, f"{name} must be {low} or more, got {value}")

    def require_positive(self, *names: str) -> None:
        """Refuse values that are not above zero."""
        for name in names:
            value = getattr(self, name)
            require(value > 0, f"{name} must be positive, got {value}")

    def require_between(self, name: str, low: int, high: int, ends: str = "") -> None:
        """Refuse a value outside a range, ends included; they may be told in words."""
        value = getattr(self, name)
        words = ends or f"{low} and {high}"
        require(low <= value <= high, f"{name} must lie between {words}, got {value}")

    @property
    def n_train(self) -> int:
        """Size of the training set."""
        return N_CLASSES * self.train_per_class

    @property
    def work(self) -> float:
        """Share of the work of a grid that such a cell takes, in any unit."""
        return 1.0


class Trained:
    """Steps of a spec that names a learning rate η and the training time ηt at the end."""

    learning_rate: float
    training_time: float

    @property
    def n_steps(self) -> int:
        """Number of updates."""
        return round(self.training_time / self.learning_rate)


@dataclass(frozen=True)
class SettingSpec(Spec):
    """What studies of one batch size and learning rate share.

    Attributes:
        batch_size: B.
        learning_rate: η.
    """

    batch_size: int = 50
    learning_rate: float = 0.05

    def check(self) -> None:
        """Refuse what makes no sense for any such study."""
        check_batch_size(self.batch_size, self.n_train)
        self.require_positive("learning_rate")

    @property
    def full_batch(self) -> bool:
        """Whether this is gradient descent, which is deterministic."""
        return self.batch_size == self.n_train

    def require_noise(self) -> None:
        """Refuse gradient descent."""
        require(
            not self.full_batch,
            f"batch_size must be below the {self.n_train} "
            "training samples: gradient descent has no noise",
        )


@dataclass(frozen=True)
class RunsSpec(Trained, SettingSpec):
    """What studies of several runs of one (η, B) share.

    Attributes:
        training_time: ηt at the end.
        n_realizations: runs that differ in batch order.
    """

    training_time: float = 100.0
    n_realizations: int = 4

    def check(self) -> None:
        """Refuse what makes no sense for any such study."""
        super().check()
        self.require_positive("training_time")
        self.require_at_least(n_realizations=1)

    @property
    def n_distinct(self) -> int:
        """Runs that are computed: gradient descent has one."""
        return 1 if self.full_batch else self.n_realizations


@dataclass(frozen=True)
class SweepSpec(RunsSpec):
    """Training runs that share (η, B) and differ in batch order only.

    Attributes:
        batch_size: B; equal to the training set it is full-batch gradient descent.
        learning_rate: η.
        training_time: ηt at the end.
        n_realizations: runs.
        n_records: equally spaced records, the first at step 0.
        flatness_every: the flatness is measured at every so many records and at the last; 0 for the
            last only.
        keep_weights: whether to keep the second layer's matrix at each record.
        n_whole_network: of how many runs the whole network's Hessian is taken at the end.
        thresholds: values of L_c for the freezing time.
        look_time: ηt between two looks for a loss that has come back above L_c; each step is looked
            at where it takes longer.

    Example:
        >>> from valleys.nets import SweepSpec
        >>> SweepSpec(batch_size=20, learning_rate=0.1).n_steps
        1000
    """

    n_records: int = 21
    flatness_every: int = 0
    keep_weights: bool = False
    n_whole_network: int = 0
    thresholds: tuple[float, ...] = THRESHOLDS
    look_time: float = 0.1

    def check(self) -> None:
        """Refuse what makes no sense for a cell."""
        super().check()
        self.require_positive("look_time")
        check_records(self.n_records, self.learning_rate, self.training_time)
        check_flatness_every(self.flatness_every)
        self.require_between("n_whole_network", 0, self.n_realizations, "0 and n_realizations")
        check_thresholds(self.thresholds)

    @property
    def steps_between_looks(self) -> int:
        """Steps between two looks for a loss that has come back."""
        return max(1, round(self.look_time / self.learning_rate))

    @property
    def work(self) -> float:
        """Samples that go through a network."""
        looks = self.n_steps // self.steps_between_looks * self.n_train
        records = self.n_records * SAMPLES_OF_A_RECORD
        return 3 * self.n_steps * self.batch_size + looks + records


@dataclass(frozen=True)
class SweepGrid(Grid[SweepSpec]):
    """A grid of such runs over (B, η), with more measured in some of its cells (Figs. 2 and 3).

    The cell says what is measured where: its flatness_every and n_whole_network hold at the
    followed learning rate alone.

    Attributes:
        followed_learning_rate: η at which the flatness is measured along training; 0 for none.
        follow_all: whether the flatness is measured along training at every learning rate.
        weights_at: pairs (B, η) whose weights are kept.
    """

    followed_learning_rate: float = 0.0
    follow_all: bool = False
    weights_at: tuple[tuple[int, float], ...] = ()

    def check(self) -> None:
        """Refuse places that the grid does not have."""
        batch_sizes, learning_rates, followed = (
            self.along("batch_size"),
            self.along("learning_rate"),
            self.followed_learning_rate,
        )
        require(
            followed == 0 or followed in learning_rates,
            f"followed_learning_rate must be 0 or one of {learning_rates}, got {followed}",
        )
        for pair in self.weights_at:
            known = pair[0] in batch_sizes and pair[1] in learning_rates
            require(
                known,
                "weights_at must name (batch_size, learning_rate) of the grid "
                f"{batch_sizes} × {learning_rates}, got {pair}",
            )

    def cell_at(self, **place: Any) -> SweepSpec:
        """The spec of one cell."""
        followed = place["learning_rate"] == self.followed_learning_rate
        measured = {
            "flatness_every": self.cell.flatness_every if followed or self.follow_all else 0
        }
        measured |= {"n_whole_network": self.cell.n_whole_network if followed else 0}
        kept = (place["batch_size"], place["learning_rate"]) in self.weights_at
        return dataclasses.replace(self.cell, **place, **measured, keep_weights=kept)

    def kept(self, found: xr.Dataset) -> xr.Dataset:
        """A cell without the weights and the error sets along the way."""
        return found.drop_vars(ALONG, errors="ignore")

    def cells_with_weights(self) -> tuple[SweepSpec, ...]:
        """The cells `weights_at`, in that order."""
        return tuple(
            self.cell_at(batch_size=batch_size, learning_rate=learning_rate)
            for batch_size, learning_rate in self.weights_at
        )


@dataclass(frozen=True)
class EndpointsSpec(Spec):
    """One run for each (η, B) of a grid, and the landscape between their end points (Fig. 1).

    Attributes:
        batch_sizes: values of B.
        learning_rates: values of η.
        training_time: ηt at the end.
        n_records: equally spaced records, the first at step 0.
        n_fractions: points of an interpolation path, the ends included.
        spectrum_batch_sizes: values of B whose full Hessian spectrum is computed; those outside the
            grid are trained for this alone.
        spectrum_learning_rate: η of these runs.
    """

    batch_sizes: tuple[int, ...] = (20, 50, 100, 200)
    learning_rates: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05)
    training_time: float = 100.0
    n_records: int = 21
    n_fractions: int = 21
    spectrum_batch_sizes: tuple[int, ...] = ()
    spectrum_learning_rate: float = 0.05

    def check(self) -> None:
        """Refuse what makes no sense for end points."""
        check_distinct("batch_sizes", self.batch_sizes)
        check_distinct("learning_rates", self.learning_rates)
        for batch_size in (*self.batch_sizes, *self.spectrum_batch_sizes):
            check_batch_size(batch_size, self.n_train)
        for learning_rate in self.learning_rates:
            check_training(learning_rate, self.training_time, self.n_records)
        n_solutions = len(self.batch_sizes) * len(self.learning_rates)
        require(
            n_solutions >= 3,
            f"a comparison needs 3 solutions or more, got {n_solutions}: "
            "name more batch_sizes or learning_rates",
        )
        require(
            self.n_fractions >= 3,
            "n_fractions must be 3 or more (both ends and a point "
            f"between), got {self.n_fractions}",
        )
        if self.spectrum_batch_sizes:
            check_distinct("spectrum_batch_sizes", self.spectrum_batch_sizes)
            check_training(self.spectrum_learning_rate, self.training_time, self.n_records)


@dataclass(frozen=True)
class RestartSpec(Spec):
    """The ends of a grid of end points again, from another start and with other batch orders.

    Attributes:
        restart: names the start and the batch orders, as a seed does.
        batch_sizes: as of the end points.
        learning_rates: as of the end points.
        training_time: as of the end points.
        n_fractions: as of the end points.
    """

    restart: int = 1
    batch_sizes: tuple[int, ...] = (20, 50, 100, 200)
    learning_rates: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05)
    training_time: float = 100.0
    n_fractions: int = 21

    def check(self) -> None:
        """Refuse what makes no sense for end points."""
        self.require_at_least(restart=0)
        _ = self.endpoints

    @property
    def endpoints(self) -> EndpointsSpec:
        """What is computed: the ends alone."""
        return EndpointsSpec(**self.shared_with(EndpointsSpec, seed=self.restart, n_records=2))


def restarts(n_restarts: int, **values: Any) -> Grid[RestartSpec]:
    """Several restarts, whose seeds are those after `seed`.

    Args:
        n_restarts: how often.
        values: what they have in common; see `RestartSpec`.

    Raises:
        ValueError: n_restarts is below one, or a value makes no sense.
    """
    count, seed = settle("n_restarts", int, n_restarts), settle("seed", int, values.get("seed", 0))
    require(count >= 1, f"n_restarts must be 1 or more, got {count}")
    require(seed >= 0, f"seed must be 0 or more, got {seed}")
    return Grid.of(RestartSpec, {"restart": tuple(range(seed + 1, seed + 1 + count))}, **values)


@dataclass(frozen=True)
class ContinuationSpec(SettingSpec):
    """An SGD run, left at many steps and continued with full-batch gradient descent (Fig. 4).

    Attributes:
        batch_size: B of the reference run.
        learning_rate: η of the reference run and of its continuations.
        branch_every: steps between branches.
        last_branch: step of the last branch; the first is 0.
        n_steps: step at which every branch is evaluated, on the reference run's clock.
        n_references: reference runs, each with its own batch order.
        n_records: equally spaced records, the first at step 0.
        flatness_every: the flatness is measured at every so many records and at the last.
        thresholds: values of L_c for the freezing time of the reference runs.
    """

    branch_every: int = 50
    last_branch: int = 1000
    n_steps: int = 2000
    n_references: int = 1
    n_records: int = 21
    flatness_every: int = 1
    thresholds: tuple[float, ...] = THRESHOLDS

    def check(self) -> None:
        """Refuse what makes no sense for continuations."""
        super().check()
        self.require_noise()
        last, every = self.last_branch, self.branch_every
        self.require_between("branch_every", 1, last, f"1 and last_branch {last}")
        require(
            last % every == 0,
            f"last_branch must be a multiple of branch_every {every}, got {last}",
        )
        require(
            last < self.n_steps, f"n_steps must be above last_branch {last}, got {self.n_steps}"
        )
        self.require_at_least(n_references=1, flatness_every=1)
        self.require_between("n_records", 2, self.n_steps + 1, "2 and n_steps + 1")

    @property
    def branch_steps(self) -> np.ndarray:
        """Steps t_c at which the run is left, int64, (n_branches,)."""
        return np.arange(0, self.last_branch + 1, self.branch_every)


@dataclass(frozen=True)
class BasinsSpec(Trained, SettingSpec):
    """Continuations at one (η, B), by a clock of training time.

    Attributes:
        batch_size: B of the reference runs.
        learning_rate: η of the reference runs and of their continuations.
        branch_time: ηt between branches.
        last_time: ηt of the last branch; the first is 0.
        training_time: ηt at which every branch is evaluated.
        n_references: reference runs.
        thresholds: values of L_c for the freezing time of the reference runs.
    """

    branch_time: float = 5.0
    last_time: float = 50.0
    training_time: float = 100.0
    n_references: int = 2
    thresholds: tuple[float, ...] = THRESHOLDS

    def check(self) -> None:
        """Refuse clocks that do not fit, and what makes no sense for continuations."""
        super().check()
        self.require_positive("branch_time")
        every, last = self.branch_time, self.last_time
        require(
            is_multiple(last, every),
            f"last_time must be a multiple of branch_time {every}, got {last}",
        )
        require(
            is_multiple(every, self.learning_rate),
            f"branch_time {every} must be a whole number of steps of "
            f"learning_rate {self.learning_rate}",
        )
        _ = self.continuation

    @property
    def continuation(self) -> ContinuationSpec:
        """What is computed, in steps."""
        every = round(self.branch_time / self.learning_rate)
        clock = {
            "branch_every": every,
            "last_branch": round(self.last_time / self.branch_time) * every,
            "n_steps": self.n_steps,
        }
        return ContinuationSpec(**self.shared_with(ContinuationSpec, **clock, n_records=2))

    @property
    def work(self) -> float:
        """Steps."""
        return self.n_steps


def is_multiple(value: float, unit: float) -> bool:
    """Whether a value is a unit once or several times, but for rounding."""
    times = value / unit
    return times >= 1 and math.isclose(times, round(times))


def check_batch_size(batch_size: int, n_train: int) -> None:
    """Refuse a batch that is empty or larger than the training set."""
    require(
        1 <= batch_size <= n_train,
        f"batch_size must lie between 1 and the {n_train} training samples, got {batch_size}",
    )


def check_training(learning_rate: float, training_time: float, n_records: int) -> None:
    """Refuse a training that is no training, or too short for its records."""
    for name, value in {"learning_rate": learning_rate, "training_time": training_time}.items():
        require(0 < value < math.inf, f"{name} must be positive and finite, got {value}")
    check_records(n_records, learning_rate, training_time)


def check_records(n_records: int, learning_rate: float, training_time: float) -> None:
    """Refuse a training without a step, and more records than it has steps."""
    n_steps = round(training_time / learning_rate)
    require(
        n_steps >= 1,
        f"training_time must last one step of learning_rate {learning_rate} or more, got "
        f"{training_time}",
    )
    require(
        2 <= n_records <= n_steps + 1,
        f"n_records must lie between 2 and {n_steps + 1} ({n_steps} steps of "
        f"learning_rate {learning_rate} and step 0), got {n_records}",
    )


def check_flatness_every(flatness_every: int) -> None:
    """Refuse a negative distance of records."""
    require(
        flatness_every >= 0,
        f"flatness_every must be 0 (the last record only) or more, got {flatness_every}",
    )


def check_thresholds(thresholds: Sequence[float]) -> None:
    """Refuse losses that are never reached, or none."""
    require(
        len(thresholds) > 0 and min(thresholds) > 0,
        f"thresholds must be positive losses, got {thresholds}",
    )


def check_rising(name: str, times: Sequence[float], least: int = 1) -> None:
    """Refuse fewer times than these, or times that do not rise from 0 on."""
    rising = list(times) == sorted(set(times)) and len(times) >= least
    require(
        rising and times[0] >= 0,
        f"{name} must be {least} or more times that rise from 0 on, got {times}",
    )


def check_levels(levels: Sequence[float]) -> None:
    """Refuse losses that are not positive and falling."""
    falling = all(high > low for high, low in itertools.pairwise(levels))
    require(
        len(levels) > 0 and min(levels) > 0 and falling,
        f"levels must be positive losses in falling order, got {levels}",
    )
