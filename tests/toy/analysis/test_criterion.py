"""The criterion finds the place that was put into the rates."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy.analysis import criterion
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import criterion as theory

LANDSCAPE = TwoValley()
NOISES = (3e-4, 1e-3, 3e-3)
EPSILON = 0.1


def hops(noise: float, place: float, spread: float = 0.05) -> xr.Dataset:
    """Rates out of the sharp valley that fall as e^{−z²} and pass the level at one place."""
    y = theory.place_of_height(LANDSCAPE, noise, [1.0, 2.0, 3.0])
    squares = (LANDSCAPE.valley_positions(y)[1]) ** 2 / (2 * noise)
    at_place = LANDSCAPE.valley_positions(place)[1] ** 2 / (2 * noise)
    sharp = float(theory.frozen_rate(LANDSCAPE, noise, EPSILON)) * np.exp(at_place - squares)
    rates = np.array([sharp, sharp / 3])
    dims = ("valley", "y")
    values = {"escape_rate": (dims, rates), "escape_rate_error": (dims, spread * rates)}
    coords = {"valley": ["sharp", "flat"], "y": y, "effective_noise": noise, "learning_rate": 0.01}
    return xr.Dataset(values, coords)


PLACES = (3.0, 6.0, 12.0)


@pytest.fixture(scope="module")
def places() -> xr.Dataset:
    found = [hops(noise, place) for noise, place in zip(NOISES, PLACES, strict=True)]
    return criterion.counted_places(LANDSCAPE, found, EPSILON)


def test_the_place_is_the_one_that_was_put_in(places):
    np.testing.assert_allclose(places.y, PLACES, rtol=1e-6)


def test_its_error_is_that_of_the_rates():
    """z² moves by the relative error of the rates around it, and y by dy/dz² of that."""
    (found,) = [criterion.counted_places(LANDSCAPE, [hops(1e-3, 6.0, 0.02)], EPSILON)]
    square = LANDSCAPE.valley_positions(6.0)[1] ** 2 / 2e-3
    share = (square - 4) / 5  # of the way from z = 2 to z = 3
    shift = 0.02 * np.hypot(share, 1 - share)
    after = theory.place_of_height(LANDSCAPE, 1e-3, np.sqrt(square + shift))
    assert float(found.y_error[0]) == pytest.approx(float(after) - 6.0, rel=0.1)


def test_findings_tell_the_growth_with_the_noise(places):
    found = criterion.criterion_findings(LANDSCAPE, places)
    assert estimate(found, "y_low").value == pytest.approx(3.0)
    slope = np.polyfit(np.log(NOISES), np.log(PLACES), 1)[0]
    assert estimate(found, "growth").value == pytest.approx(slope)
    assert 0 < error(found, "growth") < 0.05
    ratio = np.mean(np.array(PLACES) / theory.freezing_y_by_rate(LANDSCAPE, NOISES, EPSILON))
    assert estimate(found, "off_exact").value == pytest.approx(ratio - 1)
    exact = theory.freezing_y_by_rate(LANDSCAPE, NOISES, EPSILON)
    alone = places.y_error.values / exact / len(PLACES)  # noises are drawn apart
    assert error(found, "off_exact") == pytest.approx(np.hypot.reduce(alone), rel=0.1)
    assert number(found, "race_min") > 0


def test_curves_are_those_of_theory():
    (curves,) = criterion.rate_curves(LANDSCAPE, [hops(1e-3, 6.0)])
    middle = curves.isel(y=20)
    exact = theory.RATES["exact"](LANDSCAPE, float(middle.y), 1e-3)
    assert float(middle["exact, small steps"]) == pytest.approx(exact)
