"""The figures of the two-valley chapters draw what their datasets say, in the colours of the
book, with named axes.
"""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Line3D
from mpl_toolkits.mplot3d.proj3d import proj_transform

from tests.book.figures.drawn import (
    cells_of,
    colour_of,
    drawn_axes,
    legend,
    lines,
    points,
    title,
    written,
    x_of,
    xy_of,
    y_of,
)
from valleys.book import figures
from valleys.book.figures import two_valley
from valleys.book.figures.drawing.style import (
    FLAT,
    FREE,
    HELD,
    INK,
    NEUTRAL,
    SHARP,
    THEORY,
    learning_rate_colours,
    noise_colours,
)
from valleys.toy import TwoValley

RATES, STRENGTHS = [0.01, 0.1], [0.02, 0.05, 0.1]


def with_errors(values: dict, coords: dict, *dims: str) -> xr.Dataset:
    """Variables over dims, each with an error of a tenth."""
    return xr.Dataset(
        {name: (dims, value) for name, value in values.items()}
        | {f"{n}_error": (dims, np.asarray(v) / 10) for n, v in values.items()},
        coords,
    )


@pytest.fixture
def cells() -> xr.Dataset:
    p_flat = np.linspace(0.5, 0.9, 6).reshape(2, 3)
    made = with_errors(
        {"p_flat": p_flat, "time_to_freeze": 1000 * p_flat},
        {"learning_rate": RATES, "noise_strength": STRENGTHS},
        "learning_rate",
        "noise_strength",
    )
    return made.assign_coords(effective_noise=made.learning_rate * made.noise_strength)


def test_landscape_shows_floors_ridge_and_sections_with_the_flat_valley_on_the_right():
    grid = TwoValley().on_grid(np.linspace(-0.9, 0.9, 31), np.linspace(0, 60, 13))
    surface, sections = drawn_axes(figures.landscape(grid), 2)
    assert isinstance(surface, Axes3D)
    floors_and_ridge = [line for line in surface.lines if isinstance(line, Line3D)]
    flat, sharp, ridge = (np.asarray(line.get_data_3d()) for line in floors_and_ridge)
    assert [to_hex(line.get_color()).upper() for line in surface.lines] == [FLAT, SHARP, INK]
    np.testing.assert_allclose(flat[0], grid.flat_x)
    np.testing.assert_allclose(sharp[0], grid.sharp_x)
    np.testing.assert_allclose(np.diff(ridge[2]), np.diff(grid.loss.sel(x=0)))
    on_page = [proj_transform(x, 60, 1.5, surface.get_proj())[0] for x in (-0.5, 0.5)]
    down = [proj_transform(0, y, 1.5, surface.get_proj())[1] for y in (0, 60)]
    assert (on_page[0] < on_page[1], down[0] > down[1]) == (True, True)
    for y, right, left in zip(
        (0, 20, 40, 60), sections.lines[::2], sections.lines[1::2], strict=True
    ):
        section = grid.loss.sel(y=y)
        assert (to_hex(right.get_color()).upper(), to_hex(left.get_color()).upper()) == (
            FLAT,
            SHARP,
        )
        np.testing.assert_allclose(y_of(right), section[grid.x >= 0])
        np.testing.assert_allclose(y_of(left), section[grid.x <= 0])
    assert written(sections) == [
        "y = 0",
        "y = 20",
        "y = 40",
        "y = 60",
        "sharp valley",
        "flat valley",
    ]


def test_run_has_the_colour_of_the_valley_in_which_it_ends():
    x = np.array([[[0.1, -0.1, 0.2], [0.1, 0.2, -0.3]]])
    runs = xr.Dataset(
        {
            "x": (("noise_strength", "run", "step"), x),
            "y": (("noise_strength", "run", "step"), 5 + x),
        },
        {"noise_strength": [0.05], "run": [0, 1]},
    )
    runs = runs.assign_coords(step=[0, 10, 20], time=("step", [0.0, 1.0, 2.0]))
    grid = TwoValley().on_grid(np.linspace(-0.9, 0.9, 11), np.linspace(0, 30, 7))
    above, beside = drawn_axes(figures.hopping(runs, grid), 2)
    assert [to_hex(line.get_color()).upper() for line in above.lines] == [FLAT, SHARP]
    np.testing.assert_allclose(xy_of(above.lines[1]), np.stack([x[0, 1], 5 + x[0, 1]], axis=1))
    np.testing.assert_allclose(xy_of(beside.lines[0]), [[1, -0.1], [2, 0.2]])
    ticks = [line for line in beside.lines if line.get_marker() == "|"]
    rings = [line for line in beside.lines if line.get_marker() == "o"]
    assert [list(x_of(line)) for line in ticks] == [[1, 2], [2]]
    assert [list(x_of(line)) for line in rings] == [[2], [2]]
    assert "0.05" in above.get_title()
    assert above.yaxis_inverted()  # y runs down the page


def test_maps_show_every_cell_and_leave_a_gap_where_there_is_no_value(cells):
    cells["p_flat"][0, 1] = np.nan
    figure = figures.phase_maps(cells)
    left, right = drawn_axes(figure, 2)
    for axes, name in ((left, "p_flat"), (right, "time_to_freeze")):
        np.testing.assert_allclose(
            cells_of(axes.collections[0]).filled(np.nan).reshape(2, 3), cells[name]
        )
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert cells_of(left.collections[0]).mask.sum() == 1
    assert left.collections[0].get_clim() == (0.0, 1.0)  # one half is the middle of the colours
    assert (left.get_xlabel(), left.get_ylabel()) == ("noise strength σ", "learning rate η")
    assert len(figure.axes) == 4  # with two colour bars


def test_maps_put_a_cross_on_marked_cells(cells):
    marked = cells.p_flat > 0.85
    (left, _) = drawn_axes(figures.phase_maps(cells, marked), 2)
    assert xy_of(left.lines[0]).tolist() == [[STRENGTHS[2], RATES[1]]]


def test_response_shows_a_row_of_cells_for_each_learning_rate(cells):
    panels = drawn_axes(figures.noise_response(cells), 2)
    colours = learning_rate_colours(RATES)
    for axes, name in zip(panels, ("p_flat", "time_to_freeze"), strict=True):
        for rate, row in zip(RATES, points(axes), strict=True):
            expected = cells.sel(learning_rate=rate)
            assert row.shows(expected.effective_noise, expected[name], expected[f"{name}_error"])
            assert row.colour == to_hex(colours[rate]).upper()


def test_control_has_a_panel_for_each_learning_rate_with_both_noises_and_the_levels(cells):
    both: Any = xr.concat(
        [cells, cells.assign(p_flat=cells.p_flat - 0.1)],
        dim=xr.Variable("noise", ["hessian", "isotropic"]),
    )
    figure = figures.control(both, {"Boltzmann": 0.55})
    for axes, rate in zip(drawn_axes(figure, 2), RATES, strict=True):
        uneven, even = points(axes)
        assert uneven.shows(
            *(
                both.sel(learning_rate=rate, noise="hessian")[name]
                for name in ("effective_noise", "p_flat", "p_flat_error")
            )
        )
        assert even.shows(
            *(
                both.sel(learning_rate=rate, noise="isotropic")[name]
                for name in ("effective_noise", "p_flat", "p_flat_error")
            )
        )
        assert (uneven.colour, even.colour) == (FLAT, NEUTRAL)
        assert (uneven.label, even.label) == ("curvature noise", "uniform noise")
        assert lines(axes)["Boltzmann"][1:] == (pytest.approx([0.55, 0.55]), THEORY)
        assert f"{rate:g}" in axes.get_title()


def test_density_is_split_at_the_ridge():
    x = np.array([-0.2, -0.1, 0.1, 0.3])
    density = [[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]]
    samples = with_errors(
        {"density": density}, {"learning_rate": RATES}, "learning_rate", "bin"
    ).assign_coords(x=(("learning_rate", "bin"), [x, 2 * x]))
    curves = xr.Dataset({"Itô": ("x", [1.0, 5.0])}, {"x": [-0.5, 0.5]})
    for axes, group, scale in zip(
        drawn_axes(figures.density_at_fixed_y(samples, curves), 2), density, (1, 2), strict=True
    ):
        flat, sharp = points(axes)
        assert flat.shows(scale * x[2:], group[2:], np.array(group[2:]) / 10)
        assert sharp.shows(scale * x[:2], group[:2], np.array(group[:2]) / 10)
        assert (flat.colour, sharp.colour) == (FLAT, SHARP)
        np.testing.assert_allclose(lines(axes)["Itô"][1], [1, 5])


def test_weight_is_drawn_against_the_root_of_the_step():
    measured = with_errors({"p_flat": [0.7, 0.8]}, {"learning_rate": [0.01, 0.04]}, "learning_rate")
    operator = xr.Dataset(
        {"p_flat": ("learning_rate", [0.72, 0.74, 0.79])}, {"learning_rate": [0.01, 0.0225, 0.04]}
    )
    (axes,) = drawn_axes(
        figures.weight_against_step(measured, operator, {"Eq. 22": 0.6, "Itô": 0.7}), 1
    )
    assert points(axes)[0].shows([0.1, 0.2], [0.7, 0.8], [0.07, 0.08])
    np.testing.assert_allclose(
        lines(axes)["transition operator"][:2], [[0.1, 0.15, 0.2], [0.72, 0.74, 0.79]]
    )
    assert [lines(axes)[name][1][0] for name in ("Eq. 22", "Itô")] == [0.6, 0.7]
    assert written(axes) == ["Eq. 22", "Itô"]
    assert {text.get_text() for text in axes.figure.legends[0].get_texts()} == {
        "simulation",
        "transition operator",
    }


def test_weight_along_y_shows_points_theories_and_levels_in_styles_of_their_own():
    measured = with_errors({"p_flat": [0.6, 0.9]}, {"y": [1.0, 3.0]}, "y")
    curves = xr.Dataset({"Eq. 22": ("y", [0.5, 0.6]), "Itô": ("y", [0.55, 0.7])}, {"y": [0.0, 4.0]})
    exact = xr.Dataset({"p_flat": ("y", [0.61, 0.89])}, {"y": [1.0, 3.0]})
    (axes,) = drawn_axes(figures.weight_along_y(measured, curves, {"equilibrium": 0.52}, exact), 1)
    assert lines(axes)["transition operator"][2] == FLAT
    np.testing.assert_allclose(lines(axes)["transition operator"][:2], [exact.y, exact.p_flat])
    assert points(axes)[0].shows([1, 3], [0.6, 0.9], [0.06, 0.09])
    for name in curves:
        np.testing.assert_allclose(lines(axes)[str(name)][:2], [curves.y, curves[name]])
    styles = [
        line._unscaled_dash_pattern  # pyright: ignore[reportAttributeAccessIssue]  # not public
        for line in axes.lines
        if line.get_label() in ("Eq. 22", "Itô") or list(y_of(line)) == [0.52, 0.52]
    ]
    assert len(set(map(str, styles))) == len(styles) == 3
    assert "equilibrium" in written(axes)
    assert "equilibrium" not in legend(axes)


def test_a_theory_has_one_style_in_all_figures_and_no_two_of_a_figure_share_one():
    alone = {name: two_valley._styles([name])[name] for name in two_valley.STYLE_OF}
    names = ["unknown", "Eq. 22", "Itô", "another", "Boltzmann"]
    together = two_valley._styles(names)
    assert {name: together[name] for name in names if name in alone} == {
        name: alone[name] for name in names if name in alone
    }
    assert len(set(map(str, together.values()))) == len(names)


def test_effective_potential_shows_losses_then_samples_and_what_grows_with_noise():
    section = xr.Dataset(
        {
            "loss": ("x", [2.0, 1.0, 1.0, 2.0]),
            "effective": ("x", [2.2, 1.4, 0.6, 2.3]),
        },
        {"x": [-2.0, -1.0, 1.0, 2.0], "y": 40.0},
    )
    stronger = xr.Dataset(
        {
            "potential": (("effective_noise", "x"), [[0.1, 0.0], [0.3, 0.0]]),
            "loss": ("x", [0.05, 0.0]),
        },
        {"effective_noise": [1e-4, 1e-3], "x": [-1.0, 1.0], "y": 3.0},
    )
    measured = with_errors(
        {"potential": [0.1, 0.2, 0.3]}, {"x": [-0.2, -0.1, 0.4], "y": 3.0}, "x"
    ).assign(Itô=("x", [0.1, 0.2, 0.25]))
    figure = figures.effective_potential(section, measured, ["Itô"], stronger)
    top, left, right = drawn_axes(figure, 3)
    drawn = [(list(y_of(line)), colour_of(line.get_color())) for line in top.lines]
    losses, effective = list(section.loss.values), list(section.effective.values)
    assert drawn == [(losses, NEUTRAL), (effective[2:], FLAT), (effective[:2], SHARP)]
    flat, sharp = points(left)
    assert flat.shows([0.4], [0.3], [0.03])
    assert sharp.shows([-0.2, -0.1], [0.1, 0.2], [0.01, 0.02])
    assert (flat.colour, sharp.colour) == (FLAT, SHARP)
    np.testing.assert_allclose(lines(left)["Itô"][1], [0.1, 0.2, 0.25])
    loss, *noisy = lines(right).values()
    assert (list(loss[1]), loss[2]) == ([0.05, 0.0], NEUTRAL)
    for noise, row, drawn_row in zip((1e-4, 1e-3), stronger.potential, noisy, strict=True):
        np.testing.assert_allclose(drawn_row[1], row)
        assert drawn_row[2] == colour_of(noise_colours([noise])[noise])


def test_evolution_shows_runs_as_a_band_and_exact_values_and_theory_in_the_colour_of_their_noise():
    dims, p_flat = ("noise_strength", "step"), np.array([[0.5, 0.6], [0.5, 0.8]])
    runs = with_errors(
        {"p_flat": p_flat, "mean_y": [[1.0, 10.0], [2.0, 20.0]]},
        {"noise_strength": [0.01, 0.1], "step": [0, 10]},
        *dims,
    )
    curves = xr.Dataset(
        {"Eq. 22": (("noise_strength", "y"), [[0.5, 0.7], [0.5, 0.9]])},
        {"noise_strength": [0.01, 0.1], "y": [1.0, 30.0]},
    )
    exact = xr.Dataset(
        {
            name: (("effective_noise", "time"), runs[name].values + 0.01)
            for name in ("p_flat", "mean_y")
        },
        {"effective_noise": [1e-4, 1e-3]},
    )
    (axes,) = drawn_axes(figures.evolution(runs, curves, {"equilibrium": 0.52}, exact), 1)
    colours = noise_colours([1e-4, 1e-3])
    for index, (strength, noise) in enumerate(((0.01, 1e-4), (0.1, 1e-3))):
        own = to_hex(colours[noise]).upper()
        band = axes.collections[index]
        assert (to_hex(np.asarray(band.get_facecolor())[0]).upper(), band.get_label()) == (
            own,
            f"σ = {strength:g}",
        )
        heights = np.asarray(band.get_paths()[0].vertices)[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx(
            (0.9 * p_flat[index, 0], 1.1 * p_flat[index, 1])
        )
        drawn = [line for line in axes.lines if to_hex(line.get_color()).upper() == own]
        np.testing.assert_allclose(xy_of(drawn[0]).T, [exact.mean_y[index], exact.p_flat[index]])
        np.testing.assert_allclose(y_of(drawn[1]), curves["Eq. 22"][index])


def test_flatness_contrast_shows_points_theories_and_one_half():
    measured = with_errors({"p_flat": [0.5, 0.8]}, {"flatness_ratio": [1.0, 1.5]}, "flatness_ratio")
    curves = xr.Dataset(
        {name: ("flatness_ratio", [0.5, end]) for name, end in (("one", 0.7), ("two", 0.9))},
        {"flatness_ratio": [1.0, 1.5]},
    )
    ratios = np.linspace(1, 1.5, 4)
    smooth = xr.DataArray(ratios - 0.6, {"flatness_ratio": ratios}, name="two")
    (axes,) = drawn_axes(figures.flatness_contrast(measured, curves, smooth), 1)
    assert points(axes)[0].shows([1.0, 1.5], [0.5, 0.8], [0.05, 0.08])
    assert points(axes)[0].colour == FLAT
    np.testing.assert_allclose(lines(axes)["one"][1], curves["one"])
    np.testing.assert_allclose(lines(axes)["two"][:2], [ratios, smooth])
    assert 0.5 in [y_of(line)[0] for line in axes.lines if len(set(y_of(line))) == 1]


def test_temperatures_show_each_part_in_its_colour_on_its_theory():
    coords, values = (
        {"part": ["sharp", "flat", "both"], "y": [1.0, 2.0]},
        [[1.3, 1.2], [0.8, 0.9], [1.0, 0.95]],
    )
    measured = with_errors({"relative": values}, coords, "part", "y")
    curves = xr.Dataset({"theory": (("part", "y"), np.array(values) + 0.01)}, coords)
    (axes,) = drawn_axes(figures.temperatures(measured, curves), 1)
    for found, (colour, row) in zip(
        points(axes), ((SHARP, 0), (NEUTRAL, 2), (FLAT, 1)), strict=True
    ):
        assert found.colour == colour
        assert found.shows([1.0, 2.0], values[row], np.array(values[row]) / 10)
    dashed = [y_of(line) for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed, np.array(values)[[0, 2, 1]] + 0.01)


def test_rates_of_each_valley_have_its_colour_in_both_panels():
    coords = {"y": [1.0, 2.0], "valley": ["sharp", "flat"]}
    measured = with_errors(
        {"escape_rate": [[0.2, 0.1], [0.02, 0.01]], "top_rate": [[0.6, 0.5], [0.06, 0.05]]},
        coords,
        "y",
        "valley",
    )
    theories = [
        xr.Dataset({"Eq. 21": (("y", "valley"), rates)}, coords)
        for rates in ([[0.7, 0.8], [0.07, 0.08]], [[0.3, 0.4], [0.03, 0.04]])
    ]
    panels = drawn_axes(figures.escape_rates(measured, *theories), 2)
    for axes, rate, theory in zip(panels, ("top_rate", "escape_rate"), theories, strict=True):
        sharp, flat = points(axes)
        for drawn, valley, colour in ((sharp, "sharp", SHARP), (flat, "flat", FLAT)):
            expected = measured.sel(valley=valley)
            assert drawn.shows([1, 2], expected[rate], expected[f"{rate}_error"])
            assert (drawn.colour, drawn.label) == (colour, f"out of the {valley} valley")
        dashed = {
            to_hex(line.get_color()).upper(): list(y_of(line))
            for line in axes.lines
            if len(x_of(line)) == 2 and line.get_linestyle() == "--"
        }
        assert dashed == {
            SHARP: list(theory["Eq. 21"].sel(valley="sharp")),
            FLAT: list(theory["Eq. 21"].sel(valley="flat")),
        }
        assert axes.get_yscale() == "log"


def test_paradox_has_what_is_held_and_what_is_free_over_one_axis():
    noise, free_noise = {"effective_noise": [1e-3, 1e-2]}, {"effective_noise": [1e-4, 1e-3]}
    held, free = (
        with_errors({"p_flat": [0.9, 0.6]}, noise | {"y": 3.0}, "effective_noise"),
        with_errors({"p_flat": [0.7, 0.8]}, free_noise, "effective_noise"),
    )
    curves = xr.Dataset({"Itô": ("effective_noise", [0.91, 0.61])}, noise)
    (axes,) = drawn_axes(
        figures.paradox(
            held,
            curves,
            free,
            xr.Dataset({"p_flat": ("effective_noise", [0.72, 0.82])}, free_noise),
        ),
        1,
    )
    falling, rising = points(axes)
    assert falling.shows(noise["effective_noise"], [0.9, 0.6], [0.09, 0.06])
    assert rising.shows(free_noise["effective_noise"], [0.7, 0.8], [0.07, 0.08])
    assert (falling.colour, rising.colour) == (HELD, FREE)
    theory = {colour_of(line.get_color()): list(y_of(line)) for line in axes.lines[:2]}
    assert theory == {HELD: [0.91, 0.61], FREE: [0.72, 0.82]}
    held_text, free_text, _ = written(axes)
    assert ("y = 3" in held_text, "free" in free_text) == (True, True)


def test_race_shows_both_clocks_their_ratio_and_where_walkers_freeze():
    noises, place = [1e-4, 1e-3], [0.5, 1.0, 2.0]
    dims = ("effective_noise", "place")
    y, rate = np.array([[1.0, 2.0, 4.0], [3.0, 6.0, 12.0]]), np.array([[1.0, 0.1, 0.01]] * 2)
    courses = xr.Dataset(
        {"y": (dims, y), "rate": (dims, rate), "speed": (dims, rate / 3), "ratio": (dims, 3 * rate)}
        | {
            "freezing_y": ("effective_noise", [2.0, 6.0]),
            "freezing_rate": ("effective_noise", [0.1, 0.2]),
        },
        {"effective_noise": noises, "place": place},
    )
    left, right = drawn_axes(figures.race(courses), 2)
    colours = noise_colours(noises)
    for row, noise in enumerate(noises):
        own = [line for line in left.lines if line.get_color() == colours[noise]]
        found = [xy_of(line).tolist() for line in own]
        expected = [np.stack([y[row], each[row]], axis=1).tolist() for each in (rate, rate / 3)]
        assert found == [*expected, [[(2.0, 6.0)[row], (0.1, 0.2)[row]]]]
        (ratio,) = [line for line in right.lines if line.get_color() == colours[noise]]
        np.testing.assert_allclose(xy_of(ratio), np.stack([place, 3 * rate[row]], axis=1))
    assert any(set(y_of(line)) == {2} for line in right.lines)


def test_freezing_point_shows_measurement_exact_value_and_theory():
    noise = {"effective_noise": [1e-4, 1e-3]}
    measured, curves = (
        with_errors({"freezing_y": [2.0, 8.0]}, noise, "effective_noise"),
        xr.Dataset({"Eq. 25": ("effective_noise", [3.0, 9.0])}, noise),
    )
    exact = xr.Dataset({"freezing_y": ("effective_noise", [2.1, 8.1])}, noise)
    (axes,) = drawn_axes(figures.freezing_point(measured, curves, exact), 1)
    assert points(axes)[0].shows(noise["effective_noise"], [2, 8], [0.2, 0.8])
    assert (list(lines(axes)["Eq. 25"][1]), list(lines(axes)["master equation"][1])) == (
        [3, 9],
        [2.1, 8.1],
    )
    assert (axes.get_xscale(), axes.get_yscale(), axes.yaxis_inverted()) == ("log", "log", True)


def test_agreement_is_coloured_evenly_about_zero(cells):
    pulls = cells[["p_flat", "time_to_freeze"]] * 0 + np.array([-1.0, 0.0, 2.0])
    pulls["time_to_freeze"] = pulls.time_to_freeze * 2
    for axes, name in zip(
        drawn_axes(figures.agreement(pulls), 2), ("p_flat", "time_to_freeze"), strict=True
    ):
        np.testing.assert_allclose(
            np.asarray(cells_of(axes.collections[0])).reshape(2, 3), pulls[name]
        )
        low, high = axes.collections[0].get_clim()
        assert low == -high


@pytest.fixture
def histories() -> xr.Dataset:
    """Two effective noises, three times."""
    values = {
        "mean_y": [[1.0, 5.0, 20.0], [2.0, 6.0, 30.0]],
        "frozen": [[0.1, 0.5, 1.0], [0.0, 0.4, 1.0]],
        "p_flat": [[0.5, 0.6, 0.8], [0.5, 0.7, 0.9]],
        "to_flat": [[0.3, 0.2, 0.01], [0.4, 0.3, 0.02]],
        "to_sharp": [[0.2, 0.1, 0.02], [0.3, 0.1, 0.01]],
    }
    coords = {"effective_noise": [1e-4, 1e-3], "time": [1.0, 10.0, 100.0]}
    return xr.Dataset(
        {name: (("effective_noise", "time"), value) for name, value in values.items()}, coords
    )


def test_freezing_course_marks_the_last_crossing_on_each_curve(histories):
    ends = xr.Dataset(
        {"freezing_y": ("effective_noise", [5.0, 6.0])}, {"effective_noise": [1e-4, 1e-3]}
    )
    left, right = drawn_axes(figures.freezing_course(histories, ends), 2)
    for axes, values in (
        (left, histories.frozen),
        (right, histories.p_flat / histories.p_flat.isel(time=-1)),
    ):
        for index, (curve, mark) in enumerate(zip(axes.lines[::2], axes.lines[1::2], strict=True)):
            np.testing.assert_allclose(
                xy_of(curve), np.stack([histories.mean_y[index], values[index]], axis=1)
            )
            np.testing.assert_allclose(xy_of(mark), [[ends.freezing_y[index], values[index, 1]]])
            assert curve.get_color() is mark.get_color() or np.array_equal(
                curve.get_color(), mark.get_color()
            )
    assert [text.get_text() for text in left.figure.legends[0].get_texts()] == [
        "$Δ_S$ = $10^{-4}$",
        "$Δ_S$ = $10^{-3}$",
    ]


def test_flux_shows_both_directions_and_their_difference_where_it_is_positive(histories):
    for index, axes in enumerate(drawn_axes(figures.flux(histories), 2)):
        drawn, course = lines(axes), histories.isel(effective_noise=index)
        for label, name, colour in (
            ("into the flat valley", "to_flat", FLAT),
            ("into the sharp valley", "to_sharp", SHARP),
        ):
            np.testing.assert_allclose(drawn[label][:2], [course.mean_y, course[name]])
            assert drawn[label][2] == colour
        net = course.to_flat - course.to_sharp
        np.testing.assert_allclose(drawn["the difference"][1], net.where(net > 0))


def test_transient_map_shows_shares_and_where_the_theory_ends():
    p_flat = xr.DataArray(
        [[0.5, 0.5], [0.6, 0.7], [0.7, 0.8]],
        {"flatness_ratio": [1.0, 1.1, 1.2], "effective_noise": [1e-3, 1e-1]},
    )
    limit = xr.DataArray([0.02, 0.03, 0.04], {"flatness_ratio": [1.0, 1.1, 1.2]})
    figure = figures.transient_map(p_flat, limit)
    (axes,) = drawn_axes(figure, 1)
    np.testing.assert_allclose(np.asarray(cells_of(axes.collections[0])).reshape(3, 2), p_flat)
    np.testing.assert_allclose(xy_of(axes.lines[0]), [[0.02, 1.0], [0.03, 1.1], [0.04, 1.2]])
    assert written(axes) == ["Eq. 25 ends"]
    assert axes.collections[0].get_clim() == (0, 1)
    assert len(figure.axes) == 2  # with a colour bar


def test_drawing_puts_the_flat_branch_on_the_right_and_later_sections_lower():
    grid = TwoValley().on_grid(np.linspace(-1.1, 1.1, 221), np.linspace(0, 60, 61))
    (axes,) = figures.forking(grid).axes
    curves = [line for line in axes.lines if len(xy_of(line)) > 1]
    for line in curves:
        assert (xy_of(line)[:, 0] >= 0).all() == (to_hex(line.get_color()).upper() == FLAT)
    bottoms = [xy_of(line)[:, 1].min() for line in curves if line.get_color() == FLAT]
    assert bottoms == sorted(bottoms, reverse=True)
    walker = [xy_of(line)[0] for line in axes.lines if len(xy_of(line)) == 1]
    assert [x > 0 for x, _ in walker[-3:]] == [True] * 3


def test_failures_have_a_map_each_with_their_answers_below(cells):
    maps = {"one": cells, "two": cells.assign(p_flat=1 - cells.p_flat)}
    figure = figures.failures(maps, {"one": "small step, start forgotten", "two": "none"})
    for axes, (name, found) in zip(drawn_axes(figure, 2), maps.items(), strict=True):
        np.testing.assert_allclose(
            np.asarray(cells_of(axes.collections[0])).ravel(), found.p_flat.values.ravel()
        )
        assert axes.collections[0].get_clim() == (0, 1)
        assert title(axes) == name
    assert "start forgotten" in figure.axes[0].get_xlabel()
