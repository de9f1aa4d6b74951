import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import descend, initialize, join
from valleys.nets.engine.training import evaluate
from valleys.nets.measures import step_lines

FALLING, RISING, VALLEY, HUMP = [3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [1.0, 3.0, 2.0]
FOUR = np.array([FALLING, RISING, VALLEY, HUMP])


@pytest.fixture
def walk(blobs):
    """A walk of six steps with large steps, so that its lines are no parabolas."""
    network = initialize(5, 2, hidden=(7, 6), n_classes=3).to(torch.float64)
    # at zero biases a unit may stand on its kink, where a slope has two values
    descend(network, blobs.images, blobs.labels, 0.4)
    points = [network.copy()]
    for step in range(6):
        chosen = slice(5 * step, 5 * step + 5)
        descend(network, blobs.images[chosen], blobs.labels[chosen], 0.4)
        points.append(network.copy())
    return join(points)


def test_only_a_dip_between_the_ends_is_a_floor():
    np.testing.assert_array_equal(step_lines.has_floor(FOUR), [False, False, True, False])
    np.testing.assert_array_equal(step_lines.height(FOUR), [np.nan, np.nan, 1.5, np.nan])
    np.testing.assert_array_equal(step_lines.is_convex(FOUR), [True, True, True, False])
    np.testing.assert_array_equal(step_lines.sag(FOUR), [0, 0, 1.5, -1.5])


def test_rounding_makes_neither_floor_nor_bend():
    straight = np.array([1.0, 1.0 - 1e-14, 1.0 + 1e-14])
    assert not step_lines.has_floor(straight)
    assert step_lines.is_convex(np.array([1.0, 1.0 + 1e-14, 1.0]))


def test_slopes_tell_of_a_floor_only_if_they_change_sign_upwards():
    np.testing.assert_array_equal(
        step_lines.crosses_floor(np.array([-1, -1, 1, 1]), np.array([1, -1, 1, -1])),
        [True, False, False, False],
    )


def test_cosines_are_those_of_known_angles():
    updates = np.array([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [-1.0, 1.0]])
    np.testing.assert_allclose(step_lines.successive_cosines(updates), [1, -1, np.sqrt(0.5)])


def test_losses_on_the_lines_are_those_of_the_networks_there(walk, blobs):
    found = step_lines.lines_between(walk, blobs, 5)
    assert found.losses.shape == (6, 5)
    for line in range(6):
        for index, fraction in enumerate(np.linspace(0, 1, 5)):
            there = step_lines.point_on_line(walk, line, fraction)
            assert found.losses[line, index] == pytest.approx(
                float(evaluate(there, blobs).loss), rel=1e-12
            )


def test_slopes_at_the_ends_are_finite_differences(walk, blobs):
    found, small = step_lines.lines_between(walk, blobs, 5), 1e-6
    for line in range(6):
        for at, slope in ((0.0, found.start_slopes[line]), (1.0 - small, found.end_slopes[line])):
            ends = [
                float(evaluate(step_lines.point_on_line(walk, line, at + shift), blobs).loss)
                for shift in (0, small)
            ]
            assert slope == pytest.approx((ends[1] - ends[0]) / small, rel=1e-3, abs=1e-6)


def test_grid_and_slopes_agree_on_floors_of_a_fine_grid(walk, blobs):
    found = step_lines.lines_between(walk, blobs, 201)
    crossed = step_lines.crosses_floor(found.start_slopes, found.end_slopes)
    assert 0 < crossed.sum() < 6
    np.testing.assert_array_equal(step_lines.has_floor(found.losses), crossed)


def test_full_gradient_descent_owes_its_whole_cosine_to_the_landscape(blobs):
    network, points = initialize(5, 2, hidden=(7, 6), n_classes=3).to(torch.float64), []
    for _ in range(5):
        points.append(network.copy())
        descend(network, blobs.images, blobs.labels, 0.7)
    stack = join(points)
    updates = np.diff(step_lines.weights_of(stack), axis=0)
    found = step_lines.lines_between(stack, blobs, 5)
    np.testing.assert_allclose(
        step_lines.landscape_cosines(updates, found.end_slopes, 0.7),
        step_lines.successive_cosines(updates),
        rtol=1e-9,
    )


def test_weights_lie_side_by_side(walk):
    flat = step_lines.weights_of(walk)
    assert flat.shape == (7, 5 * 7 + 7 * 6 + 6 * 3 + 7 + 6 + 3)
    squares = sum(float((part[2] ** 2).sum()) for part in walk.weights + walk.biases)
    assert (flat[2] ** 2).sum() == pytest.approx(squares)
