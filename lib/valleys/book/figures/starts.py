"""The figure of many starts and training sets."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    bars,
    finished,
    legend_below,
    new_figure,
)
from valleys.book.figures.drawing.style import INK, NEUTRAL

LEVEL = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
APART = 0.14  # of the two intervals of a setting
PANELS = {  # what is compared, how the axis names it, and what no effect is
    "flatness": ("flatness at the end", 1.0),
    "flatness_2": ("flatness at equal loss", 1.0),
    "delay": ("freezing time", 1.0),
    "gain": ("accuracy [points]", 0.0),
}
WIDE, NARROW = (
    {"color": INK, "marker": "o", "markersize": 6, "linestyle": "none"},
    {"color": NEUTRAL, "marker": "s", "markersize": 4, "linestyle": "none"},
)


@finished
def starts(wide: xr.Dataset, narrow: xr.Dataset) -> Figure:
    """What noise changes against gradient descent, a row a setting, with intervals over starts,
    training sets and runs, and over the runs from one start alone.

    Both are what `valleys.nets.analysis.starts.contrasts` gives.
    """
    figure, panels = new_figure(2, 2, (7.9, 5.6), sharey=True)
    for axes, (name, (label, nothing)) in zip(panels.flat, PANELS.items(), strict=True):
        axes.axvline(nothing, **LEVEL)
        _rows(axes, narrow, name, NARROW, APART)
        _rows(axes, wide, name, WIDE, -APART)
        axes.set_xlabel(f"{label}, noisy {'over' if nothing else 'minus'} calm")
    _name_settings(panels[0, 0], wide)
    entries = {
        "over starts, training sets and runs": WIDE,
        "over runs, one start and training set": NARROW,
    }
    legend_below(figure, entries, 2)
    return figure


def _rows(axes: Axes, table: xr.Dataset, name: str, look: dict[str, object], by: float) -> None:
    """A mark with its interval for each setting."""
    value, low, high = (table[f"{name}{end}"].values for end in ("", "_low", "_high"))
    places = np.arange(len(value)) + by
    axes.errorbar(value, places, xerr=bars(value, low, high), capsize=3, **look)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's


def _name_settings(axes: Axes, table: xr.Dataset) -> None:
    """The settings down the left side, the first one on top."""
    pairs = zip(table.batch_size.values, table.learning_rate.values, strict=True)
    names = [f"B = {size}, η = {rate:g}" for size, rate in pairs]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
