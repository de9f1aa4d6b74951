import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.neighbours.bounces import against_calm, bounce_findings, kept


def made_up(floor=2.0, bouncing=4.0):
    """Flatness of one by gradient descent, and more by both walkers."""
    ones = np.ones((4, 3))
    flat = np.stack([bouncing * ones, floor * ones, ones])
    dims, hows = ("how", "start", "run"), ["bouncing", "floor", "calm"]
    found = xr.Dataset({"flatness": (dims, flat), "distance": (dims, flat + 1)}, {"how": hows})
    return found.assign(left_loss=(dims, 10 * flat))


def test_what_is_kept_is_a_share_of_the_logarithm():
    assert kept(made_up()).value == pytest.approx(0.5)
    assert kept(made_up(floor=4.0)).value == pytest.approx(1.0)
    assert np.isnan(kept(made_up(bouncing=1.0)).low)  # nothing to keep


def test_findings_of_known_walkers():
    told = bounce_findings(made_up())
    wanted = {"flat": 0.5, "far": 0.6, "loss": 0.5, "noise": 4.0, "kept": 0.5}
    assert set(told) == {f"floor_{name}" for name in wanted}
    for name, value in wanted.items():
        assert estimate(told, f"floor_{name}").value == pytest.approx(value), name


def test_both_are_held_against_gradient_descent():
    assert against_calm(made_up()).flat.values == pytest.approx([4.0, 2.0])
