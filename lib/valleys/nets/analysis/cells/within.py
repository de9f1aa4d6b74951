"""Is what is true between settings true within one: do runs of one setting that freeze later end
flatter, and are the flatter ones more accurate?

Stated on 2026-11-29, before a number was seen. Noise raises freezing time, flatness and accuracy
alike, so that settings alone correlate them. Within a setting each relation is asked for a rank
correlation above 0, which is what no relation gives, whatever the distributions.
"""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis import sweep
from valleys.nets.analysis.sweep_findings import Swept
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

RELATIONS = {  # of a run, by name
    "late_flat": ("freezing_time", "flatness"),
    "late_level": ("freezing_time", "flatness_at_loss"),
    "late_accurate": ("freezing_time", "full_test_accuracy"),
    "flat_accurate": ("flatness", "full_test_accuracy"),
    "level_accurate": ("flatness_at_loss", "full_test_accuracy"),
}
PLACES = ("within", "between")
N_PARTS = 10  # tenths of the runs
WORDS = {1: "positive", 0: "indistinguishable from zero", -1: "negative"}


def runs_of_settled(swept: Swept, level: float, threshold: float) -> xr.Dataset:
    """Each solution of the settled mini-batch cells.

    Args:
        swept: the sweep.
        level: training loss at which flatness is compared.
        threshold: L_c of the freezing time.

    Returns:
        `freezing_time` [η · step], `flatness` at the end, `flatness_at_loss` and
        `full_test_accuracy` over (cell, realization), with `batch_size` and `learning_rate` along
        cell; NaN for a run that is no solution, and for a flatness that was not followed down to
        the level.
    """
    settled = sweep.converged_cells(swept.summary, swept.n_train).converged.notnull()
    cells = [
        _runs(swept.found.sel(batch_size=size, learning_rate=rate), level, threshold)
        for size in settled.batch_size.values
        for rate in settled.learning_rate.values
        if settled.sel(batch_size=size, learning_rate=rate)
    ]
    return xr.concat(cells, dim="cell")


def _runs(cell: xr.Dataset, level: float, threshold: float) -> xr.Dataset:
    at_level = np.full(cell.sizes["realization"], np.nan)
    at_level[cell.converged.values] = sweep.flatness_at_loss(cell, level)
    found = {
        "freezing_time": cell.freezing_time.sel(threshold=threshold) * cell.learning_rate,
        "flatness": cell.flatness.isel(record=-1),
        "flatness_at_loss": ("realization", at_level),
        "full_test_accuracy": cell.full_test_accuracy,
    }
    return xr.Dataset(found).where(cell.converged).drop_vars("threshold")


def deviations(runs: xr.Dataset) -> xr.Dataset:
    """What `runs_of_settled` gives, as distances from the mean of the cell in standard deviations
    of its runs; NaN where all runs of a cell are alike.
    """
    apart = runs - runs.mean("realization")
    spread = (apart**2).mean("realization") ** 0.5
    return apart / spread.where(spread > 0)


def tenths(runs: xr.Dataset) -> xr.Dataset:
    """Both quantities of each relation as deviations, averaged over tenths of all runs in the order
    of the first.

    Args:
        runs: what `runs_of_settled` gives.

    Returns:
        Dimensions relation and part: `x` and `y`; NaN where fewer than ten runs are known.
    """
    apart = deviations(runs)
    rows = [_tenths(*(apart[one].values.ravel() for one in pair)) for pair in RELATIONS.values()]
    parts = {name: (("relation", "part"), np.array(rows)[:, i]) for i, name in enumerate("xy")}
    return xr.Dataset(parts, {"relation": list(RELATIONS)})


def _tenths(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Means of both in tenths of the pairs, (2, N_PARTS)."""
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < N_PARTS:
        return np.full((2, N_PARTS), np.nan)
    ordered = np.stack([x, y])[:, known][:, np.argsort(x[known], kind="stable")]
    return np.stack(
        [part.mean(axis=1) for part in np.array_split(ordered, N_PARTS, axis=1)], axis=1
    )


def relations(runs: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Each relation within the cells and between their means.

    Args:
        runs: what `runs_of_settled` gives.
        seed: of the bootstrap over cells and the runs in them.

    Returns:
        Dimensions relation and place, see `PLACES`: `value`, `low`, `high`; between cells the
        interval leaves out whole learning rates, or batch sizes, in turn.
    """
    rows = [(_within(runs, *pair, seed=seed), _between(runs, *pair)) for pair in RELATIONS.values()]
    parts = {
        field: (("relation", "place"), [[getattr(one, field) for one in row] for row in rows])
        for field in ("value", "low", "high")
    }
    return xr.Dataset(parts, {"relation": list(RELATIONS), "place": list(PLACES)})


def _within(runs: xr.Dataset, first: str, second: str, *, seed: int) -> Estimate:
    rng = np.random.default_rng(seed)
    return statistics.grouped_rank_correlation(runs[first].values, runs[second].values, rng)


def _between(runs: xr.Dataset, first: str, second: str) -> Estimate:
    """Of the means of the cells."""
    known = runs[[first, second]].where(runs[first].notnull() & runs[second].notnull())
    means = known.mean("realization").set_index(cell=["batch_size", "learning_rate"])
    table = means.unstack("cell")
    return statistics.lattice_rank_correlation(table[first].values, table[second].values)


def within_findings(found: xr.Dataset, runs: xr.Dataset) -> Findings:
    """Whether the relations between settings hold within them.

    Args:
        found: what `relations` gives.
        runs: what `runs_of_settled` gives.

    Returns:
        cells, runs: how many settled cells there are, and solutions in them.
        within_NAME, between_NAME: rank correlation of each of `RELATIONS`.
        word_NAME, word_between_NAME: what can be said of the sign within, and between.
        positive_NAME: in how many cells it is above zero.
    """
    findings: Findings = {
        "within_cells": runs.sizes["cell"],
        "within_runs": int(runs.flatness.notnull().sum()),
    }
    for name, pair in RELATIONS.items():
        within, between = (_estimate(found.sel(relation=name, place=place)) for place in PLACES)
        each = statistics.spearman_rows(*(runs[one].values for one in pair))
        findings |= {
            f"within_{name}": within,
            f"between_{name}": between,
            f"word_{name}": _sign(within),
            f"word_between_{name}": _sign(between),
            f"positive_{name}": int((each > 0).sum()),
        }
    return findings


def _sign(relation: Estimate) -> str:
    return WORDS[int(relation.low > 0) - int(relation.high < 0)]


def _estimate(cell: xr.Dataset) -> Estimate:
    return Estimate(float(cell.value), float(cell.low), float(cell.high))
