"""Findings in rows of valleys, against shares made by hand."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy import ManyValleys
from valleys.toy.analysis import more_valleys
from valleys.toy.theory import chain

WIDTHS = [[0.8, 0.7, 0.6], [0.7, 0.8, 0.6], [0.8, 0.6, 0.7]]
NOISES = [0.001, 0.003]


def made(share: list, width: list = WIDTHS, error: float = 0.01) -> xr.Dataset:
    """A result of `occupation` that `balance_shares` misses by 0.02 everywhere."""
    dims = ("row", "effective_noise", "valley")
    variables = {"share": (dims, share), "width": (("row", "valley"), width)}
    found = xr.Dataset(variables, {"effective_noise": NOISES})
    return found.assign(share_error=xr.full_like(found.share, error), expected=found.share + 0.02)


def three_rows(error: float = 0.01) -> xr.Dataset:
    """Shares grow with width at the weaker noise; at the stronger one the last row is reversed."""
    weak = [[0.5, 0.3, 0.2], [0.3, 0.6, 0.1], [0.4, 0.25, 0.35]]
    strong = [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.2, 0.5, 0.3]]
    return made(list(zip(weak, strong, strict=True)), error=error)


def test_pairs_in_the_right_and_in_the_wrong_order_are_counted():
    right = made([[[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]], WIDTHS[:1])
    found = more_valleys.order_findings({"low": [right, three_rows()]}, 100, 0.0012)
    assert found["pairs_low"] == 3 * 2 + 3 * 6
    assert found["right_low"] == 6 + 18 - 3  # all three pairs of one row and noise are reversed
    assert (
        found["wrong_low"] == 2
    )  # 0.2 : 0.5 and 0.3 : 0.5, by 3.9 and 2.3 errors; 0.2 : 0.3 by 1.4
    assert found["worst_low"] == pytest.approx(0.3 / np.sqrt((0.7 - 0.3**2) / 100))
    assert found["missed_low"] == pytest.approx(0.02)


def test_shares_are_told_at_the_nearest_noise_by_place():
    parts = {"low": [three_rows(), three_rows()], "high": [three_rows(), three_rows()]}
    found = more_valleys.order_findings(parts, 100, 0.0012)
    names = ("outside", "inside", "flattest", "next")
    assert [estimate(found, f"{name}_low").value for name in names] == [0.5, 0.6, 0.4, 0.35]
    assert error(found, "next_high") == 0.01
    strong = more_valleys.order_findings(parts, 100, 0.0029)
    assert [estimate(strong, f"{name}_high").value for name in names] == [0.6, 0.7, 0.2, 0.3]


def test_orders_that_come_out_wrong_are_those_of_the_balance():
    """All three orders of three valleys, by `chain.balance` and a loop over pairs."""
    widths, starts = [0.65, 0.725, 0.8], {"low": 1.0, "high": 8.0}
    found = more_valleys.wrong_order_findings(widths, 0.001, starts)
    assert found["orders"] == 3
    for label, start_y in starts.items():
        way, wrong = np.geomspace(start_y, 60, 150), 0
        for row in ([0.65, 0.725, 0.8], [0.65, 0.8, 0.725], [0.725, 0.65, 0.8]):
            shares = chain.balance(ManyValleys(tuple(row)), 0.001, way)[:, -1]
            wrong += any(np.diff(shares[np.argsort(row)]) < 0)
        assert found[f"orders_{label}"] == wrong
    assert number(found, "orders_low") < number(found, "orders_high")


def test_the_flattest_valley_is_followed_wherever_it_stands():
    flattest = more_valleys.of_flattest(three_rows())
    np.testing.assert_array_equal(flattest.share, [[0.5, 0.6], [0.6, 0.7], [0.4, 0.2]])
    np.testing.assert_allclose(flattest.expected, flattest.share + 0.02)
    assert flattest.n_valleys == 3
    assert flattest.order.values.tolist() == more_valleys.orders(three_rows().width.values)
    assert more_valleys.orders(np.array([[0.6, 0.8, 0.7]])) == ["1-3-2"]


def test_a_rise_with_noise_is_a_difference_of_means():
    flattest = more_valleys.of_flattest(three_rows(error=0.03))
    found = more_valleys.noise_findings({"three_low": flattest})
    assert estimate(found, "three_low_weak").value == pytest.approx(0.5)
    assert error(found, "three_low_strong") == pytest.approx(0.03 / np.sqrt(3))
    assert estimate(found, "three_low_rise").value == pytest.approx(0)
    assert error(found, "three_low_rise") == pytest.approx(0.03 * np.sqrt(2 / 3))


def test_runs_are_spread_while_they_move_and_held_at_rest():
    even, one = [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]
    found = more_valleys.spread_findings(made([[even, one], [one, one], [even, even]]), 3.0)
    assert found["entropy_weak"] == pytest.approx(2 / 3)
    assert found["entropy_strong"] == pytest.approx(1 / 3)
    weights = chain.shares(ManyValleys(tuple(WIDTHS[0])), 3.0, 0.001)
    assert found["held_weak"] == pytest.approx(weights[0])  # the flattest, which stands first
    assert number(found, "held_weak") > number(found, "held_strong") > 1 / 3
