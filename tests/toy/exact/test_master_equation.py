"""The density carried on a grid: against integrals, closed forms, the operator at fixed y, and
the simulation.
"""

import numpy as np
import pytest
from scipy.integrate import quad

from valleys.toy import TwoValley
from valleys.toy.exact import master_equation
from valleys.toy.exact.master_equation import evolve
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.simulation import langevin
from valleys.toy.simulation.reference import covariance

LANDSCAPE = TwoValley()


def gaussian_step(x, y, learning_rate, noise_strength):
    """Mean and standard deviation of the next x, straight from Eq. 13."""
    kick = learning_rate * np.sqrt(covariance(LANDSCAPE, x, y, noise_strength)[..., 0, 0])
    return x - learning_rate * LANDSCAPE.gradient(x, y)[..., 0], kick


def normal(x, mean, kick):
    return np.exp(-(((x - mean) / kick) ** 2) / 2) / (kick * np.sqrt(2 * np.pi))


def test_two_steps_are_the_integral_over_the_first():
    setting, start_y = (0.05, 0.03), 5.0
    found = evolve(LANDSCAPE, *setting, n_steps=2, start_y=start_y)

    def first(x):
        return (
            sum(
                normal(x, *gaussian_step(np.float64(start), start_y, *setting))
                for start in (-0.01, 0.01)
            )
            / 2
        )

    def both(earlier, x):
        return first(earlier) * normal(
            x, *gaussian_step(np.float64(earlier), float(found.mean_y[0]), *setting)
        )

    for place in range(0, found.sizes["x"], 40):
        x = float(found.x[place])
        second = sum(quad(both, *side, args=(x,), limit=200)[0] for side in ((-1, 0), (0, 1)))
        assert found.density[0, place] == pytest.approx(first(x), abs=1e-9)
        assert found.density[1, place] == pytest.approx(second, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("noise", master_equation.FOLLOWED)
@pytest.mark.parametrize("setting", [(0.1, 0.1), (0.02, 0.1), (0.1, 0.01)])
def test_probability_is_conserved_and_its_flow_balances(noise, setting):
    found = evolve(LANDSCAPE, *setting, n_steps=5000, noise=noise)
    assert abs(found.mass - 1).max() < 1e-6
    early = found.sel(step=slice(1, 20))  # there, every stretch is one step long
    np.testing.assert_allclose(
        np.diff(early.p_flat), (early.to_flat - early.to_sharp)[:-1], atol=2e-8
    )
    assert (found.frozen.diff("step") > -1e-7).all()
    assert found.frozen[-1] == 1


def test_a_finer_grid_changes_nothing_that_a_simulation_could_see():
    coarse, normal_, fine = (
        evolve(LANDSCAPE, 0.05, 0.05, 4000, accuracy=accuracy) for accuracy in (0.5, 1, 2)
    )
    errors = [abs(float(each.p_flat[-1] - fine.p_flat[-1])) for each in (coarse, normal_)]
    assert errors[1] < errors[0] < 1e-3
    assert errors[1] < 5e-5
    assert abs(float(normal_.freezing_time / fine.freezing_time) - 1) < 1e-3
    assert abs(float(normal_.freezing_y - fine.freezing_y)) < 1e-3


def test_in_one_parabola_the_density_is_the_gaussian_of_the_discrete_step():
    """Far down the valley nobody crosses: on each side the variance is Δ_S/(1 − ηκ/2), around
    the bottom.
    """
    learning_rate, noise_strength = 0.1, 0.01
    found = evolve(LANDSCAPE, learning_rate, noise_strength, n_steps=400, start_y=150.0)
    # from the ridge, the steeper side gains before both sides separate
    assert float(found.p_flat[-1]) != 0.5
    y, last = float(found.mean_y[-1]), found.isel(step=-1)
    for side, flatness, bottom in zip(
        (last.x > 0, last.x < 0), LANDSCAPE.flatness(y), LANDSCAPE.valley_positions(y), strict=True
    ):
        weight = (last.density * last.weight).where(side, 0.0)
        mean = float((weight * last.x).sum() / weight.sum())
        variance = float((weight * (last.x - mean) ** 2).sum() / weight.sum())
        assert mean == pytest.approx(bottom, abs=2e-4)
        assert variance == pytest.approx(
            learning_rate * noise_strength / (1 - learning_rate / flatness), rel=2e-3
        )


def test_while_hops_are_fast_the_density_is_the_stationary_one_of_its_y():
    found = evolve(LANDSCAPE, 0.05, 0.06, n_steps=400, start_y=1.0).isel(step=-1)
    fixed = stationary_density(LANDSCAPE, 0.05, 0.06, float(found.mean_y))
    assert float(found.p_flat) == pytest.approx(float(fixed.p_flat), abs=5e-3)
    np.testing.assert_allclose(
        np.interp(fixed.x, found.x, found.density),
        fixed.density,
        atol=0.03 * float(fixed.density.max()),
    )


@pytest.mark.slow
@pytest.mark.parametrize("noise", master_equation.FOLLOWED)
def test_the_simulation_scatters_around_it(noise):
    values, n_runs = [0.02, 0.05, 0.1], 2000
    exact = master_equation.phase_diagram(LANDSCAPE, values, values, n_steps=4000, noise=noise)
    runs = langevin.phase_diagram(LANDSCAPE, values, values, n_runs, 4000, noise=noise, seed=8)
    own_error = {
        "p_flat": np.sqrt(exact.p_flat * (1 - exact.p_flat) / n_runs),
        "freezing_time": exact.freezing_time_spread / np.sqrt(n_runs),
    }
    for name, error in own_error.items():
        # elsewhere there is next to nothing to compare
        pulls = ((runs[name] - exact[name]) / error).where(exact.freezing_time > 2)
        assert float(abs(pulls).max()) < 4
        assert float((pulls**2).mean()) < 2.5
    # y of a run that crosses differs from the mean y by about the kick of one step along y
    assert (abs(runs.freezing_y - exact.freezing_y) < 4 * runs.freezing_y_error + 0.02).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"noise": "isotropic"}, "spreads y"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"learning_rate": 0.5, "noise_strength": 0.01}, "no stationary state"),
        ({"accuracy": 0.0}, "accuracy"),
        ({"n_steps": 0}, "n_steps"),
        ({"noise_strength": 1e-9}, "too small for a grid"),
    ],
)
def test_bad_settings_are_refused_in_one_line(change, word):
    arguments = {"learning_rate": 0.05, "noise_strength": 0.05, "n_steps": 10} | change
    with pytest.raises(ValueError, match=word) as caught:
        evolve(LANDSCAPE, **arguments)
    assert "\n" not in str(caught.value)
