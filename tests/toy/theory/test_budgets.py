"""Noise with a price: gradients by differences, Pontryagin's constant, and what one can see."""

import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.theory import budgets, families, schedules

LANDSCAPE = TwoValley()


@pytest.fixture(scope="module")
def budget():
    return budgets.Budget.of(schedules.Rates.of(LANDSCAPE), 1e6, n_pieces=200)


def test_a_constant_noise_buys_its_time_and_the_share_of_that_time(budget):
    times, p_flat = budget.spend(np.full(200, 2e-3))
    assert times[-1] == pytest.approx(2000.0)
    way = schedules.Way.of(LANDSCAPE, 2000.0)
    end = schedules.follow(budget.rates, way, np.full(way.y.size, 2e-3))[-1]
    assert p_flat[-1] == pytest.approx(end, abs=5e-5)


def test_the_gradient_is_that_of_differences(budget):
    noise = np.geomspace(2e-3, 8e-4, 200)
    gain = budget.worth(noise)[2]
    for piece in (60, 150, 190):
        ends = [
            budget.spend(noise * np.exp(sign * 1e-5 * (np.arange(200) == piece)))[1][-1]
            for sign in (-1, 1)
        ]
        assert gain[piece] == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-3, abs=1e-12)


def test_along_the_best_spending_pontryagins_balance_is_constant(budget):
    noise = budgets.best_spending(budget, [4e-3])
    balance = budget.balance(noise)["balance"]
    free = balance[noise < 0.7 * families.MOST_NOISE]
    assert free.size > 30
    np.testing.assert_allclose(free[5:], np.median(free), rtol=0.05)
    constant = np.full(200, budgets.best_constant(budget))
    assert budget.spend(noise)[1][-1] > budget.spend(constant)[1][-1]


def test_samples_want_strong_noise_first_where_time_wants_it_last(budget):
    spent = budgets.best_spending(budget, [4e-3])
    in_time = budgets.best_in_time(budget, 1.0)
    assert spent[5] == pytest.approx(families.MOST_NOISE, rel=0.05)
    assert in_time[50] < 1e-3
    assert budget.spend(in_time)[1][-1] < budget.spend(spent)[1][-1] - 0.01
    # the best in time, followed over its own way, has the same share
    way = schedules.Way.of(LANDSCAPE, float(budget.spend(in_time)[0][-1]))
    top = schedules.greedy(budget.rates, way, largest_noise=families.MOST_NOISE)
    end = schedules.follow(budget.rates, way, top)[-1]
    assert budget.spend(in_time)[1][-1] == pytest.approx(end, abs=2e-3)
