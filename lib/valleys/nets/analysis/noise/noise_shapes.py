"""What noise of each shape does to a network, held against gradient descent and mini-batches from
the same start at equal training loss, with intervals over starts and runs.
"""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

CALM, BATCHES = "none", "reshuffled"
WORDS = ("high", "middle", "low")  # of the levels
PAIRS = {  # contrasts of two kinds in ln F at the lowest level, by their names
    "steeper": ("top_2", "top_0"),
    "gaussian": ("top_1", "independent"),
    "order_flat": ("independent", "reshuffled"),
    "kept": ("kept", "independent"),
    "delayed": ("equal_freezing", "reshuffled"),
}
BEFORE = {  # kinds of noise until freezing alone, and throughout
    "before": ("reshuffled_before", "reshuffled"),
    "before_top": ("top_1_before", "top_1"),
}


def measures(found: xr.Dataset) -> dict[str, xr.DataArray]:
    """What is compared, one number a run: logarithms where the comparison is a factor.

    Returns:
        `flat_high`, `flat_middle`, `flat_low` and `calmness_low` (inverse trace of the whole
        Hessian) at the levels, and `delay` (freezing time) as logarithms; `gain` (accuracy on all
        test images at the lowest level, per cent).
    """
    levels = dict(zip(WORDS, range(found.sizes["level"]), strict=True))
    flat = {f"flat_{word}": found.flatness.isel(level=place) for word, place in levels.items()}
    spread = {"calmness_low": 1 / found.trace.isel(level=-1)}
    logarithms = flat | spread | {"delay": found.time.isel(level=0)}
    known = {name: xr.ufuncs.log(values) for name, values in logarithms.items()}
    return known | {"gain": 100 * found.full_accuracy.isel(level=-1)}


def contrasts(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Every kind of noise against gradient descent from the same start.

    Args:
        found: a grid of `noise_shapes` over kind and start.
        seed: of the resamples.

    Returns:
        Dimension kind, without "none". Each of `measures` with `NAME_low` and `NAME_high`, factors
        but for `gain`; `wall`, a mean over runs in units of the loss at the lowest level; `frozen`
        and `reached`, shares of the runs that fell below the first and the last level.
    """
    kinds = [kind for kind in found.kind.values.tolist() if kind != CALM]
    rows = [_of_kind(found, kind, seed) for kind in kinds]
    parts = {
        f"{name}{end}": ("kind", [getattr(row[name], end.lstrip("_") or "value") for row in rows])
        for name in rows[0]
        for end in ENDS
    }
    shares = {
        name: ("kind", [_reached(found, kind, level) for kind in kinds])
        for name, level in {"frozen": 0, "reached": -1}.items()
    }
    return xr.Dataset(parts | shares, {"kind": kinds})


def _of_kind(found: xr.Dataset, kind: str, seed: int) -> dict[str, Estimate]:
    compared = {
        name: _factor(values, kind, CALM, seed, plain=name == "gain")
        for name, values in measures(found).items()
    }
    wall = found.wall.isel(level=-1) / float(found.level[-1])
    return compared | {"wall": _mean(wall.sel(kind=kind), seed)}


def _rows(values: xr.DataArray, kind: str) -> np.ndarray:
    """One number a run, (n_starts, n_runs), or (n_runs,) of a single start."""
    rows = values.sel(kind=kind).transpose("start", "run").values
    return rows[0] if len(rows) == 1 else rows


def _factor(
    values: xr.DataArray, kind: str, other: str, seed: int, *, plain: bool = False
) -> Estimate:
    """One kind against another from the same starts: a factor from logarithms, or, if plain, a
    difference.
    """
    first, second = _rows(values, kind), _rows(values, other)
    rng = np.random.default_rng(seed)
    if not all(np.isfinite(each).any() for each in (first, second)):
        return Estimate(np.nan, np.nan, np.nan)
    if first.ndim == 1:
        told = statistics.mean((first - np.nanmean(second))[np.isfinite(first)], rng)
    else:
        told = statistics.nested_difference(first, second, rng)
    return told if plain else statistics.exponential(told)


def _mean(values: xr.DataArray, seed: int) -> Estimate:
    rows = values.transpose("start", "run").values
    if not np.isfinite(rows).any():
        return Estimate(np.nan, np.nan, np.nan)
    return statistics.nested_mean(rows, np.random.default_rng(seed))


def _reached(found: xr.Dataset, kind: str, level: int) -> float:
    """Share of the runs of a kind that fell below a level."""
    one = found.sel(kind=kind)
    trained = one.train_loss.isel(record=0).notnull()
    return float(one.time.isel(level=level).where(trained).notnull().sum() / trained.sum())


def bought_before(found: xr.Dataset, kind: str, throughout: str, *, seed: int = 0) -> Estimate:
    """Share of the gain in ln F at the lowest level that noise until freezing alone gives.

    Args:
        found: a grid of `noise_shapes` over kind and start.
        kind: the noise until freezing.
        throughout: the same noise to the end.
        seed: of the resamples.
    """
    values = xr.ufuncs.log(found.flatness.isel(level=-1))
    rows = [
        values.sel(kind=each).transpose("start", "run").values for each in (kind, throughout, CALM)
    ]
    if not all(np.isfinite(each).any() for each in rows):
        return Estimate(np.nan, np.nan, np.nan)
    value, drawn = statistics.nested_means(rows, np.random.default_rng(seed))
    shares = (drawn[0] - drawn[2]) / (drawn[1] - drawn[2])
    return statistics.interval(
        (value[0] - value[2]) / (value[1] - value[2]), shares, [len(rows[0])]
    )


def strengths(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """How strong the noise of each kind was at equal loss, against mini-batches.

    Noise is compared run by run where the lowest loss seen so far falls through the middle level,
    by interpolation between looks in logarithms.

    Args:
        found: a grid of `noise_shapes` over kind and start.
        seed: of the resamples.

    Returns:
        Dimension kind, those with noise that far; `power` and `lift`, factors over mini-batches,
        with `NAME_low` and `NAME_high`.
    """
    level = float(found.level[found.sizes["level"] // 2])
    at = {name: _at_level(found, name, level) for name in ("power", "lift")}
    known = [
        kind
        for kind in found.kind.values.tolist()
        if all(bool(np.isfinite(values.sel(kind=kind)).any()) for values in at.values())
    ]
    told = {
        name: [_factor(values, kind, BATCHES, seed) for kind in known]
        for name, values in at.items()
    }
    parts = {
        f"{name}{end}": ("kind", [getattr(each, end.lstrip("_") or "value") for each in row])
        for name, row in told.items()
        for end in ENDS
    }
    return xr.Dataset(parts, {"kind": known})


def _at_level(found: xr.Dataset, name: str, level: float) -> xr.DataArray:
    """Logarithm of a record where the lowest loss so far falls through a level; NaN where it does
    not, or where there is no noise.
    """

    def one(losses: np.ndarray, values: np.ndarray) -> float:
        lowest = np.log(np.fmin.accumulate(losses))
        known = np.isfinite(losses) & (values > 0)
        if not known.any() or lowest[known].min() > np.log(level):
            return float("nan")
        # of a lowest loss that stays, the first look counts
        first = known & np.append(True, np.diff(lowest) < 0)
        return float(np.interp(-np.log(level), -lowest[first], np.log(values[first])))

    return xr.apply_ufunc(
        one,
        found.train_loss,
        found[name],
        input_core_dims=[["record"], ["record"]],
        vectorize=True,
    )


def work(found: xr.Dataset) -> xr.DataArray:
    """How far the noise raised the loss in all, η/2 · ∫ Tr ΣH d(ηt), from the second look of each
    run to its end, (kind, start, run); the first steps from the start outweigh all others.
    """
    rows = found.lift.where(found.train_loss.notnull()).isel(record=slice(1, None))
    spacing = float(found.record_time[1] - found.record_time[0])
    steps = (rows.fillna(0) + rows.shift(record=-1).fillna(0)) / 2
    return found.attrs["learning_rate"] / 2 * spacing * steps.sum("record")


def batch_sharpness_of(found: xr.Dataset, kind: str, *, seed: int = 0) -> Estimate:
    """Batch sharpness in units of 2/η, mean over the looks of each run until it is frozen; above
    one a step on a batch climbs.
    """
    one = found.sel(kind=kind)
    before = found.record_time <= one.time.isel(level=0)
    units = one.sharpness * found.attrs["learning_rate"] / 2
    return _mean(units.where(before).mean("record"), seed)


def noise_shapes_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What each shape of noise did.

    Args:
        found: a grid of `noise_shapes` over kind and start.
        seed: of the resamples.

    Returns:
        Of each kind `flat_KIND` at the lowest level, `flat_high_KIND`, `flat_middle_KIND`,
        `delay_KIND` and `calm_KIND` (inverse trace of the whole Hessian), factors over gradient
        descent, `gain_KIND` [percentage points] and `wall_KIND` [of the loss]; contrasts `PAIRS`
        in the flatness, `order_delay`, and shares `BEFORE`; `lift_frozen`, `lift_runs`; `match`
        and `factor` of equal freezing; `power_KIND`, `lift_KIND` over mini-batches at the middle
        level; `sharpness_KIND` [2/η]; `per_work_KIND`, ln F per unit of loss that the noise
        raised; `n_starts`, `n_runs`, `n_descents`, `level_high` and so on.
    """
    told = _counts(found) | _by_kind(contrasts(found, seed=seed))
    flat = measures(found)["flat_low"]
    told |= {name: _factor(flat, *pair, seed) for name, pair in PAIRS.items()}
    delay = measures(found)["delay"]
    told["order_delay"] = _factor(delay, "independent", BATCHES, seed)
    told["match"] = _factor(delay, "equal_freezing", BATCHES, seed)
    told |= {name: bought_before(found, *pair, seed=seed) for name, pair in BEFORE.items()}
    told |= _strength_findings(strengths(found, seed=seed))
    told |= {
        f"sharpness_{kind}": batch_sharpness_of(found, kind, seed=seed) for kind in (CALM, BATCHES)
    }
    told |= per_work(found, seed=seed)
    return told


def _counts(found: xr.Dataset) -> Findings:
    """Sizes, and what is known of single kinds."""
    runs = found.train_loss.isel(record=0).notnull().sum("run").isel(start=0)
    factors = found.factor.sel(kind="equal_freezing")
    lifted = found.sel(kind="equal_lift").train_loss.isel(record=0).notnull()
    return {
        "n_starts": found.sizes["start"],
        "n_runs": int(runs.sel(kind=BATCHES)),
        "n_descents": int(runs.sel(kind="isotropic")),
        "lift_runs": int(lifted.sum()),
        "lift_frozen": _reached(found, "equal_lift", 0),
        "factor": float(np.exp(np.log(factors).mean())),
        "factor_least": float(factors.min()),
        "factor_most": float(factors.max()),
        **{f"level_{word}": float(each) for word, each in zip(WORDS, found.level, strict=True)},
    }


def _by_kind(table: xr.Dataset) -> Findings:
    """The rows of a table of contrasts as findings."""
    names = {"flat_low": "flat", "flat_high": "flat_high", "flat_middle": "flat_middle"}
    names |= {"delay": "delay", "calmness_low": "calm", "gain": "gain", "wall": "wall"}
    return {
        f"{name}_{kind}": _estimate(table.sel(kind=kind), of)
        for of, name in names.items()
        for kind in table.kind.values.tolist()
    }


def _strength_findings(table: xr.Dataset) -> Findings:
    return {
        f"{name}_{kind}": _estimate(table.sel(kind=kind), name)
        for name in ("power", "lift")
        for kind in table.kind.values.tolist()
        if kind != BATCHES
    }


def per_work(found: xr.Dataset, *, seed: int = 0) -> dict[str, Estimate]:
    """`per_work_KIND`: gain in ln F at the lowest level over gradient descent of the same start,
    for each unit of loss that the noise raised; mean over starts of the means over runs.
    """
    gained = xr.ufuncs.log(found.flatness.isel(level=-1))
    gained = gained - gained.sel(kind=CALM).mean("run")
    raised = work(found).where(gained.notnull())
    raised = raised.where(raised > 0)
    ratios = gained.mean("run") / raised.mean("run")
    kinds = [kind for kind in found.kind.values.tolist() if kind != CALM]
    return {
        f"per_work_{kind}": statistics.mean(
            ratios.sel(kind=kind).dropna("start").values, np.random.default_rng(seed)
        )
        for kind in kinds
        if bool(ratios.sel(kind=kind).notnull().any())
    }


def _estimate(row: xr.Dataset, name: str) -> Estimate:
    value, low, high = (float(row[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)
