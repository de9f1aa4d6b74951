"""Figures of runs as the model sees them: noise and curvature, timescales, stability."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    WIDE,
    band,
    bars,
    batch_size_markers,
    dots,
    each,
    each_setting,
    finished,
    label_level,
    legend,
    legend_below,
    log_log,
    new_figure,
    rate_entries,
    readable_log,
)
from valleys.book.figures.drawing.style import (
    HALO,
    LEARNING_RATE,
    NEUTRAL,
    NOTE,
    THEORY,
    batch_size_colours,
)

STAGE_MAP = ("#7B4FB0", "#21918C", "#B5A900")  # early, freezing, late
RESHUFFLED, INDEPENDENT = "#B58900", "#009E73"  # the two ways to draw mini-batches
DRAW_COLOURS = {"reshuffled": RESHUFFLED, "independent": INDEPENDENT}
EDGE = 2.0


@finished
def noise_directions(cell: xr.Dataset) -> Figure:
    """Noise variance against curvature along the leading directions of one setting, a colour a
    stage, every run; dashed: proportional noise.

    `cell` has curvature and noise (realization, stage, direction), bulk_curvature_at, bulk_noise_at
    and noise_per_curvature_at.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.8))
    entries = {}
    for colour, marker, stage in zip(STAGE_MAP, "os^", each(cell, "stage"), strict=False):
        _directions(axes, stage, colour, marker)
        entries[_stage_label(stage.stage.item())] = dots(color=colour, marker=marker)
    log_log(axes, "curvature λ", "noise variance of one image, $v^T Σ v$")
    entries["mean of all other directions"] = dots(color=NOTE, markerfacecolor="none", markersize=9)
    entries["noise ∝ curvature"] = {"color": THEORY, "linestyle": "--", "linewidth": 1}
    legend(axes, entries, loc="upper left")
    return figure


def _directions(axes: Axes, stage: xr.Dataset, colour: str, marker: str) -> None:
    """Every leading direction, the mean of all others, and the line of proportional noise."""
    look = {"color": colour, "markersize": 3.5, "alpha": 0.6, "markeredgewidth": 0}
    axes.plot(stage.curvature.values.ravel(), stage.noise.values.ravel(), marker, **look)
    look = {"color": colour, "markersize": 9, "markerfacecolor": "none"}
    axes.plot(stage.bulk_curvature_at, stage.bulk_noise_at, marker, **look)
    ends = np.array([float(stage.bulk_curvature_at.mean()), float(stage.curvature.max())])
    level = float(stage.noise_per_curvature_at.mean())
    axes.plot(ends, level * ends, color=THEORY, linestyle="--", linewidth=1)


@finished
def alignment_course(course: xr.Dataset) -> Figure:
    """Cosine between noise and Hessian, and exponent of the noise in the curvature, along
    training at one η; one colour a batch size.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    colours = batch_size_colours(course.batch_size.values)
    for cell in each(course, "batch_size"):
        size = int(cell.batch_size)
        for axes, name in ((left, "cosine"), (right, "exponent")):
            _course(axes, cell, name, color=colours[size], label=f"B = {size}")
        look = {"color": colours[size], "linestyle": ":", "linewidth": 1}
        left.plot(cell.time, cell.isotropic_cosine, **look)
    label_level(left, "isotropic noise", float(course.isotropic_cosine[0, -1]), (-2, 6))
    for power, law in ((1, "λ"), (2, "λ²")):
        right.axhline(power, color=THEORY, linestyle="--", linewidth=1)
        label_level(right, f"noise ∝ ${law}$", power, (-2, -13))
    left.set(ylim=(0, 1.02), ylabel="cosine between Σ and H")
    lowest = min(0.85, 0.97 * float(course.exponent.min()))
    right.set(ylabel="exponent $p$", ylim=(lowest, 2.1))
    for axes in (left, right):
        _time_axis(axes, course)
    left.legend(loc="center left")
    return figure


@finished
def noise_strength_course(found: xr.Dataset, level: float) -> Figure:
    """Noise per curvature against training loss, every run and record of every setting, one
    colour a batch size; dashed: proportional to the loss.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.4))
    looks = _size_looks(found)
    for cell in each(found.transpose(..., "record"), "batch_size"):
        x, y = cell.train_loss.values.ravel(), cell.noise_per_curvature.values.ravel()
        look = {"linestyle": "none", "markersize": 3.5, "alpha": 0.6}
        axes.plot(x, y, **(looks[int(cell.batch_size)] | look))
    _proportional_to_loss(axes, found, level)
    log_log(axes, "training loss", "noise per curvature, $2σ$ / batch factor")
    axes.axhline(1, color=NEUTRAL, linestyle=":", linewidth=1.2)
    axes.invert_xaxis()
    entries = {f"B = {size}": dots(**look) for size, look in looks.items()} | {
        "∝ loss": {"color": THEORY, "linestyle": "--"},
        "labels drawn from the network": {"color": NEUTRAL, "linestyle": ":"},
    }
    legend(axes, entries, loc="lower left")
    return figure


def _proportional_to_loss(axes: Axes, found: xr.Dataset, level: float) -> None:
    """A line through the middle of what lies below a level of the loss."""
    low = float(found.train_loss.min())
    late = found.noise_per_curvature.where(found.train_loss < level)
    start = float(np.exp(np.log(late / found.train_loss).mean()))
    ends = [start * low, start * level]
    axes.plot([low, level], ends, color=THEORY, linestyle="--", linewidth=1.2)


@finished
def forgetting(followed: xr.Dataset, stage: str) -> Figure:
    """Steps after which copies forget, and how far they scatter, against curvature, mean over runs
    at one stage; dashed: the parabola.

    Filled: directions of the whole network. Open: of the second layer. Colour: how mini-batches are
    drawn.
    """
    figure, panels = new_figure(1, 2, (8.6, 4.2))
    late = followed.sel(stage=stage)
    for axes, name in zip(panels, ("relaxation", "scatter"), strict=True):
        for draw, colour in DRAW_COLOURS.items():
            _against_curvature(axes, late.sel(draw=draw), name, colour)
        axes.set(xscale="log", yscale="log", xlabel="curvature λ")
    panels[0].set(ylabel="memory [steps]")
    panels[1].set(ylabel="variance over copies")
    entries = {draw: dots(color=colour) for draw, colour in DRAW_COLOURS.items()} | {
        "whole network": dots(color=NOTE),
        "second layer": dots(color=NOTE, markerfacecolor="none"),
        "parabola": {"color": THEORY, "linestyle": "--"},
    }
    legend_below(figure, entries, columns=5)
    return figure


@finished
def separation(course: xr.Dataset, windows: Sequence[xr.Dataset], model: float) -> Figure:
    """Fast over slow time along training, a line for each setting, coloured by η, and where copies
    were followed, with 95 % intervals.

    `course` has ratio and time (batch_size, learning_rate, interval); each of `windows` has
    `layer_ratio`, `network_ratio` with `_low` and `_high` and stage_time by stage. Dashed: the
    ratio of the `model`.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.4))
    for cell in each_setting(course):
        colour = LEARNING_RATE(float(cell.learning_rate))
        axes.plot(cell.time, cell.ratio, color=colour, linewidth=0.9, alpha=0.7)
    for window in windows:
        for name, fill in (("layer_ratio", "full"), ("network_ratio", "none")):
            _followed(axes, window, name, fillstyle=fill)
    axes.axhline(model, color=THEORY, linestyle="--", linewidth=1)
    label_level(axes, "the model, at most", model, (0, 3), place=0.92, color=NOTE)
    log_log(axes, "training time η·step", "relaxation time / drift time")
    is_drawn = np.isfinite(course.ratio).any(["batch_size", "interval"])
    entries = rate_entries(course.isel(learning_rate=np.flatnonzero(is_drawn))) | {
        "second layer": dots(color=NOTE, markersize=7),
        "whole network": dots(color=NOTE, markersize=7, fillstyle="none"),
    }
    legend(axes, entries, loc="upper right", ncols=2)
    return figure


def _followed(axes: Axes, window: xr.Dataset, name: str, **look: Any) -> None:
    """A ratio of times where copies were followed, with its intervals."""
    value, low, high = (window[f"{name}{end}"].values for end in ("", "_low", "_high"))
    look |= {"color": LEARNING_RATE(float(window.learning_rate)), "capsize": 3, "zorder": 3}
    times, ends = window.stage_time.values, bars(value, low, high)
    axes.errorbar(times, value, ends, **dots(markersize=7, **look))


@finished
def sharpness(course: xr.Dataset, frozen: xr.DataArray, batch_sizes: Sequence[int]) -> Figure:
    """Largest curvature of the whole network times η along training, a panel a batch size, a colour
    a learning rate; dashed: where steps stop being stable; a dot where the runs freeze, at the
    times of `frozen` (batch_size, learning_rate). Settings that never freeze are left out.
    """
    figure, panels = new_figure(1, len(batch_sizes), WIDE, sharey=True, squeeze=False)
    largest = int(course.batch_size.max())
    for axes, size in zip(panels[0], batch_sizes, strict=True):
        times = frozen.sel(batch_size=size).dropna("learning_rate")
        for rate in times.learning_rate.values.tolist():
            cell = course.sel(batch_size=size, learning_rate=rate)
            look = {"color": LEARNING_RATE(rate), "label": f"η = {rate:g}"}
            _course(axes, cell, "scaled_sharpness", **look)
            _mark_freezing(axes, cell, float(times.sel(learning_rate=rate)))
        axes.axhline(EDGE, color=THEORY, linestyle="--", linewidth=1)
        readable_log(axes)
        axes.set_title(f"B = {size}{', gradient descent' if size == largest else ''}")
        _time_axis(axes, course)
    panels[0, 0].set_ylabel("η · largest curvature")
    shown = frozen.sel(batch_size=list(batch_sizes)).dropna("learning_rate", how="all")
    legend(panels[0, -1], rate_entries(shown), loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _mark_freezing(axes: Axes, cell: xr.Dataset, time: float) -> None:
    """A dot on the course of the sharpness where the runs freeze."""
    known = np.isfinite(cell.scaled_sharpness)
    heights = np.log(cell.scaled_sharpness[known])
    height = np.exp(np.interp(time, cell.time[known], heights))
    look = {"color": LEARNING_RATE(float(cell.learning_rate)), "markeredgecolor": HALO}
    axes.plot(time, height, "o", markersize=8, zorder=4, **look)


@finished
def stable_runs(summary: xr.Dataset) -> Figure:
    """Freezing time and final flatness against learning rate, a colour a batch size; filled where
    no record of any run lies beyond 2/η.

    `summary` has freezing_time and flatness with `_low` and `_high`, and `highest`, the highest ηλ
    of any run (batch_size, learning_rate); learning rates of which no setting freezes are left out.
    """
    figure, panels = new_figure(1, 2, WIDE)
    summary = summary.dropna("learning_rate", how="all", subset=["freezing_time"])
    looks = _size_looks(summary)
    for axes, name in zip(panels, ("freezing_time", "flatness"), strict=True):
        for row in each(summary, "batch_size"):
            look = looks[int(row.batch_size)]
            axes.plot(row.learning_rate, row[name], color=look["color"], linewidth=0.9)
            for cell in each(row, "learning_rate"):
                _filled_where_stable(axes, cell, name, **look)
        _rate_axis(axes, summary.learning_rate.values)
    panels[0].set_ylabel("freezing time η·step")
    readable_log(panels[1])
    panels[1].set_ylabel("final flatness $F$")
    entries = {f"B = {size}": look for size, look in looks.items()} | {
        "stable throughout": dots(color=NOTE),
        "beyond 2/η at times": dots(color=NOTE, fillstyle="none"),
    }
    legend_below(figure, entries, columns=6)
    return figure


def _filled_where_stable(axes: Axes, cell: xr.Dataset, name: str, **look: Any) -> None:
    """A mean with its interval; open where some record lies beyond the edge of stability."""
    value, low, high = (float(cell[f"{name}{end}"]) for end in ("", "_low", "_high"))
    ends = np.nan_to_num(bars(np.array([value]), low, high))
    fill = "full" if float(cell.highest) < EDGE else "none"
    options = {"fillstyle": fill, "markersize": 7, "capsize": 3, "linewidth": 1.2}
    axes.errorbar(float(cell.learning_rate), value, ends, **(look | options))


def _rate_axis(axes: Axes, rates: np.ndarray) -> None:
    """Learning rates on a logarithmic axis, each with its number."""
    axes.set(xscale="log", xlabel="learning rate η")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates], minor=False)
    axes.set_xticks([], minor=True)


def _size_looks(found: xr.Dataset) -> dict[int, dict[str, Any]]:
    """Colour and marker of each batch size."""
    colours = batch_size_colours(found.batch_size.values)
    markers = batch_size_markers(found.batch_size.values)
    return {int(size): {"color": colours[size], "marker": markers[int(size)]} for size in colours}


def _stage_label(stage: str) -> str:
    return "end" if stage == "end" else f"at {stage}"


def _course(axes: Axes, cell: xr.Dataset, name: str, *, color: str, label: str) -> None:
    """A mean along training with its interval, from the first record after the start."""
    later = cell.isel(record=slice(1, None))
    axes.plot(later.time, later[name], color=color, label=label)
    band(axes, later, "time", name, color=color, alpha=0.2)


def _time_axis(axes: Axes, course: xr.Dataset) -> None:
    times = course.time.values
    limits = times[times > 0].min(), times.max() * 1.05
    axes.set(xscale="log", xlim=limits, xlabel="training time η·step")


def _against_curvature(axes: Axes, late: xr.Dataset, name: str, colour: str) -> None:
    """A quantity by direction, mean over runs: filled for the whole network, with the
    parabola's, and open for the second layer.
    """
    for prefix, fill, size in (("", "none", 3.5), ("network_", "full", 6)):
        bent = late[f"{prefix}curvature"].mean("realization")
        values = late[f"{prefix}{name}"]
        middle = values.where(np.isfinite(values)).median("realization")
        look = {"color": colour, "fillstyle": fill, "markersize": size, "markeredgewidth": 0.8}
        axes.plot(bent, middle, "o", **look)
    expected = late[f"network_expected_{name}"].mean("realization")
    bent = late["network_curvature"].mean("realization")
    axes.plot(bent, expected, color=THEORY, linestyle="--", linewidth=1.2, zorder=1)
