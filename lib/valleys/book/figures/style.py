"""The look of every figure: one style file, one meaning per colour."""

import sys
from collections.abc import Sequence
from importlib import resources
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

FLAT = "#0072B2"  # the flat valley, blue (Okabe and Ito's colour-blind safe set)
SHARP = "#D55E00"  # the sharp valley, vermilion
THEORY = "#333333"  # theory beside a measurement, dashed
NEUTRAL = "#777777"  # what is neither valley: loss, reference lines
NOTE = "#555555"  # small print on a figure: readable on white and on the card of the dark theme
LEARNING_RATE_MAP = "viridis"
BATCH_SIZE_MAP = "plasma"
NOISE_MAP = "cividis"  # effective noise or noise strength of the two-valley model
QUANTITY_MAP = "cividis"  # the values of a heat map
PULL_MAP = "PuOr"  # differences in standard errors, white where there is none
LOSS = "#CC79A7"  # training loss and barriers of real networks
FRAME = "#E41A1C"  # a frame on a heat map: the frozen branches
DIVERGED = "#BBBBBB"  # cells without a result, hatched as well
BEYOND_STYLES = ("figure.max_open_warning", "timezone", "date.epoch")  # settings of figures that no style file may set


def use_style() -> None:
    """Apply the house style to matplotlib, whatever the user's own matplotlibrc says, with vector output in notebooks."""
    _draw_somewhere()
    with resources.as_file(resources.files("valleys.book.figures") / "valleys.mplstyle") as path:
        plt.style.use(["default", path])
    mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in BEYOND_STYLES})


def _draw_somewhere() -> None:
    """In a notebook figures go to the page as vectors; elsewhere to the backend that is chosen, or to none where it cannot start, as without a screen."""
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


def shades(values: Sequence[float], colour_map: str) -> dict[float, tuple[float, ...]]:
    """One colour per value in ascending order, from the readable middle of a colour map."""
    ordered = sorted(set(values))
    positions = np.linspace(0.05, 0.85, len(ordered)) if len(ordered) > 1 else [0.4]
    return dict(zip(ordered, mpl.colormaps[colour_map](positions), strict=True))


def learning_rate_colours(values: Sequence[float]) -> dict[float, tuple[float, ...]]:
    """Colour of each learning rate, the same map in every chapter."""
    return shades(values, LEARNING_RATE_MAP)


def batch_size_colours(values: Sequence[float]) -> dict[float, tuple[float, ...]]:
    """Colour of each batch size, the same map in every chapter."""
    return shades(values, BATCH_SIZE_MAP)
