import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate
from valleys.nets import statistics
from valleys.nets.analysis import fluctuations
from valleys.nets.experiments.fluctuations import variance_exponents

PSI = np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]])  # by sampling and window
RUNS = np.array([-0.1, 0.0, 0.4])  # of the runs, added to it
RATE, LONG = 0.1, 20_000  # a window so long that the steady state shows


@pytest.fixture
def windows() -> xr.Dataset:
    """Components of widths 1 to 3 and curvatures 1/width; variances are powers of the width."""
    width, shape = np.geomspace(1, 3, 12), (2, 3, 3, 12)
    power = (PSI[..., None] + RUNS)[..., None]
    steady = width ** -(power + 10)
    curvature = 1 / width
    noise = steady * curvature * (2 - RATE * curvature) / RATE
    trend = np.zeros(shape)
    trend[:, -1, :, 0] = 0.6
    trend[0, -1, :, 0] += RUNS
    found = {
        "variance": width**-power,
        "width": width,
        "curvature": curvature,
        "noise": noise,
        "trend": trend,
        "surrogate_curvature": width**-2,
        "surrogate_variance": width ** -(power + 20),
    }
    dims = ("sampling", "window", "realization", "component")
    parts = {name: (dims, np.broadcast_to(values, shape)) for name, values in found.items()}
    attrs = {"learning_rate": RATE, "n_window": LONG}
    return xr.Dataset(parts, {"sampling": ["epochs", "redrawn"]}, attrs)


def test_each_way_to_the_exponent_is_told_of_the_first_and_the_last_window(windows):
    found = fluctuations.variance_findings(windows)
    shift = {"measured": 0, "steady": 10, "window": 10, "surrogate": 20}
    places = {"early": (0, 0), "late": (0, -1), "redrawn": (1, -1)}
    for name, more in shift.items():
        for key, place in places.items():
            expected = PSI[place] + RUNS.mean() + more
            assert estimate(found[f"psi_{name}_{key}"]).value == pytest.approx(expected, abs=5e-3)
    spread = statistics.mean(RUNS, np.random.default_rng(0))
    assert estimate(found["psi_measured_late"]).low == pytest.approx(PSI[0, -1] + spread.low)
    bent = 2 * (PSI[0, -1] + RUNS.mean())  # against the root of the width
    assert estimate(found["psi_bent"]).value == pytest.approx(bent)


def test_drift_is_counted_and_the_first_component_is_watched(windows):
    found = fluctuations.variance_findings(windows)
    assert found["drifting"] == pytest.approx(5 / 18)  # five of six runs of the last window
    assert estimate(found["trend"]).value == pytest.approx(0.6 + RUNS.mean())


def test_means_over_runs_keep_sampling_and_window_apart(windows):
    means = fluctuations.exponent_means(variance_exponents(windows), "measured")
    np.testing.assert_allclose(means.value, PSI + RUNS.mean())
    spread = statistics.mean(RUNS, np.random.default_rng(0))
    np.testing.assert_allclose(means.low, PSI + spread.low)
    np.testing.assert_allclose(means.high, PSI + spread.high)
    assert means.value.dims == ("sampling", "window")
