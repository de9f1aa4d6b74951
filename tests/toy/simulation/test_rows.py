"""The walk in a row of valleys against the compiled walk in two, the written-out step, and bad
input.
"""

from typing import Any

import numpy as np
import pytest

from valleys.toy import ManyValleys, TwoValley
from valleys.toy.simulation import langevin, rows
from valleys.toy.simulation.kernels import (
    ALIVE,
    CROSSING_Y,
    JITTER,
    LANES,
    LAST_CROSSING,
    ROW_STATE_ROWS,
    STATE_ROWS,
    VALLEY,
    X,
    Y,
    fill_normals,
)
from valleys.toy.simulation.rows import Walk

FIVE = ManyValleys((0.65, 0.8, 0.7, 0.725, 0.6))


def powered(hessian: np.ndarray, scale: float, noise_strength: float, power: float) -> np.ndarray:
    """2σ κ (H₊/κ)^p + jitter by eigenvectors, for one Hessian."""
    values, vectors = np.linalg.eigh(hessian)
    raised = np.where(values > 0, np.maximum(values, 1e-300) / scale, 0.0) ** power
    return 2 * noise_strength * scale * (vectors * raised) @ vectors.T + JITTER * np.eye(2)


@pytest.mark.parametrize("power", [0.0, 0.4, 1.0, 2.0])
@pytest.mark.parametrize(
    "landscape", [FIVE, ManyValleys((0.9, 0.4, 0.6), x0=1.3, f0=0.8, y_b=12, y_f=17, y_d=40, L_d=3)]
)
def test_one_step_is_eq_13(landscape, power):
    generator = np.random.default_rng(3)
    walk = Walk(landscape, 0.03, 0.2, 5.0, power)
    state, words = walk.start(np.random.SeedSequence(5), 0)
    state[X], state[Y] = generator.normal(0, 0.8, LANES), generator.uniform(0.5, 40, LANES)
    state[VALLEY] = landscape.valley(state[X], state[Y])
    before, (first, second) = state.copy(), np.empty((2, LANES))
    fill_normals(words.copy(), first, second)
    walk.advance(state, words, 1, 1)
    for lane in range(LANES):
        x, y = before[[X, Y], lane]
        factor = np.linalg.cholesky(
            powered(landscape.hessian(x, y), float(landscape.mean_curvature(y)), 0.2, power)
        )
        expected = np.array([x, y]) - 0.03 * (
            landscape.gradient(x, y) + factor @ [first[lane], second[lane]]
        )
        np.testing.assert_allclose(state[[X, Y], lane], expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(state[VALLEY], landscape.valley(state[X], state[Y]))
    np.testing.assert_array_equal(state[LAST_CROSSING], 1)
    np.testing.assert_array_equal(state[CROSSING_Y], state[Y])


@pytest.mark.parametrize(("noise", "power"), [("hessian", 1.0), ("isotropic", 0.0)])
def test_two_valleys_take_the_steps_of_the_two_valley_walk(noise, power):
    landscape, block = TwoValley(), np.random.SeedSequence(3)
    other_walk = langevin.TwoValleyWalk(landscape, 0.05, 0.05, 5.0, noise)
    two, words = other_walk.start(block)
    walk = Walk(landscape, 0.05, 0.05, 5.0, power)
    row, other_words = walk.start(block, 0)
    row[:STATE_ROWS], row[VALLEY] = two, two[X] >= 0
    other_walk.advance(two, words, 1, 3000)
    walk.advance(row, other_words, 1, 3000)
    assert two[LAST_CROSSING].max() > 1  # runs did cross
    np.testing.assert_allclose(row[:STATE_ROWS], two, rtol=1e-9, atol=1e-11)


def test_two_valleys_end_as_the_two_valley_walk_does():
    setting: dict[str, Any] = {"n_runs": 1200, "n_steps": 10_000, "seed": 4}
    row = rows.occupation(Walk(TwoValley(), 0.05, 0.02, 1.0), **setting)
    two = langevin.phase_diagram(TwoValley(), [0.05], [0.02], start_y=1.0, **setting).squeeze()
    assert abs(row.share[1] - two.p_flat) < 4.5 * np.hypot(row.share_error[1], two.p_flat_error)
    assert abs(row.freezing_y - two.freezing_y) < 4.5 * np.hypot(
        row.freezing_y_error, two.freezing_y_error
    )


def test_equal_shares_start_at_the_bottoms_and_the_seed_decides():
    walk = Walk(FIVE, 0.02, 0.05, 5.0)
    first = rows.histories(walk, 100, 40, 20, seed=1)
    assert first.shape == (3, ROW_STATE_ROWS, 100)
    np.testing.assert_array_equal(np.bincount(first[0, VALLEY].astype(int)), 20)
    np.testing.assert_allclose(np.sort(np.unique(first[0, X])), FIVE.valley_positions(5.0))
    np.testing.assert_array_equal(first, rows.histories(walk, 100, 40, 20, seed=1))
    assert np.any(first[-1, X] != rows.histories(walk, 100, 40, 20, seed=2)[-1, X])
    np.testing.assert_array_equal(first[-1], rows.final_states(walk, 100, 40, seed=1))
    one = rows.histories(Walk(FIVE, 0.02, 0.05, 5.0, start_valley=3), 10, 20, 20)
    assert set(one[0, VALLEY]) == {3}


def test_y_stands_still_where_it_is_held():
    held = rows.histories(Walk(FIVE, 0.02, 0.05, 3.0, power=-1.0, moves=False), 10, 200, 100)
    assert np.all(held[:, Y] == 3.0)
    assert np.any(np.diff(held[:, X], axis=0) != 0)


def test_runs_know_their_valley():
    single = rows.runs(Walk(FIVE, 0.02, 0.1, 1.0), 10, 400, 100, seed=2)
    assert single.time.values.tolist() == [0, 2, 4, 6, 8]
    np.testing.assert_array_equal(single.valley, FIVE.valley(single.x, single.y))


def test_runs_that_leave_count_in_no_mean():
    states = np.zeros((ROW_STATE_ROWS, 4))
    states[ALIVE], states[VALLEY], states[CROSSING_Y] = [1, 1, 1, 0], [0, 4, 4, 2], [1, 2, 3, 99]
    found = rows.summary(FIVE, states)
    np.testing.assert_allclose(found.share, [1 / 3, 0, 0, 0, 2 / 3])
    assert (float(found.freezing_y), float(found.diverged)) == (2, 0.25)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"landscape": 3}, "ManyValleys"),
        ({"learning_rate": 0}, "learning rate"),
        ({"noise_strength": -1}, "noise strength"),
        ({"power": -0.5}, "must not be negative"),
        ({"power": 9}, "between -4 and 4"),
        ({"start_valley": 5}, "0 to 4"),
        ({"moves": False, "start_y": 0.0}, "y > 0"),
        ({"start_y": -30}, "start_y"),
    ],
)
def test_bad_settings_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Walk(**({"landscape": FIVE, "learning_rate": 0.01, "noise_strength": 0.1} | change))


@pytest.mark.parametrize(
    ("size", "complaint"),
    [((12, 10, 5), "multiple of 5"), ((10, 10, 3), "does not divide"), ((10, 0, 1), "n_steps")],
)
def test_bad_sizes_are_refused(size, complaint):
    with pytest.raises(ValueError, match=complaint):
        rows.histories(Walk(FIVE, 0.01, 0.1), *size)
