"""A packet of runs is told by its mean, its width and its shares."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy.analysis import evolution
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import p_flat_exact

LANDSCAPE = TwoValley()
TIMES = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
NOISE = 1e-3


@pytest.fixture(scope="module")
def runs() -> xr.Dataset:
    """A hundred runs that move by 0.1 per unit of time, of the width 0.01 · time, three in four of
    them on the flat side.
    """
    spread = np.random.default_rng(0).standard_normal(100)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    y = 2 + 0.1 * TIMES + 0.01 * TIMES * spread[:, None]
    x = np.where(np.arange(100) % 4, 0.1, -0.1)[:, None] * np.ones(6)
    dims = ("run", "step")
    steps = {"step": np.arange(6), "time": ("step", TIMES)}
    return xr.Dataset({"x": (dims, x), "y": (dims, y)}, steps)


def test_a_packet_has_the_mean_and_width_of_its_runs(runs):
    found = evolution.packet(LANDSCAPE, runs, NOISE)
    np.testing.assert_allclose(found.mean_y, 2 + 0.1 * TIMES)
    np.testing.assert_allclose(found.width, 0.01 * TIMES, atol=1e-12)
    np.testing.assert_allclose(found.p_flat, 0.75)


def test_drift_without_noise_is_the_floor_of_the_loss_descended(runs):
    """A thousand small steps of gradient descent along the floor."""
    found, y = evolution.packet(LANDSCAPE, runs, 1e-7), 2.0
    for _ in range(1000):
        y -= 0.05 * float(LANDSCAPE.gradient(LANDSCAPE.valley_positions(y)[0], y)[1])
    assert float(found.drift_y[-1]) == pytest.approx(y, rel=1e-3)


def test_histograms_are_densities_about_the_mean(runs):
    found = evolution.packet_histograms(runs)
    bin_width = float(found.offset[1] - found.offset[0])
    np.testing.assert_allclose(found.density.sum("offset") * bin_width, 1)
    assert list(found.time) == [10.0, 40.0, 50.0]
    widths = np.sqrt((found.density * found.offset**2).sum("offset") * bin_width)
    np.testing.assert_allclose(widths, [0.1, 0.4, 0.5], rtol=0.1)


def test_findings_compare_the_ends(runs):
    found = evolution.packet_findings(LANDSCAPE, evolution.packet(LANDSCAPE, runs, NOISE), NOISE)
    assert number(found, "y_end") == pytest.approx(7)
    assert number(found, "travelled") == pytest.approx((7 - number(found, "y_half")) / 0.5)
    assert number(found, "growth_far") == pytest.approx(3500)
    assert number(found, "growth") > 0
    assert estimate(found, "early").value == 0.75
    assert error(found, "late") == pytest.approx(0.043, abs=1e-3)
    for when, y in (("early", 3.0), ("late", 7.0)):
        steady = float(p_flat_exact(LANDSCAPE, y, NOISE))
        assert number(found, f"{when}_steady") == pytest.approx(steady)
