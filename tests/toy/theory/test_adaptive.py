import numpy as np
import pytest
from scipy.integrate import quad

from valleys.toy import TwoValley
from valleys.toy.theory.adaptive import exponents, log_odds, rate_of

LANDSCAPE, Y, SIGMA = TwoValley(), 10.0, 1.0


def height(x, rate):
    """U(x) of the ridge at 0, by integrating the pull over the root of v along x."""

    def pull(place):
        slope, curve = LANDSCAPE.gradient(place, Y)[0], LANDSCAPE.hessian(place, Y)[0, 0]
        return 2 / rate * slope / np.sqrt(2 * SIGMA * curve)

    return quad(pull, 0, x, limit=200)[0]


def test_exponents_are_the_integral_of_the_pull_from_bottom_to_ridge():
    for place, found in zip(
        LANDSCAPE.valley_positions(Y), exponents(LANDSCAPE, Y, 0.02, SIGMA), strict=True
    ):
        assert -height(float(place), 0.02) == pytest.approx(float(found))


@pytest.mark.parametrize("rate", [0.01, 0.03, 0.1])
def test_log_odds_are_those_of_the_integrated_weight(rate):
    """Weights exp(−U), by quadrature over quadrature."""
    found = []
    for side in (1, -1):
        weight = quad(
            lambda x, s=side: np.exp(-height(s * x, rate)), 0, 2.5, limit=200, points=[0.16]
        )
        found.append(np.log(weight[0]))
    assert float(log_odds(LANDSCAPE, Y, rate, SIGMA)) == pytest.approx(
        found[0] - found[1], rel=1e-4
    )


def test_the_contrast_of_the_exponents_is_the_root_of_gamma():
    flat, sharp = exponents(LANDSCAPE, [1.0, 10.0, 100.0], 0.02, SIGMA)
    np.testing.assert_allclose(flat / sharp, LANDSCAPE.flatness_ratio**0.5)


def test_high_ridges_have_a_front_factor_of_a_quarter():
    rate = rate_of(LANDSCAPE, Y, 12.0, SIGMA)
    gamma = LANDSCAPE.flatness_ratio
    wanted = 12 * (gamma**0.5 - 1) + np.log(gamma) / 4
    assert float(log_odds(LANDSCAPE, Y, rate, SIGMA)) == pytest.approx(wanted, rel=1e-4)


def test_a_rate_gives_back_its_exponent():
    rate = rate_of(LANDSCAPE, Y, 2.5, SIGMA)
    assert float(exponents(LANDSCAPE, Y, rate, SIGMA)[1]) == pytest.approx(2.5)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="learning_rate"):
        exponents(LANDSCAPE, Y, 0.0, SIGMA)
