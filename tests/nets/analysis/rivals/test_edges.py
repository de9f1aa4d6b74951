import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.rivals.edges import edge_findings, over_edge

SIZES, MOMENTA = [20, 100], [0.0, 0.9]


def made_up():
    """Curvature 80 in the first half and 40 in the second, times a factor of the setting."""
    dims = ("start", "batch_size", "momentum", "look")
    course = np.array([80.0, 80.0, 40.0, 40.0])
    factor = np.array([[0.5, 0.6], [1.0, 2.0]])[None, :, :, None] * np.ones((4, 1, 1, 1))
    time = np.array([0.0, 4.0, 8.0, 10.0]) * np.ones_like(factor)
    found = xr.Dataset({"sharpness": (dims, factor * course), "time": (dims, time)})
    found["batch_sharpness"] = 2 * found.sharpness
    ends = {"lower_edge": 40.0, "upper_edge": 160.0, "freezing_time": 10.0}
    found = found.assign(
        {name: (dims[:3], np.full((4, 2, 2), each)) for name, each in ends.items()}
    )
    return found.assign_coords(batch_size=SIZES, momentum=MOMENTA)


def test_only_the_second_half_of_the_search_counts():
    found = over_edge(made_up(), "sharpness", "lower_edge")
    assert found.sel(batch_size=100, momentum=0.0).values.tolist() == pytest.approx([1.0] * 4)


def test_findings_of_known_courses():
    told = edge_findings(made_up())
    wanted = {"full": 1.0, "small": 0.5, "gap": 0.5, "batch": 1.0, "momentum_batch": 1.2}
    for name, value in wanted.items():
        assert estimate(told, f"edge_{name}").value == pytest.approx(value)
    assert estimate(told, "edge_momentum_full").value == pytest.approx(0.5)
    assert (told["edge_small_size"], told["edge_momentum"]) == (20, 0.9)
