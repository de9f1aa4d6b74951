"""Runs over an uneven ridge are those of the plain step, and their freezings are counted right."""

import itertools

import numpy as np
import pytest

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.landscapes.uneven import UnevenValley
from valleys.toy.simulation import reference
from valleys.toy.simulation.langevin import START_X, phase_diagram, streams
from valleys.toy.simulation.uneven import freezings

SETTING = {"learning_rate": 0.1, "noise_strength": 0.02, "n_runs": 40, "n_steps": 600}


def ways(landscape):
    """x and y of the same runs at every step, (step, run)."""
    rng = np.random.default_rng(streams(3))
    n_runs, rate, strength = SETTING["n_runs"], SETTING["learning_rate"], SETTING["noise_strength"]
    way = [(np.where(np.arange(n_runs) % 2, START_X, -START_X), np.full(n_runs, 1.0))]
    for _ in range(SETTING["n_steps"]):
        way.append(reference.step(landscape, *way[-1], rate, strength, "hessian", rng))
    return np.array(way).transpose(1, 0, 2)


def test_freezings_are_the_long_ways_between_changes_of_side():
    landscape = UnevenValley(ripple=0.6, wave_number=6.0)
    found = freezings(landscape, **SETTING, seed=3)
    xs, ys = ways(landscape)
    counts = []
    for x, y in zip(xs.T, ys.T, strict=True):
        changes = 1 + np.flatnonzero(np.diff(x >= 0))
        stops = [y[0], *y[changes], y[-1]]
        counts.append(sum(b - a > np.pi / 6 for a, b in itertools.pairwise(stops)))
    assert float(found.freezings) == pytest.approx(np.mean(counts))
    assert float(found.p_flat) == np.mean(xs[-1] > 0)
    assert float(found.end_y) == pytest.approx(ys[-1].mean())


def test_without_a_ripple_runs_end_as_those_of_the_compiled_walk():
    runs = {"n_runs": 2000, "n_steps": 1500, "start_y": 1.0}
    even = freezings(UnevenValley(ripple=0.0), 0.1, 0.02, **runs, seed=1)
    walk = phase_diagram(TwoValley(), [0.1], [0.02], **runs, seed=2).squeeze()
    for name in ("p_flat", "freezing_y"):
        error = np.hypot(even[f"{name}_error"], walk[f"{name}_error"])
        assert abs(even[name] - walk[name]) < 4 * error


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="noise strength"):
        freezings(UnevenValley(), 0.1, -0.02)
