"""Straight scans between valley floors: those that one walk has passed, and those that different
walks pass at the same time.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples
from valleys.nets.measures.solutions import Prepared, prepared_path_losses


def hill(losses: np.ndarray) -> np.ndarray:
    """The highest climb between two dips of a path: how far a point lies above the lowest before it
    and the lowest after it, whichever is higher.

    0 where the path falls, rises, or falls and then rises; never below the rise above the higher of
    both ends. The path runs along the last axis.
    """
    before = np.minimum.accumulate(losses, axis=-1)
    after = np.minimum.accumulate(losses[..., ::-1], axis=-1)[..., ::-1]
    return (losses - np.maximum(before, after)).max(axis=-1)


@dataclass(frozen=True)
class Floors:
    """The lowest points that R runs have passed in each of W windows, prepared for scans.

    Attributes:
        points: R lists of W networks in float64; None where a run has none.
        n_fractions: points of a scan, both ends included.
    """

    points: list[list[Prepared | None]]
    n_fractions: int

    @classmethod
    def of(
        cls, networks: Sequence[Sequence[Networks | None]], samples: Samples, n_fractions: int
    ) -> "Floors":
        """Do the first layer of each network once.

        Args:
            networks: R lists of W networks, one each, or None.
            samples: the training set, in float64.
            n_fractions: points of a scan, both ends included.
        """
        return cls(
            [
                [None if one is None else Prepared.of(one, samples) for one in row]
                for row in networks
            ],
            n_fractions,
        )

    def along(self) -> np.ndarray:
        """Loss between every two floors of a run, (R, W, W, n_fractions), from the first named
        to the second; NaN where there is none.
        """
        size = len(self.points[0])
        found = np.full((len(self.points), size, size, self.n_fractions), np.nan)
        for run, row in enumerate(self.points):
            for first, second in itertools.combinations_with_replacement(range(size), 2):
                losses = self._scan(row[first], row[second])
                found[run, first, second], found[run, second, first] = losses, losses[::-1]
        return found

    def across(self) -> np.ndarray:
        """Loss between the floors of every two runs in the same window, (R, R, W, n_fractions);
        NaN where there is none, and from a run to itself.
        """
        count, size = len(self.points), len(self.points[0])
        found = np.full((count, count, size, self.n_fractions), np.nan)
        for (first, second), window in itertools.product(
            itertools.combinations(range(count), 2), range(size)
        ):
            losses = self._scan(self.points[first][window], self.points[second][window])
            found[first, second, window], found[second, first, window] = losses, losses[::-1]
        return found

    def _scan(self, first: Prepared | None, second: Prepared | None) -> np.ndarray:
        if first is None or second is None:
            return np.full(self.n_fractions, np.nan)
        return prepared_path_losses(second, first, np.linspace(0, 1, self.n_fractions))
