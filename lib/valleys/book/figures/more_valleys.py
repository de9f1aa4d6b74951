"""Figures of the chapter on more valleys and other noise."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from valleys.book.figures.parts import RASTER_DPI, each, finished, legend, new_figure, power_of_ten
from valleys.book.figures.style import (
    FLAT,
    FREE,
    KINDS,
    NEUTRAL,
    NOTE,
    SHARP,
    THEORY,
    noise_colours,
    ordered_colours,
)

BY_WIDTH = LinearSegmentedColormap.from_list("by_width", [SHARP, NEUTRAL, FLAT])
MARKERS = "osD^vP"


def width_colours(widths: Sequence[float]) -> dict[float, str]:
    """A colour per width, from that of the sharp valley to that of the flat one."""
    ordered = sorted({float(width) for width in widths})
    return {
        width: to_hex(BY_WIDTH(place / max(len(ordered) - 1, 1)))
        for place, width in enumerate(ordered)
    }


@finished
def rows_of_valleys(grids: Sequence[xr.Dataset], runs: xr.Dataset) -> Figure:
    """Sections across two rows of valleys at the largest y, and runs over the contours of the
    second; a colour per width.

    `grids` have loss, number (y, x), floor (valley, y), width (valley); `runs` x, y, valley (run,
    step).
    """
    figure = Figure(figsize=(8.6, 7.0), dpi=RASTER_DPI)
    space = figure.add_gridspec(2, 2, height_ratios=(1, 1.7))
    sections = [figure.add_subplot(space[0, 0])]
    sections.append(figure.add_subplot(space[0, 1], sharex=sections[0], sharey=sections[0]))
    below = figure.add_subplot(space[1, :])
    for axes, grid in zip(sections, grids, strict=True):
        _section(axes, grid)
        axes.set(xlabel="x", title=f"{grid.sizes['valley']} valleys, y = {float(grid.y[-1]):g}")
    sections[0].set_ylabel("loss L")
    sections[1].tick_params(labelleft=False)
    colours = width_colours(grids[-1].width.values)
    below.contour(
        grids[-1].x,
        grids[-1].y,
        grids[-1].loss,
        levels=np.arange(1, 4, 0.1),
        colors=NEUTRAL,
        linewidths=0.4,
        alpha=0.5,
    )
    for run in each(runs, "run"):
        colour = colours[float(grids[-1].width[int(run.valley[-1])])]
        below.plot(run.x, run.y, color=colour, linewidth=0.6, alpha=0.8, rasterized=True)
    below.set(
        xlabel="x",
        ylabel="y",
        title="runs, colour of the valley at the end",
        ylim=(float(runs.y.max()), 0),
    )
    reach = 1.35 * float(abs(runs.x).max())
    below.set_xlim(-reach, reach)
    return figure


def _section(axes: Axes, grid: xr.Dataset) -> None:
    colours, last = width_colours(grid.width.values), grid.isel(y=-1)
    for valley, width in enumerate(grid.width.values):
        axes.plot(grid.x, last.loss.where(last.number == valley), color=colours[float(width)])
        place, look = (
            (float(last.floor[valley]), float(last.loss.min())),
            {"textcoords": "offset points", "ha": "center"},
        )
        axes.annotate(f"{width:.3g}", place, xytext=(0, -13), **look)
    axes.set_ylim(float(last.loss.min()) - 0.2, float(last.loss.min()) + 0.9)


@finished
def occupation_by_flatness(found: Mapping[str, Sequence[xr.Dataset]], noise: float) -> Figure:
    """Final share against flatness at one effective noise: a row of panels per number of valleys, a
    column per start.

    Each dataset has share, share_error, expected (row, effective_noise, valley) and width (row,
    valley); a marker per order of the valleys.
    """
    columns = len(found)
    figure, panels = new_figure(2, columns, (8.6, 6.6), sharex="row", sharey="row", squeeze=False)
    for column, (title, parts) in enumerate(found.items()):
        for axes, part in zip(panels[:, column], parts, strict=True):
            _occupation(axes, part.sel(effective_noise=noise, method="nearest"))
            axes.set_title(f"{part.sizes['valley']} valleys, {title}")
            axes.axhline(1 / part.sizes["valley"], color=NEUTRAL, linewidth=0.8)
    for axes in panels[:, 0]:
        axes.set_ylabel("final share")
    for axes in panels[-1]:
        axes.set_xlabel("flatness, over that of the sharpest")
    return figure


def _occupation(axes: Axes, part: xr.Dataset) -> None:
    entries = {}
    for place, row in enumerate(each(part, "row")):
        order = np.argsort(row.width.values)
        ratio = (row.width.values[order] / row.width.values.min()) ** 2
        look = {"color": KINDS[place % len(KINDS)], "marker": MARKERS[place]}
        axes.errorbar(
            ratio, row.share[order], row.share_error[order], linestyle="none", markersize=6, **look
        )
        axes.plot(ratio, row.expected[order], color=look["color"], linestyle="--", linewidth=1)
        entries["-".join(str(rank + 1) for rank in np.argsort(np.argsort(row.width.values)))] = (
            look | {"linestyle": "none"}
        )
    legend(axes, entries, loc="upper left", title="order, 1 sharpest")


@finished
def share_against_noise(found: Mapping[str, Sequence[xr.Dataset]]) -> Figure:
    """Final share of the flattest valley against effective noise, a panel per number of valleys;
    filled: the first start, open: the second; dashed: expected.

    Each dataset has share, share_error, expected (row, effective_noise) and n_valleys.
    """
    figure, panels = new_figure(1, 2, (8.6, 3.9), sharey=True)
    looks = {
        title: {"color": FLAT, "fillstyle": fill}
        for title, fill in zip(found, ("full", "none"), strict=True)
    }
    for title, parts in found.items():
        for axes, part in zip(panels, parts, strict=True):
            for place, row in enumerate(each(part, "row")):
                axes.plot(
                    row.effective_noise, row.expected, color=FLAT, linestyle="--", linewidth=0.9
                )
                points = looks[title] | {
                    "marker": MARKERS[place],
                    "markersize": 5,
                    "linestyle": "none",
                }
                axes.errorbar(row.effective_noise, row.share, row.share_error, **points)
            n_valleys = int(part.n_valleys)
            axes.axhline(1 / n_valleys, color=NEUTRAL, linewidth=0.8)
            axes.set(xscale="log", xlabel="effective noise $Δ_S$", title=f"{n_valleys} valleys")
            axes.xaxis.set_minor_formatter(NullFormatter())
    panels[0].set_ylabel("final share of the flattest valley")
    legend(
        panels[1],
        {title: look | {"marker": "o", "linestyle": "none"} for title, look in looks.items()},
        loc="upper left",
    )
    return figure


@finished
def freezing_in_rows(found: xr.Dataset, curve: xr.DataArray) -> Figure:
    """Mean y of the last crossing against effective noise, and y/(y + y_b)/√Δ_S times two widths; a
    marker per number of valleys.

    `found` has freezing_y, freezing_y_error, by_sharpest, by_mean (landscape, effective_noise) and
    n_valleys (landscape); `curve` is Eq. 25.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.1))
    counts = sorted({int(n) for n in found.n_valleys.values})
    looks = {
        n: {"marker": MARKERS[place], "color": KINDS[place % len(KINDS)]}
        for place, n in enumerate(counts)
    }
    for row in each(found, "landscape"):
        look = looks[int(row.n_valleys)] | {"markersize": 5, "linewidth": 0.8}
        left.errorbar(row.effective_noise, row.freezing_y, row.freezing_y_error, **look)
        right.plot(
            row.effective_noise,
            row.by_sharpest,
            fillstyle="none",
            linestyle=":",
            **look | {"color": SHARP},
        )
        right.plot(row.effective_noise, row.by_mean, **look | {"color": FREE})
    left.plot(curve.effective_noise, curve, color=THEORY, linestyle="--")
    legend(
        left,
        {f"{n} valleys": look | {"linestyle": "none"} for n, look in looks.items()}
        | {"Eq. 25, two valleys": {"color": THEORY, "linestyle": "--"}},
    )
    widths = {
        "× mean width at the end": {"color": FREE},
        "× width of the sharpest": {"color": SHARP, "linestyle": ":"},
    }
    legend(right, widths, loc="lower left")
    left.set(
        xscale="log",
        yscale="log",
        xlabel="effective noise $Δ_S$",
        ylabel="mean y of the last crossing",
    )
    right.set(
        xscale="log", xlabel="effective noise $Δ_S$", ylabel="$y/(y+y_b)/\\sqrt{Δ_S}$ × width"
    )
    right.set_ylim(0, None)
    left.yaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20]))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    left.invert_yaxis()  # y runs down the page
    return figure


@finished
def preference_by_power(found: xr.Dataset, curves: xr.DataArray, boltzmann: float) -> Figure:
    """P_flat at fixed y against the power p of the noise, a panel per learning rate, a colour
    per y; dashed: small steps, `curves` (y, power).
    """
    figure, panels = new_figure(
        1, found.sizes["learning_rate"], (8.6, 4.1), sharey=True, squeeze=False
    )
    colours = ordered_colours(found.y.values)
    for axes, part in zip(panels[0], each(found, "learning_rate"), strict=True):
        for row, curve in zip(each(part, "y"), each(curves, "y"), strict=True):
            look = {"color": colours[float(row.y)]}
            axes.plot(curve.power, curve, linestyle="--", linewidth=1.2, **look)
            axes.errorbar(
                row.power,
                row.p_flat,
                row.p_flat_error,
                marker="o",
                markersize=5,
                linestyle="none",
                label=f"y = {float(row.y):g}",
                **look,
            )
        _baselines(axes, boltzmann)
        axes.axvspan(float(curves.power.min()), 0, color=NEUTRAL, alpha=0.12, linewidth=0)
        axes.set(
            xlabel="power p of the Hessian",
            title=f"learning rate η = {float(part.learning_rate):g}",
        )
    panels[0, 0].set_ylabel("flat valley at fixed y, $P_\\mathrm{flat}$")
    panels[0, 0].legend(loc="upper left")
    return figure


@finished
def final_by_power(found: xr.Dataset, curves: xr.DataArray, boltzmann: float) -> Figure:
    """P_flat at the end of moving runs against the power p, a panel per learning rate, a colour
    per effective noise; dashed: the balance of hops.
    """
    figure, panels = new_figure(
        1, found.sizes["learning_rate"], (8.6, 4.1), sharey=True, squeeze=False
    )
    colours = noise_colours(found.effective_noise.values)
    for axes, part in zip(panels[0], each(found, "learning_rate"), strict=True):
        for row, curve in zip(
            each(part, "effective_noise"), each(curves, "effective_noise"), strict=True
        ):
            look = {"color": colours[float(row.effective_noise)]}
            axes.plot(curve.power, curve, linestyle="--", linewidth=1.2, **look)
            label = f"$Δ_S$ = {power_of_ten(row.effective_noise.item())}"
            axes.errorbar(
                row.power,
                row.p_flat,
                row.p_flat_error,
                marker="o",
                markersize=5,
                linestyle="none",
                label=label,
                **look,
            )
        _baselines(axes, boltzmann)
        axes.set(
            xlabel="power p of the Hessian",
            title=f"learning rate η = {float(part.learning_rate):g}",
            ylim=(0.45, 1.02),
        )
    panels[0, 0].set_ylabel("flat valley at the end, $P_\\mathrm{flat}$")
    panels[0, 0].legend(loc="center right")
    return figure


def _baselines(axes: Axes, boltzmann: float) -> None:
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.axhline(boltzmann, color=THEORY, linewidth=0.8, linestyle=":")
    axes.annotate(
        "Boltzmann",
        (1, boltzmann),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 2),
        textcoords="offset points",
        ha="right",
        color=NOTE,
    )
