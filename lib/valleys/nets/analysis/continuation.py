"""What continuations say: how much of a run's choice comes before it freezes, and when it
freezes by either definition.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.sweep import where_loss_falls_through
from valleys.nets.experiments.specs import MAIN_THRESHOLD
from valleys.nets.statistics import Estimate


def flatness_at_equal_loss(continued: xr.Dataset) -> xr.DataArray:
    """Flatness of each continuation where its training loss falls through the highest final loss of
    all: the last level that every one reaches.

    Args:
        continued: what `continuation` returns.

    Returns:
        Dimensions reference and branch, the level in the attribute `train_loss`; NaN where a
        continuation begins below the level.
    """
    level = float(continued.branch_train_loss[..., -1].max())
    followed = continued.isel(
        record=np.flatnonzero(np.isfinite(continued.reference_flatness).any("reference").values)
    )
    found = np.full(followed.branch_flatness.shape[:2], np.nan)
    for where in np.ndindex(found.shape):
        begun = np.isfinite(followed.branch_train_loss.values[where])
        found[where] = where_loss_falls_through(
            level,
            followed.branch_train_loss.values[where][begun],
            followed.branch_flatness.values[where][begun],
        )
    return xr.DataArray(found, dims=("reference", "branch"), attrs={"train_loss": level})


def milestones(
    values: xr.DataArray, continued: xr.Dataset, threshold: float = MAIN_THRESHOLD
) -> xr.Dataset:
    """A quantity of the branches at the first one, at the first one that leaves after freezing, and
    at the last one.

    Args:
        values: one number a branch, (reference, branch).
        continued: what `continuation` returns.
        threshold: L_c of the freezing time.

    Returns:
        `first`, `frozen`, `last` by reference; `frozen` is NaN where no branch leaves after
        freezing.
    """
    late = (
        continued.branch_step.values
        >= continued.freezing_time.sel(threshold=threshold).values[:, None]
    )
    rows = np.asarray(values)
    frozen = [
        row[chosen][0] if chosen.any() else np.nan for row, chosen in zip(rows, late, strict=True)
    ]
    return xr.Dataset(
        {
            name: ("reference", found)
            for name, found in (("first", rows[:, 0]), ("frozen", frozen), ("last", rows[:, -1]))
        }
    )


def later_share(stages: xr.Dataset, rng: np.random.Generator) -> Estimate:
    """Share of the rise from first to last that comes after freezing: a ratio of means over
    reference runs, which are resampled.

    Args:
        stages: what `milestones` returns.
        rng: of the resamples.
    """
    known = stages.dropna("reference")
    late, whole = (known["last"] - known.frozen).values, (known["last"] - known["first"]).values
    return statistics.ratio(late, whole, rng, paired=True)


def agreement(continued: xr.Dataset, threshold: float = MAIN_THRESHOLD) -> xr.Dataset:
    """How alike continuations are that branch off before freezing, and from then on: mean Sim_J
    over their pairs, on all test images.

    Args:
        continued: what `continuation` returns.
        threshold: L_c of the freezing time.

    Returns:
        `early` and `late` by reference; NaN where there are fewer than two such branches.
    """
    late = (
        continued.branch_step.values
        >= continued.freezing_time.sel(threshold=threshold).values[:, None]
    )
    found = {
        name: [
            _mean_of_pairs(*one) for one in zip(continued.similarity_full.values, rows, strict=True)
        ]
        for name, rows in (("early", ~late), ("late", late))
    }
    return xr.Dataset({name: ("reference", values) for name, values in found.items()})


def _mean_of_pairs(matrix: np.ndarray, chosen: np.ndarray) -> float:
    pairs = matrix[np.ix_(chosen, chosen)][np.triu_indices(chosen.sum(), 1)]
    return float(pairs.mean()) if pairs.size else np.nan


def basin_times(
    similarity_to_last: xr.DataArray, branch_times: xr.DataArray, level: float
) -> xr.DataArray:
    """The earliest branch from which on every continuation is as similar as `level` to the last
    one: freezing read off the continuations.

    Args:
        similarity_to_last: Sim_J of each continuation with the last one of its run, with a
            dimension branch.
        branch_times: when each branch leaves, with a dimension branch; the answer is known up to
            their spacing.
        level: Sim_J from which two ends count as one basin.
    """
    return xr.apply_ufunc(
        statistics.since,
        branch_times,
        ~(similarity_to_last < level),
        input_core_dims=[["branch"]] * 2,
    )


def clocks(
    found: xr.Dataset, levels: Sequence[float], threshold: float = MAIN_THRESHOLD, *, seed: int = 0
) -> xr.Dataset:
    """Both definitions of freezing side by side at each setting: by the loss, and by the basin of
    the continuations, on all test images.

    Args:
        found: what `basins` returns.
        levels: values of Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap over reference runs.

    Returns:
        Dimensions batch_size, learning_rate (and level): `freezing_time` and `basin_time`, means of
            η · step over the reference runs, each with
        `_low` and `_high`.
    """
    by_loss = found.freezing_time.sel(threshold=threshold, drop=True)
    by_basin = xr.concat(
        [basin_times(found.similarity_to_last_full, found.branch_time, level) for level in levels],
        xr.IndexVariable("level", list(levels)),
    )
    both = {"freezing_time": by_loss, "basin_time": by_basin}
    return xr.merge(
        [
            statistics.run_means(values, "reference", name, seed=seed)
            for name, values in both.items()
        ]
    )


def clock_lag(
    found: xr.Dataset, level: float, threshold: float = MAIN_THRESHOLD, *, seed: int = 0
) -> Estimate:
    """Freezing time by the basin over that by the loss, each a mean over reference runs, averaged
    over settings; resampling reference runs.

    Args:
        found: what `basins` returns.
        level: Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap.
    """
    by_loss, by_basin = both = _both_clocks(found, level, threshold)
    if not by_loss.size:
        return Estimate(np.nan, np.nan, np.nan)
    drawn = statistics.drawn_means(np.moveaxis(both, 0, -1), np.random.default_rng(seed))
    value = (by_basin.mean(axis=1) / by_loss.mean(axis=1)).mean()
    return statistics.interval(
        value, (drawn[..., 1] / drawn[..., 0]).mean(axis=0), [by_loss.shape[1]] * len(by_loss)
    )


def clock_agreement(
    found: xr.Dataset, level: float, threshold: float = MAIN_THRESHOLD, *, seed: int = 0
) -> Estimate:
    """Spearman's rank correlation over settings between the mean freezing times by both
    definitions, resampling reference runs.

    Args:
        found: what `basins` returns.
        level: Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap.

    Returns:
        The correlation; NaN for fewer than three settings in which every reference run froze, and
        where one clock tells the same time in all.
    """
    return statistics.rank_correlation_of_means(
        *_both_clocks(found, level, threshold), rng=np.random.default_rng(seed)
    )


def _both_clocks(found: xr.Dataset, level: float, threshold: float) -> np.ndarray:
    """Freezing times by the loss and by the basin, (2, settings, references), of the settings in
    which every run froze.
    """
    by_loss = found.freezing_time.sel(threshold=threshold, drop=True)
    pair = [
        values.stack(setting=("batch_size", "learning_rate"))
        for values in (
            by_loss,
            basin_times(found.similarity_to_last_full, found.branch_time, level),
        )
    ]
    both = np.stack([values.transpose("setting", "reference").values for values in pair])
    return both[:, np.isfinite(both).all(axis=(0, 2))]
