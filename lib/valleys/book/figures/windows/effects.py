"""Figures of noise in windows of training."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    bars,
    decimals,
    finished,
    legend_below,
    new_figure,
)
from valleys.book.figures.drawing.style import INK, LEARNING_RATE, NEUTRAL

LEVEL = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
PANELS = {  # what is compared, how the axis names it, and what no effect is
    "flat": ("flatness over\ngradient descent", 1.0),
    "gain": ("gain in accuracy\nover gradient\ndescent [points]", 0.0),
    "wall": ("wall to gradient\ndescent,\nover the loss", None),
    "peak": ("loss thrown up\nby a factor", 1.0),
}
MARKERS = "os"
LOWEST_WALL = 1e-3  # walls below are drawn here
APART = 0.14  # of two settings in a row


@finished
def noise_windows(settings: Sequence[xr.Dataset]) -> Figure:
    """What noise in each window does, a row a window, with intervals over starts and runs.

    Args:
        settings: what `valleys.nets.analysis.windows.effects.contrasts` gives, one or two; one of
            them has every window.
    """
    figure, panels = new_figure(1, 1 + len(PANELS), (8.7, 4.6), sharey=True)
    rows = max((_keys(table) for table in settings), key=len)
    _when(panels[0], rows)
    for axes, (name, (label, nothing)) in zip(panels[1:], PANELS.items(), strict=True):
        if nothing is not None:
            axes.axvline(nothing, **LEVEL)
        for number, table in enumerate(settings):
            by = APART * (2 * number - len(settings) + 1)
            _setting(axes, table, name, rows, by, MARKERS[number])
        axes.set_xlabel(label)
    for axes in panels[3:]:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(decimals())
    panels[3].set_xticks([LOWEST_WALL, 0.1, 10])
    legend_below(figure, _entries(settings), len(settings))
    return figure


def _keys(table: xr.Dataset) -> list[tuple[float, float, bool]]:
    """What tells the windows apart: from, to, and whether it is a sham; shams last."""
    own = int(table.attrs["batch_size"])
    every = zip(
        table.opens.values.tolist(),
        table.closes.values.tolist(),
        (table.window_batch.values != own).tolist(),
        strict=True,
    )
    return sorted(every, key=lambda key: (key[2], key[1] - key[0] > 2, key[0], key[1]))


def _when(axes: Axes, rows: Sequence[tuple[float, float, bool]]) -> None:
    """Where each window lies."""
    axes.axvline(1, **LEVEL)
    for row, (opens, closes, sham) in enumerate(rows):
        look = {"edgecolor": INK, "facecolor": "none" if sham else INK, "linewidth": 1.0}
        axes.barh(row, closes - opens, left=opens, height=0.5, **look)
    axes.set(xlabel="window of noise\n[freezing time]", xlim=(0, max(key[1] for key in rows)))
    axes.set_yticks(range(len(rows)), [_window_name(*key) for key in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _window_name(opens: float, closes: float, sham: bool) -> str:
    return f"{opens:g} to {closes:g}{', sham' if sham else ''}"


def _setting(
    axes: Axes,
    table: xr.Dataset,
    name: str,
    rows: Sequence[tuple[float, float, bool]],
    by: float,
    marker: str,
) -> None:
    """A mark with its interval for each window of one setting."""
    column = table.isel(level=-1) if "level" in table[name].dims else table
    value, low, high = (column[f"{name}{end}"].values for end in ("", "_low", "_high"))
    if name == "wall":
        value, low, high = (np.maximum(each, LOWEST_WALL) for each in (value, low, high))
    order = {key: row for row, key in enumerate(rows)}
    own = int(table.attrs["batch_size"])
    keys = zip(table.opens.values, table.closes.values, table.window_batch.values, strict=True)
    y = np.array([order[float(a), float(b), bool(size != own)] for a, b, size in keys])
    look = {"marker": marker, "markersize": 5, "linestyle": "none", "capsize": 2}
    colour = LEARNING_RATE(float(table.attrs["learning_rate"]))
    axes.errorbar(value, y + by, xerr=bars(value, low, high), color=colour, **look)


def _entries(settings: Sequence[xr.Dataset]) -> dict[str, dict[str, object]]:
    return {
        f"η = {table.attrs['learning_rate']:g}, B = {table.attrs['batch_size']}": {
            "color": LEARNING_RATE(float(table.attrs["learning_rate"])),
            "marker": marker,
            "linestyle": "none",
        }
        for table, marker in zip(settings, MARKERS, strict=False)
    }


@finished
def window_courses(
    settings: Sequence[xr.Dataset], windows: Sequence[tuple[float, float]]
) -> Figure:
    """Training loss of the runs of one start in some windows, beside gradient descent.

    Args:
        settings: grids of `valleys.nets.experiments.windows.effects.windows`.
        windows: pairs (from, to) of those that are drawn, each in all of them.
    """
    figure, panels = new_figure(1, len(settings), (8.0, 3.4), sharey=True)
    for axes, found in zip(np.atleast_1d(panels), settings, strict=True):
        colour = LEARNING_RATE(float(found.attrs["learning_rate"]))
        for opens, closes in windows:
            same = (found.opens == opens) & (found.closes == closes)
            here = found.isel(start=0, window=int(np.flatnonzero(same)[0]))
            time = np.linspace(opens, closes, found.sizes["look"])
            axes.plot(time, here.course.values.T, color=colour, linewidth=0.7, alpha=0.7)
            axes.plot(time, here.twin_course.values, color=INK, linewidth=1.6)
        title = f"η = {found.attrs['learning_rate']:g}, B = {found.attrs['batch_size']}"
        axes.set(xlabel="time [freezing time]", yscale="log", title=title)
    np.atleast_1d(panels)[0].set_ylabel("training loss")
    return figure
