"""What is read off runs that freeze, against an ODE solver, formulas turned round, and hand-made
courses.
"""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad, solve_ivp

from tests.findings import error, estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis import transient
from valleys.toy.theory import at_fixed_y, freezing

LANDSCAPE = TwoValley()
NOISES = np.array([1e-4, 3e-4, 1e-3])


def over_noise(p_flat, error: float = 0.01, noises: np.ndarray = NOISES, **others) -> xr.Dataset:
    """Shares over effective_noise, all with one error."""
    variables = {"p_flat": p_flat, "p_flat_error": np.full(len(noises), error)} | others
    values = {name: ("effective_noise", each) for name, each in variables.items()}
    return xr.Dataset(values, {"effective_noise": noises})


def exact_rates(y: float, noise: float) -> list[float]:
    return [1 / float(t) for t in at_fixed_y.escape_times_exact(LANDSCAPE, y, noise)]


def kramers_rates(y: float, noise: float) -> list[float]:
    return [float(rate) for rate in at_fixed_y.rates_kramers(LANDSCAPE, y, noise)]


def solved(noise: float, start_y: float, end_y: float, rates=exact_rates) -> float:
    """dP/dy = (k⁻(1 − P) − k⁺P)/(dy/dt) by a solver, from one half."""

    def slope(y: float, p: np.ndarray) -> np.ndarray:
        to_sharp, to_flat = rates(y, noise)
        return (to_flat * (1 - p) - to_sharp * p) / freezing.drift_speed(LANDSCAPE, y)

    way = solve_ivp(slope, (start_y, end_y), [0.5], method="LSODA", rtol=1e-8, atol=1e-10)
    return float(way.y[0, -1])


@pytest.fixture
def curve_of_two_points(monkeypatch):
    """Curves of theory by two noises: a point takes a second."""
    monkeypatch.setattr(transient, "N_NOISES", 2)


@pytest.mark.usefixtures("curve_of_two_points")
def test_held_and_free_shares_are_told_by_their_ends_and_a_slope():
    held, exact = over_noise([0.9, 0.8, 0.7], 0.02), over_noise([0.6, 0.65, 0.7])
    line = 0.6 + 0.1 * np.log10(NOISES / 1e-4)
    free = over_noise(line, 0.01)
    found = transient.paradox_findings(LANDSCAPE, held, free, exact, 0.2)
    assert (estimate(found, "held_low").value, estimate(found, "held_high").value) == (0.9, 0.7)
    assert (error(found, "held_high"), error(found, "free_low")) == (0.02, 0.01)
    assert (estimate(found, "free_low").value, estimate(found, "free_high").value) == pytest.approx(
        (0.6, 0.7)
    )
    assert estimate(found, "rise").value == pytest.approx(0.1)
    decades = np.log10(NOISES)
    spread = np.sqrt(((decades - decades.mean()) ** 2).sum())
    assert error(found, "rise") == pytest.approx(0.01 / spread)
    assert found["pull"] == pytest.approx(abs(line[1] - 0.65) / 0.01)


@pytest.mark.usefixtures("curve_of_two_points")
def test_a_point_that_is_known_worse_counts_less_for_the_slope():
    free = over_noise([0.6, 0.6, 0.9])
    free["p_flat_error"][-1] = 1e3
    found = transient.paradox_findings(LANDSCAPE, free, free, free, 0.2)
    assert estimate(found, "rise").value == pytest.approx(0, abs=1e-6)


@pytest.mark.usefixtures("curve_of_two_points")
def test_the_balance_of_hops_is_that_of_a_solver():
    noises = NOISES[[0, -1]]
    shares = np.array([solved(noise, 0.2, transient.FAR_Y) for noise in noises])
    exact = over_noise(shares + np.array([0.01, -0.02]), noises=noises)
    found = transient.paradox_findings(LANDSCAPE, exact, exact, exact, 0.2)
    assert found["balance_gap"] == pytest.approx(0.02, abs=3e-4)


def share_right(calculus: str, y: float, noise: float) -> float:
    """The weight of x > 0 by integration of a density on both sides."""

    def density(x: float) -> float:
        return float(at_fixed_y.conditional_density(LANDSCAPE, x, y, noise, calculus))

    return quad(density, 0, 1, points=[0.1, 0.3])[0]


def steps(shares: np.ndarray, rates: np.ndarray) -> xr.Dataset:
    variables = {"p_flat": ("learning_rate", shares)}
    variables["p_flat_error"] = ("learning_rate", np.full(len(rates), 0.01))
    variables["mean_y"] = ("learning_rate", 20.0 + np.arange(len(rates)))
    return xr.Dataset(variables, {"learning_rate": rates, "effective_noise": 0.001})


def test_shares_head_for_the_constant_of_a_polynomial():
    rates = np.array([0.1, 0.05, 0.02, 0.01, 0.005])
    shares = 0.7 - 0.2 * rates**0.5 + rates
    shares[0] = 0.9  # a large step does not count
    exact_steps = steps(shares, rates)
    shifts = np.array([0, 0.01, -0.03, 0, 0.02])
    smaller = exact_steps.assign(p_flat=exact_steps.p_flat + shifts)
    found = transient.step_findings(smaller, exact_steps, 0.71)
    assert estimate(found, "limit_steps").value == pytest.approx(0.7)
    assert error(found, "limit_steps") == pytest.approx(0, abs=1e-9)
    assert (found["largest"], found["largest_rate"], found["level"]) == (0.9, 0.1, 0.71)
    assert found["lowest"] == shares[1:].min()
    assert found["step_pull"] == pytest.approx(3)


def test_the_level_of_no_step_ends_where_the_shortest_run_ends():
    exact_steps = steps(np.array([0.7, 0.7]), np.array([0.1, 0.05]))
    level = transient.balance_level(LANDSCAPE, exact_steps, 0.2)
    assert level == pytest.approx(solved(0.001, 0.2, 20.0), abs=2e-4)
    kramers = transient.balance_level(LANDSCAPE, exact_steps, 0.2, "kramers")
    assert kramers == pytest.approx(solved(0.001, 0.2, 20.0, kramers_rates), abs=2e-4)
    assert abs(kramers - level) > 1e-3


def frozen(epsilon: float = 0.3, place: float = 0.2) -> xr.Dataset:
    """Final shares by Eq. 26 with one ε, and places by Eq. 25 with another one."""
    shares = freezing.p_flat_transient(LANDSCAPE, NOISES, epsilon)
    return over_noise(shares, freezing_y=freezing.freezing_y(LANDSCAPE, NOISES, place))


def test_each_epsilon_is_the_one_that_was_put_in():
    found = transient.epsilons(LANDSCAPE, frozen())
    np.testing.assert_allclose(found.fitted, 0.3)
    np.testing.assert_allclose(found.by_place, 0.2)
    shares = at_fixed_y.p_flat_exact(LANDSCAPE, found.same_share.values, NOISES)
    np.testing.assert_allclose(shares, frozen().p_flat, rtol=1e-6)
    middle = float(found.by_criterion[1])
    again = freezing.freezing_y_numeric(LANDSCAPE, NOISES[1], middle)
    assert float(again) == pytest.approx(float(found.same_share[1]), rel=1e-5)


def test_the_race_is_a_rate_over_the_speed_of_the_odds():
    found = transient.epsilons(LANDSCAPE, frozen()).isel(effective_noise=1)
    y = float(found.same_share) * np.array([0.99, 1.0, 1.01])
    to_sharp, to_flat = (1 / t for t in at_fixed_y.escape_times_exact(LANDSCAPE, y, NOISES[1]))
    fall = np.diff(np.log(to_sharp / to_flat)[[0, 2]]) / (y[2] - y[0])
    speed = -fall * freezing.drift_speed(LANDSCAPE, y[1])
    assert float(found.race) == pytest.approx(float(to_flat[1] / speed[0]), rel=1e-3)


def test_the_race_passes_through_the_freezing_point(monkeypatch):
    monkeypatch.setattr(transient, "RACE", np.array([0.5, 1.0]))
    exact = frozen()
    found, expected = transient.race_courses(LANDSCAPE, exact), transient.epsilons(LANDSCAPE, exact)
    np.testing.assert_allclose(found.freezing_y, expected.same_share)
    np.testing.assert_allclose(found.ratio.sel(place=1.0), expected.race)
    np.testing.assert_allclose(found.rate.sel(place=1.0), found.freezing_rate)
    np.testing.assert_allclose(found.rate / found.speed, found.ratio)
    np.testing.assert_allclose(found.y.sel(place=0.5), found.freezing_y / 2)


def test_the_typical_epsilon_is_a_geometric_mean():
    shares = [
        float(freezing.p_flat_transient(LANDSCAPE, noise, epsilon))
        for noise, epsilon in zip(NOISES, (0.1, 0.2, 0.4), strict=True)
    ]
    exact = over_noise(shares, freezing_y=[1.0, 2.0, 3.0])
    assert transient.typical_epsilon(LANDSCAPE, exact) == pytest.approx(0.2)
    found = transient.freezing_findings(LANDSCAPE, exact, 0.1)
    assert (found["fitted"], found["fitted_factor"]) == pytest.approx((0.2, 4))
    assert (found["fitted_min"], found["fitted_max"]) == pytest.approx((0.1, 0.4))


def test_the_freezing_point_is_told_by_slopes_and_extremes():
    exact = frozen().assign(freezing_y=("effective_noise", 50 * NOISES**0.5 * [1, 1, 1.1]))
    found = transient.freezing_findings(LANDSCAPE, exact, 0.1)
    assert found["slope_min"] == pytest.approx(0.5)
    assert found["slope_max"] == pytest.approx(0.5 + np.log(1.1) / np.log(1 / 0.3))
    assert 0.5 < number(found, "theory_slope_min") < number(found, "theory_slope_max")
    paper = freezing.p_flat_transient(LANDSCAPE, NOISES, 0.1)
    assert found["overshoot"] == pytest.approx((paper - exact.p_flat.values).max())
    assert found["noise_factor"] == pytest.approx(10**0.5)
    same = transient.epsilons(LANDSCAPE, exact).same_share.values
    assert found["later"] == pytest.approx((same / exact.freezing_y.values).mean())
    assert (found["epsilon"], found["fitted"]) == (0.1, pytest.approx(0.3))


def test_factors_of_the_criterion_are_those_at_the_middle_noise():
    found = transient.freezing_findings(LANDSCAPE, frozen(), 0.1)
    y = float(transient.epsilons(LANDSCAPE, frozen()).same_share[1])
    x = LANDSCAPE.valley_positions(y)[1]
    curvature = LANDSCAPE.hessian(np.array(x), np.array(y))[..., 0, 0]
    prefactor = np.sqrt(LANDSCAPE.barrier(y) * curvature / np.pi)
    assert found["prefactor"] == pytest.approx(float(prefactor))
    kramers = at_fixed_y.p_flat_kramers(LANDSCAPE, y, NOISES[1])
    assert found["dropped"] == pytest.approx(1 - float(kramers))


def test_places_of_freezing_solve_their_equations():
    found = transient.freezing_places(LANDSCAPE, frozen(), 0.1)
    assert set(found) == {"Eq. 25, ε = 0.1", "Eq. 25, ε = 0.3", "place of the race"}
    by_25 = found["Eq. 25, ε = 0.3"]
    back = freezing.epsilon_of_freezing_y(LANDSCAPE, found.effective_noise, by_25)
    np.testing.assert_allclose(back, 0.3)
    ends = found["place of the race"][[0, -1]]
    shares = at_fixed_y.p_flat_exact(LANDSCAPE, ends.values, NOISES[[0, -1]])
    np.testing.assert_allclose(shares, frozen().p_flat[[0, -1]], rtol=1e-6)


def test_a_course_is_read_at_the_mean_place_of_the_last_hop():
    y = np.linspace(0, 10, 101)
    p_flat = np.minimum(0.5 + 0.05 * y, 0.75)
    variables = {"mean_y": y, "frozen": y / 10, "p_flat": p_flat}
    course = xr.Dataset({name: ("time", each) for name, each in variables.items()})
    course = course.assign(freezing_y=xr.full_like(course.mean_y, 4.0))
    both = [course, course.assign(frozen=course.frozen**2)]
    course = xr.concat(both, xr.Variable("effective_noise", [1e-4, 1e-3]))
    found = transient.at_freezing(course)
    np.testing.assert_allclose(found.past, [0.4, 0.16])
    np.testing.assert_allclose(found.reached, 0.7 / 0.75)
    np.testing.assert_allclose(found.within, (0.99 * 0.75 - 0.5) / 0.05 / 4)
    np.testing.assert_allclose(found.width, [9, 3], rtol=1e-3)
    means = transient.course_findings(course)
    assert (means["past"], means["width"]) == pytest.approx((0.28, 6), rel=1e-3)


def test_the_limit_of_the_freezing_point_solves_its_equation():
    strengths, ratios = [1e-4, 1e-3, 1e-2, 1e-1], [1.1, 1.2]
    final = xr.DataArray(np.zeros((2, 4)), {"flatness_ratio": ratios, "effective_noise": strengths})
    limit = xr.DataArray([5.0, 0.005], {"flatness_ratio": ratios})
    found = transient.limit_findings(LANDSCAPE, final, limit, 0.1, 0.3)
    for name, epsilon in (("limit", 0.1), ("limit_fitted", 0.3)):
        threshold = (epsilon * freezing.freezing_constant(LANDSCAPE)) ** 2
        reach = number(found, name) * np.log(number(found, name) / threshold)
        assert reach == pytest.approx(LANDSCAPE.x2**2)
    assert (found["limit_map"], found["beyond"]) == (0.005, 0.5)
    assert found["threshold"] == pytest.approx(threshold)
    assert freezing.freezing_y(LANDSCAPE, 0.99 * number(found, "threshold"), 0.3) == 0


def test_differences_are_printed_minus_found():
    noise, y = 0.001, 3.0
    exact_steps = steps(np.array([0.7, 0.6]), np.array([0.05, 0.1]))
    corners = xr.DataArray([[0.1, 0.8], [0.7, 0.2]], dims=("learning_rate", "noise_strength"))
    setting = {"y": y, "start_y": 0.2, "epsilon": 0.1}
    found = transient.difference_findings(LANDSCAPE, frozen(), exact_steps, corners, **setting)
    weights = {calculus: share_right(calculus, y, noise) for calculus in ("printed", "ito")}
    assert found["d_flow"] == pytest.approx(weights["printed"] - weights["ito"], abs=1e-6)
    flat, sharp = at_fixed_y.rates_kramers(LANDSCAPE, y, noise)
    kramers = float(sharp / (flat + sharp))
    assert found["d_rates"] == pytest.approx(kramers - weights["ito"], abs=1e-6)
    gamma = LANDSCAPE.flatness_ratio
    boltzmann = gamma**0.5 / (1 + gamma**0.5)
    assert found["d_equilibrium"] == pytest.approx(gamma / (1 + gamma) - boltzmann)
    assert found["d_corner"] == pytest.approx(0.1)
    assert found["d_step"] == pytest.approx(solved(noise, 0.2, 20.0) - 0.6, abs=2e-4)
    final = solved(noise, 0.2, 20.0, kramers_rates) - solved(noise, 0.2, 20.0)
    assert found["d_final"] == pytest.approx(final, abs=3e-4)
    odds = [1 / p - 1 for p in [freezing.p_flat_transient(LANDSCAPE, noise, 0.1)]]
    doubled = 1 / (1 + odds[0] * 2 ** (gamma - 1))  # (√Δ/εΦ)^(1 − γ) grows by 2^(γ − 1)
    assert found["d_factor"] == pytest.approx(float(1 / (1 + odds[0]) - doubled))
    paper = freezing.p_flat_transient(LANDSCAPE, NOISES, 0.1)
    assert found["d_epsilon"] == pytest.approx((paper - frozen().p_flat.values).mean())
