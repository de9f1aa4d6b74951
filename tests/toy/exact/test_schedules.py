"""Densities under a schedule: against the master equation of constant noise, and runs."""

import numpy as np
import pytest

from valleys.toy import TwoValley, evolve
from valleys.toy.exact.schedules import evolve_schedule
from valleys.toy.exact.small_steps import relax_along
from valleys.toy.simulation.schedules import Blocks, scheduled
from valleys.toy.theory import families, schedules

LANDSCAPE = TwoValley()


def test_one_strength_in_blocks_is_the_master_equation():
    whole = evolve(LANDSCAPE, 0.05, 0.02, n_steps=1000, start_y=2.0)
    found = evolve_schedule(LANDSCAPE, 0.05, Blocks((400, 600), (0.02, 0.02)), 2.0)
    assert found.p_flat[-1] == pytest.approx(float(whole.p_flat[-1]), abs=1e-4)
    assert found.mean_y[-1] == pytest.approx(float(whole.mean_y[-1]), rel=1e-4)
    assert found.mass[-1] == pytest.approx(1, abs=1e-5)


def test_runs_scatter_around_it_under_a_schedule_that_rises():
    blocks = Blocks((300, 300, 600), (0.003, 0.006, 0.012))
    exact = evolve_schedule(LANDSCAPE, 0.05, blocks)
    found = scheduled(LANDSCAPE, 0.05, blocks, 4000, seed=5)
    pulls = (found.p_flat - exact.p_flat)[1:] / found.p_flat_error[1:]
    assert np.abs(pulls).max() < 4


def test_small_steps_have_the_share_of_the_exact_rates():
    rates, way = schedules.Rates.of(LANDSCAPE), schedules.Way.of(LANDSCAPE, 100.0, n_pieces=300)
    noise = schedules.greedy(rates, way, largest_noise=families.MOST_NOISE)
    found = relax_along(LANDSCAPE, way.times, noise, n_cells=800)
    assert found.p_flat[-1] == pytest.approx(schedules.follow(rates, way, noise)[-1], abs=4e-4)
    assert found.mean_y[-1] == pytest.approx(way.y[-1], rel=0.01)
    assert found.mass[-1] == pytest.approx(1, abs=1e-9)


def test_ever_smaller_steps_go_there_as_the_root_of_the_step():
    noise, times = np.full(100, 4e-4), np.linspace(0, 40, 101)
    limit = float(relax_along(LANDSCAPE, times, noise, n_cells=800).p_flat[-1])
    rates = np.array([0.02, 0.005, 0.00125])
    ends = [
        float(evolve_schedule(LANDSCAPE, eta, Blocks.of(times, noise, eta)).p_flat[-1])
        for eta in rates
    ]
    line = np.polynomial.Polynomial.fit(rates**0.5, ends, 2, domain=[-1, 1])
    assert line(0) == pytest.approx(limit, abs=2e-3)
    assert abs(ends[-1] - limit) < abs(ends[0] - limit)


def test_no_noise_has_no_density():
    for ask in (
        lambda: evolve_schedule(LANDSCAPE, 0.1, Blocks((10,), (0.0,))),
        lambda: relax_along(LANDSCAPE, np.array([0.0, 1.0]), np.array([0.0])),
    ):
        with pytest.raises(ValueError, match="above 0"):
            ask()
