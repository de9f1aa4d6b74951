"""Figure of noise in windows of y in the two-valley model."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import dots, finished, legend_below, new_figure
from valleys.book.figures.drawing.style import INK, KINDS, NEUTRAL

CURVED, UNIFORM = KINDS[3], KINDS[4]  # noise that follows the curvature, and uniform noise
NOISES = {"hessian": ("follows the curvature", CURVED), "isotropic": ("uniform", UNIFORM)}
LEVEL = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
HALF = {"color": NEUTRAL, "linewidth": 0.8}  # of the walkers
SHARE = "flat valley, $P_\\mathrm{flat}$"


@finished
def windows_of_y(found: xr.Dataset) -> Figure:
    """Where each window lies, the flat share that noise in it leaves, and what other noises do in
    the last one; `found` is of the study of that name.
    """
    figure, (when, left, right) = new_figure(1, 3, (8.7, 4.4), width_ratios=(1, 1.3, 1.2))
    left.sharey(when)
    _by_window(left, found)
    left.tick_params(labelleft=False)
    _when(when, found)
    _late(right, found)
    looks = {name: dots(color=colour) for name, colour in NOISES.values()}
    looks |= {"runs": dots(color=NEUTRAL)}
    looks |= {"exact rates": dots(marker="D", color=NEUTRAL, fillstyle="none", markersize=8)}
    looks |= {"walkers that come flat": {"color": NEUTRAL}}
    legend_below(figure, looks | {"half and half": {"color": NEUTRAL, "linestyle": "--"}}, 3)
    return figure


def _when(axes: Axes, found: xr.Dataset) -> None:
    """Where each window lies, a row each, over the freezing point."""
    freezing = float(found.freezing_y)
    opens, closes = found.first_y.values / freezing, found.last_y.values / freezing
    places = np.arange(found.sizes["window"])
    axes.barh(places, closes - opens, left=opens, height=0.5, color=INK)
    axes.axvline(1, **LEVEL)
    axes.set(xlabel="y of the noise\nover the freezing point", ylabel="window of noise")
    axes.set_xlim(0, None)
    axes.set_yticks(places, found.window.values)
    axes.set_ylim(len(places) - 0.5, -0.5)


def _by_window(axes: Axes, found: xr.Dataset) -> None:
    """Runs beside exact rates, a row of points for each noise."""
    place = np.arange(found.sizes["window"])
    for shift, (noise, (_, colour)) in zip((-0.12, 0.12), NOISES.items(), strict=True):
        row = found.sel(noise=noise)
        look = dots(color=colour, capsize=2)
        axes.errorbar(row.p_flat, place + shift, xerr=row.p_flat_error, **look)
        exact = dots(marker="D", color=colour, fillstyle="none", markersize=8)
        axes.plot(row.by_rates, place + shift, **exact)
    axes.axvline(0.5, **HALF)
    axes.set_xlabel(SHARE)


def _late(axes: Axes, found: xr.Dataset) -> None:
    """From one half and from a flat start, by the noise of the last window."""
    for noise, (_, colour) in NOISES.items():
        row = found.sel(noise=noise)
        axes.plot(row.late_noise, row.late_from_flat, color=colour)
        axes.plot(row.late_noise, row.late_from_half, color=colour, linestyle="--")
    axes.axhline(0.5, **HALF)
    axes.set(xscale="log", xlabel="noise in the last window", ylabel=SHARE)
