"""Branches of a run that go on uphill-aware, noisy or plainly: another valley, or the same one made
flatter?
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.descents import descend
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.rivals.contenders import RADIUS
from valleys.nets.experiments.runs import Branches
from valleys.nets.experiments.specs import MAIN_THRESHOLD, SettingSpec, check_levels
from valleys.nets.measures.walls import walls_of
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize
from valleys.results.spec import check_distinct, require

PLAIN = "plain"  # against which the others are held
HOWS = (PLAIN, "sam", "noisy")
DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), where gradient descent after the continuation passes the level",
    "accuracy": "fraction of all test images that is right there",
    "wall": "rise of the training loss above the higher end on the line to where the plain "
    "continuation of the same branch passes the level",
    "loss": "training loss at the end of the continuation",
}


@dataclass(frozen=True)
class BranchSpec(SettingSpec):
    """Runs of mini-batch descent from one start, left at moments of their own, and continued.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        moments: when branches leave, over the freezing time of each run.
        n_runs: runs.
        stretch: ηt for which a branch is continued in one way.
        radius: ρ of sharpness-aware continuations, which see all samples.
        threshold: L_c of the freezing time.
        level: loss to which gradient descent then goes, and at which branches are compared.
        longest: ηt at which a run that does not freeze, or a descent, gives up.
    """

    batch_size: int = 20
    learning_rate: float = 0.05
    start: int = 0
    moments: tuple[float, ...] = (0.25, 0.5, 1.0, 1.5)
    n_runs: int = 3
    stretch: float = 15.0
    radius: float = RADIUS
    threshold: float = MAIN_THRESHOLD
    level: float = 0.01
    longest: float = 200.0

    def check(self) -> None:
        """Refuse what makes no sense for such branches."""
        super().check()
        self.require_noise()
        self.require_at_least(start=0, n_runs=1)
        self.require_positive("stretch", "radius", "longest")
        check_distinct("moments", self.moments)
        require(min(self.moments) >= 0, f"moments must be 0 or more, got {self.moments}")
        check_levels((self.threshold, self.level))

    @property
    def work(self) -> float:
        """Branches, each with its descents."""
        return self.n_runs * len(self.moments)

    def orders(self) -> list[np.random.Generator]:
        """Streams of batch orders."""
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.start, run)))
            for run in range(self.n_runs)
        ]


def branches(spec: BranchSpec) -> xr.Dataset:
    """What each way of going on makes of branches from one start.

    Returns:
        Dimensions how, moment, run: `flatness`, `accuracy` and `wall` at the level, `loss` at the
        end of the continuation; NaN for branches that do not come down to the level. Over run:
        `freezing_time` [ηt].

    Raises:
        ValueError: a run does not freeze within the longest time.
    """
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        seed=spec.start,
        device=spec.device,
    )
    left, frozen = _left(spec, problem)
    ends = {how: GOING_ON[how](left, problem, spec) for how in HOWS}
    found = _compared(ends, problem, spec)
    shape = (len(HOWS), len(spec.moments), spec.n_runs)
    dims = ("how", "moment", "run")
    values = {
        name: (dims, each.reshape(shape), {"long_name": DESCRIPTIONS[name]})
        for name, each in found.items()
    }
    coords = {"how": list(HOWS), "moment": list(spec.moments)}
    kept = ("dataset", "n_train", "batch_size", "learning_rate", "threshold", "level", "stretch")
    attributes = {name: getattr(spec, name) for name in kept}
    known = xr.Dataset(values, coords, attributes)
    return known.assign(freezing_time=("run", spec.learning_rate * frozen))


def _left(spec: BranchSpec, problem: Problem[Networks]) -> tuple[Networks, np.ndarray]:
    """All branches, moment by moment, and the step at which each run freezes."""
    frozen = _frozen(spec, problem)
    steps = (np.array(spec.moments)[:, None] * frozen).round().astype(int)  # (moment, run)
    seen = Branches()
    networks, last = problem.start.repeat(spec.n_runs), int(steps.max())
    visits = dict.fromkeys(np.unique(steps).tolist(), seen)
    _descend(spec, networks, problem, spec.orders(), last, visits=visits)
    left = [seen[step].one(run) for row in steps.tolist() for run, step in enumerate(row)]
    return join(left).copy(), frozen


def _frozen(spec: BranchSpec, problem: Problem[Networks]) -> np.ndarray:
    """First step of each run below the threshold, (n_runs,)."""
    passages, networks = Passages((spec.threshold,)), problem.start.repeat(spec.n_runs)
    longest = round(spec.longest / spec.learning_rate)
    _descend(spec, networks, problem, spec.orders(), longest, passages=passages)
    frozen = passages.first[:, 0]
    require(
        bool(np.isfinite(frozen).all()),
        f"a run from start {spec.start} does not fall below {spec.threshold:g} by the time "
        f"{spec.longest:g}; raise longest, or change learning_rate {spec.learning_rate:g}",
    )
    return frozen


def _descend(
    spec: BranchSpec,
    networks: Networks,
    problem: Problem[Networks],
    streams: list[np.random.Generator],
    n_steps: int,
    **watched: Any,
) -> None:
    """Mini-batch descent in place."""
    how: dict[str, Any] = {"learning_rate": spec.learning_rate, "batch_size": spec.batch_size}
    how |= {"n_steps": n_steps, "streams": streams, "visits": {}} | watched
    train(networks, problem.train, **how)


def _steps(spec: BranchSpec) -> int:
    return max(1, round(spec.stretch / spec.learning_rate))


def _plainly(left: Networks, problem: Problem[Networks], spec: BranchSpec) -> Networks:
    """Gradient descent."""
    networks = left.copy()
    how: dict[str, Any] = {"learning_rate": spec.learning_rate, "batch_size": spec.n_train}
    train(networks, problem.train, **how, n_steps=_steps(spec), streams=(), visits={})
    return networks


def _uphill(left: Networks, problem: Problem[Networks], spec: BranchSpec) -> Networks:
    """Sharpness-aware descent on all samples, which has no noise."""
    networks, recipe = left.copy(), Recipe(spec.learning_rate, spec.n_train, radius=spec.radius)
    streams = [np.random.default_rng(0)] * len(networks)  # nothing is drawn from them
    optimize(networks, problem.train, recipe, n_steps=_steps(spec), streams=streams, visits={})
    return networks


def _noisily(left: Networks, problem: Problem[Networks], spec: BranchSpec) -> Networks:
    """Mini-batch descent with batch orders of its own."""
    networks, streams = left.copy(), [order.spawn(1)[0] for order in spec.orders()]
    every = [each for order in streams for each in order.spawn(len(spec.moments))]
    # branches lie moment by moment, so that each run's streams are a stride apart
    placed = [
        every[run * len(spec.moments) + at]
        for at in range(len(spec.moments))
        for run in range(spec.n_runs)
    ]
    _descend(spec, networks, problem, placed, _steps(spec))
    return networks


GOING_ON: dict[str, Callable[[Networks, Problem[Networks], BranchSpec], Networks]] = {
    PLAIN: _plainly,
    "sam": _uphill,
    "noisy": _noisily,
}


def _compared(
    ends: dict[str, Networks], problem: Problem[Networks], spec: BranchSpec
) -> dict[str, np.ndarray]:
    """All continuations where gradient descent from their ends passes the level, (n_hows · R,)."""
    every = join(list(ends.values()))
    loss = evaluate(every, problem.train).loss.cpu().numpy()
    longest, piece = round(spec.longest / spec.learning_rate), round(1 / spec.learning_rate)
    how: dict[str, Any] = {"levels": (spec.level,), "piece": max(1, piece), "longest": longest}
    descent = descend(every, problem.train, learning_rate=spec.learning_rate, **how)
    there, came = descent.copies[0], np.isfinite(descent.first[:, 0])
    count = len(every) // len(HOWS)
    pairs = np.stack([np.arange(len(every)), np.arange(len(every)) % count], axis=1)
    values = {
        "flatness": flatnesses(there, problem, np.flatnonzero(came)),
        "accuracy": evaluate(there, problem.full_test).accuracy.cpu().numpy(),
        "wall": np.where(came[pairs[:, 1]], walls_of(there, pairs, problem.train), np.nan),
    }
    return {name: np.where(came, each, np.nan) for name, each in values.items()} | {"loss": loss}
