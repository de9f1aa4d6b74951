"""Steps by the gradient of the place that they lead to."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples
from valleys.nets.optimizers.training import Order, StackVisit
from valleys.results.spec import require


def implicit(
    networks: Stack,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Sequence[np.random.Generator],
    visits: Mapping[int, StackVisit],
    n_looks: int = 4,
) -> None:
    """Train R networks in place by implicit stochastic gradient descent, θ₊ = θ − η g(θ₊) on each
    batch (Toulis and Airoldi 2017, Eq. 5), solved by looking again from where a step has led.

    The looks come to the solution where η times the curvature of the batch is below one; in a bowl
    of curvature λ the step is then θ/(1 + ηλ), which is stable at any η. Where it is above one they
    swing ever further, and more looks make it worse.

    Args:
        networks: R networks; they end as the trained ones.
        samples: training set.
        learning_rate: η.
        batch_size: B.
        n_steps: number of updates.
        streams: R generators of batch order.
        visits: what to do before the update of a step, by step from 0 to n_steps.
        n_looks: gradients of each batch; 1 for the explicit step.

    Raises:
        ValueError: no look at all.
    """
    require(n_looks >= 1, f"n_looks must be 1 or more, got {n_looks}")
    order, size = Order(len(samples), streams), min(batch_size, len(samples))
    for step in range(n_steps + 1):
        if step in visits:
            visits[step](step, networks)
        if step == n_steps or not networks.alive.any():
            return
        batch = samples.batch(order.take(size))
        before = {name: part.clone() for name, part in networks.parameters.items()}
        for _ in range(n_looks):
            gradients = networks.gradients(*batch)
            for name, part in networks.parameters.items():
                torch.sub(
                    before[name], gradients[name].view_as(part), alpha=learning_rate, out=part
                )
