"""Figures of runs that freeze show what they are given."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import drawn_axes, lines
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
