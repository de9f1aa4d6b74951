"""How large an effect is that the ledger judges: by its whole interval, between none and large."""

import math
from dataclasses import dataclass
from enum import StrEnum

from valleys.errors import BookError
from valleys.results.estimates import Estimate

DIFFERENCE, FACTOR = 0, 1  # what no effect is


class Size(StrEnum):
    """How large an effect is."""

    SMALL = "small"
    BETWEEN = "neither small nor large"
    LARGE = "large"


@dataclass(frozen=True)
class Effect:
    """What no effect would be, and from where on one is large."""

    none: float  # 0 of a difference, 1 of a factor
    large: float
    why: str

    def __post_init__(self) -> None:
        """Refuse what is no scale."""
        if self.none not in (DIFFERENCE, FACTOR):
            raise BookError(
                f"no effect is {FACTOR} of a factor and {DIFFERENCE} of a difference, not "
                f"{self.none}"
            )
        if self.large == self.none or (self.none == FACTOR and self.large <= 0):
            raise BookError(
                f"from no effect, {self.none}, to a large one, {self.large}, no way goes"
            )
        if not self.why:
            raise BookError(f"say with `why` what makes an effect of {self.large} a large one")

    def between(self, ours: Estimate, theirs: Estimate) -> Estimate:
        """The effect in two numbers: their difference, or their ratio, with the widest interval
        that both intervals allow.
        """
        if self.none == DIFFERENCE:
            value, low, high = (
                ours.value - theirs.value,
                ours.low - theirs.high,
                ours.high - theirs.low,
            )
        else:
            value, low, high = (
                _ratio(ours.value, theirs.value),
                _ratio(ours.low, theirs.high),
                _ratio(ours.high, theirs.low),
            )
        return Estimate(value, low, high)

    def size(self, found: Estimate) -> Size:
        """Small where the whole interval is nearer to no effect than to a large one, large where
        all of it goes at least as far as that; of factors in logarithms.
        """
        ways = sorted(self._way(end) for end in (found.low, found.high))
        if ways[1] < 0.5:
            return Size.SMALL
        return Size.LARGE if ways[0] >= 1 else Size.BETWEEN

    def _way(self, effect: float) -> float:
        """How much of the way from none to large an effect has gone."""
        if self.none == DIFFERENCE:
            return effect / self.large
        return _log(effect) / math.log(self.large)


def _ratio(one: float, other: float) -> float:
    return one / other if other > 0 else math.inf


def _log(factor: float) -> float:
    return math.log(factor) if factor > 0 else -math.inf
