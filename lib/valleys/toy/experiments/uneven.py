"""Runs over a ridge that does not grow steadily."""

from dataclasses import dataclass, field, fields

import numpy as np
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.experiments.cells import gridded, parts_on
from valleys.toy.experiments.specs import TwoValleySpec, check_duration
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.landscapes.uneven import UnevenValley
from valleys.toy.simulation.uneven import freezings


@dataclass(frozen=True)
class UnevenSpec(TwoValleySpec):
    """Runs for each of several ripples of one wave number; the duration is in units of time."""

    ripples: tuple[float, ...]
    wave_number: float = 1.0
    learning_rate: float = 0.02
    effective_noise: float = 0.001
    n_runs: int = 1000
    duration: float = 1000.0
    start_y: float = 1.0
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what no simulation can run with."""
        for ripple in self.ripples:
            self.uneven(ripple)
        self.check_runs([self.learning_rate], [self.effective_noise])
        check_duration(self.duration, [self.learning_rate])

    def uneven(self, ripple: float) -> UnevenValley:
        """The landscape with one ripple."""
        scales = {each.name: getattr(self.landscape, each.name) for each in fields(TwoValley)}
        return UnevenValley(**scales, ripple=ripple, wave_number=self.wave_number)


def uneven(spec: UnevenSpec) -> xr.Dataset:
    """p_flat, freezings, freezing_y and end_y with their errors over ripple; see
    `simulation.uneven.freezings`.
    """
    return gridded(uneven_parts(spec), {"ripple": spec.ripples})


def uneven_parts(spec: UnevenSpec) -> list[Part]:
    """Each ripple."""
    rate = spec.learning_rate
    runs = spec.values_of("n_runs", "start_y") | {"n_steps": round(spec.duration / rate)}

    def cell(ripple: float, stream: np.random.SeedSequence) -> xr.Dataset:
        setting = rate, spec.effective_noise / rate
        return freezings(spec.uneven(ripple), *setting, **runs, seed=stream)

    return parts_on({"ripple": spec.ripples}, cell, spec.seed)


PARTS = {uneven: uneven_parts}
