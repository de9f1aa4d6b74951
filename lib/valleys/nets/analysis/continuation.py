"""What continuations say: how much of a run's choice comes before it freezes, and when it freezes by either definition."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.sweep import where_loss_falls_through
from valleys.nets.experiments.specs import MAIN_THRESHOLD
from valleys.nets.statistics import Estimate

N_RESAMPLES = 500
FEWEST_SETTINGS = 3  # two are ordered alike or not, whatever they are


def flatness_at_equal_loss(continued: xr.Dataset) -> xr.DataArray:
    """Flatness of each continuation where its training loss falls through the highest final loss of all: the last level that every one reaches.

    Args:
        continued: what `continuation` returns.

    Returns:
        Dimensions reference and branch, the level in the attribute `train_loss`; NaN where a continuation begins below the level.
    """
    level = float(continued.branch_train_loss[..., -1].max())
    followed = continued.isel(record=np.flatnonzero(np.isfinite(continued.reference_flatness).any("reference").values))
    found = np.full(followed.branch_flatness.shape[:2], np.nan)
    for where in np.ndindex(found.shape):
        begun = np.isfinite(followed.branch_train_loss.values[where])
        found[where] = where_loss_falls_through(level, followed.branch_train_loss.values[where][begun], followed.branch_flatness.values[where][begun])
    return xr.DataArray(found, dims=("reference", "branch"), attrs={"train_loss": level})


def milestones(values: xr.DataArray, continued: xr.Dataset, threshold: float = MAIN_THRESHOLD) -> xr.Dataset:
    """A quantity of the branches at the first one, at the first one that leaves after freezing, and at the last one.

    Args:
        values: one number a branch, (reference, branch).
        continued: what `continuation` returns.
        threshold: L_c of the freezing time.

    Returns:
        `first`, `frozen`, `last` by reference; `frozen` is NaN where no branch leaves after freezing.
    """
    late = continued.branch_step.values >= continued.freezing_time.sel(threshold=threshold).values[:, None]
    rows = np.asarray(values)
    frozen = [row[chosen][0] if chosen.any() else np.nan for row, chosen in zip(rows, late, strict=True)]
    return xr.Dataset({name: ("reference", found) for name, found in (("first", rows[:, 0]), ("frozen", frozen), ("last", rows[:, -1]))})


def later_share(stages: xr.Dataset, rng: np.random.Generator) -> Estimate:
    """Share of the rise from first to last that comes after freezing: a ratio of means over reference runs, which are resampled.

    Args:
        stages: what `milestones` returns.
        rng: of the resamples.
    """
    known = stages.dropna("reference")
    late, whole = (known["last"] - known.frozen).values, (known["last"] - known["first"]).values
    if not len(whole):
        return Estimate(np.nan, np.nan, np.nan)
    drawn = statistics.counts(len(whole), rng)
    return statistics.interval(late.mean() / whole.mean(), (drawn @ late) / (drawn @ whole))


def agreement(continued: xr.Dataset, threshold: float = MAIN_THRESHOLD) -> xr.Dataset:
    """How alike continuations are that branch off before freezing, and from then on: mean Sim_J over their pairs, on all test images.

    Args:
        continued: what `continuation` returns.
        threshold: L_c of the freezing time.

    Returns:
        `early` and `late` by reference; NaN where there are fewer than two such branches.
    """
    late = continued.branch_step.values >= continued.freezing_time.sel(threshold=threshold).values[:, None]
    found = {
        name: [_mean_of_pairs(*one) for one in zip(continued.similarity_full.values, rows, strict=True)] for name, rows in (("early", ~late), ("late", late))
    }
    return xr.Dataset({name: ("reference", values) for name, values in found.items()})


def _mean_of_pairs(matrix: np.ndarray, chosen: np.ndarray) -> float:
    pairs = matrix[np.ix_(chosen, chosen)][np.triu_indices(chosen.sum(), 1)]
    return float(pairs.mean()) if pairs.size else np.nan


def basin_times(similarity_to_last: xr.DataArray, branch_times: xr.DataArray, level: float) -> xr.DataArray:
    """The earliest branch from which on every continuation is as similar as `level` to the last one: freezing read off the continuations.

    Args:
        similarity_to_last: Sim_J of each continuation with the last one of its run, with a dimension branch.
        branch_times: when each branch leaves, with a dimension branch; the answer is known up to their spacing.
        level: Sim_J from which two ends count as one basin.
    """
    unlike = (similarity_to_last < level).astype(int)
    n_after = unlike.isel(branch=slice(None, None, -1)).cumsum("branch").isel(branch=slice(None, None, -1))
    return branch_times.where(n_after == 0).min("branch")


def clocks(found: xr.Dataset, levels: Sequence[float], threshold: float = MAIN_THRESHOLD, *, seed: int = 0) -> xr.Dataset:
    """Both definitions of freezing side by side at each setting: by the loss, and by the basin of the continuations, on all test images.

    Args:
        found: what `basins` returns.
        levels: values of Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap over reference runs.

    Returns:
        Dimensions batch_size, learning_rate (and level): `freezing_time` and `basin_time`, means of η · step over the reference runs, each with
        `_low` and `_high`.
    """
    by_loss = found.freezing_time.sel(threshold=threshold, drop=True)
    by_basin = xr.concat([basin_times(found.similarity_to_last_full, found.branch_time, level) for level in levels], xr.IndexVariable("level", list(levels)))
    return xr.merge([_means("freezing_time", by_loss, seed), _means("basin_time", by_basin, seed)])


def _means(name: str, values: xr.DataArray, seed: int) -> xr.Dataset:
    means = partial(statistics.row_means, seed=seed)
    found = xr.apply_ufunc(means, values, input_core_dims=[["reference"]], output_core_dims=[["end"]])
    return xr.Dataset({f"{name}{suffix}": found.isel(end=index) for index, suffix in enumerate(("", "_low", "_high"))})


def clock_lag(found: xr.Dataset, level: float, threshold: float = MAIN_THRESHOLD, *, seed: int = 0) -> Estimate:
    """Freezing time by the basin over that by the loss, each a mean over reference runs, averaged over settings; resampling reference runs.

    Args:
        found: what `basins` returns.
        level: Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap.
    """
    return _resampled(lambda means: float((means[1] / means[0]).mean()), _both_clocks(found, level, threshold), seed)


def clock_agreement(found: xr.Dataset, level: float, threshold: float = MAIN_THRESHOLD, *, seed: int = 0) -> Estimate:
    """Spearman's rank correlation over settings between the mean freezing times by both definitions, resampling reference runs.

    Args:
        found: what `basins` returns.
        level: Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap.

    Returns:
        The correlation; NaN for fewer than three settings in which every reference run froze, and where one clock tells the same time in all.
    """
    return _resampled(_rank_correlation, _both_clocks(found, level, threshold), seed)


def _both_clocks(found: xr.Dataset, level: float, threshold: float) -> np.ndarray:
    """Freezing times by the loss and by the basin, (2, settings, references), of the settings in which every run froze."""
    by_loss = found.freezing_time.sel(threshold=threshold, drop=True)
    pair = [values.stack(setting=("batch_size", "learning_rate")) for values in (by_loss, basin_times(found.similarity_to_last_full, found.branch_time, level))]
    both = np.stack([values.transpose("setting", "reference").values for values in pair])
    return both[:, np.isfinite(both).all(axis=(0, 2))]


def _resampled(statistic: Callable[[np.ndarray], float], both: np.ndarray, seed: int) -> Estimate:
    """A statistic of the means over reference runs, (2, settings), with its interval; the runs of each setting are drawn on their own."""
    rng, (_, n_settings, n) = np.random.default_rng(seed), both.shape
    draws = (rng.integers(n, size=(1, n_settings, n)) for _ in range(N_RESAMPLES))
    drawn = [statistic(np.take_along_axis(both, draw, axis=2).mean(axis=2)) for draw in draws]
    return statistics.interval(statistic(both.mean(axis=2)), np.array(drawn) if n > 1 else np.array([np.nan]))


def _rank_correlation(means: np.ndarray) -> float:
    return statistics.spearman(*means) if means.shape[1] >= FEWEST_SETTINGS else np.nan
