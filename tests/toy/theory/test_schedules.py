"""The best schedule against descent, a stiff solver, random changes and closed forms."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from valleys.toy import TwoValley
from valleys.toy.theory import families, schedules
from valleys.toy.theory.exchange import exchange_rates
from valleys.toy.theory.freezing import drift_speed, p_flat_balance

LANDSCAPE = TwoValley()


@pytest.fixture(scope="module")
def rates():
    return schedules.Rates.of(LANDSCAPE)


@pytest.fixture(scope="module")
def way():
    return schedules.Way.of(LANDSCAPE, 300.0, n_pieces=400)


def best(rates, way, **settings):
    return schedules.greedy(rates, way, largest_noise=families.MOST_NOISE, **settings)


def test_tables_are_the_rates_they_are_made_of(rates):
    y, noise = np.array([1.5, 8.0, 90.0]), np.array([1e-4, 2e-3, 0.02])
    flat, sharp = exchange_rates(LANDSCAPE, y, noise)
    total, share = rates.at(noise / schedules.opening(LANDSCAPE, y))
    np.testing.assert_allclose(total / LANDSCAPE.flatness(y)[1], flat + sharp, rtol=1e-5)
    np.testing.assert_allclose(share, sharp / (flat + sharp), rtol=1e-7)


def test_y_goes_along_the_floor(way):
    np.testing.assert_allclose(
        np.gradient(way.y, way.middles)[1:-1], drift_speed(LANDSCAPE, way.y)[1:-1], rtol=1e-3
    )


def test_a_constant_noise_gives_the_balance_of_chapter_6(way):
    rates = schedules.Rates.of(LANDSCAPE, "passage")
    y = np.linspace(1.0, way.y[-1], 800)
    end = schedules.follow(rates, way, np.full(way.y.size, 1e-4))[-1]
    assert end == pytest.approx(p_flat_balance(LANDSCAPE, 1e-4, y)[-1], abs=2e-3)


def test_with_rates_that_stand_still_the_end_has_a_closed_form(rates):
    """Far along the valleys f2 and s hardly move: one exponential."""
    way = schedules.Way.of(LANDSCAPE, 5.0, start_y=3000.0, n_pieces=100)
    noise = np.full(100, 0.05)
    flat, sharp = exchange_rates(LANDSCAPE, 3000.0, 0.05)
    share = sharp / (flat + sharp)
    expected = share + (0.5 - share) * np.exp(-(flat + sharp) * 5.0)
    assert schedules.follow(rates, way, noise)[-1] == pytest.approx(expected, abs=1e-5)
    theta = schedules.greedy(rates, way, start_p=0.8) / way.opening

    def loss(place):
        total, share = rates.at(np.exp(place))
        return float(total * (0.8 - share))

    found = minimize_scalar(loss, bounds=(-4, 1), method="bounded")
    assert theta[0] == pytest.approx(np.exp(found.x), rel=0.02)


def test_greedy_is_the_equation_with_the_largest_right_side(rates, way):
    thetas = np.geomspace(5e-3, 30, 3000)
    total, share = rates.at(thetas)

    def right_side(time, p):
        y = np.interp(time, way.middles, way.y)
        allowed = thetas * schedules.opening(LANDSCAPE, y) <= families.MOST_NOISE
        return [(total * (share - p[0]))[allowed].max() / LANDSCAPE.flatness(y)[1]]

    solved = solve_ivp(right_side, (0, 300), [0.5], method="LSODA", rtol=1e-7, atol=1e-9)
    end = schedules.follow(rates, way, best(rates, way))[-1]
    assert end == pytest.approx(solved.y[0, -1], abs=3e-6)


@pytest.mark.parametrize("guess", [3e-4, 2e-3])
def test_descent_on_many_knots_finds_the_same_end_and_never_a_better_one(rates, way, guess):
    top = schedules.follow(rates, way, best(rates, way))[-1]
    found = schedules.follow(rates, way, families.best_by_descent(rates, way, guess))[-1]
    assert top - 3e-6 < found <= top


def test_no_random_schedule_ends_higher(rates, way):
    noise, generator = best(rates, way), np.random.default_rng(0)
    top = schedules.follow(rates, way, noise)[-1]
    kinks = generator.normal(size=(500, 12)) * generator.uniform(0.01, 2, (500, 1))
    places = np.linspace(0, 11, way.y.size)
    changes = np.array([np.interp(places, np.arange(12), row) for row in kinks])
    ends = schedules.follow(rates, way, np.minimum(noise * np.exp(changes), families.MOST_NOISE))
    assert ends[:, -1].max() < top
    assert ends[:, -1].min() < top - 0.01


def test_what_another_schedule_loses_is_the_integral_of_the_theorem(rates):
    way = schedules.Way.of(LANDSCAPE, 100.0, n_pieces=6000)
    noise = best(rates, way)
    other = np.minimum(noise * 1.7, families.MOST_NOISE)
    course, lost = schedules.follow(rates, way, noise), schedules.follow(rates, way, other)
    p = (course[1:] + course[:-1]) / 2

    def right_side(each):
        total, share = rates.at(each / way.opening)
        return total * (share - p) * way.clock

    spent = rates.at(other / way.opening)[0] * way.clock
    later = np.exp(-(np.cumsum(spent[::-1])[::-1] - spent / 2))
    regret = ((right_side(noise) - right_side(other)) * later).sum()
    assert course[-1] - lost[-1] == pytest.approx(regret, rel=2e-3)
    assert regret > 1e-3


def test_the_gradient_is_that_of_differences(rates, way):
    noise = best(rates, way) * 1.3
    slope = schedules.end_and_slope(rates, way, noise)[1]
    for piece in (150, 300, 399):
        change = 1e-5 * (np.arange(400) == piece)
        ends = [schedules.follow(rates, way, noise * np.exp(sign * change))[-1] for sign in (-1, 1)]
        assert slope[piece] == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-3, abs=1e-9)


def test_the_best_schedule_of_a_longer_time_begins_with_that_of_a_shorter_one(rates):
    long, short = (schedules.Way.of(LANDSCAPE, time, n_pieces=800) for time in (500.0, 100.0))
    noises = [best(rates, each) for each in (long, short)]
    in_time = np.interp(short.middles, long.middles, noises[0])
    late = short.middles > 1
    np.testing.assert_allclose(in_time[late], noises[1][late], rtol=5e-3)


def test_shapes_are_best_at_their_amplitude(rates, way):
    for shape in families.SHAPES:
        chosen = families.best_of_shape(rates, way, shape)
        for factor in (0.93, 1.07):
            noise = np.minimum(chosen.noise * factor, families.MOST_NOISE)
            end = schedules.follow(rates, way, noise)[-1]
            assert end < chosen.p_flat + 1e-9, shape
    assert families.best_of_shape(rates, way, "step").turn >= 0.1


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        (lambda: schedules.Rates.of(LANDSCAPE, "guess"), "guess"),
        (lambda: schedules.Way.of(LANDSCAPE, -1.0), "duration"),
        (lambda: schedules.Way.of(LANDSCAPE, 10.0, 0.0), "start_y"),
        (lambda: families.best_of_shape(schedules.Rates.of(LANDSCAPE), None, "saw"), "saw"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, word):
    with pytest.raises(ValueError, match=word):
        ask()
