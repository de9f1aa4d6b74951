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

from valleys.book.figures.drawing.parts import (
    Line,
    bars,
    component_labels,
    dots,
    each,
    each_setting,
    finished,
    legend,
    legend_below,
    new_figure,
    readable_log,
    setting_entries,
    setting_look,
    two_above_one,
)
from valleys.book.figures.drawing.style import (
    ACCURACY,
    FRAME,
    HALO,
    NEUTRAL,
    QUANTITY_MAP,
    THEORY,
    TIME_MAP,
)

BRANCHING = "branching step $t_c$"
RUN: dict[str, Any] = {"s": 40, "edgecolors": HALO, "linewidths": 0.5}
TEST_LOSSES = {  # of a test set: its images, and how it is called
    "final_test_loss": ("test_image", "small test set"),
    "final_test_loss_full": ("full_test_image", "all test images"),
}


@finished
def branch_plane(found: xr.Dataset) -> Figure:
    """The first reference run on two principal components and gradient descent from its
    branches, coloured by branching step.
    """
    figure, axes = new_figure(1, 1, (8.2, 5.0))
    shade = _branch_shade(found)
    reference = found.reference_position.values[0]
    axes.plot(*reference.T, color=THEORY, linewidth=2.2, label="reference run (SGD)")
    for branch in each(found.isel(reference=0), "branch"):
        colour, places = _shade(shade, branch), branch.branch_position.values
        axes.plot(*places.T, color=colour, linewidth=1)
        axes.plot(*places[-1], "o", color=colour, markeredgecolor=HALO, markersize=7)
    look = dots(marker="*", color=THEORY, markersize=16, label="start")
    axes.plot(*reference[0], **look)
    component_labels(axes, found.explained[0])
    axes.legend(loc="best")
    figure.colorbar(shade, ax=axes, label=BRANCHING)
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
    panels[0, 0].set(ylabel="loss on the small test set", title="first run, small test set")
    panels[0, 1].set(ylabel="flatness $F$", title="first run")
    panels[1, 0].set_title("ends of all runs, all test images")
    panels[1, 1].set_title("ends of all runs")
    _final_values(panels[1, 0], found, found.final_test_loss_full, "final loss, all test images")
    mean = found.branch_flatness[..., -1].mean("reference")
    panels[1, 1].plot(found.branch_step, mean, color=NEUTRAL, linewidth=1.5, linestyle=":")
    _final_values(panels[1, 1], found, at_equal_loss, "flatness $F$")
    entries = {
        f"at training loss {at_equal_loss.train_loss:.2g}": {"color": THEORY},
        "at the end": {"color": NEUTRAL, "linestyle": ":"},
    }
    legend(panels[1, 1], entries, loc="lower right")
    figure.colorbar(_branch_shade(found), ax=panels, label=BRANCHING, shrink=0.7)
    return figure


@finished
def branch_training(found: xr.Dataset) -> Figure:
    """Training loss of the first reference run's continuations against the step, their final
    training loss against the branching step, and final flatness against accuracy on all test
    images.
    """
    figure, (left, middle, right) = two_above_one(6.4)
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
    figure.colorbar(shade, ax=right, label=BRANCHING)
    return figure


@finished
def flatness_against_test_loss(found: xr.Dataset, lines: Sequence[Sequence[Line]]) -> Figure:
    """Final flatness of the first run's continuations against their loss on the small and on the
    full test set; below, the slopes of the lines of all runs.

    `lines` holds, for the small and the full test set, a line a reference run.
    """
    figure, (left, right, below) = two_above_one(6.4)
    right.sharey(left)
    for axes, (name, (images, words)), fits in zip(
        (left, right), TEST_LOSSES.items(), lines, strict=True
    ):
        _fitted(axes, found.isel(reference=0), name, fits[0])
        axes.set(xlabel="final test loss", title=f"{words} ({found.sizes[images]})")
    left.set_ylabel("final flatness $F$")
    for row, fits in enumerate(lines):
        _slopes(below, [fit.slope for fit in fits], row)
    below.axvline(0, color=NEUTRAL, linewidth=0.8)
    below.set_yticks(range(len(TEST_LOSSES)), [words for _, words in TEST_LOSSES.values()])
    below.set(ylim=(len(TEST_LOSSES) - 0.5, -0.5), ylabel="loss on")
    below.set_xlabel("slope of the test loss over the flatness")
    below.set_title(f"all {len(lines[0])} runs")
    figure.colorbar(_branch_shade(found), ax=[left, right], label=BRANCHING)
    return figure


def _fitted(axes: Axes, run: xr.Dataset, name: str, line: Line) -> None:
    """The ends of one run's branches, and its line from the lowest flatness to the highest."""
    flat = run.branch_flatness[..., -1].values
    ends = np.array([flat.min(), flat.max()])
    axes.plot(line.intercept + line.slope * ends, ends, color=THEORY, linestyle="--", linewidth=2)
    colours = _branch_shade(run).to_rgba(run.branch_step.values)
    axes.scatter(run[name].values, flat, c=colours, **RUN)
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _slopes(axes: Axes, slopes: Sequence[float], row: int) -> None:
    """A dot for each run, green where the loss falls with flatness; the first with a bold rim."""
    shifts = np.linspace(-0.2, 0.2, len(slopes)) if len(slopes) > 1 else np.zeros(1)
    for index in reversed(range(len(slopes))):
        colour = ACCURACY if slopes[index] < 0 else NEUTRAL
        look = dots(color=colour, markersize=8, markeredgecolor=THEORY if index == 0 else HALO)
        axes.plot(
            slopes[index], row + shifts[index], markeredgewidth=2 if index == 0 else 0.5, **look
        )


@finished
def branch_similarity(found: xr.Dataset, threshold: float) -> Figure:
    """Sim_J between continuations, of the first reference run with the frozen ones framed and in
    the mean over runs, and each one's to the last.
    """
    figure, (left, middle, right) = two_above_one(7.0)
    steps, frozen = found.branch_step.values, found.freezing_time.sel(threshold=threshold).values
    first, mean = found.similarity_full[0], found.similarity_full.mean("reference")
    lowest = min(float(first.min()), float(mean.min()))
    _between_branches(left, first, steps, frozen[0], lowest)
    image = _between_branches(middle, mean, steps, frozen.mean(), lowest)
    left.set(title="first run", ylabel=BRANCHING)
    middle.set_title(f"mean over {found.sizes['reference']} runs")
    figure.colorbar(image, ax=[left, middle], label="$Sim_J$, all test images", shrink=0.9)
    look = {"marker": "o", "markersize": 3, "color": NEUTRAL, "linewidth": 0.8, "alpha": 0.7}
    for row, freeze in zip(found.similarity_full.values, frozen, strict=True):
        right.plot(steps[:-1] / freeze, row[:-1, -1], **look)
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
    highest = _highest_time(compared)
    for axes, level in zip(panels[0], each(compared, "level"), strict=True):
        for setting in each_setting(level):
            look = {"capsize": 2, "linewidth": 1.2} | setting_look(compared, setting)
            axes.errorbar(*_point(setting, "freezing_time", "basin_time"), **look)
        axes.plot([0, highest], [0, highest], color=NEUTRAL, linewidth=1, linestyle=":")
        title = f"one basin from $Sim_J$ = {level.level.item():g}"
        axes.set(xlim=(0, highest), ylim=(0, highest), title=title)
    panels[0, 0].set_ylabel("freezing time by the basin, η·step")
    figure.supxlabel("freezing time by the loss, η·step", fontsize=10.5)
    legend_below(figure, setting_entries(compared), columns=6, place="upper")
    return figure


def _highest_time(compared: xr.Dataset) -> float:
    """A little above all freezing times and ends of their intervals."""
    names = [f"{clock}{end}" for clock in ("freezing_time", "basin_time") for end in ("", "_high")]
    # the loss may never be reached, and two runs have no interval
    return 1.06 * float(np.nanmax([compared[name].max() for name in names]))


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
    first, last = steps[0] - half, steps[-1] + half
    look: dict[str, Any] = {"cmap": QUANTITY_MAP, "vmin": lowest, "vmax": 1}
    image = axes.imshow(values, origin="lower", extent=(first, last, first, last), **look)
    if freeze <= steps[-1]:
        corner = steps[steps >= freeze][0] - half
        width = last - corner
        frame = Rectangle((corner, corner), width, width, fill=False, linewidth=2)
        frame.set_edgecolor(FRAME)
        axes.add_patch(frame)
    axes.set_xlabel(BRANCHING)
    return image


def _shade(shade: ScalarMappable, branch: xr.Dataset) -> Any:
    """The colour of a branch."""
    step: Any = float(branch.branch_step)  # numbers do, beside arrays
    return shade.to_rgba(step)


def _branch_shade(found: xr.Dataset) -> ScalarMappable:
    return ScalarMappable(
        Normalize(float(found.branch_step[0]), float(found.branch_step[-1])), TIME_MAP
    )


def _histories(axes: Axes, found: xr.Dataset, name: str) -> None:
    """A quantity of the first reference run (black) and of its continuations, against the step."""
    shade, records = _branch_shade(found), np.isfinite(found[f"reference_{name}"][0])
    known = found.isel(reference=0, record=np.flatnonzero(records))
    for branch in each(known, "branch"):
        colour = _shade(shade, branch)
        axes.plot(known.step, branch[f"branch_{name}"], color=colour, linewidth=1)
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
    look: dict[str, Any] = {"s": 24, "edgecolors": HALO, "linewidths": 0.5, "zorder": 3}
    axes.scatter(steps, values.values[0], c=shade.to_rgba(steps), **look)
    axes.set(xlabel=BRANCHING, ylabel=label)
