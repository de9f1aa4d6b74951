"""Runs under a schedule: one block is a constant noise, and the plain step says the same."""

import numpy as np
import pytest

from valleys.toy import TwoValley, flat_probability
from valleys.toy.simulation import reference
from valleys.toy.simulation.schedules import Blocks, scheduled

LANDSCAPE = TwoValley()


def test_blocks_of_one_strength_are_the_runs_of_constant_noise():
    constant = flat_probability(LANDSCAPE, 0.05, 0.1, 200, 1000, 1.0, 250, seed=4)
    found = scheduled(LANDSCAPE, 0.05, Blocks((250, 500, 250), (0.1, 0.1, 0.1)), 200, seed=4)
    kept = constant.sel(step=[0, 250, 750, 1000])
    for name in ("p_flat", "p_flat_error", "mean_y", "mean_y_error"):
        np.testing.assert_array_equal(found[name], kept[name])


def test_blocks_of_unlike_strength_agree_with_the_plain_step():
    strengths, n_steps = (0.2, 0.01), (300, 300)
    found = scheduled(LANDSCAPE, 0.1, Blocks(n_steps, strengths), 2000, 4.0, seed=1)
    generator, x, y = np.random.default_rng(2), np.tile([-0.01, 0.01], 1000), np.full(2000, 4.0)
    for strength in strengths:
        for _ in range(300):
            x, y = reference.step(LANDSCAPE, x, y, 0.1, strength, "hessian", generator)
    assert abs((x > 0).mean() - found.p_flat[-1]) < 5 * found.p_flat_error[-1]
    assert abs(y.mean() - found.mean_y[-1]) < 5 * np.hypot(found.mean_y_error[-1], y.std() / 44)


def test_without_noise_nothing_changes_side():
    found = scheduled(LANDSCAPE, 0.05, Blocks((100, 2000), (0.02, 0.0)), 400, seed=0)
    after = scheduled(LANDSCAPE, 0.05, Blocks((100, 200, 1800), (0.02, 0.0, 0.0)), 400, seed=0)
    assert after.p_flat[2] == after.p_flat[3] == found.p_flat[-1]
    assert found.mean_y[-1] > 2


def test_blocks_take_the_noise_of_their_middle_and_all_steps():
    times, noise = np.array([0.0, 10.0, 100.0]), np.array([1e-3, 4e-3])
    blocks = Blocks.of(times, noise, 0.1, 50)
    assert sum(blocks.n_steps) == 1000
    late = (blocks.borders[1:] + blocks.borders[:-1]) / 2 > 100
    np.testing.assert_allclose(np.array(blocks.noise_strengths)[late], 0.04)
    np.testing.assert_allclose(np.array(blocks.noise_strengths)[~late], 0.01)


@pytest.mark.parametrize(
    ("n_steps", "strengths", "word"),
    [((1,), (), "each block"), ((0,), (1.0,), "one step"), ((1,), (-1.0,), "negative")],
)
def test_what_is_no_schedule_is_refused(n_steps, strengths, word):
    with pytest.raises(ValueError, match=word):
        Blocks(n_steps, strengths)
