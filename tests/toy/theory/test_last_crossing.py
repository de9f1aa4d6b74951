import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.exact.last_crossing import last_crossings
from valleys.toy.theory.at_fixed_y import p_flat_boltzmann
from valleys.toy.theory.freezing import drift_time
from valleys.toy.theory.last_crossing import p_flat_after_last_crossing

LANDSCAPE = TwoValley()


def test_late_crossings_have_the_odds_of_the_ridge_and_early_ones_end_flat():
    found = p_flat_after_last_crossing(LANDSCAPE, 0.001, np.linspace(0.5, 20, 400))
    assert found[-1] == pytest.approx(p_flat_boltzmann(LANDSCAPE))
    assert found[0] > 0.99
    assert (np.diff(found) <= 0).all()


def test_valleys_that_are_alike_share_every_crossing():
    even = TwoValley(x1=0.65, x2=0.65)
    found = p_flat_after_last_crossing(even, 0.001, np.linspace(0.5, 20, 40))
    assert found == pytest.approx(0.5)


def y_along_the_floor(times, course):
    """y at each time by the drift of Eq. A8."""
    lengths = np.diff(course) * drift_time(LANDSCAPE, (course[1:] + course[:-1]) / 2)
    return np.interp(times, np.append(0.0, np.cumsum(lengths)), course)


def test_small_steps_cross_for_the_last_time_as_the_formula_says():
    noise, rate = 0.001, 0.005
    run = last_crossings(LANDSCAPE, rate, noise / rate, n_steps=120_000, start_y=0.5)
    flat, sharp = run.frozen_flat.diff("step"), run.frozen_sharp.diff("step")
    shares, weights = (flat / (flat + sharp)).values, (flat + sharp).values
    course = np.linspace(0.5, 30, 600)
    y = y_along_the_floor(run.time.values, course)
    expected = p_flat_after_last_crossing(LANDSCAPE, noise, course, rate)
    found = np.interp((y[1:] + y[:-1]) / 2, course, expected)
    often = weights > 1e-4
    assert np.average(np.abs(found - shares)[often], weights=weights[often]) < 0.02


def test_late_crossings_come_closer_to_the_odds_of_the_ridge_as_steps_become_small():
    shares = []
    for rate in (0.04, 0.01):
        run = last_crossings(LANDSCAPE, rate, 0.001 / rate, round(500 / rate), 0.5)
        late = run.sel(step=run.step[run.time >= 300])
        flat, sharp = (float(late[f"frozen_{side}"][0]) for side in ("flat", "sharp"))
        ends = [float(run[f"frozen_{side}"][-1]) for side in ("flat", "sharp")]
        shares.append((ends[0] - flat) / (sum(ends) - flat - sharp))
    assert shares[0] - 0.02 > shares[1] > p_flat_boltzmann(LANDSCAPE)


def test_a_course_that_turns_back_is_refused():
    with pytest.raises(ValueError, match="increasing"):
        p_flat_after_last_crossing(LANDSCAPE, 0.001, [1.0, 0.5])
