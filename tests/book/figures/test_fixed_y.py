"""Figures of runs at one y show what they are given."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import drawn_axes, lines, points, xy_of
from valleys.book import figures


@pytest.fixture(autouse=True)
def style():
    figures.use_style()


def test_both_rules_stand_on_their_lines_with_the_limit_of_the_walk():
    dims, rules = ("rule", "width"), ["ito", "end_point"]
    values = {"p_flat": (dims, [[0.8, 0.7], [0.6, 0.65]]), "p_flat_error": (dims, [[0.1] * 2] * 2)}
    measured = xr.Dataset(values, {"rule": rules, "width": [0.01, 0.02]})
    curves = xr.DataArray([[0.81, 0.71], [0.59, 0.64]], {"rule": rules, "width": [0.0, 0.02]}, dims)
    (axes,) = drawn_axes(figures.two_rules(measured, curves, {"one": 0.82, "two": 0.58}, 0.815), 1)
    begins, ends = points(axes)
    assert begins.shows([0.01, 0.02], [0.8, 0.7], [0.1, 0.1])
    assert ends.shows([0.01, 0.02], [0.6, 0.65], [0.1, 0.1])
    thin = [line for line in axes.lines if line.get_linewidth() == 1 and len(xy_of(line)) == 2]
    drawn = [xy_of(line)[:, 1] for line in thin if line.get_linestyle() == "-"]
    np.testing.assert_allclose(drawn, curves)
    np.testing.assert_allclose(lines(axes)["walk of Eq. 13"][:2], [[0], [0.815]])
