"""The figure of neighbouring work draws what it is given."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import dashed, drawn_axes, error_bars, lines, x_of, y_of
from valleys.book import figures
from valleys.book.figures.neighbours import STYLES


@pytest.fixture
def given():
    look = np.arange(1.0, 5.0)
    rates = [0.01, 0.1]
    courses = xr.Dataset({"sharpness": (("learning_rate", "look"), np.outer([30, 10], look))})
    courses = courses.assign(time=(("learning_rate", "look"), np.tile(look - 1, (2, 1))))
    rate, size = np.array([0.1, 0.1, 0.05]), np.array([10, 20, 10])
    gain = np.array([0.4, 0.2, -0.1])
    drift = xr.Dataset({"gain": ("setting", gain), "gain_low": ("setting", gain - 0.3)})
    drift = drift.assign(gain_high=drift.gain + 0.1, noise=("setting", rate / size))
    drift = drift.assign_coords(rate=("setting", rate), size=("setting", size))
    both = {"moved": np.stack([look**1.5, look]), "apart": np.stack([look, look**0.5])}
    spreading = xr.Dataset({name: (("moment", "look"), each) for name, each in both.items()})
    flat = {"flat": [3.0, 2.0], "flat_low": [2.0, 1.5], "flat_high": [4.0, 3.0]}
    walkers = xr.Dataset({name: ("how", each) for name, each in flat.items()})
    return (
        courses.assign_coords(learning_rate=rates),
        drift,
        spreading.assign(lag=("look", look)),
        walkers.assign_coords(how=["bouncing", "floor"]),
    )


def test_panels_draw_what_they_are_given(given):
    courses, drift, spreading, walkers = given
    first, second, third, fourth = drawn_axes(figures.neighbours(*given), 4)
    x, y, _ = lines(first)["η = 0.1"]
    np.testing.assert_array_equal(x, courses.time.sel(learning_rate=0.1)[1:])
    np.testing.assert_array_equal(y, courses.sharpness.sel(learning_rate=0.1)[1:])
    by_size, by_rate = (each.lines[0] for each in error_bars(second))
    np.testing.assert_allclose(y_of(by_size), drift.gain[:2])
    np.testing.assert_allclose(y_of(by_rate), drift.gain[:1])  # what is lost has no logarithm
    (slope,) = dashed(second)
    np.testing.assert_allclose(np.diff(np.log(y_of(slope))), np.diff(np.log(x_of(slope))))
    squares = [line for line in third.lines if line.get_linestyle() in STYLES.values()]
    np.testing.assert_allclose(y_of(squares[0]), spreading.moved[0])
    np.testing.assert_allclose(y_of(squares[-1]), spreading.apart[1])
    drawn = [float(y_of(each.lines[0])[0]) for each in error_bars(fourth)]
    assert drawn == walkers.flat.values.tolist()
