"""The rules are compared where their shares are known."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.results.estimates import Estimate
from valleys.toy.analysis import continuous
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import p_flat_exact, p_flat_printed

RULES = ["ito", "end_point"]


def made() -> xr.Dataset:
    dims = ("rule", "width")
    values = {
        "p_flat": (dims, [[0.80, 0.78], [0.70, 0.73]]),
        "p_flat_error": (dims, [[0.003, 0.01], [0.004, 0.01]]),
        "stationary": (dims, [[0.79, 0.78], [0.71, 0.72]]),
    }
    return xr.Dataset(values, {"rule": RULES, "width": [0.01, 0.02]})


CURVES = xr.DataArray(
    [[0.799, 0.78], [0.72, 0.73]], {"rule": RULES, "width": [1e-4, 0.02]}, ("rule", "width")
)


def test_rules_are_compared_at_the_narrowest_blur():
    found = continuous.rule_findings(made(), CURVES, Estimate.with_error(0.8, 0.001))
    assert (estimate(found, "ito").value, estimate(found, "end_point").value) == (0.80, 0.70)
    assert estimate(found, "apart").value == pytest.approx(0.1)
    assert error(found, "apart") == pytest.approx(0.005)
    assert number(found, "pull") == pytest.approx(0.01 / 0.003)
    assert number(found, "narrowest") == 0.01


def test_the_limit_is_held_to_next_to_no_blur():
    found = continuous.rule_findings(made(), CURVES, Estimate.with_error(0.8, 0.001))
    off = estimate(found, "to_ito")
    assert (off.value, off.high - off.low) == pytest.approx((0.001, 2 * 1.96 * 0.001), rel=1e-3)
    assert estimate(found, "to_end_point").value == pytest.approx(0.08)


def test_curves_begin_near_the_weights_of_the_two_flows():
    curves = continuous.rule_curves(TwoValley(), made(), 3.0, 1e-3)
    limits = [weight(TwoValley(), 3.0, 1e-3) for weight in (p_flat_exact, p_flat_printed)]
    np.testing.assert_allclose(curves.isel(width=0), limits, atol=1e-3)
    assert list(curves.rule) == RULES
