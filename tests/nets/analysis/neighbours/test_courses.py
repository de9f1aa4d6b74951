import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.neighbours.courses import (
    course_findings,
    rise_ends,
    sharpness_courses,
)

AXES = {"start": range(4), "learning_rate": [0.1, 0.4], "batch_size": [10, 40], "run": range(2)}


def made_up():
    """Sharpness peaks at 8 and noise at 2, over the square root of the rate, times that of the
    batch size; small batches and large rates end the rise earlier.
    """
    dims = (*AXES, "look")
    shape = tuple(len(values) for values in AXES.values())
    rate = np.array(AXES["learning_rate"])[None, :, None, None, None] / 0.1
    size = np.array(AXES["batch_size"])[None, None, :, None, None] / 10
    factor = np.sqrt(size / rate) * np.ones((*shape, 1))
    course = np.array([1.0, 4.0, 8.0, 2.0])
    late = np.array([1.0, 2.0, 4.0, 8.0])
    courses = np.where(rate * np.ones_like(size) > 1, course, late)
    sharpness = (("start", "learning_rate", "batch_size", "run", "look"), factor * courses)
    found = xr.Dataset({"sharpness": sharpness}, coords={k: list(v) for k, v in AXES.items()})
    found["noise"] = found.sharpness / 4
    found["evenness"] = (dims, 0.1 * rate * np.ones((*shape, 4)))
    found["active"] = (dims[:-1], (0.8 / rate * np.ones((*shape, 1)))[..., 0])
    found["rank"] = (dims[:-1], (20 / np.sqrt(rate) * np.ones((*shape, 1)))[..., 0])
    time = np.broadcast_to(np.array([0.0, 1.0, 2.0, 4.0]), (4, 2, 2, 4))
    found["time"] = (("start", "learning_rate", "batch_size", "look"), time)
    return found


def test_the_rise_ends_where_sharpness_is_nearly_highest():
    ends = rise_ends(made_up())
    assert np.unique(ends.sel(learning_rate=0.4)).tolist() == [2.0]
    assert np.unique(ends.sel(learning_rate=0.1)).tolist() == [4.0]


def test_findings_of_known_courses():
    told = course_findings(made_up())
    wanted = {
        "break_rate_sharp": 0.5,
        "break_size_sharp": 0.5,
        "break_rate_later": 0.5,
        "break_size_later": 0.5,
        "break_rate_noise": 0.5,
        "break_size_noise": 0.5,
        "break_rate_early": 0.5,
        "break_size_early": 1.0,
        "break_rate_even": 4.0,
        "sparse_active": 0.25,
        "sparse_rank": 0.5,
    }
    assert set(told) == set(wanted)
    for name, value in wanted.items():
        found = estimate(told, name)
        assert [found.value, found.low, found.high] == pytest.approx([value] * 3), name


def test_a_steep_start_hides_what_comes_later():
    found = made_up()
    steep = found.assign(sharpness=found.sharpness.where(found.time > 0, 1000.0))
    told = course_findings(steep)
    assert estimate(told, "break_rate_sharp").value == pytest.approx(1)
    assert estimate(told, "break_rate_later").value == pytest.approx(0.5)


def test_courses_are_geometric_means():
    found = sharpness_courses(made_up())
    assert found.sharpness.sel(learning_rate=0.1).max() == pytest.approx(8 * np.sqrt(2))
    assert found.time.dims == ("learning_rate", "look")
