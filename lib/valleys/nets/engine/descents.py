"""Gradient descent of many networks, each until its training loss is below the lowest of some
levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import Samples, evaluate


@dataclass(frozen=True)
class Descent:
    """Where R networks pass K levels of the training loss on their way down without noise.

    Attributes:
        first: updates until the loss is below each level for the first time, (R, K); NaN where it
            was below from the beginning, or did not come there.
        copies: for each level the networks as they were then, R each; where `first` is NaN, as
            they began.
        early: the networks after the first piece of the way, R.
    """

    first: np.ndarray
    copies: tuple[Networks, ...]
    early: Networks


def descend(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    levels: Sequence[float],
    piece: int,
    longest: int,
) -> Descent:
    """Full-batch gradient descent from R networks, which stay as they are; one that is below the
    lowest level goes on to the end of its piece only.

    Args:
        networks: where they begin.
        samples: training set.
        learning_rate: η.
        levels: losses, in any order.
        piece: updates of a piece, after which the networks that are low enough are left.
        longest: the most updates.
    """
    begun = evaluate(networks, samples).loss.cpu().numpy()
    first = np.full((len(networks), len(levels)), np.nan)
    copies, early = tuple(networks.copy() for _ in levels), networks.copy()
    stack, running = networks.copy(), np.arange(len(networks))
    for step in range(0, longest, piece):
        n_steps, passages = min(piece, longest - step), Passages(tuple(levels), keep=True)
        train(
            stack,
            samples,
            learning_rate=learning_rate,
            batch_size=len(samples),
            n_steps=n_steps,
            streams=[],
            visits={},
            passages=passages,
        )
        _take(passages, step, running, first, copies)
        if step == 0:
            early = stack.copy()
        on = passages.first[:, int(np.argmin(levels))]
        stack = stack.pick(torch.from_numpy(np.flatnonzero(np.isnan(on))))
        running = running[np.isnan(on)]
        if not len(running):
            break
    first[begun[:, None] < np.array(levels)] = np.nan
    return Descent(first, copies, early)


def _take(
    passages: Passages,
    step: int,
    running: np.ndarray,
    first: np.ndarray,
    copies: Sequence[Networks],
) -> None:
    """Write down what a piece that begins at this step has found of the networks that run."""
    for level, kept in enumerate(copies):
        found = passages.first[:, level]
        new = np.flatnonzero(np.isfinite(found) & np.isnan(first[running, level]))
        first[running[new], level] = step + found[new]
        if new.size:
            places = torch.from_numpy(new)
            kept.put(torch.from_numpy(running[new]), passages.kept(level).pick(places))
