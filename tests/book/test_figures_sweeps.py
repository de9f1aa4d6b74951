import numpy as np
import pytest
import xarray as xr
from matplotlib.patches import Rectangle

from valleys.book import figures

SIZES, RATES, RUNS = [10, 50, 1000], [0.1, 0.2], 12
MEANS = (
    *("converged", "train_accuracy", "train_loss", "test_loss", "similarity", "similarity_full", "weight_cosine", "weight_distance"),
    *("test_accuracy", "full_test_accuracy", "flatness", "relative_flatness", "whole_network_flatness"),
)


@pytest.fixture
def summary():
    """0.5 everywhere with an interval 0.2 wide, none at B = 1000; no solution at B = 10, η = 0.2, where only the training set has numbers."""
    cell = ("batch_size", "learning_rate")
    value, low = np.full((3, 2), 0.5), np.array([[0.4, 0.4], [0.4, 0.4], [np.nan, np.nan]])
    found = {name: (cell, value.copy()) for name in (*MEANS, "max_test_accuracy", "max_flatness")}
    for name in MEANS:
        found |= {f"{name}_low": (cell, low), f"{name}_high": (cell, 1 - low)}
    times = {f"freezing_time{end}": ((*cell, "threshold"), np.stack([part] * 3, axis=-1)) for end, part in (("", value), ("_low", low), ("_high", 1 - low))}
    dataset = xr.Dataset(found | times, coords={"batch_size": SIZES, "learning_rate": RATES, "threshold": [0.2, 0.1, 0.05]})
    lost = {"batch_size": 10, "learning_rate": 0.2}
    dataset.converged.loc[lost] = 0
    for name in ("test_loss", "flatness", "max_flatness", "weight_cosine", "weight_distance", "freezing_time"):
        dataset[name].loc[lost] = np.nan
    return dataset


@pytest.fixture
def sweep():
    """Runs that end apart, and copies of one at B = 1000; all converge."""
    rng = np.random.default_rng(0)
    values = rng.random((3, 2, RUNS))
    values[2] = values[2, :, :1]
    cell = ("batch_size", "learning_rate", "realization")
    along = {name: ((*cell, "record"), np.stack([values, values], axis=-1)) for name in ("test_accuracy", "flatness")}
    found = along | {"full_test_accuracy": (cell, values), "converged": (cell, np.ones(values.shape, bool))}
    return xr.Dataset(found, coords={"batch_size": SIZES, "learning_rate": RATES})


@pytest.fixture
def course():
    """Three records, the flatness measured at two of them; no interval at B = 1000."""
    value = np.array([4.0, 2.0, 1.0]) * np.ones((3, 1))
    width = np.array([0.1, 0.1, np.nan])[:, None] * np.ones(3)
    flat = np.where(np.arange(3) == 1, np.nan, value)
    found = {"train_loss": value, "train_loss_low": value - width, "train_loss_high": value + width}
    found |= {"flatness": flat, "flatness_low": flat - width, "flatness_high": flat + width}
    arrays = {name: (("batch_size", "record"), values) for name, values in found.items()}
    return xr.Dataset(arrays, coords={"batch_size": SIZES, "time": ("record", [0.0, 1.0, 2.0])})


def written(axes):
    return [text.get_text() for text in axes.texts]


def title(axes):
    """The title wherever the style puts it."""
    return "".join(axes.get_title(loc=place) for place in ("left", "center"))


def hatched(axes):
    return [patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_hatch()]


def test_maps_of_the_training_set_keep_their_numbers_in_cells_without_a_solution(summary):
    panels = figures.fit(summary).axes
    assert title(panels[0]) == "share of runs that converge"
    assert written(panels[1]).count("50.0") == 6
    assert hatched(panels[1]) == [(1.5, 0.5)]  # third column, B = 10, and second row, η = 0.2
    assert written(panels[3]).count("0.50") == 5
    assert hatched(panels[3]) == []  # the hatching of the panel shows through


def test_maps_tell_the_width_of_their_intervals_in_their_own_units(summary):
    summary["train_accuracy_high"].loc[{"batch_size": 10, "learning_rate": 0.1}] = 0.96
    assert "intervals: ± 10 typical, ± 30 widest" in written(figures.fit(summary).axes[1])  # percent: 40 to 60, and 40 to 96
    maxima, means = figures.flatness(summary, _flat_sweep(summary), 0.1).axes[:2]
    assert "a maximum, without an interval" in written(maxima)
    assert "intervals: ± 0.1 typical, ± 0.1 widest" in written(means)


def _flat_sweep(summary):
    cell = ("batch_size", "learning_rate", "realization")
    runs = {"flatness": ((*cell, "record"), np.ones((3, 2, 4, 2))), "converged": (cell, np.ones((3, 2, 4), bool))}
    return xr.Dataset(runs, coords={"batch_size": summary.batch_size, "learning_rate": summary.learning_rate})


def test_maps_say_where_runs_are_too_few_for_intervals(summary):
    for end in ("low", "high"):
        summary[f"weight_cosine_{end}"] = summary[f"weight_cosine_{end}"] * np.nan
    assert "too few runs for intervals" in written(figures.apart(summary).axes[0])


def test_the_compared_learning_rate_is_framed(summary):
    frames = [patch.get_xy() for patch in figures.accuracy(summary, 0.2).axes[0].patches if not patch.get_hatch()]
    assert set(frames) == {(-0.5, 0.5)}


def test_copies_of_one_run_are_one_point_without_a_bar(summary, sweep):
    for axes in figures.accuracy_runs(summary, sweep, 0.1).axes:
        points = [line for line in axes.lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in points] == [1, RUNS, RUNS]  # B = 1000, 50, 10
        bars = [bar.get_segments()[0] for bar in axes.collections if hasattr(bar, "get_segments")]
        assert [bool(bar.size and np.isfinite(bar).all()) for bar in bars] == [False, True, True]


def test_both_strips_of_runs_have_one_scale(summary, sweep):
    sweep["full_test_accuracy"] = sweep.full_test_accuracy / 10
    left, right = figures.accuracy_runs(summary, sweep, 0.1).axes
    assert np.ptp(left.get_ylim()) == pytest.approx(np.ptp(right.get_ylim()))


def test_best_runs_are_drawn_from_the_largest_batch_to_the_smallest():
    rows = {name: ("batch_size", np.array(values) / 100) for name, values in {"mean": [3, 2, 1], "best_full": [4, 3, 1], "best_small": [9, 8, 7]}.items()}
    rows |= {f"best_random_{end}": ("batch_size", np.array(values) / 100) for end, values in {"mean": [6, 5, 1], "low": [5, 3, 0], "high": [8, 6, 2]}.items()}
    (axes,) = figures.best_runs(xr.Dataset(rows, coords={"batch_size": SIZES})).axes
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert lines["mean run, all test images"] == pytest.approx([1, 2, 3])
    assert lines["best run, this small test set"] == pytest.approx([7, 8, 9])
    ends = [segment[:, 1] for bar in axes.collections for segment in bar.get_segments()]
    assert np.concatenate(ends) == pytest.approx([0, 2, 3, 6, 5, 8])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1000", "50", "10"]


def test_courses_have_bands_and_leave_out_what_was_not_measured(course):
    left, right = figures.transient(course, 0.1).axes
    assert len(left.collections) == len(right.collections) == 3
    assert [len(line.get_xdata()) for line in right.lines] == [2, 2, 2]
    band = left.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(4.1)
    assert not left.collections[2].get_paths() or not len(left.collections[2].get_paths()[0].vertices)


def test_controls_are_relative_to_the_largest_batch(summary, course):
    _, right = figures.flatness_controls(summary, course, 0.1).axes
    assert right.get_ylabel() == "relative to B = 1000"
    assert all(line.get_ydata()[-1] == 1 for line in right.lines if line.get_marker() in "os^")


def test_freezing_has_a_map_for_each_threshold_the_given_one_first(summary):
    titles = [title(axes) for axes in figures.freezing(summary, 0.1).axes]
    assert ["0.1" in titles[0], "0.2" in titles[1], "0.05" in titles[2]] == [True] * 3
    assert len(figures.freezing(summary, 0.1).axes) == 3  # and no empty panel
    (axes,) = figures.delay(summary, 0.1).axes
    assert axes.get_ylabel().endswith("relative to B = 1000")
