"""Figures of the chapter on the model's assumptions: noise and curvature, timescales, stability."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
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
    HALO,
    LEARNING_RATE,
    NEUTRAL,
    NOTE,
    THEORY,
    batch_size_colours,
    learning_rate_colours,
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
    for colour, marker, stage in zip(STAGE_MAP, "os^", each(cell, "stage"), strict=False):
        axes.plot(
            stage.curvature.values.ravel(),
            stage.noise.values.ravel(),
            marker,
            color=colour,
            markersize=3.5,
            alpha=0.6,
            markeredgewidth=0,
        )
        axes.plot(
            stage.bulk_curvature_at,
            stage.bulk_noise_at,
            marker,
            color=colour,
            markersize=9,
            markerfacecolor="none",
        )
        ends = np.array([float(stage.bulk_curvature_at.mean()), float(stage.curvature.max())])
        axes.plot(
            ends,
            float(stage.noise_per_curvature_at.mean()) * ends,
            color=THEORY,
            linestyle="--",
            linewidth=1,
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="curvature λ",
        ylabel="noise variance of one image, $v^T Σ v$",
    )
    entries = {
        _stage_label(stage): {"color": colour, "marker": marker, "linestyle": "none"}
        for colour, marker, stage in _stage_looks(cell)
    }
    entries["mean of all other directions"] = {
        "color": NOTE,
        "marker": "o",
        "markerfacecolor": "none",
        "markersize": 9,
        "linestyle": "none",
    }
    legend(
        axes,
        entries | {"noise ∝ curvature": {"color": THEORY, "linestyle": "--", "linewidth": 1}},
        loc="upper left",
    )
    return figure


@finished
def alignment_course(course: xr.Dataset) -> Figure:
    """Cosine between noise and Hessian, and exponent of the noise in the curvature, along
    training at one η; one colour a batch size.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    colours = batch_size_colours(course.batch_size.values)
    for cell in each(course, "batch_size"):
        look = {"color": colours[int(cell.batch_size)], "label": f"B = {int(cell.batch_size)}"}
        _course(left, cell, "cosine", **look)
        left.plot(cell.time, cell.isotropic_cosine, color=look["color"], linestyle=":", linewidth=1)
        _course(right, cell, "exponent", **look)
    left.annotate(
        "isotropic noise",
        (1, float(course.isotropic_cosine[0, -1])),
        (-2, 6),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
    )
    for value in (1, 2):
        right.axhline(value, color=THEORY, linestyle="--", linewidth=1)
        right.annotate(
            f"noise ∝ $λ{'²' if value == 2 else ''}$",
            (1, value),
            (-2, -13),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
        )
    left.set(ylim=(0, 1.02), xlabel="training time η·step", ylabel="cosine between Σ and H")
    right.set(
        xlabel="training time η·step",
        ylabel="exponent $p$",
        ylim=(min(0.85, 0.97 * float(course.exponent.min())), 2.1),
    )
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
    colours, markers = (
        batch_size_colours(found.batch_size.values),
        batch_size_markers(found.batch_size.values),
    )
    for cell in each(found, "batch_size"):
        size = int(cell.batch_size)
        values = cell.transpose(..., "record")
        axes.plot(
            values.train_loss.values.ravel(),
            values.noise_per_curvature.values.ravel(),
            markers[size],
            color=colours[size],
            markersize=3.5,
            alpha=0.6,
        )
    low = float(found.train_loss.min())
    late = found.noise_per_curvature.where(found.train_loss < level)
    start = float(np.exp(np.log(late / found.train_loss).mean()))
    axes.plot(
        [low, level], [start * low, start * level], color=THEORY, linestyle="--", linewidth=1.2
    )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="training loss",
        ylabel="noise per curvature, $2σ$ / batch factor",
    )
    axes.axhline(1, color=NEUTRAL, linestyle=":", linewidth=1.2)
    axes.invert_xaxis()
    entries = {
        f"B = {size}": {"color": colours[size], "marker": markers[size], "linestyle": "none"}
        for size in sorted(colours)
    }
    entries |= {
        "∝ loss": {"color": THEORY, "linestyle": "--"},
        "labels drawn from the network": {"color": NEUTRAL, "linestyle": ":"},
    }
    legend(axes, entries, loc="lower left")
    return figure


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
    entries = {
        f"{draw}": {"color": colour, "marker": "o", "linestyle": "none"}
        for draw, colour in DRAW_COLOURS.items()
    }
    entries |= {"whole network": {"color": NOTE, "marker": "o", "linestyle": "none"}}
    entries |= {
        "second layer": {
            "color": NOTE,
            "marker": "o",
            "markerfacecolor": "none",
            "linestyle": "none",
        }
    }
    legend_below(figure, entries | {"parabola": {"color": THEORY, "linestyle": "--"}}, columns=5)
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
    colours = learning_rate_colours(course.learning_rate.values)
    for cell in (one for row in each(course, "batch_size") for one in each(row, "learning_rate")):
        axes.plot(
            cell.time,
            cell.ratio,
            color=colours[float(cell.learning_rate)],
            linewidth=0.9,
            alpha=0.7,
        )
    for window in windows:
        for name, fill in (("layer_ratio", "full"), ("network_ratio", "none")):
            value, *limits = (window[f"{name}{end}"].values for end in ("", "_low", "_high"))
            colour = LEARNING_RATE(float(window.learning_rate))
            look = {
                "marker": "o",
                "markersize": 7,
                "fillstyle": fill,
                "color": colour,
                "linestyle": "none",
                "capsize": 3,
                "zorder": 3,
            }
            axes.errorbar(window.stage_time.values, value, bars(value, *limits), **look)
    axes.axhline(model, color=THEORY, linestyle="--", linewidth=1)
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
    axes.annotate("the model, at most", (0.92, model), (0, 3), color=NOTE, **place)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="training time η·step",
        ylabel="relaxation time / drift time",
    )
    drawn = [rate for rate in colours if np.isfinite(course.ratio.sel(learning_rate=rate)).any()]
    entries = {f"η = {rate:g}": {"color": colours[rate]} for rate in drawn}
    entries |= {
        "second layer": {"color": NOTE, "marker": "o", "markersize": 7, "linestyle": "none"}
    }
    entries |= {
        "whole network": {
            "color": NOTE,
            "marker": "o",
            "markersize": 7,
            "fillstyle": "none",
            "linestyle": "none",
        }
    }
    legend(axes, entries, loc="upper right", ncols=2)
    return figure


@finished
def sharpness(course: xr.Dataset, frozen: xr.DataArray, batch_sizes: Sequence[int]) -> Figure:
    """Largest curvature of the whole network times η along training, a panel a batch size, a colour
    a learning rate; dashed: where steps stop being stable; a dot where the runs freeze, at the
    times of `frozen` (batch_size, learning_rate).
    """
    figure, panels = new_figure(1, len(batch_sizes), WIDE, sharey=True, squeeze=False)
    colours = learning_rate_colours(course.learning_rate.values)
    for axes, size in zip(panels[0], batch_sizes, strict=True):
        for cell in each(course.sel(batch_size=size), "learning_rate"):
            colour, rate = colours[float(cell.learning_rate)], float(cell.learning_rate)
            _course(axes, cell, "scaled_sharpness", color=colour, label=f"η = {rate:g}")
            freeze = float(frozen.sel(batch_size=size, learning_rate=rate))
            known = np.isfinite(cell.scaled_sharpness)
            if np.isfinite(freeze):
                height = np.exp(
                    np.interp(freeze, cell.time[known], np.log(cell.scaled_sharpness[known]))
                )
                axes.plot(
                    freeze, height, "o", color=colour, markeredgecolor=HALO, markersize=8, zorder=4
                )
        axes.axhline(EDGE, color=THEORY, linestyle="--", linewidth=1)
        readable_log(axes)
        axes.set(
            xlabel="training time η·step",
            title=f"B = {size}"
            + (", gradient descent" if size == int(course.batch_size.max()) else ""),
        )
        _time_axis(axes, course)
    panels[0, 0].set_ylabel("η · largest curvature")
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@finished
def stable_runs(summary: xr.Dataset) -> Figure:
    """Freezing time and final flatness against learning rate, a colour a batch size; filled where
    no record of any run lies beyond 2/η.

    `summary` has freezing_time and flatness with `_low` and `_high`, and `highest`, the highest ηλ
    of any run (batch_size, learning_rate).
    """
    figure, panels = new_figure(1, 2, WIDE)
    colours, markers = (
        batch_size_colours(summary.batch_size.values),
        batch_size_markers(summary.batch_size.values),
    )
    for axes, name in zip(panels, ("freezing_time", "flatness"), strict=True):
        for row in each(summary, "batch_size"):
            size = int(row.batch_size)
            axes.plot(row.learning_rate, row[name], color=colours[size], linewidth=0.9)
            for cell in each(row, "learning_rate"):
                fill = "full" if float(cell.highest) < EDGE else "none"
                ends = bars(
                    np.array([float(cell[name])]),
                    float(cell[f"{name}_low"]),
                    float(cell[f"{name}_high"]),
                )
                look = {
                    "color": colours[size],
                    "marker": markers[size],
                    "fillstyle": fill,
                    "markersize": 7,
                    "capsize": 3,
                    "linewidth": 1.2,
                }
                axes.errorbar(
                    float(cell.learning_rate), float(cell[name]), np.nan_to_num(ends), **look
                )
        axes.set(xscale="log", xlabel="learning rate η")
        axes.set_xticks(
            summary.learning_rate.values,
            [f"{rate:g}" for rate in summary.learning_rate.values],
            minor=False,
        )
        axes.set_xticks([], minor=True)
    panels[0].set_ylabel("freezing time η·step")
    readable_log(panels[1])
    panels[1].set_ylabel("final flatness $F$")
    entries = {
        f"B = {size}": {"color": colours[size], "marker": markers[size]} for size in sorted(colours)
    }
    entries |= {"stable throughout": {"color": NOTE, "marker": "o", "linestyle": "none"}}
    entries |= {
        "beyond 2/η at times": {
            "color": NOTE,
            "marker": "o",
            "fillstyle": "none",
            "linestyle": "none",
        }
    }
    legend(panels[0], entries, loc="upper left")
    return figure


def _stage_looks(cell: xr.Dataset) -> list[tuple[str, str, str]]:
    return list(zip(STAGE_MAP, "os^", cell.stage.values.tolist(), strict=False))


def _stage_label(stage: str) -> str:
    return "end" if stage == "end" else f"at {stage}"


def _course(axes: Axes, cell: xr.Dataset, name: str, **look: object) -> None:
    """A mean along training with its interval, from the first record after the start."""
    later = cell.isel(record=slice(1, None))
    axes.plot(later.time, later[name], **look)
    axes.fill_between(
        later.time,
        later[f"{name}_low"],
        later[f"{name}_high"],
        color=look["color"],
        alpha=0.2,
        linewidth=0,
    )


def _time_axis(axes: Axes, course: xr.Dataset) -> None:
    times = course.time.values
    axes.set(xscale="log", xlim=(times[times > 0].min(), times.max() * 1.05))


def _against_curvature(axes: Axes, late: xr.Dataset, name: str, colour: str) -> None:
    """A quantity by direction, mean over runs: filled for the whole network, with the
    parabola's, and open for the second layer.
    """
    for prefix, fill, size in (("", "none", 3.5), ("network_", "full", 6)):
        bent = late[f"{prefix}curvature"].mean("realization")
        values = late[f"{prefix}{name}"]
        axes.plot(
            bent,
            values.where(np.isfinite(values)).median("realization"),
            "o",
            color=colour,
            fillstyle=fill,
            markersize=size,
            markeredgewidth=0.8,
        )
        if prefix:
            axes.plot(
                bent,
                late[f"{prefix}expected_{name}"].mean("realization"),
                color=THEORY,
                linestyle="--",
                linewidth=1.2,
                zorder=1,
            )
