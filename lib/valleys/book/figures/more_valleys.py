"""Figures of the chapter on more valleys and other noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from valleys.book.figures.drawing.parts import (
    RASTER_DPI,
    decimals,
    dots,
    each,
    finished,
    label_level,
    legend,
    legend_below,
    log_log,
    new_figure,
    power_of_ten,
)
from valleys.book.figures.drawing.style import (
    FLAT,
    FREE,
    INK,
    KINDS,
    NEUTRAL,
    NOISE,
    NOTE,
    SHARP,
    THEORY,
    ordered_colours,
)
from valleys.book.figures.two_valley import contours

BY_WIDTH = LinearSegmentedColormap.from_list("by_width", [SHARP, NEUTRAL, FLAT])
MARKERS = "osD^vP"
NOISE_LABEL = "effective noise $Δ_S$"
SCALED = {  # times the width of the sharpest valley, or the mean width at the end
    "by_sharpest": {"color": SHARP, "fillstyle": "none", "linestyle": ":", "linewidth": 1.8},
    "by_mean": {"color": FREE, "linewidth": 1.2},
}


def width_colours(widths: Sequence[float]) -> dict[float, str]:
    """A colour per width, from that of the sharp valley to that of the flat one."""
    ordered = sorted({float(width) for width in widths})
    return {
        width: to_hex(BY_WIDTH(place / max(len(ordered) - 1, 1)))
        for place, width in enumerate(ordered)
    }


@finished
def rows_of_valleys(grids: Sequence[xr.Dataset], runs: xr.Dataset) -> Figure:
    """Sections across two rows of valleys at the largest y, and two runs over the contours of the
    second, to the sharpest and the flattest valley that a run reached; a colour per width.

    `grids` have loss, number (y, x), floor (valley, y), width (valley); `runs` x, y, valley (run,
    step).
    """
    figure = Figure(figsize=(8.6, 7.0), dpi=RASTER_DPI)
    space = figure.add_gridspec(2, 2, height_ratios=(1, 1.7))
    first = figure.add_subplot(space[0, 0])
    second = figure.add_subplot(space[0, 1], sharex=first, sharey=first)
    below = figure.add_subplot(space[1, :])
    for axes, grid in zip((first, second), grids, strict=True):
        _section(axes, grid)
        axes.set(xlabel="x", title=f"{grid.sizes['valley']} valleys, y = {float(grid.y[-1]):g}")
    first.set_ylabel("loss L")
    second.tick_params(labelleft=False)
    _runs_from_above(below, grids[-1], runs)
    return figure


def _runs_from_above(axes: Axes, grid: xr.Dataset, runs: xr.Dataset) -> None:
    """Two runs over the contours of the loss, each in the colour of the valley that it ends in,
    with a dot where it came there.
    """
    contours(axes, grid, linewidths=0.4, alpha=0.5)
    colours, entries = width_colours(grid.width.values), {}
    for run in _sharpest_and_flattest(grid, runs):
        width = float(grid.width[int(run.valley[-1])])
        axes.plot(run.x, run.y, color=colours[width], linewidth=0.7, rasterized=True)
        last = int(np.flatnonzero(run.valley != run.valley[-1]).max(initial=-1)) + 1
        dot = {"s": 42, "color": colours[width], "edgecolors": INK, "zorder": 3}
        axes.scatter([float(run.x[last])], [float(run.y[last])], **dot)
        entries[f"ends in the valley of {width:.3g}"] = {"color": colours[width]}
    legend(axes, entries | {"its last change of valley": dots(color=INK)}, loc="upper right")
    reach = 1.35 * float(abs(runs.x).max())
    axes.set(
        xlabel="x",
        ylabel="y",
        title="two runs, colour of the valley at the end",
        xlim=(-reach, reach),
        ylim=(float(runs.y.max()), 0),
    )


def _sharpest_and_flattest(grid: xr.Dataset, runs: xr.Dataset) -> list[xr.Dataset]:
    """The first run that ends in the sharpest valley that any ends in, and in the flattest."""
    ends = grid.width.values[runs.valley.isel(step=-1).values.astype(int)]
    return [runs.isel(run=int(place)) for place in (ends.argmin(), ends.argmax())]


def _section(axes: Axes, grid: xr.Dataset) -> None:
    colours, last = width_colours(grid.width.values), grid.isel(y=-1)
    for valley, width in enumerate(grid.width.values):
        axes.plot(grid.x, last.loss.where(last.number == valley), color=colours[float(width)])
        place = float(last.floor[valley]), float(last.loss.min())
        axes.annotate(f"{width:.3g}", place, (0, -13), textcoords="offset points", ha="center")
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
        look = _row_look(place)
        axes.errorbar(ratio, row.share[order], row.share_error[order], **dots(markersize=6, **look))
        axes.plot(ratio, row.expected[order], color=look["color"], linestyle="--", linewidth=1)
        ranks = np.argsort(order) + 1
        entries["-".join(map(str, ranks))] = dots(**look)
    legend(axes, entries, loc="upper left", title="order, 1 sharpest")


def _row_look(place: int) -> dict[str, Any]:
    """Colour and marker of an order of valleys, by its place among the rows."""
    return {"color": KINDS[place % len(KINDS)], "marker": MARKERS[place % len(MARKERS)]}


@finished
def share_against_noise(found: Mapping[str, Sequence[xr.Dataset]]) -> Figure:
    """Final share of the flattest valley against effective noise, a panel per number of valleys, a
    colour and marker per order; filled: the first start, open: the second; dashed: expected.

    Each dataset has share, share_error, expected (row, effective_noise), order (row) and n_valleys.
    """
    figure, panels = new_figure(1, 2, (8.6, 4.2), sharey=True)
    fills = dict(zip(found, ("full", "none"), strict=True))
    for title, parts in found.items():
        for axes, part in zip(panels, parts, strict=True):
            _shares(axes, part, fills[title])
    for axes, part in zip(panels, next(iter(found.values())), strict=True):
        axes.axhline(1 / int(part.n_valleys), color=NEUTRAL, linewidth=0.8)
        axes.set(xscale="log", xlabel=NOISE_LABEL, title=f"{int(part.n_valleys)} valleys")
        axes.xaxis.set_minor_formatter(NullFormatter())
        orders = {order: dots(**_row_look(row)) for row, order in enumerate(part.order.values)}
        legend(axes, orders, loc="upper left", title="order, 1 sharpest")
    panels[0].set_ylabel("final share of the flattest valley")
    panels[0].set_ylim(None, 1)
    starts = {title: dots(color=NEUTRAL, fillstyle=fill) for title, fill in fills.items()}
    legend_below(figure, starts, len(starts))
    return figure


def _shares(axes: Axes, part: xr.Dataset, fill: str) -> None:
    """The share in each order of the valleys, with what is expected."""
    for place, row in enumerate(each(part, "row")):
        look = _row_look(place)
        dashes = {"color": look["color"], "linestyle": "--", "linewidth": 1.3}
        axes.plot(row.effective_noise, row.expected, **dashes)
        options = dots(markersize=5, fillstyle=fill, **look)
        axes.errorbar(row.effective_noise, row.share, row.share_error, **options)


@finished
def freezing_in_rows(found: xr.Dataset, curve: xr.DataArray) -> Figure:
    """Mean y of the last crossing against effective noise, and y/(y + y_b)/√Δ_S times two widths; a
    marker per number of valleys.

    `found` has freezing_y, freezing_y_error, by_sharpest, by_mean (landscape, effective_noise) and
    n_valleys (landscape); `curve` is Eq. 25.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.1))
    looks = {
        n: {"marker": MARKERS[place], "color": KINDS[place % len(KINDS)]}
        for place, n in enumerate(sorted({int(n) for n in found.n_valleys.values}))
    }
    for row in each(found, "landscape"):
        look = looks[int(row.n_valleys)] | {"markersize": 5, "linewidth": 0.8}
        left.errorbar(row.effective_noise, row.freezing_y, row.freezing_y_error, **look)
        for name, of_width in SCALED.items():
            right.plot(row.effective_noise, row[name], **(look | of_width))
    left.plot(curve.effective_noise, curve, color=THEORY, linestyle="--")
    entries = {f"{n} valleys": dots(**look) for n, look in looks.items()}
    legend(left, entries | {"Eq. 25, two valleys": {"color": THEORY, "linestyle": "--"}})
    widths = {
        "× mean width at the end": {"color": FREE},
        "× width of the sharpest": {"color": SHARP, "linestyle": ":", "linewidth": 1.8},
    }
    legend(right, widths, loc="lower left")
    _crossing_axis(left)
    right.set(xscale="log", xlabel=NOISE_LABEL, ylabel="$y/(y+y_b)/\\sqrt{Δ_S}$ × width")
    right.set_ylim(0, None)
    return figure


def _crossing_axis(axes: Axes) -> None:
    """y of the last crossing against effective noise."""
    log_log(axes, NOISE_LABEL, "mean y of the last crossing")
    axes.yaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20]))
    axes.yaxis.set_major_formatter(decimals())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.invert_yaxis()  # y runs down the page


@finished
def preference_by_power(found: xr.Dataset, curves: xr.DataArray, boltzmann: float) -> Figure:
    """P_flat at fixed y against the power p of the noise, a panel per learning rate, a colour
    per y; dashed: small steps, `curves` (y, power).
    """
    figure, panels = _panels_by_rate(found)
    colours = ordered_colours(found.y.values)
    for axes, part in zip(panels, each(found, "learning_rate"), strict=True):
        for row, curve in zip(each(part, "y"), each(curves, "y"), strict=True):
            y = float(row.y)
            _by_power(axes, row, curve, color=colours[y], label=f"y = {y:g}")
        _baselines(axes, boltzmann)
        axes.axvspan(float(curves.power.min()), 0, color=NEUTRAL, alpha=0.12, linewidth=0)
    panels[0].set_ylabel("flat valley at fixed y, $P_\\mathrm{flat}$")
    panels[0].legend(loc="upper left")
    return figure


@finished
def final_by_power(found: xr.Dataset, curves: xr.DataArray, boltzmann: float) -> Figure:
    """P_flat at the end of moving runs against the power p, a panel per learning rate, a colour
    per effective noise; dashed: the balance of hops.
    """
    figure, panels = _panels_by_rate(found)
    along = "effective_noise"
    for axes, part in zip(panels, each(found, "learning_rate"), strict=True):
        for row, curve in zip(each(part, along), each(curves, along), strict=True):
            noise = row.effective_noise.item()
            _by_power(axes, row, curve, color=NOISE(noise), label=f"$Δ_S$ = {power_of_ten(noise)}")
        _baselines(axes, boltzmann)
        axes.set_ylim(0.45, 1.02)
    panels[0].set_ylabel("flat valley at the end, $P_\\mathrm{flat}$")
    panels[0].legend(loc="center right")
    return figure


def _panels_by_rate(found: xr.Dataset) -> tuple[Figure, Sequence[Axes]]:
    """A panel for each learning rate, over the power of the noise."""
    rates = found.learning_rate.values
    figure, panels = new_figure(1, len(rates), (8.6, 4.1), sharey=True, squeeze=False)
    for axes, rate in zip(panels[0], rates, strict=True):
        axes.set(xlabel="power p of the Hessian", title=f"learning rate η = {float(rate):g}")
    return figure, panels[0]


def _by_power(axes: Axes, row: xr.Dataset, curve: xr.DataArray, *, color: str, label: str) -> None:
    """The flat share against the power of the noise, with theory."""
    axes.plot(curve.power, curve, linestyle="--", linewidth=1.8, color=color)
    look = dots(markersize=6, label=label, color=color)
    axes.errorbar(row.power, row.p_flat, row.p_flat_error, **look)


def _baselines(axes: Axes, boltzmann: float) -> None:
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.axhline(boltzmann, color=THEORY, linewidth=0.8, linestyle=":")
    label_level(axes, "Boltzmann", boltzmann, (-3, 2), color=NOTE)
