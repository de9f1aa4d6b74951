"""What is read off runs at fixed y, against integrals, closed forms and results made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad

from tests.findings import error, estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis import fixed_y
from valleys.toy.theory import at_fixed_y

LANDSCAPE = TwoValley()
Y, NOISE = 3.0, 0.001
GAMMA = LANDSCAPE.flatness_ratio


def share_right(calculus: str, y: float = Y) -> float:
    """The weight of x > 0 by integration of a density on both sides."""

    def density(x: float) -> float:
        return float(at_fixed_y.conditional_density(LANDSCAPE, x, y, NOISE, calculus))

    return quad(density, 0, 1, points=[0.1, 0.3])[0]


def share_of_rates(y: float = Y) -> float:
    flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, y, NOISE)
    return float(sharp / (sharp + flat))


def test_the_clocks_are_a_curvature_and_the_slope_of_the_floor():
    found = fixed_y.clock_findings(LANDSCAPE)
    far = np.array(1e9)
    curvature = LANDSCAPE.hessian(LANDSCAPE.valley_positions(far)[0], far)[..., 0, 0]
    assert found["tau_x"] == pytest.approx(1 / float(curvature))
    y = np.linspace(0, 500, 500_001)
    slope = np.diff(LANDSCAPE.loss(LANDSCAPE.valley_positions(y)[0], y)) / np.diff(y)
    assert found["tau_y"] == pytest.approx(1 / -slope.min(), rel=1e-3)
    assert found["tau_ratio"] == number(found, "tau_x") / number(found, "tau_y")


def weights(
    rates: Sequence[float] | np.ndarray, p_flat: Sequence[float] | np.ndarray
) -> xr.Dataset:
    place = {"learning_rate": rates, "y": Y, "effective_noise": NOISE}
    found = xr.Dataset({"p_flat": ("learning_rate", p_flat)}, place)
    escapes = [[10 * n + 1, 10 * n + 2] for n in range(len(rates))]
    counts = {"n_escapes": (("learning_rate", "valley"), escapes)}
    return found.assign(counts | {"p_flat_error": xr.full_like(found.p_flat, 0.01)})


def test_weights_head_for_the_constant_of_a_polynomial():
    rates = np.array([0.0005, 0.001, 0.002, 0.004, 0.007, 0.01, 0.02, 0.05])
    shares = 0.7 + 0.3 * rates**0.5 - 2 * rates + 1.5 * rates**1.5
    shares[-2:] = 0.1  # large steps do not count
    operator = weights(rates, shares)
    samples = weights([0.05, 0.01, 0.001], [0.1, shares[5] - 0.025, shares[1] + 0.01])
    found = fixed_y.weight_findings(LANDSCAPE, samples, operator, moderate_rate=0.012)
    assert estimate(found, "limit").value == pytest.approx(0.7, abs=1e-9)
    assert error(found, "limit") < 1e-9
    assert found["pull"] == pytest.approx(2.5)
    assert (found["smallest_rate"], estimate(found, "smallest").value) == (0.001, shares[1] + 0.01)
    assert (found["moderate_rate"], estimate(found, "moderate").value) == (0.01, shares[5] - 0.025)
    assert (found["over"], found["back"]) == (21, 22)


def test_a_limit_that_hangs_on_the_degree_is_uncertain():
    rates = np.array([0.0005, 0.001, 0.002, 0.004, 0.007, 0.01])
    quartic = weights(rates, 0.7 + 500 * rates**2)
    found = fixed_y.weight_findings(LANDSCAPE, quartic, quartic, moderate_rate=0.01)
    cubic = np.polynomial.Polynomial.fit(rates**0.5, quartic.p_flat.values, 3)(0.0)
    assert estimate(found, "limit").value == pytest.approx(0.7, abs=1e-9)
    assert error(found, "limit") == pytest.approx(abs(0.7 - cubic))
    assert error(found, "limit") > 1e-4


def test_levels_are_integrals_of_densities_and_a_ratio_of_rates():
    samples = weights([0.001, 0.002, 0.004, 0.005, 0.01], [0.7] * 5)
    found = fixed_y.weight_findings(LANDSCAPE, samples, samples, moderate_rate=0.01)
    assert found["level_ito"] == pytest.approx(share_right("ito"), abs=1e-6)
    assert found["level_printed"] == pytest.approx(share_right("printed"), abs=1e-6)
    assert found["level_kramers"] == pytest.approx(share_of_rates())


def sampled() -> xr.Dataset:
    """Densities at two learning rates: the smaller one has that of Itô, with an error of 10 %."""
    flat, sharp = LANDSCAPE.valley_positions(Y)
    x = np.array([-0.9, sharp, -0.05, 0.05, flat, 0.9])
    density = at_fixed_y.conditional_density(LANDSCAPE, x, Y, NOISE, "ito")
    dims = ("learning_rate", "bin")
    variables = {"x": (dims, [x, x]), "density": (dims, [np.ones(6), density])}
    variables["density_error"] = (dims, [np.ones(6), 0.1 * density])
    place = {"learning_rate": [0.05, 0.001], "y": Y, "effective_noise": NOISE}
    return fixed_y.sampled_potential(LANDSCAPE, xr.Dataset(variables, place))


def test_depths_follow_from_barrier_and_diffusion():
    """Both densities are exp(ΔL/D) at the bottoms, that of Itô over D, and D is γ times larger."""
    found = fixed_y.potential_findings(LANDSCAPE, sampled(), late_y=40.0)
    curvatures = [2 / float(each) for each in LANDSCAPE.flatness(Y)]
    temperature = NOISE * np.sqrt(curvatures[0] * curvatures[1])
    rise = float(LANDSCAPE.barrier(Y)) / NOISE
    printed = temperature * (rise / curvatures[0] - rise / curvatures[1])
    assert found["temperature"] == pytest.approx(temperature)
    assert found["step"] == pytest.approx(temperature * np.log(GAMMA))
    assert found["depth_printed"] == pytest.approx(printed)
    assert found["depth_ito"] == pytest.approx(printed + temperature * np.log(GAMMA))
    assert estimate(found, "depth").value == pytest.approx(found["depth_ito"])
    assert error(found, "depth") == pytest.approx(0.1 * temperature * np.sqrt(2))


def test_noise_deepens_one_valley_and_raises_the_other():
    """Eq. 19 is (L − L0)·T/D, and T/D is √γ in the flat valley and 1/√γ in the sharp one."""
    found = fixed_y.potential_findings(LANDSCAPE, sampled(), late_y=40.0)
    barrier = float(LANDSCAPE.barrier(40.0))
    assert found["deepening"] == pytest.approx(barrier * (GAMMA**0.5 - 1))
    assert found["raising"] == pytest.approx(barrier * (1 - GAMMA**-0.5))
    section = fixed_y.potential_section(LANDSCAPE, 40.0)
    np.testing.assert_allclose(section.effective - section.loss, section.correction, atol=1e-12)
    ridge = float(LANDSCAPE.loss(0.0, 40.0))
    assert ridge < float(section.loss.max()) < ridge + barrier


def test_stronger_noise_raises_the_sharp_well_by_its_cliff_alone():
    """Itô's potential jumps by T ln γ on the ridge, and is Eq. 19 on either side of it."""
    noises = [NOISE, 3 * NOISE]
    found = fixed_y.potentials_by_noise(LANDSCAPE, Y, noises)
    rise = found.potential.diff("effective_noise").squeeze()
    temperatures = at_fixed_y.effective_temperature(LANDSCAPE, Y, np.array(noises))
    expected = np.where(found.x < 0, np.diff(temperatures) * np.log(GAMMA), 0.0)
    np.testing.assert_allclose(rise, expected, atol=1e-12)
    right = found.x > 0
    np.testing.assert_allclose(
        found.potential[0][right], GAMMA**0.5 * found.loss[right], atol=1e-12
    )


def test_bins_that_hardly_a_run_visits_are_left_out():
    assert sampled().sizes["bin"] < 6
    assert float(abs(sampled().x).max()) < 0.9


def pushed(noise: float = NOISE) -> xr.Dataset:
    """Two forces, two y: valleys at √γ and 1/√γ times T_eff, both together 0.9 and 0.8 of it."""
    y = np.array([1.0, 3.0])
    unit = 2 * noise / np.sqrt(np.prod(LANDSCAPE.flatness(y), axis=0))
    sizes = {"force": [0.01, 0.02], "valley": ["sharp", "flat"], "y": y}
    own = [GAMMA**0.5 * unit, GAMMA**-0.5 * unit]
    both, valleys = ("force", "y"), ("force", "valley", "y")
    variables = {
        "temperature": (both, [5 * unit, [0.9, 0.8] * unit]),
        "temperature_error": (both, [unit, 0.1 * unit]),
        "valley_temperature": (valleys, [[unit, unit], own]),
        "valley_temperature_error": (valleys, [[unit, unit], [0.03 * unit, 0.04 * unit]]),
        "operator_temperature": (both, [unit, [0.95, 0.75] * unit]),
        "susceptibility": (both, [[1.0, 2.0], [1.3, 1.9]]),
        "susceptibility_error": (both, [[0.3, 0.3], [0.4, 0.4]]),
    }
    return xr.Dataset(variables, sizes)


def test_temperatures_are_those_of_the_hardest_push_in_units_of_the_effective_one():
    found = fixed_y.response_findings(LANDSCAPE, pushed(), NOISE, 0.005)
    assert estimate(found, "warm_sharp").value == pytest.approx(GAMMA**0.5)
    assert estimate(found, "warm_flat").value == pytest.approx(GAMMA**-0.5)
    assert error(found, "warm_sharp") == pytest.approx(0.03 / np.sqrt(2))
    assert estimate(found, "warm_both").value == pytest.approx(0.85)
    assert found["warm_theory"] == pytest.approx(0.85)
    assert found["linear"] == pytest.approx(0.3 / 0.5)
    parts = np.array([0.03 / GAMMA**0.5, 0.04 * GAMMA**0.5]) / np.sqrt(2)
    assert estimate(found, "hotter").value == pytest.approx(GAMMA)
    assert error(found, "hotter") == pytest.approx(GAMMA * np.sqrt((parts**2).sum()))


def test_a_step_that_is_not_small_heats_a_valley():
    """x → (1 − ηh)x + noise has the variance Δ_S/(1 − ηh/2), and h times that is a temperature."""
    rate = 0.05
    own = fixed_y.own_temperatures(LANDSCAPE, pushed(), NOISE, rate)
    for valley, place in (("sharp", 1), ("flat", 0)):
        h = 2 / LANDSCAPE.flatness(3.0)[place]
        expected = h * rate**2 * 2 * (NOISE / rate) * h / (1 - (1 - rate * h) ** 2)
        assert own.sel(valley=valley)[1] == pytest.approx(float(expected))
    expected = fixed_y.expected_temperatures(LANDSCAPE, pushed(), NOISE, rate).theory
    np.testing.assert_allclose(expected.sel(part="both"), [0.95, 0.75])
    sharpest = 1 / LANDSCAPE.flatness(1.0)[1]
    found = fixed_y.response_findings(LANDSCAPE, pushed(), NOISE, rate)
    assert found["own_step"] == pytest.approx(rate * float(sharpest))


def test_the_small_step_temperature_is_a_variance_over_a_shift_of_the_mean():
    """By sums over the density of Itô, exp((L0 − L + Fx)/D)/D, with and without a force F."""
    noise = 0.01
    found = fixed_y.response_findings(LANDSCAPE, pushed(noise), noise, 0.005)
    x = np.linspace(-1.5, 1.5, 600_000)  # no point on the ridge
    flatness = np.where(x > 0, *LANDSCAPE.flatness(3.0))
    diffusion = 2 * noise / flatness

    def moments(force: float) -> tuple[float, float]:
        weight = np.exp((force * x - LANDSCAPE.loss(x, 3.0) + LANDSCAPE.loss(0.0, 3.0)) / diffusion)
        weight /= diffusion * (weight / diffusion).sum()
        mean = (weight * x).sum()
        return mean, (weight * (x - mean) ** 2).sum()

    slope = (moments(1e-4)[0] - moments(-1e-4)[0]) / 2e-4
    unit = float(at_fixed_y.effective_temperature(LANDSCAPE, 3.0, noise))
    assert found["warm_last"] == pytest.approx(moments(0.0)[1] / slope / unit, rel=1e-3)


def test_weights_along_y_are_compared_with_each_formula():
    ys = [1.0, 3.0]
    exact = [share_right("ito", y) for y in ys]
    along = xr.Dataset({"p_flat": ("y", exact)}, {"y": ys, "effective_noise": NOISE})
    along = along.assign(
        p_flat=along.p_flat + np.array([0.01, -0.03]), p_flat_error=("y", [0.01, 0.02])
    )
    operator = xr.Dataset({"p_flat": ("y", exact)}, {"y": ys})
    found = fixed_y.along_findings(LANDSCAPE, along, operator)
    assert estimate(found, "gap_ito").value == pytest.approx(0.03, abs=1e-5)
    assert error(found, "gap_ito") == 0.02
    kramers = [abs(share_of_rates(y) - float(along.p_flat.sel(y=y))) for y in ys]
    assert estimate(found, "gap_kramers").value == pytest.approx(max(kramers))
    assert error(found, "gap_kramers") == along.p_flat_error[int(np.argmax(kramers))]
    assert found["along_pull"] == pytest.approx(1.5)
    assert found["printed_low"] == pytest.approx(share_right("printed", 1.0), abs=1e-6)
    assert found["boltzmann"] == pytest.approx(GAMMA**0.5 / (1 + GAMMA**0.5))
