"""Figures of the chapter on the walk from step to step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    WIDE,
    band,
    bars,
    dots,
    each,
    each_setting,
    finished,
    legend,
    legend_below,
    new_figure,
    rate_entries,
    readable_log,
    setting_entries,
    setting_look,
)
from valleys.book.figures.drawing.style import (
    HALO,
    LEARNING_RATE,
    LOSS,
    NEUTRAL,
    THEORY,
    TIME_MAP,
)

STAGES = {"before": "before", "at": "at freezing", "after": "after"}
TIME = "training time η·step"
BESIDE = 0.12  # of the mark of a stage: one setting to its left, all to its right
OTHERS: dict[str, Any] = dots(color=NEUTRAL, markersize=4, alpha=0.7)


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
        for window in each(courses.sel(place), "window"):
            ends = float(window.profile[[0, -1]].mean())
            change = 100 * (window.profile / ends - 1)
            axes.plot(courses.fraction, change, color=_shade(shade, window), linewidth=1.3)
        axes.axhline(0, color=NEUTRAL, linewidth=0.8, linestyle=":")
        axes.set(title=f"{name}\n{_words(place)}", xlabel="fraction of the step", ylabel="[%]")
    panels[0, 0].set_ylabel("loss against that at the ends [%]")
    figure.colorbar(shade, ax=panels, label="time / freezing time")
    return figure


@finished
def bouncing(courses: xr.Dataset) -> Figure:
    """Share of steps with a floor between their ends, with the smallest batches and with the
    largest, and mean cosine of successive updates with the smallest, against time.
    """
    figure, panels = new_figure(1, 3, WIDE, sharex=True)
    wild, calm = (courses.sel(batch_size=[end(courses.batch_size)]) for end in (min, max))
    shown = ((wild, "slope_share"), (calm, "slope_share"), (wild, "cosine"))
    for axes, (of_size, name) in zip(panels, shown, strict=True):
        _courses(axes, of_size.squeeze("batch_size"), name)
    for axes in panels[:2]:
        axes.set(ylim=(-0.03, 1.03), ylabel="steps with a floor [share]")
    panels[2].axhline(0, color=NEUTRAL, linewidth=0.8)
    panels[2].set_ylabel("cosine of successive updates")
    _name_rates(figure, courses)
    return figure


@finished
def bowl_law(courses: xr.Dataset) -> Figure:
    """Cosine that the landscape makes against what a bowl of the measured curvature has, a point
    for each window of each setting with mini-batches.

    `courses` has landscape_cosine and bowl_cosine (batch_size, learning_rate, window), window_time
    and freezing_time.
    """
    figure, panels = new_figure(1, 2, WIDE, sharex=True, sharey=True)
    lowest = 1.05 * float(courses.bowl_cosine.min())
    for axes, part, is_late in zip(panels, ("before", "after"), (False, True), strict=True):
        for setting in each_setting(courses):
            chosen = (setting.window_time >= setting.freezing_time) == is_late
            values = setting.isel(window=np.flatnonzero(chosen & (setting.window_time > 0)))
            look = dots(**setting_look(courses, setting))
            axes.plot(values.bowl_cosine, values.landscape_cosine, **look)
        axes.plot([lowest, 0], [lowest, 0], color=THEORY, linestyle="--", linewidth=1)
        axes.set(title=f"{part} freezing", xlabel="$-$η · curvature along the step / 2")
    panels[0].set_ylabel("cosine, landscape part")
    legend_below(figure, setting_entries(courses), columns=4)
    return figure


@finished
def heights(courses: xr.Dataset) -> Figure:
    """How far the loss sags between steps, as a share of the loss, against time; a column for each
    batch size.
    """
    figure, panels = _by_batch_size(courses, "relative_sag")
    panels[0].set(ylabel="sag / loss")
    return figure


@finished
def distances(courses: xr.Dataset) -> Figure:
    """Distance of all weights from initialization against time; a column for each batch size."""
    figure, panels = _by_batch_size(courses.isel(window=slice(1, None)), "distance")
    for axes in panels:
        readable_log(axes)
    panels[0].set(ylabel="distance from the start")
    return figure


@finished
def floor_scans(courses: xr.Dataset, place: Mapping[str, float]) -> Figure:
    """Mean loss on straight lines between floors of one cell: from each window's floor to the
    run's last, and to those of other runs in that window.
    """
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    shade = _shade_of_times(courses, {"": place})
    titles = {"along": "one run: to its last floor", "across": "two runs: floor to floor"}
    for axes, (name, title) in zip(panels, titles.items(), strict=True):
        for window in each(courses.sel(place), "window"):
            axes.plot(courses.fraction, window[name], color=_shade(shade, window), linewidth=1.3)
        axes.set(yscale="log", title=title, xlabel="fraction of the way")
    panels[0].set_ylabel("training loss")
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
def around_freezing(
    changes: xr.Dataset, titles: Mapping[str, str], place: Mapping[str, float]
) -> Figure:
    """Change of quantities over equal ratios of time before, at and after each run's freezing time:
    a large point with its interval for one setting, small ones for the others.

    `changes` is what `freezing_changes` gives; `titles` names each quantity and its panel.
    """
    figure, panels = new_figure(1, len(titles), (8.6, 3.6), squeeze=False)
    one = changes.sel(place)
    chosen: dict[str, Any] = dots(color=LEARNING_RATE(place["learning_rate"]), markersize=8)
    for axes, (name, title) in zip(panels[0], titles.items(), strict=True):
        for setting in each_setting(changes):
            axes.plot(np.arange(3) + BESIDE, setting[name], **OTHERS)
        _changes(axes, one, name, **chosen)
        axes.axhline(0, color=NEUTRAL, linewidth=0.8, linestyle=":")
        axes.set_xticks(range(3), list(STAGES.values()))
        axes.set(title=title, xlabel="around the freezing time", xlim=(-0.5, 2.5))
    panels[0, 0].set_ylabel("change over one ratio of times")
    legend_below(figure, {_words(place): chosen, "each setting": OTHERS}, columns=2)
    return figure


def _changes(axes: Axes, setting: xr.Dataset, name: str, **look: Any) -> None:
    """How one setting changes, with its intervals."""
    value, low, high = (setting[f"{name}{end}"].values for end in ("", "_low", "_high"))
    axes.errorbar(
        np.arange(3) - BESIDE, value, np.nan_to_num(bars(value, low, high)), capsize=3, **look
    )


def _by_batch_size(courses: xr.Dataset, name: str) -> tuple[Figure, Any]:
    """A quantity on a logarithmic axis, a panel for each batch size."""
    n_sizes = courses.sizes["batch_size"]
    figure, panels = new_figure(1, n_sizes, WIDE, sharex=True, sharey=True, squeeze=False)
    for axes, of_size in zip(panels[0], each(courses, "batch_size"), strict=True):
        axes.set_yscale("log")
        _courses(axes, of_size, name)
    _name_rates(figure, courses)
    return figure, panels[0]


def _courses(axes: Axes, of_size: xr.Dataset, name: str) -> None:
    """A line with its band for each learning rate, a dot where its runs freeze."""
    axes.set(xscale="log", title=f"B = {of_size.batch_size.item():g}", xlabel=TIME)
    for cell in each(of_size, "learning_rate"):
        _course(axes, cell, name, LEARNING_RATE(float(cell.learning_rate)))


def _name_rates(figure: Figure, courses: xr.Dataset) -> None:
    """Learning rates by their colours, and what a dot is."""
    entries = rate_entries(courses) | {"runs freeze": dots(color=NEUTRAL, markersize=7)}
    legend_below(figure, entries, columns=len(entries))


def _course(axes: Axes, cell: xr.Dataset, name: str, colour: str, linestyle: str = "-") -> None:
    # the start has no place on a logarithmic axis
    after = cell.isel(window=slice(1, None)) if float(cell.window_time[0]) == 0 else cell
    values = after[name].where(after[name] > 0) if axes.get_yscale() == "log" else after[name]
    axes.plot(after.window_time, values, color=colour, linestyle=linestyle, linewidth=1.6)
    band(axes, after, "window_time", name, color=colour)
    _mark_freezing(axes, after.window_time.values, values.values, float(cell.freezing_time), colour)


def _mark_freezing(
    axes: Axes, times: np.ndarray, values: np.ndarray, freezing: float, colour: str
) -> None:
    """A dot on a course where the runs freeze, if they do."""
    known = np.isfinite(values)
    if np.isfinite(freezing) and known.any():
        is_log = axes.get_yscale() == "log"
        heights = np.log(values[known]) if is_log else values[known]
        height = np.interp(np.log(freezing), np.log(times[known]), heights)
        look: dict[str, Any] = {"color": colour, "markeredgecolor": HALO, "markersize": 7}
        axes.plot(freezing, np.exp(height) if is_log else height, "o", **look)


def _shade(shade: ScalarMappable, window: xr.Dataset) -> Any:
    """The colour of a window; before the first one of the scale, that of the first."""
    earliest, _ = shade.get_clim()
    time: Any = max(_relative_time(window), earliest or 0.0)  # numbers do, beside arrays
    return shade.to_rgba(time)


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
