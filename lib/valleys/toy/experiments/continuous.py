"""The paper's equation in continuous time at fixed y, with the noise of a step taken where it
begins or where it ends.
"""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.experiments.cells import gridded, parts_on
from valleys.toy.experiments.specs import Spec
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import continuous
from valleys.toy.simulation.continuous import RULES, Blurred

KICK = 0.25  # of the larger noise, in widths of the blur: what steps must resolve


@dataclass(frozen=True)
class RulesSpec(Spec):
    """Both rules at each of several widths of the blur; the duration is in units of time."""

    widths: tuple[float, ...]
    y: float = 3.0
    effective_noise: float = 0.001
    n_runs: int = 1000
    duration: float = 20.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what has no noise, no runs or no time."""
        for width in self.widths:
            Blurred(self.landscape, self.y, self.effective_noise, width)
        if self.n_runs < 2 or not self.duration > 0:
            raise ValueError("n_runs must be at least 2, and the duration positive")


def rules(spec: RulesSpec) -> xr.Dataset:
    """Share of time on the flat side over (rule, width): p_flat with p_flat_error by steps that
    resolve the blur, time_step, and stationary, the same without sampling.
    """
    return gridded(rules_parts(spec), {"rule": RULES, "width": spec.widths})


def rules_parts(spec: RulesSpec) -> list[Part]:
    """Each rule and width."""

    def cell(rule: str, width: float, stream: np.random.SeedSequence) -> xr.Dataset:
        walk = Blurred(spec.landscape, spec.y, spec.effective_noise, width)
        largest = max(spread for *_, spread in walk.sides)
        time_step = (KICK * width) ** 2 / (2 * largest)
        runs = spec.values_of("n_runs", "duration")
        share, error = continuous.share(walk, rule, time_step, seed=stream, **runs)
        values = {
            "p_flat": share,
            "p_flat_error": error,
            "time_step": time_step,
            "stationary": continuous.stationary_share(walk, rule),
        }
        return xr.Dataset(values)

    return parts_on({"rule": RULES, "width": spec.widths}, cell, spec.seed)


PARTS = {rules: rules_parts}
