"""The two-valley model: landscape, simulation, theory."""

from valleys.toy.two_valley import TwoValley

__all__ = ["TwoValley"]
