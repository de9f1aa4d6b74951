"""Figures of the chapter on sweeps."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from valleys.book.figures.parts import (
    MARKERS,
    TALL,
    WIDE,
    bars,
    component_labels,
    each,
    finished,
    new_figure,
)
from valleys.book.figures.style import (
    ACCURACY,
    DIVERGED,
    HALO,
    INK,
    KINDS,
    LOSS,
    NEUTRAL,
    NOTE,
    ON_DARK,
    ON_LIGHT,
    QUANTITY_MAP,
    THEORY,
    batch_size_colours,
    learning_rate_colours,
    ordered_colours,
)


@finished
def training_run(cell: xr.Dataset, threshold: float) -> Figure:
    """One run: training loss with its threshold, and accuracies, against the step; `cell` has
    train_loss, train_accuracy, test_accuracy (record).
    """
    figure, (above, below) = new_figure(2, 1, (7.2, 4.8), sharex=True)
    freeze = float(cell.freezing_time.sel(threshold=threshold))
    above.plot(cell.step, cell.train_loss, color=LOSS)
    _mark_threshold(above, threshold)
    above.set(yscale="log", ylabel="training loss")
    below.plot(cell.step, cell.train_accuracy, color=ACCURACY, label="training set")
    below.plot(
        cell.step, cell.test_accuracy, color=ACCURACY, linestyle="--", label="small test set"
    )
    for axes in (above, below):
        axes.axvline(freeze, color=THEORY, linewidth=1)
    above.annotate(
        "$t_{freeze}$",
        (freeze, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
    )
    below.set(xlabel="step", ylabel="accuracy", ylim=(None, 1.02))
    below.legend(loc="lower right")
    return figure


@finished
def fit(summary: xr.Dataset) -> Figure:
    """How training ended in each cell: share of runs that fit the training set, its accuracy and
    loss over all runs, and the solutions' test loss.
    """
    figure, panels = _map_grid(2)
    _heat(panels[0], summary, "converged", "share of runs that converge", "{:.2f}")
    _heat(
        panels[1], summary, "train_accuracy", "training accuracy, all runs [%]", "{:.1f}", scale=100
    )
    _heat(
        panels[2],
        summary,
        "train_loss",
        "training loss × 1000, all runs",
        "{:.1f}",
        scale=1000,
        norm="log",
    )
    _heat(panels[3], summary, "test_loss", "test loss of solutions", "{:.2f}")
    return figure


@finished
def spread(summary: xr.Dataset, plane: xr.Dataset) -> Figure:
    """Mean pairwise Sim_J of each cell, and the runs of two cells on shared principal
    components; `plane` has position (cell, realization, record, …).
    """
    figure, panels = _map_grid(2)
    _heat(panels[0], summary, "similarity", "⟨$Sim_J$⟩, small test set", "{:.2f}", mark=plane)
    _heat(panels[1], summary, "similarity_full", "⟨$Sim_J$⟩, all test images", "{:.2f}", mark=plane)
    colours = learning_rate_colours(summary.learning_rate.values)
    for number, (axes, cell) in enumerate(zip(panels[2:], each(plane, "cell"), strict=True)):
        for run in cell.position.values:
            axes.plot(*run.T, color=colours[float(cell.learning_rate)], linewidth=0.9, alpha=0.8)
            axes.plot(*run[-1], "o", color=colours[float(cell.learning_rate)], markeredgecolor=HALO)
        axes.plot(*cell.position.values[0, 0], marker="*", color=THEORY, markersize=14)
        axes.set_title(
            f"{'①②'[number]} B = {cell.batch_size.item():g}, η = {cell.learning_rate.item():g}"
        )
        component_labels(axes, plane.explained)
    for panel in panels[2:]:
        _frame(panel, plane.position)
    panels[3].set(ylabel="", yticklabels=[])
    return figure


@finished
def apart(summary: xr.Dataset) -> Figure:
    """How the solutions of each cell lie in the space of weights: mean cosine between their
    displacements from the start, and mean distance.
    """
    figure, panels = _map_grid(1)
    _heat(panels[0], summary, "weight_cosine", "mean cosine of displacements", "{:.2f}")
    _heat(panels[1], summary, "weight_distance", "mean distance of weights", "{:.2f}")
    return figure


@finished
def accuracy(summary: xr.Dataset, learning_rate: float) -> Figure:
    """Test accuracy of each cell, largest and mean on the small test set and mean on all test
    images, and the first against the last.
    """
    figure, panels = _map_grid(2)
    _heat(
        panels[0],
        summary,
        "max_test_accuracy",
        "largest, small test set [%]",
        "{:.1f}",
        scale=100,
        boxed=learning_rate,
    )
    _heat(
        panels[1],
        summary,
        "full_test_accuracy",
        "mean, all test images [%]",
        "{:.1f}",
        scale=100,
        boxed=learning_rate,
    )
    _heat(
        panels[2],
        summary,
        "test_accuracy",
        "mean, small test set [%]",
        "{:.1f}",
        scale=100,
        boxed=learning_rate,
    )
    _scatter(panels[3], summary, "full_test_accuracy", "max_test_accuracy", scale=100)
    panels[3].set(
        title="one point a cell",
        xlabel="mean, all test images [%]",
        ylabel="largest, small test set [%]",
    )
    return figure


@finished
def accuracy_runs(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Accuracy of every converged run at one learning rate, on the small test set and on all
    test images, on axes of one scale.
    """
    figure, panels = new_figure(1, 2, WIDE)
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
    return figure


@finished
def best_runs(best: xr.Dataset) -> Figure:
    """The mean run and the best run on all test images, and the best run on random small test
    sets and on the small one in use, against batch size.
    """
    figure, axes = new_figure(1, 1, TALL)
    line = best.sortby("batch_size", ascending=False)
    x, look = (
        np.arange(line.sizes["batch_size"]),
        {"capsize": 3, "linestyle": "none", "color": ACCURACY},
    )
    ends = 100 * bars(line.best_random_mean, line.best_random_low, line.best_random_high)
    axes.plot(
        x,
        100 * line.best_small,
        "X",
        color=NEUTRAL,
        markersize=8,
        label="best run, this small test set",
    )
    axes.errorbar(
        x,
        100 * line.best_random_mean,
        ends,
        marker="s",
        label="best run, random small test sets",
        **look,
    )
    axes.plot(
        x,
        100 * line.best_full,
        "^-",
        color=ACCURACY,
        linewidth=1,
        label="best run, all test images",
    )
    axes.plot(
        x, 100 * line["mean"], "o--", color=THEORY, linewidth=1, label="mean run, all test images"
    )
    axes.set_xticks(x, [str(size) for size in line.batch_size.values])
    axes.set(xlabel="batch size B", ylabel="test accuracy [%]")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return figure


@finished
def flatness(summary: xr.Dataset, sweep: xr.Dataset, learning_rate: float) -> Figure:
    """Largest and mean flatness of each cell, the runs behind them at one learning rate, and the
    one against the other.
    """
    figure, panels = _map_grid(2)
    _heat(
        panels[0],
        summary,
        "max_flatness",
        "largest flatness $F$",
        "{:.1f}",
        norm="log",
        boxed=learning_rate,
    )
    _heat(
        panels[1],
        summary,
        "flatness",
        "mean flatness ⟨$F$⟩",
        "{:.1f}",
        norm="log",
        boxed=learning_rate,
    )
    _runs(panels[2], sweep, "flatness", summary, learning_rate)
    panels[2].set(title=f"every run at η = {learning_rate:g}", ylabel="flatness $F$")
    _scatter(panels[3], summary, "flatness", "max_flatness")
    panels[3].set(
        title="one point a cell", xlabel="mean flatness ⟨$F$⟩", ylabel="largest flatness $F$"
    )
    return figure


@finished
def flatness_controls(summary: xr.Dataset, course: xr.Dataset, learning_rate: float) -> Figure:
    """Flatness against training loss along the runs, and three measures of flatness against
    batch size, each relative to gradient descent's.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    colours = batch_size_colours(course.batch_size.values)
    for cell in each(course, "batch_size"):
        _band(
            left,
            _measured(cell),
            "train_loss",
            "flatness",
            color=colours[int(cell.batch_size)],
            label=f"B = {int(cell.batch_size)}",
        )
    left.set(xscale="log", xlabel="mean training loss", ylabel="mean flatness ⟨$F$⟩")
    left.invert_xaxis()
    left.legend(loc="upper left")
    names = {
        "flatness": "second layer, $F$",
        "relative_flatness": "$F$ / ‖W‖²",
        "whole_network_flatness": "whole network",
    }
    line = summary.sel(learning_rate=learning_rate).sortby("batch_size")
    for (name, label), marker, colour in zip(names.items(), "os^", KINDS, strict=False):
        quiet = float(line[name][-1])
        ends = [line[f"{name}_{end}"] / quiet for end in ("low", "high")]
        _interval(
            right,
            line.batch_size,
            line[name] / quiet,
            *ends,
            marker=marker,
            color=colour,
            label=label,
        )
    right.set(ylabel=f"relative to B = {int(line.batch_size[-1])}")
    _batch_axis(right, line.batch_size.values)
    right.legend(loc="upper left")
    return figure


@finished
def transient(course: xr.Dataset, threshold: float) -> Figure:
    """Mean training loss and mean flatness against training time at one learning rate, with
    their intervals, one colour a batch size.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    colours = batch_size_colours(course.batch_size.values)
    for cell in each(course, "batch_size"):
        look = {"color": colours[int(cell.batch_size)], "label": f"B = {int(cell.batch_size)}"}
        _band(left, cell, "time", "train_loss", **look)
        _band(right, _measured(cell), "time", "flatness", **look)
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
    figure, panels = _map_grid((summary.sizes["threshold"] + 1) // 2)
    others = [value for value in summary.threshold.values if value != threshold]
    for axes, value in zip(panels, [threshold, *others], strict=False):
        _heat(
            axes,
            summary.sel(threshold=value),
            "freezing_time",
            f"η⟨$t_{{freeze}}$⟩ at $ℒ_c$ = {value:g}",
            "{:.1f}",
            norm="log",
        )
    for axes in panels[summary.sizes["threshold"] :]:
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
        quiet = float(one.freezing_time[-1])
        ends = one.freezing_time_low / quiet, one.freezing_time_high / quiet
        _interval(
            axes,
            one.batch_size,
            one.freezing_time / quiet,
            *ends,
            marker=marker,
            color=colours[-one.threshold.item()],
            label=f"$ℒ_c$ = {one.threshold.item():g}",
        )
    axes.axhline(1, color=NEUTRAL, linewidth=0.8)
    axes.set(
        title=f"η = {learning_rate:g}",
        ylabel=f"⟨$t_{{freeze}}$⟩ relative to B = {int(line.batch_size[-1])}",
    )
    _batch_axis(axes, line.batch_size.values)
    axes.legend(loc="upper left")
    return figure


def _map_grid(rows: int) -> tuple[Figure, np.ndarray]:
    """Panels for maps, two a row, so that the numbers in their cells stay legible."""
    figure, panels = new_figure(rows, 2, (8.6, 3.9 * rows))
    figure.set_layout_engine("constrained", h_pad=0.1)
    return figure, panels.ravel()


def _measured(cell: xr.Dataset) -> xr.Dataset:
    """The records at which the flatness is known."""
    return cell.isel(record=np.flatnonzero(np.isfinite(cell.flatness)))


def _band(axes: Axes, cell: xr.Dataset, along: str, name: str, **look: Any) -> None:
    """A mean along a run, and its interval where it has one."""
    axes.plot(cell[along], cell[name], linewidth=1.4, **look)
    axes.fill_between(
        cell[along],
        cell[f"{name}_low"],
        cell[f"{name}_high"],
        color=look["color"],
        alpha=0.25,
        linewidth=0,
    )


def _scatter(axes: Axes, summary: xr.Dataset, x: str, y: str, scale: float = 1) -> None:
    """One quantity of the cells against another, one colour a learning rate."""
    for rate, colour in learning_rate_colours(summary.learning_rate.values).items():
        line = summary.sel(learning_rate=rate)
        axes.plot(
            scale * line[x], scale * line[y], "o", color=colour, label=f"η = {rate:g}", alpha=0.9
        )
    axes.legend(handletextpad=0.1, labelspacing=0.2)


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


def _heat(
    axes: Axes,
    summary: xr.Dataset,
    name: str,
    title: str,
    form: str,
    *,
    scale: float = 1,
    norm: str = "linear",
    mark: xr.Dataset | None = None,
    boxed: float | None = None,
) -> None:
    """A map with the noise growing to the upper right, each value written in its cell, cells
    without a solution hatched; below the title its intervals.

    Args:
        axes: where to draw.
        summary: what holds the quantity, its `name_low` and `name_high` if it is a mean, and
            `converged`.
        name: the quantity.
        title: of the panel.
        form: of a value.
        scale: factor of the values.
        norm: of the colours.
        mark: what has cells to be numbered.
        boxed: learning rate whose row is framed.
    """
    cells = (
        summary.transpose("learning_rate", "batch_size", ...)
        .sortby("learning_rate")
        .sortby("batch_size", ascending=False)
    )
    table = scale * cells[name]
    image = axes.imshow(table, cmap=QUANTITY_MAP, origin="lower", aspect="auto", norm=norm)
    axes.patch.set(hatch="////", edgecolor=DIVERGED)
    for (row, column), value in np.ndenumerate(table.values):
        if np.isfinite(value):
            axes.text(
                column,
                row,
                _fitting(form, value),
                ha="center",
                va="center",
                color=_readable(image.to_rgba(value)),
            )
            if cells.converged[row, column] == 0:
                axes.add_patch(
                    Rectangle(
                        (column - 0.5, row - 0.5),
                        1,
                        1,
                        fill=False,
                        hatch="////",
                        edgecolor=DIVERGED,
                        linewidth=0,
                    )
                )
    axes.set_xticks(
        range(table.sizes["batch_size"]), [str(size) for size in table.batch_size.values]
    )
    axes.set_yticks(
        range(table.sizes["learning_rate"]), [f"{rate:g}" for rate in table.learning_rate.values]
    )
    axes.set(xlabel="batch size B", ylabel="learning rate η")
    axes.set_title(title, pad=20)
    axes.annotate(
        _widths(cells, name, scale),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=NOTE,
    )
    if boxed is not None:
        row = list(table.learning_rate.values).index(boxed)
        for colour, width in ((HALO, 4), (INK, 2)):
            axes.add_patch(
                Rectangle(
                    (-0.5, row - 0.5),
                    table.sizes["batch_size"],
                    1,
                    fill=False,
                    edgecolor=colour,
                    linewidth=width,
                    clip_on=False,
                )
            )
    for number, cell in enumerate(each(mark, "cell") if mark is not None else ()):
        place = (
            list(table.batch_size.values).index(cell.batch_size),
            list(table.learning_rate.values).index(cell.learning_rate),
        )
        colour = _readable(image.to_rgba(table.values[place[::-1]]))
        axes.annotate(
            "①②"[number],
            place,
            xytext=(0, 9.5),
            textcoords="offset points",
            ha="center",
            va="center",
            color=colour,
        )


def _fitting(form: str, value: float) -> str:
    """A value as it fits in its cell: without decimals where it is long."""
    return text if len(text := form.format(value)) <= 5 else f"{value:.0f}"


def _widths(cells: xr.Dataset, name: str, scale: float) -> str:
    """How wide the intervals of a map are, in words."""
    if f"{name}_low" not in cells:
        return "a maximum, without an interval"
    halves = (scale * (cells[f"{name}_high"] - cells[f"{name}_low"]) / 2).values
    halves = halves[np.isfinite(halves)]
    if not halves.size:
        return "too few runs for intervals"
    typical, widest = (f"{float(f'{half:.1g}'):g}" for half in (np.median(halves), halves.max()))
    return f"intervals: ± {typical} typical, ± {widest} widest"


def _readable(colour: Sequence[float]) -> str:
    red, green, blue = to_rgb(colour[:3])
    if len(colour) > 3 and colour[3] == 0:
        return INK
    return ON_LIGHT if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else ON_DARK


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
    row, line = (
        sweep.sel(learning_rate=learning_rate),
        scale * summary.sel(learning_rate=learning_rate),
    )
    colours, sizes = (
        batch_size_colours(sweep.batch_size.values),
        sorted(sweep.batch_size.values, reverse=True),
    )
    for position, size in enumerate(sizes):
        cell = row.sel(batch_size=size)
        ends = cell[name] if cell[name].ndim == 1 else cell[name][:, -1]
        values = scale * ends.values[cell.converged.values]
        if len(values) >= 10 and np.ptp(values) > 0:
            for body in axes.violinplot(values, [position], showextrema=False)["bodies"]:
                body.set(facecolor=colours[size], alpha=0.35)
        values = (
            values if np.isfinite(line[f"{name}_low"].sel(batch_size=size)) else np.unique(values)
        )
        axes.plot(
            position + np.linspace(-0.12, 0.12, len(values)),
            values,
            "o",
            color=colours[size],
            markersize=3.5,
            alpha=0.8,
        )
        mean, low, high = (
            float(line[f"{name}{end}"].sel(batch_size=size)) for end in ("", "_low", "_high")
        )
        axes.errorbar(
            position + 0.28,
            mean,
            bars(mean, low, high)[:, None],
            color=THEORY,
            marker="_",
            capsize=3,
            linewidth=1.2,
        )
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_xlabel("batch size B")


def _interval(
    axes: Axes,
    x: xr.DataArray,
    value: xr.DataArray,
    low: xr.DataArray,
    high: xr.DataArray,
    **look: object,
) -> None:
    axes.errorbar(x, value, bars(value, low, high), **({"capsize": 2, "linewidth": 1.2} | look))


def _batch_axis(axes: Axes, sizes: np.ndarray) -> None:
    """Batch size on a logarithmic axis, the noise growing to the right as in the maps."""
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.invert_xaxis()
    axes.set_xlabel("batch size B")


def _mark_threshold(axes: Axes, threshold: float) -> None:
    axes.axhline(threshold, color=NEUTRAL, linewidth=1, linestyle=":")
    axes.annotate(
        f"$ℒ_c$ = {threshold:g}",
        (1, threshold),
        (-2, 3),
        ("axes fraction", "data"),
        "offset points",
        ha="right",
        color=NOTE,
    )
