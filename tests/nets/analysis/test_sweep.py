import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import linregress
from valleys.nets.analysis.sweep import (
    accuracy_gain,
    converged_cells,
    courses,
    estimate,
    flatness_at_loss,
    noise_effect,
    noisiest_batch_size,
    of_solutions,
    rising_steps,
    summarize,
    variance_explained,
)

BATCH_SIZES, LEARNING_RATES, RUNS, IMAGES = [10, 100, 1000], [0.1, 0.2], 4, 50


@pytest.fixture
def sweep():
    """A made-up sweep: flatness 100 / B plus the run's number, every run wrong on images 0 to 4 and
    on one of its own; B = 10 at 0.2 does not converge.

    Runs i and j lie |i - j| · 100 / B apart, with a cosine of 1 - |i - j| / 10; those of B = 1000
    are copies of one.
    """
    shape = (len(BATCH_SIZES), len(LEARNING_RATES), RUNS)
    flatness = 100 / np.array(BATCH_SIZES)[:, None, None] + np.arange(RUNS) + np.zeros(shape)
    wrong = np.zeros((*shape, IMAGES), bool)
    wrong[..., :5] = True
    for run in range(RUNS):
        wrong[:, :, run, 10 + run] = True
    converged = np.ones(shape, bool)
    converged[0, 1] = False
    converged[0, 0, 3] = False
    cell = ("batch_size", "learning_rate", "realization")
    at_end = {
        name: ((*cell, "record"), np.stack([0 * flatness, flatness], axis=-1))
        for name in ("flatness", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    }
    runs = np.arange(RUNS)
    apart = np.abs(runs[:, None] - runs) + np.zeros((*shape, RUNS))
    scale = np.array([10, 1, 0])[:, None, None, None]
    found = at_end | {
        "weight_norm": ((*cell, "record"), np.full((*shape, 2), 2.0)),
        "full_test_accuracy": (cell, 1 - wrong.mean(axis=-1)),
        "weight_distance": ((*cell, "other"), apart * scale),
        "weight_cosine": ((*cell, "other"), 1 - apart / 10),
        "whole_network_flatness": (cell, np.where(np.arange(RUNS) < 2, flatness, np.nan)),
        "misclassified": ((*cell, "test_image"), wrong[..., :20]),
        "misclassified_full": ((*cell, "full_test_image"), wrong),
        "converged": (cell, converged),
        "freezing_time": (
            (*cell, "threshold"),
            np.stack([flatness, np.where(flatness > 2, np.nan, flatness)], axis=-1),
        ),
    }
    return xr.Dataset(
        found,
        coords={
            "batch_size": BATCH_SIZES,
            "learning_rate": LEARNING_RATES,
            "threshold": [0.2, 0.1],
        },
    )


def test_means_are_over_converged_runs(sweep):
    found = summarize(sweep)
    assert found.flatness.dims == ("batch_size", "learning_rate")
    assert found.flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(1 + 1.5)
    # runs 0, 1, 2
    assert found.flatness.sel(batch_size=10, learning_rate=0.1) == pytest.approx(10 + 1)
    assert found.max_flatness.sel(batch_size=10, learning_rate=0.1) == pytest.approx(12)
    assert found.relative_flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(2.5 / 4)
    assert found.whole_network_flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(1.5)
    assert (found.flatness_low < found.flatness).sel(batch_size=100).all()
    assert (found.flatness_high > found.flatness).sel(batch_size=100).all()


def test_cells_without_a_converged_run_are_unknown(sweep):
    found = summarize(sweep).sel(batch_size=10, learning_rate=0.2)
    assert found.converged == 0
    for name in (
        "flatness",
        "max_flatness",
        "similarity",
        "similarity_full",
        "weight_cosine",
        "weight_distance",
        "test_accuracy",
        "test_loss",
    ):
        assert np.isnan(found[name]), name
    assert found.train_loss == pytest.approx(10 + 1.5)  # of all runs, as the training accuracy
    assert found.train_accuracy == pytest.approx(10 + 1.5)
    assert (found.converged_low, found.converged_high) == (0, pytest.approx(0.49, abs=0.01))
    assert np.isnan(found.freezing_time).all()


def test_similarity_is_the_mean_over_pairs(sweep):
    found = summarize(sweep)
    assert found.similarity_full.sel(batch_size=100, learning_rate=0.2) == pytest.approx(5 / 7)


def test_solutions_are_compared_in_pairs_of_converged_runs(sweep):
    found = summarize(sweep).sel(learning_rate=0.1)
    assert found.weight_distance.sel(batch_size=100) == pytest.approx((3 * 1 + 2 * 2 + 3) / 6)
    # runs 0, 1, 2
    assert found.weight_distance.sel(batch_size=10) == pytest.approx(10 * (2 * 1 + 2) / 3)
    assert found.weight_cosine.sel(batch_size=10) == pytest.approx(1 - 4 / 30)
    for name in ("weight_distance", "weight_cosine"):
        assert (found[f"{name}_low"] < found[name]).sel(batch_size=100), name
        assert (found[f"{name}_high"] > found[name]).sel(batch_size=100), name


def test_copies_of_one_run_and_too_few_runs_have_no_interval(sweep):
    sweep.converged[1, 0, 2:] = False
    found = summarize(sweep)
    for name in ("flatness", "train_loss", "weight_distance", "similarity_full", "converged"):
        assert np.isfinite(found[name].sel(batch_size=1000)).all(), name
        assert np.isnan(found[f"{name}_low"].sel(batch_size=1000)).all(), name
    assert np.isnan(found.freezing_time_high.sel(batch_size=1000)).all()
    for name in ("flatness", "weight_distance"):
        assert np.isfinite(found[name].sel(batch_size=100, learning_rate=0.1)), name
        assert np.isnan(found[f"{name}_low"].sel(batch_size=100, learning_rate=0.1)), name
    assert f"{estimate(found, 'flatness', batch_size=1000, learning_rate=0.1):.1f}".endswith(
        "(no interval)"
    )


def test_a_course_is_the_mean_over_runs_with_the_interval_of_the_normal_law():
    rng, n = np.random.default_rng(5), 200
    values = rng.normal(3, 1, size=(2, n, 3))
    values[0, 0] = np.nan  # a run that diverged
    values[:, :, 1] = np.nan  # a record at which it was not measured
    dims = ("batch_size", "realization", "record")
    apart = np.stack([np.ones((n, n)), np.zeros((n, n))])
    parts = {name: (dims, values) for name in ("train_loss", "flatness")} | {
        "weight_distance": (("batch_size", "realization", "other"), apart)
    }
    found = courses(
        xr.Dataset(parts, coords={"batch_size": [50, 1000], "time": ("record", [0.0, 1.0, 2.0])})
    )
    assert found.flatness.sel(batch_size=50).values[[0, 2]] == pytest.approx(
        values[0, 1:, [0, 2]].mean(axis=1)
    )
    assert np.isnan(found.flatness[:, 1]).all()
    half = (found.train_loss_high - found.train_loss_low).sel(batch_size=50).values[[0, 2]] / 2
    assert half == pytest.approx(1.96 * values[0, 1:, [0, 2]].std(axis=1) / (n - 1) ** 0.5, rel=0.1)
    assert np.isnan(found.train_loss_low.sel(batch_size=1000)).all()  # copies of one run
    assert found.time.values.tolist() == [0, 1, 2]


def test_quantities_of_solutions_are_those_of_converged_runs(sweep):
    assert of_solutions(sweep.sel(batch_size=10, learning_rate=0.1), "flatness").tolist() == [
        10,
        11,
        12,
    ]
    assert of_solutions(sweep.sel(batch_size=10, learning_rate=0.2), "full_test_accuracy").size == 0


def grid_summary(**tables):
    """Settled cells of three mini-batch sizes, four learning rates, and gradient descent."""
    coords = {
        "batch_size": [10, 20, 50, 1000],
        "learning_rate": [0.1, 0.2, 0.4, 0.8],
        "threshold": [0.1],
    }
    found = {
        name: (("batch_size", "learning_rate"), np.asarray(table, float))
        for name, table in tables.items()
    }
    return xr.Dataset(
        found | {"converged": (("batch_size", "learning_rate"), np.ones((4, 4)))}, coords=coords
    )


def test_steps_to_noisier_neighbours_are_counted():
    size, rate = np.array([3, 2, 1, 99])[:, None], np.arange(4)
    summary = grid_summary(
        both=size + rate, one=size - rate, unknown=np.where(size == 2, np.nan, size + rate)
    )
    assert rising_steps(summary, "both", 1000) == (8 + 9, 8 + 9)  # gradient descent is left out
    assert rising_steps(summary, "one", 1000) == (8, 8 + 9)
    assert rising_steps(summary, "unknown", 1000) == (6, 6)
    shuffled = summary.isel(batch_size=[2, 0, 3, 1], learning_rate=[1, 0, 3, 2])
    assert rising_steps(shuffled, "one", 1000) == (8, 8 + 9)


def test_the_variance_that_one_quantity_explains_of_another_is_that_of_scipy():
    x, y = np.random.default_rng(1).random((2, 4, 4))
    found = variance_explained(grid_summary(x=x, y=x + y, line=2 - x), "y", "x", 1000)
    assert found.value == pytest.approx(linregress(x[:3].ravel(), (x + y)[:3].ravel()).rvalue ** 2)
    assert found.low < found.value < found.high
    assert variance_explained(
        grid_summary(x=x, line=2 - x), "line", "x", 1000
    ).low == pytest.approx(1)


def test_freezing_is_in_units_of_time_and_over_runs_that_froze(sweep):
    found = summarize(sweep).freezing_time.sel(batch_size=100, learning_rate=0.2)
    assert found.sel(threshold=0.2) == pytest.approx(0.2 * 2.5)
    assert found.sel(threshold=0.1) == pytest.approx(0.2 * 1.5)  # runs 0 and 1 alone


def test_the_effect_of_noise_is_between_the_ends_of_the_settled_cells(sweep):
    summary = summarize(sweep)
    assert converged_cells(summary, 1000).batch_size.values.tolist() == [10, 100]
    found = noise_effect(summary, "flatness", 1000)
    assert found.learning_rate.values.tolist() == [0.1]  # at 0.2 one mini-batch cell is left
    assert found.value.item() == pytest.approx(11 - 2.5)
    assert found.clear.item()


def test_the_interval_of_an_effect_is_that_of_a_difference_of_two_means():
    first, second = (
        np.random.default_rng(6).normal(2, 1, 300),
        np.random.default_rng(7).normal(1.5, 2, 200),
    )
    ends = [(values.mean(), 1.96 * values.std() / len(values) ** 0.5) for values in (first, second)]
    tables = [[ends[0][0], 9, ends[1][0], 9], [ends[0][1], 0, ends[1][1], 0]]
    value, half = (np.array(table)[:, None] * np.ones(4) for table in tables)
    found = noise_effect(grid_summary(x=value, x_low=value - half, x_high=value + half), "x", 1000)
    expected = 1.96 * (first.var() / 300 + second.var() / 200) ** 0.5
    assert found.value.values == pytest.approx(first.mean() - second.mean())
    assert ((found.high - found.low) / 2).values == pytest.approx(expected)
    assert found.clear.values.tolist() == [abs(first.mean() - second.mean()) > expected] * 4
    unmeasured = noise_effect(
        grid_summary(x=value, x_low=value * np.nan, x_high=value * np.nan), "x", 1000
    )
    assert not unmeasured.clear.any()


def test_the_noisiest_settled_cell_is_found_or_its_absence_told(sweep):
    summary = summarize(sweep)
    assert noisiest_batch_size(summary, 0.1, 1000) == 10
    assert noisiest_batch_size(summary, 0.2, 1000) == 100
    with pytest.raises(ValueError, match="choose a smaller one or larger batch_sizes"):
        noisiest_batch_size(summary.isel(batch_size=[0, 2]), 0.2, 1000)


def test_a_gain_in_accuracy_is_found_with_its_interval(sweep):
    noisy, quiet = (
        sweep.sel(batch_size=batch_size, learning_rate=0.1) for batch_size in (100, 1000)
    )
    better = noisy.copy(deep=True)
    better["misclassified_full"][:, :5] = False
    found = accuracy_gain(better, quiet)
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.1 < found.high
    # of the share of images that only the better one gets right
    standard_error = (0.1 * 0.9 / IMAGES) ** 0.5
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(standard_error, rel=0.3)
    assert accuracy_gain(noisy, noisy).low <= 0 <= accuracy_gain(noisy, noisy).high
    assert np.isnan(accuracy_gain(sweep.sel(batch_size=10, learning_rate=0.2), quiet).value)


def test_an_estimate_is_read_from_its_cell(sweep):
    summary = summarize(sweep)
    found = estimate(summary, "flatness", batch_size=100, learning_rate=0.1)
    assert (found.value, found.low) == (
        2.5,
        float(summary.flatness_low.sel(batch_size=100, learning_rate=0.1)),
    )
    assert f"{found:.1f}" == f"2.5 ({found.low:.1f} to {found.high:.1f})"


def test_flatness_at_a_loss_is_read_off_the_last_descent():
    losses = [[10.0, 1.0, 0.1, 1.0, 0.01], [10.0, 1.0, 0.9, 0.8, 0.7], [10.0, 1.0, 0.1, 0.05, 0.01]]
    flat = [
        [1.0, 2.0, np.nan, 4.0, 16.0],
        [1.0, 1.0, np.nan, 1.0, 1.0],
        [1.0, 1.0, np.nan, 5.0, 5.0],
    ]
    found = {
        "train_loss": (("realization", "record"), losses),
        "flatness": (("realization", "record"), flat),
        "converged": ("realization", [True, True, False]),
    }
    at_tenth = flatness_at_loss(xr.Dataset(found), 0.1)
    # half way, on logarithmic axes, from (1, 4) to (0.01, 16)
    assert at_tenth[0] == pytest.approx(8)
    assert np.isnan(at_tenth[1])
    assert len(at_tenth) == 2  # the third run did not converge
