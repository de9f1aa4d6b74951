"""Relations within settings and between them, of networks and of two valleys."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from valleys.book.figures.drawing.parts import (
    bars,
    dots,
    each,
    finished,
    legend,
    measured_points,
    new_figure,
    power_of_ten,
)
from valleys.book.figures.drawing.style import KINDS, NEUTRAL, noise_colours

LABELS = {
    "late_flat": "late, and flat\nat the end",
    "late_level": "late, and flat\nat equal loss",
    "late_accurate": "late, and\naccurate",
    "flat_accurate": "flat at the end,\nand accurate",
    "level_accurate": "flat at equal loss,\nand accurate",
}
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "columnspacing": 1.0}
LOOKS = {  # of a place
    "between": dots(marker="s", color=KINDS[4], markersize=7),
    "within": dots(marker="o", color=KINDS[3], markersize=7),
}


@finished
def within(relations: xr.Dataset, tenths: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Rank correlations of runs within settings and of the means of settings, with intervals; and
    shares of flat ends in the two-valley model by the time of the last crossing.

    Args:
        relations: `value`, `low`, `high` over (relation, place), "within" and "between".
        tenths: `p_flat` with `p_flat_error` and `time` over (effective_noise, part).
        curves: `p_flat` over (effective_noise, time), without sampling.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.4))
    _networks(left, relations)
    for noise, colour in noise_colours(tenths.effective_noise.values).items():
        course = curves.sel(effective_noise=noise).dropna("time")
        right.plot(course.time, course.p_flat, color=colour, linewidth=1)
        look = {"color": colour, "label": f"$Δ_S$ = {power_of_ten(noise)}"}
        measured_points(right, tenths.sel(effective_noise=noise), "time", "p_flat", **look)
    right.set(xscale="log", xlabel="time of the last crossing, η·step")
    right.set(ylabel="share that ends flat", title="two valleys")
    right.xaxis.set_minor_formatter(NullFormatter())
    ticks = [100, 200, 500]
    right.set_xticks(ticks, [str(tick) for tick in ticks])
    right.legend(**BELOW, ncols=3)
    return figure


def _networks(axes: Axes, relations: xr.Dataset) -> None:
    """Both correlations of each relation, the first on top."""
    for place, look in LOOKS.items():
        _correlations(axes, relations.sel(place=place), **look)
    axes.axvline(0, color=NEUTRAL, linewidth=0.8)
    names = [LABELS[name] for name in relations.relation.values.tolist()]
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(-1.05, 1.05), xlabel="rank correlation", title="networks")
    axes.margins(y=0.12)
    axes.invert_yaxis()
    entries = {f"{place} settings": look for place, look in LOOKS.items()}
    legend(axes, entries, **BELOW, ncols=2)


def _correlations(axes: Axes, rows: xr.Dataset, **look: Any) -> None:
    """A point with its interval for each relation, from the top."""
    shift = -0.12 if rows.place.item() == "between" else 0.12
    for place, row in enumerate(each(rows, "relation")):
        value, low, high = (float(row[end]) for end in ("value", "low", "high"))
        ends = bars(value, low, high)[:, None]
        options = {"capsize": 2, "linewidth": 1.2} | look
        axes.errorbar([value], [place + shift], xerr=ends, **options)
