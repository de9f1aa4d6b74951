"""The figures of noise in windows draw what their datasets say."""

from typing import Any

import numpy as np
import xarray as xr

from tests.book.figures.drawn import (
    colour_of,
    drawn_axes,
    error_bars,
    legend,
    letters,
    title,
    x_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.drawing.style import INK, KINDS, LEARNING_RATE

WINDOWS = [(0.0, 1.0), (1.0, 2.0), (0.0, 1.0)]
SIZES = [10, 10, 500]  # the last one is a sham


def table(rate: float, n_windows: int = 3) -> xr.Dataset:
    """Values that differ everywhere, as `contrasts` gives them."""
    flat = np.linspace(1.0, 2.0, 6).reshape(3, 2)
    parts = {
        "flat": (("window", "level"), flat),
        "gain": (("window", "level"), flat - 1),
        "wall": (("window", "level"), np.array([[2.0, 3.0], [0.0, 0.0], [0.1, 0.2]])),
        "peak": ("window", np.array([1.5, 30.0, 1.1])),
    }
    every = {}
    for name, (dims, values) in parts.items():
        every |= {name: (dims, values), f"{name}_low": (dims, 0.9 * values)}
        every[f"{name}_high"] = (dims, 1.2 * values)
    coords = {
        "opens": ("window", [window[0] for window in WINDOWS]),
        "closes": ("window", [window[1] for window in WINDOWS]),
        "window_batch": ("window", SIZES),
        "level": [0.02, 0.014],
    }
    found = xr.Dataset(every, coords, {"batch_size": 10, "learning_rate": rate})
    return found.isel(window=slice(n_windows))


def test_each_window_has_a_row_with_its_numbers_at_the_lowest_level():
    figure = figures.noise_windows([table(0.01, 2), table(0.05)])
    when, flat, gain, wall, peak = drawn_axes(figure, 5)
    assert [tick.get_text() for tick in when.get_yticklabels()] == [
        "0 to 1",
        "1 to 2",
        "0 to 1, sham",
    ]
    rectangles: list[Any] = list(when.patches)
    bars = [(bar.get_x(), bar.get_width(), bar.get_facecolor()[3]) for bar in rectangles]
    assert bars == [(0, 1, 1), (1, 1, 1), (0, 1, 0)]  # the sham is open
    first, second = error_bars(flat)
    np.testing.assert_allclose(x_of(first.lines[0]), [1.2, 1.6])
    np.testing.assert_allclose(x_of(second.lines[0]), [1.2, 1.6, 2.0])
    np.testing.assert_allclose(y_of(second.lines[0]).round(), [0, 1, 2])
    np.testing.assert_allclose(x_of(error_bars(gain)[1].lines[0]), [0.2, 0.6, 1.0])
    np.testing.assert_allclose(x_of(error_bars(peak)[1].lines[0]), [1.5, 30, 1.1])
    assert colour_of(first.lines[0].get_color()) == colour_of(LEARNING_RATE(0.01))
    ends = error_bars(flat)[1].lines[2][0].get_segments()[0][:, 0]
    np.testing.assert_allclose(ends, [0.9 * 1.2, 1.2 * 1.2])
    walls = x_of(error_bars(wall)[1].lines[0])
    np.testing.assert_allclose(walls[[0, 2]], [3.0, 0.2])
    assert 0 < walls[1] < 0.01  # no wall has a place on a logarithmic axis
    assert letters(figure)[:5] == ["A", "B", "C", "D", "E"]


def test_courses_are_those_of_the_first_start_beside_their_twin():
    course = np.arange(2 * 3 * 2 * 5, dtype=float).reshape(2, 3, 2, 5) + 1
    values = {
        "course": (("start", "window", "run", "look"), course),
        "twin_course": (("start", "window", "look"), course[:, :, 0] / 10),
    }
    coords = {name: table(0.05)[name] for name in ("opens", "closes")}
    found = xr.Dataset(values, coords, {"batch_size": 10, "learning_rate": 0.05})
    (only,) = drawn_axes(figures.window_courses([found], [(1.0, 2.0)]), 1)
    *runs, twin = only.lines
    np.testing.assert_array_equal([y_of(run) for run in runs], course[0, 1])
    np.testing.assert_array_equal(y_of(twin), course[0, 1, 0] / 10)
    np.testing.assert_allclose(x_of(twin), np.linspace(1, 2, 5))
    assert colour_of(twin.get_color()) == INK
    assert title(only) == "η = 0.05, B = 10"


def split(rate: float) -> xr.Dataset:
    gain = np.array([[0.1, 0.2, 0.3], [0.4, 0.0, -0.1]])
    dims = ("window", "way")
    values = {
        "gain": (dims, gain),
        "gain_low": (dims, gain - 0.05),
        "gain_high": (dims, gain + 0.1),
    }
    coords = {"way": ["drift", "jump", "thrown"]}
    coords |= {"opens": ("window", [0.0, 1.0]), "closes": ("window", [1.0, 2.0])}
    return xr.Dataset(values, coords, {"batch_size": 10, "learning_rate": rate})


def grown(rate: float) -> xr.Dataset:
    values = {"wall": (("window", "apart"), np.array([[0.1, 0.5, 2.0], [0.0, 0.01, 0.02]]))}
    coords = {"apart": [1, 2, 3], "opens": ("window", [0.0, 1.0]), "closes": ("window", [1.0, 2.0])}
    return xr.Dataset(values, coords, {"batch_size": 10, "learning_rate": rate})


def test_gains_stand_by_window_and_way():
    figure = figures.ways_to_flatness([split(0.01), split(0.05)], [grown(0.01), grown(0.05)])
    first, second, walls = drawn_axes(figure, 3)
    assert title(second) == "η = 0.05, B = 10"
    heights = [[bar.get_height() for bar in group] for group in first.containers if len(group) == 2]
    np.testing.assert_allclose(heights, [[0.1, 0.4], [0.2, 0.0], [0.3, -0.1]])
    colours = [colour_of(bar.get_facecolor()) for bar in first.patches[::2]]
    assert colours == [colour_of(kind) for kind in KINDS[1:4]]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["0 to 1", "1 to 2"]
    assert first.get_ylim() == second.get_ylim()
    lines = [line for line in walls.lines if len(y_of(line)) == 3]
    np.testing.assert_allclose(y_of(lines[0]), [0.1, 0.5, 2.0])
    assert y_of(lines[1])[0] > 0  # no wall has a place on a logarithmic axis
    rates = [colour_of(LEARNING_RATE(rate)) for rate in (0.01, 0.01, 0.05, 0.05)]
    assert [colour_of(line.get_color()) for line in lines] == rates
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    assert legend(walls) == ["0 to 1", "1 to 2"]
