"""Steps in continuous time have the moments of the paper's equation; each rule has its weight."""

import numpy as np
import pytest

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import continuous, reference
from valleys.toy.simulation.continuous import RULES, Blurred
from valleys.toy.theory.at_fixed_y import p_flat_exact, p_flat_printed

LANDSCAPE = TwoValley()
Y, NOISE = 3.0, 0.001
LIMITS = {"ito": p_flat_exact, "end_point": p_flat_printed}


def blurred(width: float) -> Blurred:
    return Blurred(LANDSCAPE, Y, NOISE, width)


@pytest.mark.parametrize("x", [-0.3, 0.2])
def test_a_step_of_eq_13_is_one_of_the_ito_rule(x):
    """With the learning rate as the time step (Eqs. A1 to A4), away from the blur."""
    rate, normals = 0.01, np.linspace(-2, 2, 9)
    spread = reference.covariance(LANDSCAPE, x, Y, NOISE / rate)[0, 0]
    expected = x - rate * (LANDSCAPE.gradient(x, Y)[0] + spread**0.5 * normals)
    found = continuous.step(blurred(1e-3), np.full(9, x), rate, -normals, "ito")
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_end_point_rule_adds_the_slope_of_the_diffusion():
    """Mean and variance of one small step: A + dD/dx and 2D, by a sum over Gauss-Hermite nodes."""
    walk, x, time_step = blurred(0.05), 0.01, 1e-5
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()
    slope = (walk.diffusion(np.array(x + 1e-6)) - walk.diffusion(np.array(x - 1e-6))) / 2e-6
    for rule, extra in (("ito", 0.0), ("end_point", slope)):
        moved = continuous.step(walk, np.full(20, x), time_step, nodes, rule) - x
        mean = weights @ moved
        assert mean / time_step == pytest.approx(walk.drift(np.array(x)) + extra, rel=0.02)
        variance = weights @ (moved - mean) ** 2
        assert variance / time_step == pytest.approx(2 * walk.diffusion(np.array(x)), rel=0.02)


@pytest.mark.parametrize("rule", RULES)
def test_as_the_blur_shrinks_the_weight_is_that_of_the_rule(rule):
    limit = LIMITS[rule](LANDSCAPE, Y, NOISE)
    off = [abs(continuous.stationary_share(blurred(w), rule) - limit) for w in (2e-3, 2e-4)]
    assert off[1] < off[0] < 0.01
    assert off[1] < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_runs_have_the_weight_of_their_rule(rule):
    walk = blurred(0.02)
    found, error = continuous.share(walk, rule, 5e-4, n_runs=1000, duration=20, seed=1)
    assert abs(found - continuous.stationary_share(walk, rule)) < 4 * error + 2e-3
    other = continuous.stationary_share(walk, RULES[RULES.index(rule) - 1])
    assert abs(found - other) > 4 * error


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="width"):
        blurred(0.0)
    with pytest.raises(ValueError, match="rule"):
        continuous.stationary_share(blurred(0.01), "midpoint")
    with pytest.raises(ValueError, match="noise"):
        Blurred(LANDSCAPE, Y, -1.0, 0.01)
