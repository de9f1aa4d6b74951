"""What continuations find, section by section: which of a run's choices come before it freezes."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.continuation import (
    agreement,
    clock_agreement,
    clock_lag,
    later_share,
    milestones,
)
from valleys.nets.statistics import Estimate, LinearFit
from valleys.results.estimates import Findings

CENT = 0.01  # of the loss: a wall by the second convention


def _over_runs(values: np.ndarray | xr.DataArray, seed: int) -> Estimate:
    """Mean over reference runs, (n,), each mean from the same resamples."""
    return statistics.mean(np.asarray(values), np.random.default_rng(seed))


def reference_findings(found: xr.Dataset, threshold: float, *, seed: int = 0) -> Findings:
    """What the other findings rest on, and when the reference runs freeze.

    Args:
        found: what `continuation` returns.
        threshold: L_c of the freezing time.
        seed: of the bootstrap.

    Returns:
        dataset: its name.
        n_small, n_full: images of both test sets.
        branches: of each reference run.
        freeze, freeze_first: mean step at which reference runs freeze, and that of the first.
    """
    steps = found.freezing_time.sel(threshold=threshold).values
    return {
        "dataset": found.dataset,
        "n_small": found.sizes["test_image"],
        "n_full": found.sizes["full_test_image"],
        "branches": found.sizes["branch"],
        "freeze": _over_runs(steps, seed),
        "freeze_first": float(steps[0]),
    }


def gap_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How far two successive branches end apart, in the plane of two components (Fig. 4A).

    Args:
        found: what `continuation` returns.
        seed: of the bootstrap over reference runs.

    Returns:
        gap_first: of the first two branches.
        gap_early, gap_late: mean over the earlier, and over the later half of successive pairs.
    """
    ends = found.branch_position.isel(record=-1)
    gaps = np.linalg.norm(ends.diff("branch"), axis=-1)  # (reference, successive pair)
    half = gaps.shape[1] // 2
    return {
        "gap_first": _over_runs(gaps[:, 0], seed),
        "gap_early": _over_runs(gaps[:, :half].mean(axis=1), seed),
        "gap_late": _over_runs(gaps[:, half:].mean(axis=1), seed),
    }


def flatness_findings(
    found: xr.Dataset, at_equal_loss: xr.DataArray, threshold: float, *, seed: int = 0
) -> Findings:
    """How the flatness of a continuation grows with the time of its branch, and when (Fig. 4C).

    Args:
        found: what `continuation` returns.
        at_equal_loss: what `flatness_at_equal_loss` gives.
        threshold: L_c of the freezing time.
        seed: of the bootstrap over reference runs.

    Returns:
        flat_first, flat_frozen, flat_last: final flatness at the first branch of the first
            reference run, and the mean at the first branch after freezing and at the last one.
        later: share of the rise from the first to the last branch that comes after freezing.
        equal_first, equal_frozen, equal_last, equal_later: the same of flatness at equal loss.
    """
    final = found.branch_flatness.isel(record=-1)
    findings: Findings = {}
    for name, values, share in (("flat", final, "later"), ("equal", at_equal_loss, "equal_later")):
        stages = milestones(values, found, threshold)
        findings |= {
            f"{name}_first": float(stages["first"][0]),
            f"{name}_frozen": _over_runs(stages.frozen, seed),
            f"{name}_last": _over_runs(stages["last"], seed),
            share: later_share(stages, np.random.default_rng(seed)),
        }
    return findings


def generalization_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Whether late branches end with a lower test loss than the first one (Fig. 4B).

    Args:
        found: what `continuation` returns.
        seed: of the bootstrap over reference runs.

    Returns:
        By test set, with `_small` and `_full` behind.
        test_first, test_last: loss of the first branch of the first reference run, and mean of
            the last branches.
        better: reference runs in which the last branch has the lower loss.
    """
    findings: Findings = {}
    for name, losses in _test_losses(found).items():
        findings |= {
            f"test_first_{name}": float(losses[0, 0]),
            f"test_last_{name}": _over_runs(losses[:, -1], seed),
            f"better_{name}": int((losses[:, -1] < losses[:, 0]).sum()),
        }
    return findings


def _test_losses(found: xr.Dataset) -> dict[str, np.ndarray]:
    """Final test loss of each branch on both test sets, (reference, branch) each."""
    return {"small": found.final_test_loss.values, "full": found.final_test_loss_full.values}


def training_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How well the continuations are trained in the end, whenever they left.

    Args:
        found: what `continuation` returns.
        seed: of the bootstrap over reference runs.

    Returns:
        loss_low, loss_high: range of the final training losses.
        loss_spread: highest over lowest within a reference run.
        fitted: share of the continuations with every training image right.
        right_first: accuracy of the first branch of the first run on all test images, in per cent.
        gained: accuracy of the last branch less that of the first one, in percentage points.
    """
    losses = found.branch_train_loss.isel(record=-1)
    right = found.final_test_accuracy_full.values
    return {
        "loss_low": float(losses.min()),
        "loss_high": float(losses.max()),
        "loss_spread": _over_runs(losses.max("branch") / losses.min("branch"), seed),
        "fitted": float((found.branch_train_accuracy.isel(record=-1) == 1).mean()),
        "right_first": float(100 * right[0, 0]),
        "gained": _over_runs(100 * (right[:, -1] - right[:, 0]), seed),
    }


def flatness_fits(
    found: xr.Dataset, *, skipped: int = 0, seed: int = 0
) -> dict[str, list[LinearFit]]:
    """A line through the final test losses of a run's branches against their flatness (Fig. 4D).

    Args:
        found: what `continuation` returns.
        skipped: branches left out at the beginning.
        seed: of the resamples of branches.

    Returns:
        The line of each reference run, on the small and on the full test set.
    """
    flat = found.branch_flatness.isel(record=-1).values[:, skipped:]
    rng = np.random.default_rng
    return {
        name: [
            statistics.fit_points(*row, rng(seed))
            for row in zip(flat, losses[:, skipped:], strict=True)
        ]
        for name, losses in _test_losses(found).items()
    }


def fit_findings(
    fits: Mapping[str, Sequence[LinearFit]],
    without: Mapping[str, Sequence[LinearFit]],
    published: float,
    *,
    seed: int = 0,
) -> Findings:
    """How well flatness tells the test loss of a branch (Fig. 4D).

    Args:
        fits: what `flatness_fits` gives.
        without: the same without the first branch.
        published: R² of the paper.
        seed: of the bootstrap over reference runs.

    Returns:
        By test set, with `_small` and `_full` behind.
        slope, r2: means over the reference runs; `r2_low` and `r2_high`, the range of R².
        r2_first: R² of the first run, with its interval.
        falling, above: runs in which the line falls, and in which it does so with an R² as high as
            the paper's.
        later_r2, later_falling: mean R², and in how many runs it falls, without the first branch.
    """
    findings: Findings = {}
    for name, row in fits.items():
        slopes, shares = _slopes_and_shares(row)
        later_slopes, later_shares = _slopes_and_shares(without[name])
        findings |= {
            f"slope_{name}": _over_runs(slopes, seed),
            f"falling_{name}": int((slopes < 0).sum()),
            f"r2_{name}": _over_runs(shares, seed),
            f"r2_first_{name}": row[0].r_squared,
            f"r2_low_{name}": float(shares.min()),
            f"r2_high_{name}": float(shares.max()),
            f"above_{name}": int(((shares >= published) & (slopes < 0)).sum()),
            f"later_r2_{name}": _over_runs(later_shares, seed),
            f"later_falling_{name}": int((later_slopes < 0).sum()),
        }
    return findings


def _slopes_and_shares(lines: Sequence[LinearFit]) -> tuple[np.ndarray, np.ndarray]:
    """Slope and R² of each line, (n,)."""
    return np.array([one.slope for one in lines]), np.array([one.r_squared.value for one in lines])


def steady_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Whether flatter branches have the lower test loss where the time of the branch cannot make
    the relation: among branches of one step, and from each branch to the next (Fig. 4D).

    Stated on 2026-11-29, before a number was seen: the relation is there if the rank correlation
    lies below 0, which is what no relation gives.

    Args:
        found: what `continuation` returns.
        seed: of the bootstrap over reference runs.

    Returns:
        By test set, with `_small` and `_full` behind.
        across: rank correlation over the reference runs at one branching step, mean over the steps,
            with the jackknife of the reference runs.
        onward: rank correlation over successive branches of the changes in flatness and in test
            loss, mean over the reference runs, and `onward_falling`, in how many it is negative.
    """
    flat = found.branch_flatness.isel(record=-1).values
    findings: Findings = {}
    for name, losses in _test_losses(found).items():
        onward = statistics.spearman_rows(np.diff(flat, axis=1), np.diff(losses, axis=1))
        without = [
            _across(np.delete(flat, index, axis=0), np.delete(losses, index, axis=0))
            for index in range(len(flat))
        ]
        across = statistics.jackknifed(_across(flat, losses), np.array(without))
        findings |= {
            f"across_{name}": across,
            f"onward_{name}": _over_runs(onward, seed),
            f"onward_falling_{name}": int((onward < 0).sum()),
        }
    return findings


def _across(flat: np.ndarray, losses: np.ndarray) -> float:
    """Rank correlation over reference runs, mean over the branches that differ between them, from
    (reference, branch) each.
    """
    each = statistics.spearman_rows(flat.T, losses.T)
    known = each[np.isfinite(each)]
    return float(known.mean()) if known.size else float("nan")


def similarity_findings(found: xr.Dataset, threshold: float, *, seed: int = 0) -> Findings:
    """Whether branches agree in their mistakes once the run is frozen, (Fig. 4E).

    Args:
        found: what `continuation` returns.
        threshold: L_c of the freezing time.
        seed: of the bootstrap over reference runs.

    Returns:
        early, late: mean Sim_J of pairs of branches before freezing, and from then on.
        first_early, first_late: the same of the first reference run.
        agree: reference runs in which late branches are more alike.
        to_last_start, at_freezing: Sim_J with the last branch, of the first one and of the first
            one after freezing.
        after: share of that rise, from the first to the last branch, that comes after freezing.
        part: "Mostly" or "Only partly", how much of it comes before freezing.
    """
    alike = agreement(found, threshold)
    early, late = alike.early.values, alike.late.values
    to_last = milestones(found.similarity_full.isel(other=-1), found, threshold)
    after = later_share(to_last, np.random.default_rng(seed))
    return {
        "early": _over_runs(early, seed),
        "late": _over_runs(late, seed),
        "first_early": float(early[0]),
        "first_late": float(late[0]),
        "agree": int((late > early).sum()),
        "to_last_start": _over_runs(to_last["first"], seed),
        "at_freezing": _over_runs(to_last.frozen, seed),
        "after": after,
        "part": "Mostly" if after.value < 0.5 else "Only partly",
    }


def wall_findings(found: xr.Dataset, threshold: float, *, seed: int = 0) -> Findings:
    """From when on no wall stands between the end of a branch and that of the last one, as a share
    of the freezing time.

    Stated on 2026-11-29, before a number was seen: changes of valley come almost only before
    freezing if that share lies below 1, by both conventions of what a wall is that siblings are
    judged by: a rise that doubles the loss of the higher end, and one of a hundredth of it.

    Args:
        found: what `basins` returns, a grid, learning rates rising.
        threshold: L_c of the freezing time.
        seed: of the bootstrap over reference runs.

    Returns:
        joined_, cent_: that share by the two conventions, at the lowest learning rate, `low`, and
        at the highest, `high`; means over batch sizes and reference runs that freeze. walled_: the
        share of the branches that leave after freezing and end behind a wall, by the second
        convention. eta_: the learning rate.
    """
    ends = found.final_train_loss
    heights = found.wall_to_last / np.maximum(ends, ends.isel(branch=-1))
    frozen = found.freezing_time.sel(threshold=threshold, drop=True)
    behind = (heights > CENT).where(found.branch_time >= frozen).mean("branch")
    known = {
        "joined": _since_no_wall(heights, found.branch_time, 1) / frozen,
        "cent": _since_no_wall(heights, found.branch_time, CENT) / frozen,
        "walled": behind,
    }
    findings: Findings = {}
    for name, place in (("low", 0), ("high", -1)):
        findings[f"eta_{name}"] = float(found.learning_rate[place])
        findings |= {
            f"{key}_{name}": _over_settings(values.isel(learning_rate=[place]), seed)
            for key, values in known.items()
        }
    return findings


def _since_no_wall(heights: xr.DataArray, times: xr.DataArray, most: float) -> xr.DataArray:
    """The earliest branch from which on no end stands behind a wall higher than `most`."""
    core = [["branch"]] * 2
    return xr.apply_ufunc(statistics.since, times, heights <= most, input_core_dims=core)


def _over_settings(values: xr.DataArray, seed: int) -> Estimate:
    """Mean over settings of the means over reference runs, which are resampled."""
    by = ("batch_size", "learning_rate")
    return statistics.stratified_mean(values, np.random.default_rng(seed), by=by)


def basin_findings(
    basins: xr.Dataset,
    levels: Mapping[str, float],
    threshold: float,
    last_time: float,
    *,
    seed: int = 0,
) -> Findings:
    """Whether freezing by the basin comes when it does by the loss.

    Args:
        basins: what `basins` returns, a grid.
        levels: Sim_J from which two ends count as one basin, by name.
        threshold: L_c.
        last_time: η · step at which the last branch leaves.
        seed: of the bootstrap over reference runs.

    Returns:
        n_settings, told: settings, and those in which every reference run freezes by the loss.
        beyond: settings that freeze by the loss, in the mean, after the last branch.
        level_NAME, lag_NAME, rank_NAME: each level, with `clock_lag` and `clock_agreement`.
    """
    by_loss = basins.freezing_time.sel(threshold=threshold)
    findings: Findings = {
        "n_settings": by_loss.isel(reference=0).size,
        "told": int(by_loss.notnull().all("reference").sum()),
        "beyond": int((by_loss.mean("reference") > last_time).sum()),
    }
    for name, level in levels.items():
        findings |= {
            f"level_{name}": level,
            f"lag_{name}": clock_lag(basins, level, threshold, seed=seed),
            f"rank_{name}": clock_agreement(basins, level, threshold, seed=seed),
        }
    return findings
