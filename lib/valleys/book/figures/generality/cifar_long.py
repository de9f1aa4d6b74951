"""The figure of the network of Fig. S5 at three moments of long runs."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    Look,
    bars,
    finished,
    legend_below,
    new_figure,
    readable_log,
)
from valleys.book.figures.drawing.style import NEUTRAL, batch_size_colours

TIME = ("time", "training time ηt")
PANELS = {  # along what, what of a run or of two, and, where there is one, what of a run and itself
    "flatness": (("train_loss", "training loss"), "flatness F", ""),
    "accuracy": (TIME, "test accuracy [%]", ""),
    "wall": (TIME, "wall over early loss", "own_wall"),
    "similarity": (TIME, "similarity of errors", "own_similarity"),
}
TWO: Look = {"marker": "o"}
OWN: Look = {"marker": "s", "fillstyle": "none", "linestyle": "--"}


@finished
def cifar_long(table: xr.Dataset) -> Figure:
    """Flatness against the loss, and what else there is against time, a line for each batch size;
    dashed lines of a run and itself at its first moment.

    `table` is what `valleys.nets.analysis.generality.cifar_long.moments` gives.
    """
    figure, panels = new_figure(2, 2, (8.6, 5.6))
    colours = batch_size_colours(table.batch_size.values)
    for axes, (name, (along, label, own)) in zip(panels.flat, PANELS.items(), strict=True):
        for size, colour in colours.items():
            cell = table.sel(batch_size=size)
            _line(axes, cell, along[0], name, {"color": colour, **TWO})
            if own:
                _line(axes, cell, along[0], own, {"color": colour, **OWN})
        axes.set(xlabel=along[1], ylabel=label)
        readable_log(axes, across=True, subs=(1, 3))
    readable_log(panels[0, 0])
    panels[0, 0].invert_xaxis()
    sizes: dict[str, Look] = {f"B = {size:g}": {"color": each} for size, each in colours.items()}
    kinds = {"of two runs": TWO, "of a run and its first moment": OWN}
    legend_below(figure, sizes | {k: {"color": NEUTRAL, **look} for k, look in kinds.items()}, 4)
    return figure


def _line(axes: Axes, cell: xr.Dataset, along: str, name: str, look: Look) -> None:
    """Means with their intervals over the means of the moments."""
    value, low, high = (cell[f"{name}{end}"].values for end in ("", "_low", "_high"))
    axes.errorbar(cell[along].values, value, yerr=bars(value, low, high), capsize=2, **look)
