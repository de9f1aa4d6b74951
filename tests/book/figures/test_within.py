"""Relations within settings and between them are drawn as they are, beside the model's shares."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import colour_of, drawn_axes, legend, points, title, xy_of, y_of
from valleys.book import figures
from valleys.book.figures.drawing.style import THEORY, learning_rate_colours, noise_colours
from valleys.book.figures.within import PAIRS

NOISES, RATES, N_RUNS = [1e-3, 1e-2], [0.01, 0.1], 5


@pytest.fixture
def solutions():
    rng, dims = np.random.default_rng(0), ("cell", "realization")
    names = ("freezing_time", "flatness", "full_test_accuracy")
    parts = {name: (dims, rng.uniform(0.5, 1, (2, N_RUNS))) for name in names}
    return xr.Dataset(parts, {"learning_rate": ("cell", RATES)})


@pytest.fixture
def relations():
    value = np.array([[-0.5, 0.9], [0.25, 0.5]])
    parts = {"value": value, "low": value - 0.2, "high": value + 0.05}
    return xr.Dataset(
        {name: (("relation", "place"), each) for name, each in parts.items()},
        {"relation": list(PAIRS), "place": ["within", "between"]},
    )


@pytest.fixture
def panels(solutions, relations):
    line = np.array([[-1.0, 1], [-2, 2]])
    parts = {"x": line, "y": -line}
    tenths = xr.Dataset(
        {name: (("relation", "part"), each) for name, each in parts.items()},
        {"relation": list(PAIRS)},
    )
    return drawn_axes(figures.together(solutions, -solutions, tenths, relations), 4)


def test_settings_lie_above_and_their_runs_below_in_the_colours_of_the_learning_rates(
    panels, solutions
):
    colours = [colour_of(colour) for colour in learning_rate_colours(RATES).values()]
    for (above, below), (x, y) in zip(
        zip(panels[:2], panels[2:], strict=True), PAIRS.values(), strict=True
    ):
        scale = 100 if y == "full_test_accuracy" else 1
        for index, colour in enumerate(colours):
            cell = solutions.isel(cell=index)
            runs, mean = above.lines[2 * index : 2 * index + 2]
            expected = np.stack([cell[x], scale * cell[y]], axis=1)
            np.testing.assert_allclose(xy_of(runs), expected)
            np.testing.assert_allclose(xy_of(mean), [expected.mean(axis=0)])
            apart = below.lines[index]
            np.testing.assert_allclose(xy_of(apart), np.stack([-cell[x], -cell[y]], axis=1))
            for line in (runs, mean, apart):
                assert colour_of(line.get_color()) == colour


def test_each_panel_tells_its_correlation_and_each_lower_one_has_the_line_of_tenths(panels):
    assert [title(axes) for axes in panels] == [
        "between settings: 0.90 (0.70 to 0.95)",
        "between settings: 0.50 (0.30 to 0.55)",
        "within settings: −0.50 (−0.70 to −0.45)",
        "within settings: 0.25 (0.05 to 0.30)",
    ]
    for axes, end in zip(panels[2:], (1, 2), strict=True):
        (line,) = [each for each in axes.lines if colour_of(each.get_color()) == THEORY]
        np.testing.assert_allclose(xy_of(line), [[-end, end], [end, -end]])


def test_shares_of_walkers_lie_beside_their_curves_in_the_colours_of_the_noises():
    dims, times = ("effective_noise", "part"), np.array([[1.0, 2], [3, 4]])
    tenths = xr.Dataset(
        {
            "p_flat": (dims, [[0.9, 0.6], [0.8, 0.7]]),
            "p_flat_error": (dims, np.full((2, 2), 0.1)),
            "time": (dims, times),
        },
        {"effective_noise": NOISES},
    )
    course = xr.Dataset(
        {"p_flat": (("effective_noise", "time"), [[0.9, 0.6], [0.8, np.nan]])},
        {"effective_noise": NOISES, "time": [1.5, 2.5]},
    )
    (axes,) = drawn_axes(figures.last_crossings(tenths, course), 1)
    drawn = points(axes)
    colours = [colour_of(colour) for colour in noise_colours(NOISES).values()]
    assert [each.colour for each in drawn] == colours
    assert drawn[0].shows([1, 2], [0.9, 0.6], [0.1, 0.1])
    curves = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert y_of(curves[0]).tolist() == [0.9, 0.6]
    assert y_of(curves[1]).tolist() == [0.8]
    assert len(legend(axes)) == len(NOISES)
