"""A row of valleys against the two-valley landscape, finite differences, and its own geometry."""

import numpy as np
import pytest

from valleys.toy import ManyValleys, TwoValley

FIVE = ManyValleys((0.65, 0.8, 0.7, 0.725, 0.6))
OTHER = TwoValley(x1=1.1, x2=0.7, x0=1.3, f0=0.8, y_b=12, y_f=17, y_d=40, L_d=3)
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.uniform(-1, 1, (40, 30)), GENERATOR.uniform(-10, 60, (40, 30))


@pytest.mark.parametrize("landscape", [TwoValley(), OTHER])
@pytest.mark.parametrize("name", ["loss", "gradient", "hessian"])
def test_two_valleys_are_the_landscape_of_eq_8(landscape, name):
    np.testing.assert_allclose(
        getattr(ManyValleys.of(landscape), name)(X, Y),
        getattr(landscape, name)(X, Y),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    "landscape", [FIVE, ManyValleys((0.9, 0.4, 0.6), x0=1.3, f0=0.8, y_b=12, y_f=17, y_d=40, L_d=3)]
)
def test_gradient_and_hessian_are_finite_differences(landscape):
    y = GENERATOR.uniform(0.5, 60, 400)
    x, step = GENERATOR.uniform(-2, 2, 400), 1e-5
    away = np.abs(x[:, None] - np.outer(landscape.opening(y), landscape.ridges)).min(axis=1) > 1e-3
    x, y = x[away], y[away]
    for axis, move in enumerate(((step, 0), (0, step))):
        ahead, behind = (x + move[0], y + move[1]), (x - move[0], y - move[1])
        slope = (landscape.loss(*ahead) - landscape.loss(*behind)) / (2 * step)
        np.testing.assert_allclose(landscape.gradient(x, y)[:, axis], slope, atol=1e-7)
        bend = (landscape.gradient(*ahead) - landscape.gradient(*behind)) / (2 * step)
        np.testing.assert_allclose(landscape.hessian(x, y)[..., axis], bend, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("y", [0.3, 5.0, 50.0])
def test_bottoms_are_equally_deep_and_ridges_equally_high(y):
    ridges = np.array(FIVE.ridges) * FIVE.opening(y)
    np.testing.assert_allclose(FIVE.loss(ridges, y), FIVE.drift_loss(y), rtol=1e-13)
    # no jump
    np.testing.assert_allclose(FIVE.loss(ridges - 1e-12, y), FIVE.drift_loss(y), atol=1e-9)
    np.testing.assert_allclose(
        FIVE.loss(FIVE.valley_positions(y), y), FIVE.drift_loss(y) - FIVE.barrier(y), rtol=1e-13
    )
    np.testing.assert_allclose(FIVE.gradient(FIVE.valley_positions(y), y)[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(
        FIVE.hessian(FIVE.valley_positions(y), y)[:, 0, 0], 2 / FIVE.flatness(y), rtol=1e-12
    )
    np.testing.assert_allclose(
        np.diff(ridges), 2 * np.array(FIVE.widths[1:-1]) * FIVE.opening(y), rtol=1e-12
    )
    assert np.isclose(ridges[0], -ridges[-1])


def test_each_valley_lies_between_its_ridges():
    ridges = np.array(FIVE.ridges) * FIVE.opening(4.0)
    middles = np.concatenate([[ridges[0] - 1], (ridges[1:] + ridges[:-1]) / 2, [ridges[-1] + 1]])
    assert FIVE.valley(middles, 4.0).tolist() == [0, 1, 2, 3, 4]
    assert FIVE.valley(ridges + 1e-12, 4.0).tolist() == [1, 2, 3, 4]
    assert FIVE.valley(ridges - 1e-12, 4.0).tolist() == [0, 1, 2, 3]
    assert FIVE.valley([-0.1, 0.0, 0.1], -1.0).tolist() == [0, 4, 4]
    assert np.isclose(FIVE.loss(-1e-13, -1.0), FIVE.loss(1e-13, -1.0))


def test_widths_decide_the_flatness_and_nothing_else():
    np.testing.assert_allclose(
        FIVE.flatness(7.0) / FIVE.flatness(7.0)[0], (np.array(FIVE.widths) / 0.65) ** 2
    )
    pair = FIVE.pair(0, 1)
    assert (pair.x1, pair.x2) == (0.8, 0.65)
    assert np.isclose(FIVE.mean_curvature(7.0) ** 5, np.prod(2 / FIVE.flatness(7.0)))
    assert (
        FIVE.flatness(np.ones((2, 3))).shape
        == FIVE.valley_positions(np.ones((2, 3))).shape
        == (5, 2, 3)
    )


@pytest.mark.parametrize(
    ("widths", "complaint"),
    [
        ((0.7,), "two or more"),
        ((0.7, -1), "positive"),
        ((0.7, np.inf), "positive"),
        (3, "list of positive"),
        (("a", "b"), "list of"),
    ],
)
def test_bad_widths_are_refused(widths, complaint):
    with pytest.raises(ValueError, match=complaint):
        ManyValleys(widths)


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="y_b"):
        ManyValleys((0.7, 0.8), y_b=0)
    with pytest.raises(ValueError, match="ManyValleys or a TwoValley"):
        ManyValleys.of("two")  # pyright: ignore[reportArgumentType]  # what is refused
    with pytest.raises(ValueError, match="above -20"):
        FIVE.loss(0.0, -20.0)
