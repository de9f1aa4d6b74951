"""Figures of runs that freeze show what they are given."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import drawn_axes, lines, points, xy_of
from valleys.book import figures

NOISES = [1e-4, 1e-3]


@pytest.fixture(autouse=True)
def style():
    figures.use_style()


def test_short_forms_stand_beside_exact_values():
    along = xr.Dataset(
        {"exact": ("y", [0.6, 0.9]), "short": ("y", [0.5, 0.85])},
        {"y": [1.0, 9.0], "effective_noise": 1e-3},
    )
    noise = {"effective_noise": NOISES}
    finals = xr.Dataset({"Eq. 24": ("effective_noise", [0.7, 0.9])}, noise)
    exact = xr.Dataset({"p_flat": ("effective_noise", [0.8, 0.95])}, noise)
    left, right = drawn_axes(figures.short_forms(along, finals, exact), 2)
    for name in ("exact", "short"):
        np.testing.assert_allclose(lines(left)[name][:2], [along.y, along[name]])
    np.testing.assert_allclose(lines(right)["Eq. 24"][:2], [NOISES, [0.7, 0.9]])
    np.testing.assert_allclose(lines(right)["master equation"][:2], [NOISES, [0.8, 0.95]])


def test_a_packet_shows_its_mean_its_drift_and_its_widths():
    travelled = xr.Dataset(
        {"mean_y": ("time", [1.0, 2.0, 4.0]), "drift_y": ("time", [1.0, 2.1, 4.1])},
        {"time": [0.0, 10.0, 100.0]},
    )
    spread = xr.Dataset(
        {"density": (("time", "offset"), [[0.0, 2.0], [1.0, 1.0]])},
        {"time": [10.0, 100.0], "offset": [-0.1, 0.1]},
    )
    left, right = drawn_axes(figures.packet(travelled, spread), 2)
    np.testing.assert_allclose(lines(left)["mean of the runs"][:2], [[10, 100], [2, 4]])
    np.testing.assert_allclose(lines(left)["$-⟨∂_yL⟩$ of Eq. A13"][:2], [[10, 100], [2.1, 4.1]])
    for time in (10, 100):
        drawn = lines(right)[f"time {time}"]
        np.testing.assert_allclose(drawn[:2], [spread.offset, spread.density.sel(time=time)])


def test_criterion_shows_rates_and_where_they_come_down_to_their_levels():
    coords = {"valley": ["sharp", "flat"], "y": [2.0, 4.0]}
    rates = (("valley", "y"), [[0.4, 0.1], [0.2, 0.02]])
    counted = [
        xr.Dataset({"escape_rate": rates, "escape_rate_error": rates}, coords) for _ in NOISES
    ]
    curves = [
        xr.Dataset({"exact": ("y", [0.3, 0.1])}, {"y": [2.0, 4.0], "effective_noise": noise})
        for noise in NOISES
    ]
    names = ("level", "y", "y_error", "exact", "asymptotic", "eq_25")
    values = {
        name: ("effective_noise", [0.1 + place, 3.0 + place]) for place, name in enumerate(names)
    }
    places = xr.Dataset(values, {"effective_noise": NOISES})
    left, right = drawn_axes(figures.criterion(counted, curves, places), 2)
    assert [each.shows([2, 4], [0.4, 0.1], [0.4, 0.1]) for each in points(left)] == [True, True]
    levels = [xy_of(line) for line in left.lines if line.get_linewidth() == 2.5]
    np.testing.assert_allclose([level[:, 1] for level in levels], [[0.1, 0.1], [3.0, 3.0]])
    assert points(right)[0].shows(NOISES, places.y, places.y_error)
    np.testing.assert_allclose(lines(right)["Eq. A34"][:2], [NOISES, places.asymptotic])
    assert right.yaxis_inverted()


def test_an_uneven_ridge_has_a_course_and_an_end_for_each_ripple():
    dims, coords = ("ripple", "y"), {"ripple": [0.0, 0.5], "y": [1.0, 9.0]}
    heights, shares = np.array([[0.1, 5.0], [0.2, 3.0]]), np.array([[0.5, 0.8], [0.5, 0.9]])
    courses = xr.Dataset({"height": (dims, heights), "p_flat": (dims, shares)}, coords)
    ends = {"end_y": [9.0, 9.1], "p_flat": [0.79, 0.92], "p_flat_error": [0.01, 0.02]}
    measured = xr.Dataset(
        {name: ("ripple", value) for name, value in ends.items()}, {"ripple": [0.0, 0.5]}
    )
    left, right = drawn_axes(figures.uneven_ridge(measured, courses), 2)
    np.testing.assert_allclose([xy_of(line)[:, 1] for line in left.lines], heights)
    thin = [xy_of(line)[:, 1] for line in right.lines if len(xy_of(line)) == 2]
    np.testing.assert_allclose(thin, shares)
    for place, end in enumerate(points(right)):
        assert end.shows(*([ends[name][place]] for name in ends))
