"""Noise of one strength and several shapes: mini-batches against isotropic noise, noise along the
curvature, and noise that does not fade with the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.noise.following import Course, Phase, follow
from valleys.nets.experiments.specs import (
    Spec,
    Trained,
    check_batch_size,
    check_levels,
    check_training,
)
from valleys.nets.measures.layer_hessian import flatness
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.nets.measures.walls import walls_of
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.nets.optimizers.following_noise import AlongTop, BatchesHere, IsotropicLike
from valleys.results.spec import require

KINDS = {  # of noise, and what it is until the run is frozen and afterwards
    "none": ("none", "none"),
    "reshuffled": ("reshuffled", "reshuffled"),
    "independent": ("independent", "independent"),
    "isotropic": ("isotropic", "isotropic"),
    "equal_lift": ("equal_lift", "equal_lift"),
    "equal_freezing": ("equal_freezing", "equal_freezing"),
    "top_0": ("top_0", "top_0"),
    "top_1": ("top_1", "top_1"),
    "top_2": ("top_2", "top_2"),
    "kept": ("independent", "kept"),
    "reshuffled_before": ("reshuffled", "none"),
    "top_1_before": ("top_1", "none"),
}
BY_BATCHES = ("reshuffled", "independent")  # throughout
ALONG = ("train_loss", "sharpness", "power", "lift")
AT_LEVELS = ("time", "loss", "flatness", "trace", "full_accuracy", "wall", "distance")
DESCRIPTIONS = {
    "time": "training time of the first step with a training loss below the level",
    "loss": "training loss at that step",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6)",
    "trace": "trace of the Hessian in all weights and biases",
    "full_accuracy": "fraction of all test images that is right",
    "wall": "rise of the training loss above the higher end on the line to gradient descent at "
    "the same level",
    "distance": "Euclidean distance from gradient descent at the same level",
    "train_loss": "mean cross-entropy on the training set",
    "sharpness": "batch sharpness, curvature of a mini-batch's loss along its own gradient",
    "power": "Tr Σ, mean squared length of the noise on the gradient",
    "lift": "Tr ΣH; η²/2 of it is how far a step of the noise raises the loss in the mean",
    "factor": "by which the power of mini-batches is multiplied",
    "matched_time": "mean freezing time of the pilots with that factor",
    "target_time": "mean freezing time of mini-batches in the same cell",
}
HALVINGS, WIDEST = 4, 4.0**8  # of the search for a factor, and the largest that is tried


@dataclass(frozen=True)
class NoiseShapesSpec(Trained, Spec):
    """Runs from one start with one kind of noise; each ends at the lowest level.

    Attributes:
        start: seed of the start; `seed` is of the noise alone.
        kind: of noise, one of `KINDS`.
        batch_size: B of the mini-batches, or of those whose strength the noise follows.
        learning_rate: η.
        training_time: ηt after which a run is given up.
        levels: training losses in falling order at which runs are looked at; the first is L_c,
            below which a run counts as frozen.
        n_runs: runs on mini-batches throughout.
        n_descents: runs of any other kind, which take all samples in most of their steps.
        look_every: steps between two looks at the strength of the noise; whole epochs.
        n_directions: eigenvectors that carry the noise along the curvature; they are renewed at
            every second look.
        n_probes: samples by which Tr ΣH is measured.
        n_pilots: runs by which noise is scaled to equal freezing.
    """

    start: int = 0
    kind: str = "reshuffled"
    batch_size: int = 20
    learning_rate: float = 0.02
    training_time: float = 60.0
    levels: tuple[float, ...] = (0.1, 0.05, 0.02)
    n_runs: int = 8
    n_descents: int = 3
    look_every: int = 50
    n_directions: int = 10
    n_probes: int = 4
    n_pilots: int = 2

    def check(self) -> None:
        """Refuse what makes no sense for shapes of noise."""
        known = ", ".join(KINDS)
        require(self.kind in KINDS, f"kind must be one of {known}, got {self.kind!r}")
        self.require_at_least(start=0, n_runs=1, n_descents=1, look_every=1, n_directions=1)
        self.require_at_least(n_probes=1, n_pilots=1)
        self.require_between("n_descents", 1, self.n_runs, "1 and n_runs")
        check_batch_size(self.batch_size, self.n_train - 1)
        check_training(self.learning_rate, self.training_time, 2)
        check_levels(self.levels)
        epoch = self.n_train / self.batch_size
        require(
            self.look_every % epoch == 0 or "reshuffled" not in KINDS[self.kind],
            f"look_every must be whole epochs of {epoch:g} steps, got {self.look_every}: batches "
            "are reshuffled after each look",
        )

    @property
    def n_looks(self) -> int:
        """Looks after which a run is given up."""
        return -(-self.n_steps // self.look_every)

    @property
    def count(self) -> int:
        """Runs of the kind."""
        if self.kind == "none":
            return 1
        return self.n_runs if self.kind in BY_BATCHES else self.n_descents

    @property
    def work(self) -> float:
        """Steps on all samples, about."""
        return self.count * self.n_steps * (0.2 if self.kind in BY_BATCHES else 1)


@dataclass(frozen=True)
class Match:
    """How isotropic noise was scaled to equal freezing; ones and NaN for other kinds.

    Attributes:
        factor: by which the power of mini-batches is multiplied.
        matched_time: mean freezing time of the pilots with it.
        target_time: mean freezing time of mini-batches.
    """

    factor: float = 1.0
    matched_time: float = float("nan")
    target_time: float = float("nan")


def noise_shapes(spec: NoiseShapesSpec) -> xr.Dataset:
    """What one kind of noise does from one start, held against gradient descent from there.

    Returns:
        Dimensions run, level, record. `time` [η · step], `loss`, `flatness`, `trace`,
        `full_accuracy`, `wall` and `distance` over (run, level), NaN where a run did not come
        there; `train_loss`, `sharpness`, `power` and `lift` over (run, record), every `look_every`
        steps until the run ends; `factor`, `matched_time` and `target_time` of equal freezing.
        Kinds with fewer runs than `n_runs` are NaN in the others.
    """
    problem, twin = _beginning(replace(spec, kind="none"))
    match = matched(problem, spec) if spec.kind == "equal_freezing" else Match()
    if spec.kind == "none":
        courses = [twin]
    else:
        runs = range(spec.count)
        courses = [_course(problem, spec, spec.kind, run, match.factor) for run in runs]
    found = xr.concat([_of_run(problem, spec, course, twin) for course in courses], "run")
    every = found.pad(run=(0, spec.n_runs - spec.count)).assign(vars(match))
    for name, text in DESCRIPTIONS.items():
        every[name].attrs["long_name"] = text
    step = spec.look_every * np.arange(spec.n_looks + 1)
    coords = {"level": list(spec.levels), "record_time": ("record", spec.learning_rate * step)}
    return every.assign_coords(coords).assign_attrs(
        n_train=spec.n_train, batch_size=spec.batch_size, learning_rate=spec.learning_rate
    )


@lru_cache(maxsize=1)
def _beginning(spec: NoiseShapesSpec) -> tuple[Problem[Networks], Course]:
    """The problem of a start with its gradient descent, which all kinds of noise share."""
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        seed=spec.start,
        device=spec.device,
    )
    return problem, _course(problem, spec, "none", 0, 1.0)


def matched(problem: Problem[Networks], spec: NoiseShapesSpec) -> Match:
    """The factor of isotropic noise at which runs freeze as late as those of mini-batches.

    The power is multiplied by 4 until the pilots freeze later, the bracket is halved four times in
    its logarithm, and of all that was tried the nearest is taken; pilots draw the same normal
    numbers for each factor.
    """
    frozen = [
        _course(problem, spec, "reshuffled", run, 1.0, spec.levels[:1]).times[0]
        for run in range(spec.n_runs)
    ]
    target, high = float(np.mean(frozen)), 1.0
    tried = {high: _pilot(problem, spec, high, target)}
    while tried[high] < target and high < WIDEST:
        high *= 4
        tried[high] = _pilot(problem, spec, high, target)
    low = high / 4
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        tried[middle] = _pilot(problem, spec, middle, target)
        low, high = (middle, high) if tried[middle] < target else (low, middle)
    factor = min(tried, key=lambda each: abs(tried[each] - target))
    return Match(factor, tried[factor], target)


def _pilot(
    problem: Problem[Networks], spec: NoiseShapesSpec, factor: float, target: float
) -> float:
    """Mean freezing time of pilots; those that take twice the target count as twice."""
    latest = 2 * target
    times = [
        _course(problem, spec, "equal_freezing", run, factor, spec.levels[:1], latest).times[0]
        for run in range(spec.n_runs, spec.n_runs + spec.n_pilots)
    ]
    return float(np.nan_to_num(times, nan=latest).mean())


def _course(
    problem: Problem[Networks],
    spec: NoiseShapesSpec,
    kind: str,
    run: int,
    factor: float,
    levels: Sequence[float] = (),
    latest: float = 0.0,
) -> Course:
    """One run of a kind to the last of its levels, with streams of its own."""
    key = (spec.start, int.from_bytes(kind.encode()), run)
    streams = np.random.SeedSequence(spec.seed, spawn_key=key).spawn(2)
    n_looks = round(latest / spec.learning_rate) // spec.look_every + 1 if latest else spec.n_looks
    before, after = KINDS[kind]
    return follow(
        problem.start.copy(),
        problem.train,
        learning_rate=spec.learning_rate,
        batch_size=spec.batch_size,
        look_every=spec.look_every,
        n_looks=n_looks,
        levels=levels or spec.levels,
        phases=(phase(spec, before, factor), phase(spec, after, factor)),
        streams=tuple(np.random.default_rng(each) for each in streams),
    )


def phase(spec: NoiseShapesSpec, name: str, factor: float = 1.0) -> Phase:
    """How a run goes on with one kind of noise."""
    reshuffled = BatchesHere(spec.batch_size, replacement=False, n_probes=spec.n_probes)
    independent = BatchesHere(spec.batch_size, n_probes=spec.n_probes)
    if name == "none":
        return Phase()
    if name == "reshuffled":
        return Phase.on(reshuffled)
    if name == "independent":
        return Phase.on(independent)
    if name == "kept":
        return Phase(kept=independent)
    if name.startswith("top_"):
        exponent = float(name.removeprefix("top_"))
        return Phase(AlongTop(reshuffled, exponent, spec.n_directions, renew_every=2))
    if name == "equal_lift":
        return Phase(IsotropicLike(reshuffled, "lift"))
    return Phase(IsotropicLike(reshuffled, factor=factor))


def _of_run(
    problem: Problem[Networks], spec: NoiseShapesSpec, course: Course, twin: Course
) -> xr.Dataset:
    """What is known of one run, beside gradient descent."""
    rows = [_at_level(problem, course, twin, level) for level in range(len(spec.levels))]
    along = np.full((len(ALONG), spec.n_looks + 1), np.nan)
    along[:, : len(course.records)] = np.array(course.records).T
    levels = {name: ("level", [row[name] for row in rows]) for name in AT_LEVELS}
    records = {name: ("record", row) for name, row in zip(ALONG, along, strict=True)}
    return xr.Dataset(levels | records)


def _at_level(
    problem: Problem[Networks], course: Course, twin: Course, level: int
) -> dict[str, float]:
    """What a run is when it first passes a level."""
    here, calm = course.passed[level], twin.passed[level]
    found: dict[str, float] = dict.fromkeys(AT_LEVELS, float("nan"))
    if here is None:
        return found
    found |= {"time": course.times[level], "loss": float(evaluate(here, problem.train).loss)}
    found["flatness"] = flatness(second_layer_eigenvalues(here, problem.train.images, 0))
    found["trace"] = SampleSlopes.of(here, problem.train).trace()
    found["full_accuracy"] = float(evaluate(here, problem.full_test).accuracy)
    if calm is not None:
        both = join([here, calm])
        found["wall"] = float(walls_of(both, np.array([[0, 1]]), problem.train)[0])
        apart = here.flat() - calm.flat()
        found["distance"] = float(apart.double().norm())
    return found
