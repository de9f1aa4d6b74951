"""A walker that goes on from the lowest point of the line of each of its steps, beside one that
bounces: is the bounce what makes flat?
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.networks import descend as step_down
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples, Visit, evaluate
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.runs import Branches
from valleys.nets.experiments.specs import check_levels
from valleys.nets.optimizers.training import Order, Streams

HOWS = ("bouncing", "floor", "calm")
DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), at the level",
    "distance": "Euclidean distance from the start, all weights and biases, at the level",
    "accuracy": "fraction of all test images that is right there",
    "left_loss": "training loss where a walker is left, and gradient descent to the level begins",
}


@dataclass(frozen=True)
class BounceSpec(StartSpec):
    """Walkers from one start, until their loss is below one at which they are left.

    Attributes:
        leave: loss of the one that bounces at which both are left, for gradient descent to the
            level.
    """

    learning_rate: float = 0.1
    leave: float = 0.05

    def check(self) -> None:
        """Refuse what makes no sense for walkers."""
        super().check()
        self.require_noise()
        check_levels((self.leave, self.level))


def bounces(spec: BounceSpec) -> xr.Dataset:
    """Where walkers end that bounce until their loss is low enough, and that make as many updates
    along the floor of their lines, and where gradient descent ends without either, `calm`.

    Returns:
        Over (how, run): `flatness`, `distance` and `accuracy` at the level, NaN for walkers that do
        not come there, and `left_loss`; `steps` over run. All runs of gradient descent are one.

    Raises:
        ValueError: a walker that bounces does not come to where it is left.
    """
    problem, start = spec.problem, spec.problem.start.repeat(spec.n_runs)
    bouncing = leaving.passed(spec, problem, spec.leave)
    steps, seen, on_floor = bouncing.first[:, 0].astype(int), Branches(), start.copy()
    how: dict[str, Any] = {"batch_size": spec.batch_size, "learning_rate": spec.learning_rate}
    how |= {"streams": spec.orders(), "visits": dict.fromkeys(steps.tolist(), seen)}
    walk_on_floor(on_floor, problem.train, **how, n_steps=int(steps.max()))
    floor = [seen[step].one(place) for place, step in enumerate(steps.tolist())]
    left = join([bouncing.kept(0), *floor, start])
    found = _compared(spec, problem, left)
    variables = {name: (("how", "run"), each) for name, each in found.items()}
    whole = leaving.labelled(variables, DESCRIPTIONS, spec).assign_coords(how=list(HOWS))
    return whole.assign(steps=("run", steps, {"long_name": "updates of both walkers"}))


def walk_on_floor(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Streams,
    visits: Mapping[int, Visit],
) -> None:
    """Mini-batch descent in place that, after each update, goes back along its line to where the
    loss of all samples is lowest.

    Args:
        networks: R networks.
        samples: training set.
        learning_rate: η of an update.
        batch_size: B.
        n_steps: number of updates.
        streams: R generators of batch order, as plain descent draws from them.
        visits: what to do before the update of a step, by step from 0 to n_steps.
    """
    order = Order(len(samples), streams)
    for step in range(n_steps + 1):
        if step in visits:
            visits[step](step, networks)
        if step == n_steps:
            return
        begun = networks.copy()
        step_down(networks, *samples.batch(order.take(batch_size)), learning_rate)
        _go_back(begun, networks, samples)


def _go_back(begun: Networks, networks: Networks, samples: Samples) -> None:
    """Put each network on the lowest point of the line from where it began its update."""
    half = mixed(begun, networks, torch.full((len(networks),), 0.5))
    losses = torch.stack([evaluate(each, samples).loss for each in (begun, half, networks)])
    lowest = mixed(begun, networks, floor_fraction(*losses))
    networks.put(torch.arange(len(networks)), lowest)


def mixed(first: Networks, second: Networks, fractions: Tensor) -> Networks:
    """Each network at a fraction of the way from one stack to another, (R,)."""
    at = fractions.view(-1, 1, 1).to(first.weights[0])

    def mix(one: tuple[Tensor, ...], two: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(torch.lerp(a, b, at) for a, b in zip(one, two, strict=True))

    return Networks(mix(first.weights, second.weights), mix(first.biases, second.biases))


def floor_fraction(begin: Tensor, half: Tensor, end: Tensor) -> Tensor:
    """Where between 0 and 1 a parabola through the losses at 0, ½ and 1 is lowest, (R,); the lower
    end where it bends down.
    """
    bend, slope = 2 * (begin - 2 * half + end), 4 * half - 3 * begin - end
    ends = (end < begin).to(bend)
    return torch.where(bend > 0, (-slope / (2 * bend)).clamp(0, 1), ends)


def _compared(
    spec: BounceSpec, problem: Problem[Networks], left: Networks
) -> dict[str, np.ndarray]:
    """All that are left, and where gradient descent brings them to the level, (n_hows, n_runs)
    each.
    """
    begun = evaluate(left, problem.train).loss.cpu().numpy()
    there, came = leaving.brought_down(spec, left, problem)
    values = {
        "flatness": flatnesses(there, problem, np.flatnonzero(came)),
        "distance": (there.flat() - problem.start.flat()).norm(dim=1).cpu().numpy(),
        "accuracy": evaluate(there, problem.full_test).accuracy.cpu().numpy(),
    }
    known = {name: np.where(came, each, np.nan) for name, each in values.items()}
    known["left_loss"] = begun
    return {name: each.reshape(len(HOWS), spec.n_runs) for name, each in known.items()}
