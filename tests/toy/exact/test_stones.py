"""Four stepping stones that can be worked out by hand."""

import numpy as np
import pytest

from valleys.toy.exact.stones import RULES, shares, transitions

POND = [1, 1, 2, 2]  # two calm and two restless stones
HALF = 0.5
BY_HAND = {
    "begins": [[0, HALF, 0, HALF], [HALF, 0, HALF, 0], [1, 0, 0, 0], [0, 1, 0, 0]],
    "ends": [[0, HALF, HALF, 0], [HALF, 0, 0, HALF], [0, HALF, 0, HALF], [HALF, 0, HALF, 0]],
}


@pytest.mark.parametrize("rule", RULES)
def test_steps_lead_where_the_stones_say(rule):
    np.testing.assert_array_equal(transitions(POND, rule), BY_HAND[rule])


def test_short_steps_hold_the_walker_only_if_drawn_where_they_begin():
    np.testing.assert_allclose(shares(POND, "begins"), [1 / 3, 1 / 3, 1 / 6, 1 / 6])
    np.testing.assert_allclose(shares(POND, "ends"), [1 / 4] * 4)


@pytest.mark.parametrize("rule", RULES)
def test_a_step_leaves_the_shares_as_they_are(rule):
    lengths = [1, 1, 1, 2, 2, 2, 3]
    found = shares(lengths, rule)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found @ transitions(lengths, rule), found, atol=1e-12)


@pytest.mark.parametrize(
    ("lengths", "rule", "message"),
    [
        (POND, "middle", "begins, ends"),
        ([1, 0, 1], "begins", "1 or more"),
        ([2, 2, 2, 2], "begins", "no step leads"),
    ],
)
def test_what_has_no_answer_is_refused(lengths, rule, message):
    with pytest.raises(ValueError, match=message):
        shares(lengths, rule)
