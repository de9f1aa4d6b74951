"""What noise does, held against gradient descent from the same start on the same training set, with
intervals over starts, training sets and runs.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.own_network import flatness_at
from valleys.nets.analysis.sweep_findings import Where
from valleys.nets.experiments.starts import Setting
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

LEVELS = (0.1, 0.03, 0.01)  # equal losses at which the flatness is compared
WORDS = ("high", "middle", "low")  # of them
NAMES = {  # of the findings, and what they are called among the contrasts
    "flat": "flatness",
    "flat_high": "flatness_0",
    "flat_middle": "flatness_1",
    "flat_low": "flatness_2",
    "delay": "delay",
    "gain": "gain",
    "alike": "similarity",
    "wall": "wall",
}
RUNS = ("start", "training_set", "run")  # what is resampled, the outermost first


def measures(found: xr.Dataset, levels: Sequence[float] = LEVELS) -> dict[str, xr.DataArray]:
    """What is compared, one number a run: logarithms where the comparison is a factor.

    Returns:
        `flatness` at the end, `flatness_0`, … at equal losses and `delay` (freezing time) as
        logarithms, and `gain` (accuracy on all test images, per cent).
    """
    at = {f"flatness_{place}": flatness_at(found, level) for place, level in enumerate(levels)}
    logarithms = {"flatness": found.flatness.isel(record=-1), **at, "delay": found.freezing_time}
    known = {name: xr.ufuncs.log(values) for name, values in logarithms.items()}
    return known | {"gain": 100 * found.full_accuracy}


def contrasts(found: xr.Dataset, levels: Sequence[float] = LEVELS, *, seed: int = 0) -> xr.Dataset:
    """Every noisy setting against gradient descent of its learning rate.

    Starts and training sets are drawn for both at once, runs for each; of a single start and
    training set the noisy runs alone, which gives the narrow interval, in which gradient descent
    is exact.

    Args:
        found: a grid of `starts` over start and training_set.
        levels: equal losses, falling.
        seed: of the resamples.

    Returns:
        Dimension setting (the noisy ones). Each of `measures` with `NAME_low` and `NAME_high`,
        factors but for `gain`; `similarity` and `wall` [L_c], means over pairs of runs.
    """
    rng, noisy = np.random.default_rng(seed), np.flatnonzero(found.batch_size < found.n_train)
    values = measures(found, levels)
    rows = [_of_setting(found, values, int(setting), rng) for setting in noisy]
    parts = {
        f"{name}{end}": (
            "setting",
            [getattr(row[name], end.lstrip("_") or "value") for row in rows],
        )
        for name in rows[0]
        for end in ENDS
    }
    coords = {
        name: ("setting", found[name].values[noisy]) for name in ("batch_size", "learning_rate")
    }
    return xr.Dataset(parts, coords)


def _of_setting(
    found: xr.Dataset, values: dict[str, xr.DataArray], noisy: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    same_rate = found.learning_rate == found.learning_rate[noisy]
    calm = int(np.flatnonzero(same_rate & (found.batch_size == found.n_train))[0])

    def difference(one: xr.DataArray) -> Estimate:
        first, second = (_rows(one.isel(setting=setting)) for setting in (noisy, calm))
        if first.ndim > 1:
            return statistics.nested_difference(first, second, rng)
        return statistics.mean((first - np.nanmean(second))[np.isfinite(first)], rng)

    compared = {
        name: difference(one) if name == "gain" else statistics.exponential(difference(one))
        for name, one in values.items()
    }
    pairs = {"similarity": found.similarity, "wall": found.wall / found.threshold}
    means = {name: _pair_mean(one.isel(setting=noisy), rng) for name, one in pairs.items()}
    return compared | means


def _rows(values: xr.DataArray) -> np.ndarray:
    """One number a run, (n_starts, n_training_sets, n_runs), without levels of one member."""
    rows = values.transpose(*RUNS).values
    return rows.reshape([size for size in rows.shape[:-1] if size > 1] + [rows.shape[-1]])


def _pair_mean(values: xr.DataArray, rng: np.random.Generator) -> Estimate:
    """Mean over starts and training sets of the mean over pairs, which share runs."""
    means = values.mean("pair").transpose("start", "training_set").values
    return statistics.nested_mean(means, rng)


def variance_shares(values: np.ndarray) -> np.ndarray:
    """Shares of start, training set and batch order in the variance of one run, (3,).

    They come from the mean squares of a nested analysis of variance, S starts with T training sets
    each and R runs on each: E[MS_run] = V_R, E[MS_set] = V_R + R V_T and E[MS_start] = V_R + R V_T
    + R T V_S; a negative estimate counts as 0. What a single training set does counts as the
    start's.

    Args:
        values: one number a run, (S, T, R), all known; S and R of 2 or more.
    """
    n_sets, n_runs = values.shape[1:]
    within = values.var(axis=2, ddof=1).mean()
    between_starts = n_runs * n_sets * values.mean(axis=(1, 2)).var(ddof=1)
    between_sets = within
    if n_sets > 1:
        between_sets = n_runs * values.mean(axis=2).var(axis=1, ddof=1).mean()
    parts = (between_starts - between_sets) / n_sets, between_sets - within, n_runs * within
    found = np.maximum(parts, 0)
    return found / found.sum()


def by_start(found: xr.Dataset, name: str, levels: Sequence[float] = LEVELS) -> xr.DataArray:
    """One of `measures`, noisy minus calm, of each start and training set, (setting, start,
    training_set): means over runs.
    """
    means = measures(found, levels)[name].mean("run").transpose("setting", "start", "training_set")
    noisy, rates = np.flatnonzero(found.batch_size < found.n_train), found.learning_rate.values
    calm = [
        int(np.flatnonzero((rates == rates[one]) & (found.batch_size == found.n_train))[0])
        for one in noisy
    ]
    return means.isel(setting=noisy) - means.isel(setting=calm).values


def with_descent(noisy: Sequence[Where], n_train: int) -> tuple[Setting, ...]:
    """Settings as (B, η), each once, and gradient descent of their learning rates before them."""
    settings = [(int(each["batch_size"]), float(each["learning_rate"])) for each in noisy]
    calm = [(n_train, rate) for _, rate in settings]
    return tuple(dict.fromkeys(calm + settings))


def starts_findings(found: xr.Dataset, end: Where, way: Where, *, seed: int = 0) -> Findings:
    """The headline contrasts with their wide and their narrow interval, and what scatters most.

    Args:
        found: a grid of `starts` over start and training_set.
        end: batch size and learning rate of the runs that are compared at their ends.
        way: of those that are followed on their way.
        seed: of the resamples.

    Returns:
        Of the first setting `flat`, `flat_high`, `flat_middle`, `flat_low` (at equal losses),
        `delay`, `gain` [percentage points], `alike` and `wall` [L_c]; the same with `way_` before
        them of the other one. All but the last two of each also with `_narrow` at their end: from
        the first start on the first training set, over runs alone. `n_starts`, `n_sets`, `n_runs`.
        `flat_start`, `flat_set`, `flat_order` are shares of the variance of ln F at the end of the
        first setting, and `calm_scatter` the factor by which gradient descent of its learning rate
        scatters over starts and training sets (one standard deviation of ln F).
    """
    counts = {"n_starts": "start", "n_sets": "training_set", "n_runs": "run"}
    findings: Findings = {name: found.sizes[dimension] for name, dimension in counts.items()}
    findings |= {f"level_{word}": level for word, level in zip(WORDS, LEVELS, strict=True)}
    every = contrasts(found, seed=seed)
    single = contrasts(found.isel(start=[0], training_set=[0]), seed=seed)
    for before, where in {"": end, "way_": way}.items():
        wide, narrow = (_at(table, where) for table in (every, single))
        findings |= {f"{before}{name}": _estimate(wide, of) for name, of in NAMES.items()}
        findings |= {
            f"{before}{name}_narrow": _estimate(narrow, of)
            for name, of in NAMES.items()
            if name not in ("alike", "wall")
        }
    return findings | scatter_findings(found, end)


def _at(table: xr.Dataset, where: Where) -> xr.Dataset:
    """The row of one setting."""
    same = [table[name].values == value for name, value in where.items()]
    return table.isel(setting=int(np.flatnonzero(np.all(same, axis=0))[0]))


def scatter_findings(found: xr.Dataset, where: Where) -> Findings:
    """What scatters the flatness at the end of one setting; see `starts_findings`."""
    flat = xr.ufuncs.log(found.flatness.isel(record=-1)).to_dataset(name="end")
    calm = {**where, "batch_size": found.n_train}
    shares = variance_shares(_at(flat, where).end.transpose(*RUNS).values)
    names = ("flat_start", "flat_set", "flat_order")
    spread = float(np.exp(_at(flat, calm).end.isel(run=0).std(ddof=1)))
    return dict(zip(names, shares.tolist(), strict=True)) | {"calm_scatter": spread}


def _estimate(row: xr.Dataset, name: str) -> Estimate:
    value, low, high = (float(row[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)
