"""The two-valley model: landscape, simulation, theory; and rows of more valleys."""

from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley

__all__ = ["ManyValleys", "TwoValley"]
