"""Relations within settings and between them, of networks and of two valleys."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from valleys.book.figures.drawing.parts import (
    dots,
    each,
    finished,
    legend_below,
    measured_points,
    new_figure,
    power_of_ten,
    rate_entries,
    readable_log,
)
from valleys.book.figures.drawing.style import (
    HALO,
    LEARNING_RATE,
    NEUTRAL,
    THEORY,
    Shade,
    noise_colours,
)

PAIRS = {  # of the relations that are drawn: what lies across, and what upwards
    "late_flat": ("freezing_time", "flatness"),
    "flat_accurate": ("flatness", "full_test_accuracy"),
}
NAMES = {  # of a quantity: for an axis, in what unit, and short
    "freezing_time": ("freezing time, η·step", 1, "freezing time"),
    "flatness": ("flatness $F$", 1, "flatness"),
    "full_test_accuracy": ("accuracy, all test images [%]", 100, "accuracy"),
}
TICKS = (1, 1.5, 2, 3, 5)  # of each decade


@finished
def together(
    runs: xr.Dataset, apart: xr.Dataset, tenths: xr.Dataset, relations: xr.Dataset
) -> Figure:
    """Flatness against freezing time and accuracy against flatness, of all solutions with the
    means of their settings, and within settings, each with its rank correlation.

    Args:
        runs: the quantities of `NAMES` over (cell, realization), with `learning_rate` along cell.
        apart: the same, as deviations from the mean of the cell.
        tenths: `x` and `y` over (relation, part), means of tenths of the deviations.
        relations: `value`, `low`, `high` over (relation, place), "within" and "between".
    """
    figure, panels = new_figure(2, 2, (7.9, 7.6))
    figure.set_layout_engine("constrained", h_pad=0.1)
    for (above, below), (name, pair) in zip(panels.T, PAIRS.items(), strict=True):
        related = relations.sel(relation=name)
        _of_settings(above, runs, *pair)
        _of_runs(below, apart, *pair)
        line = tenths.sel(relation=name)
        below.plot(line.x, line.y, "o-", color=THEORY, markersize=5, linewidth=1.6)
        for axes, place in ((above, "between"), (below, "within")):
            axes.set_title(f"{place} settings: {_interval(related.sel(place=place))}")
    entries = {label: dots(**look) for label, look in rate_entries(runs).items()}
    legend_below(figure, entries, 4)
    return figure


def _of_settings(axes: Axes, runs: xr.Dataset, x: str, y: str) -> None:
    """Every run of every setting, and the means of settings, in the colour of the learning rate."""
    (across, x_unit, _), (up, y_unit, _) = NAMES[x], NAMES[y]
    for cell, colour in _coloured(runs):
        places = x_unit * cell[x], y_unit * cell[y]
        axes.plot(*places, "o", color=colour, markersize=2.5, alpha=0.35, markeredgewidth=0)
        means = [values.mean() for values in places]
        axes.plot(*means, "o", color=colour, markersize=8, markeredgecolor=HALO)
    readable_log(axes, across=True, subs=TICKS)
    if y == "flatness":
        readable_log(axes, subs=TICKS)
    axes.set(xlabel=across, ylabel=up)


def _of_runs(axes: Axes, apart: xr.Dataset, x: str, y: str) -> None:
    """Every run, as deviations from the means of its setting."""
    for cell, colour in _coloured(apart):
        axes.plot(cell[x], cell[y], "o", color=colour, markersize=3, alpha=0.45, markeredgewidth=0)
    for line in (axes.axhline, axes.axvline):
        line(0, color=NEUTRAL, linewidth=0.8)
    (*_, across), (*_, up) = NAMES[x], NAMES[y]
    axes.set(xlabel=f"{across}, off the mean [s.d.]", ylabel=f"{up}, off the mean [s.d.]")


def _coloured(runs: xr.Dataset) -> list[tuple[xr.Dataset, Shade]]:
    """What lies in each setting, and the colour of its learning rate."""
    return [(cell, LEARNING_RATE(float(cell.learning_rate))) for cell in each(runs, "cell")]


def _interval(relation: xr.Dataset) -> str:
    """A correlation with its interval."""
    value, low, high = (f"{float(relation[end]):.2f}" for end in ("value", "low", "high"))
    return f"{value} ({low} to {high})".replace("-", "−")


@finished
def last_crossings(tenths: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Shares of flat ends in the two-valley model by the time of the last crossing.

    Args:
        tenths: `p_flat` with `p_flat_error` and `time` over (effective_noise, part).
        curves: `p_flat` over (effective_noise, time), without sampling.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.0))
    for noise, colour in noise_colours(tenths.effective_noise.values).items():
        course = curves.sel(effective_noise=noise).dropna("time")
        axes.plot(course.time, course.p_flat, color=colour, linewidth=1)
        look = {"color": colour, "label": f"$Δ_S$ = {power_of_ten(noise)}"}
        measured_points(axes, tenths.sel(effective_noise=noise), "time", "p_flat", **look)
    axes.set(
        xscale="log", xlabel="time of the last crossing, η·step", ylabel="share that ends flat"
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    ticks = [100, 200, 500]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.legend(loc="lower left")
    return figure
