"""Sampled values with their standard errors, which results hold as `name` and `name_error`."""

from typing import TypeVar, cast

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate

Values = TypeVar("Values", xr.DataArray, np.ndarray)


def measured(cell: xr.Dataset, name: str = "p_flat") -> Estimate:
    """One value of a result with its standard error.

    Args:
        cell: a result of a single setting, with `name` and `name_error`, both without dimensions.
        name: which of its values.
    """
    return Estimate.with_error(cell[name], cell[f"{name}_error"])


def mean_with_error(
    values: xr.DataArray,
    errors: xr.DataArray,
    dim: str | None = None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean of independent values with its error, √(Σ error²)/n, over the n that are not NaN.

    Args:
        values: sampled values.
        errors: their standard errors, NaN where the values are.
        dim: over which is averaged; all if None.
    """
    spread = cast("xr.DataArray", np.sqrt((errors**2).sum(dim)))
    return values.mean(dim), spread / values.count(dim)


def in_errors(values: Values, expected: Values, errors: Values) -> Values:
    """(value − expected)/error, which scatters by one about zero where all else is equal."""
    return (values - expected) / errors
