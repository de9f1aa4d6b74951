"""Relations within and between settings are drawn as they are, beside the model's shares."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import colour_of, error_bars, legend, points, x_of, y_of
from valleys.book import figures
from valleys.book.figures.drawing.style import noise_colours
from valleys.book.figures.within import LABELS

NOISES = [1e-3, 1e-2]


@pytest.fixture
def panels():
    names = list(LABELS)
    value = np.stack([np.linspace(-0.5, 0.5, len(names)), np.full(len(names), 0.9)], axis=1)
    parts = {"value": value, "low": value - 0.2, "high": value + 0.05}
    related = xr.Dataset(
        {name: (("relation", "place"), each) for name, each in parts.items()},
        {"relation": names, "place": ["within", "between"]},
    )
    shares = np.array([[0.9, 0.6], [0.8, 0.7]])
    dims, times = ("effective_noise", "part"), np.array([[1.0, 2], [3, 4]])
    tenths = xr.Dataset(
        {
            "p_flat": (dims, shares),
            "p_flat_error": (dims, np.full((2, 2), 0.1)),
            "time": (dims, times),
        },
        {"effective_noise": NOISES},
    )
    course = xr.Dataset(
        {"p_flat": (("effective_noise", "time"), [[0.9, 0.6], [0.8, np.nan]])},
        {"effective_noise": NOISES, "time": [1.5, 2.5]},
    )
    return figures.within(related, tenths, course).axes


def test_each_relation_has_a_point_within_and_one_between_with_their_intervals(panels):
    drawn = error_bars(panels[0])
    assert len(drawn) == 2 * len(LABELS)
    found = {round(float(x_of(bar.lines[0])[0]), 3) for bar in drawn}
    assert found == {-0.5, -0.25, 0.0, 0.25, 0.5, 0.9}
    ends = drawn[0].lines[2][0].get_segments()[0][:, 0]
    assert ends == pytest.approx([0.7, 0.95])
    assert {"between settings", "within settings"} == set(legend(panels[0]))
    assert len(panels[0].get_yticklabels()) == len(LABELS)


def test_shares_of_walkers_lie_beside_their_curves_in_the_colours_of_the_noises(panels):
    drawn = points(panels[1])
    colours = [colour_of(colour) for colour in noise_colours(NOISES).values()]
    assert [each.colour for each in drawn] == colours
    assert drawn[0].shows([1, 2], [0.9, 0.6], [0.1, 0.1])
    curves = [line for line in panels[1].lines if line.get_linestyle() == "-"]
    assert y_of(curves[0]).tolist() == [0.9, 0.6]
    assert y_of(curves[1]).tolist() == [0.8]
