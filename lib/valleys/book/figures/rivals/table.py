"""The figure of methods of training at equal gradient evaluations."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from valleys.book.figures.drawing import rows
from valleys.book.figures.drawing.parts import bars, decimals, finished, legend_below, new_figure
from valleys.book.figures.drawing.style import HALO, INK, KINDS, NEUTRAL

AROUND = 1.8  # inches above and below the rows
LEAST_GAIN = -3.0  # points; what is less accurate stands at the end of the axis
WALL_TICKS = (0, 0.1, 0.3, 1, 3)  # up to the second one the axis is linear
PATH = {
    "color": NEUTRAL,
    "marker": "o",
    "markersize": 4,
    "markerfacecolor": HALO,
    "linestyle": "none",
}
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
PANELS = {  # what a panel shows: its label, and where no difference lies
    "flat": ("flatness at equal loss\nover SGD", 1.0),
    "gain": ("gain in accuracy at the end\nover SGD [points]", 0.0),
    "wall": ("wall to SGD over that\nof two runs of SGD", 1.0),
}


@finished
def rivals(table: xr.Dataset) -> Figure:
    """Flatness at equal loss, accuracy when the budget is spent, and the wall to the solution of
    plain stochastic gradient descent, on the line and on a path of low loss, a row a method, with
    intervals.

    `table` is what `valleys.nets.analysis.rivals.table.table` gives.
    """
    here = table.sel(rival=[name for name in LABELS if name in table.rival])
    names = here.rival.values.tolist()
    looks = {name: LOOKS[KIND[name]] for name in names}
    size = (8.6, AROUND + rows.ROW * here.sizes["rival"])
    figure, panels = new_figure(1, 3, size, sharey=True)
    for axes, (name, (label, none)) in zip(panels, PANELS.items(), strict=True):
        axes.axvline(none, **rows.BORDER)
        least = LEAST_GAIN if name == "gain" else -np.inf
        rows.large_marks(axes, here, name, "rival", looks, least=least)
        axes.set_xlabel(label)
    rows.small_marks(panels[0], here)
    _paths(panels[2], here)
    panels[0].set_xscale("log")
    panels[0].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[0].xaxis.set_major_formatter(decimals())
    panels[0].xaxis.set_minor_formatter(NullFormatter())
    rows.name_rows(panels[0], [LABELS[name] for name in names])
    shown = {KIND[name] for name in names}
    entries = {**rows.entries(shown, LOOKS, table.attrs), "on a path of low loss": PATH}
    legend_below(figure, entries, 3)
    return figure


def _paths(axes: Axes, here: xr.Dataset) -> None:
    """The wall that is left on a path of low loss, in each row."""
    value, low, high = (here[f"path{end}"].values for end in rows.ENDS)
    places = np.arange(len(value)) - rows.APART
    axes.errorbar(value, places, xerr=bars(value, low, high), linewidth=0.8, **PATH)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's
    axes.set_xscale("symlog", linthresh=WALL_TICKS[1])  # a wall may be none
    axes.set_xticks(WALL_TICKS, [f"{tick:g}" for tick in WALL_TICKS])
    axes.set_xlim(left=0)
