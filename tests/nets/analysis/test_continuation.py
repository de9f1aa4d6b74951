"""What continuations say, on hand-made ones whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.continuation import (
    agreement,
    basin_times,
    clock_agreement,
    clock_lag,
    clocks,
    flatness_at_equal_loss,
    later_share,
    milestones,
)
from valleys.nets.experiments import continuation
from valleys.nets.experiments.specs import BasinsSpec
from valleys.results.grid import Grid, computed


def test_agreement_splits_the_branches_at_the_freezing_time():
    early, late = 0.5, 0.9
    matrix = np.full((4, 4), 0.1)
    matrix[:2, :2], matrix[2:, 2:] = early, late
    times = [[150.0], [200.0], [1000.0]]
    found = {
        "similarity_full": (("reference", "branch", "other"), [matrix] * 3),
        "freezing_time": (("reference", "threshold"), times),
    }
    split = agreement(
        xr.Dataset(
            found, coords={"branch_step": ("branch", [0, 100, 200, 300]), "threshold": [0.1]}
        )
    )
    # a branch at the freezing time itself is late
    assert split.early.values[:2].tolist() == pytest.approx([early, early])
    assert split.late.values[:2].tolist() == pytest.approx([late, late])
    assert np.isnan(split.late[2])


@pytest.fixture
def continued():
    """One reference run that freezes at step 150 and three branches; flatness is one over the
    training loss, times 1, 2 and 4.
    """
    loss = np.array([[8.0, 4.0, 2.0, 1.0], [np.nan, 8.0, 4.0, 2.0], [np.nan, np.nan, 8.0, 1.0]])
    flat = np.array([1.0, 2.0, 4.0])[:, None] / loss
    found = {
        "branch_train_loss": (("reference", "branch", "record"), loss[None]),
        "branch_flatness": (("reference", "branch", "record"), flat[None]),
        "reference_flatness": (("reference", "record"), np.ones((1, 4))),
        "freezing_time": (("reference", "threshold"), [[150.0]]),
    }
    return xr.Dataset(found, coords={"branch_step": ("branch", [0, 100, 200]), "threshold": [0.1]})


def test_continuations_are_compared_at_the_last_loss_that_all_reach(continued):
    found = flatness_at_equal_loss(continued)
    assert found.train_loss == 2.0
    assert found.values[0] == pytest.approx([1 / 2, 2 / 2, 4 / 2])


def test_a_continuation_that_begins_below_the_common_loss_is_unknown(continued):
    continued.branch_train_loss[0, 2, 2] = 1.5
    assert np.isnan(flatness_at_equal_loss(continued).values[0]).tolist() == [False, False, True]


def test_milestones_are_the_first_the_first_frozen_and_the_last_branch(continued):
    found = milestones(xr.DataArray([[1.0, 4.0, 5.0]]), continued)
    assert [found[name].item() for name in ("first", "frozen", "last")] == [1, 5, 5]
    earlier = continued.assign(freezing_time=continued.freezing_time - 100)
    assert milestones(xr.DataArray([[1.0, 4.0, 5.0]]), earlier).frozen.item() == 4
    never = continued.assign(freezing_time=continued.freezing_time + 100)
    assert np.isnan(milestones(xr.DataArray([[1.0, 4.0, 5.0]]), never).frozen)


def test_share_of_the_rise_after_freezing_is_a_ratio_of_means():
    stages = xr.Dataset(
        {
            name: ("reference", values)
            for name, values in {
                "first": [0.0] * 4,
                "frozen": [1.0, 0.09] * 2,
                "last": [2.0, 0.1] * 2,
            }.items()
        }
    )
    found = later_share(stages, np.random.default_rng(0))
    assert found.value == pytest.approx(1.01 / 2.1)  # the runs that hardly rise hardly count
    assert found.low == pytest.approx(0.1)
    assert found.high == pytest.approx(0.5)
    # two runs give no interval
    assert np.isnan(later_share(stages.isel(reference=[0, 1]), np.random.default_rng(0)).low)
    assert np.isnan(
        later_share(stages.assign(frozen=stages.frozen * np.nan), np.random.default_rng(0)).value
    )


def test_a_run_is_frozen_from_the_first_branch_after_the_last_unlike_one():
    similar = xr.DataArray(
        [[0.5, 0.96, 0.8, 0.9, 1.0], [0.95, 0.95, 0.95, 0.95, 1.0], [0.1, 0.2, 0.3, 0.4, 1.0]],
        dims=("reference", "branch"),
    )
    times = xr.DataArray([0.0, 1.0, 2.0, 3.0, 4.0], dims="branch")
    assert basin_times(similar, times, 0.9).values.tolist() == [3, 0, 4]
    assert basin_times(similar, times, 0.95).values.tolist() == [4, 0, 4]


@pytest.fixture
def settings():
    """Three batch sizes that freeze at 4, 2 and 1 by the loss and at 3, 2 and 0 by the basin,
    each in three runs; one more never freezes by the loss.
    """
    first = np.array([3, 2, 0, 1])
    similar = np.where(np.arange(5) < first[:, None], 0.5, 1.0)[:, None, None, :].repeat(3, axis=2)
    by_loss = np.array([4.0, 2.0, 1.0, np.nan])[:, None, None, None].repeat(3, axis=2)
    found = {
        "similarity_to_last_full": (
            ("batch_size", "learning_rate", "reference", "branch"),
            similar,
        ),
        "branch_time": (
            ("batch_size", "learning_rate", "branch"),
            np.arange(5.0)[None, None].repeat(4, axis=0),
        ),
        "freezing_time": (("batch_size", "learning_rate", "reference", "threshold"), by_loss),
    }
    return xr.Dataset(
        found, coords={"batch_size": [10, 20, 50, 100], "learning_rate": [0.1], "threshold": [0.1]}
    )


def test_both_clocks_are_read_for_each_setting(settings):
    found = clocks(settings, [0.4, 0.9])
    assert found.freezing_time.values[:3, 0].tolist() == [4, 2, 1]
    assert np.isnan(found.freezing_time.values[3, 0])
    assert found.basin_time.sel(level=0.9, learning_rate=0.1).values.tolist() == [3, 2, 0, 1]
    assert (found.basin_time.sel(level=0.4) == 0).all()
    settings.freezing_time[0, 0, :, 0] = [2.0, 4.0, 6.0]
    spread = clocks(settings, [0.9]).isel(batch_size=0, learning_rate=0)
    assert (spread.freezing_time_low, spread.freezing_time, spread.freezing_time_high) == (2, 4, 6)


def test_clocks_that_order_the_settings_alike_agree_fully(settings):
    assert clock_agreement(settings, 0.9).value == pytest.approx(1)
    # two settings tell nothing
    assert np.isnan(clock_agreement(settings.isel(batch_size=[0, 1]), 0.9).value)
    # by this level all settings freeze at once
    assert np.isnan(clock_agreement(settings, 0.4).value)
    settings["freezing_time"] = -settings.freezing_time
    assert clock_agreement(settings, 0.9).value == pytest.approx(-1)


def test_lag_between_the_clocks_is_averaged_over_settings_and_its_runs_are_drawn_setting_by_setting(
    settings,
):
    found = clock_lag(settings, 0.9)
    # all runs of a setting agree
    assert (found.value, found.low, found.high) == pytest.approx([(3 / 4 + 2 / 2 + 0 / 1) / 3] * 3)
    settings = settings.isel(reference=[0, 1])  # six runs in all
    settings.freezing_time[:2, 0, :, 0] = [[2.0, 6.0], [3.0, 1.0]]
    spread = clock_lag(settings, 0.9)
    assert spread.value == pytest.approx(found.value)
    # no common draw has both early, or both late
    assert (spread.low, spread.high) == pytest.approx([(3 / 6 + 2 / 3) / 3, (3 / 2 + 2 / 1) / 3])
    assert np.isnan(clock_lag(settings.isel(reference=[0]), 0.9).low)


@pytest.mark.slow
def test_a_grid_of_basins_holds_what_its_settings_say():
    grid = Grid.of(
        BasinsSpec,
        {"batch_size": (50, 500), "learning_rate": (0.2,)},
        branch_time=10.0,
        last_time=20.0,
        training_time=40.0,
    )
    cells, found = (
        [continuation.continuation(cell.continuation) for cell in grid.cells()],
        computed(continuation.basins, grid),
    )
    assert found.sizes == {
        "batch_size": 2,
        "learning_rate": 1,
        "reference": 2,
        "branch": 3,
        "threshold": 4,
    }
    assert found.branch_time.values[1, 0].tolist() == pytest.approx([0, 10, 20])
    for cell, size in zip(cells, (50, 500), strict=True):
        here = found.sel(batch_size=size, learning_rate=0.2)
        assert np.array_equal(here.similarity_to_last_full, cell.similarity_full[:, :, -1])
        assert np.array_equal(here.wall_to_last, cell.wall_to_last)
        assert np.array_equal(here.final_train_loss, cell.branch_train_loss[..., -1])
        np.testing.assert_allclose(here.freezing_time, 0.2 * cell.freezing_time)
