"""Simulation of x at a fixed y: samples of P(x|y), occupation of the valleys, escapes between
them.
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.kernels import (
    ARMED,
    ARMED_TIME,
    CORE,
    CORE_TIME,
    ESCAPES,
    FROZEN_ROWS,
    IN_FLAT,
    JITTER,
    LANES,
    POSITION,
    SQUARES,
    SUM,
    TOPS,
    advance_frozen,
)
from valleys.toy.simulation.langevin import (
    Seed,
    check_settings,
    generator_words,
    in_threads,
    n_blocks,
    streams,
)

VALLEYS = ("sharp", "flat")  # in the order of x


class AlongX(NamedTuple):
    """The step along x at fixed y: what it has on the (sharp, flat) side, and a histogram.

    Attributes:
        bottoms: where the force along x is zero.
        curves: curvatures ∂²L/∂x².
        kicks: standard deviations of the noise of one step.
        edges: borders of the bins, (n_bins + 1,).
    """

    bottoms: tuple[float, float]
    curves: tuple[float, float]
    kicks: tuple[float, float]
    edges: np.ndarray


def frozen_y(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    n_runs: int = 256,
    n_steps: int = 100_000,
    burn_in: int = 10_000,
    sample_every: int = 10,
    n_bins: int = 80,
    noise: str = "hessian",
    seed: Seed = 0,
    force: float = 0.0,
) -> xr.Dataset:
    """x_{t+1} = x_t − η(∂x L − force + ξ) at fixed y > 0, with Var ξ = 2σ ∂²L/∂x² on each side (Eq.
    13 along x; Eq. A10 for small η).

    p_flat: share of the steps with x > 0, over n_steps steps after burn_in, with its error over the
    independent runs. mean_x and variance_x: of all steps; valley_mean and valley_variance (valley):
    of the steps on one side of the ridge. density (bin): histogram of x, in bins that reach 5
    standard deviations beyond both bottoms; x (bin) is the centre of each. Dim valley ("sharp",
    "flat"): escape_rate, one over the mean time from one bottom to the other; top_rate, one over
    the mean time from a bottom to the ridge x = 0, both per unit of time η·step; n_escapes and
    n_tops, how many were seen. Every estimate has its `…_error`. Raises ValueError for any setting
    out of range.

    Example:
        >>> from valleys.toy import TwoValley, frozen_y, p_flat_exact
        >>> found = frozen_y(TwoValley(), 0.02, 1.0, y=10.0, n_runs=64, n_steps=20000)
        >>> bool(abs(found.p_flat - p_flat_exact(TwoValley(), 10.0, 0.02)) < 0.05)
        True
    """
    rates, strengths = [learning_rate], [noise_strength]
    check_settings(
        landscape,
        rates,
        strengths,
        start_y=y,
        n_runs=n_runs,
        n_steps=n_steps,
        noise=noise,
        seed=seed,
    )
    if burn_in < 0 or min(sample_every, n_bins) < 1 or n_steps < sample_every:
        raise ValueError(
            "burn_in must be at least 0, n_bins and sample_every at least 1, and "
            "sample_every at most n_steps"
        )
    line = along_x(landscape, learning_rate, noise_strength, y, noise, n_bins, force)
    state, counts = _sampled(line, learning_rate, n_runs, n_steps, burn_in, sample_every, seed)
    return _frozen_dataset(state, counts, line.edges, n_steps, sample_every, learning_rate)


def _sampled(
    line: AlongX,
    learning_rate: float,
    n_runs: int,
    n_steps: int,
    burn_in: int,
    sample_every: int,
    seed: Seed,
) -> tuple[np.ndarray, np.ndarray]:
    """States (FROZEN_ROWS, n_runs) after n_steps, sums over those that follow burn_in, and the
    histogram of each run, (n_runs, n_bins).
    """
    bin_width = float(line.edges[1] - line.edges[0])
    grid = (float(learning_rate), float(line.edges[0]), bin_width)
    setting, n_bins = (line.bottoms, line.curves, line.kicks, *grid), line.edges.size - 1

    def run_block(block: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray]:
        state, words = _start(line.bottoms), generator_words(block)
        unused = np.zeros((LANES, n_bins), np.int64)
        advance_frozen(state, words, unused, burn_in, burn_in + 1, *setting)
        state[IN_FLAT:] = 0.0
        counts = np.zeros((LANES, n_bins), np.int64)
        advance_frozen(state, words, counts, n_steps, sample_every, *setting)
        return state, counts

    blocks = in_threads(run_block, streams(seed).spawn(n_blocks(n_runs)))
    state = np.concatenate([block[0] for block in blocks], axis=1)[:, :n_runs]
    return state, np.concatenate([block[1] for block in blocks])[:n_runs]


def _start(bottoms: tuple[float, float]) -> np.ndarray:
    """State of a block before its first step: half the runs at either bottom."""
    state, flat = np.zeros((FROZEN_ROWS, LANES)), np.arange(LANES) % 2
    state[POSITION] = np.where(flat, bottoms[1], bottoms[0])
    state[CORE] = state[ARMED] = np.where(flat, 1.0, -1.0)
    return state


def along_x(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    noise: str,
    n_bins: int,
    force: float = 0.0,
) -> AlongX:
    """The step at one y, with bins that reach 5 standard deviations beyond both bottoms; ValueError
    without a stationary state.
    """
    sharp_bottom, flat_bottom, curves = _pushed_valleys(landscape, y, force)
    if learning_rate * max(curves) >= 2:
        raise ValueError(
            f"learning rate {learning_rate:g} times the curvature {max(curves):.3g} "
            "is 2 or more: no stationary state; lower it"
        )
    kicks = learning_rate * np.sqrt(2 * noise_strength * _spreads(curves, noise) + JITTER)
    # of the stationary Gaussian of the discrete step
    widths = kicks / np.sqrt(learning_rate * curves * (2 - learning_rate * curves))
    edges = np.linspace(sharp_bottom - 5 * widths[0], flat_bottom + 5 * widths[1], n_bins + 1)
    return AlongX((sharp_bottom, flat_bottom), _pair(curves), _pair(kicks), edges)


def _pushed_valleys(
    landscape: TwoValley, y: float, force: float
) -> tuple[float, float, np.ndarray]:
    """Bottoms of the sharp and of the flat valley under a force, and both curvatures."""
    if y <= 0:
        raise ValueError(f"y is {y!r}; two valleys exist for y > 0 only")
    flatness = np.array(landscape.flatness(y))[::-1]
    # a force moves the bottoms, not the ridge
    sharp, flat = np.array(landscape.valley_positions(y))[::-1] + force * flatness / 2
    if not sharp < 0 < flat:
        raise ValueError(
            f"force {force!r} moves a bottom across the ridge at y = {y:g}; give a weaker one"
        )
    return float(sharp), float(flat), 2 / flatness


def _spreads(curves: np.ndarray, noise: str) -> np.ndarray:
    """Variance of the noise along x over 2σ, for each kind of it."""
    return {
        "hessian": curves,
        "hessian_squared": curves**2,
        "isotropic": np.full(2, math.sqrt(curves[0] * curves[1])),
    }[noise]


def _pair(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _frozen_dataset(
    state: np.ndarray,
    counts: np.ndarray,
    edges: np.ndarray,
    n_steps: int,
    sample_every: int,
    learning_rate: float,
) -> xr.Dataset:
    occupation = state[IN_FLAT] / n_steps
    density = counts / (n_steps // sample_every) / np.diff(edges)
    variables = {
        "p_flat": ((), occupation.mean()),
        "p_flat_error": ((), _error(occupation)),
        "density": ("bin", density.mean(axis=0)),
        "density_error": ("bin", _error(density)),
        "x": ("bin", (edges[1:] + edges[:-1]) / 2),
    }
    variables |= _moments(state, n_steps)
    for name, events, clock in (("escape", ESCAPES, CORE_TIME), ("top", TOPS, ARMED_TIME)):
        rates = [
            rate_and_error(state[events + side], state[clock + side] * learning_rate)
            for side in range(2)
        ]
        variables[f"{name}_rate"] = ("valley", np.array([rate for rate, _ in rates]))
        variables[f"{name}_rate_error"] = ("valley", np.array([error for _, error in rates]))
        variables[f"n_{name}s"] = ("valley", state[events : events + 2].sum(axis=1).astype(int))
    return xr.Dataset(variables, {"valley": list(VALLEYS)})


def _moments(state: np.ndarray, n_steps: int) -> dict[str, tuple]:
    """Mean and variance of x, on each side of the ridge and over both, with errors over the
    independent runs.
    """
    flat_steps = state[IN_FLAT]
    sides = [
        _mean_and_variance(n, state[SUM + side], state[SQUARES + side])
        for side, n in enumerate((n_steps - flat_steps, flat_steps))
    ]
    both = _mean_and_variance(
        np.full(flat_steps.size, float(n_steps)),
        state[SUM : SUM + 2].sum(axis=0),
        state[SQUARES : SQUARES + 2].sum(axis=0),
    )
    names = ("mean", "mean_error", "variance", "variance_error")
    over_both = {
        f"{name.split('_')[0]}_x{'_error' if 'error' in name else ''}": ((), value)
        for name, value in zip(names, both, strict=True)
    }
    return over_both | {
        f"valley_{name}": ("valley", np.array(values))
        for name, values in zip(names, zip(*sides, strict=True), strict=True)
    }


def _mean_and_variance(
    steps: np.ndarray, sums: np.ndarray, squares: np.ndarray
) -> tuple[float, float, float, float]:
    """Mean, its error, variance, its error, from the sums of each independent run; NaN where no
    step was spent.
    """
    total = steps.sum()
    if total == 0:
        return math.nan, math.nan, math.nan, math.nan
    mean, n_runs = sums.sum() / total, steps.size
    variance = squares.sum() / total - mean**2
    # what each run adds to the deviation, times its steps
    pulls = sums - mean * steps, squares - 2 * mean * sums + (mean**2 - variance) * steps
    mean_error, variance_error = (
        float(np.std(pull, ddof=1) * math.sqrt(n_runs) / total) for pull in pulls
    )
    return float(mean), mean_error, float(variance), variance_error


def _error(per_run: np.ndarray) -> np.ndarray:
    return per_run.std(axis=0, ddof=1) / math.sqrt(len(per_run))


def rate_and_error(events: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """Events per time, summed over independent runs, and its standard error (at least that of
    one event); NaN if no time was spent.
    """
    total = times.sum()
    if total == 0:
        return math.nan, math.nan
    rate = events.sum() / total
    n_runs = events.size
    spread = math.sqrt(np.sum((events - rate * times) ** 2) * n_runs / (n_runs - 1)) / total
    return float(rate), float(max(spread, 1 / total))
