"""The figure of the page on a network of one's own."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from valleys.book.figures.drawing.parts import (
    Entries,
    band,
    bars,
    decimals,
    each,
    finished,
    legend_below,
    log_log,
    new_figure,
)
from valleys.book.figures.drawing.style import BATCH_SIZE, NEUTRAL

LEVEL = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}


@finished
def own_network(found: xr.Dataset) -> Figure:
    """Loss along training, flatness at equal loss, freezing times and walls, by batch size, with
    intervals.

    `found` is what `valleys.nets.analysis.own_network.courses` gives.
    """
    figure, panels = new_figure(2, 2, (8.6, 6.8))
    (loss, flat), (freezing, wall) = panels
    for setting in each(found, "batch_size"):
        color = BATCH_SIZE(float(setting.batch_size))
        _course(loss, setting, "time", "train_loss", color)
        _course(flat, setting, "level", "flatness", color)
        _point(freezing, setting, "freezing_time", color)
        _point(wall, setting, "wall", color)
    _name_axes(found, loss, flat)
    for axes, label in (
        (freezing, "freezing time η · step"),
        (wall, "wall between ends, over $L_c$"),
    ):
        _by_batch_size(axes, found)
        axes.set_ylabel(label)
    wall.axhline(0, **LEVEL)
    legend_below(figure, _entries(found), found.sizes["batch_size"])
    return figure


def _course(axes: Axes, setting: xr.Dataset, along: str, name: str, color: str) -> None:
    """A mean along something, with its band."""
    axes.plot(setting[along], setting[name], color=color, marker="o", markersize=3)
    band(axes, setting, along, name, color=color)


def _point(axes: Axes, setting: xr.Dataset, name: str, color: str) -> None:
    """A mean with its interval at the batch size."""
    value, low, high = (setting[f"{name}{end}"] for end in ("", "_low", "_high"))
    ends = bars(value, low, high).reshape(2, 1)
    look = {"color": color, "marker": "o", "markersize": 6, "capsize": 3}
    axes.errorbar([float(setting.batch_size)], [float(value)], yerr=ends, **look)


def _name_axes(found: xr.Dataset, loss: Axes, flat: Axes) -> None:
    """The axes of what is followed along training, and L_c."""
    loss.set(yscale="log", xlabel="training time η · step", ylabel="training loss")
    loss.axhline(found.attrs["threshold"], **LEVEL)
    log_log(flat, "training loss, falling", "flatness")
    flat.invert_xaxis()


def _by_batch_size(axes: Axes, found: xr.Dataset) -> None:
    """A logarithmic axis of batch sizes, in which noise grows to the right."""
    sizes = sorted(found.batch_size.values.tolist())
    axes.set(xscale="log", xlabel="batch size, falling: noise grows")
    axes.set_xlim(1.5 * sizes[-1], sizes[0] / 1.5)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(decimals())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _entries(found: xr.Dataset) -> Entries:
    """Entries of the legend; a batch of all images has no noise."""
    sizes = found.batch_size.values.tolist()
    calm = {found.attrs["n_train"]: ", no noise"}
    return {f"B = {size}{calm.get(size, '')}": {"color": BATCH_SIZE(float(size))} for size in sizes}
