import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.neighbours.floors import drift, floor_findings, log_power

RATES, SIZES = [0.08, 0.08, 0.08, 0.04, 0.02], [10, 20, 40, 10, 10]


def made_up(rate_power=1.0, size_power=1.0):
    """Gains that are powers of the rate and of one over the size."""
    gain = np.array(RATES) ** rate_power / np.array(SIZES) ** size_power
    scatter = 1e-3 * np.random.default_rng(0).standard_normal((5, 6, 3)) * gain[:, None, None]
    gains = gain[:, None, None] + scatter
    dims = ("setting", "start", "run")
    found = xr.Dataset({"flatness": (dims, 3 * np.exp(gains))})
    found["sharpness"] = (dims, 10 * np.exp(-gains))
    found["active"] = (dims, 0.5 * np.exp(-gains))
    found["wall"] = (dims, np.full(gains.shape, 1e-4))
    for name, value in (("flatness", 3.0), ("sharpness", 10.0), ("active", 0.5), ("harvest", 0.4)):
        known = name if name == "harvest" else f"calm_{name}"
        found[known] = (("start", "run"), np.full((6, 3), value))
    coords = {"rate": ("setting", RATES), "size": ("setting", SIZES)}
    return found.assign_coords(coords).assign_attrs(level=0.01)


@pytest.mark.parametrize(("rate_power", "size_power"), [(1.0, 1.0), (2.0, 0.5)])
def test_powers_are_those_of_the_gains(rate_power, size_power):
    told = floor_findings(made_up(rate_power, size_power))
    assert estimate(told, "drift_rate_power").value == pytest.approx(rate_power, abs=0.01)
    assert estimate(told, "drift_size_power").value == pytest.approx(size_power, abs=0.01)


def test_findings_of_known_floors():
    told = floor_findings(made_up())
    strongest, weakest = 0.08 / 10, 0.02 / 10
    wanted = {
        "drift_gain": np.exp(strongest),
        "drift_wall": 0.01,
        "sparse_long": np.exp(-strongest),
        "decay_sharp": np.exp(strongest - weakest),
        "harvest_loss": 0.4,
    }
    for name, value in wanted.items():
        found = estimate(told, name)
        assert found.value == pytest.approx(value, rel=1e-4), name
        assert found.low <= value * 1.0001, name
        assert found.high >= value * 0.9999, name


def test_a_power_of_gains_that_are_losses_is_unknown():
    assert np.isnan(log_power(np.array([1.0, 2.0]), np.array([-1.0, 1.0])))


def test_means_stand_beside_their_settings():
    found = drift(made_up())
    np.testing.assert_allclose(found.noise, np.array(RATES) / SIZES)
    np.testing.assert_allclose(found.gain, found.noise, rtol=1e-2)
    assert ((found.gain_low <= found.gain) & (found.gain <= found.gain_high)).all()
