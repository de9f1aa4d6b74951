"""Both integrals of the mean time are those of quadrature, and their product is that time."""

import numpy as np
import pytest
from scipy.integrate import quad

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import diffusion, times_to_ridge_closed
from valleys.toy.theory.passage_integrals import inner_integrals, outer_integrals

LANDSCAPE = TwoValley()
PLACES = pytest.mark.parametrize(("y", "noise"), [(1.0, 1e-3), (5.0, 1e-3), (20.0, 0.02)])


def parabolas(y, noise):
    """(L − L0)/D of each valley as a parabola without an end, its bottom, and its width."""
    bottoms, flatness = LANDSCAPE.valley_positions(y), LANDSCAPE.flatness(y)
    for bottom, f, spread in zip(bottoms, flatness, diffusion(LANDSCAPE, y, noise), strict=True):
        yield lambda x, b=bottom, f=f, d=spread: x * (x - 2 * b) / f / d, bottom, noise**0.5


@PLACES
def test_inner_integral_is_that_over_the_whole_parabola(y, noise):
    expected = [
        quad(lambda x, u=u: np.exp(-u(x)), b - 12 * w, b + 12 * w, epsabs=0, epsrel=1e-11)[0]
        for u, b, w in parabolas(y, noise)
    ]
    np.testing.assert_allclose(inner_integrals(LANDSCAPE, y, noise), expected, rtol=1e-9)


@PLACES
def test_outer_integral_is_that_from_the_bottom_to_the_ridge(y, noise):
    expected = [
        abs(quad(lambda x, u=u: np.exp(u(x)), b, 0.0, epsabs=0, epsrel=1e-11)[0])
        for u, b, _ in parabolas(y, noise)
    ]
    np.testing.assert_allclose(outer_integrals(LANDSCAPE, y, noise), expected, rtol=1e-9)


@PLACES
def test_their_product_over_the_diffusion_is_the_time_of_eq_a24(y, noise):
    parts = inner_integrals(LANDSCAPE, y, noise), outer_integrals(LANDSCAPE, y, noise)
    times = np.multiply(*parts) / diffusion(LANDSCAPE, y, noise)
    np.testing.assert_allclose(times, times_to_ridge_closed(LANDSCAPE, y, noise), rtol=1e-12)
