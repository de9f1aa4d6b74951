import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.windows import branches as analysis

LEVEL = 0.02
GAINS = np.array([0.1, 0.3, 0.2, -0.05])  # of the parts
WALLS = np.array([0.0, 1.5, 0.5, 0.005])  # between their ends, over the loss
RISES = np.array([1.0, 4.0, 8.0, 1.0])  # highest loss over the first


def found(n_starts=3, n_runs=2) -> xr.Dataset:
    """One window, in four parts of which one ends behind a wall and one is thrown up."""
    n = len(GAINS) + 1
    flat = np.exp(np.concatenate([[0], GAINS.cumsum()]))
    wall = np.full((n, n), 3.0)
    for part, height in enumerate(WALLS):
        wall[part, part + 1] = wall[part + 1, part] = height
    np.fill_diagonal(wall, 0)
    shape = (1, n_starts, n_runs)
    run = ("window", "start", "run")
    values = {
        "flatness": ((*run, "moment"), flat * np.ones((*shape, 1))),
        "wall": ((*run, "moment", "other"), LEVEL * wall * np.ones((*shape, 1, 1))),
        "loss": ((*run, "moment"), 0.1 * np.ones((*shape, n))),
        "peak": ((*run, "link"), 0.1 * RISES * np.ones((*shape, 1))),
    }
    coords = {"opens": ("window", [1.0]), "closes": ("window", [2.0])}
    return xr.Dataset(values, coords, {"level": LEVEL})


def test_each_part_goes_one_way():
    told = analysis.links(found())
    np.testing.assert_allclose(told.gain[0, 0, 0], GAINS)
    np.testing.assert_allclose(told.wall[0, 1, 1], WALLS)
    assert told.way[0, 0, 0].values.tolist() == [0, 1, 2, 0]
    low = analysis.links(found(), tall=analysis.HUNDREDTH)
    assert low.way[0, 0, 0].values.tolist() == [0, 1, 2, 0]
    assert analysis.links(found(), tall=0.001).way[0, 0, 0].values.tolist() == [0, 1, 2, 1]


def test_the_ways_add_up_to_the_whole_gain():
    told = analysis.window_branches_findings(found())
    ways = {"drift": 0.05, "jump": 0.3, "thrown": 0.2}
    for way, gain in ways.items():
        assert estimate(told, f"after_{way}").value == pytest.approx(gain)
    assert estimate(told, "after_gain").value == pytest.approx(GAINS.sum())
    assert estimate(told, "after_drift_share").value == pytest.approx(0.05 / GAINS.sum())
    assert estimate(told, "after_drift_share_tenth").value == pytest.approx(0.05 / GAINS.sum())
    assert estimate(told, "after_drift_share_cent").value == pytest.approx(0.05 / GAINS.sum())
    assert estimate(told, "after_drift_parts").value == pytest.approx(0.5)
    assert estimate(told, "after_smooth").value == pytest.approx(0.5)
    walls = {part: estimate(told, f"after_{part}_wall").value for part in ("end", "first", "later")}
    assert walls == pytest.approx({"end": 3, "first": 0, "later": 1.5})
    assert (told["n_links"], told["n_starts"], told["n_runs"]) == (4, 3, 2)


def test_parts_without_a_branch_are_left_out():
    data = found()
    data.flatness[0, 0, 0, -1] = np.nan
    told = analysis.links(data)
    assert np.isnan(told.way[0, 0, 0, -1])
    gain = estimate(analysis.window_branches_findings(data), "after_drift").value
    assert gain == pytest.approx(((0.1 + 0.05) / 2 + 2 * 0.05) / 3)


def test_walls_by_the_time_between():
    told = analysis.growth(found())
    assert told.apart.values.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(told.wall[0], [np.median(WALLS), 3, 3, 3])
    np.testing.assert_allclose(told.doubled[0], [0.25, 1, 1, 1])
