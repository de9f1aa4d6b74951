"""Runs from one start, and the places at which something else is tried with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.descents import descend
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.experiments.runs import Branches
from valleys.nets.experiments.specs import MAIN_THRESHOLD, SettingSpec, check_levels
from valleys.results.spec import require


@dataclass(frozen=True)
class StartSpec(SettingSpec):
    """Runs of mini-batch descent from one start, which differ in batch order only.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        n_runs: runs.
        threshold: L_c of the freezing time.
        level: loss to which gradient descent goes in the end, and at which networks are compared.
        descent_rate: η of that descent.
        longest: ηt at which a run that does not freeze, or a descent, gives up.
    """

    batch_size: int = 20
    start: int = 0
    n_runs: int = 3
    threshold: float = MAIN_THRESHOLD
    level: float = 0.01
    descent_rate: float = 0.05
    longest: float = 200.0

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_at_least(start=0, n_runs=1)
        self.require_positive("descent_rate", "longest")
        check_levels((self.threshold, self.level))

    @property
    def problem(self) -> Problem[Networks]:
        """The training set and the start."""
        return load_problem(
            self.dataset,
            train_per_class=self.train_per_class,
            test_per_class=self.test_per_class,
            seed=self.start,
            device=self.device,
        )

    def orders(self, *part: int, count: int | None = None) -> list[np.random.Generator]:
        """Streams of batch orders for a part of the study, one a run or as many as are asked."""
        key = (self.start, *part)
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(*key, place)))
            for place in range(self.n_runs if count is None else count)
        ]


def passed(spec: StartSpec, problem: Problem[Networks], loss: float) -> Passages:
    """When each run is first below a loss, with a copy of it there.

    Raises:
        ValueError: a run does not come there within the longest time.
    """
    passages, networks = Passages((loss,), keep=True), problem.start.repeat(spec.n_runs)
    run(spec, networks, problem, round(spec.longest / spec.learning_rate), passages=passages)
    require(
        bool(np.isfinite(passages.first).all()),
        f"a run from start {spec.start} does not fall below {loss:g} by the time "
        f"{spec.longest:g}; raise longest, or change learning_rate {spec.learning_rate:g}",
    )
    return passages


def left(
    spec: StartSpec, problem: Problem[Networks], moments: Sequence[float]
) -> tuple[Networks, np.ndarray]:
    """Each run at some multiples of its own freezing time.

    Returns:
        The networks, moment by moment, and the step at which each run freezes, (n_runs,).
    """
    frozen = passed(spec, problem, spec.threshold).first[:, 0]
    steps = (np.array(moments)[:, None] * frozen).round().astype(int)  # (moment, run)
    seen, networks = Branches(), problem.start.repeat(spec.n_runs)
    visits = dict.fromkeys(np.unique(steps).tolist(), seen)
    run(spec, networks, problem, int(steps.max()), visits=visits)
    each = [seen[step].one(place) for row in steps.tolist() for place, step in enumerate(row)]
    return join(each).copy(), frozen


def run(
    spec: StartSpec, networks: Networks, problem: Problem[Networks], n_steps: int, **watched: Any
) -> None:
    """Mini-batch descent in place, by the setting of the spec."""
    how: dict[str, Any] = {"learning_rate": spec.learning_rate, "batch_size": spec.batch_size}
    how |= {"n_steps": n_steps, "streams": spec.orders(), "visits": {}} | watched
    train(networks, problem.train, **how)


def brought_down(
    spec: StartSpec, networks: Networks, problem: Problem[Networks]
) -> tuple[Networks, np.ndarray]:
    """Gradient descent of all networks to the level.

    Returns:
        The networks there, and whether each has come, (R,); one that was below from the beginning
        has not.
    """
    steps = [max(1, round(time / spec.descent_rate)) for time in (1.0, spec.longest)]
    how: dict[str, Any] = {"levels": (spec.level,), "piece": steps[0], "longest": steps[1]}
    descent = descend(networks, problem.train, learning_rate=spec.descent_rate, **how)
    return descent.copies[0], np.isfinite(descent.first[:, 0])


def labelled(
    found: dict[str, tuple[Any, ...]], texts: dict[str, str], spec: SettingSpec
) -> xr.Dataset:
    """A dataset of variables, (dimensions, values) each, with what they mean."""
    values = {name: (*each, {"long_name": texts[name]}) for name, each in found.items()}
    kept = ("dataset", "n_train", "batch_size", "learning_rate")
    return xr.Dataset(values, attrs={name: getattr(spec, name) for name in kept})
