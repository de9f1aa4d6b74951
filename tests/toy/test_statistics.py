"""Sampled values with their errors."""

import numpy as np
import pytest
import xarray as xr

from valleys.toy import statistics


def test_a_measured_value_has_the_error_beside_it():
    cell = xr.Dataset({"p_flat": 0.6, "p_flat_error": 0.1, "y": 3.0, "y_error": 0.5})
    assert (statistics.measured(cell).value, statistics.measured(cell).error) == (0.6, 0.1)
    assert (statistics.measured(cell, "y").value, statistics.measured(cell, "y").error) == (
        3.0,
        0.5,
    )


def test_the_error_of_a_mean_is_that_of_its_draws():
    rng = np.random.default_rng(0)
    errors = xr.DataArray([0.1, 0.3, 0.2], dims="cell")
    draws = 1 + rng.normal(size=(20_000, 3)) * errors.values
    mean, error = statistics.mean_with_error(xr.DataArray([1.0, 2.0, 6.0], dims="cell"), errors)
    assert (float(mean), float(error)) == (3, pytest.approx(draws.mean(axis=1).std(), rel=0.03))


def test_cells_without_a_value_do_not_count():
    values = xr.DataArray([[1.0, np.nan], [2.0, 4.0]], dims=("row", "cell"))
    mean, error = statistics.mean_with_error(values, values.where(values.isnull(), 0.4), "cell")
    np.testing.assert_allclose(mean, [1, 3])
    np.testing.assert_allclose(error, [0.4, 0.4 / np.sqrt(2)])


def test_distances_are_counted_in_errors():
    np.testing.assert_allclose(
        statistics.in_errors(np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.array(0.5)), [-2, 2]
    )
