"""The figures of networks beside the model draw what their datasets say."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import band_ends, bands, colour_of, error_bars, x_of, xy_of, y_of
from valleys.book import figures
from valleys.book.figures.assumptions.conditions import INDEPENDENT, RESHUFFLED
from valleys.book.figures.drawing.style import NEUTRAL, THEORY, learning_rate_colours

RATES, SIZES = [0.05, 0.1], [20, 100]


def curves(axes, dashes="-"):
    return [line for line in axes.lines if line.get_linestyle() == dashes and len(x_of(line)) > 2]


@pytest.fixture
def siblings():
    rng = np.random.default_rng(0)
    cell, shape = ("batch_size", "learning_rate"), (2, 2)
    parts: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: ((*cell, "reference", "branch"), rng.random((*shape, 3, 4)) + 0.1)
        for name in ("similarity", "rise")
    }
    parts["wall_rise"] = ((*cell, "branch", "pair"), rng.random((*shape, 4, 3)) + 0.1)
    parts["freezing_time"] = ((*cell, "reference"), rng.random((*shape, 3)) * 10)
    return xr.Dataset(
        parts,
        {
            "batch_size": SIZES,
            "learning_rate": RATES,
            "branch_time": ("branch", [0.0, 1.0, 5.0, 20.0]),
        },
    )


def test_flatness_has_a_line_a_rate_and_the_model_dashed_through_the_mean_of_all():
    flat = xr.DataArray(
        np.arange(1.0, 13).reshape(2, 2, 3),
        {"batch_size": SIZES, "learning_rate": RATES, "level": [0.3, 0.1, 0.01]},
        ("batch_size", "learning_rate", "level"),
    )
    parts = {
        name: ("level", values)
        for name, values in (
            ("value", [0.4, 0.7]),
            ("low", [0.3, 0.6]),
            ("high", [0.5, 0.9]),
            ("model", [0.05, 0.01]),
        )
    }
    exponents = xr.Dataset(parts, {"level": [0.1, 0.01], "higher": ("level", [0.3, 0.1])})
    floor = np.array([0.4, 0.3, 0.1, 0.01]), np.array([0.5, 0.6, 0.8, 1.0])
    left, right = figures.flattening(flat, exponents, floor).axes
    drawn = [line for line in left.lines if colour_of(line.get_color()) != THEORY]
    assert len(drawn) == len(bands(left)) == 2
    np.testing.assert_array_equal(y_of(drawn[1]), flat.values[:, 1].mean(axis=0))
    middle_half = np.quantile(flat.values[:, 1], [0.25, 0.75], axis=0)
    np.testing.assert_allclose(band_ends(bands(left)[1], flat.level), middle_half.T)
    assert colour_of(drawn[1].get_color()) == colour_of(learning_rate_colours(RATES)[0.1])
    model = next(line for line in left.lines if colour_of(line.get_color()) == THEORY)
    assert y_of(model)[1] == pytest.approx(flat.values[..., 0].mean())
    (bars,) = error_bars(right)
    np.testing.assert_allclose(x_of(bars.lines[0]), np.sqrt([0.03, 0.001]))
    np.testing.assert_allclose(
        [list(map(float, segment[:, 1])) for segment in bars.lines[2][0].get_segments()],
        [[0.3, 0.5], [0.6, 0.9]],
    )
    assert left.get_xlim()[0] > left.get_xlim()[1]
    assert right.get_xlim()[0] > right.get_xlim()[1]


def test_siblings_are_means_over_runs(siblings):
    left, right = figures.parted_siblings(siblings).axes
    likeness = curves(left)
    assert len(likeness) == 4
    np.testing.assert_allclose(y_of(likeness[2]), siblings.similarity.values[1, 0].mean(axis=0))
    np.testing.assert_allclose(y_of(curves(right)[0]), siblings.rise.values[0, 0].mean(axis=0))
    frozen = [x_of(line)[0] for line in left.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(frozen, siblings.freezing_time.mean("reference").values.ravel())
    assert right.get_yscale() == "log"


def test_a_hill_of_no_height_is_left_out(siblings):
    siblings["rise"][0, 0, :, 2:] = 0.0
    right = figures.parted_siblings(siblings).axes[1]
    assert np.isnan(y_of(curves(right)[0])[2:]).all()


def test_rates_are_drawn_where_they_have_a_logarithm_and_kramers_law_falls_by_e_in_one():
    dims, coords = (
        ("batch_size", "learning_rate", "branch"),
        {"batch_size": SIZES, "learning_rate": RATES},
    )
    exponents = xr.DataArray(np.linspace(1, 12, 12).reshape(2, 2, 3), coords, dims)
    rates = xr.DataArray(
        np.where(exponents > 10, -0.1, 0.1 / exponents), coords, dims
    ).assign_coords(time=("branch", [0.5, 3.0, 9.0]))
    left, right, _ = figures.escape_against_barrier(exponents, rates, -0.2).axes
    assert len(curves(left)) == 4
    assert sum(len(xy_of(points)) for points in right.collections) == 10
    law = next(line for line in right.lines if colour_of(line.get_color()) == THEORY)
    x, y = x_of(law), y_of(law)
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(x), -1, rtol=1e-6)
    assert y[0] == pytest.approx(0.1)


def test_rates_that_are_nowhere_positive_leave_the_panel_empty():
    dims, coords = (
        ("batch_size", "learning_rate", "branch"),
        {"batch_size": SIZES, "learning_rate": RATES},
    )
    exponents = xr.DataArray(np.ones((2, 2, 2)), coords, dims)
    drawn = figures.escape_against_barrier(
        exponents, (-exponents).assign_coords(time=("branch", [1.0, 2.0])), 0.0
    )
    assert not drawn.axes[1].lines


def test_variances_have_a_colour_a_sampling_and_the_first_window_open_markers():
    rng, dims = np.random.default_rng(0), ("sampling", "window", "realization", "component")
    parts = {name: (dims, rng.random((2, 2, 3, 5)) + 0.1) for name in ("variance", "width")}
    parts["trend"] = (dims, np.zeros((2, 2, 3, 5)))
    parts["trend"][1][0, 1, 2, 4] = 0.9
    found = xr.Dataset(
        parts, {"sampling": ["epochs", "redrawn"], "window_time": ("window", [5.0, 80.0])}
    )
    ends = {
        name: (("sampling", "window"), np.full((2, 2), value))
        for name, value in (("value", 2.0), ("low", 1.5), ("high", 2.5))
    }
    left, right = figures.variance_flatness(
        found, {"run": xr.Dataset(ends, {"sampling": ["epochs", "redrawn"]})}
    ).axes
    assert [colour_of(line.get_color()) for line in left.lines] == [
        *[RESHUFFLED] * 3,
        *[INDEPENDENT] * 3,
        NEUTRAL,
    ]
    drift = y_of(left.lines[-1])
    assert drift[np.isfinite(drift)].tolist() == [found.variance.values[0, 1, 2, 4]]
    assert np.isnan(y_of(left.lines[2])[4])
    np.testing.assert_array_equal(y_of(left.lines[0]), found.variance.values[0, 1, 0])
    assert [colour_of(bars.lines[0].get_markerfacecolor()) for bars in error_bars(right)] == [
        "#FFFFFF",
        RESHUFFLED,
        "#FFFFFF",
        INDEPENDENT,
    ]


def test_rescaled_layers_are_shown_against_the_solution_as_it_was():
    dims = ("batch_size", "realization", "measure", "scaling")
    flat = np.arange(1.0, 17).reshape(2, 2, 2, 2)
    parts = {
        "flatness": (dims, flat),
        "rescaled": (
            ("batch_size", "measure", "factor"),
            flat[:, 0, :, 0][..., None] * np.array([0.25, 1, 4.0]),
        ),
    }
    coords = {
        "batch_size": SIZES,
        "measure": ["layer", "whole"],
        "scaling": ["as trained", "balanced"],
        "factor": [0.5, 1.0, 2.0],
    }
    left, right = figures.rescaled_layers(xr.Dataset(parts, coords)).axes
    for line in left.lines:
        np.testing.assert_allclose(y_of(line), [0.25, 1, 4])
    np.testing.assert_array_equal(x_of(right.lines[0]), flat[0, :, 0, 0])
    np.testing.assert_array_equal(y_of(right.lines[0]), flat[0, :, 0, 1])


def test_layer_and_whole_have_a_point_a_solution():
    layer = xr.DataArray(
        [[1.0, 2.0], [3.0, np.nan]], {"batch_size": SIZES}, ("batch_size", "realization")
    )
    (axes,) = figures.layer_against_whole(layer, 2 * layer).axes
    np.testing.assert_array_equal(x_of(axes.lines[0]), [1, 2])
    np.testing.assert_array_equal(y_of(axes.lines[0]), [2, 4])
