"""The figure of walkers that divide draws what its study gives."""

import numpy as np
import xarray as xr

from tests.book.figures.drawn import drawn_axes, error_bars, x_of, y_of
from valleys.book import figures


def test_log_odds_over_the_ridge_and_over_the_memory():
    over = {
        name: ("exponent", np.arange(3) + place)
        for place, name in enumerate(("theory", "operator", "plain"))
    }
    walks = {"walk": ("memory", [1.0, 2.0]), "walk_momentum": ("memory", [1.5, 2.5])}
    walks |= {f"{name}_error": ("memory", [0.1, 0.2]) for name in list(walks)}
    found = xr.Dataset(over | walks, {"exponent": [1.0, 2.0, 3.0], "memory": [1.0, 100.0]})
    found = found.assign(at_once=1.1, always=2.2)
    first, second = drawn_axes(figures.adaptive(found), 2)
    for line, name in zip(first.get_lines(), over, strict=True):
        np.testing.assert_array_equal(x_of(line), found.exponent)
        np.testing.assert_array_equal(y_of(line), found[name])
    levels = {float(y_of(line)[0]) for line in second.get_lines()}
    assert {1.1, 2.2} <= levels
    for drawn, name in zip(error_bars(second), ("walk", "walk_momentum"), strict=True):
        np.testing.assert_array_equal(y_of(drawn.lines[0]), found[name])
        spans = [segment[:, 1] for segment in drawn.lines[2][0].get_segments()]
        np.testing.assert_allclose(np.diff(spans)[:, 0] / 2, 1.96 * found[f"{name}_error"])
