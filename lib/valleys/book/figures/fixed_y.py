"""Figures of the two-valley model held at one y."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    RASTER_DPI,
    TALL,
    WIDE,
    finished,
    label_level,
    label_line,
    measured_points,
    new_figure,
    points,
    power_of_ten,
)
from valleys.book.figures.drawing.style import (
    FLAT,
    HALO,
    KINDS,
    NEUTRAL,
    NOTE,
    SHARP,
    THEORY,
    noise_colours,
)
from valleys.book.figures.two_valley import (
    EXACT,
    SHARE,
    levels_of_theory,
    name_theories,
    named_levels,
    theories,
)

PARTS = {  # of a row of samples: colour, marker, offset of the label, label
    "sharp": (SHARP, "s", 8, "sharp valley alone"),
    "both": (NEUTRAL, "D", -18, "both valleys"),
    "flat": (FLAT, "o", -18, "flat valley alone"),
}

RULES = {  # where a step takes its noise
    "ito": {"color": KINDS[1], "marker": "o", "label": "where it begins", "linestyle": "none"},
    "end_point": {"color": KINDS[2], "marker": "s", "label": "where it ends", "linestyle": "none"},
}


@finished
def density_at_fixed_y(samples: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Sampled P(x|y), one panel a learning rate, with theory; `samples` has density, x
    (learning_rate, bin), `curves` one density a variable over x.
    """
    figure, panels = new_figure(1, samples.sizes["learning_rate"], WIDE, sharey=True, squeeze=False)
    for axes, (rate, group) in zip(panels[0], samples.groupby("learning_rate"), strict=True):
        _sampled(axes, group.squeeze("learning_rate"), "density", curves)
        axes.set(xlabel="x", title=f"η = {rate:g}")
    panels[0, 0].set_ylabel("P(x | y)")
    panels[0, 0].legend(loc="upper left", handlelength=1.6)
    return figure


def _sampled(axes: Axes, found: xr.Dataset, name: str, curves: xr.Dataset) -> None:
    """A quantity on both sides of the ridge, each in the colour of its valley, with theory."""
    for side, colour in ((found.x >= 0, FLAT), (found.x < 0, SHARP)):
        values, errors = found[name][side], found[f"{name}_error"][side]
        look = {"color": colour, "linestyle": "none", "markersize": 3}
        points(axes, found.x[side], values, errors, **look)
    theories(axes, curves, "x")
    axes.axvline(0, color=NEUTRAL, linewidth=0.8)


@finished
def weight_against_step(
    measured: xr.Dataset,
    exact: xr.Dataset,
    levels: Mapping[str, float],
    name: str = "transition operator",
) -> Figure:
    """P_flat against the square root of the learning rate: simulation, the same without sampling
    (called `name`), and the levels of theory.
    """
    figure, axes = new_figure(1, 1, TALL)
    roots = [found.assign_coords(root=np.sqrt(found.learning_rate)) for found in (measured, exact)]
    measured_points(axes, roots[0], "root", "p_flat", color=FLAT, label="simulation")
    axes.plot(roots[1].root, exact.p_flat, color=FLAT, label=name, **EXACT)
    levels_of_theory(axes, levels)
    for level, height in levels.items():
        label_level(axes, level, height, (-2, 4))
    axes.set(xlabel="√η", ylabel=SHARE, xlim=(0, None))
    axes.margins(y=0.12)
    handles, labels = axes.get_legend_handles_labels()
    chosen = [place for place, label in enumerate(labels) if label not in levels]
    figure.legend(
        [handles[place] for place in chosen],
        [labels[place] for place in chosen],
        loc=cast(Any, "outside lower center"),  # the stubs do not know of places outside
        ncols=2,
    )
    return figure


@finished
def two_rules(
    measured: xr.Dataset, curves: xr.DataArray, levels: Mapping[str, float], limit: float
) -> Figure:
    """P_flat against the width of a blur, for noise where a step begins and where it ends: points
    over (rule, width) on `curves` without sampling; `limit` of the walk, and levels of theory.
    """
    figure, axes = new_figure(1, 1, TALL)
    for rule, look in RULES.items():
        axes.plot(curves.width, curves.sel(rule=rule), color=look["color"], linewidth=1)
        measured_points(axes, measured.sel(rule=rule), "width", "p_flat", **look)
    axes.plot(0, limit, color=FLAT, clip_on=False, label="walk of Eq. 13", **EXACT)
    levels_of_theory(axes, levels)
    for level, height in levels.items():
        label_level(axes, level, height, (-2, 4))
    axes.set(xlabel="width over which the noise changes", ylabel=SHARE, xlim=(0, None))
    axes.margins(y=0.12)
    entries, labels = axes.get_legend_handles_labels()
    chosen = [place for place, label in enumerate(labels) if label not in levels]
    where: Any = "outside lower center"  # the stubs do not know of places outside
    figure.legend(
        [entries[place] for place in chosen],
        [labels[place] for place in chosen],
        loc=where,
        ncols=3,
    )
    return figure


@finished
def weight_along_y(
    measured: xr.Dataset, curves: xr.Dataset, levels: Mapping[str, float], exact: xr.Dataset
) -> Figure:
    """P_flat at fixed y against y: points with error bars, one line a theory, and open diamonds
    for `exact`, the transition operator of the step.
    """
    figure, axes = new_figure(1, 1, (8.2, 4.4))
    axes.plot(exact.y, exact.p_flat, color=FLAT, label="transition operator", **EXACT)
    measured_points(axes, measured, "y", "p_flat", color=FLAT, label="simulation")
    theories(axes, curves, "y")
    named_levels(axes, levels, start=len(curves))
    axes.set(xlabel="y", ylabel="flat share $P_\\mathrm{flat}(y)$")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@finished
def effective_potential(
    section: xr.Dataset, measured: xr.Dataset, names: Sequence[str], stronger: xr.Dataset
) -> Figure:
    """Loss and effective loss on a section; below, the potential of sampled positions with theory,
    and what it becomes as noise grows, one colour an effective noise.

    `measured` has potential with potential_error, and each of the theories `names`, over the
    coordinate x; `stronger` has potential (effective_noise, x) and loss (x).
    """
    figure = Figure(figsize=(7.8, 7.2), dpi=RASTER_DPI)
    space = figure.add_gridspec(2, 2, height_ratios=(1.2, 1))
    _effective_loss(figure.add_subplot(space[0, :]), section)
    left, right = (figure.add_subplot(space[1, column]) for column in (0, 1))
    _sampled(left, measured, "potential", measured[list(names)])
    left.set(
        xlabel="x",
        ylabel="$-T_\\mathrm{eff}$ ln P(x | y)",
        title=f"measured, y = {float(measured.y):g}",
    )
    # on ground of its own, because the line of the ridge runs down behind it
    left.legend(loc="upper center", frameon=True, facecolor=HALO, edgecolor="none", framealpha=1)
    _stronger(right, stronger)
    return figure


def _effective_loss(axes: Axes, section: xr.Dataset) -> None:
    """The loss and what noise makes of it: one well deeper, the other shallower."""
    axes.plot(section.x, section.loss, color=NEUTRAL)
    for right, colour, text, above in (
        (True, FLAT, "flat valley: deeper", -18),
        (False, SHARP, "sharp valley: shallower", 62),
    ):
        side = section.isel(x=(section.x.values > 0) == right)
        axes.fill_between(side.x, side.loss, side.effective, color=colour, alpha=0.25, linewidth=0)
        axes.plot(side.x, side.effective, color=colour, linewidth=2.4)
        bottom = side.isel(x=int(side.loss.argmin("x")))
        place = float(bottom.x)
        ends = (place, float(bottom.effective)), (place, float(bottom.loss))
        arrow: Any = {"arrowstyle": "->", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", ends[0], ends[1], arrowprops=arrow)
        label_line(axes, text, ends[0], colour, (0, above), fontsize=11.5)
    label_line(axes, "loss: equally deep", ends[1], NOTE, (0, -18), fontsize=11.5)
    axes.set(xlabel="x", ylabel="loss, effective loss", title=f"y = {float(section.y):g}")
    axes.margins(y=0.14)


def _stronger(axes: Axes, found: xr.Dataset) -> None:
    """The potential for each effective noise over the loss."""
    axes.plot(found.x, found.loss, color=NEUTRAL, linewidth=1.2, label="loss")
    for noise, colour in noise_colours(found.effective_noise.values).items():
        look = {"color": colour, "label": f"$Δ_S$ = {power_of_ten(noise)}"}
        axes.plot(found.x, found.potential.sel(effective_noise=noise), **look)
    axes.set(
        xlabel="x", ylabel="potential over the flat bottom", title=f"more noise, y = {found.y:g}"
    )
    axes.set_ylim(top=1.6 * float(found.potential.max()))  # room for the legend
    axes.legend(loc="upper right")


@finished
def temperatures(measured: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Fluctuation over response against y, in units of T_eff, for each valley alone and for both.

    `measured` has relative, relative_error (part, y), `curves` has theory (part, y), with the parts
    "sharp", "both" and "flat".
    """
    figure, axes = new_figure(1, 1, TALL)
    middle = float(curves.y[:2].mean())
    for part, (colour, marker, offset, label) in PARTS.items():
        row, line = measured.sel(part=part), curves.theory.sel(part=part)
        axes.plot(curves.y, line, color=THEORY, linestyle="--", linewidth=1.3)
        measured_points(axes, row, "y", "relative", color=colour, marker=marker)
        label_line(axes, label, (middle, float(line[:2].mean())), colour, (0, offset))
    axes.axhline(1, color=NEUTRAL, linewidth=0.8)
    label_line(axes, "$T_\\mathrm{eff}$", (float(curves.y[-1]), 1), NOTE, ha="right")
    axes.set(xlabel="y", ylabel="Var x / response, in units of $T_\\mathrm{eff}$", ylim=(0.7, 1.45))
    return figure


@finished
def escape_rates(measured: xr.Dataset, to_ridge: xr.Dataset, to_bottom: xr.Dataset) -> Figure:
    """Rates of reaching the ridge and of reaching the other bottom, against y; `measured` has
    top_rate and escape_rate over (y, valley).
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.6), sharey=True)
    _rates(left, measured, "top_rate", to_ridge)
    _rates(right, measured, "escape_rate", to_bottom)
    left.set(title="to the ridge", ylabel="passages per unit of time η·step")
    right.set(title="to the other bottom")
    return figure


def _rates(axes: Axes, measured: xr.Dataset, rate: str, curves: xr.Dataset) -> None:
    """One kind of rate out of each valley, with theory."""
    for valley, colour in (("sharp", SHARP), ("flat", FLAT)):
        look = {"color": colour, "label": f"out of the {valley} valley"}
        measured_points(axes, measured.sel(valley=valley), "y", rate, **look)
        of_valley = curves.sel(valley=valley)
        theories(axes, of_valley, "y", color=colour, linewidth=1.2, is_named=False)
    name_theories(axes, curves)
    axes.set(yscale="log", xlabel="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
