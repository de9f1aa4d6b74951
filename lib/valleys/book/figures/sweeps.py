"""Figures of the chapter on sweeps."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from valleys.book.figures.parts import MARKERS, WIDE, component_labels, each, new_figure
from valleys.book.figures.style import DIVERGED, LOSS, NEUTRAL, QUANTITY_MAP, THEORY, batch_size_colours, learning_rate_colours

ACCURACY = "#009E73"


def training_run(cell: xr.Dataset, threshold: float) -> Figure:
    """One run: training loss with its threshold, and accuracies, against the step; `cell` has train_loss, train_accuracy, test_accuracy (record)."""
    figure, (above, below) = new_figure(2, 1, (7.2, 4.8), sharex=True)
    freeze = float(cell.freezing_time.sel(threshold=threshold))
    above.plot(cell.step, cell.train_loss, color=LOSS)
    _mark_threshold(above, threshold)
    above.set(yscale="log", ylabel="training loss")
    below.plot(cell.step, cell.train_accuracy, color=ACCURACY, label="training set")
    below.plot(cell.step, cell.test_accuracy, color=ACCURACY, linestyle="--", label="small test set")
    for axes in (above, below):
        axes.axvline(freeze, color=THEORY, linewidth=1)
    above.annotate("$t_{freeze}$", (freeze, 1), xycoords=("data", "axes fraction"), xytext=(4, -4), textcoords="offset points", va="top")
    below.set(xlabel="step", ylabel="accuracy", ylim=(None, 1.02))
    below.legend(loc="lower right")
    return figure


def spread(summary: xr.Dataset, plane: xr.Dataset) -> Figure:
    """Mean pairwise Sim_J of each cell, and the runs of two cells on shared principal components; `plane` has position (cell, realization, record, …)."""
    figure, panels = new_figure(1, 3, (10.5, 3.9), width_ratios=(1.35, 1, 1))
    _heat(panels[0], summary, "similarity_full", "⟨$Sim_J$⟩, all test images", "{:.2f}", mark=plane)
    colours = learning_rate_colours(summary.learning_rate.values)
    for number, (axes, cell) in enumerate(zip(panels[1:], each(plane, "cell"), strict=True)):
        for run in cell.position.values:
            axes.plot(*run.T, color=colours[float(cell.learning_rate)], linewidth=0.9, alpha=0.8)
            axes.plot(*run[-1], "o", color=colours[float(cell.learning_rate)], markeredgecolor="white")
        axes.plot(*cell.position.values[0, 0], marker="*", color=THEORY, markersize=14)
        axes.set_title(f"{'①②'[number]} B = {cell.batch_size.item():g}, η = {cell.learning_rate.item():g}")
        component_labels(axes, plane.explained)
    for panel in panels[1:]:
        _frame(panel, plane.position)
    panels[2].set(ylabel="", yticklabels=[])
    return figure


def accuracy(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Largest accuracy on the small test set, mean accuracy on all test images, and the runs behind both at one learning rate."""
    figure, panels = new_figure(1, 3, (11.0, 3.9), width_ratios=(1.1, 1.1, 1))
    _heat(panels[0], summary, "max_test_accuracy", "largest, small test set", "{:.3f}")
    _heat(panels[1], summary, "full_test_accuracy", "mean, all test images", "{:.3f}")
    panels[1].set_ylabel("")
    _runs(panels[2], sweep, "full_test_accuracy", summary, learning_rate)
    panels[2].set(title=f"η = {learning_rate:g}", ylabel="accuracy on all test images")
    return figure


def flatness(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Largest flatness of each cell, and the runs behind it at one learning rate."""
    figure, panels = new_figure(1, 2, (9.0, 3.9), width_ratios=(1.2, 1))
    _heat(panels[0], summary, "max_flatness", "largest flatness $F$", "{:.1f}")
    _runs(panels[1], sweep, "flatness", summary, learning_rate)
    panels[1].set(title=f"η = {learning_rate:g}", ylabel="flatness $F$")
    return figure


def flatness_controls(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Flatness against training loss along the runs, and three measures of flatness against batch size, each relative to gradient descent's."""
    figure, (left, right) = new_figure(1, 2, WIDE)
    row, colours = sweep.sel(learning_rate=learning_rate), batch_size_colours(sweep.batch_size.values)
    for cell in each(row, "batch_size"):
        known = cell.isel(record=np.flatnonzero(np.isfinite(cell.flatness).any("realization").values))
        size = int(cell.batch_size)
        left.plot(known.train_loss.mean("realization"), known.flatness.mean("realization"), color=colours[size], label=f"B = {size}")
    left.set(xscale="log", xlabel="mean training loss", ylabel="mean flatness ⟨$F$⟩")
    left.invert_xaxis()
    left.legend(loc="upper left", fontsize=9)
    names = {"flatness": "second layer, $F$", "relative_flatness": "$F$ / ‖W‖²", "whole_network_flatness": "whole network"}
    line = summary.sel(learning_rate=learning_rate).sortby("batch_size")
    for (name, label), marker in zip(names.items(), "os^", strict=True):
        quiet = float(line[name][-1])
        ends = [line[f"{name}_{end}"] / quiet for end in ("low", "high")]
        _interval(right, line.batch_size, line[name] / quiet, *ends, marker=marker, label=label)
    right.set(ylabel="relative to full-batch descent")
    _batch_axis(right, line.batch_size.values)
    right.legend(loc="upper left")
    return figure


def transient(sweep: xr.Dataset, learning_rate: float, threshold: float) -> Figure:
    """Mean training loss and mean flatness against training time at one learning rate, one colour a batch size."""
    figure, (left, right) = new_figure(1, 2, WIDE)
    row, colours = sweep.sel(learning_rate=learning_rate), batch_size_colours(sweep.batch_size.values)
    for cell in each(row, "batch_size"):
        look = {"color": colours[int(cell.batch_size)], "label": f"B = {int(cell.batch_size)}"}
        left.plot(cell.time, cell.train_loss.mean("realization"), **look)
        flat = cell.flatness.mean("realization")
        known = np.isfinite(flat.values)
        right.plot(cell.time[known], flat[known], **look)
    _mark_threshold(left, threshold)
    left.set(yscale="log", xlabel="training time η·step", ylabel="mean training loss")
    right.set(xlabel="training time η·step", ylabel="mean flatness ⟨$F$⟩")
    right.legend(loc="upper left", fontsize=9)
    return figure


def freezing(summary: xr.Dataset, learning_rate: float, threshold: float) -> Figure:
    """Freezing time in units of training time: a map at one threshold, and all thresholds at one learning rate, relative to the largest batch."""
    figure, (left, right) = new_figure(1, 2, (9.4, 3.9), width_ratios=(1.2, 1))
    _heat(left, summary.sel(threshold=threshold), "freezing_time", f"η⟨$t_{{freeze}}$⟩ at $ℒ_c$ = {threshold:g}", "{:.1f}")
    line = summary.sel(learning_rate=learning_rate).sortby("batch_size")
    for one, marker in zip(each(line, "threshold"), MARKERS, strict=False):
        quiet = float(one.freezing_time[-1])
        ends = one.freezing_time_low / quiet, one.freezing_time_high / quiet
        _interval(right, one.batch_size, one.freezing_time / quiet, *ends, marker=marker, label=f"$ℒ_c$ = {one.threshold.item():g}")
    right.axhline(1, color=NEUTRAL, linewidth=0.8)
    right.set(title=f"η = {learning_rate:g}", ylabel=f"⟨$t_{{freeze}}$⟩ relative to B = {int(line.batch_size[-1])}")
    _batch_axis(right, line.batch_size.values)
    right.legend(fontsize=9, loc="upper left")
    return figure


def _frame(axes: Axes, positions: xr.DataArray) -> None:
    """Limits that hold every position with a margin."""
    low, high = (getattr(positions, end)(("cell", "realization", "record")).values for end in ("min", "max"))
    margin = 0.06 * (high - low)
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def _heat(axes: Axes, summary: xr.Dataset, name: str, title: str, form: str, mark: xr.Dataset | None = None) -> None:
    """A map with the noise growing to the upper right, each value written in its cell, cells without a value hatched."""
    table = summary[name].transpose("learning_rate", "batch_size").sortby("learning_rate").sortby("batch_size", ascending=False)
    image = axes.imshow(table, cmap=QUANTITY_MAP, origin="lower", aspect="auto")
    axes.patch.set(hatch="////", edgecolor=DIVERGED)
    for (row, column), value in np.ndenumerate(table.values):
        if np.isfinite(value):
            axes.text(column, row, form.format(value), ha="center", va="center", fontsize=8, color=_readable(image.to_rgba(value)))
    axes.set_xticks(range(table.sizes["batch_size"]), [str(size) for size in table.batch_size.values])
    axes.set_yticks(range(table.sizes["learning_rate"]), [f"{rate:g}" for rate in table.learning_rate.values])
    axes.set(xlabel="batch size B", ylabel="learning rate η", title=title)
    for number, cell in enumerate(each(mark, "cell") if mark is not None else ()):
        place = (list(table.batch_size.values).index(cell.batch_size), list(table.learning_rate.values).index(cell.learning_rate))
        axes.annotate(
            "①②"[number], place, xytext=(0, 9), textcoords="offset points", ha="center", color=_readable(image.to_rgba(table.values[place[::-1]])), fontsize=12
        )


def _readable(colour: Sequence[float]) -> str:
    red, green, blue = to_rgb(colour[:3])
    return "black" if (len(colour) > 3 and colour[3] == 0) or 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def _runs(axes: Axes, sweep: xr.Dataset, name: str, summary: xr.Dataset, learning_rate: float) -> None:
    """Each converged run, their violin where there are many, and the mean with its interval, against batch size."""
    row, line = sweep.sel(learning_rate=learning_rate), summary.sel(learning_rate=learning_rate)
    colours, sizes = batch_size_colours(sweep.batch_size.values), sorted(sweep.batch_size.values, reverse=True)
    for position, size in enumerate(sizes):
        cell = row.sel(batch_size=size)
        values = cell[name].values[cell.converged.values] if cell[name].ndim == 1 else cell[name].values[cell.converged.values, -1]
        if len(values) >= 10 and np.ptp(values) > 0:
            for body in axes.violinplot(values, [position], showextrema=False)["bodies"]:
                body.set(facecolor=colours[size], alpha=0.35)
        axes.plot(position + np.linspace(-0.12, 0.12, len(values)), values, "o", color=colours[size], markersize=3.5, alpha=0.8)
        mean, low, high = (float(line[f"{name}{end}"].sel(batch_size=size)) for end in ("", "_low", "_high"))
        axes.errorbar(position + 0.28, mean, [[mean - low], [high - mean]], color=THEORY, marker="_", capsize=3, linewidth=1.2)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_xlabel("batch size B")


def _interval(axes: Axes, x: xr.DataArray, value: xr.DataArray, low: xr.DataArray, high: xr.DataArray, **look: object) -> None:
    axes.errorbar(x, value, [value - low, high - value], **({"capsize": 2, "linewidth": 1.2} | look))


def _batch_axis(axes: Axes, sizes: np.ndarray) -> None:
    """Batch size on a logarithmic axis, the noise growing to the right as in the maps."""
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.invert_xaxis()
    axes.set_xlabel("batch size B")


def _mark_threshold(axes: Axes, threshold: float) -> None:
    axes.axhline(threshold, color=NEUTRAL, linewidth=1, linestyle=":")
    axes.annotate(f"$ℒ_c$ = {threshold:g}", (1, threshold), (3, 0), ("axes fraction", "data"), "offset points", va="center", color=NEUTRAL, fontsize=9)
