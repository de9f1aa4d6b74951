"""Figures of the continuation chapter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from valleys.book.figures.parts import (
    RASTER_DPI,
    WIDE,
    bars,
    batch_size_markers,
    component_labels,
    each,
    finished,
    legend,
    legend_below,
    new_figure,
    readable_log,
)
from valleys.book.figures.style import (
    FRAME,
    HALO,
    NEUTRAL,
    QUANTITY_MAP,
    THEORY,
    TIME_MAP,
    learning_rate_colours,
)


@finished
def branch_plane(found: xr.Dataset) -> Figure:
    """The first reference run on two principal components and gradient descent from its
    branches, coloured by branching step.
    """
    figure, axes = new_figure(1, 1, (8.2, 5.0))
    shade = _branch_shade(found)
    axes.plot(
        *found.reference_position.values[0].T,
        color=THEORY,
        linewidth=2.2,
        label="reference run (SGD)",
    )
    for branch in each(found.isel(reference=0), "branch"):
        colour = shade.to_rgba(float(branch.branch_step))
        axes.plot(*branch.branch_position.values.T, color=colour, linewidth=1)
        axes.plot(
            *branch.branch_position.values[-1],
            "o",
            color=colour,
            markeredgecolor=HALO,
            markersize=7,
        )
    axes.plot(
        *found.reference_position.values[0, 0],
        marker="*",
        color=THEORY,
        markersize=16,
        linestyle="none",
        label="start",
    )
    component_labels(axes, found.explained[0])
    axes.legend(loc="best")
    figure.colorbar(shade, ax=axes, label="branching step $t_c$")
    return figure


@finished
def branch_histories(found: xr.Dataset, at_equal_loss: xr.DataArray) -> Figure:
    """Test loss and flatness of the first reference run and its continuations against the step, and
    against the branching step their final values in every run and in the mean; `at_equal_loss` is
    the flatness (reference, branch) at the training loss in its attribute.
    """
    figure, panels = new_figure(2, 2, (8.6, 6.6))
    for axes, name in zip(panels[0], ("test_loss", "flatness"), strict=True):
        _histories(axes, found, name)
    readable_log(panels[0, 0])
    panels[0, 0].set_ylabel("loss on the small test set")
    panels[0, 1].set(ylabel="flatness $F$")
    _final_values(panels[1, 0], found, found.final_test_loss_full, "final loss, all test images")
    panels[1, 1].plot(
        found.branch_step,
        found.branch_flatness[..., -1].mean("reference"),
        color=NEUTRAL,
        linewidth=1.5,
        linestyle=":",
    )
    _final_values(panels[1, 1], found, at_equal_loss, "flatness $F$")
    entries = {
        f"at training loss {at_equal_loss.train_loss:.2g}": {"color": THEORY},
        "at the end": {"color": NEUTRAL, "linestyle": ":"},
    }
    legend(panels[1, 1], entries, loc="lower right")
    figure.colorbar(_branch_shade(found), ax=panels, label="branching step $t_c$", shrink=0.7)
    return figure


@finished
def branch_training(found: xr.Dataset) -> Figure:
    """Training loss of the first reference run's continuations against the step, their final
    training loss against the branching step, and final flatness against accuracy on all test
    images.
    """
    figure, (left, middle, right) = _two_above_one(6.4)
    shade = _branch_shade(found)
    _histories(left, found, "train_loss")
    left.set(yscale="log", ylabel="training loss")
    _final_values(middle, found, found.branch_train_loss[..., -1], "final training loss")
    readable_log(middle)
    flat = found.branch_flatness[..., -1].values
    for x, y in zip(found.final_test_accuracy_full.values[::-1], flat[::-1], strict=True):
        right.scatter(
            x, y, c=shade.to_rgba(found.branch_step.values), s=26, edgecolors=HALO, linewidths=0.4
        )
    right.xaxis.set_major_locator(MaxNLocator(4))
    right.set(xlabel="final accuracy, all test images", ylabel="final flatness $F$")
    figure.colorbar(shade, ax=right, label="branching step $t_c$")
    return figure


@finished
def flatness_against_test_loss(found: xr.Dataset, lines: Sequence[Sequence[Any]]) -> Figure:
    """Final flatness of each continuation against its test loss; `lines` holds, for the small
    and the full test set, a line a reference run.
    """
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    shade = _branch_shade(found)
    flat = found.branch_flatness[..., -1].values
    for axes, name, line in zip(
        panels, ("final_test_loss", "final_test_loss_full"), lines, strict=True
    ):
        for index in reversed(range(len(flat))):  # the first run on top
            first, (low, high) = index == 0, (flat[index].min(), flat[index].max())
            ends = np.array([low, high])
            axes.plot(
                line[index].intercept + line[index].slope * ends,
                ends,
                color=THEORY if first else NEUTRAL,
                linestyle="--",
                linewidth=2 if first else 0.7,
            )
            look = (
                {"s": 40, "edgecolors": HALO, "linewidths": 0.5}
                if first
                else {"s": 9, "alpha": 0.45, "linewidths": 0}
            )
            axes.scatter(
                found[name].values[index],
                flat[index],
                c=shade.to_rgba(found.branch_step.values),
                **look,
            )
        axes.xaxis.set_major_locator(MaxNLocator(5))
    panels[0].set(xlabel="final loss on the small test set", ylabel="final flatness $F$")
    panels[1].set(xlabel="final loss on all test images")
    figure.colorbar(shade, ax=panels, label="branching step $t_c$")
    return figure


@finished
def branch_similarity(found: xr.Dataset, threshold: float) -> Figure:
    """Sim_J between continuations, of the first reference run with the frozen ones framed and in
    the mean over runs, and each one's to the last.
    """
    figure, (left, middle, right) = _two_above_one(7.0)
    steps, frozen = found.branch_step.values, found.freezing_time.sel(threshold=threshold).values
    lowest = min(
        float(found.similarity_full[0].min()), float(found.similarity_full.mean("reference").min())
    )
    for axes, values, freeze in (
        (left, found.similarity_full[0], frozen[0]),
        (middle, found.similarity_full.mean("reference"), frozen.mean()),
    ):
        image = _between_branches(axes, values, steps, freeze, lowest)
    left.set(title="first run", ylabel="branching step $t_c$")
    middle.set_title(f"mean over {found.sizes['reference']} runs")
    figure.colorbar(image, ax=[left, middle], label="$Sim_J$, all test images", shrink=0.9)
    for row, freeze in zip(found.similarity_full.values, frozen, strict=True):
        right.plot(
            steps[:-1] / freeze,
            row[:-1, -1],
            marker="o",
            markersize=3,
            color=NEUTRAL,
            linewidth=0.8,
            alpha=0.7,
        )
    right.axvline(1, color=THEORY, linestyle="--", linewidth=1)
    right.set(xlabel="branching step / freezing time", ylabel="$Sim_J$ to the last continuation")
    return figure


@finished
def two_clocks(compared: xr.Dataset) -> Figure:
    """Freezing time by the basin of the continuations against that by the loss, a point for each
    setting, a panel for each level of Sim_J.
    """
    figure, panels = new_figure(
        1, compared.sizes["level"], (8.6, 4.0), sharex=True, sharey=True, squeeze=False
    )
    colours, markers = (
        learning_rate_colours(compared.learning_rate.values),
        batch_size_markers(compared.batch_size.values),
    )
    for axes, level in zip(panels[0], each(compared, "level"), strict=True):
        for setting in (
            cell for row in each(level, "batch_size") for cell in each(row, "learning_rate")
        ):
            look = {
                "color": colours[float(setting.learning_rate)],
                "marker": markers[int(setting.batch_size)],
                "capsize": 2,
                "linewidth": 1.2,
            }
            axes.errorbar(*_point(setting, "freezing_time", "basin_time"), **look)
        ends = [
            compared[f"{name}{end}"].max()
            for name in ("freezing_time", "basin_time")
            for end in ("", "_high")
        ]
        # the loss may never be reached, and two runs have no interval
        highest = 1.06 * np.nanmax(ends)
        axes.plot([0, highest], [0, highest], color=NEUTRAL, linewidth=1, linestyle=":")
        axes.set(
            xlim=(0, highest),
            ylim=(0, highest),
            title=f"one basin from $Sim_J$ = {level.level.item():g}",
        )
    panels[0, 0].set_ylabel("freezing time by the basin, η·step")
    figure.supxlabel("freezing time by the loss, η·step", fontsize=10.5)
    entries = {f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()}
    entries |= {
        f"B = {size}": {"color": NEUTRAL, "marker": marker, "linestyle": "none"}
        for size, marker in markers.items()
    }
    legend_below(figure, entries, columns=6, place="upper")
    return figure


def _two_above_one(height: float) -> tuple[Figure, list[Axes]]:
    """Two panels and a wide one below."""
    figure = Figure(figsize=(8.6, height), dpi=RASTER_DPI)
    space = figure.add_gridspec(2, 2, height_ratios=(1.15, 1))
    return figure, [figure.add_subplot(place) for place in (space[0, 0], space[0, 1], space[1, :])]


def _point(setting: xr.Dataset, *names: str) -> tuple[float, float, np.ndarray, np.ndarray]:
    """x, y and the bars of both for `errorbar`, from means with their intervals."""
    x, y = (float(setting[name]) for name in names)
    ends = [
        bars(np.array([value]), float(setting[f"{name}_low"]), float(setting[f"{name}_high"]))
        for name, value in zip(names, (x, y), strict=True)
    ]
    return x, y, ends[1], ends[0]


def _between_branches(
    axes: Axes, values: xr.DataArray, steps: np.ndarray, freeze: float, lowest: float
) -> AxesImage:
    """Sim_J between branches, with a frame around those that leave after freezing."""
    half = (steps[1] - steps[0]) / 2
    image = axes.imshow(
        values,
        cmap=QUANTITY_MAP,
        vmin=lowest,
        vmax=1,
        origin="lower",
        extent=(steps[0] - half, steps[-1] + half) * 2,
    )
    if freeze <= steps[-1]:
        first = steps[steps >= freeze][0] - half
        axes.add_patch(
            Rectangle(
                (first, first),
                steps[-1] + half - first,
                steps[-1] + half - first,
                fill=False,
                edgecolor=FRAME,
                linewidth=2,
            )
        )
    axes.set_xlabel("branching step $t_c$")
    return image


def _branch_shade(found: xr.Dataset) -> ScalarMappable:
    return ScalarMappable(
        Normalize(float(found.branch_step[0]), float(found.branch_step[-1])), TIME_MAP
    )


def _histories(axes: Axes, found: xr.Dataset, name: str) -> None:
    """A quantity of the first reference run (black) and of its continuations, against the step."""
    shade, known = (
        _branch_shade(found),
        found.isel(reference=0, record=np.flatnonzero(np.isfinite(found[f"reference_{name}"][0]))),
    )
    for branch in each(known, "branch"):
        axes.plot(
            known.step,
            branch[f"branch_{name}"],
            color=shade.to_rgba(float(branch.branch_step)),
            linewidth=1,
        )
    axes.plot(known.step, known[f"reference_{name}"], color=THEORY, linewidth=2.2)
    axes.set_xlabel("step")


def _final_values(axes: Axes, found: xr.Dataset, values: xr.DataArray, label: str) -> None:
    """A thin line for each reference run, markers on the first, coloured by branching step, and
    the mean over runs.
    """
    shade, steps = _branch_shade(found), found.branch_step.values
    for row in values.values:
        axes.plot(steps, row, color=NEUTRAL, linewidth=0.7, alpha=0.6, zorder=1)
    axes.plot(steps, values.mean("reference"), color=THEORY, linewidth=2, zorder=2)
    axes.scatter(
        steps,
        values.values[0],
        c=shade.to_rgba(steps),
        s=24,
        edgecolors=HALO,
        linewidths=0.5,
        zorder=3,
    )
    axes.set(xlabel="branching step $t_c$", ylabel=label)
