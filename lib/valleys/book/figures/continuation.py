"""Figures of the continuation chapter."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from valleys.book.figures.parts import MARKERS, WIDE, component_labels, each, legend, new_figure, readable_log
from valleys.book.figures.style import NEUTRAL, QUANTITY_MAP, THEORY


def branch_plane(found: xr.Dataset) -> Figure:
    """The first reference run on two principal components and gradient descent from its branches, coloured by branching step."""
    figure, axes = new_figure(1, 1, (7.2, 4.6))
    shade = _branch_shade(found)
    axes.plot(*found.reference_position.values[0].T, color=THEORY, linewidth=2.2, label="reference run (SGD)")
    for branch in each(found.isel(reference=0), "branch"):
        colour = shade.to_rgba(float(branch.branch_step))
        axes.plot(*branch.branch_position.values.T, color=colour, linewidth=1)
        axes.plot(*branch.branch_position.values[-1], "o", color=colour, markeredgecolor="white", markersize=7)
    axes.plot(*found.reference_position.values[0, 0], marker="*", color=THEORY, markersize=16, linestyle="none", label="start")
    component_labels(axes, found.explained[0])
    axes.legend(loc="best")
    figure.colorbar(shade, ax=axes, label="branching step $t_c$")
    return figure


def branch_histories(found: xr.Dataset, at_equal_loss: xr.DataArray) -> Figure:
    """Test loss and flatness of the first reference run and its continuations against the step, and against the branching step their final
    values; `at_equal_loss` is the flatness (reference, branch) at the training loss in its attribute."""
    figure, panels = new_figure(2, 2, (9.0, 6.4))
    shade, names = _branch_shade(found), ("test_loss", "flatness")
    for axes, name in zip(panels[0], names, strict=True):
        known = found.isel(record=np.flatnonzero(np.isfinite(found[f"reference_{name}"][0])))
        for branch in each(known.isel(reference=0), "branch"):
            axes.plot(known.step, branch[f"branch_{name}"], color=shade.to_rgba(float(branch.branch_step)), linewidth=1)
        axes.plot(known.step, known[f"reference_{name}"][0], color=THEORY, linewidth=2.2)
        axes.set_xlabel("step")
    readable_log(panels[0, 0])
    panels[0, 0].set_ylabel("loss on the small test set")
    panels[0, 1].set(ylabel="flatness $F$")
    _final_values(panels[1, 0], found, found.final_test_loss_full, "final loss, all test images")
    panels[1, 1].plot(found.branch_step, found.branch_flatness[..., -1].T, color=NEUTRAL, linewidth=1, linestyle=":")
    _final_values(panels[1, 1], found, at_equal_loss, "flatness $F$")
    legend(
        panels[1, 1],
        {f"at training loss {at_equal_loss.train_loss:.2g}": {"color": NEUTRAL, "marker": "o"}, "at the end": {"color": NEUTRAL, "linestyle": ":"}},
        loc="lower right",
        fontsize=9,
    )
    figure.colorbar(shade, ax=panels, label="branching step $t_c$", shrink=0.7)
    return figure


def flatness_against_test_loss(found: xr.Dataset, lines: Sequence[Sequence[Any]]) -> Figure:
    """Final flatness of each continuation against its test loss; `lines` holds, for the small and the full test set, a line a reference run."""
    figure, panels = new_figure(1, 2, WIDE, sharey=True)
    shade = _branch_shade(found)
    flat = found.branch_flatness[..., -1].values
    for axes, name, line in zip(panels, ("final_test_loss", "final_test_loss_full"), lines, strict=True):
        for x, y, marker in zip(found[name].values, flat, MARKERS * len(flat), strict=False):
            axes.scatter(x, y, c=shade.to_rgba(found.branch_step.values), marker=marker, s=36, edgecolors="white", linewidths=0.5)
        for one, row, style in zip(line, flat, ("--", ":", "-."), strict=False):
            ends = np.array([row.min(), row.max()])
            axes.plot(one.intercept + one.slope * ends, ends, color=THEORY, linestyle=style, linewidth=1.2, label="linear fit")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    panels[0].set(xlabel="final loss on the small test set", ylabel="final flatness $F$")
    panels[1].set(xlabel="final loss on all test images")
    entries = {
        f"run {i + 1}": {"color": NEUTRAL, "marker": MARKERS[i], "linestyle": style} for i, style in zip(range(len(flat)), ("--", ":", "-."), strict=False)
    }
    legend(panels[1], entries, loc="best")
    figure.colorbar(shade, ax=panels, label="branching step $t_c$")
    return figure


def branch_similarity(found: xr.Dataset, threshold: float) -> Figure:
    """Sim_J between the first reference run's continuations with the frozen ones framed, and each continuation's Sim_J to the last one."""
    figure, (left, right) = new_figure(1, 2, (10.4, 4.0), width_ratios=(1.15, 1))
    steps, frozen = found.branch_step.values, found.freezing_time.sel(threshold=threshold).values
    half = (steps[1] - steps[0]) / 2
    image = left.imshow(found.similarity_full[0], cmap=QUANTITY_MAP, vmax=1, origin="lower", extent=(steps[0] - half, steps[-1] + half) * 2)
    if frozen[0] <= steps[-1]:
        first = steps[steps >= frozen[0]][0] - half
        left.add_patch(Rectangle((first, first), steps[-1] + half - first, steps[-1] + half - first, fill=False, edgecolor=THEORY, linewidth=2))
    left.set(xlabel="branching step $t_c$", ylabel="branching step $t_c$")
    figure.colorbar(image, ax=left, label="$Sim_J$, all test images", shrink=0.85)
    for row, freeze, marker in zip(found.similarity_full.values, frozen, MARKERS * len(frozen), strict=False):
        right.plot(steps[:-1] / freeze, row[:-1, -1], marker=marker, color=NEUTRAL, linewidth=1)
    right.axvline(1, color=THEORY, linestyle="--", linewidth=1)
    right.set(xlabel="branching step / freezing time", ylabel="$Sim_J$ to the last continuation")
    return figure


def _branch_shade(found: xr.Dataset) -> ScalarMappable:
    return ScalarMappable(Normalize(float(found.branch_step[0]), float(found.branch_step[-1])), mpl.colormaps[QUANTITY_MAP])


def _final_values(axes: Axes, found: xr.Dataset, values: xr.DataArray, label: str) -> None:
    """One line a reference run, from its own branches, with markers coloured by branching step."""
    shade = _branch_shade(found)
    for row, marker in zip(values.values, MARKERS * len(values), strict=False):
        axes.plot(found.branch_step, row, color=NEUTRAL, linewidth=0.8, zorder=1)
        axes.scatter(found.branch_step, row, c=shade.to_rgba(found.branch_step.values), marker=marker, s=28, edgecolors="white", linewidths=0.5, zorder=2)
    axes.set(xlabel="branching step $t_c$", ylabel=label)
