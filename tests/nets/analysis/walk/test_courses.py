import numpy as np
import pytest
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.walk import courses as walk

PAIRS = [0.4096, 0.64, 0.8, 1.25, 1.5625, 2.44140625]
WINDOW_TIMES = [0.0, 1.0, 2.0, 4.0]


@pytest.fixture
def found():
    """One setting of four runs: what drifts with the logarithm of time, with a jump of 0.5 at
    freezing in all runs but the last, which froze too late.
    """
    rng = np.random.default_rng(3)
    drift = 2 + 0.7 * np.log(PAIRS) + rng.normal(0, 0.01, (4, 6))
    jump = np.where(np.array(PAIRS) > 1, 0.5, 0.0)
    near = drift + jump
    near[3, 4:] = np.nan
    bend = np.array([4.0, 3.0, 3.0, 3.5, 5.0])
    found = {
        "near_q": (("realization", "multiple"), near),
        "q": (("realization", "window"), np.arange(16.0).reshape(4, 4)),
        "profile": (
            ("realization", "window", "fraction"),
            np.multiply.outer(np.ones((4, 4)), bend),
        ),
        "near_profile": (
            ("realization", "multiple", "fraction"),
            np.multiply.outer(np.ones((4, 6)), 2 * bend),
        ),
        "loss": (("realization", "window"), np.full((4, 4), 3.0)),
        "near_loss": (("realization", "multiple"), np.full((4, 6), 6.0)),
        "curvature": (("realization", "window"), np.full((4, 4), 5.0)),
        "cosine": (("realization", "window"), np.full((4, 4), -0.5)),
        "landscape_cosine": (("realization", "window"), np.full((4, 4), -0.4)),
        "height": (
            ("realization", "window"),
            np.multiply.outer(np.ones(4), [4.0, 3.0, 2.0, np.nan]),
        ),
        "along_hill": (("realization", "window", "other"), np.ones((4, 4, 4))),
        "across_hill": (("realization", "partner", "window"), across()),
        "window_time": ("window", WINDOW_TIMES),
        "freezing_time": ("realization", [3.0, 2.9, 3.1, 3.5]),
    }
    return xr.Dataset(found, {"multiple": PAIRS, "learning_rate": 0.2})


def across() -> np.ndarray:
    """Hills between four runs, the last of which was lost: 1, 2, 3 in the mean over the pairs of
    the others in the windows but the first, there 5.
    """
    pairs = np.full((4, 4, 4), np.nan)
    for (i, j), shift in zip(((0, 1), (0, 2), (1, 2)), (-0.6, 0.1, 0.5), strict=True):
        pairs[i, j] = pairs[j, i] = np.array([5.0, 1.0, 2.0, 3.0]) + shift * np.array(
            [1, 1, 1, 0.5]
        )
    return pairs


def test_only_what_happens_at_freezing_makes_a_contrast(found):
    changes = walk.at_freezing(found, "q")
    even = 0.7 * np.log(1.5625)
    np.testing.assert_allclose(
        changes.change.sel(stage=["before", "after"]).isel(realization=slice(3)), even, atol=0.06
    )
    np.testing.assert_allclose(changes.change.sel(stage="at"), even + 0.5, atol=0.06)
    np.testing.assert_allclose(changes.contrast[:3], 0.5, atol=0.06)
    np.testing.assert_allclose(changes.bend[:3], 0, atol=0.06)
    assert np.isnan(changes.contrast[3])


def test_a_bend_at_freezing_makes_a_bend_and_no_contrast(found):
    bent = found.assign(near_q=found.near_q * 0 + np.minimum(0, -3 * np.log(found.multiple)))
    changes = walk.at_freezing(bent.isel(realization=slice(3)), "q")
    np.testing.assert_allclose(changes.bend, -3 * np.log(1.5625), rtol=1e-12)
    np.testing.assert_allclose(changes.contrast, 0, atol=1e-12)
    means = walk.freezing_changes(bent, ["q"])
    np.testing.assert_allclose(means.q, [0, -3 * np.log(1.25), -3 * np.log(1.5625)], atol=1e-12)
    assert float(means.q_bend) == pytest.approx(-3 * np.log(1.5625))
    assert float(means.q_contrast_low) == pytest.approx(0, abs=1e-12)


def test_multiples_that_are_no_pairs_are_refused(found):
    with pytest.raises(ValueError, match="three pairs of one ratio"):
        walk.at_freezing(found.isel(multiple=slice(4)), "q")
    with pytest.raises(ValueError, match="three pairs of one ratio"):
        walk.at_freezing(found.assign_coords(multiple=[0.4, 0.64, 0.8, 1.5, 1.5625, 2.44]), "q")


def test_sags_are_those_of_the_mean_lines(found):
    sags = walk.with_sags(found)
    np.testing.assert_allclose(sags.sag, 1.5)
    np.testing.assert_allclose(sags.relative_sag, 0.5)
    np.testing.assert_allclose(sags.bowl_cosine, -0.2 * 5 / 2)
    np.testing.assert_allclose(sags.sampling_cosine, -0.1)
    np.testing.assert_allclose(sags.near_sag, 3)
    np.testing.assert_allclose(sags.near_relative_sag, 0.5)
    np.testing.assert_allclose(sags.near_log_sag, np.log(0.5))
    humped = walk.with_sags(found.assign(near_profile=-found.near_profile))
    np.testing.assert_allclose(humped.near_sag, -3)
    assert humped.near_log_sag.isnull().all()


def test_means_over_runs_have_the_intervals_of_the_house_and_leave_out_what_is_unknown(found):
    rows = found.q.where(found.q != 12)
    means = statistics.run_means(rows, "realization", "value", seed=0)
    np.testing.assert_allclose(means.value, [4, 7, 8, 9])
    assert ((means.value_low < means.value) & (means.value < means.value_high)).all()
    expected = statistics.mean(np.array([0.0, 4.0, 8.0]), np.random.default_rng(0))
    assert walk.estimate_of(rows.isel(window=0)) == expected
    assert (float(means.value_low[0]), float(means.value_high[0])) == (expected.low, expected.high)
    single = statistics.run_means(found.q.where(found.q < 4), "realization", "value", seed=0)
    np.testing.assert_allclose(single.value, [0, 1, 2, 3])
    assert single.value_low.isnull().all()


def test_a_ratio_resamples_both_groups(found):
    first, second = (found.q.isel(window=index) for index in (3, 1))
    ratio = walk.ratio_of(first, second)
    assert ratio.value == pytest.approx(9 / 7)
    assert ratio.low < ratio.value < ratio.high
    assert walk.ratio_of(first.where(first > 5), second).value == pytest.approx(11 / 7)


def test_until_freezing_means_after_the_start_and_before_the_mean_time(found):
    np.testing.assert_allclose(walk.until_freezing(found, "q"), [1.5, 5.5, 9.5, 13.5])


def test_until_freezing_weighs_a_window_with_its_time_if_asked(found):
    np.testing.assert_allclose(
        walk.until_freezing(found, "q", by_time=True), np.array([5.0, 17.0, 29.0, 41.0]) / 3
    )
    lost = found.assign(q=found.q.where(found.q != 5))
    # a lost window weighs nothing
    np.testing.assert_allclose(walk.until_freezing(lost, "q", by_time=True)[1], 6)


def test_runs_are_resampled_within_their_setting_only():
    apart = xr.DataArray(
        [[0.0, 0.0, 0.0], [9.0, np.nan, np.nan], [1.0, 2.0, 3.0]],
        dims=("learning_rate", "realization"),
    )
    found = walk.mean_within(apart)
    assert found.value == pytest.approx(15 / 7)
    third = statistics.mean(np.array([1.0, 2.0, 3.0]), np.random.default_rng(0))
    # only the third row varies, and not how often a row is drawn
    assert found.low == pytest.approx((9 + 3 * third.low) / 7, abs=0.02)
    assert found.high == pytest.approx((9 + 3 * third.high) / 7, abs=0.02)


def test_a_hill_counts_above_a_share_of_the_height():
    hills, heights = xr.DataArray([0.0, 0.2, 0.3, np.nan]), xr.DataArray([1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(walk.with_hill(hills, heights, 0.25), [0, 0, 1, np.nan])


def test_walls_between_runs_are_means_over_pairs_and_overtake_the_height_for_good(found):
    walls = walk.wall_courses(found)
    np.testing.assert_allclose(walls.wall, [5, 1, 2, 3])
    assert ((walls.wall_low <= walls.wall) & (walls.wall <= walls.wall_high)).all()
    # higher at the start, too, but not from there on; without a floor there is no height
    assert float(walk.overtaking(found)) == 4.0
    assert float(walk.overtaking(found.assign(height=found.height * 0.5))) == 2.0
    assert np.isnan(walk.overtaking(found.assign(height=found.height.fillna(9.0))))


def test_each_pair_of_floors_is_looked_at_once(found):
    ahead = walk.hills_ahead(found).isel(realization=0).values
    np.testing.assert_array_equal(np.isfinite(ahead), np.triu(np.ones((4, 4), bool), 1))


def test_courses_are_means_by_window_at_each_setting(found):
    courses = walk.walk_courses(found, ["q", "profile"])
    np.testing.assert_allclose(courses.q, [6, 7, 8, 9])
    assert (courses.q_low < courses.q).all()
    np.testing.assert_allclose(
        courses.profile.transpose("window", "fraction")[2], [4, 3, 3, 3.5, 5]
    )
    assert float(courses.freezing_time) == pytest.approx(3.125)
    np.testing.assert_array_equal(courses.window_time, WINDOW_TIMES)


def test_until_freezing_is_until_the_end_where_no_run_freezes(found):
    never = found.assign(freezing_time=found.freezing_time * np.nan)
    np.testing.assert_allclose(walk.until_freezing(never, "q"), [2, 6, 10, 14])
