"""The figure of walkers that divide by the size of their gradient."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import finished, legend_below, new_figure
from valleys.book.figures.drawing.style import HALO, KINDS, THEORY

DASHED = {"color": THEORY, "linestyle": "--", "linewidth": 1.2}
OPERATOR = {"color": KINDS[3], "marker": "^", "linestyle": "none"}
PLAIN = {"color": KINDS[0], "marker": "s", "linestyle": "none"}
WALK = {"color": KINDS[3], "marker": "o", "linestyle": "none", "capsize": 2}
MOMENTUM = {**WALK, "color": KINDS[4], "markerfacecolor": HALO}


@finished
def adaptive(found: xr.Dataset) -> Figure:
    """Log odds of the flat valley against the height of the ridge, with division and without, and
    against the memory of the running mean.

    `found` is what `valleys.toy.experiments.adaptive.adaptive` gives.
    """
    figure, (first, second) = new_figure(1, 2, (8.2, 3.9))
    first.plot(found.exponent, found.theory, **DASHED)
    first.plot(found.exponent, found.operator, **OPERATOR)
    first.plot(found.exponent, found.plain, **PLAIN)
    first.set(xlabel="height of the ridge, sharp valley: $E$", ylabel="log odds of the flat valley")
    _memories(second, found)
    entries = {"theory": DASHED, "divided (operator)": OPERATOR, "plain (operator)": PLAIN}
    entries |= {"walkers": {**WALK}, "with momentum": {**MOMENTUM}}
    for look in entries.values():
        look.pop("capsize", None)
    legend_below(figure, entries, 3)
    return figure


def _memories(axes: Axes, found: xr.Dataset) -> None:
    """Walkers between a memory that knows the valley at once and one that never forgets."""
    places = {
        "always": (0, "never forgets", "left", 3),
        "at_once": (-1, "knows at once", "right", -12),
    }
    for level, (at, text, side, above) in places.items():
        height = float(found[level])
        axes.axhline(height, **DASHED)
        place = float(found.memory[at]), height
        axes.annotate(text, place, (0, above), textcoords="offset points", ha=side)
    for name, look in (("walk", WALK), ("walk_momentum", MOMENTUM)):
        axes.errorbar(found.memory, found[name], yerr=1.96 * found[f"{name}_error"], **look)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's
    axes.set_xscale("log")
    axes.set(xlabel="memory of the running mean [steps]", ylabel="log odds of the flat valley")
