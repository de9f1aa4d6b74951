"""Two settings held against each other, over starts and runs."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.statistics import Estimate


def rows(values: xr.DataArray) -> np.ndarray:
    """One number a run, (n_starts, n_runs)."""
    return values.transpose("start", "run").values


def log(values: xr.DataArray) -> xr.DataArray:
    """Natural logarithms, NaN where a value is not above zero."""
    return xr.ufuncs.log(values.where(values > 0))


def geometric_mean(values: xr.DataArray, over: str | list[str]) -> xr.DataArray:
    """Along some dimensions; NaN are left out."""
    return xr.ufuncs.exp(log(values).mean(over))


def factor(above: xr.DataArray, below: xr.DataArray, *, seed: int = 0) -> Estimate:
    """A ratio of geometric means; starts are drawn for both at once, runs for each."""
    return statistics.exponential(difference(log(above), log(below), seed=seed))


def ratio(above: xr.DataArray, below: xr.DataArray, *, seed: int = 0) -> Estimate:
    """A ratio of means, where single numbers may be nothing; resampled alike."""
    value, drawn = statistics.nested_means([rows(above), rows(below)], np.random.default_rng(seed))
    return quotient(value, drawn, above.sizes["start"])


def quotient(value: np.ndarray, drawn: np.ndarray, n_starts: int) -> Estimate:
    """The first of two means over the second, (2,), with those of each resample, (2, m)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found, every = value[0] / value[1], drawn[0] / drawn[1]
    return statistics.interval(found, every[np.isfinite(every)], [n_starts])


def mean(values: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over starts and runs."""
    return statistics.nested_mean(rows(values), np.random.default_rng(seed))


def difference(above: xr.DataArray, below: xr.DataArray, *, seed: int = 0) -> Estimate:
    """A difference of means."""
    rng = np.random.default_rng(seed)
    return statistics.nested_difference(rows(above), rows(below), rng)
