"""The figure of branches that go on in another way."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import bars, finished, legend_below, new_figure
from valleys.book.figures.drawing.style import KINDS, NEUTRAL

LINE = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
LOOKS: dict[str, dict[str, str]] = {  # of each way of going on
    "sam": {"color": KINDS[1], "marker": "D"},
    "noisy": {"color": KINDS[0], "marker": "o"},
}
LABELS = {"sam": "sharpness-aware, no noise", "noisy": "mini-batch noise"}
APART = {"sam": -0.012, "noisy": 0.012}  # in units of the freezing time


@finished
def rival_branches(effects: xr.Dataset) -> Figure:
    """Flatness at equal loss, and the wall to the plain continuation, against the moment at which a
    branch leaves.

    `effects` is what `valleys.nets.analysis.rivals.branches.effects` gives.
    """
    figure, (first, second) = new_figure(1, 2, (8.2, 3.8))
    for axes, name, none in ((first, "flat", 1.0), (second, "wall", 0.0)):
        axes.axhline(none, **LINE)
        _marks(axes, effects, name)
        axes.set_xlabel("branch leaves [freezing times]")
    first.set_ylabel("flatness over gradient descent")
    second.set_ylabel("wall to gradient descent,\nover the loss")
    entries = {LABELS[how]: {**look, "linestyle": "none"} for how, look in LOOKS.items()}
    legend_below(figure, entries, 2)
    return figure


def _marks(axes: Axes, effects: xr.Dataset, name: str) -> None:
    for how, look in LOOKS.items():
        value, low, high = (
            effects[f"{name}{end}"].sel(how=how).values for end in ("", "_low", "_high")
        )
        places = np.array(effects.moment) + APART[how]
        shape: dict[str, object] = {**look, "linestyle": "none", "capsize": 2}
        axes.errorbar(places, value, yerr=bars(value, low, high), **shape)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's
