"""Runs of Eq. 13 whose noise strength follows a schedule, in blocks of steps; the compiled loop is
that of constant noise.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.results.spec import require
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.kernels import ADVANCE, ALIVE, X, Y
from valleys.toy.simulation.langevin import (
    Seed,
    TwoValleyWalk,
    check_settings,
    fraction_error,
    in_threads,
    mean_and_error,
    n_blocks,
    streams,
)


@dataclass(frozen=True)
class Blocks:
    """A schedule as a simulation takes it: so many steps at each noise strength.

    Raises ValueError unless both are equally many, the steps positive and the strengths not
    negative.
    """

    n_steps: tuple[int, ...]
    noise_strengths: tuple[float, ...]  # 0: no noise at all

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        require(
            len(self.n_steps) == len(self.noise_strengths) > 0,
            f"a schedule needs a noise strength for each block of steps; got {len(self.n_steps)} "
            f"blocks and {len(self.noise_strengths)} strengths",
        )
        require(min(self.n_steps) > 0, "each block of a schedule must have one step or more")
        require(
            bool(np.isfinite(self.noise_strengths).all()) and min(self.noise_strengths) >= 0,
            "noise strengths of a schedule must be finite and not negative; 0 is no noise",
        )

    @classmethod
    def of(
        cls, times: np.ndarray, noise: np.ndarray, learning_rate: float, n_blocks: int = 200
    ) -> "Blocks":
        """Steps at a learning rate for an effective noise (n,) between times (n + 1,): blocks that
        grow with time, each with the noise of its middle.
        """
        last = max(1, round(times[-1] / learning_rate))
        borders = np.unique(np.round(np.expm1(np.linspace(0, np.log1p(last), n_blocks + 1))))
        middles = learning_rate * (borders[1:] + borders[:-1]) / 2
        piece = np.clip(np.searchsorted(times, middles) - 1, 0, noise.size - 1)
        steps = np.diff(borders).astype(int)
        return cls(tuple(map(int, steps)), tuple(map(float, noise[piece] / learning_rate)))

    @property
    def borders(self) -> np.ndarray:
        """Steps made before each block and after the last."""
        return np.concatenate([[0], np.cumsum(self.n_steps)])


def scheduled(
    landscape: TwoValley,
    learning_rate: float,
    blocks: Blocks,
    n_runs: int = 1000,
    start_y: float = 1.0,
    noise: str = "hessian",
    seed: Seed = 0,
) -> xr.Dataset:
    """P_flat and mean y of runs under a schedule.

    Dim step, at the borders of the blocks, with time = learning_rate · step: p_flat, mean_y, their
    standard errors, and diverged. Start, noise and divergence as in `flat_probability`.

    Raises:
        ValueError: a setting is out of range.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.simulation.schedules import Blocks, scheduled
        >>> found = scheduled(TwoValley(), 0.05, Blocks((100, 900), (0.1, 0.0)), n_runs=200)
        >>> found.step.values
        array([   0,  100, 1000])
    """
    total = sum(blocks.n_steps)
    check_settings(
        landscape,
        [learning_rate],
        [1.0],
        start_y=start_y,
        n_runs=n_runs,
        n_steps=total,
        noise=noise,
        seed=seed,
    )
    walk = TwoValleyWalk(landscape, float(learning_rate), 1.0, float(start_y), noise)
    history = _histories(walk, blocks, n_runs, seed)
    rows = [_told(record) for record in history]
    values = {name: ("step", np.array([row[name] for row in rows])) for name in rows[0]}
    steps = blocks.borders
    return xr.Dataset(values, {"step": steps, "time": ("step", learning_rate * steps)})


def _histories(walk: TwoValleyWalk, blocks: Blocks, n_runs: int, seed: Seed) -> np.ndarray:
    """x, y and whether a run is alive, at the borders of the blocks: (n_borders, 3, n_runs)."""
    scales = map(float, dataclasses.astuple(walk.landscape))
    constants, advance = (*scales, float(walk.landscape.y_min)), ADVANCE[walk.noise]

    def history(block: np.random.SeedSequence) -> np.ndarray:
        state, words = walk.start(block)
        records, past = [state[[X, Y, ALIVE]]], 0
        for n_steps, strength in zip(blocks.n_steps, blocks.noise_strengths, strict=True):
            setting = constants, walk.learning_rate, strength
            advance(state, words, past + 1, n_steps, *setting)
            records.append(state[[X, Y, ALIVE]])
            past += n_steps
        return np.stack(records)

    parts = in_threads(history, streams(seed).spawn(n_blocks(n_runs)))
    return np.concatenate(parts, axis=-1)[:, :, :n_runs]


def _told(record: np.ndarray) -> dict[str, float]:
    x, y, alive = record
    kept: Sequence[bool] = alive > 0
    n_flat, n = int((x[kept] > 0).sum()), int(np.sum(kept))
    mean_y, error = mean_and_error(y[kept])
    return {
        "p_flat": n_flat / n if n else np.nan,
        "p_flat_error": fraction_error(n_flat, n),
        "mean_y": mean_y,
        "mean_y_error": error,
        "diverged": 1 - n / x.size,
    }
