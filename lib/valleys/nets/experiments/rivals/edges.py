"""Curvature along training against the edges of stability, by batch size and momentum."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.training import evaluate, plan
from valleys.nets.experiments.specs import MAIN_THRESHOLD, SettingSpec, check_levels
from valleys.nets.measures.curvature import batch_sharpness
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.optimizers.methods import method
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize
from valleys.results.spec import require

DESCRIPTIONS = {
    "sharpness": "largest eigenvalue of the Hessian of the training loss in all weights and biases",
    "batch_sharpness": "curvature of a mini-batch's loss along its own gradient",
    "loss": "training loss",
    "time": "training time over (1 − β)",
}


@dataclass(frozen=True)
class EdgeSpec(SettingSpec):
    """One run from one start, looked at until it freezes.

    Attributes:
        learning_rate: η/(1 − β), the same way a step for every momentum.
        momentum: β.
        start: seed of the start; `seed` is of the batch order.
        n_looks: moments, equally spaced from the start to freezing.
        n_batches: of which the batch sharpness is the mean.
        threshold: L_c.
        longest: time at which a run that does not freeze is refused.
    """

    momentum: float = 0.0
    start: int = 0
    n_looks: int = 20
    n_batches: int = 10
    threshold: float = MAIN_THRESHOLD
    longest: float = 200.0

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_at_least(start=0, n_looks=2, n_batches=1)
        self.require_positive("longest")
        fits = 0 <= self.momentum < 1
        require(fits, f"momentum must be 0 or more and below 1, got {self.momentum}")
        check_levels((self.threshold,))

    @property
    def rate(self) -> float:
        """η."""
        return self.learning_rate * (1 - self.momentum)

    @property
    def edges(self) -> tuple[float, float]:
        """2(1 − β)/η and 2(1 + β)/η: below the first nothing is unstable, above the second
        everything is (Cohen et al. 2021).
        """
        return 2 * (1 - self.momentum) / self.rate, 2 * (1 + self.momentum) / self.rate

    def recipe(self) -> Recipe:
        """How it is trained."""
        settings = {"momentum": self.momentum} if self.momentum else {}
        return Recipe(self.rate, self.batch_size, method("sgd", **settings))

    def order(self) -> list[np.random.Generator]:
        """The stream of batch orders."""
        return [np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.start,)))]


def edges(spec: EdgeSpec) -> xr.Dataset:
    """Curvature of a run on its way to freezing.

    Returns:
        Over look: `sharpness`, `batch_sharpness`, `loss` and `time`; `lower_edge` and `upper_edge`
        of stability, and `freezing_time`, in the same unit of time.

    Raises:
        ValueError: the run does not freeze within the longest time.
    """
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        seed=spec.start,
        device=spec.device,
    )
    frozen = _frozen(spec, problem)
    steps = np.linspace(0, frozen, spec.n_looks).round().astype(int)
    seen: dict[int, tuple[float, ...]] = {}

    def look(step: int, networks: Any) -> None:
        seen[step] = _looked(spec, problem, networks)

    _train(spec, problem, frozen, plan((np.unique(steps).tolist(), look)))
    rows = np.array([seen[step] for step in steps.tolist()]).T
    found = dict(zip(DESCRIPTIONS, [*rows, spec.learning_rate * steps], strict=True))
    values = {
        name: ("look", each, {"long_name": DESCRIPTIONS[name]}) for name, each in found.items()
    }
    lower, upper = spec.edges
    ends = {"lower_edge": lower, "upper_edge": upper, "freezing_time": spec.learning_rate * frozen}
    return xr.Dataset(values, attrs={"n_train": spec.n_train}).assign(ends)


def _looked(
    spec: EdgeSpec, problem: Problem[Networks], networks: Networks
) -> tuple[float, float, float]:
    """Sharpness, batch sharpness and loss of a network."""
    sharp = float(top_eigenpairs(WholeNetwork.of(networks, problem.train), 1).values[0])
    stream, n_batches = np.random.default_rng(spec.seed), 1 if spec.full_batch else spec.n_batches
    batch = batch_sharpness(networks, problem.train, spec.batch_size, stream, n_batches)
    return sharp, float(batch[0]), float(evaluate(networks, problem.train).loss[0])


def _frozen(spec: EdgeSpec, problem: Problem[Networks]) -> int:
    """First step below the threshold."""
    passages, longest = Passages((spec.threshold,)), round(spec.longest / spec.learning_rate)
    piece = passages.watched({}, problem.train, longest)

    class Done(Exception):  # not an error: it ends the search
        """The run is frozen."""

    def watch(step: int, networks: Any) -> None:
        piece[step](step, networks)
        if np.isfinite(passages.first[0, 0]):
            raise Done

    try:
        _train(spec, problem, longest, dict.fromkeys(range(longest + 1), watch))
    except Done:
        return int(passages.first[0, 0])
    raise ValueError(
        f"the run from start {spec.start} with batch_size {spec.batch_size} does not fall below "
        f"{spec.threshold:g} by the time {spec.longest:g}; raise longest, or change learning_rate"
    )


def _train(spec: EdgeSpec, problem: Problem[Networks], n_steps: int, visits: Any) -> None:
    """The run from its start."""
    how: dict[str, Any] = {"n_steps": n_steps, "streams": spec.order(), "visits": visits}
    optimize(problem.start.copy(), problem.train, spec.recipe(), **how)
