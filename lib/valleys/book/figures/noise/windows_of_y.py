"""Figure of noise in windows of y in the two-valley model."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import dots, finished, new_figure, points
from valleys.book.figures.drawing.style import KINDS, NEUTRAL

CURVED, UNIFORM = KINDS[3], KINDS[4]  # noise that follows the curvature, and uniform noise
SHARE = "flat valley, $P_\\mathrm{flat}$"


@finished
def windows_of_y(found: xr.Dataset) -> Figure:
    """The flat share that noise in each window leaves, and what other noises do in the last one;
    `found` is of the study of that name.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.4), width_ratios=(1.5, 1), sharey=True)
    _by_window(left, found)
    _late(right, found)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _by_window(axes: Axes, found: xr.Dataset) -> None:
    """Runs beside exact rates, a row of points for each noise."""
    place = np.arange(found.sizes["window"])
    names = {"hessian": ("follows the curvature", CURVED), "isotropic": ("uniform", UNIFORM)}
    for shift, (noise, (name, colour)) in zip((-0.12, 0.12), names.items(), strict=True):
        row = found.sel(noise=noise)
        look = dots(color=colour, label=f"{name}: runs")
        points(axes, place + shift, row.p_flat, row.p_flat_error, **look)
        exact = dots(marker="D", color=colour, fillstyle="none", markersize=8)
        axes.plot(place + shift, row.by_rates, label=f"{name}: exact rates", **exact)
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.set_xticks(place, found.window.values, rotation=35, ha="right")
    axes.set(ylabel=SHARE, xlabel="window of noise")


def _late(axes: Axes, found: xr.Dataset) -> None:
    """From one half and from a flat start, by the noise of the last window."""
    for noise, colour in (("hessian", CURVED), ("isotropic", UNIFORM)):
        row = found.sel(noise=noise)
        axes.plot(row.late_noise, row.late_from_flat, color=colour)
        axes.plot(row.late_noise, row.late_from_half, color=colour, linestyle="--")
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    for style, label in (("-", "walkers that come flat"), ("--", "half and half")):
        axes.plot([], [], color=NEUTRAL, linestyle=style, label=label)
    axes.set(xscale="log", xlabel="noise in the last window")
