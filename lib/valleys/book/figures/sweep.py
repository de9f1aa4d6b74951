"""Figures of the chapter on sweeps."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.heat_maps import NUMBERS, heat_map, map_panels
from valleys.book.figures.drawing.parts import (
    MARKERS,
    WIDE,
    band,
    bars,
    component_labels,
    decimals,
    each,
    finished,
    label_level,
    label_top,
    legend_below,
    new_figure,
    size_entries,
    two_above_one,
)
from valleys.book.figures.drawing.style import (
    ACCURACY,
    HALO,
    KINDS,
    LEARNING_RATE,
    LOSS,
    NEUTRAL,
    NOTE,
    THEORY,
    batch_size_colours,
    ordered_colours,
)

MEASURES = {
    "flatness": "second layer, $F$",
    "relative_flatness": "$F$ / ‖W‖²",
    "whole_network_flatness": "whole network",
}


@finished
def training_run(cell: xr.Dataset, threshold: float) -> Figure:
    """One run: training loss with its threshold, and accuracies, against the step; `cell` has
    train_loss, train_accuracy, test_accuracy (record).
    """
    figure, (above, below) = new_figure(2, 1, (7.2, 4.8), sharex=True)
    above.plot(cell.step, cell.train_loss, color=LOSS)
    _mark_threshold(above, threshold)
    above.set(yscale="log", ylabel="training loss")
    for name, style, label in (
        ("train_accuracy", "-", "training set"),
        ("test_accuracy", "--", "small test set"),
    ):
        below.plot(cell.step, cell[name], color=ACCURACY, linestyle=style, label=label)
    freeze = float(cell.freezing_time.sel(threshold=threshold))
    for axes in (above, below):
        axes.axvline(freeze, color=THEORY, linewidth=1)
    label_top(above, "$t_{freeze}$", freeze)
    below.set(xlabel="step", ylabel="accuracy", ylim=(None, 1.02))
    below.legend(loc="lower right")
    return figure


@finished
def fit(summary: xr.Dataset) -> Figure:
    """How training ended in each cell: share of runs that fit the training set, its accuracy and
    loss over all runs, and the solutions' loss on the small test set.
    """
    figure, panels = map_panels(2)
    _map(panels[0], summary, "converged", "share of runs that converge", "{:.2f}")
    title = "training accuracy, all runs [%]"
    _map(panels[1], summary, "train_accuracy", title, "{:.1f}", scale=100)
    title = "training loss × 1000, all runs"
    _map(panels[2], summary, "train_loss", title, "{:.1f}", scale=1000, norm="log")
    _map(panels[3], summary, "test_loss", "test loss of solutions", "{:.2f}")
    return figure


@finished
def spread(summary: xr.Dataset, plane: xr.Dataset) -> Figure:
    """Mean pairwise Sim_J of each cell, and the runs of two cells on shared principal
    components; `plane` has position (cell, realization, record, …).
    """
    figure, panels = map_panels(2)
    for axes, name, of in (
        (panels[0], "similarity", "small test set"),
        (panels[1], "similarity_full", "all test images"),
    ):
        _map(axes, summary, name, f"⟨$Sim_J$⟩, {of}", "{:.2f}", mark=plane)
    for axes, number, cell in zip(panels[2:], NUMBERS, each(plane, "cell"), strict=True):
        _runs_on_plane(axes, cell)
        settings = f"B = {cell.batch_size.item():g}, η = {cell.learning_rate.item():g}"
        axes.set_title(f"{number} {settings}")
        component_labels(axes, plane.explained)
    for panel in panels[2:]:
        _frame(panel, plane.position)
    panels[3].set(ylabel="", yticklabels=[])
    return figure


def _runs_on_plane(axes: Axes, cell: xr.Dataset) -> None:
    """The runs of a cell with their ends, and the start of the first."""
    colour = LEARNING_RATE(float(cell.learning_rate))
    for run in cell.position.values:
        axes.plot(*run.T, color=colour, linewidth=0.9, alpha=0.8)
        axes.plot(*run[-1], "o", color=colour, markeredgecolor=HALO)
    axes.plot(*cell.position.values[0, 0], marker="*", color=THEORY, markersize=14)


@finished
def apart(summary: xr.Dataset) -> Figure:
    """How the solutions of each cell lie in the space of weights: mean cosine between their
    displacements from the start, and mean distance.
    """
    figure, panels = map_panels(1)
    _map(panels[0], summary, "weight_cosine", "mean cosine of displacements", "{:.2f}")
    _map(panels[1], summary, "weight_distance", "mean distance of weights", "{:.2f}")
    return figure


@finished
def accuracy(summary: xr.Dataset, learning_rate: float) -> Figure:
    """Test accuracy of each cell, the largest on the small test set and the mean on all images."""
    figure, panels = map_panels(1)
    for axes, (name, title) in zip(
        panels,
        {
            "max_test_accuracy": "largest, small test set [%]",
            "full_test_accuracy": "mean, all test images [%]",
        }.items(),
        strict=True,
    ):
        _map(axes, summary, name, title, "{:.1f}", scale=100, boxed=learning_rate)
    return figure


@finished
def accuracy_runs(
    summary: xr.Dataset, sweep: xr.Dataset, gained: xr.Dataset, learning_rate: float
) -> Figure:
    """Accuracy of every converged run at one learning rate, on the small test set and on all
    test images, on axes of one scale, and what of a gain comes from choosing the best run.

    Args:
        summary: means of the cells.
        sweep: the runs.
        gained: from `selection.gains`, over batch_size.
        learning_rate: of the runs.
    """
    figure, (*panels, below) = two_above_one(8.0)
    for axes, name, title in zip(
        panels,
        ("test_accuracy", "full_test_accuracy"),
        ("small test set", "all test images"),
        strict=True,
    ):
        _runs(axes, sweep, name, summary, learning_rate, scale=100)
        axes.set(title=f"{title}, η = {learning_rate:g}")
    panels[0].set_ylabel("test accuracy [%]")
    height = max(np.ptp(axes.get_ylim()) for axes in panels)
    for axes in panels:
        middle = np.mean(axes.get_ylim())
        axes.set_ylim(middle - height / 2, middle + height / 2)
    _gains(below, gained.sortby("batch_size", ascending=False))
    return figure


def _gains(axes: Axes, line: xr.Dataset) -> None:
    """Gains over the largest batch: bars of the best run on random small test sets, narrow ones of
    the mean run, and marks of the best run on all test images and on the small set in use.
    """
    x = np.arange(line.sizes["batch_size"])
    label = "best run, random small test sets"
    axes.bar(x, line.lucky, 0.7, color=ACCURACY, alpha=0.35, linewidth=0, label=label)
    ends = bars(line.lucky, line.lucky_low, line.lucky_high)
    axes.errorbar(x, line.lucky, ends, linestyle="none", linewidth=1.2, capsize=3, color=NOTE)
    label = "mean run, all test images"
    axes.bar(x, line["mean"], 0.3, color=ACCURACY, linewidth=0, label=label)
    for name, marker, colour, label in (
        ("best_full", "^", THEORY, "best run, all test images"),
        ("best_small", "X", NEUTRAL, "best run, this small test set"),
    ):
        axes.plot(x, line[name], marker, color=colour, markersize=8, label=label)
    axes.axhline(0, color=NEUTRAL, linewidth=0.8)
    axes.set_xticks(x, [str(size) for size in line.batch_size.values])
    axes.set(xlabel="batch size B", ylabel=f"gain over B = {int(line.batch_size[0])} [points]")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


@finished
def flatness(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Largest and mean flatness of each cell, and the runs behind them at one learning rate."""
    figure, panels = two_above_one(7.8)
    titles = {"max_flatness": "largest flatness $F$", "flatness": "mean flatness ⟨$F$⟩"}
    for axes, (name, title) in zip(panels, titles.items(), strict=False):
        _map(axes, summary, name, title, "{:.1f}", norm="log", boxed=learning_rate)
    _runs(panels[2], sweep, "flatness", summary, learning_rate)
    panels[2].set(title=f"every run at η = {learning_rate:g}", ylabel="flatness $F$")
    return figure


@finished
def flatness_controls(summary: xr.Dataset, course: xr.Dataset, learning_rate: float) -> Figure:
    """Flatness against training loss along the runs, and three measures of flatness against
    batch size, each relative to gradient descent's.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    for cell, look in _cells_by_size(course):
        _banded_mean(left, _measured(cell), "train_loss", "flatness", **look)
    left.set(xscale="log", xlabel="mean training loss", ylabel="mean flatness ⟨$F$⟩")
    left.invert_xaxis()
    line = summary.sel(learning_rate=learning_rate).sortby("batch_size")
    for (name, label), marker, colour in zip(MEASURES.items(), "os^", KINDS, strict=False):
        _relative_to_last(right, line, name, marker=marker, color=colour, label=label)
    right.set(ylabel=f"relative to B = {int(line.batch_size[-1])}")
    _batch_axis(right, line.batch_size.values)
    for axes in (left, right):
        axes.legend(loc="upper left")
    return figure


@finished
def transient(course: xr.Dataset, threshold: float) -> Figure:
    """Mean training loss and mean flatness against training time at one learning rate, with
    their intervals, one colour a batch size.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    for cell, look in _cells_by_size(course):
        _banded_mean(left, cell, "time", "train_loss", **look)
        _banded_mean(right, _measured(cell), "time", "flatness", **look)
    _mark_threshold(left, threshold)
    left.set(yscale="log", xlabel="training time η·step", ylabel="mean training loss")
    right.set(xlabel="training time η·step", ylabel="mean flatness ⟨$F$⟩")
    right.legend(loc="upper left")
    return figure


@finished
def freezing(summary: xr.Dataset, threshold: float) -> Figure:
    """Mean freezing time of each cell in units of training time, a map for each threshold, the
    given one first.
    """
    n_maps = summary.sizes["threshold"]
    figure, panels = map_panels((n_maps + 1) // 2)
    others = [value for value in summary.threshold.values if value != threshold]
    for axes, value in zip(panels, [threshold, *others], strict=False):
        title = f"η⟨$t_{{freeze}}$⟩ at $ℒ_c$ = {value:g}"
        cells = summary.sel(threshold=value)
        _map(axes, cells, "freezing_time", title, "{:.1f}", norm="log")
    for axes in panels[n_maps:]:
        axes.remove()
    return figure


@finished
def delay(summary: xr.Dataset, learning_rate: float) -> Figure:
    """Mean freezing time at one learning rate relative to the largest batch, one line a
    threshold.
    """
    figure, axes = new_figure(1, 1, (6.4, 4.0))
    line = summary.sel(learning_rate=learning_rate).sortby("batch_size")
    colours = ordered_colours(-line.threshold.values)
    for one, marker in zip(each(line, "threshold"), cycle(MARKERS), strict=False):
        look = {"color": colours[-one.threshold.item()], "marker": marker}
        label = f"$ℒ_c$ = {one.threshold.item():g}"
        _relative_to_last(axes, one, "freezing_time", label=label, **look)
    axes.axhline(1, color=NEUTRAL, linewidth=0.8)
    largest = int(line.batch_size[-1])
    axes.set(title=f"η = {learning_rate:g}", ylabel=f"⟨$t_{{freeze}}$⟩ relative to B = {largest}")
    _batch_axis(axes, line.batch_size.values)
    axes.legend(loc="upper left")
    return figure


@finished
def descent(means: xr.Dataset) -> Figure:
    """Flatness, freezing time and accuracy against the learning rate, one colour a batch size, with
    their intervals; of the largest batch, without noise, a thick line.
    """
    figure, panels = new_figure(1, 3, (8.6, 3.6))
    labels = {
        "flatness": ("mean flatness ⟨$F$⟩", 1),
        "freezing_time": ("freezing time, η·step", 1),
        "full_test_accuracy": ("accuracy, all test images [%]", 100),
    }
    largest = int(means.batch_size.max())
    for axes, (name, (label, scale)) in zip(panels, labels.items(), strict=True):
        for cell, look in _cells_by_size(means):
            width = 3 if int(cell.batch_size) == largest else 1.2
            values = [scale * cell[f"{name}{end}"] for end in ("", "_low", "_high")]
            axes.errorbar(means.learning_rate, values[0], bars(*values), linewidth=width, **look)
        axes.set(xscale="log", xlabel="learning rate η", ylabel=label)
        axes.xaxis.set_major_formatter(decimals())
    legend_below(figure, size_entries(means), columns=7)
    return figure


def _map(axes: Axes, summary: xr.Dataset, *of: Any, **look: Any) -> None:
    """A heat map whose column of the largest batch stands apart where it has no noise, that is
    where its runs are copies of one.
    """
    heat_map(axes, summary, *of, **look)
    largest = summary.sel(batch_size=summary.batch_size.max())
    if summary.sizes["batch_size"] > 1 and largest.train_loss_low.isnull().all():
        axes.axvline(0.5, color=HALO, linewidth=5)


def _cells_by_size(course: xr.Dataset) -> Iterator[tuple[xr.Dataset, dict[str, Any]]]:
    """What lies at each batch size, with colour and label."""
    colours = batch_size_colours(course.batch_size.values)
    for cell in each(course, "batch_size"):
        size = int(cell.batch_size)
        yield cell, {"color": colours[size], "label": f"B = {size}"}


def _banded_mean(
    axes: Axes, cell: xr.Dataset, along: str, name: str, *, color: str, label: str
) -> None:
    """A mean along a run, and its interval where it has one."""
    axes.plot(cell[along], cell[name], linewidth=1.4, color=color, label=label)
    band(axes, cell, along, name, color=color)


def _measured(cell: xr.Dataset) -> xr.Dataset:
    """The records at which the flatness is known."""
    return cell.isel(record=np.flatnonzero(np.isfinite(cell.flatness)))


def _frame(axes: Axes, positions: xr.DataArray) -> None:
    """Limits that hold every position with a margin."""
    low, high = (
        getattr(positions, end)(("cell", "realization", "record")).values for end in ("min", "max")
    )
    margin = 0.06 * (high - low)
    axes.set(
        xlim=(low[0] - margin[0], high[0] + margin[0]),
        ylim=(low[1] - margin[1], high[1] + margin[1]),
    )


def _runs(
    axes: Axes,
    sweep: xr.Dataset,
    name: str,
    summary: xr.Dataset,
    learning_rate: float,
    scale: float = 1,
) -> None:
    """Each converged run, their violin where there are many, and the mean with its interval,
    against batch size; copies of one run are one point.
    """
    row = sweep.sel(learning_rate=learning_rate)
    line = scale * summary.sel(learning_rate=learning_rate)
    colours = batch_size_colours(sweep.batch_size.values)
    sizes = sorted(sweep.batch_size.values, reverse=True)
    for position, size in enumerate(sizes):
        cell, mean = row.sel(batch_size=size), line.sel(batch_size=size)
        ends = cell[name] if cell[name].ndim == 1 else cell[name][:, -1]
        values = scale * ends.values[cell.converged.values]
        _violin(axes, values, position, colours[size])
        has_interval = np.isfinite(mean[f"{name}_low"])
        _single_runs(axes, values if has_interval else np.unique(values), position, colours[size])
        _mean_beside(axes, mean, name, position)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_xlabel("batch size B")


def _violin(axes: Axes, values: np.ndarray, position: int, colour: str) -> None:
    """How values spread, where ten or more are not all alike."""
    if len(values) >= 10 and np.ptp(values) > 0:
        bodies: Any = axes.violinplot(values, [position], showextrema=False)["bodies"]
        for body in bodies:
            body.set(facecolor=colour, alpha=0.35)


def _single_runs(axes: Axes, values: np.ndarray, position: int, colour: str) -> None:
    """A point for each value, side by side."""
    places = position + np.linspace(-0.12, 0.12, len(values))
    axes.plot(places, values, "o", color=colour, markersize=3.5, alpha=0.8)


def _mean_beside(axes: Axes, cell: xr.Dataset, name: str, position: int) -> None:
    """The mean with its interval, to the right of the runs."""
    mean, low, high = (float(cell[f"{name}{end}"]) for end in ("", "_low", "_high"))
    look = {"color": THEORY, "marker": "_", "capsize": 3, "linewidth": 1.2}
    axes.errorbar(position + 0.28, mean, bars(mean, low, high)[:, None], **look)


def _relative_to_last(axes: Axes, line: xr.Dataset, name: str, **look: Any) -> None:
    """A mean with its interval against batch size, over that of the largest batch."""
    quiet = float(line[name][-1])
    value, low, high = (line[f"{name}{end}"] / quiet for end in ("", "_low", "_high"))
    axes.errorbar(line.batch_size, value, bars(value, low, high), capsize=2, linewidth=1.2, **look)


def _batch_axis(axes: Axes, sizes: np.ndarray) -> None:
    """Batch size on a logarithmic axis, the noise growing to the right as in the maps."""
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.invert_xaxis()
    axes.set_xlabel("batch size B")


def _mark_threshold(axes: Axes, threshold: float) -> None:
    axes.axhline(threshold, color=NEUTRAL, linewidth=1, linestyle=":")
    label_level(axes, f"$ℒ_c$ = {threshold:g}", threshold, (-2, 3), color=NOTE)
