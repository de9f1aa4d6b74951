"""Plain stochastic gradient descent, as fast as the networks allow: the compiled loop where they
lie on a processor, the tensors of torch on any other device.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from valleys.nets.engine import compiled, training
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.training import Samples, Visit


def train(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Sequence[np.random.Generator],
    visits: Mapping[int, Visit],
    passages: Passages | None = None,
) -> None:
    """Plain stochastic gradient descent in place (Eqs. 2 and 3), each network on mini-batches of
    its own.

    Args:
        networks: R networks; they end as the trained ones.
        samples: training set; `batch_size` equal to its length is full-batch gradient descent.
        learning_rate: η.
        batch_size: B.
        n_steps: number of updates; it stops earlier once no network is finite.
        streams: R generators of batch order.
        visits: what to do before the update of a step, by step from 0 to n_steps.
        passages: what is to be found of the training loss, if anything.
    """
    setting = {"learning_rate": learning_rate, "batch_size": batch_size, "n_steps": n_steps}
    if compiled.fits(networks):
        compiled.train(
            networks, samples, **setting, streams=streams, visits=visits, passages=passages
        )
        return
    watched = visits if passages is None else passages.watched(visits, samples, n_steps)
    training.train(networks, samples, **setting, streams=streams, visits=watched)


def descend_from_branches(
    branches: Mapping[int, Networks],
    samples: Samples,
    *,
    learning_rate: float,
    n_steps: int,
    visits: Mapping[int, Visit],
) -> Networks:
    """Full-batch gradient descent from each branch on one clock: networks join the stack when the
    clock reaches their step.

    Args:
        branches: networks to go on from, by the step at which they were left.
        samples: training set.
        learning_rate: η.
        n_steps: the clock's last step; each branch makes `n_steps − its step` updates.
        visits: as in `train`; the stack holds the branches so far, in order of their steps.

    Returns:
        All branches at `n_steps`, in order of their steps.
    """
    first = min(branches)
    stops = sorted({step for step in {*branches, *visits} if first <= step < n_steps} | {n_steps})
    stack, step = branches[first].pick(slice(0)), first
    setting = {"learning_rate": learning_rate, "batch_size": len(samples), "streams": []}
    for stop in stops:
        if stop > step:
            train(stack, samples, n_steps=stop - step, visits={}, **setting)
        if stop in branches:
            stack = join([stack, branches[stop]])
        if stop in visits:
            visits[stop](stop, stack)
        step = stop
    return stack
