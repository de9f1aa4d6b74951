"""The two-valley model: landscape, simulation, theory; and rows of more valleys."""

from valleys.toy.many_valleys import ManyValleys
from valleys.toy.two_valley import TwoValley

__all__ = ["ManyValleys", "TwoValley"]
