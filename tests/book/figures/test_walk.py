"""The figures of the chapter on the walk from step to step draw what their datasets say, in the
colours of the book, with named axes.
"""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import (
    band_ends,
    bands,
    colour_bar,
    colour_of,
    dashed,
    drawn_axes,
    error_bars,
    legend,
    title,
    x_of,
    xy_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.drawing.style import (
    LOSS,
    NEUTRAL,
    THEORY,
    TIME_MAP,
    learning_rate_colours,
)

SIZES, RATES, TIMES, FRACTIONS = [20, 1000], [0.1, 0.5], [0.0, 1.0, 10.0], [0.0, 0.5, 1.0]
CELL = {"batch_size": 20, "learning_rate": 0.5}
NAMES = (
    "slope_share",
    "cosine",
    "landscape_cosine",
    "bowl_cosine",
    "sag",
    "relative_sag",
    "height",
    "wall",
    "distance",
)


@pytest.fixture
def courses() -> xr.Dataset:
    rng, dims = np.random.default_rng(0), ("batch_size", "learning_rate", "window")
    found = {}
    for name in NAMES:
        values = rng.uniform(0.1, 0.9, (2, 2, 3)) * (-1 if "cosine" in name else 1)
        found |= {
            name: (dims, values),
            f"{name}_low": (dims, values - 0.05),
            f"{name}_high": (dims, values + 0.05),
        }
    found |= {
        name: ((*dims, "fraction"), rng.uniform(0.5, 2, (2, 2, 3, 3)))
        for name in ("profile", "along", "across")
    }
    found["freezing_time"] = (dims[:2], [[4.0, 5.0], [6.0, np.nan]])
    found["window_time"] = (dims, np.broadcast_to(TIMES, (2, 2, 3)))
    return xr.Dataset(found, {"batch_size": SIZES, "learning_rate": RATES, "fraction": FRACTIONS})


@pytest.fixture
def changes() -> xr.Dataset:
    rng, dims = np.random.default_rng(1), ("stage", "batch_size", "learning_rate")
    # gradient descent has no interval
    values, known = rng.normal(size=(3, 2, 2)), np.array([[1.0], [np.nan]])
    found = {
        "q": (dims, values),
        "q_low": (dims, (values - 0.2) * known),
        "q_high": (dims, (values + 0.3) * known),
    }
    return xr.Dataset(
        found, {"stage": ["before", "at", "after"], "batch_size": SIZES, "learning_rate": RATES}
    )


def test_mean_lines_are_relative_to_their_ends_and_coloured_by_the_time_over_the_freezing_time(
    courses,
):
    figure = figures.mean_lines(
        courses, {"one": CELL, "two": {"batch_size": 1000, "learning_rate": 0.1}}
    )
    panels = drawn_axes(figure, 2)
    assert [title(axes) for axes in panels] == ["one\nB = 20, η = 0.5", "two\nB = 1000, η = 0.1"]
    for axes, place in zip(panels, (CELL, {"batch_size": 1000, "learning_rate": 0.1}), strict=True):
        for line, profile in zip(axes.lines, courses.profile.sel(place).values, strict=False):
            np.testing.assert_allclose(y_of(line), 100 * (profile / profile[[0, -1]].mean() - 1))
    name, ends = colour_bar(figure.axes[2])
    assert name == "time / freezing time"
    np.testing.assert_allclose(ends, [1 / 6, 10 / 5])
    first, _, third = (line.get_color() for line in panels[0].lines[:3])
    assert first != third
    assert colour_of(third) == colour_of(TIME_MAP(1.0))  # the latest of both cells
    assert colour_of(first) == colour_of(TIME_MAP(0.0))  # the start is as early as the scale goes


@pytest.mark.parametrize(
    ("draw", "shown", "scale"),
    [
        (
            figures.bouncing,
            [(20, "slope_share"), (1000, "slope_share"), (20, "cosine")],
            "linear",
        ),
        (figures.heights, [(20, "relative_sag"), (1000, "relative_sag")], "log"),
        (figures.distances, [(20, "distance"), (1000, "distance")], "log"),
    ],
)
def test_courses_have_a_line_a_learning_rate_and_a_dot_where_its_runs_freeze(
    courses, draw, shown, scale
):
    figure = draw(courses)
    colours = learning_rate_colours(RATES)
    for axes, (size, name) in zip(drawn_axes(figure, len(shown)), shown, strict=True):
        assert (title(axes), axes.get_xscale(), axes.get_yscale()) == (f"B = {size}", "log", scale)
        for rate in RATES:
            cell = courses.sel(batch_size=size, learning_rate=rate).isel(window=[1, 2])
            line = next(
                line
                for line in axes.lines
                if line.get_marker() != "o"
                and colour_of(line.get_color()) == colour_of(colours[rate])
            )
            np.testing.assert_allclose(xy_of(line).T, [TIMES[1:], cell[name]])
            ends = [band_ends(band, TIMES[1:]) for band in bands(axes)]
            assert any(
                np.allclose(each, np.transpose([cell[f"{name}_low"], cell[f"{name}_high"]]))
                for each in ends
            )
        marks = sorted(x_of(line)[0] for line in axes.lines if line.get_marker() == "o")
        frozen = courses.freezing_time.sel(batch_size=size)
        assert marks == [float(time) for time in frozen if np.isfinite(time)]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["η = 0.1", "η = 0.5", "runs freeze"]


def test_the_dot_of_freezing_lies_on_its_line(courses):
    cell = courses.sel(CELL).isel(window=[1, 2])
    for draw, name, scale in (
        (figures.bouncing, "slope_share", np.array),
        (figures.heights, "relative_sag", np.log),
    ):
        dots = [line for line in draw(courses).axes[0].lines if line.get_marker() == "o"]
        (dot,) = (line for line in dots if x_of(line)[0] == cell.freezing_time)
        expected = np.interp(np.log(cell.freezing_time), np.log(TIMES[1:]), scale(cell[name]))
        np.testing.assert_allclose(scale(y_of(dot)), expected)


def test_the_law_of_the_bowl_has_a_point_a_window_on_its_side_of_freezing(courses):
    figure = figures.bowl_law(courses)
    for axes, late in zip(drawn_axes(figure, 2), (False, True), strict=True):
        (law,) = dashed(axes)
        np.testing.assert_array_equal(x_of(law), y_of(law))
        assert colour_of(law.get_color()) == THEORY
        drawn = np.concatenate([xy_of(line) for line in axes.lines if line is not law])
        chosen = ((courses.window_time >= courses.freezing_time) == late) & (
            courses.window_time > 0
        )
        expected = np.transpose(
            [
                courses.bowl_cosine.where(chosen).values.ravel(),
                courses.landscape_cosine.where(chosen).values.ravel(),
            ]
        )
        np.testing.assert_allclose(
            np.sort(drawn, axis=0), np.sort(expected[np.isfinite(expected[:, 0])], axis=0)
        )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "η = 0.1",
        "η = 0.5",
        "B = 20",
        "B = 1000",
    ]


def test_scans_start_at_each_floor_on_a_logarithmic_axis(courses):
    figure = figures.floor_scans(courses, CELL)
    for axes, name in zip(drawn_axes(figure, 2), ("along", "across"), strict=True):
        for line, losses in zip(axes.lines, courses[name].sel(CELL).values, strict=True):
            np.testing.assert_array_equal(xy_of(line).T, [FRACTIONS, losses])
        assert axes.get_yscale() == "log"
    assert colour_bar(figure.axes[2])[0] == "time / freezing time"


def test_walls_are_drawn_against_the_height_of_the_steps(courses):
    figure = figures.walls_and_heights(courses, [CELL, {"batch_size": 20, "learning_rate": 0.1}])
    for axes, rate in zip(drawn_axes(figure, 2), (0.5, 0.1), strict=True):
        wall, height = (line for line in axes.lines if line.get_marker() != "o")
        cell = courses.sel(batch_size=20, learning_rate=rate).isel(window=[1, 2])
        np.testing.assert_allclose(y_of(wall), cell.wall)
        np.testing.assert_allclose(y_of(height), cell.height)
        assert (
            colour_of(wall.get_color()),
            colour_of(height.get_color()),
            height.get_linestyle(),
        ) == (LOSS, NEUTRAL, "--")
        assert title(axes) == f"B = 20, η = {rate:g}"
    assert legend(figure.axes[0]) == ["wall between runs", "height of the steps"]


def test_changes_stand_at_three_places_and_one_setting_has_bars(changes):
    figure = figures.around_freezing(changes, {"q": "change of q"}, CELL)
    (axes,) = drawn_axes(figure, 1)
    assert title(axes) == "change of q"
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "before",
        "at freezing",
        "after",
    ]
    others = [line for line in axes.lines if colour_of(line.get_color()) == NEUTRAL]
    drawn = [y_of(line).tolist() for line in others if len(y_of(line)) == 3]
    assert drawn == changes.q.transpose(..., "stage").values.reshape(-1, 3).tolist()
    (container,) = error_bars(axes)
    line, _, (lengths,) = container.lines
    np.testing.assert_allclose(y_of(line), changes.q.sel(CELL))
    assert colour_of(line.get_color()) == colour_of(learning_rate_colours(RATES)[0.5])
    heights = [np.ptp(segment[:, 1]) for segment in lengths.get_segments()]
    np.testing.assert_allclose(heights, 0.5, atol=1e-12)
