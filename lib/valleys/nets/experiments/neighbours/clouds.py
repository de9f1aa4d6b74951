"""Copies of one network that go on with batches of their own: how far they come, how far apart,
and what their averages are worth, before freezing and after.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, plan
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.optimizers.averages import WeightAverage
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize
from valleys.results.spec import check_distinct, require

DESCRIPTIONS = {
    "moved": "mean square distance from where the copies begin, over copies",
    "apart": "mean square distance from the mean of the copies, as of independent ones",
    "lag": "updates since the copies began",
    "last_loss": "training loss of the last weights, mean over copies",
    "average_loss": "training loss of the average of all weights of a copy, mean over copies",
    "last_accuracy": "fraction of all test images that the last weights have right, mean over "
    "copies",
    "average_accuracy": "the same of the averages",
    "last_flatness": "flatness (Eq. 6) at the level, from the last weights of one copy",
    "average_flatness": "the same, from its average",
}


@dataclass(frozen=True)
class CloudSpec(StartSpec):
    """Runs from one start, at some moments of which copies go on with independent batches.

    Attributes:
        moments: when the copies begin, over the freezing time of each run.
        window: for how long they go on, over the shortest freezing time.
        n_copies: copies of each run.
        n_lags: looks, in equal ratios of the updates since.
    """

    moments: tuple[float, ...] = (0.5, 2.0)
    window: float = 0.5
    n_copies: int = 6
    n_lags: int = 12

    def check(self) -> None:
        """Refuse what makes no sense for such copies."""
        super().check()
        self.require_noise()
        self.require_positive("window")
        self.require_at_least(n_copies=2, n_lags=3)
        check_distinct("moments", self.moments)
        require(min(self.moments) >= 0, f"moments must be 0 or more, got {self.moments}")

    @property
    def work(self) -> float:
        """Copies."""
        return len(self.moments) * self.n_runs * self.n_copies


def clouds(spec: CloudSpec) -> xr.Dataset:
    """How copies of runs spread, and what their averages are worth.

    Returns:
        Over (moment, run, lag): `moved` and `apart`; `lag` over lag; over (moment, run) what is
        named `last_` and `average_`: `loss` and `accuracy` at the end of the window, and `flatness`
        of one copy at the level, NaN where it does not come down.
    """
    problem = spec.problem
    begun, frozen = leaving.left(spec, problem, spec.moments)
    longest = max(2, round(spec.window * float(frozen.min())))
    lags = np.geomspace(1, longest, spec.n_lags).round().astype(int)
    copies, average, seen = begun.repeat(spec.n_copies), WeightAverage(), {}

    def look(step: int, networks: Any) -> None:
        seen[step] = spread(_moved(networks, begun, spec.n_copies))

    visits = plan((range(1, longest + 1), average), (np.unique(lags).tolist(), look))
    how: dict[str, Any] = {"streams": spec.orders(0, count=len(copies)), "visits": visits}
    recipe = Recipe(spec.learning_rate, spec.batch_size, replacement=True)
    optimize(copies, problem.train, recipe, n_steps=longest, **how)
    shape = (len(spec.moments), spec.n_runs)
    both = np.stack([seen[lag] for lag in lags.tolist()], axis=-1)  # (2, network, look)
    found: dict[str, tuple] = {
        name: (("moment", "run", "look"), each.reshape(*shape, -1))
        for name, each in zip(("moved", "apart"), both, strict=True)
    }
    worth = _worth(spec, problem, {"last": copies, "average": average.average})
    found |= {name: (("moment", "run"), each.reshape(shape)) for name, each in worth.items()}
    whole = leaving.labelled(found | {"lag": ("look", lags)}, DESCRIPTIONS, spec)
    return whole.assign_coords(moment=list(spec.moments))


def _moved(copies: Networks, begun: Networks, n_copies: int) -> np.ndarray:
    """Where copies are, from where they began, (R, n_copies, n_weights)."""
    here = (copies.flat() - begun.repeat(n_copies).flat()).double().cpu().numpy()
    return here.reshape(len(begun), n_copies, -1)


def spread(moved: np.ndarray) -> np.ndarray:
    """Mean square displacement of copies, and their mean square distance from their mean as of
    independent ones, (2, …), from displacements, (…, n_copies, n).
    """
    n_copies, middle = moved.shape[-2], moved.mean(axis=-2, keepdims=True)
    apart = ((moved - middle) ** 2).sum(axis=(-2, -1)) / (n_copies - 1)
    return np.stack([(moved**2).sum(axis=-1).mean(axis=-1), apart])


def _worth(
    spec: CloudSpec, problem: Problem[Networks], kinds: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Loss, accuracy and flatness of last weights and of averages, (n_moments · n_runs,) each."""
    found = {}
    for kind, networks in kinds.items():
        loss = evaluate(networks, problem.train).loss
        right = evaluate(networks, problem.full_test).accuracy
        for name, each in (("loss", loss), ("accuracy", right)):
            found[f"{kind}_{name}"] = each.view(-1, spec.n_copies).mean(dim=1).cpu().numpy()
    first = [networks.pick(slice(None, None, spec.n_copies)) for networks in kinds.values()]
    there, came = leaving.brought_down(spec, join(first), problem)
    flat = flatnesses(there, problem, np.flatnonzero(came)).reshape(len(kinds), -1)
    return found | {f"{kind}_flatness": each for kind, each in zip(kinds, flat, strict=True)}
