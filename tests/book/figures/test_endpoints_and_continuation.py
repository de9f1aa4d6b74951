"""The figures of the chapters on end points and on continuations draw what their datasets say,
in the colours of the book, with named axes.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import (
    band_ends,
    bands,
    cells_of,
    colour_bar,
    colour_of,
    dashed,
    drawn_axes,
    error_bars,
    legend,
    lines,
    segments,
    title,
    written,
    x_of,
    xy_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures.drawing.parts import bars
from valleys.book.figures.drawing.style import (
    ACCURACY,
    FRAME,
    LOSS,
    NEUTRAL,
    THEORY,
    TIME_MAP,
    batch_size_colours,
    learning_rate_colours,
)
from valleys.results.estimates import Estimate

RATES, SIZES = [0.1, 0.1, 0.2, 0.2], [50, 10, 50, 10]
TIMES, FRACTIONS = [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]
STEPS, RECORDS, THRESHOLD = [0, 10, 20, 30], [0, 20, 40, 60], 0.1


class Line(NamedTuple):
    slope: float
    intercept: float
    r_squared: Estimate = Estimate(0.5, 0.25, 0.75)


def symmetric(*above: float) -> np.ndarray:
    """Four by four, ones on the diagonal, the rest given by rows."""
    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = above
    return matrix + np.triu(matrix, 1).T


def shades_of(shares) -> list[str]:
    return [colour_of(TIME_MAP(share)) for share in shares]


def facecolours(collection) -> list[str]:
    return [colour_of(colour) for colour in collection.get_facecolor()]


@pytest.fixture
def ends() -> xr.Dataset:
    """Four solutions, two learning rates of two batch sizes each, with three records."""
    rng = np.random.default_rng(0)
    likeness = {
        "similarity": symmetric(0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
        "similarity_full": symmetric(0.15, 0.35, 0.45, 0.55, 0.65, 0.75),
    }
    spectra = [[4.0, 1.0, -0.5], [np.nan] * 3, [8.0, 2.0, 0.5]]
    found = {name: (("solution", "other"), values) for name, values in likeness.items()} | {
        "position": (("solution", "record", "component"), rng.normal(size=(4, 3, 2))),
        "explained": ("component", [0.6, 0.25]),
        "path_loss": (("pair", "record", "fraction"), rng.uniform(0.1, 2, (2, 3, 3))),
        "pair_member": (("pair", "end"), [[2, 3], [0, 1]]),
        "barrier": (
            ("solution", "other", "record"),
            np.stack([symmetric(*rng.random(6)) for _ in TIMES], axis=-1),
        ),
        "train_loss": (
            ("solution", "record"),
            [[2.0, 1.0, 0.1], [2.0, 0.8, 0.3], [2.0, 1.2, 0.5], [2.0, 1.0, 0.7]],
        ),
        "top_eigenvalue": (("solution", "top"), [[3.0, 1.0], [6.0, 2.0], [5.0, 2.0], [4.0, 1.0]]),
        "trace": ("solution", [5.0, 16.0, 8.0, 5.0]),
        "eigenvalue": (("spectrum_batch_size", "rank"), spectra),
    }
    coords = {
        "learning_rate": ("solution", RATES),
        "batch_size": ("solution", SIZES),
        "time": ("record", TIMES),
        "fraction": FRACTIONS,
    }
    return xr.Dataset(
        found,
        coords | {"pair": ["most similar", "least similar"], "spectrum_batch_size": [10, 20, 1000]},
    )


def test_each_run_has_the_colour_of_its_learning_rate_and_the_marker_of_its_batch_size(ends):
    figure = figures.endpoint_trajectories(ends)
    axes, near = drawn_axes(figure, 2)
    colours, markers = learning_rate_colours(RATES), {}
    *runs, start = axes.lines
    for position, rate, size, path, end in zip(
        ends.position.values, RATES, SIZES, runs[::2], runs[1::2], strict=True
    ):
        np.testing.assert_array_equal(xy_of(path), position)
        np.testing.assert_array_equal(xy_of(end), position[-1:])
        assert colour_of(path.get_color()) == colour_of(end.get_color()) == colour_of(colours[rate])
        markers.setdefault(size, set()).add(end.get_marker())
    # one each, not the same
    assert sorted(map(len, [*markers.values(), markers[10] | markers[50]])) == [1, 1, 2]
    np.testing.assert_array_equal(xy_of(start), ends.position.values[0, :1])
    assert (start.get_marker(), colour_of(start.get_color())) == ("*", THEORY)
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["η = 0.1", "η = 0.2", "B = 10", "B = 50", "start"]
    # the ends of the runs with the weaker noise, 0.1/50 and 0.2/50, lie in the second panel
    for x, y in ends.position.values[[0, 2], -1]:
        assert near.get_xlim()[0] < x < near.get_xlim()[1]
        assert near.get_ylim()[0] < y < near.get_ylim()[1]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "principal component 1 (60%)",
        "principal component 2 (25%)",
    )


def test_similarities_share_one_scale_and_are_grouped_by_learning_rate(ends):
    figure = figures.endpoint_similarity(ends)
    for axes, name in zip(drawn_axes(figure, 2), ("similarity", "similarity_full"), strict=True):
        (image,) = axes.images
        np.testing.assert_array_equal(cells_of(image), ends[name])
        assert image.get_clim() == (0.15, 1)
        assert list(axes.get_xticks()) == list(axes.get_yticks()) == [0.5, 2.5]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "0.2"]
        # across and up between the second and the third run
        assert [list(y_of(line)) for line in axes.lines] == [[1.5, 1.5], [0, 1]]
        assert list(x_of(axes.lines[1])) == [1.5, 1.5]
    assert [title(axes) for axes in figure.axes[:2]] == ["small test set", "all test images"]
    assert colour_bar(figure.axes[2]) == ("Jaccard similarity $Sim_J$", [0.15, 1])


def test_line_between_two_runs_has_a_curve_a_record_and_the_last_dashed(ends):
    figure = figures.interpolation(ends)
    for axes, losses, name, value in zip(
        drawn_axes(figure, 2),
        ends.path_loss.values,
        ends.pair.values,
        ("0.70", "0.20"),
        strict=True,
    ):
        *curves, last = axes.lines
        for curve, record in zip(curves, losses, strict=True):
            np.testing.assert_array_equal(xy_of(curve).T, [FRACTIONS, record])
        assert [colour_of(curve.get_color()) for curve in curves] == shades_of([0.0, 0.5, 1.0])
        np.testing.assert_array_equal(y_of(last), losses[-1])
        assert (last.get_linestyle(), colour_of(last.get_color())) == ("--", THEORY)
        assert title(axes) == f"{name}: $Sim_J$ = {value}"
        assert axes.get_yscale() == "log"
    assert colour_bar(figure.axes[2]) == ("training time $t/t_{max}$", [0, 1])


@pytest.fixture
def walls() -> xr.Dataset:
    """Two measures at three records; of four solutions one is never fitted."""
    kept = ("measure", "record")
    found = {
        "height": [[0.1, 0.2, 0.6], [0.05, 0.1, 0.3]],
        "standing": [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]],
    }
    parts = {
        name + suffix: (kept, shift * np.array(value))
        for name, value in found.items()
        for suffix, shift in (("", 1), ("_low", 0.5), ("_high", 2))
    }
    fitted = ("solution", [1.0, 0.5, np.nan, 2.0])
    return xr.Dataset(
        parts | {"fitted": fitted}, {"measure": ["barrier", "rise"], "time": ("record", TIMES)}
    )


def test_walls_have_their_bands_beside_the_mean_loss_and_the_share_of_fitted_runs(walls, ends):
    left, right = drawn_axes(figures.wall_times(walls, ends), 2)
    for axes, name in ((left, "height"), (right, "standing")):
        for index, (label, colour) in enumerate(
            (("above the mean of both ends", NEUTRAL), ("above the higher end", LOSS))
        ):
            x, y, own = lines(axes)[label]
            np.testing.assert_array_equal([x, y], [TIMES, walls[name][index]])
            assert own == colour == facecolours(bands(axes)[index])[0]
            np.testing.assert_allclose(
                band_ends(bands(axes)[index], TIMES),
                np.stack([walls[f"{name}{end}"][index] for end in ("_low", "_high")], axis=1),
            )
    np.testing.assert_allclose(xy_of(dashed(left)[0]), [[0, 2], [1, 1], [2, 0.4]])
    np.testing.assert_allclose(xy_of(dashed(right)[0]), [[0, 0], [1, 0.5], [2, 0.75]])
    assert legend(left) == ["above the mean of both ends", "above the higher end"]
    assert left.get_yscale() == "log"
    # a thirtieth of the lower last height, here below half the last loss
    assert left.get_ylim()[0] == pytest.approx(0.01)


def test_where_no_pair_ends_with_a_wall_the_losses_are_still_drawn(walls, ends):
    none = walls.assign({name: walls[name] * np.nan for name in walls if name != "fitted"})
    left, _ = drawn_axes(figures.wall_times(none, ends), 2)
    np.testing.assert_allclose(y_of(dashed(left)[0]), [2, 1, 0.4])
    assert left.get_ylim()[0] == pytest.approx(0.2)


def test_barriers_show_each_pair_once_and_the_lines_that_were_given(ends):
    given, pairs = (
        [Line(slope=-2.0, intercept=3.0), Line(slope=-1.0, intercept=2.5)],
        np.triu_indices(4, 1),
    )
    left, right = drawn_axes(figures.barrier_against_similarity(ends, given), 2)
    for axes, name, (x, y) in (
        (left, "similarity", ([0.2, 0.7], [2.6, 1.6])),
        (right, "similarity_full", ([0.15, 0.75], [2.35, 1.75])),
    ):
        drawn, line = axes.lines
        np.testing.assert_array_equal(
            xy_of(drawn).T, [ends[name].values[pairs], ends.barrier.values[pairs][:, -1]]
        )
        assert (colour_of(drawn.get_color()), drawn.get_linestyle()) == (LOSS, "None")
        np.testing.assert_allclose(xy_of(line).T, [x, y])
        assert (colour_of(line.get_color()), line.get_linestyle()) == (THEORY, "--")
        assert title(axes) == "$R^2$ = 0.50 (0.25 to 0.75)"


def test_restarts_have_a_row_for_each_test_set_with_the_first_rimmed_and_the_published_value_a_line():  # noqa: E501
    shares, first = (
        {"small": np.array([0.2, 0.7, 0.5]), "all": np.array([0.4, 0.9])},
        {"small": 0.7, "all": 0.4},
    )
    figure = figures.restart_fits(shares, first, 0.64)
    figure.canvas.draw()
    (axes,) = figure.axes
    *rows, published = axes.lines
    for row, (label, dots, rimmed) in enumerate(zip(shares, rows[::2], rows[1::2], strict=True)):
        np.testing.assert_array_equal(xy_of(dots), [[value, row] for value in shares[label]])
        np.testing.assert_array_equal(xy_of(rimmed), [[first[label], row]])
        assert colour_of(dots.get_color()) == colour_of(rimmed.get_color()) == LOSS
        assert (colour_of(rimmed.get_markeredgecolor()), dots.get_markeredgewidth()) == (THEORY, 0)
    assert (list(x_of(published)), published.get_linestyle(), written(axes)) == (
        [0.64, 0.64],
        "--",
        ["published"],
    )
    assert list(
        zip(axes.get_yticks(), (label.get_text() for label in axes.get_yticklabels()), strict=True)
    ) == [(0, "small"), (1, "all")]
    assert (axes.get_xlim(), axes.get_xlabel()) == ((0, 1), "$R^2$ of the straight line")


def test_spectra_leave_out_runs_that_did_not_converge_and_shares_are_of_the_trace(ends):
    left, right, below = drawn_axes(figures.hessian_spectrum(ends), 3)
    colours = {
        f"B = {size}": colour_of(colour)
        for size, colour in batch_size_colours([10, 20, 50, 1000]).items()
    }
    (calm,) = [line for line in left.lines if len(x_of(line)) == 3]
    np.testing.assert_array_equal([x_of(calm), y_of(calm)], [[1, 2, 3], [8, 2, 0.5]])
    assert colour_of(calm.get_color()) == colours["B = 1000"]
    x, y, colour = lines(right)["B = 10"]
    np.testing.assert_allclose([x, y], [[1, 2, 3], [0.5, 0.5, -1]])
    assert colour == colours["B = 10"]
    for label, values in (("B = 50", [0.8, 0.875]), ("B = 10", [0.5, 1.0])):
        x, y, colour = lines(below)[label]
        np.testing.assert_allclose([x, y], [[0.1, 0.2], values])
        assert colour == colours[label]
    assert (legend(right), legend(below)) == (["B = 10"], ["B = 10", "B = 50"])
    assert (title(left), right.get_ylabel()) == (
        "batch size B = 1000",
        "eigenvalue relative to B = 1000",
    )
    assert (left.get_xscale(), left.get_yscale(), below.get_xscale()) == ("log", "log", "log")
    assert below.get_ylim()[0] == pytest.approx(0.45)  # the lowest share has a margin


@pytest.fixture
def continued() -> xr.Dataset:
    """Two reference runs, four branches each, four records; the flatness is measured at all but
    the second.
    """
    rng, along, kept = (
        np.random.default_rng(1),
        ("reference", "record"),
        ("reference", "branch", "record"),
    )
    unmeasured, unbegun = (
        np.array([0, np.nan, 0, 0]),
        np.where(np.array(RECORDS) < np.array(STEPS)[:, None], np.nan, 0),
    )
    found = {
        "reference_position": ((*along, "component"), rng.normal(size=(2, 4, 2))),
        "branch_position": (
            (*kept, "component"),
            rng.normal(size=(2, 4, 4, 2)) + unbegun[..., None],
        ),
        "explained": (("reference", "component"), [[0.7, 0.2], [0.5, 0.4]]),
        "similarity_full": (
            ("reference", "branch", "other"),
            [symmetric(0.5, 0.4, 0.3, 0.6, 0.5, 0.8), symmetric(0.7, 0.3, 0.2, 0.6, 0.5, 0.9)],
        ),
        "freezing_time": (("reference", "threshold"), [[99.0, 12.0], [99.0, 40.0]]),
    }
    for name, gap in (("train_loss", 0), ("test_loss", 0), ("flatness", unmeasured)):
        found |= {
            f"reference_{name}": (along, rng.uniform(1, 2, (2, 4)) + gap),
            f"branch_{name}": (kept, rng.uniform(1, 2, (2, 4, 4)) + unbegun + gap),
        }
    for name in ("test_loss", "test_loss_full", "test_accuracy_full"):
        found[f"final_{name}"] = (kept[:2], rng.uniform(0.5, 1, (2, 4)))
    return xr.Dataset(
        found,
        {
            "branch_step": ("branch", STEPS),
            "step": ("record", RECORDS),
            "threshold": [0.01, THRESHOLD],
        },
    )


SHADES = shades_of(np.array(STEPS) / 30)
CLOCK = ("branching step $t_c$", [0, 30])


def test_plane_shows_the_first_run_in_black_and_its_branches_in_the_colour_of_their_step(continued):
    figure = figures.branch_plane(continued)
    (axes,) = drawn_axes(figure, 1)
    run, *branches, start = axes.lines
    np.testing.assert_array_equal(xy_of(run), continued.reference_position.values[0])
    for position, colour, path, end in zip(
        continued.branch_position.values[0], SHADES, branches[::2], branches[1::2], strict=True
    ):
        np.testing.assert_array_equal(xy_of(path), position)
        np.testing.assert_array_equal(xy_of(end), position[-1:])
        assert colour_of(path.get_color()) == colour_of(end.get_color()) == colour
    np.testing.assert_array_equal(xy_of(start), continued.reference_position.values[0, :1])
    assert colour_of(run.get_color()) == colour_of(start.get_color()) == THEORY
    assert axes.get_xlabel() == "principal component 1 (70%)"
    assert colour_bar(figure.axes[1]) == CLOCK


def shows_histories(axes, continued: xr.Dataset, name: str, records: list[int]) -> None:
    *branches, run = axes.lines
    at = continued.isel(reference=0, record=records)
    for branch, drawn in zip(at[f"branch_{name}"].values, branches, strict=True):
        np.testing.assert_array_equal(xy_of(drawn).T, [at.step, branch])
    assert [colour_of(drawn.get_color()) for drawn in branches] == SHADES
    np.testing.assert_array_equal(xy_of(run).T, [at.step, at[f"reference_{name}"]])
    assert colour_of(run.get_color()) == THEORY


def shows_final_values(axes, values: np.ndarray) -> None:
    """A thin line for each run, the mean over runs, and markers on the first; lines before them
    are none of its business.
    """
    *runs, mean = axes.lines[-3:]
    for run, row in zip(runs, values, strict=True):
        np.testing.assert_array_equal(xy_of(run).T, [STEPS, row])
        assert colour_of(run.get_color()) == NEUTRAL
    np.testing.assert_allclose(xy_of(mean).T, [STEPS, values.mean(axis=0)])
    assert colour_of(mean.get_color()) == THEORY
    (marks,) = axes.collections
    np.testing.assert_array_equal(xy_of(marks).T, [STEPS, values[0]])
    assert facecolours(marks) == SHADES


def test_histories_leave_out_what_was_not_measured_and_show_every_run_at_its_end(continued):
    at_equal_loss = xr.DataArray(
        [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]],
        dims=("reference", "branch"),
        attrs={"train_loss": 0.1234},
    )
    figure = figures.branch_histories(continued, at_equal_loss)
    losses, flatness, final_losses, final_flatness = drawn_axes(figure, 4)
    shows_histories(losses, continued, "test_loss", [0, 1, 2, 3])
    shows_histories(flatness, continued, "flatness", [0, 2, 3])
    shows_final_values(final_losses, continued.final_test_loss_full.values)
    shows_final_values(final_flatness, at_equal_loss.values)
    end = final_flatness.lines[0]
    np.testing.assert_allclose(
        xy_of(end).T, [STEPS, continued.branch_flatness.values[..., -1].mean(axis=0)]
    )
    assert end.get_linestyle() == ":"
    assert legend(final_flatness) == ["at training loss 0.12", "at the end"]
    assert (losses.get_yscale(), colour_bar(figure.axes[4])) == ("log", CLOCK)


def test_training_of_branches_ends_in_a_cloud_of_every_run(continued):
    figure = figures.branch_training(continued)
    left, middle, right = drawn_axes(figure, 3)
    shows_histories(left, continued, "train_loss", [0, 1, 2, 3])
    shows_final_values(middle, continued.branch_train_loss.values[..., -1])
    clouds = zip(
        right.collections,
        continued.final_test_accuracy_full.values[::-1],
        continued.branch_flatness.values[::-1, :, -1],
        strict=True,
    )
    for drawn, accuracy, flatness in clouds:  # the first run on top
        np.testing.assert_array_equal(xy_of(drawn).T, [accuracy, flatness])
        assert facecolours(drawn) == SHADES
    assert (left.get_yscale(), middle.get_yscale(), colour_bar(figure.axes[3])) == (
        "log",
        "log",
        CLOCK,
    )


def test_flatness_of_the_first_run_is_drawn_over_the_loss_and_the_slopes_of_all_runs(continued):
    continued = continued.assign_coords(test_image=range(20), full_test_image=range(300))
    given = [
        [Line(slope=slope, intercept=3.0) for slope in slopes]
        for slopes in ((-1.0, 2.0), (-3.0, -2.0))
    ]
    figure = figures.flatness_against_test_loss(continued, given)
    left, right, below = drawn_axes(figure, 3)
    flat, names = (
        continued.branch_flatness.values[0, :, -1],
        ("final_test_loss", "final_test_loss_full"),
    )
    for axes, name, row in zip((left, right), names, given, strict=True):
        (line,), (cloud,) = axes.lines, axes.collections
        ends = [[3 + row[0].slope * y, y] for y in (flat.min(), flat.max())]
        np.testing.assert_allclose(xy_of(line), ends)
        np.testing.assert_array_equal(xy_of(cloud).T, [continued[name].values[0], flat])
        assert [colour[:7] for colour in facecolours(cloud)] == SHADES
    assert [title(axes) for axes in (left, right, below)] == [
        "small test set (20)",
        "all test images (300)",
        "all 2 runs",
    ]
    dots = [line for line in below.lines if len(x_of(line)) == 1]
    assert [x_of(dot)[0] for dot in dots] == [2, -1, -2, -3]
    colours = [colour_of(dot.get_color()) for dot in dots]
    assert colours == [NEUTRAL, ACCURACY, ACCURACY, ACCURACY]
    rims = [colour_of(dot.get_markeredgecolor()) for dot in dots]
    assert rims[1] == rims[3] == THEORY != rims[0]
    assert colour_bar(figure.axes[3]) == CLOCK


def frames(axes) -> list[tuple]:
    """Corner, width and height of each frame."""
    assert {colour_of(patch.get_edgecolor()) for patch in axes.patches} <= {FRAME}
    return [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axes.patches]


def test_branches_are_compared_with_the_frozen_ones_framed(continued):
    figure = figures.branch_similarity(continued, THRESHOLD)
    left, middle, right = figure.axes[:3]
    figure.canvas.draw()
    mean = continued.similarity_full.values.mean(axis=0)
    for axes, values in ((left, continued.similarity_full.values[0]), (middle, mean)):
        (image,) = axes.images
        np.testing.assert_allclose(cells_of(image), values)
        # the lowest mean is below the lowest of the first run
        assert image.get_clim() == (pytest.approx(0.25), 1)
        assert (list(image.get_extent()), image.origin, axes.get_xlabel()) == (
            [-5, 35, -5, 35],
            "lower",
            CLOCK[0],
        )
    # frozen at 12, and at 26 in the mean
    assert (frames(left), frames(middle)) == ([(15, 15, 20, 20)], [(25, 25, 10, 10)])
    *runs, freezing = right.lines
    for run, freeze, row in zip(runs, (12, 40), continued.similarity_full.values, strict=True):
        np.testing.assert_allclose(xy_of(run).T, [np.array([0, 10, 20]) / freeze, row[:3, 3]])
    assert (
        list(x_of(freezing)),
        colour_of(freezing.get_color()),
        freezing.get_linestyle(),
    ) == ([1, 1], THEORY, "--")
    assert (right.get_xlabel(), right.get_ylabel()) == (
        "branching step / freezing time",
        "$Sim_J$ to the last continuation",
    )
    assert "mean over 2 runs" in title(middle)


@pytest.mark.parametrize(
    ("freeze", "framed"),
    [(20.0, [(15, 15, 20, 20)]), (30.0, [(25, 25, 10, 10)]), (30.5, []), (np.nan, [])],
)
def test_the_frame_begins_with_the_branch_at_the_freezing_time_and_is_absent_after_the_last(
    continued, freeze, framed
):
    continued["freezing_time"] = continued.freezing_time * 0 + freeze
    left, middle = figures.branch_similarity(continued, THRESHOLD).axes[:2]
    assert frames(left) == frames(middle) == framed


@pytest.fixture
def compared() -> xr.Dataset:
    """Two levels at four settings, without a value by the basin at one of them."""
    cell, loss = ("batch_size", "learning_rate"), np.array([[4.0, 3.0], [2.0, 1.0]])
    basin = np.stack([loss + 1, [[8.0, 6.0], [4.0, np.nan]]], axis=-1)
    found = {
        f"freezing_time{end}": (cell, loss + shift)
        for end, shift in (("", 0), ("_low", -0.5), ("_high", 0.25))
    }
    found |= {
        f"basin_time{end}": ((*cell, "level"), basin + shift)
        for end, shift in (("", 0), ("_low", -1), ("_high", 2))
    }
    return xr.Dataset(
        found, {"batch_size": [10, 50], "learning_rate": [0.1, 0.2], "level": [0.7, 0.8]}
    )


def test_two_clocks_have_a_point_with_both_bars_for_each_setting(compared):
    panels, colours, markers = (
        drawn_axes(figures.two_clocks(compared), 2),
        learning_rate_colours([0.1, 0.2]),
        {},
    )
    for axes, level in zip(panels, compared.level.values, strict=True):
        for index, container in enumerate(error_bars(axes)):
            line, _, (across, up) = container.lines
            one = compared.isel(batch_size=index // 2, learning_rate=index % 2).sel(level=level)
            x, y = float(one.freezing_time), float(one.basin_time)
            np.testing.assert_array_equal(xy_of(line), [[x, y]])
            np.testing.assert_allclose(
                segments(across), [[[x - 0.5, y], [x + 0.25, y]]][: int(np.isfinite(y))]
            )
            np.testing.assert_allclose(
                segments(up), [[[x, y - 1], [x, y + 2]]][: int(np.isfinite(y))]
            )
            assert colour_of(line.get_color()) == colour_of(colours[float(one.learning_rate)])
            markers.setdefault(int(one.batch_size), set()).add(line.get_marker())
        assert len(error_bars(axes)) == 4
        assert title(axes) == f"one basin from $Sim_J$ = {level:g}"
        assert axes.get_xlim() == axes.get_ylim() == (0, pytest.approx(10.6))
        (equal,) = [line for line in axes.lines if line.get_linestyle() == ":"]
        np.testing.assert_array_equal(x_of(equal), y_of(equal))
    # one each, not the same
    assert sorted(map(len, [*markers.values(), markers[10] | markers[50]])) == [1, 1, 2]
    assert [text.get_text() for text in panels[0].figure.legends[0].get_texts()] == [
        "η = 0.1",
        "η = 0.2",
        "B = 10",
        "B = 50",
    ]


def test_two_clocks_stand_where_no_run_reached_the_loss(compared):
    none = compared.assign(
        {
            name: compared[name] * np.nan
            for name in ("freezing_time", "freezing_time_low", "freezing_time_high")
        }
    )
    assert drawn_axes(figures.two_clocks(none), 2)[0].get_ylim() == (0, pytest.approx(10.6))


def test_two_clocks_stand_without_intervals(compared):
    none = compared.assign(
        {
            name: values * np.nan
            for name, values in compared.data_vars.items()
            if name.endswith(("_low", "_high"))
        }
    )
    assert drawn_axes(figures.two_clocks(none), 2)[0].get_xlim() == (0, pytest.approx(1.06 * 8))


def test_two_clocks_take_more_batch_sizes_than_there_are_markers(compared):
    many: Any = xr.concat(
        [
            compared.isel(batch_size=0, drop=True).assign_coords(batch_size=size)
            for size in range(1, 10)
        ],
        dim="batch_size",
    )
    assert [len(error_bars(axes)) for axes in drawn_axes(figures.two_clocks(many), 2)] == [18, 18]


def test_bars_are_never_negative_and_missing_where_an_interval_is():
    found = bars(
        np.array([1.0, 2.0, 3.0]),
        np.array([0.5, 2.0 + 1e-15, np.nan]),
        np.array([1.5, 2.0, np.nan]),
    )
    assert found[:, :2].tolist() == [[0.5, 0], [0.5, 0]]
    assert np.isnan(found[:, 2]).all()
