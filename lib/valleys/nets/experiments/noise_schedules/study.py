"""Networks trained by schedules of noise, and looked at where their losses are equal."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import numpy as np
import xarray as xr

from valleys.nets.datasets import N_CLASSES
from valleys.nets.engine.convolutional import small_network
from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.problem import Problem, load_problem, streams
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate, sample_losses
from valleys.nets.experiments.noise_schedules import courses
from valleys.nets.experiments.noise_schedules.courses import (
    BUDGETS,
    N_PIECES,
    RULES,
    Reference,
    Stretch,
)
from valleys.nets.experiments.noise_schedules.ways import Orders, Way, children
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    Spec,
    check_batch_size,
    check_levels,
    check_training,
)
from valleys.nets.measures.curvature import closest, last_matrix
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness
from valleys.nets.optimizers.freezing import FreezingMonitor
from valleys.nets.optimizers.training import Order
from valleys.results.spec import require

TAIL_PIECE = 2.5  # of training time after which the tail looks whether all runs are low enough
SHAPES = {"digits": (8, 8), "mnist": (28, 28), "cifar10": (32, 32, 3)}  # of the images
DESCRIPTIONS = {
    "freezing_time": "training time of the first step with training loss below L_c (Eq. 7)",
    "told_time": "training time at which the rule said that a run was frozen",
    "judged_time": "training time at which the rule judged the loss to have crossed L_c",
    "steps": "updates",
    "samples": "samples seen, one after the other",
    "time": "training time, sum of the learning rates",
    "dose": "sum of learning rate squared times the batch factor before the covariance",
    "end_loss": "mean cross-entropy on the training set at the end of the schedule",
    "end_accuracy": "fraction of all test images that is right there",
    "end_flatness": "inverse geometric mean of the ten largest eigenvalues of the Hessian (Eq. 6)",
    "level_time": "training time at which the loss first fell below a level, the tail included",
    "level_accuracy": "fraction of all test images that is right there",
    "level_flatness": "flatness there",
}


@dataclass(frozen=True)
class NoiseScheduleSpec(Spec):
    """Runs from one start by one schedule, and then by a common tail of little noise.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        schedule: one of `courses.names(budget)`.
        budget: what all schedules have alike, `time` or `samples`.
        batch_size: B of the constant schedule.
        learning_rate: η of the constant schedule, the highest of all.
        training_time: ηt of the constant schedule at its end.
        calm_batch_size: of quiet stretches.
        strong_batch_size: of the schedule with more noise throughout.
        tail_batch_size: of the tail, which has the learning rate of the constant schedule.
        longest_tail: ηt after which the tail ends, whatever the loss.
        n_runs: runs, which differ in batch order only.
        threshold: L_c.
        levels: training losses at which runs are compared, falling, below the threshold.
        window: losses of batches in the running mean of the rule that looks.
        stay: further batches for which that mean must stay below L_c.
        channels: widths of the convolutions of a small convolutional network; the fully connected
            one if empty.
    """

    start: int = 0
    schedule: str = "constant"
    budget: str = "time"
    batch_size: int = 50
    learning_rate: float = 0.05
    training_time: float = 40.0
    calm_batch_size: int = 500
    strong_batch_size: int = 20
    tail_batch_size: int = 200
    longest_tail: float = 60.0
    n_runs: int = 8
    threshold: float = MAIN_THRESHOLD
    levels: tuple[float, ...] = (0.03, 0.02, 0.014)
    window: int = 20
    stay: int = 20
    channels: tuple[int, ...] = ()

    def check(self) -> None:
        """Refuse what makes no sense for a schedule."""
        known = ", ".join(BUDGETS)
        require(self.budget in BUDGETS, f"budget must be one of {known}, got {self.budget!r}")
        some = courses.names(self.budget)
        require(
            self.schedule in some,
            f"schedule must be one of {', '.join(some)} at equal {self.budget}, "
            f"got {self.schedule!r}",
        )
        self.require_at_least(start=0, n_runs=2, window=1, stay=0)
        self.require_positive("threshold", "longest_tail")
        check_training(self.learning_rate, self.training_time, 2)
        self._check_sizes()
        check_levels((self.threshold, *self.levels))
        least = min(self.channels, default=1)
        require(least >= 1, f"channels must be widths of 1 or more, got {self.channels}")

    def _check_sizes(self) -> None:
        sizes = (self.strong_batch_size, self.batch_size, self.calm_batch_size)
        for size in (*sizes, self.tail_batch_size):
            check_batch_size(size, self.n_train)
        rising = sizes[0] < sizes[1] < sizes[2] < self.n_train
        require(
            rising,
            "strong_batch_size, batch_size and calm_batch_size must rise, and stay below the "
            f"{self.n_train} training samples, got {sizes}",
        )

    @property
    def order_seed(self) -> int:
        """Of the batch orders: others for each start."""
        return int(np.random.SeedSequence([self.seed, self.start]).generate_state(1)[0])

    def orders(self) -> list[Orders]:
        """Streams of batch orders: the same for all schedules, so that two that begin alike are
        alike until they part.
        """
        every = streams(self.order_seed, self.batch_size, self.learning_rate, self.n_runs)
        return [Orders.of(stream) for stream in every]

    def reference(self, freezing_time: float) -> Reference:
        """The constant schedule, with its freezing time from this start."""
        return Reference(
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            training_time=self.training_time,
            calm_batch_size=self.calm_batch_size,
            strong_batch_size=self.strong_batch_size,
            n_train=self.n_train,
            freezing_time=freezing_time,
        )


def noise_schedule(spec: NoiseScheduleSpec) -> xr.Dataset:
    """What a schedule makes of runs from one start, and what it costs.

    Returns:
        Dimensions run and level. Over run: `freezing_time`, `told_time` and `judged_time` (both NaN
        without a rule that looks) [η · step], `steps`, `samples`, `time` and `dose` of the
        schedule, `end_loss`, `end_accuracy` and `end_flatness` at its end; over (run, level), the
        tail included, `level_time`, `level_accuracy` and `level_flatness` where the loss first fell
        below a level, NaN where it never did. `reference_freezing_time` is the constant one's.
    """
    problem = _problem(spec)
    reference = spec.reference(_freezing_time(replace(spec, schedule="constant", budget="time")))
    if spec.schedule in RULES:
        watched = _watched(spec, problem)
        runs = range(spec.n_runs)
        found = xr.concat([_by_rule(spec, problem, reference, watched, run) for run in runs], "run")
    else:
        found = _by_clock(spec, problem, reference)
    for name, text in DESCRIPTIONS.items():
        found[name].attrs["long_name"] = text
    found["reference_freezing_time"] = reference.freezing_time
    attributes = {"dataset": spec.dataset, "n_train": spec.n_train, "threshold": spec.threshold}
    return found.assign_coords(level=list(spec.levels)).assign_attrs(attributes)


def _problem(spec: NoiseScheduleSpec) -> Problem:
    """The training set and the start."""
    model = None
    if spec.channels:
        shape = SHAPES[spec.dataset]
        model = partial(small_network, shape, N_CLASSES, spec.channels)
    return load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        model=model,
        seed=spec.start,
        device=spec.device,
    )


@dataclass
class Watched:
    """Runs by the constant schedule, each with a monitor of its batch losses.

    Attributes:
        way: of all runs.
        orders: a twin of the batch orders, from which batches are known before they are used.
        batch_size: B.
        n_steps: updates in all.
        monitors: one a run.
        frozen: each run as it was after the update at which its monitor told that it was frozen.
    """

    way: Way
    orders: Order
    batch_size: int
    n_steps: int
    monitors: list[FreezingMonitor]
    frozen: dict[int, Stack] = field(default_factory=dict)

    def __call__(self, step: int, networks: Stack) -> None:
        """Copy the runs that the last update has shown to be frozen, then look at the batch of
        this step.
        """
        for run, monitor in enumerate(self.monitors):
            if monitor.frozen_at == step:
                self.frozen[run] = networks.pick(slice(run, run + 1)).copy()
        if step == self.n_steps:
            return
        images, labels = self.way.samples.batch(self.orders.take(self.batch_size))
        losses = sample_losses(networks.scores(images, own=True), labels).mean(dim=1)
        for monitor, loss in zip(self.monitors, losses.tolist(), strict=True):
            monitor.update(loss)


@lru_cache(maxsize=1)  # the schedules of one start follow each other
def _freezing_time(spec: NoiseScheduleSpec) -> float:
    """ηt at which runs by the constant schedule freeze, their mean.

    Raises:
        ValueError: a run does not freeze.
    """
    problem, orders = _problem(spec), spec.orders()
    way, left = Way.begin(problem.start.repeat(spec.n_runs), problem.train, (spec.threshold,)), 1
    n_steps, piece = spec.reference(0).n_steps, max(1, spec.reference(0).n_steps // N_PIECES)
    while np.isnan(way.first).any() and (left := n_steps - len(way.rates)) > 0:
        stretch = Stretch(min(piece, left), spec.learning_rate, spec.batch_size)
        way.advance(stretch, orders)
    require(
        bool(np.isfinite(way.first).all()),
        f"a run by the constant schedule does not fall below {spec.threshold:g} within "
        f"training_time {spec.training_time:g}: train longer, or change learning_rate",
    )
    return float(way.time(way.first).mean())


def _watched(spec: NoiseScheduleSpec, problem: Problem) -> Watched:
    """All runs by the constant schedule to its end, with what their batches tell."""
    networks = problem.start.repeat(spec.n_runs)
    way = Way.begin(networks, problem.train, (spec.threshold, *spec.levels))
    settings = {"window": spec.window, "stay": spec.stay}
    monitors = [FreezingMonitor(spec.threshold, **settings) for _ in range(spec.n_runs)]
    n_steps, order = spec.reference(0).n_steps, Order(spec.n_train, spec.orders())
    watched = Watched(way, order, spec.batch_size, n_steps, monitors)
    stretch = Stretch(n_steps, spec.learning_rate, spec.batch_size)
    way.advance(stretch, spec.orders(), watched)
    return watched


def _by_clock(spec: NoiseScheduleSpec, problem: Problem, reference: Reference) -> xr.Dataset:
    """All runs of a schedule that goes by a clock."""
    networks = problem.start.repeat(spec.n_runs)
    way = Way.begin(networks, problem.train, (spec.threshold, *spec.levels))
    orders = spec.orders()
    for stretch in courses.course(spec.schedule, spec.budget, reference):
        way.advance(stretch, orders)
    return _looked_at(way, problem, spec, orders)


def _by_rule(
    spec: NoiseScheduleSpec, problem: Problem, reference: Reference, watched: Watched, run: int
) -> xr.Dataset:
    """One run of a schedule that looks whether it is frozen; without a sign of it, it ends as the
    constant schedule does.
    """
    monitor, orders = watched.monitors[run], children(spec.orders()[run : run + 1])
    n_steps = len(watched.way.rates) if monitor.frozen_at is None else monitor.frozen_at
    network = watched.frozen.get(run, watched.way.networks.pick(slice(run, run + 1)).copy())
    way = watched.way.one(run, network, n_steps)
    left = courses.rest(spec.schedule, spec.budget, reference, n_steps)
    if left.n_steps:
        way.advance(left, orders)
    told = np.array([n_steps if monitor.frozen else np.nan])
    judged = told if monitor.crossed_at is None else np.array([max(np.ceil(monitor.crossed_at), 0)])
    times = {"told_time": ("run", way.time(told)), "judged_time": ("run", way.time(judged))}
    return _looked_at(way, problem, spec, orders).assign(times)


def _looked_at(
    way: Way, problem: Problem, spec: NoiseScheduleSpec, orders: list[Orders]
) -> xr.Dataset:
    """What runs are at the end of their schedule, and at the levels after the tail.

    Raises:
        ValueError: a run is not finite.
    """
    require(
        bool(way.networks.alive.all()),
        f"a run diverged by the schedule {spec.schedule}; choose a smaller learning_rate",
    )
    count = len(way.networks)
    spent = {name: np.full(count, value) for name, value in way.spent().items()}
    unknown = dict.fromkeys(("told_time", "judged_time"), np.full(count, np.nan))
    values = (
        spent
        | unknown
        | {
            "end_loss": evaluate(way.networks, problem.train).loss.cpu().numpy(),
            "end_accuracy": evaluate(way.networks, problem.full_test).accuracy.cpu().numpy(),
            "end_flatness": flatnesses(way.networks, problem),
        }
    )
    found = {name: ("run", each.astype(float)) for name, each in values.items()}
    _tail(way, spec, children(orders))
    return xr.Dataset(found | _at_levels(way, problem, spec))


def _tail(way: Way, spec: NoiseScheduleSpec, orders: list[Orders]) -> None:
    """Little noise, until all losses have fallen below all levels or the tail is over."""
    n_steps = max(1, round(TAIL_PIECE / spec.learning_rate))
    piece = Stretch(n_steps, spec.learning_rate, spec.tail_batch_size)
    for _ in range(int(np.ceil(spec.longest_tail / (n_steps * spec.learning_rate)))):
        if np.isfinite(way.first).all():
            return
        way.advance(piece, orders)


def _at_levels(
    way: Way, problem: Problem, spec: NoiseScheduleSpec
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """What they were where their losses fell below each level."""
    times = way.time(way.first)
    flat, right = (each.reshape(times.shape)[:, 1:] for each in _of_copies(way, problem))
    came = np.isfinite(times[:, 1:])
    rows = {"level_time": times[:, 1:], "level_flatness": flat, "level_accuracy": right}
    found = {name: (("run", "level"), np.where(came, each, np.nan)) for name, each in rows.items()}
    return {"freezing_time": (("run",), times[:, 0])} | found


def _of_copies(way: Way, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Flatness of each copy, but for those at the threshold, and accuracy on all test images."""
    count, passed = len(way.levels), np.isfinite(way.first).ravel()
    chosen = passed & (np.arange(len(passed)) % count > 0)
    flat = flatnesses(way.copies, problem, np.flatnonzero(chosen))
    return flat, evaluate(way.copies, problem.full_test).accuracy.cpu().numpy()


def flatnesses(
    networks: Stack, problem: Problem, chosen: Sequence[int] | np.ndarray | None = None
) -> np.ndarray:
    """Flatness of each network in the second matrix of a fully connected one, in the last of any
    other, (R,); NaN where rounding hides it.

    Args:
        networks: R networks.
        problem: on whose training set.
        chosen: the only ones to be measured, by their places; all if None.
    """
    names = list(networks.parameters)
    matrix = names[2 * SECOND_LAYER] if isinstance(networks, Networks) else last_matrix(networks)
    found = np.full(len(networks), np.nan)
    for index in range(len(networks)) if chosen is None else chosen:
        bent = closest(networks, problem.train, int(index), [matrix])
        try:
            found[index] = flatness(top_eigenpairs(bent, TOP).values)
        except ArithmeticError:
            continue
    return found
