"""Figures of networks beside the model: flattening, escape, fluctuations, rescaled layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from valleys.book.figures.assumptions.conditions import INDEPENDENT, RESHUFFLED
from valleys.book.figures.drawing.parts import (
    Entries,
    bars,
    decimals,
    dots,
    each,
    each_setting,
    finished,
    label_line,
    legend,
    legend_below,
    log_log,
    new_figure,
    rate_entries,
    setting_entries,
    setting_look,
    size_entries,
)
from valleys.book.figures.drawing.style import (
    BATCH_SIZE,
    HALO,
    LEARNING_RATE,
    NEUTRAL,
    NOTE,
    THEORY,
    TIME_MAP,
)

SAMPLING_LOOKS: Entries = {
    "epochs": {"color": RESHUFFLED, "marker": "o"},
    "redrawn": {"color": INDEPENDENT, "marker": "s"},
}
MOSTLY_DRIFT = 0.5  # of the variance along a component, by a straight line in time
DRIFT = dots(color=NEUTRAL, marker="x", markersize=4)
PANELS = (8.6, 4.2)
LINES = {"linewidth": 1.2, "markersize": 4.5}
SQUARE = {"color": NEUTRAL, "linewidth": 7, "alpha": 0.35, "zorder": 1}  # seen under the lines
OPEN: dict[str, Any] = {"markerfacecolor": HALO}
FALLING_LOSS = "training loss (falling to the right)"
TIME = "training time η·step"
BARRIER = "barrier over noise $\\Delta L/D$"


@finished
def flattening(
    flat: xr.DataArray, exponents: xr.Dataset, floor: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """Flatness against training loss, with the model's valley scaled to the same start; and the
    exponent between two losses.

    A line for each learning rate, the median over batch sizes, in a band with the middle half.

    Args:
        flat: mean flatness, (batch_size, learning_rate, level).
        exponents: by level, `value`, `low`, `high` and `model`, with the coordinate `higher`, the
            loss that it goes down from.
        floor: loss and flatness along the model's valley.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    for cells in each(flat, "learning_rate"):
        colour = LEARNING_RATE(float(cells.learning_rate))
        ends = (cells.quantile(share, "batch_size") for share in (0.25, 0.75))
        left.plot(flat.level, cells.median("batch_size"), color=colour)
        left.fill_between(flat.level, *ends, color=colour, alpha=0.15, linewidth=0)
    _valley_of_model(left, flat, *floor)
    log_log(left, FALLING_LOSS, "flatness $F$")
    left.set(
        xlim=(1.3 * flat.level.max(), flat.level.min() / 1.3),
        ylim=(0.8 * np.nanmin(flat), 1.3 * np.nanmax(flat)),
    )
    _decimals(left, "xy")
    entries = rate_entries(flat) | {"model": {"color": THEORY, "linestyle": "--"}}
    legend_below(figure, entries, columns=4)
    _exponents(right, exponents)
    return figure


def _valley_of_model(
    axes: Axes, flat: xr.DataArray, loss: np.ndarray, flatness: np.ndarray
) -> None:
    """Flatness along the model's valley, scaled to where the networks start."""
    first = float(flat.level[0])
    start = float(flat.isel(level=0).mean()) / np.interp(-first, -loss, flatness)
    axes.plot(loss, start * flatness, color=THEORY, linestyle="--")


def _exponents(axes: Axes, found: xr.Dataset) -> None:
    """The exponent of networks with its intervals, and that of the model, with their names."""
    middle = np.sqrt(found.level * found.higher).values
    ends = bars(found.value, found.low, found.high)
    axes.errorbar(middle, found.value.values, yerr=ends, color=NOTE, marker="o", capsize=3)
    axes.plot(middle, found.model, color=THEORY, linestyle="--", marker="s", markersize=4)
    axes.axhline(1, color=NEUTRAL, linewidth=1, linestyle=":")
    axes.set(
        xscale="log",
        xlabel=FALLING_LOSS,
        ylabel="exponent $s$ of $F\\propto L^{-s}$",
        ylim=(0, 1.08),
    )
    axes.invert_xaxis()
    _decimals(axes, "x")
    for text, values, colour in (("networks", found.value, NOTE), ("model", found.model, THEORY)):
        label_line(axes, text, (middle[-1], float(values[-1])), colour, (-6, 8), ha="right")


@finished
def parted_siblings(found: xr.Dataset) -> Figure:
    """Likeness of siblings at their ends, and the hills between them, against the time at which
    they branch.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    for setting in each_setting(found):
        look = setting_look(found, setting) | LINES
        time, freezing = found.branch_time, float(setting.freezing_time.mean())
        left.plot(time, setting.similarity.mean("reference"), **look)
        left.axvline(freezing, color=look["color"], linewidth=0.8, linestyle=":")
        right.plot(time, _above(setting.rise.mean("reference")), **look)
    for axes in (left, right):
        _times(axes, found)
    left.set_ylabel("$Sim_J$ of siblings at the end")
    right.set(yscale="log", ylabel="rise of the loss between the ends")
    legend_below(figure, setting_entries(found), columns=6)
    return figure


@finished
def escape_against_barrier(exponents: xr.DataArray, rates: xr.DataArray, slope: float) -> Figure:
    """Barrier over noise against time, and the rate at which likeness is lost against it, with the
    fall that Kramers' law would have.

    Args:
        exponents: E halfway between branch times, (batch_size, learning_rate, branch).
        rates: k, likewise, with the coordinate time.
        slope: of ln k against E, as measured.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    both = xr.Dataset({"exponent": exponents, "rate": rates})
    shade = ScalarMappable(LogNorm(*np.nanquantile(rates.time.values, [0, 1])), TIME_MAP)
    for setting in each_setting(both):
        look = setting_look(both, setting)
        left.plot(rates.time, setting.exponent, **look, **LINES)
        _escapes(right, setting, shade, look["marker"])
    _kramers(right, exponents, rates, slope)
    log_log(left, TIME, BARRIER)
    log_log(right, BARRIER, "rate $k$ per unit of time")
    _decimals(left, "x")
    legend(left, setting_entries(both), loc="best")
    bar = figure.colorbar(shade, ax=right, label=TIME)
    bar.ax.yaxis.set_major_formatter(decimals())
    return figure


def _escapes(axes: Axes, setting: xr.Dataset, shade: ScalarMappable, marker: str) -> None:
    """Rates of one setting where there were escapes, coloured by time."""
    seen = setting.rate.values > 0
    axes.scatter(
        setting.exponent.values[seen],
        setting.rate.values[seen],
        c=shade.to_rgba(setting.time.values[seen]),
        marker=marker,
        s=30,
        edgecolors=HALO,
        linewidths=0.4,
    )


def _kramers(axes: Axes, exponents: xr.DataArray, rates: xr.DataArray, slope: float) -> None:
    """ln k = c − E from the point of the smallest E, and the line that was measured through the
    middle of all points.
    """
    order = ("batch_size", "learning_rate", "branch")
    x, y = (values.transpose(*order).values.ravel() for values in (exponents, rates))
    seen = np.isfinite(x) & (y > 0)
    if not seen.any():
        return
    x, y = x[seen], y[seen]
    along, low = np.geomspace(x.min(), x.max(), 400), y.min() / 3
    law = y[x.argmin()] * np.exp(-(along - x.min()))
    axes.plot(along[law > low], law[law > low], color=THEORY, linestyle="--")
    fit = np.exp(np.log(y).mean() + slope * (along - x.mean()))
    axes.plot(along, fit, color=NEUTRAL, linewidth=1.2)
    axes.set_ylim(low, 3 * y.max())
    entries = {
        "Kramers' law": {"color": THEORY, "linestyle": "--"},
        "exponential fit": {"color": NEUTRAL},
    }
    legend(axes, entries, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


@finished
def variance_flatness(found: xr.Dataset, exponents: Mapping[str, xr.Dataset]) -> Figure:
    """Variance against width along principal components in the last window, and the exponent ψ in
    every window.

    Args:
        found: what `fluctuations` gives.
        exponents: by name of what is compared, `value`, `low`, `high` over the dimensions sampling
            and window.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    _variances(left, found.isel(window=-1))
    for place, one in enumerate(exponents.values()):
        for shift, part in zip((-0.12, 0.12), each(one, "sampling"), strict=True):
            _by_window(right, part, place + shift)
    right.axhline(0, color=NEUTRAL, linewidth=1, linestyle=":")
    right.set_xticks(range(len(exponents)), exponents.keys())
    right.set(
        ylabel="exponent $\\psi$ of $\\sigma_i^2\\propto F_i^{-\\psi}$",
        xlim=(-0.5, len(exponents) - 0.5),
    )
    windows = {
        f"from time {time:g}": dots(color=NEUTRAL) | ({} if index else OPEN)
        for index, time in enumerate(found.window_time.values)
    }
    legend(right, windows, loc="best")
    return figure


def _variances(axes: Axes, last: xr.Dataset) -> None:
    """Variance against width of every run in one window, by how mini-batches are drawn; grey where
    a straight line in time explains most of it.
    """
    is_drift = last.trend > MOSTLY_DRIFT
    for part in each(last.assign(variance=last.variance.where(~is_drift)), "sampling"):
        look = dots(**SAMPLING_LOOKS[part.sampling.item()], markersize=3.5, alpha=0.6)
        for run in each(part, "realization"):
            axes.plot(run.width, run.variance, **look)
    drift = last.where(is_drift)
    axes.plot(drift.width.values.ravel(), drift.variance.values.ravel(), **DRIFT)
    log_log(axes, "flatness along a component: width $F_i$", "variance $\\sigma_i^2$")
    _decimals(axes, "x")
    names = {"epochs": "each image once an epoch", "redrawn": "batches drawn anew"}
    entries = {names[name]: dots(**look) for name, look in SAMPLING_LOOKS.items()}
    legend(axes, entries | {"drift": DRIFT}, loc="center right")


def _by_window(axes: Axes, part: xr.Dataset, place: float) -> None:
    """An exponent in each window with its interval, side by side; open in the first."""
    for index, window in enumerate(each(part, "window")):
        look = SAMPLING_LOOKS[part.sampling.item()] | ({} if index else OPEN)
        ends = bars(window.value, window.low, window.high).reshape(2, 1)
        axes.errorbar(place + 0.05 * index, window.value, yerr=ends, capsize=2, **look)


@finished
def rescaled_layers(found: xr.Dataset) -> Figure:
    """Flatness with the second layer multiplied by a factor, from that layer and from the whole;
    and that of solutions as trained and balanced.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    for cell in each(found, "batch_size"):
        for measure, style, marker in (("layer", "-", "o"), ("whole", "--", "s")):
            _rescaled(left, cell.sel(measure=measure), style)
            _balanced(right, cell.sel(measure=measure), marker)
    _factors(left, found.factor.values)
    ends = [np.nanmin(found.flatness), np.nanmax(found.flatness)]
    right.plot(ends, ends, color=NEUTRAL, linewidth=1, linestyle=":")
    log_log(right, "$F$ as trained", "$F$ with layers of equal norm")
    _decimals(right, "xy")
    entries = size_entries(found) | {
        "second layer": dots(color=NEUTRAL),
        "whole network": dots(color=NEUTRAL, marker="s"),
    }
    legend(right, entries, loc="upper left")
    return figure


def _rescaled(axes: Axes, cell: xr.Dataset, style: str) -> None:
    """One measure of flatness against the factor, relative to that at factor 1."""
    ratio = cell.rescaled / cell.flatness.sel(scaling="as trained").isel(realization=0)
    look = {"color": BATCH_SIZE(float(cell.batch_size)), "linestyle": style}
    axes.plot(cell.factor.values, ratio, marker="o", markersize=3, **look)


def _balanced(axes: Axes, cell: xr.Dataset, marker: str) -> None:
    """One measure of flatness as trained, and with layers of equal norm."""
    trained, balanced = (cell.flatness.sel(scaling=name) for name in cell.scaling.values)
    axes.plot(trained, balanced, marker, color=BATCH_SIZE(float(cell.batch_size)), markersize=5)


def _factors(axes: Axes, factors: np.ndarray) -> None:
    """The square of the factor, the axes and what lines mean."""
    axes.plot(factors, factors**2, **SQUARE)
    log_log(axes, "second layer times $a$, third over $a$", "$F(a)/F(1)$")
    axes.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axes.minorticks_off()
    _decimals(axes, "y")
    entries = {
        "second layer": {"color": NEUTRAL, "marker": "o"},
        "whole network": {"color": NEUTRAL, "linestyle": "--"},
        "$a^2$": SQUARE,
    }
    legend(axes, entries, loc="upper left")


@finished
def layer_against_whole(layer: xr.DataArray, whole: xr.DataArray) -> Figure:
    """Flatness from the second layer against that from the whole network, a point a solution,
    (batch_size, realization) each.
    """
    figure, axes = new_figure(1, 1, (6.4, 4.2))
    for size, x, y in zip(layer.batch_size.values, layer.values, whole.values, strict=True):
        axes.plot(x, y, "o", color=BATCH_SIZE(float(size)), markersize=5, alpha=0.85)
    log_log(axes, "$F$ from the second layer", "$F$ from the whole network")
    _decimals(axes, "xy")
    legend(axes, size_entries(layer), loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _decimals(axes: Axes, which: str) -> None:
    """Plain numbers on the logarithmic axes named in `which`: at 1, 2 and 5 of each decade, at 1
    alone where there are more than two.
    """
    for name in which:
        axis, (low, high) = getattr(axes, f"{name}axis"), sorted(getattr(axes, f"get_{name}lim")())
        few = high / low < 150
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axis.set_major_formatter(decimals())
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator() if few else LogLocator(subs=range(2, 10)))


def _above(values: xr.DataArray) -> xr.DataArray:
    """Without what a logarithmic axis cannot show: hills below the rounding of a loss in
    float32.
    """
    return values.where(values > 1e-6)


def _times(axes: Axes, found: xr.Dataset) -> None:
    """An axis of branch times that is linear near zero."""
    first = float(found.branch_time[found.branch_time > 0].min())
    axes.set_xscale("symlog", linthresh=first)
    axes.set_xlim(-0.2 * first, 1.15 * float(found.branch_time.max()))
    ticks = [time for time in (0, 1, 3, 10, 30, 100) if time <= found.branch_time.max()]
    axes.set_xticks(ticks, [f"{time:g}" for time in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time at which siblings branch, η·step")
