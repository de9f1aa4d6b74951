"""The figure of methods of training at equal gradient evaluations."""

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
    legend_below,
    new_figure,
)
from valleys.book.figures.drawing.style import INK, KINDS, NEUTRAL

LINE = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
APART = 0.16  # of the marks of the two losses
ROW = 0.27  # inches
AROUND = 1.8  # inches above and below the rows
LABELS = {  # how methods are called
    "gd": "gradient descent",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "sam": "SAM",
    "sam_late": "SAM, late",
    "swa": "average (SWA)",
    "ema": "average (EMA)",
    "schedule_free": "schedule-free",
    "anticorrelated": "anticorrelated noise",
    "label_noise": "label noise",
    "implicit": "implicit step",
}
LOOKS: dict[str, dict[str, str]] = {  # of each kind
    "one rate for all weights": {"color": INK, "marker": "s"},
    "a rate for each weight": {"color": KINDS[3], "marker": "^"},
    "looks uphill": {"color": KINDS[1], "marker": "D"},
    "average": {"color": KINDS[4], "marker": "v"},
    "added noise": {"color": KINDS[2], "marker": "o"},
}
KIND: dict[str, str] = dict.fromkeys(
    ("gd", "momentum", "nesterov", "implicit"), "one rate for all weights"
)
KIND |= dict.fromkeys(("adam", "adamw", "rmsprop"), "a rate for each weight")
KIND |= dict.fromkeys(("sam", "sam_late"), "looks uphill")
KIND |= dict.fromkeys(("swa", "ema", "schedule_free"), "average")
KIND |= dict.fromkeys(("anticorrelated", "label_noise"), "added noise")
FAINT = {"color": NEUTRAL, "marker": ".", "markersize": 4, "linestyle": "none"}
PANELS = {  # what a panel shows: its label, and where no difference lies
    "flat": ("flatness at equal loss\nover SGD", 1.0),
    "gain": ("accuracy at the end\nless SGD [points]", 0.0),
    "wall": ("wall to SGD over that\nof two runs of SGD", 1.0),
}


@finished
def rivals(table: xr.Dataset) -> Figure:
    """Flatness at equal loss, accuracy when the budget is spent, and the wall to the solution of
    plain stochastic gradient descent, a row a method, with intervals.

    `table` is what `valleys.nets.analysis.rivals.table.table` gives.
    """
    here = table.sel(rival=[name for name in LABELS if name in table.rival])
    size = (8.6, AROUND + ROW * here.sizes["rival"])
    figure, panels = new_figure(1, 3, size, sharey=True)
    for axes, (name, (label, none)) in zip(panels, PANELS.items(), strict=True):
        axes.axvline(none, **LINE)
        _rows(axes, here, name)
        axes.set_xlabel(label)
    _faint(panels[0], here)
    panels[0].set_xscale("log")
    panels[0].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[0].xaxis.set_major_formatter(decimals())
    panels[0].xaxis.set_minor_formatter(NullFormatter())
    names = here.rival.values.tolist()
    panels[0].set_yticks(range(len(names)), [LABELS[name] for name in names])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    legend_below(figure, _entries(names, table.attrs), 3)
    return figure


def _rows(axes: Axes, here: xr.Dataset, name: str) -> None:
    """A mark with its interval for each method."""
    for place, method in enumerate(here.rival.values.tolist()):
        row = here.sel(rival=[method])
        value, low, high = (row[f"{name}{end}"].values for end in ("", "_low", "_high"))
        if np.isfinite(value).all():
            look: dict[str, object] = {**LOOKS[KIND[method]], "capsize": 2}
            axes.errorbar(value, [place + APART], xerr=bars(value, low, high), **look)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's


def _faint(axes: Axes, here: xr.Dataset) -> None:
    """Small marks at the highest loss that is compared."""
    value, low, high = (here[f"flat_0{end}"].values for end in ("", "_low", "_high"))
    places = np.arange(len(value)) - APART
    axes.errorbar(value, places, xerr=bars(value, low, high), linewidth=0.8, **FAINT)  # pyright: ignore[reportArgumentType]


def _entries(methods: list[str], attrs: Mapping[str, float]) -> Mapping[str, Look]:
    """Kinds that are there, and which mark is at which loss."""
    known = {KIND[name] for name in methods}
    kinds = {name: {**look, "linestyle": "none"} for name, look in LOOKS.items() if name in known}
    large = {"color": INK, "marker": "s", "linestyle": "none"}
    losses = {f"at a loss of {attrs['lowest']:g}": large, f"at {attrs['highest']:g}": FAINT}
    return kinds | losses
