import numpy as np
import pytest
import xarray as xr

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
    """Runs whose flatness is c · L^(−power) with c ∝ η^0.3 times the batch factor of 1000 images to the power 0.1, but for a little noise between runs."""
    loss = np.geomspace(1, 1e-3, 61)
    rng = np.random.default_rng(0)
    scale = np.array([[rate**0.3 * ((1000 - size) / 999 / size) ** 0.1 for rate in rates] for size in sizes])[..., None] * np.exp(
        0.001 * rng.standard_normal((len(sizes), len(rates), runs))
    )
    dims = ("batch_size", "learning_rate", "realization")
    flat = scale[..., None] * loss**-power
    far = np.ones((*scale.shape, runs)) - np.eye(runs)
    parts = {"train_loss": ((*dims, "record"), np.broadcast_to(loss, flat.shape)), "flatness": ((*dims, "record"), flat)}
    parts |= {"converged": (dims, np.ones(scale.shape, bool)), "weight_distance": ((*dims, "other"), far)}
    return xr.Dataset(parts, {"batch_size": list(sizes), "learning_rate": list(rates)})


def test_a_power_of_the_loss_is_found():
    flat = flattening.at_losses(_sweep(0.7), (0.3, 0.1, 0.01))
    slopes = flattening.flattening_exponents(flat)
    np.testing.assert_allclose(slopes, 0.7, rtol=1e-6)
    found = flattening.mean_exponent(slopes.sel(level=0.01), np.random.default_rng(0))
    assert found.value == pytest.approx(0.7)


def test_powers_of_the_learning_rate_and_of_the_batch_size_are_told_apart():
    flat = flattening.at_losses(_sweep(0.7), (0.1,))
    by_rate, by_batch = flattening.noise_exponents(flat.sel(level=0.1), 1000, np.random.default_rng(0))
    assert by_rate.low < 0.3 < by_rate.high
    assert by_batch.low < 0.1 < by_batch.high


def test_copies_of_one_run_count_once_and_a_level_that_is_not_reached_is_unknown():
    sweep = _sweep(0.7)
    sweep["weight_distance"] = xr.zeros_like(sweep.weight_distance)
    flat = flattening.at_losses(sweep, (0.1, 1e-6))
    assert np.isfinite(flat.sel(level=0.1)).sum() == 6
    assert np.isnan(flat.sel(level=1e-6)).all()
    assert np.isnan(flattening.mean_exponent(flattening.flattening_exponents(flat).sel(level=1e-6), np.random.default_rng(0)).value)


def test_the_model_saturates_as_its_expansion_says():
    """Far along, f = 1 − L (y_b − y_f)/y_f, so that d ln f / d(−ln L) is L/2."""
    assert flattening.model_exponent(1.01e-3, 0.99e-3) == pytest.approx(0.5e-3, rel=0.02)


def test_between_two_places_the_model_has_the_exponent_of_their_losses():
    (high, low), _ = flattening.model_floor(np.array([5.0, 40.0]))
    assert flattening.model_slope(5.0, 40.0) == pytest.approx(flattening.model_exponent(high, low), rel=1e-4)
