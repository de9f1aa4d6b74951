import numpy as np
import pytest
import xarray as xr

from valleys.nets.summary import (
    accuracy_gain,
    estimate,
    flatness_at_loss,
    noise_effect,
    noisiest_batch_size,
    settled,
    summarize,
)

BATCH_SIZES, LEARNING_RATES, RUNS, IMAGES = [10, 100, 1000], [0.1, 0.2], 4, 50


@pytest.fixture
def sweep():
    """A made-up sweep: flatness 100 / B plus the run's number, every run wrong on images 0 to 4 and on one of its own; B = 10 at 0.2 does not converge."""
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
    at_end = {name: ((*cell, "record"), np.stack([0 * flatness, flatness], axis=-1)) for name in ("flatness", "train_loss", "test_accuracy")}
    found = at_end | {
        "weight_norm": ((*cell, "record"), np.full((*shape, 2), 2.0)),
        "full_test_accuracy": (cell, 1 - wrong.mean(axis=-1)),
        "whole_network_flatness": (cell, np.where(np.arange(RUNS) < 2, flatness, np.nan)),
        "misclassified": ((*cell, "test_image"), wrong[..., :20]),
        "misclassified_full": ((*cell, "full_test_image"), wrong),
        "converged": (cell, converged),
        "freezing_time": ((*cell, "threshold"), np.stack([flatness, np.where(flatness > 2, np.nan, flatness)], axis=-1)),
    }
    return xr.Dataset(found, coords={"batch_size": BATCH_SIZES, "learning_rate": LEARNING_RATES, "threshold": [0.2, 0.1]})


def test_means_are_over_converged_runs(sweep):
    found = summarize(sweep)
    assert found.flatness.dims == ("batch_size", "learning_rate")
    assert found.flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(1 + 1.5)
    assert found.flatness.sel(batch_size=10, learning_rate=0.1) == pytest.approx(10 + 1)  # runs 0, 1, 2
    assert found.max_flatness.sel(batch_size=10, learning_rate=0.1) == pytest.approx(12)
    assert found.relative_flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(2.5 / 4)
    assert found.whole_network_flatness.sel(batch_size=100, learning_rate=0.1) == pytest.approx(1.5)
    assert (found.flatness_low < found.flatness).sel(batch_size=100).all()
    assert (found.flatness_high > found.flatness).sel(batch_size=100).all()


def test_cells_without_a_converged_run_are_unknown(sweep):
    found = summarize(sweep).sel(batch_size=10, learning_rate=0.2)
    assert found.converged == 0
    for name in ("flatness", "max_flatness", "similarity", "similarity_full", "test_accuracy", "train_loss"):
        assert np.isnan(found[name]), name
    assert np.isnan(found.freezing_time).all()


def test_similarity_is_the_mean_over_pairs(sweep):
    found = summarize(sweep)
    assert found.similarity_full.sel(batch_size=100, learning_rate=0.2) == pytest.approx(5 / 7)


def test_freezing_is_in_units_of_time_and_over_runs_that_froze(sweep):
    found = summarize(sweep).freezing_time.sel(batch_size=100, learning_rate=0.2)
    assert found.sel(threshold=0.2) == pytest.approx(0.2 * 2.5)
    assert found.sel(threshold=0.1) == pytest.approx(0.2 * 1.5)  # runs 0 and 1 alone


def test_the_effect_of_noise_is_between_the_ends_of_the_settled_cells(sweep):
    summary = summarize(sweep)
    assert settled(summary, 1000).batch_size.values.tolist() == [10, 100]
    found = noise_effect(summary, "flatness", 1000)
    assert found.learning_rate.values.tolist() == [0.1]  # at 0.2 one mini-batch cell is left
    assert found.item() == pytest.approx(11 - 2.5)


def test_the_noisiest_settled_cell_is_found_or_its_absence_told(sweep):
    summary = summarize(sweep)
    assert noisiest_batch_size(summary, 0.1, 1000) == 10
    assert noisiest_batch_size(summary, 0.2, 1000) == 100
    with pytest.raises(ValueError, match="choose a smaller one or larger batch_sizes"):
        noisiest_batch_size(summary.isel(batch_size=[0, 2]), 0.2, 1000)


def test_a_gain_in_accuracy_is_found_with_its_interval(sweep):
    noisy, quiet = (sweep.sel(batch_size=batch_size, learning_rate=0.1) for batch_size in (100, 1000))
    better = noisy.copy(deep=True)
    better["misclassified_full"][:, :5] = False
    found = accuracy_gain(better, quiet)
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.1 < found.high
    standard_error = (0.1 * 0.9 / IMAGES) ** 0.5  # of the share of images that only the better one gets right
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(standard_error, rel=0.3)
    assert accuracy_gain(noisy, noisy).low <= 0 <= accuracy_gain(noisy, noisy).high
    assert np.isnan(accuracy_gain(sweep.sel(batch_size=10, learning_rate=0.2), quiet).value)


def test_an_estimate_is_read_from_its_cell(sweep):
    summary = summarize(sweep)
    found = estimate(summary, "flatness", batch_size=100, learning_rate=0.1)
    assert (found.value, found.low) == (2.5, float(summary.flatness_low.sel(batch_size=100, learning_rate=0.1)))
    assert f"{found:.1f}" == f"2.5 ({found.low:.1f} to {found.high:.1f})"


def test_flatness_at_a_loss_is_read_off_the_last_descent():
    losses = [[10.0, 1.0, 0.1, 1.0, 0.01], [10.0, 1.0, 0.9, 0.8, 0.7], [10.0, 1.0, 0.1, 0.05, 0.01]]
    flat = [[1.0, 2.0, np.nan, 4.0, 16.0], [1.0, 1.0, np.nan, 1.0, 1.0], [1.0, 1.0, np.nan, 5.0, 5.0]]
    found = {
        "train_loss": (("realization", "record"), losses),
        "flatness": (("realization", "record"), flat),
        "converged": ("realization", [True, True, False]),
    }
    at_tenth = flatness_at_loss(xr.Dataset(found), 0.1)
    assert at_tenth[0] == pytest.approx(8)  # half way, on logarithmic axes, from (1, 4) to (0.01, 16)
    assert np.isnan(at_tenth[1])
    assert len(at_tenth) == 2  # the third run did not converge
