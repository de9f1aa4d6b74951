"""Figures of the chapter on end points and the landscape between them."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from valleys.book.figures.drawing.parts import (
    WIDE,
    Line,
    band,
    batch_size_markers,
    component_labels,
    dots,
    each,
    finished,
    label_line,
    label_top,
    legend_below,
    new_figure,
    setting_entries,
    setting_look,
    two_above_one,
)
from valleys.book.figures.drawing.style import (
    BATCH_SIZE,
    HALO,
    LOSS,
    NEUTRAL,
    ON_DARK,
    QUANTITY_MAP,
    THEORY,
    TIME_MAP,
)
from valleys.results.estimates import Estimate


class Fit(Line, Protocol):
    """A straight line with the share of variance that it explains."""

    @property
    def r_squared(self) -> Estimate:
        """With its interval."""
        ...


TOWERING = 2  # times the loss at the ends: a barrier that an arrow can show
SMALLEST = 1e-8  # of an axis of eigenvalues, of the largest
ROUNDING = 1e-6  # of the largest eigenvalue: smaller ones are not compared
WALLS = {  # of a measure of walls: colour and label
    "barrier": (NEUTRAL, "above the mean of both ends"),
    "rise": (LOSS, "above the higher end"),
}


@finished
def endpoint_trajectories(found: xr.Dataset) -> Figure:
    """Runs from one start on two principal components, and the ends of the quieter half of them
    magnified: colour is the learning rate, marker the batch size; `found` has position (solution,
    record, …).
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.7), width_ratios=(1.5, 1))
    start = dots(marker="*", color=THEORY)
    for axes, size in ((left, 8), (right, 10)):
        for run in each(found, "solution"):
            look = setting_look(found, run)
            axes.plot(*run.position.values.T, linewidth=1, alpha=0.8, color=look["color"])
            axes.plot(*run.position.values[-1], markeredgecolor=HALO, markersize=size, **look)
    left.plot(*found.position.values[0, 0], **start, markersize=16)
    component_labels(left, found.explained)
    _magnify(left, right, _quiet_ends(found))
    entries = setting_entries(found) | {"start": start | {"markersize": 12}}
    legend_below(figure, entries, columns=5)
    return figure


def _quiet_ends(found: xr.Dataset) -> np.ndarray:
    """Where the half of the runs with the weaker noise end, (run, component)."""
    noise = (found.learning_rate / found.batch_size).values
    return found.position.values[noise <= np.median(noise), -1]


def _magnify(whole: Axes, detail: Axes, ends: np.ndarray) -> None:
    """Let one panel show what lies around some places of another, which frames it."""
    low, high = ends.min(axis=0), ends.max(axis=0)
    half = 0.65 * max(float((high - low).max()), 1e-6)  # of a square
    left, lower = (low + high) / 2 - half
    detail.set(xlim=(left, left + 2 * half), ylim=(lower, lower + 2 * half))
    detail.set(title="around the quiet half", xlabel="component 1", ylabel="component 2")
    detail.locator_params(nbins=4)
    frame = {"edgecolor": NEUTRAL, "linewidth": 1, "fill": False}
    whole.add_patch(Rectangle((left, lower), 2 * half, 2 * half, **frame))


@finished
def endpoint_similarity(found: xr.Dataset) -> Figure:
    """Sim_J between all pairs of end points, on the small and on the full test set; one row and
    column a run, grouped by learning rate.
    """
    figure, panels = new_figure(1, 2, (8.6, 4.2), sharey=True)
    lowest = min(float(found.similarity.min()), float(found.similarity_full.min()))
    for axes, name in zip(panels, ("similarity", "similarity_full"), strict=True):
        image = axes.imshow(found[name], cmap=QUANTITY_MAP, vmin=lowest, vmax=1)
        _group_ticks(axes, found.learning_rate.values)
    panels[0].set(title="small test set", ylabel="learning rate η")
    panels[1].set(title="all test images")
    figure.colorbar(image, ax=panels, label="Jaccard similarity $Sim_J$", shrink=0.8)
    return figure


@finished
def interpolation(found: xr.Dataset) -> Figure:
    """Training loss along the straight line between two runs, one curve a record; `found` has
    path_loss (pair, record, fraction).
    """
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    shade = ScalarMappable(Normalize(0, 1), TIME_MAP)
    for axes, pair in zip(panels, each(found, "pair"), strict=True):
        for record, share in zip(
            each(pair, "record"), np.linspace(0, 1, pair.sizes["record"]), strict=True
        ):
            axes.plot(found.fraction, record.path_loss, color=shade.to_rgba(share), linewidth=1.2)
        axes.plot(found.fraction, pair.path_loss[-1], color=THEORY, linewidth=2, linestyle="--")
        _barrier(axes, pair.path_loss[-1])
        i, j = pair.pair_member.values
        axes.set(
            title=f"{pair.pair.item()}: $Sim_J$ = {float(found.similarity[i, j]):.2f}",
            xlabel="position α on the line",
            yscale="log",
        )
    panels[0].set_ylabel("training loss")
    figure.colorbar(shade, ax=panels, label="training time $t/t_{max}$")
    return figure


def _barrier(axes: Axes, loss: xr.DataArray) -> None:
    """An arrow from the mean of both ends up to the highest loss, where it is seen."""
    mean, top = float(loss[[0, -1]].mean()), float(loss.max())
    if top < TOWERING * mean:
        return
    place = float(loss.fraction[int(np.argmax(loss.values))])
    arrow: Any = {"arrowstyle": "<->", "color": THEORY, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (place, top), (place, mean), arrowprops=arrow)
    label_line(axes, "barrier", (place, (mean * top) ** 0.5), THEORY, (6, 0), ha="left")


@finished
def wall_times(found: xr.Dataset, training: xr.Dataset) -> Figure:
    """Mean height of the walls, and the share that stands for good, with 95 % bands, along
    training.

    Args:
        found: from `studies.walls`.
        training: train_loss (solution, record) of the same runs.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    for measure in each(found, "measure"):
        _walls(left, measure, "height")
        _walls(right, measure, "standing")
    fitted = (found.fitted.values[:, None] <= found.time.values).mean(axis=0)
    right.plot(found.time, fitted, color=THEORY, linestyle="--")
    loss = training.train_loss.mean("solution")
    left.plot(found.time, loss, color=THEORY, linestyle="--")
    # there may be no wall
    floor = np.nanmin([found.height.isel(record=-1).min() / 30, loss[-1] / 2])
    left.set(
        ylabel="mean height of the walls",
        yscale="log",
        ylim=(floor, None),
        title="height (dashed: training loss)",
    )
    right.set(ylabel="share", ylim=(-0.03, 1.03), title="walls for good (dashed: fitted runs)")
    left.legend(loc="upper right")
    return figure


def _walls(axes: Axes, measure: xr.Dataset, name: str) -> None:
    """A mean over walls, by one measure of them, with its band."""
    colour, label = WALLS[measure.measure.item()]
    axes.plot(measure.time, measure[name], color=colour, label=label)
    band(axes, measure, "time", name, color=colour, alpha=0.2)
    axes.set_xlabel("time $ηt$")


@finished
def barrier_against_similarity(found: xr.Dataset, lines: Sequence[Fit]) -> Figure:
    """Final barrier of each pair against its Sim_J on both test sets, with least-squares lines and
    what they explain.
    """
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    pairs = np.triu_indices(found.sizes["solution"], 1)
    y = found.barrier.values[pairs][:, -1]
    for axes, name, line in zip(panels, ("similarity", "similarity_full"), lines, strict=True):
        x = found[name].values[pairs]
        axes.plot(x, y, "o", color=LOSS, markersize=4, alpha=0.6, markeredgewidth=0)
        ends = np.array([x.min(), x.max()])
        if line.slope < 0:  # no barrier is negative, so the line ends at zero
            ends[1] = min(ends[1], -line.intercept / line.slope)
        heights = line.intercept + line.slope * ends
        axes.plot(ends, heights, color=THEORY, linestyle="--", label="linear fit")
        axes.set_title(f"$R^2$ = {line.r_squared:.2f}")
    panels[0].set(xlabel="$Sim_J$ on the small test set", ylabel="loss barrier $Δℒ_{barrier}$")
    panels[1].set(xlabel="$Sim_J$ on all test images")
    panels[0].set_ylim(bottom=-0.05 * float(y.max()))  # the lines go below zero, barriers do not
    panels[1].legend(loc="upper right")
    return figure


@finished
def restart_fits(
    shares: dict[str, np.ndarray], first: dict[str, float], published: float
) -> Figure:
    """R² of barrier against similarity from several starts, a row for each way to take it; the
    start of the page with a bold rim, the published one a line.
    """
    figure, axes = new_figure(1, 1, (7.2, 1.2 + 0.6 * len(shares)))
    look = dots(color=LOSS, markersize=8)
    for row, (label, values) in enumerate(shares.items()):
        axes.plot(values, np.full(len(values), row), alpha=0.7, markeredgewidth=0, **look)
        axes.plot(first[label], row, markeredgecolor=THEORY, markeredgewidth=2, **look)
    axes.axvline(published, color=THEORY, linestyle="--", linewidth=1.2)
    label_top(axes, "published", published, color=THEORY)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(shares) - 0.4), xlabel="$R^2$ of the straight line")
    axes.set_yticks(range(len(shares)), list(shares))
    return figure


@finished
def hessian_spectrum(found: xr.Dataset) -> Figure:
    """Every eigenvalue of the second layer's Hessian by rank, of the largest batch; those of the
    others over it, one colour a batch size; and the share of the trace in the ten largest of each
    solution.
    """
    figure, (left, right, below) = two_above_one(6.6)
    is_known = np.isfinite(found.eigenvalue).all("rank").values
    known = found.isel(spectrum_batch_size=np.flatnonzero(is_known)).sortby("spectrum_batch_size")
    *others, calm = each(known, "spectrum_batch_size")
    _spectrum(left, calm)
    for run in others:
        _over(right, run, calm)
    for axes in (left, right):
        axes.axvline(10, color=NEUTRAL, linewidth=1, linestyle=":")
        axes.set(xscale="log", xlabel="rank of the eigenvalue")
    size = int(calm.spectrum_batch_size)
    right.axhline(1, color=NEUTRAL, linewidth=0.8)
    right.set(title="other batches", ylabel=f"eigenvalue relative to B = {size}")
    if others:
        right.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    _top_shares(below, found)
    return figure


def _spectrum(axes: Axes, run: xr.Dataset) -> None:
    """The eigenvalues of one solution by rank."""
    size, values = int(run.spectrum_batch_size), np.maximum(run.eigenvalue.values, 0)
    axes.plot(np.arange(1, len(values) + 1), values, color=BATCH_SIZE(size))
    axes.set(yscale="log", ylabel="eigenvalue λ", title=f"batch size B = {size}")
    axes.set_ylim(float(values.max()) * SMALLEST, float(values.max()) * 3)


def _over(axes: Axes, run: xr.Dataset, calm: xr.Dataset) -> None:
    """The eigenvalues of one solution over those of another, as far as these can be told from
    rounding.
    """
    size, base = int(run.spectrum_batch_size), calm.eigenvalue.values
    told = np.flatnonzero(base > ROUNDING * base.max())
    ratio = run.eigenvalue.values[told] / base[told]
    axes.plot(told + 1, ratio, color=BATCH_SIZE(size), linewidth=1.4, label=f"B = {size}")


def _top_shares(axes: Axes, found: xr.Dataset) -> None:
    """Share of the trace in the ten largest eigenvalues against learning rate."""
    shares = found.top_eigenvalue.sum("top") / found["trace"]
    rates = found.learning_rate.values
    for size, marker in batch_size_markers(found.batch_size.values).items():
        chosen = found.batch_size.values == size
        look = dots(marker=marker, color=BATCH_SIZE(size), markeredgecolor=HALO, markersize=8)
        axes.plot(rates[chosen], shares.values[chosen], label=f"B = {size}", **look)
    axes.set(
        xscale="log",
        xlabel="learning rate η",
        ylabel="share of the trace in the top ten",
        ylim=(min(0.5, float(shares.min()) - 0.05), 1),
        title="all solutions of the grid",
    )
    ticks = sorted(set(rates.tolist()))
    axes.set_xticks(ticks, [f"{rate:g}" for rate in ticks])
    axes.set_xticks([], minor=True)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def _group_ticks(axes: Axes, values: np.ndarray) -> None:
    """One tick in the middle of each run of equal values, and a line between runs."""
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    middles = (starts + np.r_[starts[1:], len(values)] - 1) / 2
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(middles, [f"{values[start]:g}" for start in starts])
    for start in starts[1:]:
        axes.axhline(start - 0.5, color=ON_DARK, linewidth=0.8)
        axes.axvline(start - 0.5, color=ON_DARK, linewidth=0.8)
    axes.set_xlabel("learning rate η")
