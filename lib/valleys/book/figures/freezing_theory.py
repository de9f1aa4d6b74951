"""Figures of two-valley runs that move along y until they freeze, and of the theory of that."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from valleys.book.figures.drawing.parts import (
    TALL,
    WIDE,
    Entries,
    decimals,
    dots,
    each,
    finished,
    label_level,
    label_line,
    legend,
    legend_below,
    log_log,
    measured_points,
    new_figure,
    points,
    power_of_ten,
    readable_log,
)
from valleys.book.figures.drawing.style import (
    FLAT,
    FREE,
    HELD,
    NEUTRAL,
    NOTE,
    ON_LIGHT,
    SHARE_MAP,
    SHARP,
    THEORY,
    noise_colours,
    ordered_colours,
)
from valleys.book.figures.two_valley import EXACT, SHARE, name_theories, named_levels, theories

NOISE = "effective_noise"
TALLEST_RIDGE = 16  # of an axis: no run hops over it
LAW = 2  # escape rate over the speed of the odds, where walkers freeze
SPEED: dict[str, Any] = {"color": THEORY, "linestyle": "--", "linewidth": 1.4}
NAME_SHIFTS = (0, -8, 7)  # of names at the ends of lines, in points: the last two lie close
CRITERIA = {"exact": "Eq. A32, exact rates", "asymptotic": "Eq. A34", "eq_25": "Eq. 25"}


@finished
def evolution(
    runs: xr.Dataset, curves: xr.Dataset, levels: Mapping[str, float], exact: xr.Dataset
) -> Figure:
    """P_flat of evolving runs against their mean y, one colour a noise; `curves` has theories over
    (noise_strength, y).

    Bands are the runs with one standard error; thin lines are `exact`, p_flat and mean_y over
    (effective_noise, time), in the order of the noises.
    """
    figure, axes = new_figure(1, 1, (8.4, 4.4))
    colours = noise_colours(exact.effective_noise.values)
    for run, course in zip(
        each(runs, "noise_strength"), each(exact, "effective_noise"), strict=False
    ):
        colour, strength = colours[course.effective_noise.item()], run.noise_strength.item()
        _evolving(axes, run, color=colour, label=f"σ = {strength:g}")
        axes.plot(course.mean_y, course.p_flat, color=colour, linewidth=1)
        of_noise = curves.sel(noise_strength=strength)
        theories(axes, of_noise, "y", color=colour, linewidth=1.2, is_named=False)
    axes.plot([], [], color=THEORY, linewidth=1, label="master equation")
    name_theories(axes, curves)
    named_levels(axes, levels, start=len(curves))
    axes.set(xscale="log", xlabel="mean y", ylabel=SHARE, ylim=(0.48, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _evolving(axes: Axes, run: xr.Dataset, **look: Any) -> None:
    """A band of one standard error on both sides of the flat share."""
    ends = run.p_flat - run.p_flat_error, run.p_flat + run.p_flat_error
    axes.fill_between(run.mean_y, *ends, alpha=0.35, linewidth=0, **look)


@finished
def paradox(
    fixed: xr.Dataset, fixed_curves: xr.Dataset, final: xr.Dataset, exact: xr.Dataset
) -> Figure:
    """P_flat against effective noise, of runs held at one y (falls) and at the end of free ones
    (rises).

    Thin lines: theory at small steps, `fixed_curves`, and the master equation, `exact`.
    """
    figure, axes = new_figure(1, 1, (7.4, 4.9))
    for held_by in fixed_curves.values():
        axes.plot(held_by.effective_noise, held_by, color=HELD, linestyle="--", linewidth=1)
    axes.plot(exact.effective_noise, exact.p_flat, color=FREE, linewidth=1)
    for measured, colour in ((fixed, HELD), (final, FREE)):
        measured_points(axes, measured, "effective_noise", "p_flat", color=colour, markersize=8)
    held = f"held at y = {float(fixed.y):g}:\nnoise blurs the choice"
    label_line(axes, held, _end(fixed, 2), HELD, (-16, -22), ha="right", fontsize=12)
    free = "free to move: noise ends flatter"
    label_line(axes, free, _end(final, 0), FREE, (-4, 36), ha="left", fontsize=12)
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    label_level(axes, "a coin", 0.5, (0, 4), place=0.99, color=NOTE)
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel=SHARE, ylim=(0.47, 1.01))
    return figure


def _end(measured: xr.Dataset, place: int) -> tuple[float, float]:
    """Where a point lies, or the last one where there are fewer."""
    point = measured.isel(effective_noise=min(place, measured.sizes["effective_noise"] - 1))
    return float(point.effective_noise), float(point.p_flat)


@finished
def race(courses: xr.Dataset) -> Figure:
    """The race of `race_courses`: rate of escape and speed of the odds along y for the weakest, the
    middle and the strongest noise, with the freezing point; beside it their ratio for all noises.
    """
    figure, (left, right) = new_figure(1, 2, (8.0, 4.3))
    noises, colours = courses.effective_noise.values, noise_colours(courses.effective_noise.values)
    for noise in sorted({noises[0], noises[len(noises) // 2], noises[-1]}):
        _two_clocks(left, courses.sel(effective_noise=noise), colours[noise])
    right.axhline(LAW, color=THEORY, linestyle="--", linewidth=1.2)
    for noise, colour in colours.items():
        right.plot(courses.place, courses.ratio.sel(effective_noise=noise), color=colour)
    right.plot(1, LAW, "o", color=THEORY, markersize=8)
    label_line(right, "the share follows", (0.45, 160), NOTE, (8, 2), ha="left")
    label_line(right, "the share is frozen", (1.3, 0.02), NOTE, (-8, -4), ha="right")
    label_level(right, "twice as fast", LAW, (0, 5), color=THEORY)
    log_log(left, "y", "per unit of time η·step")
    log_log(right, "y, in units of the freezing point", "escape rate / speed of the odds")
    left.set(title="two clocks", ylim=(3e-5, 60))
    right.set(title="one law at every noise", ylim=(1e-3, 700))
    for axes in (left, right):
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(decimals())
        axes.xaxis.set_minor_formatter(NullFormatter())
    entries: Entries = {
        f"$Δ_S$ = {power_of_ten(noise)}": {"color": colour} for noise, colour in colours.items()
    }
    rates: Entries = {"escape rate": {"color": THEORY}, "speed of the odds": SPEED}
    legend(left, rates, loc="upper right")
    legend_below(figure, entries, columns=5)
    return figure


def _two_clocks(axes: Axes, course: xr.Dataset, colour: str) -> None:
    """Rate and speed along y, and where the walker freezes."""
    axes.plot(course.y, course.rate, color=colour)
    look: dict[str, Any] = SPEED | {"color": colour}
    axes.plot(course.y, course.speed, **look)
    axes.plot(course.freezing_y, course.freezing_rate, "o", color=colour, markersize=8)


@finished
def freezing_course(histories: xr.Dataset, ends: xr.Dataset) -> Figure:
    """How runs freeze along y, one colour an effective noise, from `frozen`, `p_flat` and `mean_y`
    over (effective_noise, time).

    Left: the share of runs whose last crossing is over. Right: P_flat as a part of its final value;
    dots at the mean y of the last crossing, `freezing_y` of `ends`.
    """
    figure, (left, right) = new_figure(1, 2, WIDE, sharex=True)
    colours = noise_colours(histories.effective_noise.values)
    for noise, colour in colours.items():
        course, end = histories.sel(effective_noise=noise), ends.sel(effective_noise=noise)
        part = course.p_flat / course.p_flat[-1]
        left.plot(
            course.mean_y, course.frozen, color=colour, label=f"$Δ_S$ = {power_of_ten(noise)}"
        )
        right.plot(course.mean_y, part, color=colour)
        for axes, values in ((left, course.frozen), (right, part)):
            axes.plot(
                end.freezing_y, np.interp(end.freezing_y, course.mean_y, values), "o", color=colour
            )
    left.set(xscale="log", xlabel="mean y", ylabel="runs past their last crossing")
    right.set(xlabel="mean y", ylabel="$P_\\mathrm{flat}$ over its final value")
    figure.legend(loc="outside lower center", ncols=5)
    return figure


@finished
def freezing_point(measured: xr.Dataset, curves: xr.Dataset, exact: xr.Dataset) -> Figure:
    """y at the last crossing, down the page as everywhere, against effective noise, with theory
    named at its lines; `exact` is the mean without sampling.
    """
    figure, axes = new_figure(1, 1, (8.2, 4.4))
    axes.plot(exact.effective_noise, exact.freezing_y, color=FREE, label="master equation", **EXACT)
    look = {"color": FREE, "label": "simulation"}
    measured_points(axes, measured, "effective_noise", "freezing_y", **look)
    axes.legend(loc="upper right")
    theories(axes, curves, "effective_noise")
    for name, shift in zip(curves, cycle(NAME_SHIFTS), strict=False):
        end = float(curves.effective_noise[-1]), float(curves[name][-1])
        label_line(axes, str(name), end, THEORY, (6, shift), ha="left", va="center")
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel="$y_\\mathrm{freeze}$")
    readable_log(axes)
    axes.invert_yaxis()  # y runs down the page
    return figure


@finished
def short_forms(along: xr.Dataset, finals: xr.Dataset, exact: xr.Dataset) -> Figure:
    """Flat share at fixed y by several formulas, over y; beside it final shares by others over the
    effective noise, with open diamonds for `exact`, the master equation.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.6), sharey=True)
    theories(left, along, "y")
    left.set(xlabel="y", ylabel=SHARE, title=f"held, $Δ_S$ = {along.effective_noise.item():g}")
    look: dict[str, Any] = {"color": FREE, "label": "master equation"} | EXACT
    right.plot(exact.effective_noise, exact.p_flat, **look)
    theories(right, finals, "effective_noise")
    right.set(xscale="log", xlabel="effective noise $Δ_S$", title="at the end of runs")
    for axes in (left, right):
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return figure


@finished
def packet(travelled: xr.Dataset, histograms: xr.Dataset) -> Figure:
    """Mean y of runs against time with the drift of theory, mean_y and drift_y (time); beside
    it the density of y about its mean, one colour a time, density (time, offset).
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    late = travelled.isel(time=slice(1, None))
    left.plot(late.time, late.mean_y, **dots(color=NEUTRAL), label="mean of the runs")
    left.plot(late.time, late.drift_y, color=THEORY, linestyle="--", label="$-⟨∂_yL⟩$ of Eq. A13")
    log_log(left, "time η·step", "mean y")
    readable_log(left)
    left.legend(loc="upper left")
    for time, colour in ordered_colours(histograms.time.values).items():
        density = histograms.density.sel(time=time)
        look: dict[str, Any] = {"color": colour, "label": f"time {time:g}", "where": "mid"}
        right.step(histograms.offset, density, **look)
    right.set(xlabel="y − mean y", ylabel="density")
    right.legend(loc="upper left")
    return figure


@finished
def criterion(
    counted: Sequence[xr.Dataset], curves: Sequence[xr.Dataset], places: xr.Dataset
) -> Figure:
    """Rates out of the sharp valley against y, one colour a noise with its name, with theory and
    the level of freezing; beside it the y at which each comes down to its level, against noise.
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.6))
    colours = noise_colours(places.effective_noise.values)
    for found, of_noise in zip(counted, curves, strict=True):
        colour = colours[float(of_noise.effective_noise)]
        _falling_rate(left, found, of_noise, places, colour)
    name_theories(left, curves[0])
    look = {"yscale": "log", "xlabel": "y", "ylabel": "$k^-$ per unit of time η·step"}
    left.set(title="rates fall to their levels", ymargin=0.12, **look)
    _places_of_levels(right, places)
    for axes in (left, right):
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return figure


def _places_of_levels(axes: Axes, places: xr.Dataset) -> None:
    """The y at which a rate comes down to its level, down the page, against effective noise."""
    look = {"color": THEORY, "label": "counted"}
    measured_points(axes, places.rename(y="place", y_error="place_error"), NOISE, "place", **look)
    theories(axes, places.rename(CRITERIA)[list(CRITERIA.values())], NOISE)
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel="$y$ at the level")
    noises = places.effective_noise.values
    axes.set_xticks(noises, [power_of_ten(noise) for noise in noises])
    axes.xaxis.set_minor_formatter(NullFormatter())
    readable_log(axes)
    axes.invert_yaxis()  # y runs down the page
    axes.set_title("where they reach them")


def _falling_rate(
    axes: Axes, found: xr.Dataset, curves: xr.Dataset, places: xr.Dataset, colour: str
) -> None:
    """The rates at one noise, with its name below them, and where they come down to the level."""
    measured_points(axes, found.sel(valley="sharp"), "y", "escape_rate", color=colour)
    theories(axes, curves, "y", color=colour, is_named=False)
    place = places.sel(effective_noise=float(curves.effective_noise))
    name = power_of_ten(float(place.effective_noise))
    is_first = float(place.effective_noise) == float(places.effective_noise.min())
    last = float(found.y[-1]), float(found.escape_rate.sel(valley="sharp")[-1])
    label_line(axes, f"$Δ_S$ = {name}" if is_first else name, last, colour, (0, -18))
    ends = [0.85 * float(place.y), 1.18 * float(place.y)]
    axes.plot(ends, [float(place.level)] * 2, color=colour, linewidth=2.5)


@finished
def uneven_ridge(measured: xr.Dataset, courses: xr.Dataset) -> Figure:
    """Height of the ridge over the noise along y for several ripples, and the flat share by the
    balance of hops, with the final share of runs at its end; one colour a ripple.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    for ripple, colour in ordered_colours(courses.ripple.values).items():
        course, end = courses.sel(ripple=ripple), measured.sel(ripple=ripple)
        left.plot(course.y, course.height, color=colour)
        right.plot(course.y, course.p_flat, color=colour, linewidth=1, label=f"a = {ripple:g}")
        ends = end.end_y, end.p_flat, end.p_flat_error
        points(right, *(float(each) for each in ends), color=colour, linestyle="none")
    left.set(xlabel="y", ylabel="ridge over noise, sharp valley", ylim=(0, TALLEST_RIDGE))
    right.set(xlabel="y", ylabel=SHARE)
    right.legend(loc="lower right")
    return figure


@finished
def flux(histories: xr.Dataset) -> Figure:
    """Crossings of the ridge per unit of time against mean y, and their difference, one panel an
    effective noise.

    `histories` has to_flat, to_sharp, mean_y over (effective_noise, time).
    """
    figure, panels = new_figure(
        1, histories.sizes["effective_noise"], WIDE, sharey=True, squeeze=False
    )
    for axes, (noise, course) in zip(panels[0], histories.groupby("effective_noise"), strict=True):
        _crossings(axes, course.squeeze("effective_noise"))
        axes.set_title(f"$Δ_S$ = {power_of_ten(noise)}")
    panels[0, 0].set_ylabel("crossings per run and unit of time")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _crossings(axes: Axes, course: xr.Dataset) -> None:
    """Crossings both ways, and by how much those into the flat valley are more."""
    net = course.to_flat - course.to_sharp
    axes.plot(course.mean_y, course.to_flat, color=FLAT, label="into the flat valley")
    axes.plot(course.mean_y, course.to_sharp, color=SHARP, label="into the sharp valley")
    positive = net.where(net > 0)
    axes.plot(course.mean_y, positive, color=THEORY, linestyle="--", label="the difference")
    axes.set(xscale="log", yscale="log", xlabel="mean y", ylim=(1e-6, None))


@finished
def transient_map(p_flat: xr.DataArray, limit: xr.DataArray) -> Figure:
    """P_flat over (flatness_ratio, effective_noise), and the line where the freezing theory
    ends, `limit` (flatness_ratio).
    """
    figure, axes = new_figure(1, 1, TALL)
    look: dict[str, Any] = {"cmap": SHARE_MAP, "shading": "nearest", "rasterized": True}
    places = p_flat.effective_noise, p_flat.flatness_ratio
    mesh = axes.pcolormesh(*places, p_flat, vmin=0, vmax=1, **look)
    _end_of_theory(axes, limit, float(p_flat.effective_noise.max()))
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel="flatness ratio γ")
    figure.colorbar(mesh, ax=axes, label=f"{SHARE} (Eq. 26)")
    return figure


def _end_of_theory(axes: Axes, limit: xr.DataArray, largest: float) -> None:
    """The line, hatched from there to the largest effective noise."""
    axes.plot(limit, limit.flatness_ratio, color=ON_LIGHT, linestyle="--")
    look = {"facecolor": "none", "edgecolor": ON_LIGHT, "hatch": "//", "linewidth": 0}
    axes.fill_betweenx(limit.flatness_ratio, limit, largest, alpha=0.25, **look)
    third = limit[len(limit) // 3]
    place = float(third), float(third.flatness_ratio)
    label_line(axes, "Eq. 25 ends", place, ON_LIGHT, (6, 0), ha="left")
