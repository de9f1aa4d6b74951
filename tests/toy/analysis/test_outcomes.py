"""What is read off maps of runs, against results made by hand."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis import outcomes
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.theory.freezing import p_flat_transient

RATES, STRENGTHS = [0.01, 0.1], [0.01, 0.1]
MAP = ("learning_rate", "noise_strength")


def chart(p_flat: list, *, error: float = 0.01, **others: list) -> xr.Dataset:
    """A map of two learning rates and two noise strengths; times are a hundred times shares."""
    found = xr.Dataset(
        {"p_flat": (MAP, p_flat)}, {"learning_rate": RATES, "noise_strength": STRENGTHS}
    )
    found = found.assign_coords(effective_noise=found.learning_rate * found.noise_strength)
    found = found.assign(
        p_flat_error=xr.full_like(found.p_flat, error), time_to_freeze=100 * found.p_flat
    )
    found = found.assign({name: (MAP, values) for name, values in others.items()})
    return found.assign(time_to_freeze_error=xr.full_like(found.p_flat, 2.0))


def test_crossings_are_changes_of_side_per_run():
    x = [[[1, 1, 1, 1], [1, 2, -1, -1]], [[1, -1, 1, -1], [-1, 1, 1, -2]]]  # 0 and 1, then 3 and 2
    runs = xr.Dataset({"x": (("noise_strength", "run", "step"), np.array(x, float))})
    assert outcomes.crossing_findings(runs) == {"crossings_weak": 0.5, "crossings_strong": 2.5}


def test_a_map_is_told_by_its_ends_its_maximum_and_its_steps():
    found = outcomes.map_findings(chart([[0.5, 0.7], [0.6, 0.65]]))
    assert found["p_low"] == 0.5
    assert (estimate(found, "p_high").value, error(found, "p_high")) == (0.65, 0.01)
    assert estimate(found, "p_best").value == estimate(found, "small_step").value == 0.7
    assert (
        estimate(found, "time_low").value,
        estimate(found, "time_high").value,
        error(found, "time_low"),
    ) == (
        50,
        65,
        2,
    )
    assert (found["steps"], found["rising_share"], found["rising_time"]) == (4, 3, 3)


def test_the_calm_third_is_a_mean_with_the_error_of_a_mean():
    found = outcomes.map_findings(
        chart([[0.5, 0.7], [0.6, 0.65]])
    )  # the second weakest noise is that of two cells
    assert estimate(found, "calm").value == pytest.approx((0.5 + 0.7 + 0.6) / 3)
    assert error(found, "calm") == pytest.approx(0.01 / np.sqrt(3))


def test_a_rise_is_counted_in_its_errors():
    cells = chart([[0.5, 0.7], [0.6, 0.65]])
    assert outcomes.rise(cells, "p_flat", "learning_rate") == pytest.approx(
        0.025 / 0.01
    )  # two halves of two cells each
    assert outcomes.rise(cells, "p_flat", "noise_strength") == pytest.approx(0.125 / 0.01)
    assert outcomes.rise(cells, "time_to_freeze", "noise_strength") == pytest.approx(12.5 / 2.0)


def test_deviations_from_the_exact_map_count_where_runs_hop():
    times: dict[str, Any] = {
        "freezing_time": [[1.0, 9.0], [9.0, 9.0]],
        "time_to_freeze_spread": [[1.0] * 2, [10.0] * 2],
    }
    exact = chart([[0.5, 0.5], [0.6, 0.8]], mass=[[1.0, 1.0], [1.0, 1 + 1e-6]], **times)
    cells = chart([[0.9, 0.55], [0.6, 0.7]])
    found = outcomes.exact_findings(cells, exact, 100)  # errors of the share: 0.05, 0.049 and 0.04
    assert (found["exact_cells"], found["exact_within"]) == (3, 3)
    assert found["exact_square"] == pytest.approx((1 + 0 + 2.5**2) / 3)
    assert found["exact_time_square"] == pytest.approx((50**2 + 0 + 10**2) / 3)
    assert found["exact_gap"] == pytest.approx(0.1)
    assert found["product_spread"] == pytest.approx(0.1)  # of the two cells where η·σ = 0.001
    assert found["exact_mass"] == pytest.approx(1e-6)
    assert outcomes.exact_findings(cells, exact, 200)["exact_within"] == 2  # 3.5 errors now
    assert np.isnan(outcomes.deviations(cells, exact, 100).p_flat[0, 0])


def test_cells_that_hop_to_the_end_are_compared_with_rest():
    landscape = TwoValley()
    steady = stationary_density(landscape, 0.1, 0.1, 4.0, "hessian_squared").p_flat.item()
    late: dict[str, Any] = {
        "freezing_time": [[10.0, 50.0], [50.0, 95.0]],
        "y": [[2.0] * 2, [3.0, 4.0]],
    }
    cells = chart([[0.5, 0.6], [0.8, steady - 0.02]], **late)
    other = cells.isel(learning_rate=1, noise_strength=0)
    found = outcomes.squared_findings(
        landscape, cells, {"longer": (other, 200)}, n_steps=100, start_y=5.0
    )
    assert found["steady"] == steady
    assert (found["hopping"], found["pull"]) == (1, pytest.approx(2))
    assert (found["first"], estimate(found, "top").value, estimate(found, "corner").value) == (
        0.5,
        0.8,
        steady - 0.02,
    )
    assert (found["last"], found["longer_last"], estimate(found, "longer").value) == (
        0.95,
        0.25,
        0.8,
    )
    hessian = landscape.hessian(np.array([0.1, -0.1]), np.array([5.0, 5.0]))[..., 0, 0]
    np.testing.assert_allclose([number(found, "flat"), number(found, "sharp")], hessian)
    assert outcomes.still_hopping(cells, 100).values.tolist() == [[False, False], [False, True]]


def test_squared_noise_is_held_against_the_first_law_where_both_are_as_strong():
    """The share grows with the logarithm of the noise; squared noise adds 0.1, but in a cell that
    still hops.
    """
    landscape, rates = TwoValley(), [0.01, 0.1]
    stronger = float(landscape.hessian(np.array([0.1]), np.array([5.0]))[0, 0, 0])
    axes = ("learning_rate", "noise_strength")

    def made(strengths: np.ndarray, shares: np.ndarray) -> xr.Dataset:
        both = np.ones((2, 1)) * shares
        coords = {"learning_rate": rates, "noise_strength": strengths}
        times = np.full(both.shape, 10.0)
        parts = {"p_flat": both, "p_flat_error": both * 0 + 0.02, "freezing_time": times}
        return xr.Dataset({name: (axes, each) for name, each in parts.items()}, coords)

    strengths = np.geomspace(0.001, 1, 9)
    exact = made(strengths, 0.5 + 0.03 * np.log(strengths))
    squared = np.array([0.002, 0.02, 0.05, 10.0])  # the last one lies beyond the other map
    cells = made(squared, 0.6 + 0.03 * np.log(squared * stronger))
    cells.freezing_time[1, 1], cells.p_flat[1, 1] = 95, 0.2
    told = outcomes.equal_noise_findings(landscape, cells, exact, n_steps=100, start_y=5.0)
    assert told["equal_cells"] == 5
    assert estimate(told, "equal").value == pytest.approx(0.1)
    assert error(told, "equal") == pytest.approx(0.02 / 5**0.5)
    assert told["equal_most"] == pytest.approx(0.1)


def test_the_control_is_averaged_over_noise():
    shares = [
        [[0.6, 0.7], [0.8, 0.9]],
        [[0.5, 0.54], [0.7, 0.6]],
    ]  # noise, learning rate, effective noise
    coordinates = {
        "noise": ["hessian", "isotropic"],
        "learning_rate": [0.01, 0.1],
        "effective_noise": [1e-4, 1e-3],
    }
    control = xr.Dataset({"p_flat": (tuple(coordinates), shares)}, coordinates)
    control["p_flat_error"] = xr.full_like(control.p_flat, 0.03)
    landscape = TwoValley(x1=0.8, x2=0.4)  # γ = 4
    found = outcomes.control_findings(landscape, control)
    assert {
        name: estimate(found, name).value for name in ("even_small", "even_large", "uneven_small")
    } == pytest.approx({"even_small": 0.52, "even_large": 0.65, "uneven_small": 0.65})
    assert error(found, "even_small") == pytest.approx(0.03 / np.sqrt(2))
    assert (found["boltzmann"], found["a28"]) == (pytest.approx(2 / 3), pytest.approx(4 / 5))
    curvature = landscape.hessian(np.array(-0.05), np.array(1.0))[..., 0, 0]
    assert found["step_share"] == pytest.approx(0.1 * float(curvature))


def contrast(shares: list) -> xr.Dataset:
    runs = xr.Dataset({"p_flat": ("flatness_ratio", shares)}, {"flatness_ratio": [1.0, 1.2, 1.4]})
    return runs.assign(
        p_flat_error=xr.full_like(runs.p_flat, 0.02), y=xr.full_like(runs.p_flat, 30.0)
    )


def test_predictions_of_contrast_are_compared_where_valleys_differ():
    runs = contrast([0.5, 0.6, 0.7])
    predictions = {
        "master equation": [0.9, 0.61, 0.72],
        "balance, small-step rates": [0.9, 0.64, 0.74],
    }
    predictions["Eq. 26, ε = 0.1"] = [0.5, 0.75, 0.8]
    curves = {name: ("flatness_ratio", values) for name, values in predictions.items()}
    found = outcomes.contrast_findings(runs, xr.Dataset(curves, runs.coords))
    assert (estimate(found, "equal").value, estimate(found, "most").value, found["ratio"]) == (
        0.5,
        0.7,
        1.4,
    )
    assert estimate(found, "step").value == pytest.approx(0.015)
    assert estimate(found, "limit").value == pytest.approx(0.04)
    assert error(found, "step") == error(found, "limit") == pytest.approx(0.02 / np.sqrt(2))
    assert (found["gap"], found["formula"]) == (pytest.approx(0.025), pytest.approx(0.15))


def test_predictions_of_contrast_begin_at_one_half_and_rise():
    runs = contrast([0.5, 0.6, 0.7])
    curves = outcomes.contrast_predictions(TwoValley(), runs, runs, 0.001, 1.0)
    np.testing.assert_array_equal(curves["master equation"], runs.p_flat)
    np.testing.assert_allclose(curves.isel(flatness_ratio=0).to_array(), 0.5, atol=1e-12)
    assert all((curves[name].diff("flatness_ratio") > 0).all() for name in curves)
    flat = TwoValley(x1=TwoValley().x2 * np.sqrt(1.4))
    assert curves["Eq. 26, ε = 0.1"][-1] == pytest.approx(p_flat_transient(flat, 0.001))
    smooth = outcomes.contrast_formula(TwoValley(), np.array([1.2, 1.4]), 0.001)
    assert smooth[-1] == pytest.approx(p_flat_transient(flat, 0.001))
    assert smooth.name in curves


def test_the_four_features_are_told_of_the_small_step_with_strong_noise():
    """Runs from y = 10 to y = 20, with the numbers of Table S1 put in by hand."""
    dims = ("learning_rate", "noise_strength")
    values = {"y": [[0.0, 20.0]], "time_to_freeze": [[0.0, 25.0]], "time_to_freeze_error": [[0, 5]]}
    cells = xr.Dataset(
        {name: (dims, value) for name, value in values.items()},
        {"learning_rate": [0.01], "noise_strength": [0.01, 0.1]},
    )
    found = outcomes.feature_findings(TwoValley(), cells, 10.0, 10_000)
    assert number(found, "apart_start") == pytest.approx(1.45 * 10 / 40)
    assert number(found, "apart_end") == pytest.approx(1.45 * 20 / 50)
    assert number(found, "wider") == pytest.approx((40 / 50) ** 2 / (30 / 40) ** 2)
    floor = [np.exp(-y / 100) - (y / (y + 20)) ** 2 for y in (10, 20)]
    assert number(found, "fall") == pytest.approx(floor[0] - floor[1])
    assert estimate(found, "settled").value == pytest.approx(0.25)
    assert error(found, "settled") == pytest.approx(0.05)
