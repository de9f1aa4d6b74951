"""What windows buy, on a made-up result whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate, number
from valleys.toy.analysis.noise import windows_of_y as analysis
from valleys.toy.experiments.windows_of_y import WINDOWS


@pytest.fixture
def found():
    odds = np.array([81.0, 27.0, 3.0, 9.0, 3.0, 9.0, 81.0, 1.0])
    shares = np.array([odds / (1 + odds), np.full(8, 0.55)])
    dims = ("noise", "window")
    late = ("noise", "late_noise")
    return xr.Dataset(
        {
            "freezing_y": 13.0,
            "by_rates": (dims, shares),
            "p_flat": (dims, shares + np.array([[0.02], [0.0]])),
            "p_flat_error": (dims, np.full((2, 8), 0.01)),
            "small_steps": ("window", shares[0] - 0.003),
            "kept": (dims, np.tile([0, 0, 0.5, 0.1, 0, 0, 0, 0.9], (2, 1))),
            "late_from_half": (late, [[0.5, 0.9, 0.6], [0.5, 0.55, 0.55]]),
            "late_from_flat": (late, [[0.97, 0.9, 0.6], [0.97, 0.6, 0.55]]),
        },
        {
            "window": list(WINDOWS),
            "noise": ["hessian", "isotropic"],
            "late_noise": [0.003, 0.006, 0.03],
        },
    )


def test_what_is_bought_is_a_part_of_the_log_odds_of_noise_throughout(found):
    told = analysis.window_findings(found)
    parts = {"all": 1, "until": 0.75, "from": 0.25, "before": 0.5, "across": 1, "after": 0}
    for name, part in parts.items():
        assert number(told, f"bought_{name}") == pytest.approx(part, abs=1e-9)
    assert number(told, "share_until") == pytest.approx(27 / 28)
    assert estimate(told, "uniform_runs_all").value == pytest.approx(0.55)
    assert number(told, "small_gap") == pytest.approx(0.003)
    assert number(told, "forgotten") == pytest.approx(0.1)
    assert number(told, "remembered") == pytest.approx(0.9)


def test_late_noise_is_told_at_its_best_and_at_its_strongest(found):
    told = analysis.window_findings(found)
    assert number(told, "late_best") == pytest.approx(0.9)
    assert number(told, "late_best_noise") == pytest.approx(2)
    assert number(told, "late_strong") == pytest.approx(0.6)
    assert number(told, "late_uniform") == pytest.approx(0.55)


def test_runs_are_held_against_rates_in_standard_errors(found):
    np.testing.assert_allclose(analysis.pulls(found), [[2.0] * 8, [0.0] * 8], atol=1e-9)
