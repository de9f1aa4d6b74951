"""Runs as they are when their loss first falls below given levels, and at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages


def stage_names(levels: Sequence[float]) -> list[str]:
    """`loss 1`, `loss 0.1`, `end`."""
    return [*(f"loss {level:g}" for level in levels), "end"]


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
    def of(cls, passages: Passages, ends: Networks, n_steps: int) -> "Checkpoints":
        """Where runs passed levels, of which copies were kept, and the end."""
        last = np.where(ends.alive.cpu().numpy(), float(n_steps), np.nan)
        kept = [passages.kept(level) for level in range(len(passages.thresholds))]
        return cls([*kept, ends], np.column_stack([passages.first, last]))
