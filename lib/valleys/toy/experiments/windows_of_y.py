"""Noise in a window of y and none elsewhere: how much of the flat share is bought where, by noise
that follows the curvature and by uniform noise.
"""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from valleys.results.spec import require
from valleys.toy.exact.small_steps import relax_along
from valleys.toy.experiments.specs import FLOATS, Spec
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import check_settings, streams
from valleys.toy.simulation.schedules import Blocks, scheduled
from valleys.toy.theory.freezing import find_root, race
from valleys.toy.theory.schedules import Rates, Way, follow, opening

WINDOWS = {  # borders over the y of freezing; the first begins where the runs do
    "throughout": (0.0, 2.4),
    "until freezing": (0.0, 1.0),
    "from freezing on": (1.0, 2.4),
    "before": (0.0, 0.8),
    "first half": (0.0, 0.4),
    "second half": (0.4, 0.8),
    "across": (0.6, 1.4),
    "after": (1.6, 2.4),
}
NOISES = {"hessian": "exact", "isotropic": "isotropic"}  # kinds, and the rates of each
LATE = "after"
PIECES = 600  # of a window
SPARE = 1.1  # times the time that y needs, in which mean y has come to the end of a window
N_BLOCKS = 60  # of the runs in a window
OF_RUNS = ("p_flat", "p_flat_error")
FARTHEST = 60.0  # y up to which the freezing point is looked for
TINY = 1e-300


@dataclass(frozen=True)
class WindowsOfYSpec(Spec):
    """Windows of one effective noise, and stronger noises in the latest window."""

    late_factors: FLOATS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # times the noise
    effective_noise: float = 3e-3
    start_y: float = 1.0
    learning_rate: float = 0.02
    n_runs: int = 2000
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what cannot be computed, or has its freezing point before the start."""
        settings = {"start_y": self.start_y, "n_runs": self.n_runs, "seed": self.seed}
        check_settings(self.landscape, [self.learning_rate], [self.effective_noise], **settings)
        require(min(self.late_factors) > 0, "late_factors must be positive")
        places = self.start_y, FARTHEST
        sides = [float(race(self.landscape, self.effective_noise, y)) for y in places]
        require(
            sides[0] > 1 > sides[1],
            f"at an effective noise of {self.effective_noise:g} runs from y = {self.start_y:g} do "
            f"not freeze between there and y = {FARTHEST:g}; give one such as 0.003",
        )
        require(
            0.4 * self.freezing_y > self.start_y,
            f"start_y is {self.start_y:g}, past the first window; start before "
            f"{0.4 * self.freezing_y:.2g}",
        )

    @property
    def freezing_y(self) -> float:
        """Where the exact k⁻ falls below the speed at which the exact odds change."""

        def excess(y: float) -> float:
            return float(np.log(np.maximum(race(self.landscape, self.effective_noise, y), TINY)))

        return find_root(excess, self.start_y, FARTHEST)

    def way(self, window: str) -> Way:
        """What runs meet in a window."""
        first, last = (max(self.start_y, part * self.freezing_y) for part in WINDOWS[window])
        return way_between(self.landscape, first, last)


def way_between(landscape: TwoValley, first_y: float, last_y: float) -> Way:
    """The way from one y to another."""
    reach = Way.of(landscape, 100 * (last_y - first_y) + 100, first_y)  # slower than 0.01 nowhere
    return Way.of(landscape, float(np.interp(last_y, reach.y, reach.middles)), first_y, PIECES)


def windows_of_y(spec: WindowsOfYSpec) -> xr.Dataset:
    """The flat share that each window leaves, from one half.

    Returns:
        freezing_y; first_y, last_y and duration (window), time in it; by_rates (noise, window), the
        share by exact rates; kept (noise, window), the part of any difference between two shares
        at the window's beginning that is left at its end; small_steps (window), without rates, for
        noise that follows the curvature; p_flat (noise, window) of runs, with p_flat_error;
        late_from_half, late_from_flat and late_balance (noise, late_noise): shares at the end of
        the latest window under other noises, from one half and from the share of noise throughout,
        and the stationary one in the middle of it.
    """
    ways = {window: spec.way(window) for window in WINDOWS}
    found = {
        "freezing_y": ((), spec.freezing_y),
        "first_y": ("window", [way.y[0] for way in ways.values()]),
        "last_y": ("window", [way.y[-1] for way in ways.values()]),
        "duration": ("window", [way.times[-1] for way in ways.values()]),
        "small_steps": ("window", [_small_steps(spec, way) for way in ways.values()]),
        **_by_rates(spec, ways),
        **_of_runs(spec, ways),
        **_late(spec, ways),
    }
    coords = {
        "window": list(WINDOWS),
        "noise": list(NOISES),
        "late_noise": spec.effective_noise * np.array(spec.late_factors),
    }
    return xr.Dataset(found, coords)


def _by_rates(spec: WindowsOfYSpec, ways: dict[str, Way]) -> dict[str, tuple]:
    ends, kept = np.empty((2, len(NOISES), len(ways)))
    for row, kind in enumerate(NOISES.values()):
        rates = Rates.of(spec.landscape, kind)
        for column, way in enumerate(ways.values()):
            noise = np.full(way.y.size, spec.effective_noise)
            ends[row, column] = follow(rates, way, noise)[-1]
            kept[row, column] = follow(rates, way, noise, 1)[-1] - follow(rates, way, noise, 0)[-1]
    dims = ("noise", "window")
    return {"by_rates": (dims, ends), "kept": (dims, kept)}


def _small_steps(spec: WindowsOfYSpec, way: Way) -> float:
    """From the mean place of both bottoms, where runs without noise lie, until mean y is there."""
    mean = (spec.landscape.x1 + spec.landscape.x2) / 2
    bottom = mean * float(opening(spec.landscape, way.y[0])) ** 0.5
    noise = np.full(way.y.size, spec.effective_noise)
    setting = spec.landscape, SPARE * way.times, noise, float(way.y[0]), bottom
    return _when_there(relax_along(*setting, n_cells=800), "p_flat", way)


def _when_there(run: xr.Dataset, name: str, way: Way) -> float:
    """A value of a run when its mean y comes to the end of a window."""
    return float(np.interp(way.y[-1], run.mean_y, run[name]))


def _of_runs(spec: WindowsOfYSpec, ways: dict[str, Way]) -> dict[str, tuple]:
    """Runs that come to each window without noise; what is on one side at its end stays there."""
    seeds = streams(spec.seed).spawn(len(NOISES) * len(ways))
    ends = np.empty((2, len(NOISES), len(ways)))
    for row, kind in enumerate(NOISES):
        for column, (way, seed) in enumerate(zip(ways.values(), seeds[row::2], strict=True)):
            setting = spec.landscape, spec.learning_rate, _blocks(spec, way), spec.n_runs
            run = scheduled(*setting, spec.start_y, kind, seed)
            ends[:, row, column] = [_when_there(run, name, way) for name in OF_RUNS]
    dims = ("noise", "window")
    return {name: (dims, each) for name, each in zip(OF_RUNS, ends, strict=True)}


def _blocks(spec: WindowsOfYSpec, way: Way) -> Blocks:
    """Steps without noise up to the window, then with noise, a little longer than y should need."""
    quiet = way_between(spec.landscape, spec.start_y, float(way.y[0]) + 1e-6).times[-1]
    inside = SPARE * way.times[-1] / N_BLOCKS
    steps = [max(1, round(time / spec.learning_rate)) for time in (quiet, *[inside] * N_BLOCKS)]
    strength = spec.effective_noise / spec.learning_rate
    return Blocks(tuple(steps), (0.0, *[strength] * N_BLOCKS))


def _late(spec: WindowsOfYSpec, ways: dict[str, Way]) -> dict[str, tuple]:
    way, throughout = ways[LATE], ways["throughout"]
    shape = len(NOISES), len(spec.late_factors)
    half, flat, balance = np.empty(shape), np.empty(shape), np.empty(shape)
    middle = way.y.size // 2
    noise = spec.effective_noise * np.array(spec.late_factors)
    drawn = noise[:, None] * np.ones(way.y.size)
    before = np.full(throughout.y.size, spec.effective_noise)
    start = follow(Rates.of(spec.landscape), throughout, before)[-1]
    for row, kind in enumerate(NOISES.values()):
        rates = Rates.of(spec.landscape, kind)
        half[row] = follow(rates, way, drawn, 0.5)[:, -1]
        flat[row] = follow(rates, way, drawn, float(start))[:, -1]
        balance[row] = rates.at(noise / way.opening[middle])[1]
    values = {"late_from_half": half, "late_from_flat": flat, "late_balance": balance}
    return {name: (("noise", "late_noise"), each) for name, each in values.items()}
