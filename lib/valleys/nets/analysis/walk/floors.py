"""Are there hills between the floors of a walk, and does anything happen as it freezes?"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.walk.compared import Compared, Place, place_of
from valleys.nets.analysis.walk.courses import (
    STAGES,
    at_freezing,
    estimate_of,
    freezing_changes,
    hills_ahead,
    mean_within,
    overtaking,
    with_hill,
)
from valleys.results.estimates import Findings

HILL = 0.01  # of the loss at the earlier floor: what counts as a hill between two floors
HALF = 0.5  # of the runs: more than these are most
KINDS = ("bend", "contrast")  # of changes at freezing, see `at_freezing`


def floor_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """How often there is a hill from one floor of a run to a later one.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        hills: share of the scans with a hill of more than a hundredth of the loss at the earlier
            floor, mean over runs.
        found, scans: number of these hills and of all scans.
        any, walks: runs with such a hill and all runs.
        crawl_found, crawl_scans: hills and scans of gradient descent with the smallest steps.
        above: scans with a hill above the height of the walk over its floor.
        within, windows: windows with a hill between the floors of their first and last step, and
            all windows.
        control: hill between different runs of the noisy example in the last window, over the mean
            loss of their floors.
    """
    hills = with_hill(hills_ahead(found), found.floor_loss, HILL)
    of_run = hills.mean(("window", "other"))
    counted: Findings = {
        "hills": mean_within(of_run, seed=seed),
        "found": int(hills.sum()),
        "scans": int(hills.notnull().sum()),
        "any": int((of_run > 0).sum()),
        "walks": int(np.isfinite(of_run).sum()),
        "crawl_found": int(hills.sel(compared.crawl).sum()),
        "crawl_scans": int(hills.sel(compared.crawl).notnull().sum()),
    }
    return counted | _hills_in_comparison(found, compared.example, seed=seed)


def _hills_in_comparison(found: xr.Dataset, example: Place, *, seed: int) -> Findings:
    last = found.sel(example).isel(window=-1)
    walls = last.across_hill / last.floor_loss.mean()
    return {
        "above": int(with_hill(hills_ahead(found), found.height, 1.0).sum()),
        "within": int((found.hill_within > HILL * found.floor_loss).sum()),
        "windows": int(found.hill_within.notnull().sum()),
        "control": statistics.pair_mean(walls.values, np.random.default_rng(seed)),
    }


def hill_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """At which learning rates and batch sizes the hills of `floor_findings` are.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        hills_fast, hills_rest: share of the scans at the largest learning rate, and at all others.
        found_fast: number of hills at the largest.
        hills_wild, hills_calm, hills_descent: share there with the smallest batch, the largest
            mini-batch and gradient descent.
    """
    hills = with_hill(hills_ahead(found), found.floor_loss, HILL)
    of_run, fast = hills.mean(("window", "other")), found.learning_rate == compared.fast
    findings: Findings = {
        "hills_fast": mean_within(of_run.sel(learning_rate=fast), seed=seed),
        "hills_rest": mean_within(of_run.sel(learning_rate=~fast), seed=seed),
        "found_fast": int(hills.sel(learning_rate=fast).sum()),
    }
    sizes = {"wild": compared.wild, "calm": compared.calm, "descent": compared.whole}
    for name, size in sizes.items():
        of_size = of_run.sel(place_of(size, compared.fast))
        findings[f"hills_{name}"] = estimate_of(of_size, seed=seed)
    return findings


def wall_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """When the walls between runs outgrow the bounce, against the freezing time, in η · step.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        overtaken: time from which on they do in the noisy example, see `overtaking`.
        froze: freezing time there.
        age: the first over the mean of the second.
        often: settings with mini-batches in which most runs freeze.
        before: how many of these have an age below one.
        age_low, age_high: ends of their ages.
    """
    overtaken = overtaking(found)
    often = found.freezing_time.notnull().mean("realization") > HALF
    every = (overtaken / found.freezing_time.mean("realization")).where(often)
    noisy = found.batch_size != compared.whole
    ages = every.sel(batch_size=noisy)
    return {
        "overtaken": overtaken.sel(compared.example).item(),
        "froze": estimate_of(found.freezing_time.sel(compared.example), seed=seed),
        "age": every.sel(compared.example).item(),
        "often": int(often.sel(batch_size=noisy).sum()),
        "before": int((ages < 1).sum()),
        "age_low": ages.min().item(),
        "age_high": ages.max().item(),
    }


def freezing_findings(
    found: xr.Dataset,
    names: Sequence[str],
    compared: Compared,
    *,
    seed: int = 0,
) -> Findings:
    """Whether quantities change at freezing other than before and after, see `at_freezing`.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        names: of the quantities, without `near_`.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        With the name of the quantity before each:
        _before, _at, _after: changes over equal ratios of time in the noisy example.
        _bend, _contrast: of these changes.
        _known: settings with mini-batches where enough runs have all three changes for an interval.
        _bend_down, _bend_up, _contrast_down, _contrast_up: how many of these have an interval below
            zero, and above.
    """
    one = found.sel(compared.example)
    noisy = found.sel(batch_size=found.batch_size != compared.whole)
    findings: Findings = {}
    for name in names:
        findings |= _changes_of_one(one, name, seed=seed) | _clear_changes(noisy, name, seed=seed)
    return findings


def _changes_of_one(one: xr.Dataset, name: str, *, seed: int) -> Findings:
    changes = at_freezing(one, name)
    kinds = {stage: changes.change.sel(stage=stage) for stage in STAGES}
    kinds |= {kind: changes[kind] for kind in KINDS}
    return {f"{name}_{kind}": estimate_of(values, seed=seed) for kind, values in kinds.items()}


def _clear_changes(found: xr.Dataset, name: str, *, seed: int) -> Findings:
    changes = freezing_changes(found, [name], seed=seed)
    known = changes[f"{name}_contrast_low"].notnull()
    findings: Findings = {f"{name}_known": int(known.sum())}
    for kind in KINDS:
        low, high = (changes[f"{name}_{kind}_{end}"] for end in ("low", "high"))
        findings |= {f"{name}_{kind}_down": int((high < 0).sum())}
        findings |= {f"{name}_{kind}_up": int((low > 0).sum())}
    return findings
