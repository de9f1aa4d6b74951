"""The look of every figure: one style file, one meaning per colour, one colour per value."""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb

FLAT = "#0072B2"  # the flat valley, blue (Okabe and Ito's colour-blind safe set)
SHARP = "#D55E00"  # the sharp valley, vermilion; neither means anything else in any figure

INK = "#222222"  # text and axes, the same in the style file
THEORY = INK  # theory beside a measurement, dashed
NOTE = "#555555"  # small print on a figure
NEUTRAL = "#777777"  # what is neither valley: loss, reference lines
DIVERGED = "#BBBBBB"  # cells without a result, hatched as well
HALO = "#FFFFFF"  # rims of markers, the inside of open ones: the ground of the page
# what each of them becomes on a dark page
DARK = {INK: "#E4E4E4", NOTE: "#B6B6B6", NEUTRAL: "#9C9C9C", DIVERGED: "#555B60", HALO: "#121212"}
ON_LIGHT, ON_DARK = "#111111", "#FEFEFE"  # on the cells of a map, which are the same on any page
LINE, WORD = 3.0, 4.5  # least contrast with the page, of lines and of words (WCAG 2.2)

LOSS = "#CC79A7"  # training loss and barriers of real networks
ACCURACY = "#009E73"
FREE, HELD = "#8A4FBF", "#A07800"  # runs on two valleys that are free to move along y, or held
FRAME = "#E0218A"  # a frame on a heat map: the frozen branches
# things without an order, which are neither valley
KINDS = (INK, "#009E73", "#CC79A7", "#8A4FBF", "#A07800", "#4C93A8")
QUANTITY_MAP = "viridis"  # the values of a heat map
PULL_MAP = "PuOr"  # differences in standard errors, white where there is none


def in_the_dark(colour: str, contrast: float) -> str:
    """A colour with so much white in it that it stands out from a dark page.

    Args:
        colour: `#rrggbb`.
        contrast: ratio to the page that it must have, from 1 to 21.
    """
    red, green, blue = to_rgb(colour)
    least = contrast * (luminance(DARK[HALO]) + 0.05) - 0.05
    whiter = (
        to_hex((red + white * (1 - red), green + white * (1 - green), blue + white * (1 - blue)))
        for white in np.linspace(0, 1, 101)
    )
    return next(each for each in whiter if luminance(each) >= least)


def luminance(colour: Any) -> float:
    """Relative luminance of a colour of matplotlib, from 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _blend(name: str, *colours: Any) -> Colormap:
    return LinearSegmentedColormap.from_list(name, colours, N=1024)


# of lines, early to late: seen on white and on black
TIME_MAP = _blend("time", *mpl.colormaps[QUANTITY_MAP]([0.2, 0.36, 0.51, 0.67, 0.82]))
# P_flat from 0 to 1: who wins, and white for a coin
SHARE_MAP = _blend("share", SHARP, "#FFFFFF", FLAT)
# settings of figures that no style file may set
BEYOND_STYLES = ("figure.max_open_warning", "timezone", "date.epoch")


def use_style() -> None:
    """Apply the house style to matplotlib, whatever the user's own matplotlibrc says, with
    vector output in notebooks.
    """
    _draw_somewhere()
    with resources.as_file(
        resources.files("valleys.book.figures.drawing") / "valleys.mplstyle"
    ) as path:
        plt.style.use(["default", path])
    mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in BEYOND_STYLES})


def _draw_somewhere() -> None:
    """In a notebook figures go to the page as vectors; elsewhere to the backend that is chosen,
    or to none where it cannot start, as without a screen.
    """
    if (shell := _notebook()) is not None:
        from matplotlib_inline.config import InlineBackend

        options = InlineBackend.instance(parent=shell)
        options.figure_formats, options.print_figure_kwargs = {"svg"}, {"bbox_inches": "tight"}
        shell.enable_matplotlib("inline")
    elif chosen := mpl.get_backend(auto_select=False):
        try:
            plt.switch_backend(chosen)
        except ImportError:
            plt.switch_backend("agg")


def _notebook() -> Any:
    """The shell of the notebook that this is called from, None elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if hasattr(shell, "kernel") else None


class Shade(str):
    """A colour that knows what it stands for, such as `learning_rate:0.05`: lines keep it, so
    that a figure can be asked.
    """

    meaning: str

    def __new__(cls, colour: str, meaning: str) -> Self:
        """The colour as matplotlib wants it."""
        shade = super().__new__(cls, colour)
        shade.meaning = meaning
        return shade


@dataclass(frozen=True)
class Scale:
    """One colour for each positive value of a quantity, whatever other values a figure has; the
    noisy end is the bright one.

    Halfway up to `noisy` in ratio lies `middle`. Beyond the noisy and the quiet end colours draw
    together, and stay apart.
    """

    name: str
    middle: float
    noisy: float
    colours: Colormap

    def __call__(self, value: float) -> Shade:
        """The colour of a value."""
        reach = math.log(value / self.middle) / math.log(self.noisy / self.middle)
        return Shade(
            to_hex(self.colours(0.5 + 0.5 * reach / math.hypot(1, reach))),
            f"{self.name}:{value:.6g}",
        )

    def of(self, values: Iterable[float]) -> dict[float, Shade]:
        """The colour of each value, in ascending order."""
        return {value: self(value) for value in sorted(set(values))}


RATES = (
    (0, "#3A1F5C"),
    (0.1, "#5B2A7A"),
    (0.15, "#63479B"),
    (0.24, "#4F64AE"),
    (0.36, "#1B8F9C"),
    (0.5, "#35A853"),
    (0.69, "#86B81C"),
    (0.79, "#CFA600"),
    (1, "#EFC95E"),
)
SIZES = (
    (0, "#33278F"),
    (0.15, "#4F3DB5"),
    (0.21, "#6343C0"),
    (0.36, "#8A45C4"),
    (0.5, "#B846AC"),
    (0.65, "#DD4F86"),
    (0.79, "#EE7E92"),
    (0.86, "#F3A3A6"),
    (1, "#F7BFBF"),
)
NOISES = (
    (0, "#2F3588"),
    (0.16, "#3F4C9A"),
    (0.42, "#786AA0"),
    (0.61, "#A77C62"),
    (0.76, "#C79A2E"),
    (0.86, "#DDB11C"),
    (1, "#EDC745"),
)
LEARNING_RATE = Scale("learning_rate", 0.02, 0.2, _blend("learning_rate", *RATES))
BATCH_SIZE = Scale("batch_size", 100, 10, _blend("batch_size", *SIZES))
NOISE = Scale("effective_noise", 5e-4, 1e-2, _blend("noise", *NOISES))


def learning_rate_colours(values: Iterable[float]) -> dict[float, Shade]:
    """Colour of each learning rate, the same in every figure."""
    return LEARNING_RATE.of(values)


def batch_size_colours(values: Iterable[float]) -> dict[float, Shade]:
    """Colour of each batch size, the same in every figure."""
    return BATCH_SIZE.of(values)


def noise_colours(values: Iterable[float]) -> dict[float, Shade]:
    """Colour of each effective noise of the two-valley model, the same in every figure."""
    return NOISE.of(values)


def ordered_colours(values: Iterable[float]) -> dict[float, str]:
    """A colour for each of a few values that have no colour of their own in the book, early to
    late.
    """
    ordered = sorted(set(values))
    return {
        value: to_hex(TIME_MAP(place / max(len(ordered) - 1, 1)))
        for place, value in enumerate(ordered)
    }
