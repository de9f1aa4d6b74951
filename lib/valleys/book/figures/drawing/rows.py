"""Rows of things that are compared at two losses: a large mark with its interval at the lower loss,
a small one below it at the higher.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from valleys.book.figures.drawing.parts import Look, bars
from valleys.book.figures.drawing.style import NEUTRAL

ROW = 0.27  # inches
APART = 0.16  # of the marks of the two losses, in rows
BORDER = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
FAINT = {"color": NEUTRAL, "marker": ".", "markersize": 4, "linestyle": "none"}
ENDS = ("", "_low", "_high")


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names beside the rows, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def large_marks(
    axes: Axes,
    here: xr.Dataset,
    name: str,
    dimension: str,
    looks: Mapping[str, Look],
    *,
    least: float = -np.inf,
) -> None:
    """A mark with its interval in each row that has a value.

    Args:
        axes: where.
        here: `name`, `name_low` and `name_high` over `dimension`, a row each.
        name: what is shown.
        dimension: of the rows.
        looks: of each row, by its coordinate.
        least: where the axis ends to the left if anything lies beyond; an arrow with its number
            stands there for a mark that does.
    """
    for place, row in enumerate(here[dimension].values.tolist()):
        value, low, high = (here[f"{name}{end}"].sel({dimension: [row]}).values for end in ENDS)
        if float(value[0]) < least:
            _arrow(axes, (least, place + APART), float(value[0]), looks[row]["color"])
        elif np.isfinite(value).all():
            look: dict[str, object] = {**looks[row], "capsize": 2}
            axes.errorbar(value, [place + APART], xerr=bars(value, low, high), **look)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's
    if (here[f"{name}_low"] < least).any() or (here[name] < least).any():
        axes.set_xlim(left=least)


def _arrow(axes: Axes, place: tuple[float, float], value: float, colour: str) -> None:
    """At the left end of a row, with the value that lies beyond it."""
    axes.plot(*place, marker="<", color=colour, clip_on=False)
    text = f"{value:.1f}".replace("-", "−")
    axes.annotate(text, place, (7, 0), textcoords="offset points", va="center", color=colour)


def small_marks(axes: Axes, here: xr.Dataset) -> None:
    """Flatness at the highest loss that is compared, `flat_0` with its interval, in each row."""
    value, low, high = (here[f"flat_0{end}"].values for end in ENDS)
    places = np.arange(len(value)) - APART
    axes.errorbar(value, places, xerr=bars(value, low, high), linewidth=0.8, **FAINT)  # pyright: ignore[reportArgumentType]


def entries(
    shown: set[str], looks: Mapping[str, Look], attrs: Mapping[str, float]
) -> Mapping[str, Look]:
    """What a legend tells: the kinds that are shown, and which mark is at which loss.

    Args:
        shown: kinds of which there are rows.
        looks: of each kind.
        attrs: `lowest` and `highest` loss.
    """
    kinds = {kind: {**look, "linestyle": "none"} for kind, look in looks.items() if kind in shown}
    large = {"color": NEUTRAL, "marker": "o", "linestyle": "none"}
    names = (f"large: at a loss of {attrs['lowest']:g}", f"small: at {attrs['highest']:g}")
    return kinds | dict(zip(names, (large, FAINT), strict=True))
