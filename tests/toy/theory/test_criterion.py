"""The criterion of freezing is met where it says, for each kind of rates."""

import numpy as np
import pytest

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import criterion
from valleys.toy.theory.at_fixed_y import escape_times_exact, reduced_barriers
from valleys.toy.theory.freezing import freezing_y

LANDSCAPE = TwoValley()
NOISES = np.array([3e-5, 3e-4, 3e-3])
EPSILON = 0.1


def level(noise):
    """εΦ/Δ_S with the numbers of Table S1 put in by hand."""
    phi = 2 * (0.8**2 - 0.65**2) / (27 * 30) * (1 / 100 + 8 / (27 * 20))
    return EPSILON * phi / noise


def test_exact_rates_fall_through_the_level_at_the_place_that_is_found():
    places = criterion.freezing_y_by_rate(LANDSCAPE, NOISES)
    for y, noise in zip(places, NOISES, strict=True):
        before, after = (1 / escape_times_exact(LANDSCAPE, s * y, noise)[1] for s in (0.999, 1.001))
        assert before > level(noise) > after


def test_asymptotic_rates_solve_the_equation_as_it_is_printed():
    """Eq. A34, in y."""
    for y, noise in zip(
        criterion.freezing_y_by_rate(LANDSCAPE, NOISES, rates="asymptotic"), NOISES, strict=True
    ):
        ridge, f = LANDSCAPE.barrier(y), LANDSCAPE.flatness(y)[1]
        left = np.sqrt(2 * ridge / (np.pi * noise * f)) * np.exp(-ridge * f / (2 * noise))
        assert left == pytest.approx(level(noise), rel=1e-8)


def test_eq_25_follows_if_the_prefactor_is_that_of_eq_a35():
    """Eq. A35 sets √(2ΔL/(π f2)) to one: the places differ by this factor in the rate alone."""
    for noise in NOISES:
        y = float(freezing_y(LANDSCAPE, noise, EPSILON))
        z = float(reduced_barriers(LANDSCAPE, y, noise)[1])
        assert np.exp(-(z**2)) / noise**0.5 == pytest.approx(level(noise), rel=1e-8)


def test_heights_are_those_of_the_ridge_over_the_noise():
    y = criterion.place_of_height(LANDSCAPE, 1e-3, [0.5, 2.0])
    np.testing.assert_allclose(reduced_barriers(LANDSCAPE, y, 1e-3)[1], [0.5, 2.0])


def test_limits_where_a_rate_never_falls_so_low_or_is_never_so_high():
    assert criterion.freezing_y_by_rate(LANDSCAPE, 0.2, EPSILON) == np.inf
    assert criterion.freezing_y_by_rate(LANDSCAPE, 1e-3, 1e6) == 0


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="rates"):
        criterion.freezing_y_by_rate(LANDSCAPE, 1e-3, rates="fast")
    with pytest.raises(ValueError, match="too strong"):
        criterion.place_of_height(LANDSCAPE, 0.5, 3.0)
