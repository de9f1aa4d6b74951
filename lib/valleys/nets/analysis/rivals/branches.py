"""What going on in another way did to branches of a run, against gradient descent from the same
branch, with intervals over starts and runs.
"""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.rivals.branches import HOWS, PLAIN
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

FROZEN = 1.0  # moments from which on a branch is late


def effect(found: xr.Dataset, how: str, moment: float, *, seed: int = 0) -> Estimate:
    """Flatness at equal loss over that of the plain continuation, a factor."""
    flat = np.log(found.flatness.sel(moment=moment))
    other, plain = (_rows(flat.sel(how=each)) for each in (how, PLAIN))
    rng = np.random.default_rng(seed)
    return statistics.exponential(statistics.nested_difference(other, plain, rng))


def gain(found: xr.Dataset, how: str, moment: float, *, seed: int = 0) -> Estimate:
    """Accuracy at equal loss less that of the plain continuation, in percentage points."""
    right = 100 * found.accuracy.sel(moment=moment)
    other, plain = (_rows(right.sel(how=each)) for each in (how, PLAIN))
    return statistics.nested_difference(other, plain, np.random.default_rng(seed))


def wall(found: xr.Dataset, how: str, moment: float, *, seed: int = 0) -> Estimate:
    """Rise on the line to the end of the plain continuation, over the loss of both."""
    rows = _rows(found.wall.sel(how=how, moment=moment)) / found.attrs["level"]
    return statistics.nested_mean(rows, np.random.default_rng(seed))


def effects(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """All of it.

    Args:
        found: a grid of `valleys.nets.experiments.rivals.branches.branches` over start.
        seed: of the resamples.

    Returns:
        Dimensions how (without the plain one) and moment: `flat`, `gain` and `wall`, each with
        `_low` and `_high`.
    """
    hows, moments = [how for how in HOWS if how != PLAIN], found.moment.values.tolist()
    parts = {}
    for name, of in (("flat", effect), ("gain", gain), ("wall", wall)):
        every = [[of(found, how, moment, seed=seed) for moment in moments] for how in hows]
        for end in ENDS:
            part = end.lstrip("_") or "value"
            values = [[getattr(each, part) for each in row] for row in every]
            parts[f"{name}{end}"] = (("how", "moment"), values)
    return xr.Dataset(parts, {"how": hows, "moment": moments})


def branch_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What late sharpness-aware steps do.

    Returns:
        `branch_early` and `branch_late`, factors in flatness by sharpness-aware steps from the
        first and from the last branch, `noisy_late` by noise from the last; `branch_late_early`,
        flatness after such steps from the last branch over that from the first; `branch_gain`
        [points] from the last; `branch_wall`, the largest mean wall over the loss after such steps
        from a branch that is frozen, and `early_wall`, that from the first branch; `branch_came`,
        share of the continuations that came to the level; counts `branch_moments`, `branch_starts`,
        `branch_runs`.
    """
    moments = found.moment.values
    first, last = float(moments.min()), float(moments.max())
    late = [wall(found, "sam", float(each), seed=seed) for each in moments if each >= FROZEN]
    flat = np.log(found.flatness.sel(how="sam"))
    after, before = (_rows(flat.sel(moment=moment)) for moment in (last, first))
    between = statistics.nested_difference(after, before, np.random.default_rng(seed))
    return {
        "branch_early": effect(found, "sam", first, seed=seed),
        "branch_late": effect(found, "sam", last, seed=seed),
        "noisy_late": effect(found, "noisy", last, seed=seed),
        "branch_late_early": statistics.exponential(between),
        "branch_gain": gain(found, "sam", last, seed=seed),
        "branch_wall": max(late, key=lambda each: each.value),
        "early_wall": wall(found, "sam", first, seed=seed),
        "branch_came": float(found.flatness.notnull().mean()),
        "branch_moments": len(moments),
        "branch_starts": found.sizes["start"],
        "branch_runs": found.sizes["run"],
    }


def _rows(values: xr.DataArray) -> np.ndarray:
    """One number a run, (n_starts, n_runs)."""
    return values.transpose("start", "run").values
