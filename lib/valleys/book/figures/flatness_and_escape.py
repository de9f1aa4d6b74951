"""Figures of the second half of the chapter on the model's assumptions: flattening, escape,
fluctuations, rescaled layers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from valleys.book.figures.assumptions import INDEPENDENT, RESHUFFLED
from valleys.book.figures.parts import (
    bars,
    batch_size_markers,
    each,
    finished,
    legend,
    legend_below,
    new_figure,
)
from valleys.book.figures.style import (
    HALO,
    NEUTRAL,
    NOTE,
    THEORY,
    TIME_MAP,
    batch_size_colours,
    learning_rate_colours,
)

SAMPLING_LOOKS = {
    "epochs": {"color": RESHUFFLED, "marker": "o"},
    "redrawn": {"color": INDEPENDENT, "marker": "s"},
}
PANELS = (8.6, 4.2)


@finished
def flattening(
    flat: xr.DataArray, exponents: xr.Dataset, floor: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """Flatness against training loss in every cell, with the model's valley scaled to the same
    start; and the exponent between two losses.

    Args:
        flat: mean flatness, (batch_size, learning_rate, level).
        exponents: by level, `value`, `low`, `high` and `model`, with the coordinate `higher`, the
            loss that it goes down from.
        floor: loss and flatness along the model's valley.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    colours, markers = (
        learning_rate_colours(flat.learning_rate.values),
        batch_size_markers(flat.batch_size.values),
    )
    for cell in (
        cell
        for row in each(flat.to_dataset(name="flat"), "batch_size")
        for cell in each(row, "learning_rate")
    ):
        look = {
            "color": colours[float(cell.learning_rate)],
            "marker": markers[int(cell.batch_size)],
            "linewidth": 1,
            "markersize": 4,
        }
        left.plot(flat.level, cell.flat, **look)
    start = float(flat.isel(level=0).mean()) / np.interp(-float(flat.level[0]), -floor[0], floor[1])
    left.plot(floor[0], start * floor[1], color=THEORY, linestyle="--")
    left.set(
        xscale="log",
        yscale="log",
        xlabel="training loss (falling to the right)",
        ylabel="flatness $F$",
    )
    left.set(
        xlim=(1.3 * flat.level.max(), flat.level.min() / 1.3),
        ylim=(0.8 * np.nanmin(flat), 1.3 * np.nanmax(flat)),
    )
    _plain(left, "xy")
    entries = {f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()} | {
        "model": {"color": THEORY, "linestyle": "--"}
    }
    legend_below(figure, entries, columns=4)
    middle = np.sqrt(exponents.level * exponents.higher).values
    right.errorbar(
        middle,
        exponents.value.values,
        yerr=bars(exponents.value, exponents.low, exponents.high),
        color=NOTE,
        marker="o",
        capsize=3,
    )
    right.plot(middle, exponents.model, color=THEORY, linestyle="--", marker="s", markersize=4)
    right.axhline(1, color=NEUTRAL, linewidth=1, linestyle=":")
    right.set(
        xscale="log",
        xlabel="training loss (falling to the right)",
        ylabel="exponent $s$ of $F\\propto L^{-s}$",
        ylim=(0, 1.08),
    )
    right.invert_xaxis()
    _plain(right, "x")
    right.annotate(
        "networks",
        (middle[-1], exponents.value[-1]),
        xytext=(-6, 8),
        textcoords="offset points",
        ha="right",
        color=NOTE,
    )
    right.annotate(
        "model",
        (middle[-1], exponents.model[-1]),
        xytext=(-6, 8),
        textcoords="offset points",
        ha="right",
        color=THEORY,
    )
    return figure


@finished
def parted_siblings(found: xr.Dataset) -> Figure:
    """Likeness of siblings at their ends, and the hills between them beside those between runs,
    against the time at which they part.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    for setting, look in _settings(found):
        left.plot(found.branch_time, setting.similarity.mean("reference"), **look)
        left.axvline(
            float(setting.freezing_time.mean()), color=look["color"], linewidth=0.8, linestyle=":"
        )
        right.plot(found.branch_time, _above(setting.rise.mean("reference")), **look)
        right.plot(
            found.branch_time[1:],
            _above(setting.wall_rise.mean("pair"))[1:],
            **look | {"linestyle": "--", "markersize": 3},
        )
    for axes in (left, right):
        _times(axes, found)
    left.set_ylabel("$Sim_J$ of siblings at the end")
    right.set(yscale="log", ylabel="rise of the loss on the line")
    entries = {
        "siblings' ends": {"color": NEUTRAL},
        "two runs at $t_b$": {"color": NEUTRAL, "linestyle": "--"},
    }
    legend_below(figure, _setting_entries(found) | entries, columns=5)
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
    for setting, look in _settings(both):
        left.plot(rates.time, setting.exponent, **look)
        seen = setting.rate.values > 0
        colours = shade.to_rgba(rates.time.values[seen])
        right.scatter(
            setting.exponent.values[seen],
            setting.rate.values[seen],
            c=colours,
            marker=look["marker"],
            s=30,
            edgecolors=HALO,
            linewidths=0.4,
        )
    _kramers(right, exponents, rates, slope)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="training time η·step",
        ylabel="barrier over noise $\\Delta L/D$",
    )
    right.set(
        xscale="log",
        yscale="log",
        xlabel="barrier over noise $\\Delta L/D$",
        ylabel="rate $k$ per unit of time",
    )
    _plain(left, "x")
    legend(left, _setting_entries(both), loc="best")
    bar = figure.colorbar(shade, ax=right, label="training time η·step")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return figure


def _kramers(axes: Axes, exponents: xr.DataArray, rates: xr.DataArray, slope: float) -> None:
    """ln k = c − E from the point of the smallest E, and the line that was measured through the
    middle of all points.
    """
    x, y = (
        values.transpose("batch_size", "learning_rate", "branch").values.ravel()
        for values in (exponents, rates)
    )
    seen = np.isfinite(x) & (y > 0)
    if not seen.any():
        return
    x, y = x[seen], y[seen]
    along, low = np.geomspace(x.min(), x.max(), 400), y.min() / 3
    law = y[x.argmin()] * np.exp(-(along - x.min()))
    axes.plot(along[law > low], law[law > low], color=THEORY, linestyle="--")
    axes.plot(
        along, np.exp(np.log(y).mean() + slope * (along - x.mean())), color=NEUTRAL, linewidth=1.2
    )
    axes.set_ylim(low, 3 * y.max())
    legend(
        axes,
        {
            "Kramers' law": {"color": THEORY, "linestyle": "--"},
            "exponential fit": {"color": NEUTRAL},
        },
        loc="lower left",
    )


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
    last = found.isel(window=-1)
    for part in each(last, "sampling"):
        look = SAMPLING_LOOKS[part.sampling.item()]
        for run in each(part, "realization"):
            left.plot(run.width, run.variance, linestyle="none", markersize=3.5, alpha=0.6, **look)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="flatness along a component: width $F_i$",
        ylabel="variance $\\sigma_i^2$",
    )
    _plain(left, "x")
    names = {"epochs": "each image once an epoch", "redrawn": "batches drawn anew"}
    legend(
        left,
        {names[name]: look | {"linestyle": "none"} for name, look in SAMPLING_LOOKS.items()},
        loc="center right",
    )
    for place, (_name, one) in enumerate(exponents.items()):
        for shift, part in zip((-0.12, 0.12), each(one, "sampling"), strict=True):
            for index, window in enumerate(each(part, "window")):
                look = SAMPLING_LOOKS[part.sampling.item()] | (
                    {} if index else {"markerfacecolor": HALO}
                )
                right.errorbar(
                    place + shift + 0.05 * index,
                    window.value,
                    yerr=bars(window.value, window.low, window.high).reshape(2, 1),
                    capsize=2,
                    **look,
                )
    right.axhline(0, color=NEUTRAL, linewidth=1, linestyle=":")
    right.set_xticks(range(len(exponents)), exponents.keys())
    right.set(
        ylabel="exponent $\\psi$ of $\\sigma_i^2\\propto F_i^{-\\psi}$",
        xlim=(-0.5, len(exponents) - 0.5),
    )
    windows = {
        f"from time {time:g}": {"color": NEUTRAL, "marker": "o", "linestyle": "none"}
        for time in found.window_time.values
    }
    next(iter(windows.values()))["markerfacecolor"] = HALO
    legend(right, windows, loc="best")
    return figure


@finished
def rescaled_layers(found: xr.Dataset) -> Figure:
    """Flatness with the second layer multiplied by a factor, from that layer and from the whole;
    and that of solutions as trained and balanced.
    """
    figure, (left, right) = new_figure(1, 2, PANELS)
    colours, factors = batch_size_colours(found.batch_size.values), found.factor.values
    for cell in each(found, "batch_size"):
        for measure, dashes in (("layer", "-"), ("whole", "--")):
            ratio = cell.rescaled.sel(measure=measure) / cell.flatness.sel(
                measure=measure, scaling="as trained"
            ).isel(realization=0)
            left.plot(
                factors,
                ratio,
                color=colours[int(cell.batch_size)],
                linestyle=dashes,
                marker="o",
                markersize=3,
            )
        for measure, marker in (("layer", "o"), ("whole", "s")):
            flat = cell.flatness.sel(measure=measure)
            right.plot(
                *(flat.sel(scaling=name) for name in found.scaling.values),
                marker,
                color=colours[int(cell.batch_size)],
                markersize=5,
            )
    left.plot(factors, factors**2, color=THEORY, linestyle=":", linewidth=1)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="second layer times $a$, third over $a$",
        ylabel="$F(a)/F(1)$",
    )
    left.set_xticks(factors, [f"{factor:g}" for factor in factors])
    left.minorticks_off()
    _plain(left, "y")
    looks = {
        "second layer": {"color": NEUTRAL, "marker": "o"},
        "whole network": {"color": NEUTRAL, "linestyle": "--"},
        "$a^2$": {"color": THEORY, "linestyle": ":"},
    }
    legend(left, looks, loc="upper left")
    ends = [np.nanmin(found.flatness), np.nanmax(found.flatness)]
    right.plot(ends, ends, color=NEUTRAL, linewidth=1, linestyle=":")
    right.set(
        xscale="log", yscale="log", xlabel="$F$ as trained", ylabel="$F$ with layers of equal norm"
    )
    _plain(right, "xy")
    entries = {
        f"B = {size}": {"color": colour, "marker": "o", "linestyle": "none"}
        for size, colour in colours.items()
    }
    entries |= {
        name: {"color": NEUTRAL, "marker": marker, "linestyle": "none"}
        for name, marker in (("second layer", "o"), ("whole network", "s"))
    }
    legend(right, entries, loc="upper left")
    return figure


@finished
def layer_against_whole(layer: xr.DataArray, whole: xr.DataArray) -> Figure:
    """Flatness from the second layer against that from the whole network, a point a solution,
    (batch_size, realization) each.
    """
    figure, axes = new_figure(1, 1, (6.4, 4.2))
    colours = batch_size_colours(layer.batch_size.values)
    for size, x, y in zip(layer.batch_size.values, layer.values, whole.values, strict=True):
        axes.plot(x, y, "o", color=colours[int(size)], markersize=5, alpha=0.85)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="$F$ from the second layer",
        ylabel="$F$ from the whole network",
    )
    _plain(axes, "xy")
    entries = {
        f"B = {size}": {"color": colour, "marker": "o", "linestyle": "none"}
        for size, colour in colours.items()
    }
    legend(axes, entries, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _settings(found: xr.Dataset) -> list[tuple[xr.Dataset, dict[str, Any]]]:
    """Each setting with the look of its lines."""
    colours, markers = (
        learning_rate_colours(found.learning_rate.values),
        batch_size_markers(found.batch_size.values),
    )
    every = [cell for row in each(found, "batch_size") for cell in each(row, "learning_rate")]
    looks = [
        {
            "color": colours[float(cell.learning_rate)],
            "marker": markers[int(cell.batch_size)],
            "linewidth": 1.2,
            "markersize": 4.5,
        }
        for cell in every
    ]
    return list(zip(every, looks, strict=True))


def _setting_entries(found: xr.Dataset) -> dict[str, dict[str, object]]:
    colours, markers = (
        learning_rate_colours(found.learning_rate.values),
        batch_size_markers(found.batch_size.values),
    )
    entries = {f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()}
    return entries | {
        f"B = {size}": {"color": NEUTRAL, "marker": marker, "linestyle": "none"}
        for size, marker in markers.items()
    }


def _above(values: xr.DataArray) -> xr.DataArray:
    """Without what a logarithmic axis cannot show: hills below the rounding of a loss in
    float32.
    """
    return values.where(values > 1e-6)


def _plain(axes: Axes, which: str) -> None:
    """Plain numbers on the logarithmic axes named in `which`: at 1, 2 and 5 of each decade, at 1
    alone where there are more than two.
    """
    for name in which:
        axis, (low, high) = getattr(axes, f"{name}axis"), sorted(getattr(axes, f"get_{name}lim")())
        few = high / low < 150
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator() if few else LogLocator(subs=range(2, 10)))


def _times(axes: Axes, found: xr.Dataset) -> None:
    """An axis of branch times that is linear near zero."""
    first = float(found.branch_time[found.branch_time > 0].min())
    axes.set_xscale("symlog", linthresh=first)
    axes.set_xlim(-0.2 * first, 1.15 * float(found.branch_time.max()))
    ticks = [time for time in (0, 1, 3, 10, 30, 100) if time <= found.branch_time.max()]
    axes.set_xticks(ticks, [f"{time:g}" for time in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time at which siblings part, η·step")
