import numpy as np
import pytest
import xarray as xr

from tests.nets.analysis.walk.conftest import MULTIPLES, RUNS, SETTING, runs_of
from tests.nets.expected import estimate
from valleys.nets import statistics
from valleys.nets.analysis.walk import floors

RUN = (*SETTING, "realization")
WILD, CALM, WHOLE = range(3)  # in the grid's batch sizes
FAST, SLOW, MIDDLE = range(3)  # in its learning rates
RATIO = np.log(1.5625)  # of the times of two windows that are compared


@pytest.fixture
def scanned(grid) -> xr.Dataset:
    """Walks with seven hills: four at the largest learning rate, one of them above the walk."""
    runs = runs_of(np.ones((3, 3)).tolist())
    lone = np.where(np.isfinite(runs), 1.0, np.nan)
    hills = np.multiply.outer(0 * lone, np.ones((5, 5)))
    hills[WILD, FAST, 0, 0, 1:4] = 0.02
    hills[WILD, FAST, 0, 4, 0] = 0.02  # looks back
    hills[WILD, FAST, 1, 2, 3] = 0.6
    hills[CALM, MIDDLE, 2, 1, 2:4] = 0.02
    hills[CALM, MIDDLE, 3, 1, 2:4] = 0.005  # too low
    hills[WHOLE, SLOW, 0, 0, 4] = 0.02
    inside = np.multiply.outer(0 * lone, np.ones(5))
    inside[WILD, FAST, :2, 0] = 0.02
    floor = np.multiply.outer(lone, [1.0, 1.0, 1.0, 1.0, 2.0])
    pairs = np.full((3, 3, 4, 4, 5), np.nan)
    pairs[:WHOLE] = 2.0
    pairs[WILD, MIDDLE, *np.triu_indices(4, 1)] = np.arange(1.0, 7)[:, None]
    parts = {
        "along_hill": ((*RUN, "window", "other"), hills),
        "hill_within": ((*RUN, "window"), inside),
        "floor_loss": ((*RUN, "window"), floor),
        "height": ((*RUN, "window"), 0.5 * floor),
        "across_hill": ((*RUN, "partner", "window"), pairs),
    }
    return grid.assign(parts)


def test_hills_are_counted_ahead_and_against_what_they_stand_on(scanned, compared):
    found = floors.floor_findings(scanned, compared)
    assert estimate(found["hills"]).value == pytest.approx(
        7 / 10 / 27
    )  # 10 pairs of windows, 27 runs
    assert estimate(found["hills"]).low < 7 / 10 / 27 < estimate(found["hills"]).high
    counts = {"found": 7, "scans": 270, "any": 4, "walks": 27, "crawl_found": 1, "crawl_scans": 10}
    counts |= {"above": 1, "within": 2, "windows": 135}
    assert {name: found[name] for name in counts} == counts
    assert estimate(found["control"]).value == pytest.approx(3.5 / 2)


def test_hills_are_told_apart_by_learning_rate_and_batch_size(scanned, compared):
    found = floors.hill_findings(scanned, compared)
    assert found["found_fast"] == 4
    assert estimate(found["hills_fast"]).value == pytest.approx(4 / 10 / 9)
    assert estimate(found["hills_rest"]).value == pytest.approx(3 / 10 / 18)
    wild = statistics.mean(np.array([0.3, 0.1, 0.0, 0.0]), np.random.default_rng(0))
    assert estimate(found["hills_wild"]).value == pytest.approx(wild.value)
    assert estimate(found["hills_wild"]).high == pytest.approx(wild.high)
    assert estimate(found["hills_calm"]).value == 0
    assert estimate(found["hills_descent"]).value == 0
    assert np.isnan(estimate(found["hills_descent"]).low)


def test_walls_overtake_the_bounce_before_or_after_freezing(scanned, compared):
    height = np.multiply.outer(runs_of(np.ones((3, 3)).tolist()), [9.0, 5.0, 3.0, 1.0, 0.5])
    walls = np.full((3, 3), 2.0)  # higher than the bounce from time 4 on
    walls[WILD, MIDDLE] = 4.0  # from time 2 on
    walls[CALM, SLOW] = 0.1  # never
    frozen = runs_of([[5.0, 3.2, 5.0], [5.0, 5.0, 16.0], [5.0] * 3])
    frozen[WILD, FAST, 1:] = np.nan  # one run in four freezes
    pairs = np.broadcast_to(walls[:, :, None, None, None], (3, 3, 4, 4, 5)).copy()
    parts = {"height": ((*RUN, "window"), height), "freezing_time": (RUN, frozen)}
    pairs[WHOLE] = np.nan
    parts |= {"across_hill": ((*RUN, "partner", "window"), pairs)}
    found = floors.wall_findings(scanned.assign(parts), compared)
    assert found["overtaken"] == 2.0
    assert estimate(found["froze"]).value == pytest.approx(5)
    assert found["age"] == pytest.approx(0.4)
    assert found["often"] == 5
    assert found["before"] == 3  # 2/5, 4/5 and 4/16; 4/3.2 comes later, and one wall never does
    assert found["age_low"] == pytest.approx(0.25)
    assert found["age_high"] == pytest.approx(1.25)


def test_gradient_descent_does_not_count_among_the_ages(scanned, compared):
    late = scanned.freezing_time.where(scanned.batch_size < 1000, 1e3)
    walled = scanned.assign(freezing_time=late, across_hill=scanned.across_hill.fillna(2.0))
    found = floors.wall_findings(walled, compared)  # walls are higher than the bounce all along
    assert (found["often"], found["before"]) == (6, 6)
    assert found["age_high"] == 0


def test_bends_and_jumps_at_freezing_are_told_where_they_are_clear(grid, compared):
    mixed = np.array([-1.0, 1.0, -0.8, 0.9])
    clear = {"down": -RUNS, "up": RUNS, "none": mixed}
    bends = [["down", "up", "down"], ["none", "none", "down"], ["down"] * 3]
    jumps = [["none", "down", "up"], ["none", "none", "up"], ["up"] * 3]
    logs = np.log(MULTIPLES)
    after = np.maximum(logs, 0)
    q = np.full((3, 3, 4, 6), np.nan)
    for i, j in np.ndindex(2, 3):
        bend, jump = clear[bends[i][j]], clear[jumps[i][j]]
        q[i, j] = 0.5 * logs + np.outer(bend, after) + np.outer(jump, logs > 0)
    q[WHOLE] = 0.5 * logs - np.outer(RUNS, after)  # would be clear
    q[CALM, MIDDLE, :, 5] = np.nan  # too short to be watched after freezing
    found = floors.freezing_findings(grid.assign(near_q=((*RUN, "multiple"), q)), ["q"], compared)
    assert estimate(found["q_before"]).value == pytest.approx(0.5 * RATIO)
    assert estimate(found["q_at"]).value == pytest.approx(
        1
    )  # half of the slope before and half of −0.5
    assert estimate(found["q_after"]).value == pytest.approx(-0.5 * RATIO)
    assert estimate(found["q_bend"]).value == pytest.approx(-RATIO)
    assert estimate(found["q_contrast"]).value == pytest.approx(1)
    counts = {"known": 5, "bend_down": 2, "bend_up": 1, "contrast_down": 1, "contrast_up": 1}
    assert {name: found[f"q_{name}"] for name in counts} == counts
