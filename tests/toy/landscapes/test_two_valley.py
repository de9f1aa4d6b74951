"""The landscape against finite differences, its construction, and bad input."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valleys.toy import TwoValley

positive = st.floats(0.2, 5.0)
landscapes = st.builds(
    lambda x2, excess, x0, f0, y_b, y_f, y_d, drift: TwoValley(x2 + excess, x2, x0, f0, y_b, y_f, y_d, drift),  # noqa: E501
    positive, st.floats(0.0, 2.0), positive, positive, st.floats(1.0, 50.0), st.floats(1.0, 50.0), st.floats(1.0, 200.0), positive,  # noqa: E501
)  # fmt: skip
xs = st.floats(0.01, 2.0).flatmap(lambda size: st.sampled_from([size, -size]))
ys = st.floats(-0.5, 100.0)


def central(function, at, width):
    """Fourth-order central difference."""
    return (
        8 * (function(at + width) - function(at - width))
        - (function(at + 2 * width) - function(at - 2 * width))
    ) / (12 * width)


@settings(max_examples=60, deadline=None)
@given(landscapes, xs, ys)
def test_gradient_is_the_slope_of_the_loss(landscape, x, y):
    slopes = [
        central(lambda s: landscape.loss(s, y), x, 1e-3),
        central(lambda s: landscape.loss(x, s), y, 1e-2),
    ]
    scale = abs(landscape.loss(x, y)) + np.abs(slopes).max()
    np.testing.assert_allclose(landscape.gradient(x, y), slopes, rtol=1e-5, atol=1e-7 * scale)


@settings(max_examples=60, deadline=None)
@given(landscapes, xs, ys)
def test_hessian_is_the_slope_of_the_gradient(landscape, x, y):
    columns = [
        central(lambda s: landscape.gradient(s, y), x, 1e-3),
        central(lambda s: landscape.gradient(x, s), y, 1e-2),
    ]
    scale = np.abs(landscape.gradient(x, y)).max() + np.abs(columns).max()
    np.testing.assert_allclose(
        landscape.hessian(x, y), np.stack(columns, axis=-1), rtol=1e-5, atol=1e-7 * scale
    )


@settings(max_examples=60, deadline=None)
@given(landscapes, st.floats(0.01, 100.0))
def test_both_valleys_have_the_depth_of_the_barrier(landscape, y):
    flat, sharp = landscape.valley_positions(y)
    depths = landscape.loss(0.0, y) - landscape.loss([flat, sharp], y)
    np.testing.assert_allclose(
        depths, landscape.barrier(y), rtol=1e-9, atol=1e-12 * abs(landscape.loss(0.0, y))
    )
    np.testing.assert_allclose(
        landscape.gradient([flat, sharp], y)[:, 0], 0, atol=1e-9 * landscape.loss(0.0, y)
    )


@given(landscapes)
def test_flatness_ratio_is_the_same_at_every_y(landscape):
    flat, sharp = landscape.flatness(np.linspace(-0.5, 200.0, 50))
    np.testing.assert_allclose(flat / sharp, landscape.flatness_ratio, rtol=1e-12)
    assert landscape.flatness_ratio >= 1


def test_curvature_is_twice_the_inverse_flatness():
    landscape = TwoValley()
    flat, sharp = landscape.flatness(7.0)
    np.testing.assert_allclose(
        landscape.hessian([0.3, -0.3], 7.0)[:, 0, 0], [2 / flat, 2 / sharp], rtol=1e-12
    )


def test_loss_is_never_negative_in_the_default_landscape():
    x, y = np.meshgrid(np.linspace(-2, 2, 401), np.linspace(0, 500, 501))
    assert TwoValley().loss(x, y).min() >= 0


def test_coordinates_broadcast():
    landscape = TwoValley()
    assert landscape.loss(np.zeros((3, 1)), np.ones(4)).shape == (3, 4)
    assert landscape.gradient(np.zeros((3, 1)), np.ones(4)).shape == (3, 4, 2)
    assert landscape.hessian(np.zeros((3, 1)), np.ones(4)).shape == (3, 4, 2, 2)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(TwoValley)])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "0.8", None, True])
def test_parameters_that_are_no_positive_number_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        TwoValley(**{field: value})


def test_a_flat_valley_that_is_the_sharper_one_is_refused():
    with pytest.raises(ValueError, match="x1"):
        TwoValley(x1=0.5, x2=0.6)


@pytest.mark.parametrize("y", [-20.0, -25.0, math.nan])
def test_places_beyond_the_landscape_are_refused(y):
    with pytest.raises(ValueError, match="above -20"):
        TwoValley().loss(0.1, [1.0, y])
