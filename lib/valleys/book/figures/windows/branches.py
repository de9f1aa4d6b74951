"""The figure of the ways in which noise flattens inside a window."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    Entries,
    bars,
    decimals,
    finished,
    legend,
    legend_below,
    new_figure,
)
from valleys.book.figures.drawing.style import INK, KINDS, LEARNING_RATE, NEUTRAL

WAYS = {  # colour and name of each
    "drift": (KINDS[1], "drift: no wall between"),
    "jump": (KINDS[2], "jump: a wall that doubles the loss"),
    "thrown": (KINDS[3], "thrown: the loss itself goes up fivefold"),
}
WIDTH = 0.26
STYLES = ("-", "--", ":")
LOWEST_WALL = 1e-4  # walls below are drawn here


@finished
def ways_to_flatness(shares: Sequence[xr.Dataset], growths: Sequence[xr.Dataset]) -> Figure:
    """How much of the gain in flatness came by each way, and the wall between branches against
    the time between them.

    Args:
        shares: what `valleys.nets.analysis.windows.branches.shares` gives, one a setting.
        growths: what `growth` of it gives, in the same order.
    """
    figure, panels = new_figure(1, len(shares) + 1, (8.7, 3.8))
    for axes, table in zip(panels, shares, strict=False):
        _gains(axes, table)
    highest = max(axes.get_ylim()[1] for axes in panels[:-1])
    lowest = min(axes.get_ylim()[0] for axes in panels[:-1])
    for axes in panels[:-1]:
        axes.set_ylim(lowest, highest)
    _walls(panels[-1], growths)
    square = {"marker": "s", "linestyle": "none"}
    looks = {name: square | {"color": colour} for colour, name in WAYS.values()}
    legend_below(figure, looks, len(WAYS))
    return figure


def _gains(axes: Axes, table: xr.Dataset) -> None:
    """Bars of one setting, three a window."""
    axes.axhline(0, color=INK, linewidth=0.8)
    places = np.arange(table.sizes["window"])
    for number, (way, (colour, _)) in enumerate(WAYS.items()):
        row = table.sel(way=way)
        value, low, high = (row[f"gain{end}"].values for end in ("", "_low", "_high"))
        x = places + WIDTH * (number - 1)
        axes.bar(x, value, WIDTH, color=colour)
        axes.errorbar(x, value, yerr=bars(value, low, high), color=INK, capsize=2, linestyle="none")
    pairs = zip(table.opens.values, table.closes.values, strict=True)
    axes.set_xticks(places, [f"{opens:g} to {closes:g}" for opens, closes in pairs])
    title = f"η = {table.attrs['learning_rate']:g}, B = {table.attrs['batch_size']}"
    axes.set(xlabel="window [freezing time]", ylabel="gain in ln F", title=title)


def _walls(axes: Axes, growths: Sequence[xr.Dataset]) -> None:
    """Median wall between two branches of a run, a line a window, in the colour of its setting."""
    axes.axhline(1, color=NEUTRAL, linewidth=0.8, linestyle=":")
    looks: Entries = {}
    for table in growths:
        colour = LEARNING_RATE(float(table.attrs["learning_rate"]))
        for window, style in zip(range(table.sizes["window"]), STYLES, strict=False):
            row = table.isel(window=window)
            look = {"color": colour, "linestyle": style, "marker": "o", "markersize": 3}
            axes.plot(row.apart, np.maximum(row.wall, LOWEST_WALL), **look)
            looks[f"{row.opens:g} to {row.closes:g}"] = {"color": INK, "linestyle": style}
    axes.set(yscale="log", xlabel="parts of the window between", ylabel="wall over the loss")
    axes.yaxis.set_major_formatter(decimals())
    legend(axes, looks, loc="upper left", handlelength=2.2)
