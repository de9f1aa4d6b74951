import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.exact.adaptive import p_flat_adaptive, p_flat_remembered
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.theory.adaptive import log_odds

LANDSCAPE, Y, SIGMA = TwoValley(), 10.0, 1.0


def logit(share):
    return np.log(share / (1 - share))


def test_small_steps_come_to_the_theory():
    gaps = [
        abs(logit(p_flat_adaptive(LANDSCAPE, rate, SIGMA, Y)) - log_odds(LANDSCAPE, Y, rate, SIGMA))
        for rate in (0.1, 0.02)
    ]
    assert gaps[1] < 0.003
    assert gaps[1] < gaps[0]


def test_equal_valleys_are_visited_alike_whatever_is_in_v():
    even = TwoValley(x1=0.65)
    for pull in (False, True):
        assert p_flat_adaptive(even, 0.05, SIGMA, Y, pull=pull) == pytest.approx(0.5, abs=1e-6)
    assert p_flat_remembered(even, 0.05, SIGMA, Y) == pytest.approx(0.5, abs=1e-6)


def test_the_slope_in_v_matters_little_where_noise_is_large_beside_it():
    quiet, loud = (
        [logit(p_flat_adaptive(LANDSCAPE, rate, sigma, Y, pull=pull)) for pull in (False, True)]
        for rate, sigma in ((0.02 * 10**0.5, 0.1), (0.02, 10.0))
    )
    assert abs(loud[1] - loud[0]) < abs(quiet[1] - quiet[0])
    assert abs(loud[1] - loud[0]) < 0.01


def test_a_long_memory_is_plain_descent_at_another_rate():
    share = p_flat_remembered(LANDSCAPE, 0.03, SIGMA, Y)
    flat, sharp = 2 / np.array(LANDSCAPE.flatness(Y))
    v = 2 * SIGMA * (share * flat + (1 - share) * sharp)
    again = stationary_density(LANDSCAPE, 0.03 / v**0.5, SIGMA, Y)
    assert float(again.p_flat) == pytest.approx(share, abs=1e-6)


def test_rates_out_of_reach_are_refused():
    with pytest.raises(ValueError, match="lower it"):
        p_flat_adaptive(LANDSCAPE, 2.0, SIGMA, Y)
    with pytest.raises(ValueError, match="raise"):
        p_flat_adaptive(LANDSCAPE, 1e-5, SIGMA, Y)
