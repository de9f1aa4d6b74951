import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

from tests.nets.expected import estimate
from valleys.nets.analysis import flattening
from valleys.toy.landscapes import two_valley
from valleys.toy.theory import freezing


def test_the_floor_is_that_of_the_two_valley_model():
    y = np.array([0.5, 3.0, 40.0, 800.0])
    loss, flat = flattening.model_floor(y)
    model = two_valley.TwoValley()
    for place, bent in zip(model.valley_positions(y), model.flatness(y), strict=True):
        np.testing.assert_allclose(loss, model.loss(place, y), rtol=1e-9)
        np.testing.assert_allclose(flat / flat[0], bent / bent[0], rtol=1e-12)
    assert flattening.model_floor(np.array([1e9]))[1] == pytest.approx(1)


def test_the_separation_of_the_model_is_that_of_a_run_down_its_floor():
    """τ_y from the loss lost in a short time of drift, τ_x from the curvature."""
    model, y, short = two_valley.TwoValley(), np.array([0.5, 10.0, 90.0]), 1e-3
    later = y + short * freezing.drift_speed(model, y)
    before, after = (model.loss(model.valley_positions(place)[0], place) for place in (y, later))
    expected = freezing.relaxation_times(model, y)[0] * np.log(before / after) / short
    np.testing.assert_allclose(flattening.model_separation(y), expected, rtol=1e-3)


def _sweep(power, rates=(0.05, 0.1, 0.2), sizes=(20, 100), runs=4):
    """Runs whose flatness is c · L^(−power) with c ∝ η^0.3 times the batch factor of 1000 images
    to the power 0.1, but for a little noise between runs.
    """
    loss = np.geomspace(1, 1e-3, 61)
    rng = np.random.default_rng(0)
    scale = np.array(
        [[rate**0.3 * ((1000 - size) / 999 / size) ** 0.1 for rate in rates] for size in sizes]
    )[..., None] * np.exp(0.001 * rng.standard_normal((len(sizes), len(rates), runs)))
    dims = ("batch_size", "learning_rate", "realization")
    flat = scale[..., None] * loss**-power
    far = np.ones((*scale.shape, runs)) - np.eye(runs)
    parts = {
        "train_loss": ((*dims, "record"), np.broadcast_to(loss, flat.shape)),
        "flatness": ((*dims, "record"), flat),
    }
    parts |= {
        "converged": (dims, np.ones(scale.shape, bool)),
        "weight_distance": ((*dims, "other"), far),
    }
    return xr.Dataset(parts, {"batch_size": list(sizes), "learning_rate": list(rates)})


def test_a_power_of_the_loss_is_found():
    flat = flattening.at_losses(_sweep(0.7), (0.3, 0.1, 0.01))
    slopes = flattening.flattening_exponents(flat)
    np.testing.assert_allclose(slopes, 0.7, rtol=1e-6)
    found = flattening.mean_exponent(slopes.sel(level=0.01), np.random.default_rng(0))
    assert found.value == pytest.approx(0.7)


def test_powers_of_the_learning_rate_and_of_the_batch_size_are_told_apart():
    flat = flattening.at_losses(_sweep(0.7), (0.1,))
    by_rate, by_batch = flattening.noise_exponents(
        flat.sel(level=0.1), 1000, np.random.default_rng(0)
    )
    assert by_rate.low < 0.3 < by_rate.high
    assert by_batch.low < 0.1 < by_batch.high


def test_copies_of_one_run_count_once_and_a_level_that_is_not_reached_is_unknown():
    sweep = _sweep(0.7)
    sweep["weight_distance"] = xr.zeros_like(sweep.weight_distance)
    flat = flattening.at_losses(sweep, (0.1, 1e-6))
    assert np.isfinite(flat.sel(level=0.1)).sum() == 6
    assert np.isnan(flat.sel(level=1e-6)).all()
    assert np.isnan(
        flattening.mean_exponent(
            flattening.flattening_exponents(flat).sel(level=1e-6), np.random.default_rng(0)
        ).value
    )


def test_the_model_saturates_as_its_expansion_says():
    """Far along, f = 1 − L (y_b − y_f)/y_f, so that d ln f / d(−ln L) is L/2."""
    assert flattening.model_exponent(1.01e-3, 0.99e-3) == pytest.approx(0.5e-3, rel=0.02)


def test_between_two_places_the_model_has_the_exponent_of_their_losses():
    (high, low), _ = flattening.model_floor(np.array([5.0, 40.0]))
    assert flattening.model_slope(5.0, 40.0) == pytest.approx(
        flattening.model_exponent(high, low), rel=1e-4
    )


@pytest.fixture
def kinked() -> xr.DataArray:
    """Flatness at three losses, of the exponents ½ and 1, times η^0.3 β^0.2; no noise is
    tenfold.
    """
    levels, sizes, rates = [1.0, 0.1, 0.01], [10, 100, 1000], [0.1, 0.2]
    course = np.array([1.0, 10**0.5, 10**1.5])
    factors = np.array([(1000 - size) / 999 / size for size in sizes])
    scale = np.outer(np.where(factors > 0, factors**0.2, 10), np.array(rates) ** 0.3)
    flat = np.multiply.outer(np.multiply.outer(scale, [0.9, 1.0, 1.1]), course)
    flat[2, :, 1:] = np.nan
    flat[0, 0, 0, 1:] = np.nan  # a run that stays at a high loss
    coords = {"batch_size": sizes, "learning_rate": rates, "level": levels}
    return xr.DataArray(flat, coords, ("batch_size", "learning_rate", "realization", "level"))


def slope_of_the_model(high: float, low: float) -> float:
    """Of ln f against −ln L between two losses on the floor of the model (Eqs. 10 to 12, Table
    S1).
    """

    def above(y: float, level: float) -> float:
        return np.exp(-y / 100) + 1 - (y / (y + 20)) ** 2 - level

    places = np.array([brentq(above, 1e-6, 1e9, args=(level,)) for level in (high, low)])
    flat = ((places + 20) / (places + 30)) ** 2
    return np.log(flat[1] / flat[0]) / np.log(high / low)


def test_the_exponents_of_networks_and_of_the_model_are_told_from_both_ends(kinked):
    found = flattening.flattening_findings(kinked, 1000)
    assert estimate(found["s_first"]).value == pytest.approx(0.5)
    assert estimate(found["s_last"]).value == pytest.approx(1)
    assert found["model_first"] == pytest.approx(slope_of_the_model(1.0, 0.1), rel=1e-4)
    assert found["model_last"] == pytest.approx(slope_of_the_model(0.1, 0.01), rel=1e-4)
    assert found["flat_runs"] == 11 + 2


def test_flatness_at_one_loss_goes_with_the_rate_and_the_batch_factor(kinked):
    whole = kinked.copy()
    whole[0, 0, 0, 1:] = whole[0, 0, 1, 1:] * 0.9
    found = flattening.flattening_findings(whole, 1000)
    assert estimate(found["by_rate"]).value == pytest.approx(0.3)
    assert estimate(found["by_batch"]).value == pytest.approx(0.2)


def test_a_course_of_exponents_stands_at_the_lower_loss(kinked):
    course = flattening.exponent_courses(kinked)
    np.testing.assert_allclose(course.level, [0.1, 0.01])
    np.testing.assert_allclose(course.higher, [1, 0.1])
    np.testing.assert_allclose(course.value, [0.5, 1])
    np.testing.assert_allclose(course.low, [0.5, 1])
    np.testing.assert_allclose(course.model[0], slope_of_the_model(1.0, 0.1), rtol=1e-4)


def test_the_exponent_of_the_model_falls_along_a_run():
    found = flattening.model_run_findings(5.0, 40.0)
    y = np.array([5.0, 40.0])
    loss, flat = flattening.model_floor(y)
    expected = np.log(flat[1] / flat[0]) / np.log(loss[0] / loss[1])
    assert found["model_run"] == pytest.approx(expected)
    middle = 1.005 * y  # of ln f and ln L, by their derivatives in y
    bent = 2 / (middle + 20) - 2 / (middle + 30)
    loss = flattening.model_floor(middle)[0]
    fall = (np.exp(-middle / 100) / 100 + 40 * middle / (middle + 20) ** 3) / loss
    ends = [found["model_run_first"], found["model_run_last"]]
    assert ends == pytest.approx(bent / fall, rel=1e-4)
