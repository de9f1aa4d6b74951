"""What is said about conditions, on records made up so that the answer is known."""

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, number
from valleys.nets.analysis import assumptions

TIMES = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
CELL = ("batch_size", "learning_rate", "realization")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def found() -> xr.Dataset:
    """Two batch sizes, the larger one gradient descent with a single run; two learning rates;
    three runs; six records.
    """
    shape = (2, 2, 3, 6)
    loss = np.broadcast_to(2 * np.exp(-TIMES / 4), shape).copy()
    flat = np.broadcast_to(1 + TIMES, shape).copy()
    strength = 0.3 * loss**0.8
    sharp = np.broadcast_to(np.array([50.0, 30.0, 25.0, 15.0, 8.0, 4.0]), shape).copy()
    for values in (loss, flat, strength, sharp):
        values[1, :, 1:] = np.nan
    over_runs = np.array(
        [[[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]], [[9.0, np.nan, np.nan], [9.0, np.nan, np.nan]]]
    )
    stages = np.stack([over_runs, over_runs + 10], axis=-1)
    found: dict[str, tuple] = {
        name: ((*CELL, "record"), v)
        for name, v in (
            ("train_loss", loss),
            ("flatness", flat),
            ("noise_per_curvature", strength),
            ("network_sharpness", sharp),
        )
    }
    found |= {
        name: ((*CELL, "stage"), stages)
        for name in ("stage_time", "flatness_at", "network_sharpness_at", "exponent_at")
    }
    times = np.broadcast_to(TIMES, (2, 2, 6))
    found["time"] = (("batch_size", "learning_rate", "record"), times)
    return xr.Dataset(
        found,
        {"batch_size": [20, 1000], "learning_rate": [0.05, 0.1], "stage": ["loss 0.1", "end"]},
    )


def test_a_pooled_mean_is_over_settings_with_several_runs(found):
    pooled = assumptions.pooled(found.exponent_at.isel(stage=0), rng())
    assert pooled.value == pytest.approx(3)  # of 2 and 4; gradient descent's 9 is a single run
    expected = 1.96 * (2 / 3 / 3 / 2) ** 0.5  # two means of three runs, each of variance 2/3
    assert pooled.high - pooled.value == pytest.approx(expected, rel=0.1)
    assert np.isnan(
        assumptions.pooled(found.exponent_at.isel(stage=0, batch_size=[1]), rng()).value
    )


def test_the_slope_of_the_noise_strength_is_that_of_its_power_law(found):
    slope = assumptions.prefactor_slope(found, 1.5)
    np.testing.assert_allclose(slope.sel(batch_size=20), 0.8)
    assert slope.notnull().sum() == 6 + 2
    assert assumptions.prefactor_slope(found, 0.1).isnull().all()  # two records lie below


def test_the_exponent_beyond_the_leading_directions_is_not_that_of_all(found):
    bent = 0.9 ** np.arange(30)
    noise = np.where(np.arange(30) < 10, bent, bent**1.5)
    whole = {
        name: (("stage", "direction"), np.stack([one, one]))
        for name, one in (("curvature", bent), ("noise", noise))
    }
    whole["curvature"][1][1] = np.nan  # a run that never came to the stage
    beyond = assumptions.tail_exponents(xr.Dataset(whole, {"stage": found.stage}), 10)
    np.testing.assert_allclose(beyond, [1.5, np.nan])


def test_stability_tells_the_last_record_beyond_the_edge(found):
    stable = (
        assumptions.stability(found, "loss 0.1")
        .sel(batch_size=20)
        .transpose("learning_rate", "realization")
    )
    np.testing.assert_allclose(stable.highest, [[1.5] * 3, [3.0] * 3])  # the start does not count
    np.testing.assert_allclose(stable.until, [[0.0] * 3, [2.0] * 3])  # 25 · 0.1 = 2.5 at time 2
    np.testing.assert_allclose(stable.share.sel(learning_rate=0.1), [2 / 3, 2 / 4, 2 / 5])
    np.testing.assert_allclose(stable.at_freezing.sel(learning_rate=0.05), [0.05, 0.1, 0.15])
    np.testing.assert_allclose(stable.at_end.sel(learning_rate=0.05), [0.55, 0.6, 0.65])
    assert assumptions.stability(found, "loss 0.1").until.sel(batch_size=1000).isnull().sum() == 4


def test_outcomes_have_intervals_where_there_are_several_runs(found):
    ends = assumptions.outcomes(found, "loss 0.1")
    np.testing.assert_allclose(ends.freezing_time, [[2, 4], [9, 9]])
    np.testing.assert_allclose(ends.flatness, [[12, 14], [19, 19]])
    assert (ends.freezing_time_low.sel(batch_size=20) < ends.freezing_time.sel(batch_size=20)).all()
    assert ends.flatness_high.sel(batch_size=1000).isnull().all()
    np.testing.assert_allclose(
        ends.highest.transpose("batch_size", "learning_rate"), [[1.5, 3], [1.5, 3]]
    )


def test_courses_are_means_over_runs(found):
    found["train_loss"][0, 0, :, 3] = [1.0, 2.0, 6.0]
    course = assumptions.courses_of(found, ("train_loss",))
    assert course.train_loss[0, 0, 3] == pytest.approx(3)
    assert course.train_loss_low[0, 0, 3] < 3 < course.train_loss_high[0, 0, 3]
    assert course.train_loss_high[1].isnull().all()
    np.testing.assert_allclose(course.train_loss[1, 0], found.train_loss[1, 0, 0])


def test_the_separation_along_training_is_that_of_an_exponential_fall(found):
    course = assumptions.separation_course(found)
    np.testing.assert_allclose(course.time[0, 0], np.sqrt(TIMES[1:-1] * TIMES[2:]))
    expected = np.sqrt((1 + TIMES[1:-1]) * (1 + TIMES[2:])) / 4  # the loss falls by e in 4
    np.testing.assert_allclose(course.ratio, np.broadcast_to(expected, course.ratio.shape))


@pytest.fixture
def followed() -> xr.Dataset:
    """Two runs at two stages; the loss falls by e in 20, the flatness grows by e in 50;
    curvatures 1, ½, …; scatter and memory twice the parabola's.
    """
    draws, bent = ["reshuffled", "independent"], 0.5 ** np.arange(14)
    shape = (2, 2, 2, 14)
    expected = np.broadcast_to(bent, shape)
    found = {
        "train_loss": (("realization", "stage"), np.ones((2, 2))),
        "later_loss": (("realization", "stage", "draw"), np.full((2, 2, 2), np.exp(-5 / 20))),
        "flatness": (("realization", "stage"), np.full((2, 2), 3.0)),
        "later_flatness": (
            ("realization", "stage", "draw"),
            np.full((2, 2, 2), 3 * np.exp(5 / 50)),
        ),
        "stage_time": (("realization", "stage"), [[1.0, 10.0], [3.0, 10.0]]),
        "curvature": (("realization", "stage", "direction"), expected[:, :, 0]),
        "network_curvature": (("realization", "stage", "network_direction"), expected[:, :, 0]),
    }
    for prefix in ("", "network_"):
        for name in ("relaxation", "scatter"):
            factor = np.array([2.0, 14.0])[:, None]  # reshuffled, independent
            found[f"{prefix}{name}"] = (
                ("realization", "stage", "draw", f"{prefix}direction"),
                factor * expected,
            )
            found[f"{prefix}expected_{name}"] = (
                ("realization", "stage", "draw", f"{prefix}direction"),
                expected.copy(),
            )
    coords = {"stage": ["loss 0.1", "end"], "draw": draws, "learning_rate": 0.05, "batch_size": 50}
    return xr.Dataset(found, coords, {"window_time": 5.0})


def test_separation_sets_fast_times_against_the_drift(followed):
    found = assumptions.separation(followed)
    np.testing.assert_allclose(found.drift_time, 20)
    np.testing.assert_allclose(found.shape_time, 50)
    np.testing.assert_allclose(found.layer_ratio, 3 / 20)
    np.testing.assert_allclose(found.network_ratio, 2**4.5 / 20)  # geometric mean of ten of 1, ½, …
    np.testing.assert_array_equal(found.n_fast, 1)  # of 20, 10, 5, … one lies above 10
    means = assumptions.separation_means(followed)
    np.testing.assert_allclose(means.stage_time, [2, 10])
    np.testing.assert_allclose(means.layer_ratio, 3 / 20)
    assert means.stage_time_low.isnull().all()  # two runs give no interval
    third = followed.isel(realization=[0, 1, 0])
    np.testing.assert_allclose(assumptions.separation_means(third).stage_time_low, [1, 10])


def test_ratios_to_the_parabola_are_geometric_means(followed):
    for name in ("relaxation", "scatter", "network_relaxation", "network_scatter"):
        assert assumptions.held_to_parabola(
            followed, name, "end", "reshuffled", rng()
        ).value == pytest.approx(2)
        assert assumptions.held_to_parabola(
            followed, name, "loss 0.1", "independent", rng()
        ).value == pytest.approx(14)
    followed["relaxation"][:, 1, 0, 3] = np.inf  # one direction forgets nothing; the others tell
    assert assumptions.held_to_parabola(
        followed, "relaxation", "end", "reshuffled", rng()
    ).value == pytest.approx(2)
    assert assumptions.shrinkage(followed, "end", rng()).value == pytest.approx(7)


def test_runs_that_never_came_to_a_stage_are_not_known(found):
    found["stage_time"][0, 1, 2, 0] = np.nan
    kept = assumptions.where_reached(found, "loss 0.1")
    assert kept.train_loss[0, 1, 2].isnull().all()
    assert kept.flatness_at[0, 1, 2].isnull().all()
    np.testing.assert_array_equal(kept.train_loss[0, 1, :2], found.train_loss[0, 1, :2])
    np.testing.assert_array_equal(kept.time, found.time)


STAGES = {"early": "loss 1", "freezing": "loss 0.1", "end": "end"}
EXAMPLE = {"batch_size": 50, "learning_rate": 0.05}
FACTORS = np.array([0.8, 1.0, 1.2])  # of the runs of a setting


def by_stage(of_setting: list[list[float]], of_stage: tuple[float, float, float]) -> tuple:
    """A number a run and stage, scattered about that of its setting; one run of gradient
    descent.
    """
    values = np.multiply.outer(np.multiply.outer(of_setting, FACTORS), of_stage)
    values[2, :, 1:] = np.nan
    values[2, :, 0] = np.multiply.outer(of_setting[2], of_stage)
    return (*CELL, "stage"), values


@pytest.fixture
def fitted() -> xr.Dataset:
    """Nine settings at three stages; gradient descent is the last batch size, and far away."""
    times = [[9.0, 6.0, 3.0], [8.0, 5.0, 2.0], [12.0, 9.0, 6.0]]
    sharpness = [[20.0, 15.0, 9.0], [20.0, 15.0, 9.0], [24.0, 19.5, 9.0]]
    even = [[0.5, 1.0, 1.5], [1.5, 1.0, 0.5], [70.0] * 3]
    found = {
        "exponent_at": by_stage(even, (1.0, 1.1, 1.3)),
        "cosine_at": by_stage(even, (0.9, 0.8, 0.7)),
        "isotropic_cosine_at": by_stage(even, (0.1, 0.2, 0.3)),
        "shared_at": by_stage(even, (0.4, 0.5, 0.6)),
        "over_isotropic_at": by_stage(even, (20.0, 30.0, 40.0)),
        "noise_per_curvature_at": by_stage([[1.0] * 3] * 3, (0.8, 0.2, 0.01)),
        "stage_time": by_stage(times, (0.5, 1.0, 4.0)),
        "flatness_at": by_stage([[4.0, 9.0, 6.0], [3.0] * 3, [2.0, 3.0, 4.0]], (0.1, 0.5, 1.0)),
        "network_sharpness_at": by_stage(sharpness, (1.0, 0.9, 0.5)),
    }
    dims, strength = found["noise_per_curvature_at"]
    found["bulk_noise_at"] = (dims, 0.06 * strength)
    found["bulk_curvature_at"] = by_stage([[0.1] * 3] * 3, (1.0, 1.0, 1.0))
    curvature = 0.9 ** np.arange(30)
    noise = np.where(np.arange(30) < 10, curvature, curvature**1.5)
    shape = (3, 3, 3, 3, 30)
    found["curvature"] = ((*CELL, "stage", "direction"), np.broadcast_to(curvature, shape))
    found["noise"] = ((*CELL, "stage", "direction"), np.broadcast_to(noise, shape))
    loss = np.broadcast_to(2 * np.exp(-TIMES / 4), (3, 3, 3, 6))
    found["train_loss"] = ((*CELL, "record"), loss)
    found["noise_per_curvature"] = ((*CELL, "record"), 0.3 * loss**0.8)
    sharp = np.full((3, 3, 3, 6), np.nan)
    sharp[..., 1] = found["network_sharpness_at"][1][..., 0]
    found["network_sharpness"] = ((*CELL, "record"), sharp)
    found["time"] = ((*CELL[:2], "record"), np.broadcast_to(TIMES, (3, 3, 6)))
    coords = {"batch_size": [50, 200, 1000], "learning_rate": [0.05, 0.1, 0.25]}
    return xr.Dataset(found, coords | {"stage": list(STAGES.values())})


def test_the_noise_is_compared_with_the_curvature_stage_by_stage(fitted):
    found = assumptions.noise_findings(fitted, STAGES, EXAMPLE)
    expected = {"p": (1.0, 1.1, 1.3), "cos": (0.9, 0.8, 0.7)}
    expected |= {"shared": (0.4, 0.5, 0.6), "over": (20, 30, 40)}
    for key, values in expected.items():
        assert [estimate(found[f"{key}_{name}"]).value for name in STAGES] == pytest.approx(values)
        assert all(
            estimate(found[f"{key}_{name}"]).low < estimate(found[f"{key}_{name}"]).value
            for name in STAGES
        )
    assert [found[f"isotropic_{name}"] for name in STAGES] == pytest.approx([0.1, 0.2, 0.3])
    assert [estimate(found[f"p_tail_{name}"]).value for name in STAGES] == pytest.approx([1.5] * 3)
    over = 0.06 / 0.1 / FACTORS  # the strength drops out, the factor of the curvature does not
    assert estimate(found["bulk"]).value == pytest.approx(over.mean())


def test_the_strength_of_the_noise_falls_from_stage_to_stage(fitted):
    found = assumptions.strength_findings(fitted, STAGES, 1.5)
    middle = np.exp(np.log(FACTORS).mean())  # a geometric mean
    assert [estimate(found[f"strength_{name}"]).value for name in STAGES] == pytest.approx(
        [0.8 * middle, 0.2 * middle, 0.01 * middle]
    )
    assert estimate(found["fall_before"]).value == pytest.approx(4)
    assert estimate(found["fall"]).value == pytest.approx(20)
    assert estimate(found["slope"]).value == pytest.approx(0.8)
    assert np.isnan(estimate(assumptions.strength_findings(fitted, STAGES, 0.01)["slope"]).value)


def test_settings_are_sorted_by_whether_their_steps_are_stable(fitted):
    found = assumptions.stability_findings(fitted, "loss 0.1", EXAMPLE)
    highest = [[1.2, 1.8, 2.7], [1.2, 1.8, 2.7], [1.2, 1.95, 2.25]]  # ηλ of the sharpest run
    assert estimate(found["edge_highest"]).value == pytest.approx(1.0)
    assert estimate(found["edge_at_freezing"]).value == pytest.approx(0.9)
    assert estimate(found["edge_share"]).value == 0
    assert (found["all_settings"], found["unfit"]) == (9, 0)
    assert found["beyond"] == (np.array(highest) > 2).sum()
    assert found["latest"] == pytest.approx(1.35)
    assert (found["calm"], found["calm_highest"]) == (0.1, pytest.approx(1.95))


def test_a_setting_that_never_came_to_the_stage_counts_as_unfit(fitted):
    came = (fitted.batch_size != 200) | (fitted.learning_rate != 0.25)
    fitted["network_sharpness"] = fitted.network_sharpness.where(came)
    found = assumptions.stability_findings(fitted, "loss 0.1", EXAMPLE)
    assert (found["all_settings"], found["unfit"], found["beyond"]) == (8, 1, 2)


def test_where_no_learning_rate_is_calm_the_first_one_stands_in(fitted):
    wild = fitted.assign(network_sharpness=3 * fitted.network_sharpness)
    found = assumptions.stability_findings(wild, "loss 0.1", EXAMPLE)
    assert np.isnan(number(found["calm"]))
    assert found["calm_highest"] == pytest.approx(3.6)


def test_noise_alone_is_seen_where_all_runs_are_stable(fitted):
    found = assumptions.outcome_findings(fitted, "loss 0.1")  # the calm learning rate is 0.1
    assert estimate(found["calm_freezing_time"]).value == pytest.approx(6 / 9)
    assert estimate(found["calm_flatness"]).value == pytest.approx(9 / 3)
    assert estimate(found["calm_flatness"]).high > 3
    assert estimate(found["calm_flatness_freezing"]).value == pytest.approx(9 / 3)
    assert (found["gd_freezing_time_first"], found["gd_freezing_time_last"]) == (12, 6)
    assert (found["gd_flatness_first"], found["gd_flatness_last"]) == (2, 4)
    assert found["gd_flatness_rate"] == 0.25


def test_gradient_descent_is_followed_to_the_last_rate_at_which_it_freezes(fitted):
    fitted["stage_time"][2, 2] = np.nan
    found = assumptions.outcome_findings(fitted, "loss 0.1")
    assert (found["gd_freezing_time_last"], found["gd_freezing_time_rate"]) == (9, 0.1)
    assert found["gd_flatness_rate"] == 0.25
