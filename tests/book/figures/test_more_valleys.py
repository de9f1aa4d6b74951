"""The figures of the chapter on more valleys draw what their datasets say, in the colours of the
book, with named axes.
"""

import numpy as np
import xarray as xr

from tests.book.figures.drawn import (
    colour_of,
    drawn_axes,
    error_bars,
    legend,
    points,
    written,
    x_of,
    xy_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.drawing.style import (
    FLAT,
    FREE,
    KINDS,
    NEUTRAL,
    SHARP,
    noise_colours,
)
from valleys.book.figures.more_valleys import width_colours
from valleys.toy import ManyValleys

NOISES = [0.0001, 0.001]


def occupied(n_valleys: int) -> xr.Dataset:
    """Two rows of valleys with shares that differ everywhere."""
    share = np.linspace(0.1, 0.6, 4 * n_valleys).reshape(2, 2, n_valleys)
    width = np.array([np.linspace(0.6, 0.8, n_valleys), np.linspace(0.8, 0.6, n_valleys)])
    dims = ("row", "effective_noise", "valley")
    variables = {
        "share": (dims, share),
        "share_error": (dims, share / 10),
        "expected": (dims, share + 0.01),
        "width": (("row", "valley"), width),
    }
    return xr.Dataset(variables, {"effective_noise": NOISES})


def test_widths_go_from_the_colour_of_sharp_to_that_of_flat():
    colours = width_colours([0.8, 0.6, 0.7])
    assert [colour_of(colours[width]) for width in (0.6, 0.7, 0.8)] == [SHARP, NEUTRAL, FLAT]


def test_rows_show_every_valley_and_runs_in_the_colour_of_their_end():
    grids = [
        ManyValleys(widths).on_grid(np.linspace(-2, 2, 41), np.linspace(0, 40, 9))
        for widths in ((0.6, 0.7, 0.8), (0.8, 0.6))
    ]
    x, valley = np.array([[0.1, -0.2], [0.1, 0.3]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    runs = xr.Dataset(
        {
            "x": (("run", "step"), x),
            "y": (("run", "step"), 5 + x),
            "valley": (("run", "step"), valley),
        }
    )
    first, second, beside = drawn_axes(figures.rows_of_valleys(grids, runs), 3)
    assert written(first) == ["0.6", "0.7", "0.8"]
    assert [colour_of(line.get_color()) for line in first.lines] == [SHARP, NEUTRAL, FLAT]
    assert [colour_of(line.get_color()) for line in second.lines] == [FLAT, SHARP]
    drawn = np.nansum([np.nan_to_num(y_of(line)) for line in first.lines], axis=0)
    np.testing.assert_allclose(drawn, grids[0].loss.isel(y=-1))
    assert [colour_of(line.get_color()) for line in beside.lines] == [SHARP, FLAT]
    np.testing.assert_allclose(x_of(beside.lines[0]), x[1])
    assert legend(beside)[:2] == ["ends in the valley of 0.6", "ends in the valley of 0.8"]
    last = [xy_of(dot)[0] for dot in beside.collections if len(xy_of(dot)) == 1][-2:]
    np.testing.assert_allclose(last, [[0.1, 5.1], [-0.2, 4.8]])  # one that never hopped, and one
    assert beside.yaxis_inverted()  # y runs down the page


def test_occupation_is_drawn_by_flatness_with_what_is_expected():
    parts = [occupied(3), occupied(5)]
    panels = drawn_axes(figures.occupation_by_flatness({"low": parts, "high": parts}, 0.001), 4)
    assert [axes.get_title() for axes in panels] == [
        "3 valleys, low",
        "3 valleys, high",
        "5 valleys, low",
        "5 valleys, high",
    ]
    first, second = points(panels[0])
    ratio = (np.array([0.6, 0.7, 0.8]) / 0.6) ** 2
    row = parts[0].isel(effective_noise=1)
    assert first.shows(ratio, row.share[0], row.share_error[0])
    assert second.shows(ratio, row.share[1, ::-1], row.share_error[1, ::-1])
    np.testing.assert_allclose(y_of(panels[0].lines[1]), row.expected[0])
    assert legend(panels[2]) == ["1-2-3-4-5", "5-4-3-2-1"]


def test_share_against_noise_fills_the_points_of_the_first_start():
    part = xr.Dataset(
        {
            name: (("row", "effective_noise"), np.array([[0.3, 0.6]]) * scale)
            for name, scale in (("share", 1), ("share_error", 0.1), ("expected", 1.1))
        },
        {"effective_noise": NOISES},
    ).assign(n_valleys=3, order=("row", ["1-3-2"]))
    figure = figures.share_against_noise({"y = 1": [part, part], "y = 5": [part, part]})
    left, right = drawn_axes(figure, 2)
    assert [each.colour for each in points(left)] == [colour_of(KINDS[0])] * 2
    assert [bars.lines[0].get_fillstyle() for bars in error_bars(left)] == ["full", "none"]
    assert all(each.shows(NOISES, [0.3, 0.6], [0.03, 0.06]) for each in points(left))
    assert legend(right) == ["1-3-2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["y = 1", "y = 5"]


def test_freezing_in_rows_shows_both_scalings():
    values = np.array([[1.0, 5.0], [1.2, 6.0]])
    dims = ("landscape", "effective_noise")
    variables = {
        name: (dims, values * scale)
        for name, scale in (
            ("freezing_y", 1),
            ("freezing_y_error", 0.1),
            ("by_sharpest", 2),
            ("by_mean", 3),
        )
    }
    found = xr.Dataset(
        variables | {"n_valleys": ("landscape", [2, 3])}, {"effective_noise": NOISES}
    )
    curve = xr.DataArray([2.0, 9.0], {"effective_noise": NOISES})
    left, right = drawn_axes(figures.freezing_in_rows(found, curve), 2)
    assert points(left)[1].shows(NOISES, values[1], values[1] / 10)
    assert [colour_of(line.get_color()) for line in right.lines] == [SHARP, FREE, SHARP, FREE]
    np.testing.assert_allclose(y_of(right.lines[3]), 3 * values[1])
    assert legend(left) == ["2 valleys", "3 valleys", "Eq. 25, two valleys"]


def test_preference_and_final_share_by_power():
    p_flat = np.linspace(0.3, 0.9, 8).reshape(2, 2, 2)
    for name, draw in (
        ("y", figures.preference_by_power),
        ("effective_noise", figures.final_by_power),
    ):
        dims, coordinates = (
            ("learning_rate", name, "power"),
            {"learning_rate": [0.01, 0.1], name: NOISES, "power": [0.0, 1.0]},
        )
        found = xr.Dataset(
            {"p_flat": (dims, p_flat), "p_flat_error": (dims, p_flat / 10)}, coordinates
        )
        curves = xr.DataArray(p_flat[0] + 0.05, {name: NOISES, "power": [0.0, 1.0]})
        left, right = drawn_axes(draw(found, curves, 0.55), 2)
        assert points(right)[1].shows([0, 1], p_flat[1, 1], p_flat[1, 1] / 10)
        assert "0.1" in right.get_title()
        assert any(np.allclose(y_of(line), 0.55) for line in left.lines)
        if name == "effective_noise":
            assert points(left)[0].colour == colour_of(noise_colours(NOISES)[0.0001])
