"""The figure of noise of several shapes."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from valleys.book.figures.drawing.parts import (
    bars,
    decimals,
    dots,
    finished,
    legend_below,
    new_figure,
)
from valleys.book.figures.drawing.style import HALO, INK, KINDS, NEUTRAL

ROWS = {  # kinds of noise from the top, as the axis names them
    "reshuffled": "mini-batches",
    "independent": "mini-batches,\ndrawn independently",
    "top_2": "along top, ∝ λ²",
    "top_1": "along top, ∝ λ",
    "top_0": "along top, equal",
    "isotropic": "isotropic,\nequal power",
    "equal_freezing": "isotropic,\nequal freezing",
    "equal_lift": "isotropic,\nequal Tr ΣH",
    "kept": "kept from\nfreezing on",
    "reshuffled_before": "mini-batches\nuntil freezing",
    "top_1_before": "along top, ∝ λ,\nuntil freezing",
}
PANELS = {  # what is compared, how the axis names it, and what no effect is
    "flat_low": ("flatness at equal loss\nover calm", 1.0),
    "delay": ("freezing time\nover calm", 1.0),
    "wall": ("wall to calm\n[of the loss]", 0.0),
    "gain": ("gain in accuracy\nover calm [points]", 0.0),
}
LINE = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
GROUPS = {  # colour of each kind by where it points
    "as mini-batches do": (KINDS[0], "reshuffled independent kept reshuffled_before"),
    "along ten eigenvectors": (KINDS[3], "top_0 top_1 top_2 top_1_before"),
    "everywhere": (KINDS[4], "isotropic equal_freezing equal_lift"),
}


@finished
def noise_shapes(table: xr.Dataset) -> Figure:
    """What each shape of noise changes against gradient descent, a row a kind; open marks are the
    flatness at the highest level of the loss.

    Args:
        table: what `valleys.nets.analysis.noise.noise_shapes.contrasts` gives.
    """
    figure, panels = new_figure(1, len(PANELS), (8.6, 5.4), sharey=True, width_ratios=[3, 2, 2, 2])
    rows = [kind for kind in ROWS if kind in table.kind.values.tolist()]
    for axes, (name, (label, nothing)) in zip(panels, PANELS.items(), strict=True):
        axes.axvline(nothing, **LINE)
        for place, kind in enumerate(rows):
            _mark(axes, table.sel(kind=kind), name, place, markersize=6)
        axes.set_xlabel(label)
    for place, kind in enumerate(rows):
        _mark(panels[0], table.sel(kind=kind), "flat_high", place + 0.28, open=True)
        if not float(table.frozen.sel(kind=kind)):
            panels[0].text(1.05, place, "never freezes", va="center", color=colour(kind))
    _name(panels[0], rows)
    entries = {name: dots(color=each) for name, (each, _) in GROUPS.items()}
    legend_below(figure, entries, len(entries))
    return figure


def colour(kind: str) -> str:
    """Of a kind, by where its noise points."""
    return next(each for each, kinds in GROUPS.values() if kind in kinds.split())


def _mark(
    axes: Axes, row: xr.Dataset, name: str, place: float, *, open: bool = False, **look: Any
) -> None:
    """A mark with its interval."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return
    ends, shade = bars(value, low, high)[:, None], colour(str(row.kind.item()))
    options = {"marker": "o", "capsize": 2, "linewidth": 1.2, "color": shade} | look
    if open:
        options |= {"markersize": 4, "markerfacecolor": HALO, "alpha": 0.8}
    axes.errorbar([value], [place], xerr=ends, **options)


def _name(axes: Axes, rows: list[str]) -> None:
    """Kinds down the left side, the first one on top, and a logarithmic factor."""
    axes.set_yticks(range(len(rows)), [ROWS[kind] for kind in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    ticks = [0.5, 1, 2, 3]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_major_formatter(decimals())
    axes.xaxis.set_minor_formatter(NullFormatter())
