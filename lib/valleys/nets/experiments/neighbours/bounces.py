"""A walker that goes on from the lowest point of the line of each of its steps, beside one that
bounces: is the bounce what makes flat?
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from valleys.nets.engine.descents import descend
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.networks import descend as step_down
from valleys.nets.engine.passages import Passages, Watch
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.specs import check_levels
from valleys.nets.optimizers.training import Order, Streams

HOWS = ("bouncing", "floor", "calm")
CALM = 0.1  # learning rate of gradient descent, over that of the walkers
DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), at the level",
    "distance": "Euclidean distance from the start, all weights and biases, at the level",
    "accuracy": "fraction of all test images that is right there",
    "steps": "updates until the walker is left",
}


@dataclass(frozen=True)
class BounceSpec(StartSpec):
    """Walkers from one start, until their loss is below one at which they are left.

    Attributes:
        leave: loss at which gradient descent to the level begins.
    """

    learning_rate: float = 0.1
    leave: float = 0.05

    def check(self) -> None:
        """Refuse what makes no sense for walkers."""
        super().check()
        self.require_noise()
        check_levels((self.leave, self.level))

    @property
    def longest_steps(self) -> int:
        """Updates after which a walker gives up."""
        return round(self.longest / self.learning_rate)


def bounces(spec: BounceSpec) -> xr.Dataset:
    """Where walkers end that bounce, that go along the floor of their lines, and that descend by
    all samples at a tenth of the learning rate.

    Returns:
        Over (how, run): `flatness`, `distance` and `accuracy` at the level, and `steps`; NaN for
        walkers that do not come there. All runs of gradient descent are one.
    """
    problem, levels = spec.problem, (spec.leave,)
    bouncing, floor = Passages(levels, keep=True), Passages(levels, keep=True)
    start, n_steps = problem.start.repeat(spec.n_runs), spec.longest_steps
    leaving.run(spec, start.copy(), problem, n_steps, passages=bouncing)
    how: dict[str, Any] = {"batch_size": spec.batch_size, "learning_rate": spec.learning_rate}
    how |= {"n_steps": n_steps, "streams": spec.orders(), "passages": floor}
    walk_on_floor(start.copy(), problem.train, **how)
    rate = CALM * spec.learning_rate
    pieces = {"piece": round(1 / rate), "longest": round(spec.longest / rate)}
    calm = descend(problem.start, problem.train, learning_rate=rate, levels=levels, **pieces)
    left = join([bouncing.kept(0), floor.kept(0), calm.copies[0].repeat(spec.n_runs)])
    first = [each.first[:, 0] for each in (bouncing, floor, calm)]
    steps = np.stack([np.broadcast_to(each, spec.n_runs) for each in first])
    found = _compared(spec, problem, left, np.isfinite(steps)) | {"steps": steps}
    variables = {name: (("how", "run"), each) for name, each in found.items()}
    return leaving.labelled(variables, DESCRIPTIONS, spec).assign_coords(how=list(HOWS))


def walk_on_floor(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Streams,
    passages: Passages,
) -> None:
    """Mini-batch descent in place that, after each update, goes back along its line to where the
    loss of all samples is lowest.

    Args:
        networks: R networks.
        samples: training set.
        learning_rate: η of an update.
        batch_size: B.
        n_steps: number of updates; it stops earlier once all networks have passed all levels.
        streams: R generators of batch order, as plain descent draws from them.
        passages: what is to be found of the training loss.
    """
    order, watch = Order(len(samples), streams), Watch(passages, samples)
    for step in range(n_steps):
        watch(step, networks)
        if np.isfinite(passages.first).all():
            return
        begun = networks.copy()
        step_down(networks, *samples.batch(order.take(batch_size)), learning_rate)
        _go_back(begun, networks, samples)
    watch(n_steps, networks)


def _go_back(begun: Networks, networks: Networks, samples: Samples) -> None:
    """Put each network on the lowest point of the line from where it began its update."""
    half = mixed(begun, networks, torch.full((len(networks),), 0.5))
    losses = torch.stack([evaluate(each, samples).loss for each in (begun, half, networks)])
    lowest = mixed(begun, networks, lowest_fraction(*losses))
    networks.put(torch.arange(len(networks)), lowest)


def mixed(first: Networks, second: Networks, fractions: Tensor) -> Networks:
    """Each network at a fraction of the way from one stack to another, (R,)."""
    at = fractions.view(-1, 1, 1).to(first.weights[0])

    def mix(one: tuple[Tensor, ...], two: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(torch.lerp(a, b, at) for a, b in zip(one, two, strict=True))

    return Networks(mix(first.weights, second.weights), mix(first.biases, second.biases))


def lowest_fraction(begin: Tensor, half: Tensor, end: Tensor) -> Tensor:
    """Where between 0 and 1 a parabola through the losses at 0, ½ and 1 is lowest, (R,); the lower
    end where it bends down.
    """
    bend, slope = 2 * (begin - 2 * half + end), 4 * half - 3 * begin - end
    ends = (end < begin).to(bend)
    return torch.where(bend > 0, (-slope / (2 * bend)).clamp(0, 1), ends)


def _compared(
    spec: BounceSpec, problem: Problem[Networks], left: Networks, known: np.ndarray
) -> dict[str, np.ndarray]:
    """Walkers at the level, (n_hows, n_runs) each; NaN where they are not known to be left."""
    there, came = leaving.brought_down(spec, left, problem)
    values = {
        "flatness": flatnesses(there, problem, np.flatnonzero(came)),
        "distance": (there.flat() - problem.start.flat()).norm(dim=1).cpu().numpy(),
        "accuracy": evaluate(there, problem.full_test).accuracy.cpu().numpy(),
    }
    some = known & came.reshape(known.shape)
    return {name: np.where(some, each.reshape(some.shape), np.nan) for name, each in values.items()}
