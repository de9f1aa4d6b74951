"""The figures of runs as the model sees them draw what their datasets say."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import (
    bands,
    colour_of,
    dashed,
    drawn_axes,
    error_bars,
    legend,
    title,
    written,
    x_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.assumptions.conditions import DRAW_COLOURS, STAGE_MAP
from valleys.book.figures.drawing.style import batch_size_colours, learning_rate_colours

SIZES, RATES, STAGES = [20, 1000], [0.05, 0.2], ["loss 1", "loss 0.1", "end"]
TIMES = np.array([0.0, 1.0, 10.0, 100.0])
GRID = ("batch_size", "learning_rate")


def around(value: np.ndarray, name: str, dims: tuple[str, ...]) -> dict:
    """A mean with its interval, ten per cent to either side."""
    return {
        name: (dims, value),
        f"{name}_low": (dims, 0.9 * value),
        f"{name}_high": (dims, 1.1 * value),
    }


@pytest.fixture
def cell() -> xr.Dataset:
    """Two runs of one setting with four directions; noise is 0.5, 0.2 and 0.01 times the
    curvature.
    """
    bent = np.broadcast_to([4.0, 2.0, 1.0, 0.5], (2, 3, 4)) * np.array([1.0, 0.8, 0.3])[:, None]
    factor = np.array([0.5, 0.2, 0.01])
    found = {
        "curvature": (("realization", "stage", "direction"), bent),
        "noise": (("realization", "stage", "direction"), factor[:, None] * bent),
    }
    scalars = {
        "bulk_curvature_at": np.full((2, 3), 1e-3),
        "bulk_noise_at": np.broadcast_to(1e-3 * factor, (2, 3)),
        "noise_per_curvature_at": np.broadcast_to(factor, (2, 3)),
    }
    return xr.Dataset(
        found | {name: (("realization", "stage"), values) for name, values in scalars.items()},
        {"stage": STAGES},
    )


@pytest.fixture
def course() -> xr.Dataset:
    shape = (2, 2, 4)
    scale = np.array([1.0, 2.0])[:, None, None] * np.array([1.0, 4.0])[:, None]
    found = around(
        np.broadcast_to(0.4 * scale / scale.max(), shape).copy(), "cosine", (*GRID, "record")
    )
    found |= around(np.full(shape, 1.1), "exponent", (*GRID, "record")) | around(
        scale * np.array([3.0, 1.0, 0.5, 0.1]), "scaled_sharpness", (*GRID, "record")
    )
    found["isotropic_cosine"] = ((*GRID, "record"), np.full(shape, 0.07))
    found["time"] = ((*GRID, "record"), np.broadcast_to(TIMES, shape))
    return xr.Dataset(found, {"batch_size": SIZES, "learning_rate": RATES})


def test_each_stage_has_its_points_and_a_line_of_proportional_noise(cell):
    (axes,) = drawn_axes(figures.noise_directions(cell), 1)
    clouds, bulks, lines = axes.lines[::3], axes.lines[1::3], axes.lines[2::3]
    for place, (cloud, bulk, line) in enumerate(zip(clouds, bulks, lines, strict=True)):
        assert colour_of(cloud.get_color()) == colour_of(STAGE_MAP[place])
        np.testing.assert_allclose(x_of(cloud), cell.curvature[:, place].values.ravel())
        np.testing.assert_allclose(y_of(cloud), cell.noise[:, place].values.ravel())
        np.testing.assert_allclose(y_of(bulk), cell.bulk_noise_at[:, place])
        np.testing.assert_allclose(
            y_of(line) / x_of(line), float(cell.noise_per_curvature_at[0, place])
        )
        assert line.get_linestyle() == "--"
    assert legend(axes)[:3] == ["at loss 1", "at loss 0.1", "end"]
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_the_alignment_is_shown_from_the_first_record_after_the_start(course):
    left, right = drawn_axes(figures.alignment_course(course.sel(learning_rate=0.05)), 2)
    colours = batch_size_colours(SIZES)
    for axes, name in ((left, "cosine"), (right, "exponent")):
        shown = [line for line in axes.lines if str(line.get_label()).startswith("B = ")]
        for line, size in zip(shown, SIZES, strict=True):
            np.testing.assert_allclose(x_of(line), TIMES[1:])
            np.testing.assert_allclose(
                y_of(line), course[name].sel(batch_size=size, learning_rate=0.05)[1:]
            )
            assert colour_of(line.get_color()) == colour_of(colours[size])
        assert len(bands(axes)) == 2
    assert [y_of(line)[0] for line in dashed(right)] == [1, 2]
    assert "isotropic noise" in written(left)


def test_the_line_of_proportional_strength_passes_through_the_late_points():
    loss = np.geomspace(1, 1e-3, 8)
    strength = np.minimum(0.5, 5 * loss)
    found = {
        name: ((*GRID, "realization", "record"), np.broadcast_to(v, (2, 2, 1, 8)))
        for name, v in (("train_loss", loss), ("noise_per_curvature", strength))
    }
    (axes,) = drawn_axes(
        figures.noise_strength_course(
            xr.Dataset(found, {"batch_size": SIZES, "learning_rate": RATES}), 0.1
        ),
        1,
    )
    (line,) = dashed(axes)
    np.testing.assert_allclose(np.array(y_of(line)) / x_of(line), 5)
    assert axes.xaxis_inverted()
    assert legend(axes)[:2] == ["B = 20", "B = 1000"]


def test_memory_and_scatter_are_medians_over_runs_beside_the_parabola():
    dims = {"": 6, "network_": 3}
    found = {}
    for prefix, count in dims.items():
        shape = (3, 1, 2, count)
        bent = np.broadcast_to(np.geomspace(2, 0.1, count), (3, 1, count))
        found[f"{prefix}curvature"] = (("realization", "stage", f"{prefix}direction"), bent)
        for name, factor in (("relaxation", 10.0), ("scatter", 1e-3)):
            runs = factor * np.arange(1, 4)[:, None, None, None] * np.array([1, 5])[:, None]
            found[f"{prefix}{name}"] = (
                ("realization", "stage", "draw", f"{prefix}direction"),
                np.broadcast_to(runs, shape).copy(),
            )
            found[f"{prefix}expected_{name}"] = (
                ("realization", "stage", "draw", f"{prefix}direction"),
                np.full(shape, 3 * factor),
            )
    followed = xr.Dataset(found, {"stage": ["end"], "draw": list(DRAW_COLOURS)})
    followed["relaxation"][0, 0, 0, 0] = np.inf  # left out
    left, right = drawn_axes(figures.forgetting(followed, "end"), 2)
    open_points, filled, parabola = left.lines[:3]
    np.testing.assert_allclose(y_of(open_points), [25] + [20] * 5)
    np.testing.assert_allclose(y_of(filled), 20)
    np.testing.assert_allclose(y_of(parabola), 30)
    assert [colour_of(line.get_color()) for line in (left.lines[0], left.lines[3])] == [
        colour_of(colour) for colour in DRAW_COLOURS.values()
    ]
    np.testing.assert_allclose(y_of(right.lines[4]), 1e-3 * 2 * 5)
    assert [text.get_text() for text in right.figure.legends[0].get_texts()][:2] == list(
        DRAW_COLOURS
    )


def test_the_separation_has_lines_points_and_the_model():
    course = xr.Dataset(
        {
            "ratio": ((*GRID, "interval"), np.full((2, 2, 3), 0.1)),
            "time": ((*GRID, "interval"), np.broadcast_to([1.0, 10.0, 50.0], (2, 2, 3))),
        }
    )
    course = course.assign_coords(batch_size=SIZES, learning_rate=RATES)
    window = xr.Dataset(
        around(np.array([0.2, 0.1]), "layer_ratio", ("stage",))
        | around(np.array([0.02, 0.01]), "network_ratio", ("stage",))
        | {"stage_time": ("stage", [2.0, 90.0])}
    )
    (axes,) = drawn_axes(
        figures.separation(course, [window.assign_coords(learning_rate=0.2)], 6e-5), 1
    )
    first, second = (container.lines[0] for container in error_bars(axes))
    np.testing.assert_allclose(y_of(first), [0.2, 0.1])
    np.testing.assert_allclose(y_of(second), [0.02, 0.01])
    assert colour_of(first.get_color()) == colour_of(learning_rate_colours(RATES)[0.2])
    assert (first.get_fillstyle(), second.get_fillstyle()) == ("full", "none")
    assert y_of(dashed(axes)[0])[0] == 6e-5


def test_the_sharpness_has_a_panel_a_batch_size_and_a_dot_where_runs_freeze(course):
    frozen = xr.DataArray(
        [[10.0, 10.0], [np.nan, 1.0]],
        dims=GRID,
        coords={"batch_size": SIZES, "learning_rate": RATES},
    )
    left, right = drawn_axes(figures.sharpness(course, frozen, [1000, 20]), 2)
    assert [title(axes) for axes in (left, right)] == ["B = 1000, gradient descent", "B = 20"]
    dots = [[line for line in axes.lines if line.get_marker() == "o"] for axes in (left, right)]
    assert [len(row) for row in dots] == [1, 2]
    assert [len(bands(axes)) for axes in (left, right)] == [1, 2]  # none for what never freezes
    values = course.scaled_sharpness.sel(batch_size=20)[:, 2]
    np.testing.assert_allclose([y_of(line)[0] for line in dots[1]], values)
    assert y_of(dashed(left)[0])[0] == 2


def test_settings_beyond_the_edge_are_open():
    found = around(np.array([[20.0, 30.0], [15.0, 16.0]]), "freezing_time", GRID) | around(
        np.array([[3.0, 8.0], [2.0, 2.5]]), "flatness", GRID
    )
    found["flatness_low"][1][1], found["flatness_high"][1][1] = np.nan, np.nan  # a single run
    summary = xr.Dataset(
        found | {"highest": (GRID, [[1.0, 2.5], [0.8, 1.9]])},
        {"batch_size": SIZES, "learning_rate": RATES},
    )
    for axes, name in zip(
        drawn_axes(figures.stable_runs(summary), 2), ("freezing_time", "flatness"), strict=True
    ):
        fills = [container.lines[0].get_fillstyle() for container in error_bars(axes)]
        assert fills == ["full", "none", "full", "full"]
        np.testing.assert_allclose(
            [float(y_of(container.lines[0])[0]) for container in error_bars(axes)],
            summary[name].values.ravel(),
        )
