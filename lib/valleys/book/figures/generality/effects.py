"""The figures of one base network with one thing changed at a time."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from valleys.book.figures.drawing.parts import (
    Look,
    bars,
    decimals,
    finished,
    legend,
    legend_below,
    new_figure,
    readable_log,
)
from valleys.book.figures.drawing.style import INK, KINDS, LOSS, NEUTRAL

ROW = 0.25  # inches
AROUND = 1.6  # inches above and below the rows
BORDER = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
LEAST_WALL = 0.001  # over the loss; what is lower is drawn there
# what is shown of each claim: the effect, its name on the axis, and the digits with which numbers
# begin on a logarithmic one
PANELS: Mapping[str, tuple[str, str, tuple[float, ...]]] = {
    "delay": ("delay", "freezing time\nover twin's", (1, 1.2, 1.5, 2, 3, 5)),
    "flat": ("flat", "flatness\nover twin's", (1, 2, 5)),
    "wall": ("pair_wall", "wall between\nruns over loss", (1,)),
    "gain": ("gain", "gain in accuracy\nover twin [points]", ()),
}
LOOKS: Mapping[str, Look] = {  # of a claim for a network, by the answer
    "holds": {"color": INK, "marker": "o"},
    "undecided": {"color": NEUTRAL, "marker": "o", "fillstyle": "none"},
    "fails": {"color": KINDS[2], "marker": "X"},
}
# of a line, at freezing and at the lower loss
WEIGHTS: tuple[Look, Look] = (
    {"marker": "o", "markersize": 3, "linewidth": 0.7},
    {"marker": "o", "linewidth": 1.8},
)
WALLS = {"run to twin": ("wall", LOSS), "run to run": ("pair_wall", KINDS[4])}


@finished
def generality(table: xr.Dataset, judged: xr.DataArray, borders: Mapping[str, float]) -> Figure:
    """What noise does in each network, a row each, against the paper's four claims.

    Args:
        table: what `valleys.nets.analysis.generality.effects.contrasts` gives.
        judged: what `verdicts` of the same module gives.
        borders: of each claim, which its effect must lie above.
    """
    variants = table.variant.values.tolist()
    size = (8.6, AROUND + ROW * len(variants))
    figure, panels = new_figure(1, len(PANELS), size, sharey=True)
    for axes, (claim, (effect, label, digits)) in zip(panels, PANELS.items(), strict=True):
        axes.axvline(borders[claim], **BORDER)
        _rows(axes, table.isel(level=-1), effect, judged.sel(claim=claim), digits)
        axes.set_xlabel(label)
    panels[0].set_yticks(range(len(variants)), table.named.values.tolist())
    panels[0].set_ylim(len(variants) - 0.5, -0.5)
    legend_below(figure, {name: {**look, "linestyle": "none"} for name, look in LOOKS.items()}, 3)
    return figure


def _rows(
    axes: Axes, here: xr.Dataset, effect: str, judged: xr.DataArray, digits: tuple[float, ...]
) -> None:
    """A mark with its interval for each network that has one; a logarithmic axis where it is given
    digits.
    """
    ends = [here[f"{effect}{end}"].values for end in ("", "_low", "_high")]
    if digits:
        _logarithmic(axes, digits)
        ends = [np.maximum(each, LEAST_WALL) for each in ends]
    for place, answer in enumerate(judged.values.tolist()):
        value, low, high = (each[place] for each in ends)
        if np.isfinite(value):
            width = bars(value, low, high).reshape(2, 1)
            axes.errorbar([value], [place], xerr=width, **LOOKS[answer], capsize=2)


def _logarithmic(axes: Axes, digits: tuple[float, ...]) -> None:
    """Plain numbers with these first digits along the lower axis."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=digits))
    axes.xaxis.set_major_formatter(decimals())
    axes.xaxis.set_minor_formatter(NullFormatter())


@finished
def widths(table: xr.Dataset, here: xr.Dataset) -> Figure:
    """Flattening and walls against the width of the layers.

    Args:
        table: what `valleys.nets.analysis.generality.effects.contrasts` gives of these networks.
        here: what `in_order` of `valleys.nets.analysis.generality.widths` gives.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 3.4))
    x = here.width.values
    for level, look in zip((-2, -1), WEIGHTS, strict=True):
        row = table.isel(level=level)
        _course(left, x, row, "flat", {"color": INK, **look})
        for name, colour in WALLS.values():
            _course(right, x, row, name, {"color": colour, **look})
    right.axhline(1, **BORDER)
    for axes, label in ((left, "flatness over twin's"), (right, "wall over loss")):
        axes.set(xscale="log", xlabel="width of the hidden layers", ylabel=label)
        readable_log(axes)
        axes.set_xticks(x, [f"{each}" for each in x])
        axes.minorticks_off()
    _explain(left, right, table.level.values[-2:].tolist())
    return figure


def _course(axes: Axes, x: np.ndarray, row: xr.Dataset, name: str, look: Look) -> None:
    value, low, high = (
        np.maximum(row[f"{name}{end}"].values, LEAST_WALL) for end in ("", "_low", "_high")
    )
    axes.errorbar(x, value, yerr=bars(value, low, high), capsize=2, **look)


def _explain(left: Axes, right: Axes, levels: list[float]) -> None:
    looks = zip(levels, WEIGHTS, strict=True)
    legend(left, {f"at a loss of {level:g}": {"color": INK, **look} for level, look in looks})
    legend(right, {name: {"color": colour} for name, (_, colour) in WALLS.items()})
