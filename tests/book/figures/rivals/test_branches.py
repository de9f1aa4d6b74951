"""The figure of branches draws what its table says."""

import numpy as np
import xarray as xr

from tests.book.figures.drawn import drawn_axes, error_bars, y_of
from valleys.book import figures
from valleys.book.figures.rivals.branches import LOOKS


def test_every_branch_has_its_marks():
    parts, rng = {}, np.random.default_rng(0)
    for name in ("flat", "wall"):
        value = 1 + rng.random((2, 3))
        parts |= {name: value, f"{name}_low": value - 0.1, f"{name}_high": value + 0.2}
    found = xr.Dataset({name: (("how", "moment"), each) for name, each in parts.items()})
    found = found.assign_coords(how=list(LOOKS), moment=[0.5, 1.0, 1.5])
    for axes, name in zip(
        drawn_axes(figures.rival_branches(found), 2), ("flat", "wall"), strict=True
    ):
        for drawn, how in zip(error_bars(axes), LOOKS, strict=True):
            np.testing.assert_array_equal(y_of(drawn.lines[0]), found[name].sel(how=how))
            spans = [segment[:, 1] for segment in drawn.lines[2][0].get_segments()]
            np.testing.assert_allclose(np.diff(spans)[:, 0], 0.3)
