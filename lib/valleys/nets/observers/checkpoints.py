"""Runs as they are when their loss first falls below given levels, and at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples
from valleys.nets.observers.freezing import FreezingClock


def stage_names(levels: Sequence[float]) -> list[str]:
    """`loss 1`, `loss 0.1`, `end`."""
    return [*(f"loss {level:g}" for level in levels), "end"]


class CheckpointKeeper:
    """A visit that copies each network at the first checked step at which its training loss is
    below each of several levels.

    Attributes:
        clock: tells the steps, (R, len(levels)); NaN where the loss never fell that low.
        copies: for each level all R networks, as they were at that step; those that have not
            reached it are as they began.
    """

    def __init__(self, networks: Networks, samples: Samples, levels: Sequence[float]) -> None:
        """Nothing is known yet about the networks, as they begin."""
        self.clock = FreezingClock(samples, tuple(levels))
        self.copies = [networks.copy() for _ in levels]
        self._seen = np.zeros((len(networks), len(self.copies)), bool)

    def __call__(self, step: int, networks: Networks) -> None:
        """Look at the losses of this step."""
        self.clock(step, networks)
        fallen = ~np.isnan(self.clock.steps) & ~self._seen
        self._seen |= fallen
        for level, copies in enumerate(self.copies):
            chosen = torch.from_numpy(np.flatnonzero(fallen[:, level]))
            copies.put(chosen, networks.pick(chosen))


@dataclass(frozen=True)
class Checkpoints:
    """Runs at several moments of their own.

    Attributes:
        networks: all runs at each level, and last all runs at the end.
        steps: when that was, (R, n_levels + 1); NaN where a run never came there or is not finite.
    """

    networks: list[Networks]
    steps: np.ndarray

    @classmethod
    def of(cls, keeper: CheckpointKeeper, ends: Networks, n_steps: int) -> "Checkpoints":
        """The levels that a keeper saw, and the end."""
        last = np.where(ends.alive.cpu().numpy(), float(n_steps), np.nan)
        return cls([*keeper.copies, ends], np.column_stack([keeper.clock.steps, last]))
