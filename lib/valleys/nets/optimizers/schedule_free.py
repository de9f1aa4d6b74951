"""Stochastic gradient descent without a schedule, by an average that training itself looks from."""

from collections.abc import Mapping, Sequence

import numpy as np

from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples
from valleys.nets.optimizers.training import Order, StackVisit
from valleys.results.spec import require


def schedule_free(
    networks: Stack,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Sequence[np.random.Generator],
    visits: Mapping[int, StackVisit],
    share: float = 0.9,
) -> None:
    """Train R networks in place by schedule-free descent (Defazio et al. 2024, Eqs. 3 to 5):
    z₊ = z − η g(y) at y = (1 − β) z + β x, and x₊ = x + (z₊ − x)/(t + 1), the plain mean of all z.

    Args:
        networks: R networks; they are x, and end as the trained ones.
        samples: training set.
        learning_rate: η.
        batch_size: B.
        n_steps: number of updates.
        streams: R generators of batch order.
        visits: what to do with x before the update of a step, by step from 0 to n_steps.
        share: β, how much of x is in the place at which the gradient is taken; 0 for the plain
            average of stochastic gradient descent, 1 for primal averaging.

    Raises:
        ValueError: a share outside its range.
    """
    require(0 <= share <= 1, f"share must lie between 0 and 1, got {share}")
    order, size = Order(len(samples), streams), min(batch_size, len(samples))
    runner, between = networks.copy(), networks.copy()
    for step in range(n_steps + 1):
        if step in visits:
            visits[step](step, networks)
        if step == n_steps or not networks.alive.any():
            return
        _mix(between, runner, networks, share)
        gradients = between.gradients(*samples.batch(order.take(size)))
        for name, part in runner.parameters.items():
            part.sub_(gradients[name].view_as(part), alpha=learning_rate)
            networks.parameters[name].lerp_(part, 1 / (step + 1))


def _mix(into: Stack, first: Stack, second: Stack, share: float) -> None:
    """(1 − share) of the first and share of the second."""
    theirs = first.parameters, second.parameters
    for name, part in into.parameters.items():
        part.copy_(theirs[0][name]).lerp_(theirs[1][name], share)
