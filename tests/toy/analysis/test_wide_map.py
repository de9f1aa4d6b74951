"""A wide map is counted where its steps are known."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate, number
from valleys.toy.analysis import wide_map
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.diagnosis import diagnose

RATES, STRENGTHS = [0.01, 0.1], [0.1, 1.0, 10.0]


def chart(shares) -> xr.Dataset:
    values = {
        "p_flat": (wide_map.MAP, shares),
        "diverged": (wide_map.MAP, np.array([[0.0, 0.0, 0.1], [0.0, 0.2, 0.0]])),
        "p_flat_error": (wide_map.MAP, np.full((2, 3), 0.02)),
    }
    return xr.Dataset(values, {"learning_rate": RATES, "noise_strength": STRENGTHS})


EXACT = chart([[0.5, 0.505, 0.9], [0.6, 0.95, 0.7]])
CELLS = chart([[0.5, 0.48, 0.9], [0.6, 0.97, 0.7]])


def test_steps_are_counted_with_and_without_those_of_chance():
    """Along learning rates +, +, −; along noise strengths −, +, +, −."""
    found = wide_map.wide_findings(CELLS, EXACT)
    assert (found["steps"], found["rising"]) == (7, 4)
    assert (found["told_steps"], found["told_rising"]) == (6, 4)
    assert number(found, "gap") == pytest.approx(1.25)


def test_tops_are_where_more_noise_lowers_the_share():
    found = wide_map.wide_findings(CELLS, EXACT)
    assert found["tops"] == 1
    assert number(found, "top_low") == number(found, "top_high") == pytest.approx(0.1)
    assert estimate(found, "best").value == 0.97
    assert estimate(found, "corner").value == 0.7


def test_answers_are_the_questions_that_fail():
    equal = diagnose(TwoValley(x1=0.65), 0.01, 0.1)
    (text,) = wide_map.answers({"equal": equal}).values()
    assert "flatness contrast" in text
    assert all((check.name in text) != check.holds for check in equal.verdicts)


def test_failures_are_told_by_their_top_and_their_scatter_about_one_half():
    found = wide_map.failure_findings(
        {"coin": chart(0.5 + 0.02 * np.array([[1, -1, 1], [1, -1, -1]]))}
    )
    assert estimate(found, "top_coin").value == pytest.approx(0.52)
    assert number(found, "off_coin") == pytest.approx(1.0)
    assert number(found, "gone") == 0.2
