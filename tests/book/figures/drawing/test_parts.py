"""A value has one colour in the whole book, panels have letters, and every figure function sees
to both.
"""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import is_color_like, to_rgb
from matplotlib.figure import Figure

from tests.book.figures.drawn import letters
from valleys.book import figures
from valleys.book.figures.drawing.parts import finished, new_figure, power_of_ten
from valleys.book.figures.drawing.style import (
    BATCH_SIZE,
    DARK,
    FLAT,
    LEARNING_RATE,
    NOISE,
    SHARE_MAP,
    SHARP,
    batch_size_colours,
    learning_rate_colours,
    noise_colours,
)

# with the bounds of the parameters
WAYS = {
    learning_rate_colours: (1e-6, 10),
    batch_size_colours: (1, 54210),
    noise_colours: (1e-8, 10),
}


def brightness(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


@pytest.mark.parametrize("colours_of", WAYS)
def test_a_value_has_one_colour_whatever_stands_beside_it(colours_of):
    alone, among = colours_of([20]), colours_of([1000, 20, 0.5, 7])
    assert alone[20] == among[20]
    assert list(among) == [0.5, 7, 20, 1000]


@pytest.mark.parametrize("colours_of", WAYS)
def test_values_beyond_the_ends_have_colours_of_their_own(colours_of):
    low, high = WAYS[colours_of]
    found = colours_of(np.geomspace(low, high, 9)).values()
    assert len({str(colour) for colour in found}) == 9
    assert all(is_color_like(colour) for colour in found)


@pytest.mark.parametrize(
    ("scale", "quiet_to_noisy"),
    [
        (LEARNING_RATE, [0.001, 0.005, 0.02, 0.1, 0.2]),
        (BATCH_SIZE, [1000, 200, 50, 20, 10]),
        (NOISE, [3e-5, 1e-4, 1e-3, 1e-2]),
    ],
)
def test_what_is_noisy_is_bright(scale, quiet_to_noisy):
    assert all(
        brightness(scale(quiet)) < brightness(scale(noisy))
        for quiet, noisy in pairwise(quiet_to_noisy)
    )


def test_neighbours_on_a_scale_can_be_told_apart():
    for scale, values in (
        (LEARNING_RATE, [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]),
        (BATCH_SIZE, [10, 20, 50, 100, 200, 500, 1000]),
    ):
        steps = [
            np.abs(np.subtract(to_rgb(scale(one)), to_rgb(scale(other)))).sum()
            for one, other in pairwise(values)
        ]
        assert min(steps) > 0.1


def test_shares_are_coloured_about_one_half():
    assert [tuple(np.round(SHARE_MAP(share)[:3], 2)) for share in (0.0, 1.0)] == [
        tuple(np.round(to_rgb(colour), 2)) for colour in (SHARP, FLAT)
    ]
    assert min(SHARE_MAP(0.5)[:3]) > 0.98


def test_every_neutral_colour_stands_out_on_a_dark_page():
    ground = brightness("#121212")
    assert all(
        brightness(dark) > ground + 0.2 for light, dark in DARK.items() if light != "#FFFFFF"
    )
    assert DARK["#FFFFFF"] == "#121212"


def test_panels_have_letters_row_by_row_and_colour_bars_twins_and_insets_have_none():
    @finished
    def draw() -> Figure:
        figure = Figure()
        space = figure.add_gridspec(2, 2)
        last, second, first = (
            figure.add_subplot(place) for place in (space[1, :], space[0, 1], space[0, 0])
        )
        figure.colorbar(first.imshow([[0, 1]]), ax=first)
        second.twinx()
        last.inset_axes((0.5, 0.5, 0.4, 0.4))
        return figure

    assert [letter for letter in letters(draw()) if letter] == ["C", "B", "A"]


def test_a_single_panel_has_no_letter():
    assert letters(finished(lambda: new_figure(1, 1, (4, 3))[0])()) == [""]


def test_every_figure_function_gives_letters_and_names():
    assert [
        name
        for name in figures.__all__
        if name != "use_style" and not hasattr(getattr(figures, name), "__wrapped__")
    ] == []


def test_lines_in_the_colour_of_a_value_have_ids_that_no_other_has():
    @finished
    def draw() -> Figure:
        figure, axes = new_figure(1, 1, (4, 3))
        for _ in range(2):
            axes.plot([0, 1], color=learning_rate_colours([0.05])[0.05], label="η")
        axes.plot([1, 2], color=FLAT)
        axes.legend()
        return figure

    ids = [line.get_gid() for line in draw().axes[0].lines]
    assert (len(set(ids)), ids[2]) == (3, None)
    assert all(str(name).startswith("shade:learning_rate:0.05:") for name in ids[:2])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3e-5, "$3·10^{-5}$"),
        (1e-4, "$10^{-4}$"),
        (0.05, "0.05"),
        (2500.0, "2500"),
        (-2e-7, "$-2·10^{-7}$"),
    ],
)
def test_small_numbers_are_written_as_powers_of_ten(value, written):
    assert power_of_ten(value) == written
