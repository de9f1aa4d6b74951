"""Figures of the chapter on the walk from step to step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from valleys.book.figures.parts import (
    WIDE,
    bars,
    batch_size_markers,
    each,
    finished,
    legend,
    legend_below,
    new_figure,
    readable_log,
)
from valleys.book.figures.style import (
    LEARNING_RATE,
    LOSS,
    NEUTRAL,
    THEORY,
    TIME_MAP,
    learning_rate_colours,
)

STAGES = {"before": "before", "at": "at freezing", "after": "after"}
TIME = "training time η·step"
CARD = (8.6, 6.2)


@finished
def mean_lines(courses: xr.Dataset, cells: Mapping[str, Mapping[str, float]]) -> Figure:
    """Mean loss on the line from one step to the next, as a share of that at its ends, one colour a
    window: a panel for each named cell.

    `courses` has profile (batch_size, learning_rate, window, fraction), window_time and
    freezing_time.
    """
    figure, panels = new_figure(1, len(cells), (8.6, 3.6), squeeze=False)
    shade = _shade_of_times(courses, cells)
    for axes, (name, place) in zip(panels[0], cells.items(), strict=True):
        cell = courses.sel(place)
        for window in each(cell, "window"):
            ends = float(window.profile[[0, -1]].mean())
            axes.plot(
                courses.fraction,
                100 * (window.profile / ends - 1),
                color=shade.to_rgba(max(_relative_time(window), shade.norm.vmin)),
                linewidth=1.3,
            )
        axes.axhline(0, color=NEUTRAL, linewidth=0.8, linestyle=":")
        axes.set(title=f"{name}\n{_words(place)}", xlabel="fraction of the step", ylabel="[%]")
    panels[0, 0].set_ylabel("loss against that at the ends [%]")
    figure.colorbar(shade, ax=panels, label="time / freezing time")
    return figure


@finished
def bouncing(courses: xr.Dataset) -> Figure:
    """Share of steps with a floor between their ends, and mean cosine of successive updates,
    against time; a column for each batch size.
    """
    figure, panels = _by_batch_size(courses, ("slope_share", "cosine"))
    panels[0, 0].set(ylabel="steps with a floor [share]")
    panels[1, 0].set(ylabel="cosine of successive updates")
    for axes in panels[0]:
        axes.set_ylim(-0.03, 1.03)
    for axes in panels[1]:
        axes.axhline(0, color=NEUTRAL, linewidth=0.8)
    return figure


@finished
def bowl_law(courses: xr.Dataset) -> Figure:
    """Cosine that the landscape makes against what a bowl of the measured curvature has, a point
    for each window of each setting with mini-batches.

    `courses` has landscape_cosine and bowl_cosine (batch_size, learning_rate, window), window_time
    and freezing_time.
    """
    figure, panels = new_figure(1, 2, WIDE, sharex=True, sharey=True)
    for axes, title, late in zip(
        panels, ("before freezing", "after freezing"), (False, True), strict=True
    ):
        for setting in (
            cell
            for of_size in each(courses, "batch_size")
            for cell in each(of_size, "learning_rate")
        ):
            chosen = (setting.window_time >= setting.freezing_time) == late
            values = setting.isel(window=np.flatnonzero(chosen & (setting.window_time > 0)))
            axes.plot(
                values.bowl_cosine,
                values.landscape_cosine,
                **_look(courses, setting.batch_size.item(), setting.learning_rate.item()),
                linestyle="none",
            )
        lowest = 1.05 * float(courses.bowl_cosine.min())
        axes.plot([lowest, 0], [lowest, 0], color=THEORY, linestyle="--", linewidth=1)
        axes.set(title=title, xlabel="$-$η · curvature along the step / 2")
    panels[0].set_ylabel("cosine, landscape part")
    legend_below(figure, _settings(courses), columns=4)
    return figure


@finished
def heights(courses: xr.Dataset) -> Figure:
    """How far the loss sags between steps, and the same as a share of the loss, against time; a
    column for each batch size.
    """
    figure, panels = _by_batch_size(courses, ("sag", "relative_sag"), yscale="log")
    panels[0, 0].set(ylabel="sag of the line")
    panels[1, 0].set(ylabel="sag / loss")
    return figure


@finished
def distances(courses: xr.Dataset) -> Figure:
    """Distance from initialization against time, whole network and second layer; a column for
    each batch size.
    """
    figure, panels = _by_batch_size(
        courses.isel(window=slice(1, None)), ("distance", "distance_second"), yscale="log"
    )
    for axes in panels.flat:
        readable_log(axes)
    panels[0, 0].set(ylabel="distance, whole network")
    panels[1, 0].set(ylabel="distance, second layer")
    return figure


@finished
def floor_scans(courses: xr.Dataset, place: Mapping[str, float]) -> Figure:
    """Mean loss on straight lines between floors of one cell: from each window's floor to the
    run's last, and to those of other runs in that window.
    """
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    cell, shade = courses.sel(place), _shade_of_times(courses, {"": place})
    for axes, name in zip(panels, ("along", "across"), strict=True):
        for window in each(cell, "window"):
            axes.plot(
                courses.fraction,
                window[name],
                color=shade.to_rgba(max(_relative_time(window), shade.norm.vmin)),
                linewidth=1.3,
            )
        axes.set(yscale="log")
    panels[0].set(
        title="one run: to its last floor", xlabel="fraction of the way", ylabel="training loss"
    )
    panels[1].set(title="two runs: floor to floor", xlabel="fraction of the way")
    figure.colorbar(shade, ax=panels, label="time / freezing time")
    return figure


@finished
def walls_and_heights(courses: xr.Dataset, places: Sequence[Mapping[str, float]]) -> Figure:
    """Mean hill between the floors of different runs, and mean height of their steps above the
    floor of the line, against time; a panel for each cell.
    """
    figure, panels = new_figure(1, len(places), WIDE, sharey=True, squeeze=False)
    for axes, place in zip(panels[0], places, strict=True):
        cell = courses.sel(place)
        axes.set(xscale="log", yscale="log", title=_words(place), xlabel=TIME)
        _course(axes, cell, "wall", LOSS)
        _course(axes, cell, "height", NEUTRAL, linestyle="--")
    panels[0, 0].set_ylabel("training loss")
    legend(
        panels[0, 0],
        {
            "wall between runs": {"color": LOSS},
            "height of the steps": {"color": NEUTRAL, "linestyle": "--"},
        },
        loc="lower left",
    )
    return figure


@finished
def around_freezing(changes: xr.Dataset, labels: Mapping[str, str]) -> Figure:
    """Change of quantities over equal ratios of time before, at and after each run's freezing time,
    a point for each setting.

    `changes` is what `freezing_changes` gives; `labels` names each quantity and what stands at its
    axis.
    """
    figure, panels = new_figure(1, len(labels), (8.6, 3.9), squeeze=False)
    settings = [
        (size, rate) for size in changes.batch_size.values for rate in changes.learning_rate.values
    ]
    shifts = dict(
        zip(
            settings,
            np.linspace(-0.3, 0.3, len(settings)) if len(settings) > 1 else [0.0],
            strict=True,
        )
    )
    for axes, (name, label) in zip(panels[0], labels.items(), strict=True):
        for (size, rate), shift in shifts.items():
            cell = changes.sel(batch_size=size, learning_rate=rate)
            ends = np.nan_to_num(
                bars(cell[name].values, cell[f"{name}_low"].values, cell[f"{name}_high"].values)
            )
            axes.errorbar(
                np.arange(3) + shift,
                cell[name].values,
                ends,
                linestyle="none",
                capsize=0,
                linewidth=1.1,
                markersize=4,
                **_look(changes, size, rate),
            )
        axes.axhline(0, color=NEUTRAL, linewidth=0.8, linestyle=":")
        axes.set_xticks(range(3), list(STAGES.values()))
        axes.set(xlabel="around the freezing time", ylabel=label)
    legend_below(figure, _settings(changes), columns=4)
    return figure


def _by_batch_size(
    courses: xr.Dataset, names: tuple[str, str], *, yscale: str = "linear"
) -> tuple[Figure, Any]:
    """A row for each name, a column for each batch size, a line with its band for each learning
    rate, a tick at each freezing time.
    """
    figure, panels = new_figure(
        2, courses.sizes["batch_size"], CARD, sharex=True, sharey="row", squeeze=False
    )
    colours = learning_rate_colours(courses.learning_rate.values)
    for axes in panels.flat:
        axes.set(xscale="log", yscale=yscale)
    for column, of_size in zip(panels.T, each(courses, "batch_size"), strict=True):
        column[0].set_title(f"B = {of_size.batch_size.item():g}")
        column[1].set_xlabel(TIME)
        for cell in each(of_size, "learning_rate"):
            for axes, name in zip(column, names, strict=True):
                _course(axes, cell, name, colours[float(cell.learning_rate)])
    legend(
        panels[0, 0],
        {f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()},
        loc="best",
    )
    return figure, panels


def _course(axes: Axes, cell: xr.Dataset, name: str, colour: Any, linestyle: str = "-") -> None:
    # the start has no place on a logarithmic axis
    after = cell.isel(window=slice(1, None)) if float(cell.window_time[0]) == 0 else cell
    values = after[name].where(after[name] > 0) if axes.get_yscale() == "log" else after[name]
    axes.plot(
        after.window_time,
        values,
        color=colour,
        linestyle=linestyle,
        linewidth=1.4,
        marker="o",
        markersize=3,
    )
    axes.fill_between(
        after.window_time,
        after[f"{name}_low"],
        after[f"{name}_high"],
        color=colour,
        alpha=0.25,
        linewidth=0,
    )
    if np.isfinite(cell.freezing_time):
        axes.axvline(float(cell.freezing_time), color=colour, linewidth=0.8, linestyle=":")


def _shade_of_times(
    courses: xr.Dataset, cells: Mapping[str, Mapping[str, float]]
) -> ScalarMappable:
    """Colours of the time over the freezing time, from the first window after the start."""
    known = [
        _relative_time(window)
        for place in cells.values()
        for window in each(courses.sel(place).isel(window=slice(1, None)), "window")
    ]
    finite = [each for each in known if np.isfinite(each)] or [0.1, 1.0]
    return ScalarMappable(norm=LogNorm(min(finite), max(finite)), cmap=TIME_MAP)


def _relative_time(window: xr.Dataset) -> float:
    return float(window.window_time / window.freezing_time)


def _words(place: Mapping[str, float]) -> str:
    return f"B = {place['batch_size']:g}, η = {place['learning_rate']:g}"


def _look(changes: xr.Dataset, size: float, rate: float) -> dict[str, Any]:
    return {
        "color": LEARNING_RATE(float(rate)),
        "marker": batch_size_markers(changes.batch_size.values)[int(size)],
    }


def _settings(found: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Entries of a legend of learning rates and batch sizes."""
    colours, markers = (
        learning_rate_colours(found.learning_rate.values),
        batch_size_markers(found.batch_size.values),
    )
    entries: dict[str, dict[str, Any]] = {
        f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()
    }
    return entries | {
        f"B = {size}": {"color": NEUTRAL, "marker": marker, "linestyle": "none"}
        for size, marker in markers.items()
    }
