"""The figure of noise that dies and walls that rise draws what its dataset says."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import bands, colour_of, drawn_axes, letters, x_of, y_of
from valleys.book import figures
from valleys.book.figures.drawing.style import learning_rate_colours

RATES, SIZES = [0.05, 0.1], [20, 100]
GRID = ("batch_size", "learning_rate")


@pytest.fixture
def beside() -> xr.Dataset:
    scale = np.array([[1.0, 2.0], [3.0, 4.0]])[..., None]
    courses = {
        "train_loss": ("record", scale * [2.0, 0.5, 0.1, 0.01]),
        "effective_noise": ("record", scale * [1e-3, 8e-4, 4e-4, 1e-4]),
        "wall": ("branch", scale * [np.nan, 0.2, 0.8]),
    }
    parts = {
        f"{name}{end}": ((*GRID, along), factor * values)
        for name, (along, values) in courses.items()
        for end, factor in (("", 1.0), ("_low", 0.9), ("_high", 1.1))
    }
    parts["record_clock"] = ((*GRID, "record"), np.broadcast_to([0, 0.5, 1.0, 4.0], (2, 2, 4)))
    parts["branch_clock"] = ((*GRID, "branch"), np.broadcast_to([0, 0.25, 2.0], (2, 2, 3)))
    return xr.Dataset(parts, {"batch_size": SIZES, "learning_rate": RATES})


def test_each_quantity_has_a_panel_with_a_line_a_setting_after_the_start(beside):
    figure = figures.two_reasons(beside)
    panels, colours = drawn_axes(figure, 3), learning_rate_colours(RATES)
    assert letters(figure) == ["A", "B", "C"]
    for axes, name in zip(panels, ("train_loss", "effective_noise", "wall"), strict=True):
        clock = beside.branch_clock if name == "wall" else beside.record_clock
        courses = [line for line in axes.lines if len(x_of(line)) > 2 or name == "wall"][:4]
        for line, (i, j) in zip(courses, np.ndindex(2, 2), strict=True):
            np.testing.assert_allclose(x_of(line), clock[i, j, 1:])
            np.testing.assert_allclose(y_of(line), beside[name][i, j, 1:])
            assert colour_of(line.get_color()) == colour_of(colours[RATES[j]])
        assert len(bands(axes)) == 4
        assert axes.get_yscale() == axes.get_xscale() == "log"


def test_freezing_is_marked_on_every_panel(beside):
    for axes in drawn_axes(figures.two_reasons(beside), 3):
        assert list(x_of(axes.lines[-1])) == [1, 1]


def test_an_interval_that_reaches_to_zero_is_not_drawn(beside):
    beside["wall_low"][0, 0, 1] = 0.0
    first = bands(drawn_axes(figures.two_reasons(beside), 3)[2])[0]
    assert [float(x) for x, _ in first.get_paths()[0].vertices if x < 2.0] == []
