import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.rivals.branches import branch_findings, effect, effects, wall
from valleys.nets.experiments.rivals.branches import HOWS

MOMENTS = (0.5, 1.0, 1.5)


def made_up(*, sam=(3.0, 2.0, 1.5), spread=1.0, n_starts=5, n_runs=3):
    """Flatness of plain branches 1, 2, 4 times a factor of the start; walls known."""
    rng = np.random.default_rng(0)
    own = np.exp(spread * rng.standard_normal((n_starts, 1, 1, 1))) * np.ones((1, 1, 1, n_runs))
    factors = np.array([[1.0, 1.0, 1.0], sam, [2.0, 2.0, 2.0]])[None, :, :, None]
    flat = own * factors * np.array([1.0, 2.0, 4.0])[None, None, :, None]
    walls = np.array([[0.0] * 3, [0.02, 0.004, 0.001], [0.01] * 3])[None, :, :, None]
    dims = ("start", "how", "moment", "run")
    values = {
        "flatness": flat,
        "accuracy": 0.8 + 0.01 * factors * np.ones_like(flat),
        "wall": walls * np.ones_like(flat),
    }
    found = xr.Dataset({name: (dims, each) for name, each in values.items()})
    return found.assign_coords(how=list(HOWS), moment=list(MOMENTS)).assign_attrs(level=0.01)


def test_factors_are_the_known_ones_and_starts_cancel():
    told = effect(made_up(), "sam", 1.5)
    assert (told.value, told.low, told.high) == pytest.approx((1.5, 1.5, 1.5))
    assert wall(made_up(), "sam", 1.0).value == pytest.approx(0.4)


def test_the_effects_are_those_of_each_branch():
    told = effects(made_up())
    assert told.flat.sel(how="sam").values.tolist() == pytest.approx([3, 2, 1.5])
    assert told.gain.sel(how="noisy").values.tolist() == pytest.approx([1, 1, 1])
    assert told.wall_high.sel(how="sam").values.tolist() == pytest.approx([2, 0.4, 0.1])


def test_findings_of_known_branches():
    told = branch_findings(made_up(spread=0.0))
    assert estimate(told, "branch_early").value == pytest.approx(3)
    assert estimate(told, "branch_late").value == pytest.approx(1.5)
    assert estimate(told, "branch_late_early").value == pytest.approx(1.5 * 4 / 3)
    assert estimate(told, "branch_wall").value == pytest.approx(0.4)
    assert estimate(told, "early_wall").value == pytest.approx(2)
    assert estimate(told, "branch_gain").value == pytest.approx(0.5)
    assert told["branch_came"] == 1
