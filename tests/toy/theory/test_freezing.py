"""Time scales, freezing point and final probability against the published numbers, limits and an
ODE solver.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from valleys.toy import TwoValley
from valleys.toy.theory import at_fixed_y, freezing

LANDSCAPE = TwoValley()


def test_published_time_scales():
    y = np.linspace(0, 1000, 100_001)
    slowest_x, fastest_y = (
        max(t.max() for t in freezing.relaxation_times(LANDSCAPE, np.append(y, 1e9))),
        freezing.drift_time(LANDSCAPE, y).min(),
    )
    np.testing.assert_allclose(
        [fastest_y, slowest_x, slowest_x / fastest_y], [41.8, 0.32, 7.6e-3], rtol=8e-3
    )


@pytest.mark.parametrize("y", [0.0, 5.0, 60.0])
def test_drift_is_the_slope_along_the_floor_of_either_valley(y):
    floors = [LANDSCAPE.gradient(x, y)[1] for x in LANDSCAPE.valley_positions(y)]
    np.testing.assert_allclose(floors, -freezing.drift_speed(LANDSCAPE, y), rtol=1e-10)


def test_freezing_constant_is_an_upper_bound_and_carries_f0():
    y = np.linspace(0, 500, 50_001)
    for landscape in (LANDSCAPE, TwoValley(f0=0.3, x0=1.7)):
        assert freezing.freezing_rate(landscape, y).max() <= freezing.freezing_constant(landscape)
        assert freezing.freezing_rate(landscape, y).max() > 0.3 * freezing.freezing_constant(
            landscape
        )


def test_the_paper_drops_a_factor_two_from_the_slope_of_the_exponent():
    """dy/dt · d/dy[ΔL(f1 − f2)/2] is the full rate that Eq. A31 should carry: twice the paper's
    Φ(y).
    """
    y, width = 7.0, 1e-4

    def exponent(at):
        flat, sharp = LANDSCAPE.flatness(at)
        return LANDSCAPE.barrier(at) * (flat - sharp) / 2

    slope = (
        (exponent(y + width) - exponent(y - width))
        / (2 * width)
        * freezing.drift_speed(LANDSCAPE, y)
    )
    assert slope == pytest.approx(2 * freezing.freezing_rate(LANDSCAPE, y), rel=1e-6)


def test_freezing_y_solves_its_equation():
    noise = np.logspace(-6, -2, 9)
    y = freezing.freezing_y(LANDSCAPE, noise)
    left = (LANDSCAPE.x2 * y / (LANDSCAPE.y_b + y)) ** 2 / (2 * noise)
    np.testing.assert_allclose(
        left, np.log(np.sqrt(noise) / (0.1 * freezing.freezing_constant(LANDSCAPE))), rtol=1e-9
    )
    assert np.all(np.diff(y) > 0)


def test_eq_26_is_eq_24_at_the_freezing_point():
    noise = np.logspace(-6, -2, 9)
    at_freezing = freezing.p_flat_at_freezing(
        LANDSCAPE, noise, freezing.freezing_y(LANDSCAPE, noise)
    )
    np.testing.assert_allclose(freezing.p_flat_transient(LANDSCAPE, noise), at_freezing, rtol=1e-9)
    assert np.all(np.diff(at_freezing) > 0)


def test_formulas_take_their_limits_where_they_end():
    threshold = (0.1 * freezing.freezing_constant(LANDSCAPE)) ** 2
    limit = freezing.freezing_limit(LANDSCAPE)
    assert limit * np.log(limit / threshold) == pytest.approx(LANDSCAPE.x2**2)
    assert freezing.freezing_y(LANDSCAPE, threshold / 2) == 0
    assert np.isinf(freezing.freezing_y(LANDSCAPE, 1.001 * limit))
    assert np.isfinite(freezing.freezing_y(LANDSCAPE, 0.999 * limit))
    start = 1 / (1 + LANDSCAPE.flatness_ratio**-0.5)
    assert freezing.p_flat_transient(LANDSCAPE, threshold / 2) == pytest.approx(start)
    assert freezing.p_flat_at_freezing(LANDSCAPE, 1e-3, 0.0) == pytest.approx(start)
    assert freezing.p_flat_at_freezing(LANDSCAPE, limit, np.inf) == pytest.approx(
        freezing.p_flat_transient(LANDSCAPE, limit)
    )


def test_epsilon_is_the_inverse_of_eq_26():
    noise = np.logspace(-5, -2, 4)
    for epsilon in (0.1, 7.0):
        np.testing.assert_allclose(
            freezing.epsilon_of(
                LANDSCAPE, noise, freezing.p_flat_transient(LANDSCAPE, noise, epsilon)
            ),
            epsilon,
            rtol=1e-9,
        )
    for landscape, p_flat in ((TwoValley(x1=0.65), 0.7), (LANDSCAPE, 1.0), (LANDSCAPE, np.nan)):
        with pytest.raises(ValueError, match=r"Eq\. 26"):
            freezing.epsilon_of(landscape, 1e-3, p_flat)


def test_epsilon_of_a_freezing_point_is_the_inverse_of_eq_25():
    noise = np.logspace(-5, -3, 5)
    for epsilon in (0.1, 3.0):
        np.testing.assert_allclose(
            freezing.epsilon_of_freezing_y(
                LANDSCAPE, noise, freezing.freezing_y(LANDSCAPE, noise, epsilon)
            ),
            epsilon,
        )
    with pytest.raises(ValueError, match="x1 > x2"):
        freezing.epsilon_of_freezing_y(TwoValley(x1=0.65), 1e-3, 4.0)


def test_y_of_a_share_is_where_the_quasi_steady_state_has_it():
    y = freezing.y_of_share(LANDSCAPE, [1e-4, 1e-3], 0.9)
    np.testing.assert_allclose(at_fixed_y.p_flat_exact(LANDSCAPE, y, [1e-4, 1e-3]), 0.9, rtol=1e-8)
    assert np.isinf(freezing.y_of_share(LANDSCAPE, 10.0, 0.99))
    with pytest.raises(ValueError, match="below"):
        freezing.y_of_share(LANDSCAPE, 1e-3, 0.4)


def test_equal_valleys_never_choose():
    twin = TwoValley(x1=0.65)
    assert freezing.p_flat_transient(twin, 1e-3) == 0.5
    assert np.isinf(freezing.freezing_y(twin, 1e-3))
    assert freezing.freezing_limit(twin) == 0


def test_numeric_freezing_point_solves_the_criterion():
    def ratio(y, noise):
        flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, y, noise)
        return flat / sharp

    for noise in (1e-5, 1e-4, 1e-3):
        y = freezing.freezing_y_numeric(LANDSCAPE, noise)
        slope = (ratio(y * (1 + 1e-5), noise) - ratio(y * (1 - 1e-5), noise)) / (2e-5 * y)
        sharp = at_fixed_y.rates_kramers(LANDSCAPE, y, noise)[1]
        assert sharp == pytest.approx(
            -0.1 * slope * freezing.drift_speed(LANDSCAPE, y) / (1 + ratio(y, noise)), rel=1e-5
        )
    assert np.isinf(freezing.freezing_y_numeric(LANDSCAPE, 1.0))


def test_the_ratio_of_the_rates_falls_twice_as_fast_as_printed_for_high_barriers():
    assert freezing.ratio_decay(LANDSCAPE, 20.0, 1e-4) == pytest.approx(
        2 * freezing.freezing_rate(LANDSCAPE, 20.0) / 1e-4, rel=0.01
    )


def test_balance_agrees_with_a_stiff_solver():
    noise, y = 1e-3, np.linspace(1, 30, 1500)

    def slope(at, p):
        flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, at, noise)
        return (sharp * (1 - p) - flat * p) / freezing.drift_speed(LANDSCAPE, at)

    solved = solve_ivp(
        slope, (1, 30), [0.5], method="LSODA", rtol=1e-8, atol=1e-10, t_eval=[2.0, 8.0, 30.0]
    )
    ours = freezing.p_flat_balance(LANDSCAPE, noise, y, rates="kramers")
    np.testing.assert_allclose(np.interp([2.0, 8.0, 30.0], y, ours), solved.y[0], atol=2e-3)


@pytest.mark.parametrize("epsilon", [0.0, -0.1, np.nan, np.inf])
def test_an_epsilon_that_is_no_positive_number_is_refused(epsilon):
    with pytest.raises(ValueError, match="epsilon"):
        freezing.freezing_y(LANDSCAPE, 1e-3, epsilon)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"y": [1.0]}, "increasing"),
        ({"y": [2.0, 1.0]}, "increasing"),
        ({"start_p": 1.5}, "start_p"),
        ({"rates": "guess"}, "guess"),
    ],
)
def test_bad_settings_of_the_balance_are_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        freezing.p_flat_balance(LANDSCAPE, 1e-3, **({"y": [1.0, 2.0]} | arguments))


def test_epsilon_of_the_criterion_is_the_inverse_of_a30():
    noise = np.array([1e-4, 1e-3])
    for epsilon in (0.1, 8.0):
        np.testing.assert_allclose(
            freezing.epsilon_of_criterion(
                LANDSCAPE, noise, freezing.freezing_y_numeric(LANDSCAPE, noise, epsilon)
            ),
            epsilon,
            rtol=1e-6,
        )


def test_the_race_is_the_one_of_eq_21_where_its_constant_factors_drop_out():
    """For high barriers the exact k⁻ is Eq. 21 over 1 + γ^{−½}, and the exact odds change as the
    printed ones do.
    """
    y, noise = 20.0, 1e-3
    _, sharp = at_fixed_y.rates_kramers(LANDSCAPE, y, noise)
    printed = sharp / freezing.ratio_decay(LANDSCAPE, y, noise)
    assert freezing.race(LANDSCAPE, noise, y) == pytest.approx(
        printed / (1 + LANDSCAPE.flatness_ratio**-0.5), rel=0.02
    )
