"""What walks say: means over runs with intervals, heights relative to the loss, and whether anything happens at freezing."""

import dataclasses

import numpy as np
import xarray as xr

from valleys.nets import lines, statistics
from valleys.nets.statistics import Estimate

STAGES = ("before", "at", "after")  # two multiples of the freezing time each, of one ratio


def with_sags(found: xr.Dataset) -> xr.Dataset:
    """The dataset of `walk_grid` with `sag` of the mean line of each window, and `relative_sag`, over the mean loss; also those `near_` freezing.

    The sag is known where no step has a floor, too, and needs no choice of steps as the height does.
    """
    parts = {}
    for prefix in ("", "near_"):
        dims = found[prefix + "profile"].dims[:-1]
        parts[prefix + "sag"] = (dims, lines.sag(found[prefix + "profile"].transpose(..., "fraction").values))
        parts[prefix + "relative_sag"] = (dims, parts[prefix + "sag"][1] / found[prefix + "loss"].transpose(*dims).values)
    return found.assign(parts)


def over_runs(values: xr.DataArray, *, seed: int = 0) -> xr.Dataset:
    """Mean over the finite realizations with the ends of its 95 % interval, as `value`, `low` and `high`; NaN ends for a single run."""

    def ends(row: np.ndarray) -> np.ndarray:
        return np.array(dataclasses.astuple(statistics.mean(row[np.isfinite(row)], np.random.default_rng(seed))))

    found = xr.apply_ufunc(ends, values, input_core_dims=[["realization"]], output_core_dims=[["end"]], vectorize=True)
    return xr.Dataset({name: found.isel(end=index) for index, name in enumerate(("value", "low", "high"))})


def estimate_of(values: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over realizations, the only dimension, as an estimate; runs that are NaN are left out."""
    return statistics.mean(values.values[np.isfinite(values.values)], np.random.default_rng(seed))


def ratio_of(first: xr.DataArray, second: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over realizations of one setting over that of another, both resampled; a single run, as of gradient descent, stands as it is."""
    groups = [each.values[np.isfinite(each.values)] for each in (first, second)]
    return statistics.ratio(*groups, np.random.default_rng(seed))


def at_freezing(found: xr.Dataset, name: str) -> xr.Dataset:
    """Change of a quantity of each run over equal ratios of time, before, at and after its freezing time.

    The six multiples of the freezing time are pairs (a, b), (c, d), (e, f) with b/a = d/c = f/e and c·d = 1: what drifts evenly in the logarithm of
    time changes alike in all three, so that only what happens at freezing makes the middle one stand out.

    Args:
        found: what `walk_grid` or `with_sags` gives, one or more settings.
        name: of the quantity, without `near_`.

    Returns:
        `change` by stage, and `contrast`, the change at freezing less the mean of both others; NaN where a window of a run is missing.

    Raises:
        ValueError: the multiples are not three such pairs.
    """
    multiples = found.multiple.values
    if len(multiples) != 6 or not np.allclose(multiples[1::2] / multiples[::2], multiples[1] / multiples[0]) or not np.isclose(multiples[2] * multiples[3], 1):
        raise ValueError(f"multiples must be three pairs of one ratio, the middle one around 1, got {multiples.tolist()}")
    values = found["near_" + name]
    change = xr.concat([values.isel(multiple=2 * k + 1, drop=True) - values.isel(multiple=2 * k, drop=True) for k in range(3)], "stage")
    change = change.assign_coords(stage=list(STAGES))
    contrast = change.sel(stage="at", drop=True) - change.sel(stage=["before", "after"]).mean("stage", skipna=False)
    return xr.Dataset({"change": change, "contrast": contrast})


def until_freezing(found: xr.Dataset, name: str) -> xr.DataArray:
    """Mean of a quantity over the windows after the start and before the mean freezing time of a setting, by realization."""
    before = (found.window_time > 0) & (found.window_time < found.freezing_time.mean("realization"))
    return found[name].where(before).mean("window")


def with_hill(hills: xr.DataArray, heights: xr.DataArray, share: float) -> xr.DataArray:
    """Whether each hill exceeds a share of the height at which the walk travels there, 1 or 0; NaN where there is no scan."""
    return (hills > share * heights).astype(float).where(hills.notnull() & heights.notnull())
