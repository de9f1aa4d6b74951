"""What continuations find, on hand-made ones whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, linregress, spearmanr
from valleys.nets.analysis import continuation_findings as findings

BRANCHES = np.arange(6)
FLAT = np.array([1.0, 2, 3, 5, 6, 7])  # of the first run, the others are 2 and 3 times as flat
LOSSES = np.array([0.04, 0.01, 0.01, 0.02, 0.02, 0.01])
TEST = np.array([0.9, 0.5, 0.6, 0.7, 0.4, 0.5])


def by_run(*rows) -> tuple[tuple[str, str], np.ndarray]:
    return ("reference", "branch"), np.array(rows)


def at_the_end(*rows) -> tuple[tuple[str, str, str], np.ndarray]:
    """Two records, the first of which must not count."""
    last = np.array(rows, float)
    return ("reference", "branch", "record"), np.stack([last[::-1] + 99, last], axis=-1)


@pytest.fixture
def found() -> xr.Dataset:
    """Three runs that freeze at 250, 300 and 400, with branches every 100 steps.

    Branch i ends at (i², 0) in the plane, and is 0.1 · i like the last one, which is at 1.
    """
    like = np.full((3, 6, 6), 0.25)
    like[:, :, 5] = [0.0, 0.1, 0.2, 0.3, 0.4, 1.0]
    squares = np.stack([BRANCHES**2, 0 * BRANCHES], axis=-1) * np.ones((3, 1, 1))
    position = np.stack([0 * squares, squares], axis=2)
    steps = [[250.0, 500], [300, 500], [400, 500]]
    parts = {
        "branch_position": (("reference", "branch", "record", "component"), position),
        "branch_flatness": at_the_end(FLAT, 2 * FLAT, 3 * FLAT),
        "branch_train_loss": at_the_end(LOSSES, LOSSES, LOSSES / 2),
        "branch_train_accuracy": at_the_end([1, 1, 1, 1, 1, 0.9], [1] * 6, [1] * 6),
        "final_test_loss": by_run(TEST, TEST, TEST[::-1]),
        "final_test_loss_full": by_run(2 - FLAT / 10, 2 - FLAT / 5, 2 + FLAT),
        "final_test_accuracy_full": by_run(0.9 + BRANCHES / 100, 0.9 + 0 * FLAT, [0.9] * 6),
        "similarity_full": (("reference", "branch", "other"), like),
        "freezing_time": (("reference", "threshold"), steps),
        "misclassified": (("reference", "branch", "test_image"), np.zeros((3, 6, 8), bool)),
        "misclassified_full": (
            ("reference", "branch", "full_test_image"),
            np.zeros((3, 6, 9), bool),
        ),
    }
    coords = {"branch_step": ("branch", 100 * BRANCHES), "threshold": [0.1, 0.01]}
    return xr.Dataset(parts, coords, {"dataset": "made"})


def test_reference_runs_are_counted_and_freeze(found):
    told = findings.reference_findings(found, 0.1)
    assert (told["n_small"], told["n_full"], told["branches"]) == (8, 9, 6)
    assert estimate(told["freeze"]).value == pytest.approx(950 / 3)
    assert (estimate(told["freeze"]).low, estimate(told["freeze"]).high) == (250, 400)
    assert told["freeze_first"] == 250


def test_successive_ends_are_compared_by_halves(found):
    told = findings.gap_findings(found)
    assert estimate(told["gap_first"]).value == pytest.approx(1)
    assert estimate(told["gap_early"]).value == pytest.approx((1 + 3) / 2)
    assert estimate(told["gap_late"]).value == pytest.approx((5 + 7 + 9) / 3)


def test_flatness_rises_in_part_after_freezing(found):
    equal = xr.DataArray(np.outer([1, 1, 1], [1.0, 1, 1, 2, 2, 2]), dims=("reference", "branch"))
    told = findings.flatness_findings(found, equal, 0.1)
    frozen = [5, 2 * 5, 3 * 6]  # branches 3, 3 and 4
    assert told["flat_first"] == 1
    assert estimate(told["flat_frozen"]).value == pytest.approx(sum(frozen) / 3)
    assert estimate(told["flat_last"]).value == pytest.approx(14)
    late = [7 - 5, 2 * (7 - 5), 3 * (7 - 6)]
    assert estimate(told["later"]).value == pytest.approx(sum(late) / (6 + 12 + 18))
    assert (told["equal_first"], estimate(told["equal_last"]).value) == (1, 2)
    assert estimate(told["equal_later"]).value == 0
    sooner = findings.flatness_findings(
        found.assign(freezing_time=0 * found.freezing_time), equal, 0.1
    )
    assert estimate(sooner["equal_later"]).value == 1


def test_test_losses_are_compared_between_first_and_last_branch(found):
    told = findings.generalization_findings(found)
    assert (told["test_first_small"], told["better_small"]) == (0.9, 2)
    assert estimate(told["test_last_small"]).value == pytest.approx((0.5 + 0.5 + 0.9) / 3)
    assert (told["test_first_full"], told["better_full"]) == (pytest.approx(1.9), 2)
    assert estimate(told["test_last_full"]).value == pytest.approx((1.3 + 0.6 + 9) / 3)


def test_the_ends_of_training_are_compared_within_runs(found):
    told = findings.training_findings(found)
    assert (told["loss_low"], told["loss_high"]) == pytest.approx((0.005, 0.04))
    assert estimate(told["loss_spread"]).value == pytest.approx(4)
    assert told["fitted"] == pytest.approx(17 / 18)
    assert told["right_first"] == pytest.approx(90)
    assert estimate(told["gained"]).value == pytest.approx(5 / 3)
    assert (estimate(told["gained"]).low, estimate(told["gained"]).high) == pytest.approx((0, 5))


def test_lines_of_test_loss_are_those_of_scipy_and_counted_where_they_fall(found):
    fits, without = (findings.flatness_fits(found, skipped=skipped) for skipped in (0, 1))
    told = findings.fit_findings(fits, without, 0.99)
    assert estimate(told["slope_full"]).value == pytest.approx((-0.1 - 0.1 + 1 / 3) / 3)
    assert (told["falling_full"], told["above_full"]) == (2, 2)
    assert (told["r2_low_full"], told["r2_high_full"]) == pytest.approx((1, 1))
    rows = [linregress(FLAT, TEST), linregress(2 * FLAT, TEST), linregress(3 * FLAT, TEST[::-1])]
    shares = [row.rvalue**2 for row in rows]
    assert estimate(told["r2_small"]).value == pytest.approx(np.mean(shares))
    assert estimate(told["r2_first_small"]).value == pytest.approx(shares[0])
    assert estimate(told["slope_small"]).value == pytest.approx(
        np.mean([row.slope for row in rows])
    )
    assert (told["falling_small"], told["above_small"]) == (2, 0)
    later = [linregress(FLAT[1:], TEST[1:]), linregress(FLAT[1:], TEST[::-1][1:])]
    expected = (2 * later[0].rvalue ** 2 + later[1].rvalue ** 2) / 3
    assert estimate(told["later_r2_small"]).value == pytest.approx(expected)
    assert told["later_falling_small"] == 2 * (later[0].slope < 0) + (later[1].slope < 0)


def test_branches_agree_after_freezing_and_come_close_to_the_last_one(found):
    told = findings.similarity_findings(found, 0.1)
    late = [(0.25 + 0.3 + 0.4) / 3, (0.25 + 0.3 + 0.4) / 3, 0.4]
    assert estimate(told["late"]).value == pytest.approx(np.mean(late))
    assert (estimate(told["early"]).value, told["first_early"]) == pytest.approx((0.25, 0.25))
    assert told["first_late"] == pytest.approx(late[0])
    assert told["agree"] == 3
    assert estimate(told["to_last_start"]).value == 0
    assert estimate(told["at_freezing"]).value == pytest.approx((0.3 + 0.3 + 0.4) / 3)
    assert estimate(told["after"]).value == pytest.approx(1 - 1 / 3)
    assert told["part"] == "Only partly"
    close = found.copy(deep=True)
    close.similarity_full[:, 3:5, 5] = 0.9
    assert findings.similarity_findings(close, 0.1)["part"] == "Mostly"


def test_settings_are_counted_by_whether_and_when_they_freeze():
    first = np.array([3, 2, 0, 1])  # branch from which on all are like the last one
    similar = np.where(np.arange(5) < first[:, None], 0.5, 1.0)[:, None, None, :]
    by_loss = np.array([4.5, 2.0, 1.0, np.nan])[:, None, None, None].repeat(3, axis=2)
    by_loss[2, 0, 0] = np.nan  # one run of the third setting
    setting = ("batch_size", "learning_rate")
    parts = {
        "similarity_to_last_full": ((*setting, "reference", "branch"), similar.repeat(3, axis=2)),
        "branch_time": ((*setting, "branch"), np.arange(5.0) + np.zeros((4, 1, 1))),
        "freezing_time": ((*setting, "reference", "threshold"), by_loss),
    }
    coords = {"batch_size": [10, 20, 50, 100], "learning_rate": [0.1], "threshold": [0.1]}
    basins = xr.Dataset(parts, coords)
    told = findings.basin_findings(basins, {"low": 0.4, "high": 0.9}, 0.1, 4.0)
    assert (told["n_settings"], told["told"], told["beyond"]) == (4, 2, 1)
    assert (told["level_low"], told["level_high"]) == (0.4, 0.9)
    assert estimate(told["lag_low"]).value == 0  # all branches are as like
    assert estimate(told["lag_high"]).value == pytest.approx((3 / 4.5 + 2 / 2) / 2)
    assert np.isnan(estimate(told["rank_high"]).value)  # two settings tell nothing
    basins.freezing_time[2] = 1.0
    three = findings.basin_findings(basins, {"high": 0.9}, 0.1, 4.0)
    assert (three["told"], estimate(three["rank_high"]).value) == (3, pytest.approx(1))


def test_a_drift_of_both_makes_no_relation_among_branches_of_one_step_or_from_one_to_the_next():
    rng, shape = np.random.default_rng(0), (8, 60)
    drift = np.arange(60.0)
    noise = rng.normal(size=(2, *shape))
    flat, losses = drift + noise[0], -drift + noise[1]
    related = 60 - drift - noise[0] + 0.1 * noise[1]
    parts = {
        "branch_flatness": (("reference", "branch", "record"), flat[..., None]),
        "final_test_loss": (("reference", "branch"), losses),
        "final_test_loss_full": (("reference", "branch"), related),
    }
    told = findings.steady_findings(xr.Dataset(parts))
    none, there = estimate(told["across_small"]), estimate(told["across_full"])
    assert none.low < 0 < none.high
    expected = [spearmanr(*pair)[0] for pair in zip(flat.T, related.T, strict=True)]
    assert there.value == pytest.approx(np.mean(expected))
    assert there.high < -0.9
    assert estimate(told["onward_full"]).high < -0.9
    assert told["onward_falling_full"] == 8
    assert abs(estimate(told["onward_small"]).value) < 0.15


def test_walls_tell_until_when_runs_change_their_valley():
    """Two settings of each rate, three runs that freeze at 30, branches every 10: walls end at
    branch 1 of the lower rate by the doubling and at branch 2 by a hundredth, at the higher rate a
    run keeps a low wall beyond its freezing.
    """
    shape = ("batch_size", "learning_rate", "reference", "branch")
    losses = np.full((2, 2, 3, 6), 0.02) * np.linspace(2, 1, 6)
    heights = np.zeros((2, 2, 3, 6))
    heights[..., 0], heights[..., 1] = 5, 0.5
    heights[:, 1, 2, 4] = 0.02
    parts = {
        "wall_to_last": (shape, heights * losses),
        "final_train_loss": (shape, losses),
        "freezing_time": ((*shape[:3], "threshold"), np.full((2, 2, 3, 2), [30.0, 80.0])),
        "branch_time": (("learning_rate", "branch"), 10.0 * BRANCHES * np.ones((2, 1))),
    }
    coords = {"batch_size": [10, 20], "learning_rate": [0.1, 0.2], "threshold": [0.1, 0.01]}
    told = findings.wall_findings(xr.Dataset(parts, coords), 0.1)
    assert (told["eta_low"], told["eta_high"]) == (0.1, 0.2)
    expected = {"joined_low": 1 / 3, "joined_high": 1 / 3, "cent_low": 2 / 3, "walled_low": 0}
    expected |= {"cent_high": (2 / 3 + 2 / 3 + 5 / 3) / 3, "walled_high": 1 / 9}
    assert {name: estimate(told[name]).value for name in expected} == pytest.approx(expected)
    assert estimate(told["cent_high"]).high > estimate(told["cent_high"]).low
