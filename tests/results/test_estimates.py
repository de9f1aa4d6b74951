"""Estimates print what is known of a number, and keep all of it on the way to the text."""

import json
import math

import numpy as np
import pytest
import xarray as xr

from valleys.nets import statistics
from valleys.results.estimates import Estimate, of_json, to_json


@pytest.mark.parametrize(
    ("estimate", "form", "text"),
    [
        (Estimate(0.64, 0.32, 0.84), ".2f", "0.64 (0.32 to 0.84)"),
        (Estimate(0.5, math.nan, math.nan), ".2f", "0.50 (no interval)"),
        (Estimate(0.141, 0.12, 0.17), ".0%", "14% (12% to 17%)"),
        (Estimate(0.001, -0.003, 0.005), "+.3f", "+0.001 (-0.003 to +0.005)"),
        (Estimate(0.00091, 7.5e-5, 0.0011), ".2g", "0.00091 (7.5e-05 to 0.0011)"),
        (Estimate.with_error(0.5, 0.25), ".2f", "0.50 (0.01 to 0.99)"),
        (Estimate.with_error(0.7153, 0.0042), "±", "0.715 ± 0.004"),
    ],
)
def test_an_estimate_prints_value_and_interval_in_one_form(estimate, form, text):
    assert f"{estimate:{form}}" == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.7153, 0.0042, "0.715 ± 0.004"),
        (0.7153, 0.0017, "0.7153 ± 0.0017"),
        (123.4, 12, "123 ± 12"),
        (1234.4, 35, "1234 ± 35"),
        (5, 0.099, "5.00 ± 0.10"),
        (0.5, 0, "0.5 ± 0"),
    ],
)
def test_error_decides_the_digits(value, error, text):
    assert str(Estimate.with_error(value, error)) == text


@pytest.mark.parametrize(("value", "error"), [(np.nan, 1), (1, np.inf), (1, -1)])
def test_no_number_without_a_sound_error(value, error):
    with pytest.raises(ValueError, match="finite"):
        Estimate.with_error(value, error)


def test_an_interval_has_no_error_to_print():
    with pytest.raises(ValueError, match="no standard error"):
        format(Estimate(0.64, 0.32, 0.84), "±")


def test_an_error_reaches_as_far_as_95_per_cent_of_a_normal_distribution():
    known = Estimate.with_error(xr.DataArray(0.9).item(), np.float64(0.01))
    assert (known.value, known.error) == (0.9, 0.01)
    assert (known.low, known.high) == pytest.approx((0.9 - 0.0196, 0.9 + 0.0196))


def test_scaled_to_another_unit_all_parts_go_along():
    assert Estimate(0.01, -0.02, 0.03).scaled(100, "%") == Estimate(
        100 * 0.01, 100 * -0.02, 100 * 0.03, "%"
    )
    assert Estimate.with_error(2.0, 0.5).scaled(2) == Estimate.with_error(4.0, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        Estimate(0.01, -0.02, 0.03).scaled(-1)


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        3,
        True,
        "clear",
        "nan",
        [1, 2.5],
        [Estimate(1.0, 0.5, 2.0)],
        Estimate(1 / 3, 0.1, 0.9, "s"),
        Estimate.with_error(1 / 3, 0.01),
    ],
)
def test_a_value_comes_back_from_json_as_it_was(value):
    again = of_json(json.loads(json.dumps(to_json(value), allow_nan=False)))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        Estimate(math.nan, -math.inf, math.inf),
        Estimate(0.5, math.nan, math.nan),
    ],
)
def test_what_json_has_no_number_for_comes_back_too(value):
    assert repr(of_json(json.loads(json.dumps(to_json(value), allow_nan=False)))) == repr(value)


def test_numpy_and_xarray_scalars_are_written_as_plain_numbers():
    written = [
        to_json(each)
        for each in (
            np.float64(0.5),
            np.array(3),
            xr.DataArray(2.5),
            np.bool_(True),
            np.array([1.5, 2.5]),
            Estimate(np.float64(0.0), np.float64(1.0), np.float64(2.0)),
        )
    ]
    assert written[:4] == [{"value": 0.5}, {"value": 3}, {"value": 2.5}, {"value": True}]
    assert written[4] == {"values": [{"value": 1.5}, {"value": 2.5}]}
    json.dumps(written)


@pytest.mark.parametrize("value", [{"a": 1}, None.__class__, 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="is no number, estimate, boolean, text or list"):
        to_json(value)


def test_statistics_gives_estimates():
    assert statistics.Estimate is Estimate
