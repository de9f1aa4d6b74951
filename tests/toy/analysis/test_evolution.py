"""What is read off runs that move along y, against courses made by hand."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate
from valleys.toy import TwoValley
from valleys.toy.analysis import evolution
from valleys.toy.theory import at_fixed_y


def test_shares_at_the_end_are_compared_with_theory():
    dims = ("noise_strength", "step")
    variables = {"p_flat": (dims, [[0.5, 0.6], [0.5, 0.8]]), "mean_y": (dims, [[1, 5], [1, 6.0]])}
    moving = xr.Dataset(variables, {"noise_strength": [0.01, 0.1], "step": [0, 100]})
    moving = moving.assign(p_flat_error=(dims, [[0.1, 0.01], [0.1, 0.02]]))
    noises = {"effective_noise": [0.0001, 0.001], "time": [0.0, 1.0]}
    exact = xr.Dataset({"p_flat": (tuple(noises), [[0.1, 0.63], [0.1, 0.77]])}, noises)
    landscape = TwoValley()
    found = evolution.evolution_findings(landscape, moving, exact, 0.01)
    assert (estimate(found, "end_weak").value, error(found, "end_weak")) == (0.6, 0.01)
    assert (estimate(found, "end_strong").value, error(found, "end_strong")) == (0.8, 0.02)
    assert found["end_stray"] == pytest.approx(3)
    assert found["end_y"] == 6
    flat, sharp = at_fixed_y.rates_kramers(landscape, 6.0, 0.001)
    assert found["end_theory"] == pytest.approx(float(sharp / (sharp + flat)))


def test_the_net_flow_counts_once_the_start_is_forgotten():
    time = np.array([1.0, 6.0, 7.0, 8.0, 9.0])
    y = [[0, 1, 2, 3, 4.0], [0, 3, 3.9, 4.1, 9]]
    net = [[0.1, 0.2, 0.45, 0.6, 0.7], [0.9, 0.05, 0.07, 0.3, 0.4]]
    course = ("effective_noise", "time")
    exact = xr.Dataset({"mean_y": (course, y)}, {"effective_noise": [1e-4, 1e-3], "time": time})
    exact = exact.assign(to_flat=xr.full_like(exact.mean_y, 2.0))
    exact = exact.assign(to_sharp=exact.to_flat * (1 - xr.DataArray(net, dims=course)))
    found = evolution.flux_findings(exact, 1.0)
    assert found["start_spike"] == 5
    assert found["net_early"] == pytest.approx(0.07)
    assert (found["open_weak"], found["open_strong"]) == (2, 9)
