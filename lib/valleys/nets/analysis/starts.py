"""What noise does, held against gradient descent from the same start on the same training set, with
intervals over starts, training sets and runs.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.own_network import flatness_at
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

LEVELS = (0.1, 0.03, 0.01)  # equal losses at which the flatness is compared
WORDS = ("high", "middle", "low")  # of them
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


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


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


def starts_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """The headline contrasts with their wide and their narrow interval, and what scatters most.

    Args:
        found: a grid of `starts` over start and training_set.
        seed: of the resamples.

    Returns:
        Of each noisy setting, from the first of `found` on, as NAME_0, NAME_1, …: `flat`,
        `flat_high`, `flat_middle`, `flat_low` (at equal losses), `delay`, `gain`, `alike` and
        `wall`; with `narrow_` before the first six of them, the same from one start on one training
        set, over runs alone. `batch_0`, `rate_0`, … name the setting. `n_starts`, `n_sets`,
        `n_runs`. `flat_start`, `flat_set`, `flat_order` are shares of the variance of ln F at the
        end, and `calm_scatter` the factor by which gradient descent of the first learning rate
        scatters over starts and training sets (one standard deviation of ln F).
    """
    names = {
        "flat": "flatness",
        **{f"flat_{word}": f"flatness_{place}" for place, word in enumerate(WORDS)},
        "delay": "delay",
        "gain": "gain",
    }
    wide = contrasts(found, seed=seed)
    narrow = contrasts(found.isel(start=[0], training_set=[0]), seed=seed)
    parts: Findings = {"n_starts": found.sizes["start"], "n_sets": found.sizes["training_set"]}
    parts["n_runs"] = found.sizes["run"]
    for place in range(wide.sizes["setting"]):
        parts |= {f"{name}_{place}": _estimate(wide, of, place) for name, of in names.items()}
        parts |= {
            f"narrow_{name}_{place}": _estimate(narrow, of, place) for name, of in names.items()
        }
        parts |= {
            f"alike_{place}": _estimate(wide, "similarity", place),
            f"wall_{place}": _estimate(wide, "wall", place),
            f"batch_{place}": int(wide.batch_size[place]),
            f"rate_{place}": float(wide.learning_rate[place]),
        }
    return parts | scatter_findings(found)


def scatter_findings(found: xr.Dataset) -> Findings:
    """What scatters the flatness at the end; see `starts_findings`."""
    flat = xr.ufuncs.log(found.flatness.isel(record=-1))
    noisy = int(np.flatnonzero(found.batch_size < found.n_train)[-1])
    calm = int(np.flatnonzero(found.batch_size == found.n_train)[0])
    shares = variance_shares(flat.isel(setting=noisy).transpose(*RUNS).values)
    names = ("flat_start", "flat_set", "flat_order")
    spread = float(np.exp(flat.isel(setting=calm, run=0).std(ddof=1)))
    return dict(zip(names, shares.tolist(), strict=True)) | {"calm_scatter": spread}


def _estimate(table: xr.Dataset, name: str, place: int) -> Estimate:
    value, low, high = (float(table[f"{name}{end}"][place]) for end in ENDS)
    return Estimate(value, low, high)
