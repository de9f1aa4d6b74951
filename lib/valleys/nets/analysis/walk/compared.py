"""The settings of a grid of walks that are compared, and means before freezing over their runs."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr

from valleys.nets.analysis.walk.courses import estimate_of, ratio_of, until_freezing
from valleys.nets.statistics import Estimate

Place = Mapping[str, float]  # of a setting in a grid: its batch_size and learning_rate
Pair = tuple[Place, Place]


@dataclass(frozen=True)
class Compared:
    """Which settings of a grid are compared, by their batch sizes [images] and learning rates.

    Attributes:
        example: batch size and learning rate of the noisy example.
        wild: the smallest batch size.
        calm: the largest one that is a mini-batch.
        whole: all training images, gradient descent.
        slow: the smallest learning rate.
        fast: the largest one.
    """

    example: Place
    wild: int
    calm: int
    whole: int
    slow: float
    fast: float

    @property
    def descent(self) -> Place:
        """Gradient descent with the largest steps."""
        return place_of(self.whole, self.fast)

    @property
    def crawl(self) -> Place:
        """Gradient descent with the smallest steps."""
        return place_of(self.whole, self.slow)

    @property
    def rates(self) -> Pair:
        """The largest and the smallest learning rate, at the largest mini-batch."""
        return place_of(self.calm, self.fast), place_of(self.calm, self.slow)

    def sizes(self, learning_rate: float) -> Pair:
        """The smallest and the largest mini-batch, at one learning rate."""
        return place_of(self.wild, learning_rate), place_of(self.calm, learning_rate)

    def mini_batches(self, found: xr.Dataset) -> list[Place]:
        """The settings of a grid with noise."""
        return [place for place in places_of(found) if place["batch_size"] != self.whole]


def place_of(batch_size: int, learning_rate: float) -> Place:
    """Where a setting stands in a grid."""
    return {"batch_size": batch_size, "learning_rate": learning_rate}


def places_of(found: xr.Dataset) -> list[Place]:
    """All settings of a grid, batch size by batch size."""
    sizes, rates = found.batch_size.values.tolist(), found.learning_rate.values.tolist()
    return [place_of(*each) for each in itertools.product(sizes, rates)]


def mean_before_freezing(
    found: xr.Dataset, name: str, place: Place, *, by_time: bool = False, seed: int = 0
) -> Estimate:
    """Mean over the runs of one setting of a quantity before freezing, see `until_freezing`."""
    return estimate_of(until_freezing(found.sel(place), name, by_time=by_time), seed=seed)


def ratio_before_freezing(
    found: xr.Dataset, name: str, pair: Pair, *, by_time: bool = False, seed: int = 0
) -> Estimate:
    """`mean_before_freezing` of one setting over that of another."""
    sides = (until_freezing(found.sel(place), name, by_time=by_time) for place in pair)
    return ratio_of(*sides, seed=seed)
