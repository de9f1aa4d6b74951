"""x at fixed y: simulation against the transition operator of the step and against the small-η
theory.
"""

import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.simulation.fixed_y import frozen_y, rate_and_error
from valleys.toy.simulation.langevin import NOISES
from valleys.toy.theory import at_fixed_y

LANDSCAPE = TwoValley()
Y, NOISE = 3.0, 1e-3
SIGMAS = 4.5


def runs_at_y(
    learning_rate,
    duration,
    effective_noise=NOISE,
    y=Y,
    noise="hessian",
    n_runs=1024,
    seed=0,
    **others,
):
    steps = {"n_steps": round(duration / learning_rate), "burn_in": round(20 / learning_rate)}
    return frozen_y(
        LANDSCAPE,
        learning_rate,
        effective_noise / learning_rate,
        y,
        n_runs=n_runs,
        noise=noise,
        seed=seed,
        **steps,
        **others,
    )


@pytest.mark.parametrize(
    ("noise", "effective_noise"),
    [("hessian", 1e-3), ("hessian_squared", 2e-4), ("isotropic", 1e-3)],
)
@pytest.mark.parametrize("learning_rate", [0.02, 0.1])
def test_simulation_agrees_with_the_transition_operator(noise, effective_noise, learning_rate):
    runs = runs_at_y(learning_rate, 400, effective_noise, noise=noise)
    solved = stationary_density(
        LANDSCAPE, learning_rate, effective_noise / learning_rate, Y, noise, points_per_kick=16
    )
    assert abs(float(runs.p_flat - solved.p_flat)) < SIGMAS * float(runs.p_flat_error) + 2e-4
    density = np.interp(runs.x, solved.x, solved.density)
    pulls = (runs.density - density) / (runs.density_error + 0.01 * density.max())
    assert np.abs(pulls).max() < SIGMAS


@pytest.mark.parametrize("y", [1.0, 3.0, 5.0])
def test_the_transition_operator_leads_to_the_ito_weight(y):
    rates = np.geomspace(5e-4, 0.01, 8)
    shares = [float(stationary_density(LANDSCAPE, rate, NOISE / rate, y).p_flat) for rate in rates]
    limit = np.polyfit(np.sqrt(rates), shares, 4)[-1]
    assert limit == pytest.approx(float(at_fixed_y.p_flat_exact(LANDSCAPE, y, NOISE)), abs=1e-4)


@pytest.fixture(scope="module")
def small_steps():
    return [runs_at_y(learning_rate, 250, n_runs=2048, seed=1) for learning_rate in (4e-3, 1e-3)]


def extrapolated(runs, name):
    """Estimate and error at η → 0 from two learning rates in the ratio 4, because the leading
    error is of order √η.
    """
    coarse, fine = runs
    return (2 * fine[name] - coarse[name]).values, np.hypot(
        2 * fine[f"{name}_error"], coarse[f"{name}_error"]
    ).values


@pytest.mark.slow
def test_small_steps_lead_to_the_ito_weight_and_to_no_other(small_steps):
    value, error = extrapolated(small_steps, "p_flat")
    candidates = (at_fixed_y.p_flat_exact, at_fixed_y.p_flat_printed, at_fixed_y.p_flat_kramers)
    pulls = [abs(value - function(LANDSCAPE, Y, NOISE)) / error for function in candidates]
    assert pulls[0] < SIGMAS
    assert min(pulls[1:]) > 10


@pytest.mark.slow
def test_small_steps_escape_at_the_exact_rate(small_steps):
    value, error = extrapolated(small_steps, "escape_rate")
    expected = 1 / np.array(at_fixed_y.escape_times_exact(LANDSCAPE, Y, NOISE))[::-1]
    np.testing.assert_array_less(np.abs(value - expected), SIGMAS * error)
    kramers = np.array(at_fixed_y.rates_kramers(LANDSCAPE, Y, NOISE))[::-1]
    np.testing.assert_array_less(10 * error, np.abs(value - kramers))


@pytest.mark.slow
def test_isotropic_noise_gives_the_boltzmann_weight():
    runs = runs_at_y(1e-3, 250, noise="isotropic", n_runs=2048, seed=3)
    assert abs(float(runs.p_flat) - at_fixed_y.p_flat_boltzmann(LANDSCAPE)) < 4 * float(
        runs.p_flat_error
    )
    assert abs(float(runs.p_flat) - at_fixed_y.p_flat_equilibrium(LANDSCAPE)) > 10 * float(
        runs.p_flat_error
    )


@pytest.mark.parametrize(
    "noise",
    [pytest.param(noise, marks=[pytest.mark.slow] * (noise != "hessian")) for noise in NOISES],
)
def test_a_force_shifts_the_mean_as_theory_says(noise):
    effective_noise = 2e-4 if noise == "hessian_squared" else NOISE
    for force in (-0.03, 0.03):
        runs = runs_at_y(0.005, 200, effective_noise, noise=noise, seed=5, force=force)
        solved = stationary_density(
            LANDSCAPE, 0.005, effective_noise / 0.005, Y, noise, points_per_kick=16, force=force
        )
        mean = float((solved.x * solved.density).sum() * (solved.x[1] - solved.x[0]))
        assert abs(float(runs.mean_x) - mean) < SIGMAS * float(runs.mean_x_error) + 2e-5
        limit = at_fixed_y.mean_position(LANDSCAPE, Y, effective_noise, force, noise)
        assert mean == pytest.approx(float(limit), abs=4e-3)  # a finite step moves it by less


def test_a_force_shifts_a_valley_that_no_run_leaves_by_its_flatness():
    runs = [runs_at_y(0.02, 50, 1e-3, y=40.0, n_runs=256, force=force) for force in (-0.01, 0.01)]
    shift = (runs[1].valley_mean - runs[0].valley_mean).values / 0.02
    error = np.hypot(*(run.valley_mean_error.values for run in runs)) / 0.02
    np.testing.assert_array_less(
        np.abs(shift - np.array(LANDSCAPE.flatness(40.0))[::-1] / 2), SIGMAS * error
    )
    widened = 1e-3 / (1 - 0.02 / np.array(LANDSCAPE.flatness(40.0))[::-1])
    np.testing.assert_array_less(
        np.abs(runs[0].valley_variance - widened), SIGMAS * runs[0].valley_variance_error
    )


def test_moments_are_those_of_the_histogram():
    runs = runs_at_y(0.02, 200, n_bins=400)
    width = float(runs.x[1] - runs.x[0])
    mean = float((runs.density * runs.x).sum() * width)
    assert float(runs.mean_x) == pytest.approx(mean, abs=3e-4)
    assert float(runs.variance_x) == pytest.approx(
        float((runs.density * (runs.x - mean) ** 2).sum() * width), rel=5e-3
    )


def test_errors_of_the_moments_cover_the_spread_between_seeds():
    runs = [runs_at_y(0.05, 50, n_runs=128, seed=seed) for seed in range(16)]
    for name in ("mean_x", "variance_x", "valley_mean", "valley_variance"):
        values, errors = (
            np.array([run[key].values for run in runs]) for key in (name, f"{name}_error")
        )
        assert np.all(
            (values.std(axis=0, ddof=1) / errors.mean(axis=0) > 0.5)
            & (values.std(axis=0, ddof=1) / errors.mean(axis=0) < 1.7)
        ), name


def test_a_force_that_empties_a_valley_is_refused():
    with pytest.raises(ValueError, match="weaker"):
        runs_at_y(0.05, 5, force=1.0)


def test_histogram_is_a_density():
    runs = runs_at_y(0.02, 50)
    assert float((runs.density * np.diff(runs.x)[0]).sum()) == pytest.approx(1, abs=1e-4)


def test_errors_cover_the_spread_between_seeds():
    runs = [runs_at_y(0.05, 50, n_runs=128, seed=seed) for seed in range(12)]
    values, errors = (
        np.array([float(r.p_flat) for r in runs]),
        np.array([float(r.p_flat_error) for r in runs]),
    )
    assert 0.5 < values.std(ddof=1) / errors.mean() < 1.7


def test_rates_of_poisson_events_have_their_error():
    generator = np.random.default_rng(0)
    times = generator.uniform(5, 10, 4000)
    events = generator.poisson(0.3 * times)
    rate, error = rate_and_error(events, times)
    assert abs(rate - 0.3) < SIGMAS * error
    assert error == pytest.approx(np.sqrt(0.3 / times.sum()), rel=0.1)
    assert rate_and_error(np.zeros(4), np.full(4, 2.0)) == (0.0, 1 / 8)
    assert np.all(np.isnan(rate_and_error(np.zeros(4), np.zeros(4))))


def test_the_same_seed_gives_the_same_samples():
    one, same, other = (runs_at_y(0.05, 20, n_runs=100, seed=seed) for seed in (1, 1, 2))
    assert one.identical(same)
    assert not one.identical(other)


@pytest.mark.parametrize("noise", NOISES)
def test_a_step_without_stationary_state_is_refused(noise):
    with pytest.raises(ValueError, match="lower it"):
        stationary_density(LANDSCAPE, 0.3, 0.01, Y, noise)


@pytest.mark.parametrize(
    "change",
    [
        {"y": 0.0},
        {"burn_in": -1},
        {"n_bins": 0},
        {"sample_every": 0},
        {"n_steps": 5},
        {"n_runs": 5},
        {"noise": "pink"},
    ],
)
def test_bad_settings_are_refused(change):
    with pytest.raises(ValueError, match=r"\w"):
        frozen_y(
            **(
                {
                    "landscape": LANDSCAPE,
                    "learning_rate": 0.05,
                    "noise_strength": 0.1,
                    "y": Y,
                    "n_runs": 2,
                    "n_steps": 100,
                }
                | change
            )
        )


def test_a_grid_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="grid"):
        stationary_density(LANDSCAPE, 1e-6, 1e-3, 40.0)
