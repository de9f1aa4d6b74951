"""What continuations say: how much of a run's choice comes before it freezes, and when it freezes by either definition."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from valleys.nets import statistics
from valleys.nets.specs import MAIN_THRESHOLD
from valleys.nets.statistics import Estimate
from valleys.nets.summary import where_loss_falls_through


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
        `first`, `frozen`, `last` by reference, and `later_share`, the share of the rise from first to last that comes after frozen; NaN
        where no branch leaves after freezing.
    """
    late = continued.branch_step.values >= continued.freezing_time.sel(threshold=threshold).values[:, None]
    rows = np.asarray(values)
    frozen = np.array([row[chosen][0] if chosen.any() else np.nan for row, chosen in zip(rows, late, strict=True)])
    first, last = rows[:, 0], rows[:, -1]
    share = (last - frozen) / (last - first)
    return xr.Dataset({name: ("reference", found) for name, found in (("first", first), ("frozen", frozen), ("last", last), ("later_share", share))})


def agreement(continued: xr.Dataset, threshold: float = MAIN_THRESHOLD, *, seed: int = 0) -> xr.Dataset:
    """How alike continuations are that branch off before freezing, and from then on: mean Sim_J over their pairs, on all test images.

    Args:
        continued: what `continuation` returns.
        threshold: L_c of the freezing time.
        seed: of the bootstrap over branches.

    Returns:
        Dimension reference; `early` and `late`, each with `_low` and `_high`; NaN where there are fewer than two such branches.
    """
    rows = []
    for index, freeze in enumerate(continued.freezing_time.sel(threshold=threshold).values):
        late = continued.branch_step.values >= freeze
        parts = {"early": np.flatnonzero(~late), "late": np.flatnonzero(late)}
        rng, matrix, row = np.random.default_rng([seed, index]), continued.similarity_full.values[index], {}
        for name, chosen in parts.items():
            row |= statistics.pair_mean(matrix[np.ix_(chosen, chosen)], rng).named(name)
        rows.append(xr.Dataset(row))
    return xr.concat(rows, dim="reference")


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
    def ends(row: np.ndarray) -> np.ndarray:
        return np.array(dataclasses.astuple(statistics.mean(row[np.isfinite(row)], np.random.default_rng(seed))))

    found = xr.apply_ufunc(ends, values, input_core_dims=[["reference"]], output_core_dims=[["end"]], vectorize=True)
    return xr.Dataset({f"{name}{suffix}": found.isel(end=index) for index, suffix in enumerate(("", "_low", "_high"))})


def clock_agreement(found: xr.Dataset, level: float, threshold: float = MAIN_THRESHOLD, *, seed: int = 0) -> Estimate:
    """Spearman's rank correlation over settings between the mean freezing times by both definitions, resampling reference runs.

    Args:
        found: what `basins` returns, with three settings or more.
        level: Sim_J from which two ends count as one basin.
        threshold: L_c.
        seed: of the bootstrap.
    """
    by_loss = found.freezing_time.sel(threshold=threshold, drop=True)
    pair = [values.stack(setting=("batch_size", "learning_rate")) for values in (by_loss, basin_times(found.similarity_to_last_full, found.branch_time, level))]
    both = np.stack([values.transpose("setting", "reference").values for values in pair])
    both = both[:, np.isfinite(both).all(axis=(0, 2))]
    rng, n = np.random.default_rng(seed), both.shape[2]
    drawn = [_rank_correlation(both[:, :, rng.integers(n, size=n)].mean(axis=2)) for _ in range(500)]
    return statistics.interval(_rank_correlation(both.mean(axis=2)), np.array(drawn))


def _rank_correlation(pair: np.ndarray) -> float:
    return float(spearmanr(*pair).statistic) if np.ptp(pair, axis=1).all() else np.nan
