"""The figure of the page on a network of one's own draws what its dataset says."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import band_ends, bands, colour_of, drawn_axes, error_bars, x_of, y_of
from valleys.book import figures
from valleys.book.figures.drawing.style import batch_size_colours

SIZES = [100, 20, 5]


@pytest.fixture
def courses():
    rng = np.random.default_rng(0)
    shapes = {"train_loss": "record", "flatness": "level", "freezing_time": "", "wall": ""}
    lengths = {"record": 4, "level": 5, "": 0}
    parts = {}
    for name, along in shapes.items():
        dims = ("batch_size", along) if along else ("batch_size",)
        value = 1 + rng.random((3, lengths[along]) if along else 3)
        parts |= {name: (dims, value), f"{name}_low": (dims, value - 0.1)}
        parts |= {f"{name}_high": (dims, value + 0.2)}
    coords = {"batch_size": SIZES, "time": ("record", np.arange(4.0))}
    coords |= {"level": [1.0, 0.5, 0.2, 0.1, 0.05]}
    found = xr.Dataset(parts, coords, {"threshold": 0.1, "n_train": 100})
    found.wall[0] = np.nan
    return found


def test_courses_are_drawn_with_their_bands_in_the_colours_of_the_batch_sizes(courses):
    loss, flat, *_ = drawn_axes(figures.own_network(courses), 4)
    colours = batch_size_colours(SIZES)
    for axes, along, name in ((loss, "time", "train_loss"), (flat, "level", "flatness")):
        drawn = [line for line in axes.lines if len(x_of(line)) > 2]
        assert [colour_of(line.get_color()) for line in drawn] == [
            colour_of(colours[size]) for size in SIZES
        ]
        for line, band, own in zip(drawn, bands(axes), range(3), strict=True):
            setting = courses.isel(batch_size=own)
            np.testing.assert_array_equal(x_of(line), setting[along])
            np.testing.assert_array_equal(y_of(line), setting[name])
            ends = np.stack([setting[f"{name}_low"], setting[f"{name}_high"]], axis=1)
            np.testing.assert_allclose(band_ends(band, setting[along].values), ends)
    assert flat.xaxis_inverted()


def test_points_have_their_intervals_and_noise_grows_to_the_right(courses):
    *_, freezing, wall = drawn_axes(figures.own_network(courses), 4)
    for axes, name in ((freezing, "freezing_time"), (wall, "wall")):
        containers = error_bars(axes)
        points = [float(y_of(each.lines[0])[0]) for each in containers]
        np.testing.assert_array_equal(points, courses[name])
        (segment,) = containers[-1].lines[2][0].get_segments()
        ends = [float(courses[f"{name}{end}"][-1]) for end in ("_low", "_high")]
        np.testing.assert_allclose(segment[:, 1], ends)
        assert axes.get_xlim()[0] > axes.get_xlim()[1]


def test_the_batch_of_all_images_is_said_to_have_no_noise(courses):
    (drawn,) = figures.own_network(courses).legends
    labels = [text.get_text() for text in drawn.get_texts()]
    assert ["no noise" in label for label in labels] == [True, False, False]


def test_results_without_intervals_are_drawn(courses):
    bare = courses.assign(
        {name: courses[name] * np.nan for name in courses if "_" in str(name)[-5:]}
    )
    assert len(figures.own_network(bare).axes) == 4
