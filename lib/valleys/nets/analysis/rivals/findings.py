"""What the chapter says about methods of training: numbers with their intervals."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.rivals.table import (
    came,
    contrast,
    frozen,
    in_tail,
    mean,
    path,
    rows,
    wall,
)
from valleys.nets.experiments.rivals.contenders import REFERENCE
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

TOLD = ("flat", "gain", "delay", "end_loss")  # of every method, against the reference
FEWEST_METHODS = 5  # of which a relation between methods is told
UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def rivals_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What methods of training do.

    Args:
        found: a grid of `rivals` over rival and start.
        seed: of the resamples.

    Returns:
        Of each method but the reference `flat_NAME` at the lowest level, `flat_high_NAME` at the
        highest, `delay_NAME`, `end_loss_NAME` and `wall_NAME`, factors over the reference, and
        `gain_NAME` [percentage points]; `late_flat`, flatness of late sharpness-aware steps over
        that of such steps throughout. Of the reference `accuracy` [%], `loss`, `freezing` [epochs],
        `own_wall` between two runs, over the loss, and `band_wall` on a path of low loss likewise.
        `flattest`, `flattest_by`, `best` and `best_by` [points], the methods with the largest
        values, and `highest` and `highest_by`, that with the highest wall on a path of low loss;
        `tail`, the least share of runs that came to the lowest level after the budget, `came`, the
        least that came there, `unfrozen`, how many methods have a run that did not freeze; counts
        `starts`, `runs`, `epochs`, `level_high` and `level_low`. What `relations` gives.
    """
    others = [name for name in found.rival.values.tolist() if name != REFERENCE]
    told: Findings = {
        f"{what}_{name}": contrast(found, what, name, seed=seed) for name in others for what in TOLD
    }
    for name in others:
        told[f"flat_high_{name}"] = contrast(found, "flat", name, level=0, seed=seed)
        told[f"wall_{name}"] = wall(found, name, seed=seed)
    told |= {"late_flat": _late(found, seed)} | _of_reference(found, seed)
    for best, what in (("flattest", "flat"), ("best", "gain")):
        told |= _largest(best, {name: contrast(found, what, name, seed=seed) for name in others})
    told |= _largest("highest", {name: path(found, name, seed=seed) for name in others})
    return told | _counts(found) | relations(found, seed=seed)


def _largest(name: str, every: dict[str, Estimate]) -> Findings:
    """The method with the largest value, and that value as `NAME_by`."""
    first = max(every, key=lambda each: np.nan_to_num(every[each].value, nan=-np.inf))
    return {name: first, f"{name}_by": every[first]}


def relations(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Rank correlations over rivals, of means over starts and runs; starts are resampled, and the
    runs of each.

    Returns:
        `flat_accuracy`, of flatness at the lowest level with accuracy when the budget is spent;
        `freezing_flat`, of gradient evaluations to freezing with that flatness, over the methods
        that freeze.
    """
    flat = np.log(found.level_flatness.isel(level=-1))
    freezing = np.log(found.freezing_evaluations)
    settled = found.rival.values[frozen(found).values == 1]
    late, there = freezing.sel(rival=settled), flat.sel(rival=settled)
    return {
        "flat_accuracy": _over_methods(flat, found.end_accuracy, seed),
        "freezing_flat": _over_methods(late, there, seed),
    }


def _over_methods(first: xr.DataArray, second: xr.DataArray, seed: int) -> Estimate:
    """Spearman's rank correlation of two means over rivals."""
    count = first.sizes["rival"]
    if count < FEWEST_METHODS:
        return UNKNOWN
    every = [rows(each.isel(rival=at)) for each in (first, second) for at in range(count)]
    value, drawn = statistics.nested_means(every, np.random.default_rng(seed))
    spread = statistics.spearman_rows(drawn[:count].T, drawn[count:].T)
    correlation = statistics.spearman(value[:count], value[count:])
    return statistics.interval(correlation, spread, [first.sizes["start"]])


def _late(found: xr.Dataset, seed: int) -> Estimate:
    """Late sharpness-aware steps against such steps throughout."""
    if not {"sam", "sam_late"} <= set(found.rival.values.tolist()):
        return UNKNOWN
    flat = np.log(found.level_flatness.isel(level=-1))
    late, throughout = (rows(flat.sel(rival=name)) for name in ("sam_late", "sam"))
    rng = np.random.default_rng(seed)
    return statistics.exponential(statistics.nested_difference(late, throughout, rng))


def _of_reference(found: xr.Dataset, seed: int) -> Findings:
    """What the others are held against."""
    own, level = found.sel(rival=REFERENCE), float(found.level[-1])
    rng = np.random.default_rng(seed)
    walls = {"own_wall": own.wall.isel(level=-1), "band_wall": own.band_wall}
    names = ("accuracy", "loss", "freezing")
    known: Findings = {name: mean(found, name, REFERENCE, seed=seed) for name in names}
    between = {name: statistics.nested_mean(rows(each), rng) for name, each in walls.items()}
    return known | {name: each.scaled(1 / level) for name, each in between.items()}


def _counts(found: xr.Dataset) -> Findings:
    return {
        "tail": float(in_tail(found).min()),
        "came": float(came(found).min()),
        "unfrozen": int((frozen(found) < 1).sum()),
        "starts": found.sizes["start"],
        "runs": found.sizes["run"],
        "epochs": int(found.attrs["n_epochs"]),
        "level_high": float(found.level[0]),
        "level_low": float(found.level[-1]),
    }
