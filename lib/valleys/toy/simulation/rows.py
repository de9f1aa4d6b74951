"""Simulation of the discrete Langevin equation (Eqs. 13-15) in a row of valleys, with noise of any
power of the Hessian.

The step, the random numbers and the rule for runs that leave the landscape are those of `langevin`;
a TwoValley is taken as a row of two. Run i starts at the bottom of valley i mod n, so that equal
shares begin in each, or all runs start in one valley.
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.toy.landscapes.many_valleys import LANDSCAPE, ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import langevin
from valleys.toy.simulation.kernels import (
    ALIVE,
    CROSSING_Y,
    LANES,
    LAST_CROSSING,
    ROW_STATE_ROWS,
    VALLEY,
    X,
    Y,
    advance_row,
)
from valleys.toy.simulation.langevin import (
    Seed,
    check_settings,
    fraction_error,
    generator_words,
    mean_and_error,
)

EVERYWHERE = -1  # start_valley: equal shares begin in each valley
LARGEST_POWER = 4.0


@dataclass(frozen=True)
class Walk:
    """One setting of the walk; noise has the covariance Σ = 2σ κ (H₊/κ)^p, with κ(y) the mean
    curvature of the valleys.

    p = 1 is "hessian" and p = 0 "isotropic" of `langevin.phase_diagram`; for every p the kicks
    along x have the same geometric mean over the valleys. At fixed y only the curvature along x
    counts, and p may be negative.

    Raises ValueError for any setting out of range.

    Example:
        >>> from valleys.toy import ManyValleys, Walk
        >>> walk = Walk(ManyValleys(), learning_rate=0.05, noise_strength=0.1, power=0.5)
        >>> walk.row.n_valleys
        3
    """

    landscape: ManyValleys | TwoValley
    learning_rate: float
    noise_strength: float
    start_y: float = 5.0
    power: float = 1.0  # p
    moves: bool = True  # False holds y fixed
    start_valley: int = EVERYWHERE

    def __post_init__(self) -> None:
        """Refuse, before any work, what no simulation can run with."""
        row = ManyValleys.of(self.landscape)
        rates, strengths = [self.learning_rate], [self.noise_strength]
        check_settings(row.pair(0, 1), rates, strengths, start_y=self.start_y)
        check_power(self.power, self.moves)
        if self.start_valley not in range(EVERYWHERE, row.n_valleys):
            raise ValueError(
                f"start_valley is {self.start_valley!r}; give 0 to "
                f"{row.n_valleys - 1} from left to right, or {EVERYWHERE} for equal "
                "shares"
            )
        if not self.moves and self.start_y <= 0:
            raise ValueError(f"y is held at {self.start_y!r}; the valleys exist for y > 0 only")

    @property
    def row(self) -> ManyValleys:
        """The landscape as a row."""
        return ManyValleys.of(self.landscape)

    def start(self, block: np.random.SeedSequence, first_run: int) -> tuple[np.ndarray, np.ndarray]:
        """State (ROW_STATE_ROWS, LANES) of a block before its first step, and the words of its
        generators.
        """
        row, state = self.row, np.empty((ROW_STATE_ROWS, LANES))
        valleys = (
            (first_run + np.arange(LANES)) % row.n_valleys
            if self.start_valley == EVERYWHERE
            else np.full(LANES, self.start_valley)
        )
        state[X], state[Y] = row.valley_positions(self.start_y)[valleys], self.start_y
        state[VALLEY], state[CROSSING_Y] = row.valley(state[X], self.start_y), self.start_y
        state[LAST_CROSSING] = state[ALIVE] = 1.0
        return state, generator_words(block)

    def advance(self, state: np.ndarray, words: np.ndarray, first_step: int, n_steps: int) -> None:
        """Move the runs of a block on by n_steps, in place."""
        row = self.row
        scales = (*(float(getattr(row, name)) for name in LANDSCAPE), float(row.y_min))
        shape = (row.widths, row.centres, row.ridges, math.exp(float(np.mean(np.log(row.widths)))))
        setting = (
            float(self.learning_rate),
            float(self.noise_strength),
            float(self.power),
            float(self.moves),
        )
        advance_row(state, words, first_step, n_steps, scales, shape, *setting)


def check_power(power: float, moves: bool = True) -> None:
    """Refuse a power of the Hessian that cannot be simulated (ValueError)."""
    if not (
        isinstance(power, numbers.Real) and math.isfinite(power) and abs(power) <= LARGEST_POWER
    ):
        raise ValueError(
            f"the power of the noise is {power!r}; it must be a number between "
            f"{-LARGEST_POWER:g} and {LARGEST_POWER:g}, such as 1"
        )
    if moves and power < 0:
        raise ValueError(
            f"the power of the noise is {power!r}; it must not be negative where y "
            "moves, because the curvature along y is near 0"
        )


def final_states(walk: Walk, n_runs: int, n_steps: int, seed: Seed = 0) -> np.ndarray:
    """State of every run after n_steps, (ROW_STATE_ROWS, n_runs)."""
    return histories(walk, n_runs, n_steps, n_steps, seed)[-1]


def histories(
    walk: Walk, n_runs: int, n_steps: int, record_every: int, seed: Seed = 0
) -> np.ndarray:
    """Recorded states, (records, ROW_STATE_ROWS, n_runs), the first before any step.

    Raises ValueError if n_runs is no multiple of the number of valleys, or record_every does not
    divide n_steps.
    """
    check_size(walk, n_runs, n_steps, record_every, seed)
    return langevin.histories(walk, n_runs, n_steps, record_every, seed)


def check_size(
    walk: Walk, n_runs: int, n_steps: int, record_every: int = 1, seed: Seed = 0
) -> None:
    """Refuse numbers of runs and steps that make no sense (ValueError)."""
    check_settings(
        walk.row.pair(0, 1),
        [walk.learning_rate],
        [walk.noise_strength],
        start_y=walk.start_y,
        n_steps=n_steps,
        record_every=record_every,
        seed=seed,
    )
    n_valleys = walk.row.n_valleys
    if not (isinstance(n_runs, numbers.Integral) and n_runs > 0) or n_runs % n_valleys:
        raise ValueError(
            f"n_runs is {n_runs!r}; it must be a positive multiple of {n_valleys}, "
            "because equal shares start in each valley"
        )


def occupation(walk: Walk, n_runs: int = 2000, n_steps: int = 20_000, seed: Seed = 0) -> xr.Dataset:
    """Share of the runs in each valley at the end, and freezing.

    Dim valley, from left to right: share and width. Without dims: freezing_time [steps], the last
    step at which a run changed valley (1 if it never did), freezing_y, y at that step, mean y at
    the end, their standard errors `…_error`, and diverged, the fraction of runs that left the
    landscape.

    Example:
        >>> from valleys.toy import ManyValleys, Walk, occupation
        >>> walk = Walk(ManyValleys(), learning_rate=0.05, noise_strength=0.1)
        >>> found = occupation(walk, n_runs=300, n_steps=2000)
        >>> float(found.share.sum().round(6))
        1.0
    """
    return summary(walk.row, final_states(walk, n_runs, n_steps, seed))


def occupation_in_time(
    walk: Walk, n_runs: int, n_steps: int, burn_in: int, record_every: int, seed: Seed = 0
) -> xr.Dataset:
    """Share of the time that runs spend in each valley (dim valley) after burn_in steps, at
    fixed y; errors over the independent runs.
    """
    visited = histories(walk, n_runs, n_steps, record_every, seed)[
        1 + burn_in // record_every :, VALLEY
    ]
    per_run = np.stack([(visited == valley).mean(axis=0) for valley in range(walk.row.n_valleys)])
    found = {
        "share": per_run.mean(axis=1),
        "share_error": per_run.std(axis=1, ddof=1) / math.sqrt(n_runs),
        "width": list(walk.row.widths),
    }
    return xr.Dataset(
        {name: ("valley", values) for name, values in found.items()},
        {"valley": np.arange(walk.row.n_valleys)},
    )


def runs(walk: Walk, n_runs: int, n_steps: int, record_every: int, seed: Seed = 0) -> xr.Dataset:
    """Single runs: dims (run, step): x, y and valley."""
    history = histories(walk, n_runs, n_steps, record_every, seed)
    step = np.arange(0, n_steps + 1, record_every)
    rows = {"x": X, "y": Y, "valley": VALLEY}
    variables = {
        name: (("run", "step"), np.ascontiguousarray(history[:, place].T))
        for name, place in rows.items()
    }
    return xr.Dataset(
        variables,
        {"run": np.arange(n_runs), "step": step, "time": ("step", walk.learning_rate * step)},
    )


def summary(row: ManyValleys, states: np.ndarray) -> xr.Dataset:
    """Means over the runs (ROW_STATE_ROWS, n_runs) that did not diverge, with standard errors."""
    survivors = states[:, states[ALIVE] > 0]
    n = survivors.shape[1]
    counts = [int((survivors[VALLEY] == valley).sum()) for valley in range(row.n_valleys)]
    found = {"share": ("valley", [count / n if n else math.nan for count in counts])}
    found |= {
        "share_error": ("valley", [fraction_error(count, n) for count in counts]),
        "width": ("valley", list(row.widths)),
    }
    for name, place in (("freezing_time", LAST_CROSSING), ("freezing_y", CROSSING_Y), ("y", Y)):
        mean, error = mean_and_error(survivors[place])
        found |= {name: ((), mean), f"{name}_error": ((), error)}
    return xr.Dataset(
        found | {"diverged": ((), 1 - n / states.shape[1])}, {"valley": np.arange(row.n_valleys)}
    )
