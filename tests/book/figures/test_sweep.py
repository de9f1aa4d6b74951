"""The figures of the chapter on sweeps draw what their datasets say, in the colours of the book,
with named axes.
"""

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from tests.book.figures.drawn import (
    band_ends,
    bands,
    bars_of,
    cells_of,
    colour_of,
    drawn_axes,
    error_bars,
    hatched,
    legend,
    lines,
    segments,
    title,
    written,
    x_of,
    xy_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.drawing.style import (
    ACCURACY,
    DIVERGED,
    LOSS,
    NEUTRAL,
    ON_DARK,
    ON_LIGHT,
    THEORY,
    batch_size_colours,
    learning_rate_colours,
)

SIZES, RATES, RUNS = [10, 50, 1000], [0.1, 0.2], 12
MEANS = (
    *(
        "converged",
        "train_accuracy",
        "train_loss",
        "test_loss",
        "similarity",
        "similarity_full",
        "weight_cosine",
        "weight_distance",
    ),
    *(
        "test_accuracy",
        "full_test_accuracy",
        "flatness",
        "relative_flatness",
        "whole_network_flatness",
    ),
)


@pytest.fixture
def summary():
    """0.5 everywhere with an interval 0.2 wide, none at B = 1000; no solution at B = 10, η =
    0.2, where only the training set has numbers.
    """
    cell = ("batch_size", "learning_rate")
    value, low = np.full((3, 2), 0.5), np.array([[0.4, 0.4], [0.4, 0.4], [np.nan, np.nan]])
    found = {name: (cell, value.copy()) for name in (*MEANS, "max_test_accuracy", "max_flatness")}
    for name in MEANS:
        found |= {f"{name}_low": (cell, low), f"{name}_high": (cell, 1 - low)}
    times = {
        f"freezing_time{end}": ((*cell, "threshold"), np.stack([part] * 3, axis=-1))
        for end, part in (("", value), ("_low", low), ("_high", 1 - low))
    }
    dataset = xr.Dataset(
        found | times,
        coords={"batch_size": SIZES, "learning_rate": RATES, "threshold": [0.2, 0.1, 0.05]},
    )
    lost = {"batch_size": 10, "learning_rate": 0.2}
    dataset.converged.loc[lost] = 0
    for name in (
        "test_loss",
        "flatness",
        "max_flatness",
        "weight_cosine",
        "weight_distance",
        "freezing_time",
    ):
        dataset[name].loc[lost] = np.nan
    return dataset


@pytest.fixture
def sweep():
    """Runs that end apart, and copies of one at B = 1000; all converge."""
    rng = np.random.default_rng(0)
    values = rng.random((3, 2, RUNS))
    values[2] = values[2, :, :1]
    cell = ("batch_size", "learning_rate", "realization")
    along = {
        name: ((*cell, "record"), np.stack([values, values], axis=-1))
        for name in ("test_accuracy", "flatness")
    }
    found = along | {
        "full_test_accuracy": (cell, values),
        "converged": (cell, np.ones(values.shape, bool)),
    }
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


def test_maps_of_the_training_set_keep_their_numbers_in_cells_without_a_solution(summary):
    panels = figures.fit(summary).axes
    assert title(panels[0]) == "share of runs that converge"
    assert written(panels[1]).count("50.0") == 6
    assert hatched(panels[1]) == [(1.5, 0.5)]  # third column, B = 10, and second row, η = 0.2
    assert written(panels[3]).count("0.50") == 5
    assert hatched(panels[3]) == []  # the hatching of the panel shows through


def test_maps_tell_the_width_of_their_intervals_in_their_own_units(summary):
    summary["train_accuracy_high"].loc[{"batch_size": 10, "learning_rate": 0.1}] = 0.96
    # percent: 40 to 60, and 40 to 96
    assert "intervals: ± 10 typical, ± 30 widest" in written(figures.fit(summary).axes[1])
    maxima, means = figures.flatness(summary, _flat_sweep(summary), 0.1).axes[:2]
    assert "a maximum, without an interval" in written(maxima)
    assert "intervals: ± 0.1 typical, ± 0.1 widest" in written(means)


def _flat_sweep(summary):
    cell = ("batch_size", "learning_rate", "realization")
    runs = {
        "flatness": ((*cell, "record"), np.ones((3, 2, 4, 2))),
        "converged": (cell, np.ones((3, 2, 4), bool)),
    }
    return xr.Dataset(
        runs, coords={"batch_size": summary.batch_size, "learning_rate": summary.learning_rate}
    )


def test_maps_say_where_runs_are_too_few_for_intervals(summary):
    for end in ("low", "high"):
        summary[f"weight_cosine_{end}"] = summary[f"weight_cosine_{end}"] * np.nan
    assert "too few runs for intervals" in written(figures.apart(summary).axes[0])


def test_the_compared_learning_rate_is_framed(summary):
    frames = [
        patch.get_xy()
        for patch in figures.accuracy(summary, 0.2).axes[0].patches
        if isinstance(patch, Rectangle) and not patch.get_hatch()
    ]
    assert set(frames) == {(-0.5, 0.5)}


def test_copies_of_one_run_are_one_point_without_a_bar(summary, sweep):
    for axes in figures.accuracy_runs(summary, sweep, gained(), 0.1).axes[:2]:
        points = [line for line in axes.lines if line.get_marker() == "o"]
        assert [len(x_of(line)) for line in points] == [1, RUNS, RUNS]  # B = 1000, 50, 10
        bars = [bar.get_segments()[0] for bar in bars_of(axes)]
        assert [bool(bar.size and np.isfinite(bar).all()) for bar in bars] == [False, True, True]


def test_both_strips_of_runs_have_one_scale(summary, sweep):
    sweep["full_test_accuracy"] = sweep.full_test_accuracy / 10
    left, right, _ = figures.accuracy_runs(summary, sweep, gained(), 0.1).axes
    assert np.ptp(left.get_ylim()) == pytest.approx(np.ptp(right.get_ylim()))


def test_gains_are_drawn_from_the_largest_batch_to_the_smallest(summary, sweep):
    *_, axes = figures.accuracy_runs(summary, sweep, gained(), 0.1).axes
    wide, narrow = (
        [bar.get_height() for bar in bars]
        for bars in axes.containers
        if isinstance(bars, BarContainer)
    )
    assert (wide, narrow) == ([0, 4, 5], [0, 1, 2])
    marks = {label: (list(y), colour) for label, (_, y, colour) in lines(axes).items()}
    assert marks["best run, all test images"] == ([0, 2, 3], THEORY)
    assert marks["best run, this small test set"] == ([0, 1, 8], NEUTRAL)
    ends = [segment[:, 1] for bar in bars_of(axes) for segment in bar.get_segments()]
    assert np.concatenate(ends) == pytest.approx([0, 0, 3, 6, 3, 8])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1000", "50", "10"]
    assert "B = 1000" in axes.get_ylabel()


def gained():
    """Gains over B = 1000, in the order of `SIZES`."""
    rows = {
        "mean": [2.0, 1, 0],
        "best_full": [3.0, 2, 0],
        "best_small": [8.0, 1, 0],
        "lucky": [5.0, 4, 0],
        "lucky_low": [3.0, 3, 0],
        "lucky_high": [8.0, 6, 0],
    }
    return xr.Dataset({k: ("batch_size", v) for k, v in rows.items()}, {"batch_size": SIZES})


def test_courses_have_bands_and_leave_out_what_was_not_measured(course):
    left, right = figures.transient(course, 0.1).axes
    assert len(left.collections) == len(right.collections) == 3
    assert [len(x_of(line)) for line in right.lines] == [2, 2, 2]
    band = np.asarray(left.collections[0].get_paths()[0].vertices)
    assert band[:, 1].max() == pytest.approx(4.1)
    assert not left.collections[2].get_paths() or not len(
        np.asarray(left.collections[2].get_paths()[0].vertices)
    )


def test_controls_are_relative_to_the_largest_batch(summary, course):
    _, right = figures.flatness_controls(summary, course, 0.1).axes
    assert right.get_ylabel() == "relative to B = 1000"
    assert all(y_of(line)[-1] == 1 for line in right.lines if str(line.get_marker()) in "os^")


def test_freezing_has_a_map_for_each_threshold_the_given_one_first(summary):
    titles = [title(axes) for axes in figures.freezing(summary, 0.1).axes]
    assert ["0.1" in titles[0], "0.2" in titles[1], "0.05" in titles[2]] == [True] * 3
    assert len(figures.freezing(summary, 0.1).axes) == 3  # and no empty panel
    (axes,) = figures.delay(summary, 0.1).axes
    assert axes.get_ylabel().endswith("relative to B = 1000")


@pytest.fixture
def uneven(summary):
    """No two cells alike: 0.3 to 0.8, twice that for maxima, and gaps where `summary` has them."""
    steps = xr.DataArray(
        np.linspace(-0.2, 0.3, 6).reshape(3, 2), dims=("batch_size", "learning_rate")
    )
    moved = summary.assign({name: summary[name] + steps for name in summary if name != "converged"})
    return moved.assign({name: 2 * moved[name] for name in ("max_test_accuracy", "max_flatness")})


MAPS = {
    "train_accuracy": (lambda summary: figures.fit(summary).axes[1], "{:.1f}", 100),
    "train_loss": (lambda summary: figures.fit(summary).axes[2], "{:.1f}", 1000),
    "test_loss": (lambda summary: figures.fit(summary).axes[3], "{:.2f}", 1),
    "weight_cosine": (lambda summary: figures.apart(summary).axes[0], "{:.2f}", 1),
    "weight_distance": (lambda summary: figures.apart(summary).axes[1], "{:.2f}", 1),
    "max_test_accuracy": (lambda summary: figures.accuracy(summary, 0.1).axes[0], "{:.1f}", 100),
    "full_test_accuracy": (lambda summary: figures.accuracy(summary, 0.1).axes[1], "{:.1f}", 100),
    "max_flatness": (
        lambda summary: figures.flatness(summary, _flat_sweep(summary), 0.1).axes[0],
        "{:.1f}",
        1,
    ),
    "flatness": (
        lambda summary: figures.flatness(summary, _flat_sweep(summary), 0.1).axes[1],
        "{:.1f}",
        1,
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps_write_each_value_where_its_cell_is_with_the_noise_growing_to_the_upper_right(
    uneven, name
):
    draw, form, scale = MAPS[name]
    # rows of a learning rate, from the largest batch to the smallest
    axes, table = draw(uneven), scale * uneven[name].values[::-1].T
    (image,) = axes.images
    np.testing.assert_allclose(cells_of(image).filled(np.nan), table)
    placed = {
        text.get_position(): text.get_text()
        for text in axes.texts
        if not isinstance(text, Annotation)
    }
    assert placed == {
        (column, row): form.format(value).replace("100.0", "100")
        for (row, column), value in np.ndenumerate(table)
        if np.isfinite(value)
    }
    assert ([label.get_text() for label in axes.get_xticklabels()], image.origin) == (
        ["1000", "50", "10"],
        "lower",
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.1", "0.2"]
    # the axis is named once a row
    place = axes.get_subplotspec()
    is_left = place is not None and place.is_first_col()
    named = ("batch size B", "learning rate η" if is_left else "")
    assert (axes.get_xlabel(), axes.get_ylabel()) == named
    # seen where there is no value
    assert (axes.patch.get_hatch(), colour_of(axes.patch.get_edgecolor())) == ("////", DIVERGED)


def test_numbers_are_light_on_dark_cells_and_dark_on_light_ones(uneven):
    numbers = {text.get_text(): text.get_color() for text in figures.fit(uneven).axes[1].texts}
    assert (numbers["30.0"], numbers["80.0"]) == (ON_DARK, ON_LIGHT)


def test_freezing_maps_show_their_own_threshold(uneven):
    uneven["freezing_time"] = uneven.freezing_time * xr.DataArray([1, 10, 100], dims="threshold")
    for axes, threshold in zip(figures.freezing(uneven, 0.1).axes, (0.1, 0.2, 0.05), strict=True):
        np.testing.assert_allclose(
            cells_of(axes.images[0]).filled(np.nan),
            uneven.freezing_time.sel(threshold=threshold).values[::-1].T,
        )


@pytest.mark.parametrize("freeze", [35.0, np.nan])
def test_run_is_drawn_with_its_threshold_and_freezing_time(freeze):
    values = {
        "train_loss": [2.0, 0.5, 0.01],
        "train_accuracy": [0.1, 0.8, 1.0],
        "test_accuracy": [0.1, 0.7, 0.9],
    }
    coords = {"step": ("record", [0, 20, 40]), "threshold": [0.2, 0.1]}
    cell = xr.Dataset(
        {name: ("record", row) for name, row in values.items()}
        | {"freezing_time": ("threshold", [10.0, freeze])},
        coords,
    )
    above, below = drawn_axes(figures.training_run(cell, 0.1), 2)
    np.testing.assert_array_equal(xy_of(above.lines[0]).T, [cell.step, cell.train_loss])
    assert colour_of(above.lines[0].get_color()) == LOSS
    assert [list(y_of(line)) for line in above.lines if line.get_linestyle() == ":"] == [[0.1, 0.1]]
    for label, name in (("training set", "train_accuracy"), ("small test set", "test_accuracy")):
        x, y, colour = lines(below)[label]
        np.testing.assert_array_equal([x, y], [cell.step, cell[name]])
        assert colour == ACCURACY
    for axes in (above, below):
        (mark,) = [line for line in axes.lines if colour_of(line.get_color()) == THEORY]
        np.testing.assert_array_equal(x_of(mark), [freeze, freeze])
    assert (written(above), above.get_yscale()) == (["$ℒ_c$ = 0.1", "$t_{freeze}$"], "log")


def test_spread_shows_the_runs_of_the_cells_that_it_numbers(uneven):
    positions = np.random.default_rng(2).normal(size=(2, 4, 3, 2))
    coords = {"batch_size": ("cell", [50, 10]), "learning_rate": ("cell", [0.1, 0.2])}
    plane = xr.Dataset(
        {
            "position": (("cell", "realization", "record", "component"), positions),
            "explained": ("component", [0.5, 0.3]),
        },
        coords,
    )
    small, full, *planes = figures.spread(uneven, plane).axes
    for axes, name in ((small, "similarity"), (full, "similarity_full")):
        np.testing.assert_allclose(cells_of(axes.images[0]), uneven[name].values[::-1].T)
        badges = [text for text in axes.texts if text.get_text() in ("1", "2")]
        # on the upper left corners of the cells (1, 0) and (2, 1), which have rings
        assert [text.get_position() for text in badges] == [(0.5, 0.5), (1.5, 1.5)]
        rectangles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        rings = [patch.get_xy() for patch in rectangles if patch.get_linewidth() == 2]
        assert rings == [(0.5, -0.5), (1.5, 0.5)]
    colours = learning_rate_colours(RATES)
    for axes, runs, name, rate in zip(
        planes, positions, ("① B = 50, η = 0.1", "② B = 10, η = 0.2"), RATES, strict=True
    ):
        *drawn, start = axes.lines
        for run, path, end in zip(runs, drawn[::2], drawn[1::2], strict=True):
            np.testing.assert_array_equal(xy_of(path), run)
            np.testing.assert_array_equal(xy_of(end), run[-1:])
            assert (
                colour_of(path.get_color())
                == colour_of(end.get_color())
                == colour_of(colours[rate])
            )
        np.testing.assert_array_equal(xy_of(start), runs[0, :1])
        assert (title(axes), axes.get_xlabel()) == (name, "principal component 1 (50%)")
    assert planes[0].get_xlim() == planes[1].get_xlim() != (0, 1)
    for limits, extent in (
        (planes[0].get_xlim(), positions[..., 0]),
        (planes[0].get_ylim(), positions[..., 1]),
    ):
        assert limits[0] < extent.min() < extent.max() < limits[1]


def test_strips_show_converged_runs_with_their_mean_and_a_violin_where_there_are_many(
    uneven, sweep
):
    sweep["converged"][1, 0, 4:] = False  # four runs at B = 50
    left, right, _ = figures.accuracy_runs(uneven, sweep, gained(), 0.1).axes
    runs = {name: axes for name, axes in (("test_accuracy", left), ("full_test_accuracy", right))}
    colours = batch_size_colours(SIZES)
    for name, axes in runs.items():
        cells, means = sweep.sel(learning_rate=0.1), 100 * uneven.sel(learning_rate=0.1)
        drawn = [line for line in axes.lines if line.get_marker() == "o"]
        for position, (size, n, line, bar) in enumerate(
            zip((1000, 50, 10), (1, 4, RUNS), drawn, error_bars(axes), strict=True)
        ):
            values = cells[name].sel(batch_size=size).values.reshape(RUNS, -1)[:n, -1]
            np.testing.assert_allclose(y_of(line), 100 * values)
            assert np.abs(x_of(line) - position).max() < 0.15
            assert colour_of(line.get_color()) == colour_of(colours[size])
            mean, low, high = (
                float(means[name + end].sel(batch_size=size)) for end in ("", "_low", "_high")
            )
            np.testing.assert_allclose(y_of(bar.lines[0]), [mean])
            np.testing.assert_allclose(
                [part[:, 1] for part in segments(bar.lines[2][0])],
                [[low, high]][: int(np.isfinite(low))],
            )
        (violin,) = bands(axes)
        assert colour_of(violin.get_facecolor()[0]) == colour_of(colours[10])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1000", "50", "10"]
    assert (left.get_ylabel(), left.get_xlabel()) == ("test accuracy [%]", "batch size B")


def test_strip_of_flatness_has_the_last_record_of_each_run(uneven, sweep):
    sweep["flatness"] = sweep.flatness + xr.DataArray([5.0, 0.0], dims="record")
    axes = figures.flatness(uneven, sweep, 0.2).axes[2]
    drawn = [y_of(line) for line in axes.lines if line.get_marker() == "o"]
    for values, size in zip(drawn, (1000, 50, 10), strict=True):
        np.testing.assert_allclose(
            np.unique(values),
            np.unique(sweep.flatness.sel(batch_size=size, learning_rate=0.2)[:, -1]),
        )
    assert (title(axes), axes.get_ylabel()) == ("every run at η = 0.2", "flatness $F$")


def test_controls_show_flatness_over_loss_and_three_measures_relative_to_one_cell(uneven, course):
    for factor, name in enumerate(
        ("flatness", "relative_flatness", "whole_network_flatness"), start=1
    ):
        for end in ("", "_low", "_high"):
            uneven[name + end] = uneven[name + end] ** factor
    left, right = drawn_axes(figures.flatness_controls(uneven, course, 0.1), 2)
    for index, (size, colour) in enumerate(batch_size_colours(SIZES).items()):
        x, y, own = lines(left)[f"B = {size}"]
        np.testing.assert_array_equal(
            [x, y],
            course.isel(batch_size=index, record=[0, 2])[["train_loss", "flatness"]].to_array(),
        )
        assert own == colour_of(colour) == colour_of(bands(left)[index].get_facecolor()[0])
    assert (
        left.xaxis_inverted(),
        right.xaxis_inverted(),
        left.get_xscale(),
        right.get_xscale(),
    ) == (True, True, "log", "log")
    for name, bar in zip(
        ("flatness", "relative_flatness", "whole_network_flatness"), error_bars(right), strict=True
    ):
        row = uneven.sel(learning_rate=0.1)
        quiet = float(row[name].sel(batch_size=1000))
        np.testing.assert_allclose(xy_of(bar.lines[0]).T, [SIZES, row[name] / quiet])
        # gradient descent has none
        ends = np.stack([row[name + end] / quiet for end in ("_low", "_high")], axis=1)[:2]
        np.testing.assert_allclose([part[:, 1] for part in segments(bar.lines[2][0])], ends)
    assert legend(right) == ["second layer, $F$", "$F$ / ‖W‖²", "whole network"]


def test_courses_are_drawn_against_time_in_the_colour_of_their_batch_size(course):
    course["train_loss"] = course.train_loss + xr.DataArray([0.0, 0.02, 0.04], dims="batch_size")
    left, right = drawn_axes(figures.transient(course, 0.1), 2)
    for axes, name, measured in ((left, "train_loss", [0, 1, 2]), (right, "flatness", [0, 2])):
        for index, (size, colour) in enumerate(batch_size_colours(SIZES).items()):
            cell = course.isel(batch_size=index, record=measured)
            x, y, own = lines(axes)[f"B = {size}"]
            np.testing.assert_array_equal([x, y], [cell.time, cell[name]])
            assert own == colour_of(colour)
            if size != 1000:
                np.testing.assert_allclose(
                    band_ends(bands(axes)[index], cell.time),
                    np.stack([cell[f"{name}_low"], cell[f"{name}_high"]], axis=1),
                )
    (threshold,) = [line for line in left.lines if line.get_linestyle() == ":"]
    assert (list(y_of(threshold)), written(left), left.get_yscale()) == (
        [0.1, 0.1],
        ["$ℒ_c$ = 0.1"],
        "log",
    )


@pytest.mark.parametrize("count", [3, 9])
def test_delay_has_a_line_for_each_threshold_relative_to_the_largest_batch(uneven, count):
    levels = np.round(0.01 * np.arange(1, count + 1), 2)
    powers = xr.DataArray(np.arange(1, count + 1), {"threshold": levels}, dims="threshold")
    times = (
        uneven.isel(threshold=0, drop=True)[
            [f"freezing_time{end}" for end in ("", "_low", "_high")]
        ]
        ** powers
    )
    (axes,) = drawn_axes(figures.delay(times, 0.1), 1)
    for level, bar in zip(levels, error_bars(axes), strict=True):
        row = times.sel(learning_rate=0.1, threshold=level)
        quiet = float(row.freezing_time.sel(batch_size=1000))
        np.testing.assert_allclose(xy_of(bar.lines[0]).T, [SIZES, row.freezing_time / quiet])
        ends = np.stack([row[f"freezing_time{end}"] / quiet for end in ("_low", "_high")], axis=1)[
            :2
        ]
        np.testing.assert_allclose([part[:, 1] for part in segments(bar.lines[2][0])], ends)
    assert legend(axes) == [f"$ℒ_c$ = {level:g}" for level in levels]
    assert (axes.get_xlabel(), title(axes), axes.xaxis_inverted()) == (
        "batch size B",
        "η = 0.1",
        True,
    )


def test_gradient_descent_is_the_thick_line_and_every_mean_keeps_its_interval(summary):
    panels = drawn_axes(figures.descent(summary.sel(threshold=0.1)), 3)
    for axes, scale in zip(panels, (1, 1, 100), strict=True):
        drawn = error_bars(axes)
        assert [bar.lines[0].get_linewidth() for bar in drawn].index(3) == SIZES.index(1000)
        assert colour_of(drawn[0].lines[0].get_color()) == colour_of(batch_size_colours(SIZES)[10])
        assert y_of(drawn[1].lines[0]) == pytest.approx([0.5 * scale] * 2)
        ends = drawn[1].lines[2][0].get_segments()[0][:, 1]
        assert ends == pytest.approx([0.4 * scale, 0.6 * scale])


def test_a_column_without_noise_stands_apart(summary):
    def gaps(shown):
        return [x_of(line)[0] for line in figures.apart(shown).axes[0].lines]

    assert gaps(summary) == [0.5]
    assert gaps(summary.isel(batch_size=[0, 1])) == []
