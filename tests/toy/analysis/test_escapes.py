"""What is read off counted escapes, against counts made by hand from rates of theory."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis import escapes
from valleys.toy.theory import at_fixed_y

LANDSCAPE = TwoValley(x1=0.8, x2=0.4)  # γ = 4
NOISE, RATE = 0.001, 0.01
Y = np.array([1.0, 2.0, 3.0, 4.0])
TO_BOTTOM = [1 / each for each in at_fixed_y.escape_times_exact(LANDSCAPE, Y, NOISE)[::-1]]
TO_RIDGE = [1 / each for each in at_fixed_y.times_to_ridge(LANDSCAPE, Y, NOISE, RATE)[::-1]]


def hops() -> xr.Dataset:
    """Escapes 10 % above theory, but 30 % below for the flat valley at the first y, known to 5 %.

    Touches are 1 % off, at the last y 2 % in the sharp and 3 % in the flat valley, known to 4 %.
    """
    escape = 1.1 * np.array(TO_BOTTOM)
    escape[1, 0] = 0.7 * TO_BOTTOM[1][0]
    touch = 1.01 * np.array(TO_RIDGE)
    touch[:, -1] = [1.02 * TO_RIDGE[0][-1], 0.97 * TO_RIDGE[1][-1]]
    dims = ("valley", "y")
    variables = {"escape_rate": (dims, escape), "escape_rate_error": (dims, 0.05 * escape)}
    variables |= {"top_rate": (dims, touch), "top_rate_error": (dims, 0.04 * np.array(TO_RIDGE))}
    place = {"valley": ["sharp", "flat"], "y": Y, "effective_noise": NOISE, "learning_rate": RATE}
    return xr.Dataset(variables, place)


def test_escapes_are_compared_with_exact_rates_and_with_kramers():
    found = escapes.rate_findings(LANDSCAPE, hops())
    assert found["exact_worst"] == pytest.approx(0.3)
    assert found["exact_mean"] == pytest.approx((7 * 0.1 + 0.3) / 8)
    flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, Y[-1], NOISE)
    assert estimate(found, "kramers_sharp").value == pytest.approx(
        1.1 * TO_BOTTOM[0][-1] / float(sharp)
    )
    assert estimate(found, "kramers_flat").value == pytest.approx(
        1.1 * TO_BOTTOM[1][-1] / float(flat)
    )
    assert error(found, "kramers_flat") == pytest.approx(
        0.05 * estimate(found, "kramers_flat").value
    )
    ratios = escapes.rate_ratios(LANDSCAPE, hops())
    assert ratios.exact.sel(valley="flat").values == pytest.approx([0.7, 1.1, 1.1, 1.1])


def test_a_walker_on_the_ridge_falls_to_the_steeper_side_more_often():
    found = escapes.rate_findings(LANDSCAPE, hops())
    assert (found["factor_sharp"], found["factor_flat"]) == pytest.approx((2 / 3, 1 / 3))


def test_touches_are_compared_with_and_without_the_step():
    found = escapes.rate_findings(LANDSCAPE, hops())
    assert found["touch_first"] == pytest.approx(0.01)
    assert found["touch_steps"] == pytest.approx((3 * 0.01 + 0.025) / 4)
    assert estimate(found, "touch_last").value == pytest.approx(2.5)
    assert error(found, "touch_last") == pytest.approx(100 * 0.04 / np.sqrt(2))
    smooth = [1 / each for each in at_fixed_y.times_to_ridge(LANDSCAPE, Y, NOISE)[::-1]]
    assert found["touch"] == pytest.approx(np.abs(hops().top_rate.values / smooth - 1).mean())
    assert number(found, "touch") > 2 * number(found, "touch_steps")


def test_traffic_is_counted_while_y_moves_by_one():
    rates = xr.full_like(hops().escape_rate, 0.5)
    rates.loc[{"y": 1.0}] = [2.0, 6.0]
    rates.loc[{"y": 4.0, "valley": "flat"}] = 0.01
    exact = xr.Dataset({"p_flat": ("effective_noise", [0.5, 0.6, 0.75])})
    found = escapes.traffic_findings(LANDSCAPE, hops().assign(escape_rate=rates), exact)
    y = np.linspace(0, 200, 200_001)
    floor = LANDSCAPE.loss(LANDSCAPE.valley_positions(y)[0], y)
    assert found["tau_y"] == pytest.approx(-1 / (np.diff(floor) / np.diff(y)).min(), rel=1e-3)
    assert found["hops_first"] == pytest.approx(
        3 * number(found, "tau_y")
    )  # one there and one back
    assert found["hops_last"] == pytest.approx(0.01 * number(found, "tau_y"))
    assert (found["odds_low"], found["odds_high"]) == (1, 3)
