"""The ripple changes the ridge and nothing else."""

import numpy as np
import pytest

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.landscapes.uneven import UnevenValley

STEADY, UNEVEN = TwoValley(), UnevenValley(ripple=0.6, wave_number=1.3)
YS = np.array([0.5, 3.0, 7.0, 20.0])


@pytest.mark.parametrize("x", [-0.4, -0.01, 0.02, 0.5])
def test_gradient_and_hessian_are_finite_differences(x):
    width = 1e-5
    for axis in (0, 1):
        shift = np.array([width, 0.0]) if axis == 0 else np.array([0.0, width])
        after, before = (UNEVEN.loss(x + s * shift[0], YS + s * shift[1]) for s in (1, -1))
        slope = (after - before) / (2 * width)
        np.testing.assert_allclose(UNEVEN.gradient(x, YS)[:, axis], slope, rtol=1e-6, atol=1e-8)
        after, before = (UNEVEN.gradient(x + s * shift[0], YS + s * shift[1]) for s in (1, -1))
        bend = (after - before) / (2 * width)
        np.testing.assert_allclose(UNEVEN.hessian(x, YS)[:, axis], bend, rtol=1e-5, atol=1e-7)


def test_floors_lie_where_they_are_deepest_and_as_deep_as_before():
    x = np.linspace(-1, 1, 200_001)
    for y in YS:
        loss = UNEVEN.loss(x, y)
        flat, sharp = UNEVEN.valley_positions(y)
        for side, bottom in ((x > 0, flat), (x < 0, sharp)):
            assert x[side][loss[side].argmin()] == pytest.approx(bottom, abs=1e-5)
            steady = STEADY.loss(STEADY.valley_positions(y)[0], y)
            assert loss[side].min() == pytest.approx(steady, abs=1e-9)


def test_ridge_rises_and_falls_as_told():
    m = 1 + 0.6 * np.sin(1.3 * YS)
    floor = UNEVEN.loss(UNEVEN.valley_positions(YS)[1], YS)
    np.testing.assert_allclose(UNEVEN.loss(0.0, YS) - floor, STEADY.barrier(YS) * m)
    np.testing.assert_allclose(UNEVEN.barrier(YS), STEADY.barrier(YS) * m)
    np.testing.assert_allclose(UNEVEN.flatness(YS), STEADY.flatness(YS))


def test_without_a_ripple_it_is_the_landscape_of_eq_8():
    even = UnevenValley(ripple=0.0)
    np.testing.assert_allclose(even.hessian(0.3, YS), STEADY.hessian(0.3, YS))
    np.testing.assert_allclose(even.loss(-0.3, YS), STEADY.loss(-0.3, YS))


@pytest.mark.parametrize(
    "change", [{"ripple": 1.0}, {"ripple": -0.1}, {"wave_number": 0.0}, {"x1": 0.1}]
)
def test_bad_shapes_are_refused(change):
    with pytest.raises(ValueError, match=r"must be|below"):
        UnevenValley(**change)
