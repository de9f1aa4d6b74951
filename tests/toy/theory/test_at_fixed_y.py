"""Closed forms against integrals, limits, published numbers."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfi

from valleys.toy import TwoValley
from valleys.toy.simulation.fixed_y import frozen_y
from valleys.toy.theory import at_fixed_y
from valleys.toy.theory.at_fixed_y import p_flat_exact, p_flat_kramers, p_flat_printed

LANDSCAPE = TwoValley()
Y, NOISE = 3.0, 1e-3


def weighted(landscape, y, noise, power):
    """∫ D^power e^{(L0 − L)/D} over the flat and the sharp side, by quadrature."""
    sides = []
    for diffusion, bottom in zip(
        at_fixed_y.diffusion(landscape, y, noise), landscape.valley_positions(y), strict=True
    ):

        def density(x, diffusion=diffusion):
            return diffusion**power * np.exp(
                (landscape.drift_loss(y) - landscape.loss(x, y)) / diffusion
            )

        far = bottom + np.sign(bottom) * 12 * np.sqrt(noise)
        sides.append(abs(quad(density, 0, far, points=[bottom], epsabs=0, epsrel=1e-11)[0]))
    return sides


@pytest.mark.parametrize("y", [0.5, 3.0, 12.0])
@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
def test_zero_flux_weights_are_the_integrals_of_their_densities(y, noise):
    flat, sharp = weighted(LANDSCAPE, y, noise, power=-1)
    assert p_flat_exact(LANDSCAPE, y, noise) == pytest.approx(flat / (flat + sharp), rel=1e-9)
    flat, sharp = weighted(LANDSCAPE, y, noise, power=0)
    assert p_flat_printed(LANDSCAPE, y, noise) == pytest.approx(flat / (flat + sharp), rel=1e-9)


def test_isotropic_weight_is_boltzmann():
    temperature = 0.02
    sides = [
        quad(lambda x: np.exp(-LANDSCAPE.loss(x, Y) / temperature), *ends, epsabs=0, epsrel=1e-11)[
            0
        ]
        for ends in ((0, 1), (-1, 0))
    ]
    assert at_fixed_y.p_flat_boltzmann(LANDSCAPE) == pytest.approx(sides[0] / sum(sides), rel=1e-8)


@pytest.mark.parametrize("calculus", at_fixed_y.CALCULI)
def test_conditional_density_is_normalised_and_has_the_weight_of_its_calculus(calculus):
    def density(x):
        return float(at_fixed_y.conditional_density(LANDSCAPE, x, Y, NOISE, calculus))

    flat, sharp = quad(density, 0, 1, points=[0.07])[0], quad(density, -1, 0, points=[-0.06])[0]
    expected = {"ito": p_flat_exact, "printed": p_flat_printed}[calculus](LANDSCAPE, Y, NOISE)
    assert flat + sharp == pytest.approx(1, abs=1e-8)
    assert flat == pytest.approx(expected, abs=1e-8)


def test_what_is_continuous_on_the_ridge():
    both_sides = np.array([-1e-12, 1e-12])
    diffusions = np.array(at_fixed_y.diffusion(LANDSCAPE, Y, NOISE))[::-1]
    printed = at_fixed_y.conditional_density(LANDSCAPE, both_sides, Y, NOISE, "printed")
    ito = at_fixed_y.conditional_density(LANDSCAPE, both_sides, Y, NOISE, "ito") * diffusions
    np.testing.assert_allclose([printed[0], ito[0]], [printed[1], ito[1]], rtol=1e-6)


def test_the_three_predictions_differ_as_worked_out_by_hand():
    values = [
        function(LANDSCAPE, Y, NOISE) for function in (p_flat_printed, p_flat_exact, p_flat_kramers)
    ]
    np.testing.assert_allclose(values, [0.715, 0.792, 0.754], atol=5e-4)


@pytest.mark.parametrize("noise", [1e-3, 1e-2, 1e-1])
def test_rates_are_eq_21(noise):
    for rate, f, z in zip(
        at_fixed_y.rates_kramers(LANDSCAPE, Y, noise),
        LANDSCAPE.flatness(Y),
        at_fixed_y.reduced_barriers(LANDSCAPE, Y, noise),
        strict=True,
    ):
        assert z == pytest.approx(np.sqrt(LANDSCAPE.barrier(Y) * f / (2 * noise)))
        assert rate == pytest.approx(1 / (np.pi / 2 * f * erfi(z)))


def test_eq_22_is_the_ratio_of_the_rates():
    flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, Y, NOISE)
    assert p_flat_kramers(LANDSCAPE, Y, NOISE) == pytest.approx(sharp / (sharp + flat))


def test_asymptotic_forms_meet_the_full_ones_for_high_barriers():
    y, noise = 30.0, 5e-4
    np.testing.assert_allclose(
        at_fixed_y.rates_asymptotic(LANDSCAPE, y, noise),
        at_fixed_y.rates_kramers(LANDSCAPE, y, noise),
        rtol=0.02,
    )
    odds = [
        p / (1 - p)
        for p in (
            at_fixed_y.p_flat_asymptotic(LANDSCAPE, 10.0, NOISE),
            p_flat_kramers(LANDSCAPE, 10.0, NOISE),
        )
    ]
    assert odds[0] == pytest.approx(odds[1], rel=0.05)


def passage_time(landscape, y, diffusions, start, end, bottom_of_integral):
    """∫_start^end dx' e^{φ(x')} ∫ dx'' e^{−φ(x'')}/D(x''), φ = (L − L0)/D, the mean first
    passage time of an Itô process, by quadrature.
    """
    flat_d, sharp_d = diffusions

    def local(x):
        return flat_d if x >= 0 else sharp_d

    def phi(x):
        return float((landscape.loss(x, y) - landscape.drift_loss(y)) / local(x))

    def inner(x):
        borders = sorted({bottom_of_integral, x} | ({0.0} if bottom_of_integral * x < 0 else set()))
        return sum(
            quad(lambda s: np.exp(-phi(s)) / local(s), a, b, epsrel=1e-9)[0]
            for a, b in itertools.pairwise(borders)
        )

    borders = [start, 0.0, end] if start * end < 0 else [start, end]
    return sum(
        abs(quad(lambda s: np.exp(phi(s)) * inner(s), a, b, epsrel=1e-6)[0])
        for a, b in itertools.pairwise(borders)
    )


def test_mean_times_are_the_double_integrals():
    flat, sharp = map(float, LANDSCAPE.valley_positions(Y))
    far = 0.4  # ten standard deviations beyond a bottom
    diffusions = at_fixed_y.diffusion(LANDSCAPE, Y, NOISE)
    ridge = [
        passage_time(LANDSCAPE, Y, diffusions, flat, 0.0, far),
        passage_time(LANDSCAPE, Y, diffusions, sharp, 0.0, -far),
    ]
    np.testing.assert_allclose(at_fixed_y.times_to_ridge(LANDSCAPE, Y, NOISE), ridge, rtol=1e-4)
    across = [
        passage_time(LANDSCAPE, Y, diffusions, flat, sharp, far),
        passage_time(LANDSCAPE, Y, diffusions, sharp, flat, -far),
    ]
    np.testing.assert_allclose(
        at_fixed_y.escape_times_exact(LANDSCAPE, Y, NOISE), across, rtol=1e-4
    )


def test_steps_reach_the_ridge_as_if_it_stood_further_away():
    setting: dict[str, Any] = {"n_runs": 256, "n_steps": 300_000, "burn_in": 20_000, "seed": 6}
    learning_rate, noise, y = 0.001, 1e-3, 3.0
    found = frozen_y(LANDSCAPE, learning_rate, noise / learning_rate, y, **setting)
    for place, (shifted, at_once) in enumerate(
        zip(
            *(
                at_fixed_y.times_to_ridge(LANDSCAPE, y, noise, rate)[::-1]
                for rate in (learning_rate, 0.0)
            ),
            strict=True,
        )
    ):
        measured, error = (
            1 / float(found.top_rate[place]),
            float(found.top_rate_error[place] / found.top_rate[place] ** 2),
        )
        assert measured - at_once > 8 * error
        # what is left is of the order of the learning rate
        assert abs(measured - shifted) < 4 * error + 0.03 * shifted


def test_overshoot_is_minus_zeta_of_a_half():
    terms = np.arange(1, 1_000_001.0)
    zeta = np.sum(terms**-0.5) - 2 * terms[-1] ** 0.5 - terms[-1] ** -0.5 / 2
    assert pytest.approx(-zeta / np.sqrt(2 * np.pi), rel=1e-9) == at_fixed_y.OVERSHOOT


@pytest.mark.parametrize("diffusions", [(0.007, 0.007), (0.006, 0.014)])
def test_mean_times_between_the_bottoms_for_any_diffusion(diffusions):
    (flat, sharp), height = map(float, LANDSCAPE.valley_positions(Y)), float(LANDSCAPE.barrier(Y))
    (flat_f, sharp_f), (flat_z, sharp_z) = (
        LANDSCAPE.flatness(Y),
        (np.sqrt(height / diffusion) for diffusion in diffusions),
    )
    across = [
        passage_time(LANDSCAPE, Y, diffusions, flat, sharp, 0.5),
        passage_time(LANDSCAPE, Y, diffusions, sharp, flat, -0.5),
    ]
    times = [
        at_fixed_y.bottom_to_bottom(flat_f, flat_z, sharp_f, sharp_z),
        at_fixed_y.bottom_to_bottom(sharp_f, sharp_z, flat_f, flat_z),
    ]
    np.testing.assert_allclose(times, across, rtol=1e-4)


def test_crossing_takes_longer_than_reaching_the_ridge_by_a_known_factor():
    y, noise = 40.0, 1e-3
    (flat_z, sharp_z), closed = (
        at_fixed_y.reduced_barriers(LANDSCAPE, y, noise),
        at_fixed_y.times_to_ridge_closed(LANDSCAPE, y, noise),
    )
    factors = np.array(at_fixed_y.escape_times_exact(LANDSCAPE, y, noise)) / closed
    np.testing.assert_allclose(factors, [1 + flat_z / sharp_z, 1 + sharp_z / flat_z], rtol=0.02)


def test_table_of_rates_keeps_the_order_of_the_valleys():
    table = at_fixed_y.rates_by_valley(LANDSCAPE, np.array([2.0, 3.0]), NOISE).sel(y=Y)
    flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, Y, NOISE)
    np.testing.assert_allclose(table.kramers.sel(valley=["flat", "sharp"]), [flat, sharp])
    np.testing.assert_allclose(
        1 / table.exact.sel(valley=["flat", "sharp"]),
        at_fixed_y.escape_times_exact(LANDSCAPE, Y, NOISE),
    )


def test_exact_odds_are_the_ratio_of_the_exact_times_for_high_barriers():
    y, noise = 20.0, 1e-3
    flat, sharp = at_fixed_y.escape_times_exact(LANDSCAPE, y, noise)
    p_flat = p_flat_exact(LANDSCAPE, y, noise)
    assert flat / sharp == pytest.approx(p_flat / (1 - p_flat), rel=0.02)


def test_effective_potential_is_the_logarithm_of_the_density():
    x = np.array([-0.5, -0.2, -0.01, 0.01, 0.3, 0.9])
    y, noise = 40.0, 1e-2
    density = at_fixed_y.conditional_density(LANDSCAPE, x, y, noise, "printed")
    potential = -at_fixed_y.effective_temperature(LANDSCAPE, y, noise) * np.log(density)
    effective = at_fixed_y.effective_loss(LANDSCAPE, x, y)
    np.testing.assert_allclose(np.diff(potential), np.diff(effective), rtol=1e-9)
    np.testing.assert_allclose(
        effective, LANDSCAPE.loss(x, y) + at_fixed_y.sgd_correction(LANDSCAPE, x, y), rtol=1e-12
    )


def tilted_moments(y, noise, force, diffusions):
    """Share, ⟨x⟩ and ⟨x²⟩ of both sides of the Itô density with a force, by quadrature."""
    sums = []
    for diffusion, end in zip(diffusions, (1.0, -1.0), strict=True):
        for power in range(3):

            def density(x, diffusion=diffusion, power=power):
                return (
                    x**power
                    * np.exp(
                        (LANDSCAPE.drift_loss(y) - LANDSCAPE.loss(x, y) + force * x) / diffusion
                    )
                    / diffusion
                )

            sums.append(
                quad(
                    density,
                    min(0.0, end),
                    max(0.0, end),
                    points=[0.1 * end],
                    epsabs=0,
                    epsrel=1e-11,
                    limit=200,
                )[0]
            )
    return np.array(sums).reshape(2, 3)


@pytest.mark.parametrize("noise", ["hessian", "hessian_squared", "isotropic"])
@pytest.mark.parametrize("y", [0.5, 3.0, 6.0])
def test_mean_position_and_response_are_integrals_and_slopes(noise, y):
    strength = 2e-4 if noise == "hessian_squared" else 1e-3
    diffusions = at_fixed_y.noise_diffusion(LANDSCAPE, y, strength, noise)
    for force in (0.0, 0.02):
        total = tilted_moments(y, strength, force, diffusions).sum(axis=0)
        assert at_fixed_y.mean_position(LANDSCAPE, y, strength, force, noise) == pytest.approx(
            total[1] / total[0], rel=1e-8
        )
    variance, response = at_fixed_y.fluctuation_and_response(LANDSCAPE, y, strength, noise)
    total = tilted_moments(y, strength, 0.0, diffusions).sum(axis=0)
    assert variance == pytest.approx(total[2] / total[0] - (total[1] / total[0]) ** 2, rel=1e-8)
    ends = [
        at_fixed_y.mean_position(LANDSCAPE, y, strength, force, noise) for force in (1e-5, -1e-5)
    ]
    assert response == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)
    if noise == "isotropic":
        assert variance / response == pytest.approx(diffusions[0], rel=1e-10)


def test_noise_diffusion_of_the_hessian_is_eq_17_and_unknown_kinds_are_refused():
    np.testing.assert_allclose(
        at_fixed_y.noise_diffusion(LANDSCAPE, Y, NOISE, "hessian"),
        at_fixed_y.diffusion(LANDSCAPE, Y, NOISE),
    )
    with pytest.raises(ValueError, match="pink"):
        at_fixed_y.noise_diffusion(LANDSCAPE, Y, NOISE, "pink")


def test_response_broadcasts_and_lies_between_the_temperatures_for_low_barriers():
    y = np.array([0.5, 1.0, 2.0])
    variance, response = at_fixed_y.fluctuation_and_response(
        LANDSCAPE, y, np.array([[1e-3], [2e-3]])
    )
    flat, sharp = at_fixed_y.diffusion(LANDSCAPE, y, np.array([[1e-3], [2e-3]]))
    assert response.shape == (2, 3)
    assert np.all((flat < variance / response) & (variance / response < sharp))


def test_noise_deepens_the_flat_valley_and_raises_the_sharp_one():
    flat, sharp = LANDSCAPE.valley_positions(40.0)
    assert (
        at_fixed_y.sgd_correction(LANDSCAPE, flat, 40.0)
        < 0
        < at_fixed_y.sgd_correction(LANDSCAPE, sharp, 40.0)
    )


def test_limits_without_barrier_and_without_noise():
    gamma = LANDSCAPE.flatness_ratio
    assert p_flat_exact(LANDSCAPE, 0.0, NOISE) == pytest.approx(gamma / (1 + gamma))
    assert p_flat_printed(LANDSCAPE, 0.0, NOISE) == pytest.approx(0.5)
    assert p_flat_kramers(LANDSCAPE, 0.0, NOISE) == pytest.approx(1 / (1 + gamma**-1.5))
    assert np.all(np.isinf(at_fixed_y.rates_kramers(LANDSCAPE, 0.0, NOISE)))
    for function in (p_flat_exact, p_flat_printed, p_flat_kramers, at_fixed_y.p_flat_asymptotic):
        assert function(LANDSCAPE, 1e3, 1e-9) == 1.0
        assert np.all(
            np.isfinite(
                function(LANDSCAPE, np.logspace(-6, 6, 50), np.logspace(-9, 2, 50)[:, None])
            )
        )
    assert at_fixed_y.rates_kramers(LANDSCAPE, 1e3, 1e-9) == (0.0, 0.0)
    assert np.all(np.isinf(at_fixed_y.escape_times_exact(LANDSCAPE, 1e3, 1e-9)))


@pytest.mark.parametrize("y", [0.3, 1.0, 3.0, 8.0])
def test_share_exceeds_that_of_equilibrium_at_every_y(y):
    """Eq. 23: rates with erfi against γ/(1 + γ), and the walk by quadrature against Boltzmann."""
    flatness, places = LANDSCAPE.flatness(y), LANDSCAPE.valley_positions(y)
    times = [f * erfi(abs(x) / (2 * NOISE) ** 0.5) for f, x in zip(flatness, places, strict=True)]
    assert times[0] / sum(times) > at_fixed_y.p_flat_equilibrium(LANDSCAPE)
    flat, sharp = weighted(LANDSCAPE, y, NOISE, power=-1)
    assert flat / (flat + sharp) > at_fixed_y.p_flat_boltzmann(LANDSCAPE)


def test_weights_of_equal_valleys_are_equal():
    twin = TwoValley(x1=0.65)
    for function in (p_flat_exact, p_flat_printed, p_flat_kramers, at_fixed_y.p_flat_asymptotic):
        assert function(twin, Y, NOISE) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("noise", [0.0, -1e-3, np.nan, np.inf])
def test_an_effective_noise_that_is_no_positive_number_is_refused(noise):
    with pytest.raises(ValueError, match="effective noise"):
        p_flat_exact(LANDSCAPE, Y, [1e-3, noise])


def test_bad_places_and_calculi_are_refused():
    with pytest.raises(ValueError, match="negative"):
        p_flat_kramers(LANDSCAPE, -1.0, NOISE)
    with pytest.raises(ValueError, match="stratonovich"):
        at_fixed_y.conditional_density(LANDSCAPE, 0.1, Y, NOISE, "stratonovich")


def test_kramers_limit_is_the_noise_at_which_the_diffusion_equals_the_barrier():
    landscape, y = TwoValley(), np.array([0.5, 5.0, 50.0])
    for side, limit in enumerate(at_fixed_y.kramers_limit(landscape, y)):
        np.testing.assert_allclose(
            at_fixed_y.diffusion(landscape, y, limit)[side], landscape.barrier(y), rtol=1e-12
        )
