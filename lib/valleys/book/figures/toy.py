"""Figures of the two-valley chapters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from valleys.book.figures.style import DIVERGED, FLAT, NEUTRAL, NOISE_MAP, NOTE, PULL_MAP, QUANTITY_MAP, SHARP, THEORY, learning_rate_colours, shades

WIDE = (9.0, 3.8)
TALL = (7.2, 4.2)
RASTER_DPI = 200  # of the rasterised parts of a vector figure
SECTION_TOP = 3.5  # upper end of the loss axis of sections
STYLES = ("--", "-.", ":", (0, (5, 1)), (0, (1, 3)))  # one per theory, all in the colour of theory


def landscape(grid: xr.Dataset) -> Figure:
    """The loss as a surface with its two floors, and sections across it at four y; `grid` has loss (y, x), flat_x, sharp_x, floor_loss (y)."""
    figure = Figure(figsize=(9.0, 4.2), dpi=RASTER_DPI)
    surface, sections = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    x, y = np.meshgrid(grid.x, grid.y)
    ceiling = 1.15 * float(grid.loss.sel(x=0, method="nearest").max())
    surface.plot_surface(x, y, grid.loss.where(grid.loss < ceiling), cmap=QUANTITY_MAP, alpha=0.75, rcount=60, ccount=80, linewidth=0, rasterized=True)
    for side, colour in (("flat_x", FLAT), ("sharp_x", SHARP)):
        surface.plot(grid[side], grid.y, grid.floor_loss + 0.03, color=colour, linewidth=3, zorder=10)
    surface.set(xlabel="x", ylabel="y", zlabel="loss L", zlim=(1, ceiling), xticks=(-0.5, 0, 0.5), yticks=(0, 20, 40, 60), zticks=(1, 1.5, 2))
    surface.view_init(elev=38, azim=62)
    surface.set_box_aspect((1, 1.2, 0.7), zoom=0.85)
    for axis in (surface.xaxis, surface.yaxis, surface.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
    chosen = grid.isel(y=np.linspace(0, grid.sizes["y"] - 1, 4).astype(int))
    for strength, (_, section) in zip((0.3, 0.5, 0.75, 1.0), chosen.groupby("y"), strict=True):
        _section(sections, section.squeeze("y"), strength)
    sections.set(xlabel="x", ylabel="loss L", ylim=(None, SECTION_TOP))
    _legend(sections, {"flat side": {"color": FLAT}, "sharp side": {"color": SHARP}}, loc="upper center")
    return figure


def _section(axes: Axes, section: xr.Dataset, strength: float) -> None:
    for side, colour in ((section.x >= 0, FLAT), (section.x <= 0, SHARP)):
        axes.plot(section.x[side], section.loss[side], color=colour, alpha=strength)
    end = section.where(section.loss < SECTION_TOP, drop=True).isel(x=-1)
    axes.annotate(f"y = {float(section.y):g}", (end.x, end.loss), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)


def hopping(runs: xr.Dataset, grid: xr.Dataset) -> Figure:
    """Single runs over the contours of the loss, and their x against time; one row a noise strength. `runs` has x, y (noise_strength, run, step)."""
    n_rows = runs.sizes["noise_strength"]
    figure, rows = _panels(n_rows, 2, (9.0, 2.3 * n_rows), sharex="col", squeeze=False, width_ratios=(1, 1.6))
    for (above, beside), (strength, group) in zip(rows, runs.groupby("noise_strength"), strict=True):
        above.contour(grid.x, grid.y, grid.loss, levels=np.arange(1, 4, 0.1), colors=NEUTRAL, linewidths=0.5, alpha=0.6)
        for _, run in group.squeeze("noise_strength").groupby("run"):
            _run(above, beside, run.squeeze("run"))
        above.set(ylabel="y", title=f"noise strength σ = {strength:g}", ylim=(float(grid.y[0]), float(grid.y[-1])))
        beside.set(ylabel="x", xscale="log")
        beside.axhline(0, color=NEUTRAL, linewidth=0.8)
    rows[-1, 0].set_xlabel("x")
    rows[-1, 1].set_xlabel("time η·step")
    _legend(rows[0, 1], {"ends in the flat valley": {"color": FLAT}, "ends in the sharp valley": {"color": SHARP}}, loc="upper left")
    return figure


def _run(above: Axes, beside: Axes, run: xr.Dataset) -> None:
    look = {"color": FLAT if run.x[-1] > 0 else SHARP, "linewidth": 0.6, "alpha": 0.7, "rasterized": True}
    above.plot(run.x, run.y, **look)
    beside.plot(run.time[1:], run.x[1:], **look)


def phase_maps(cells: xr.Dataset, marked: xr.DataArray | None = None) -> Figure:
    """P_flat and time to freeze over (learning_rate, noise_strength); a cross in the cells of the left map where `marked` is true."""
    figure, (left, right) = _panels(1, 2, WIDE, sharey=True)
    _map(left, cells, "p_flat", "flat valley, $P_\\mathrm{flat}$", vmin=0.5, vmax=1.0)
    _map(right, cells, "time_to_freeze", "time to freeze, η⟨$t_\\mathrm{freeze}$⟩", norm=LogNorm())
    left.set_ylabel("learning rate η")
    if marked is not None:
        rates, strengths = np.nonzero(marked.transpose("learning_rate", "noise_strength").values)
        left.plot(marked.noise_strength[strengths], marked.learning_rate[rates], color=THEORY, marker="x", markersize=6, linestyle="none")
    return figure


def _map(axes: Axes, cells: xr.Dataset, name: str, title: str, **colours: object) -> None:
    look = {"cmap": QUANTITY_MAP, "shading": "nearest", "rasterized": True} | colours
    mesh = axes.pcolormesh(cells.noise_strength, cells.learning_rate, cells[name], **look)
    axes.patch.set(hatch="////", edgecolor=DIVERGED)  # shows through where a cell has no value
    axes.set(xscale="log", yscale="log", xlabel="noise strength σ", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.figure.colorbar(mesh, ax=axes)


def agreement(pulls: xr.Dataset) -> Figure:
    """Simulation less exact value in standard errors over (learning_rate, noise_strength), of p_flat and time_to_freeze; grey where nothing hops."""
    figure, (left, right) = _panels(1, 2, WIDE, sharey=True)
    for axes, name, title in ((left, "p_flat", "$P_\\mathrm{flat}$"), (right, "time_to_freeze", "time to freeze")):
        _map(axes, pulls, name, f"{title}, simulation − exact", cmap=PULL_MAP, vmin=-4, vmax=4)
        axes.figure.axes[-1].set_ylabel("standard errors")
    left.set_ylabel("learning rate η")
    return figure


def noise_response(cells: xr.Dataset) -> Figure:
    """P_flat and time to freeze against effective noise, with error bars, one colour a learning rate."""
    figure, (left, right) = _panels(1, 2, WIDE)
    colours = learning_rate_colours(cells.learning_rate.values)
    for rate, row in cells.groupby("learning_rate"):
        row = row.squeeze("learning_rate")
        for axes, name in ((left, "p_flat"), (right, "time_to_freeze")):
            _points(axes, row.effective_noise, row[name], row[f"{name}_error"], color=colours[rate], label=f"η = {rate:.3g}")
    left.set(xscale="log", xlabel="effective noise $Δ_S$ = ησ", ylabel="flat valley, $P_\\mathrm{flat}$")
    right.set(xscale="log", yscale="log", xlabel="effective noise $Δ_S$ = ησ", ylabel="time to freeze, η⟨$t_\\mathrm{freeze}$⟩")
    handles, labels = left.get_legend_handles_labels()
    keep = sorted({0, len(handles) // 2, len(handles) - 1})
    left.legend([handles[i] for i in keep], [labels[i] for i in keep], loc="lower right")
    return figure


def control(cells: xr.Dataset, levels: Mapping[str, float]) -> Figure:
    """P_flat against effective noise for two kinds of noise, one panel a learning rate; `cells` has p_flat (noise, learning_rate, noise_strength)."""
    figure, panels = _panels(1, cells.sizes["learning_rate"], WIDE, sharey=True, squeeze=False)
    looks = {"hessian": {"color": FLAT, "marker": "o"}, "isotropic": {"color": NEUTRAL, "marker": "s"}}
    for axes, (rate, group) in zip(panels[0], cells.groupby("learning_rate"), strict=True):
        for noise, row in group.squeeze("learning_rate").groupby("noise"):
            row = row.squeeze("noise")
            _points(axes, row.effective_noise, row.p_flat, row.p_flat_error, label=f"{noise} noise", **looks[noise])
        _levels(axes, levels)
        axes.set(xscale="log", xlabel="effective noise $Δ_S$ = ησ", title=f"learning rate η = {rate:g}", ylim=(0.4, 1.02))
    panels[0, 0].set_ylabel("flat valley, $P_\\mathrm{flat}$")
    panels[0, 0].legend(loc="center left")
    return figure


def flatness_contrast(measured: xr.Dataset, curves: xr.Dataset) -> Figure:
    """P_flat at the end of evolving runs against the flatness ratio, with theory; `measured` has p_flat (flatness_ratio)."""
    figure, axes = _panels(1, 1, TALL)
    _points(axes, measured.flatness_ratio, measured.p_flat, measured.p_flat_error, color=FLAT, linestyle="none", label="simulation")
    _theories(axes, curves, "flatness_ratio")
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.set(xlabel="flatness ratio γ", ylabel="flat valley, $P_\\mathrm{flat}$", ylim=(0.4, 1.02))
    axes.legend(loc="center right")
    return figure


def temperatures(measured: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Fluctuation over response against y, in units of T_eff, for each valley alone and for both.

    `measured` has relative, relative_error (part, y), `curves` has theory (part, y), with the parts "sharp", "both" and "flat".
    """
    figure, axes = _panels(1, 1, TALL)
    looks = {"sharp": (SHARP, "s", 8, "sharp valley alone"), "both": (NEUTRAL, "D", -18, "both valleys"), "flat": (FLAT, "o", -18, "flat valley alone")}
    middle = float(curves.y[:2].mean())
    for part, (colour, marker, offset, label) in looks.items():
        points, line = measured.sel(part=part), curves.theory.sel(part=part)
        axes.plot(curves.y, line, color=THEORY, linestyle="--", linewidth=1.3)
        _points(axes, points.y, points.relative, points.relative_error, color=colour, marker=marker, linestyle="none")
        axes.annotate(label, (middle, float(line[:2].mean())), xytext=(0, offset), textcoords="offset points", ha="center", color=colour)
    axes.axhline(1, color=NEUTRAL, linewidth=0.8)
    axes.annotate("$T_\\mathrm{eff}$", (float(curves.y[-1]), 1), xytext=(0, 5), textcoords="offset points", ha="right", color=NOTE)
    axes.set(xlabel="y", ylabel="Var x / response, in units of $T_\\mathrm{eff}$", ylim=(0.7, 1.45))
    return figure


def density_at_fixed_y(samples: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Sampled P(x|y), one panel a learning rate, with theory; `samples` has density, x (learning_rate, bin), `curves` one density a variable over x."""
    figure, panels = _panels(1, samples.sizes["learning_rate"], WIDE, sharey=True, squeeze=False)
    for axes, (rate, group) in zip(panels[0], samples.groupby("learning_rate"), strict=True):
        group = group.squeeze("learning_rate")
        for side, colour in ((group.x >= 0, FLAT), (group.x < 0, SHARP)):
            _points(axes, group.x[side], group.density[side], group.density_error[side], color=colour, linestyle="none", markersize=3)
        _theories(axes, curves, "x")
        axes.axvline(0, color=NEUTRAL, linewidth=0.8)
        axes.set(xlabel="x", title=f"learning rate η = {rate:g}")
    panels[0, 0].set_ylabel("P(x | y)")
    panels[0, 0].legend(loc="upper left")
    return figure


def weight_against_step(measured: xr.Dataset, exact: xr.Dataset, levels: Mapping[str, float], name: str = "transition operator") -> Figure:
    """P_flat against the square root of the learning rate: simulation, the same without sampling (called `name`), and the levels of theory."""
    figure, axes = _panels(1, 1, TALL)
    root = np.sqrt(measured.learning_rate)
    _points(axes, root, measured.p_flat, measured.p_flat_error, color=FLAT, linestyle="none", label="simulation")
    axes.plot(np.sqrt(exact.learning_rate), exact.p_flat, color=FLAT, linewidth=1, label=name)
    _levels(axes, levels)
    axes.set(xlabel="√η", ylabel="flat valley, $P_\\mathrm{flat}$", xlim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def weight_along_y(measured: xr.Dataset, curves: xr.Dataset, levels: Mapping[str, float], exact: xr.Dataset) -> Figure:
    """P_flat at fixed y against y: points with error bars, one line a theory, and a thin line for `exact`, the transition operator of the step."""
    figure, axes = _panels(1, 1, TALL)
    axes.plot(exact.y, exact.p_flat, color=FLAT, linewidth=1, label="transition operator")
    _points(axes, measured.y, measured.p_flat, measured.p_flat_error, color=FLAT, linestyle="none", label="simulation")
    _theories(axes, curves, "y")
    _levels(axes, levels, start=len(curves))
    axes.set(xlabel="y", ylabel="flat valley, $P_\\mathrm{flat}(y)$")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def effective_potential(section: xr.Dataset, measured: xr.Dataset, theories: Sequence[str]) -> Figure:
    """Loss, effective loss and their difference on a section; beside it the potential of sampled positions with theory.

    `measured` has potential with potential_error, and each of `theories`, over the coordinate x.
    """
    figure, (left, right) = _panels(1, 2, WIDE)
    left.plot(section.x, section.loss, color=NEUTRAL, label="loss L")
    left.plot(section.x, section.effective, color=THEORY, linestyle="--", label="$L_\\mathrm{eff}$ (Eq. 19)")
    left.plot(section.x, section.correction, color=THEORY, linestyle=":", label="$L_\\mathrm{SGD}$ (Eq. 20)")
    left.set(xlabel="x", ylabel="loss", title=f"y = {float(section.y):g}")
    left.legend(loc="center", fontsize=9)
    for side, colour in ((measured.x >= 0, FLAT), (measured.x < 0, SHARP)):
        _points(right, measured.x[side], measured.potential[side], measured.potential_error[side], color=colour, linestyle="none", markersize=3)
    _theories(right, measured[list(theories)], "x")
    right.axvline(0, color=NEUTRAL, linewidth=0.8)
    right.set(xlabel="x", ylabel="$-T_\\mathrm{eff}$ ln P(x | y)", title=f"y = {float(measured.y):g}, sampled")
    right.legend(loc="upper center", fontsize=9)
    return figure


def evolution(runs: xr.Dataset, curves: xr.Dataset, levels: Mapping[str, float], exact: xr.Dataset) -> Figure:
    """P_flat of evolving runs against their mean y, one colour a noise; `curves` has theories over (noise_strength, y).

    Bands are the runs with one standard error; thin lines are `exact`, p_flat and mean_y over (effective_noise, time), in the order of the noises.
    """
    figure, axes = _panels(1, 1, TALL)
    colours = shades(runs.noise_strength.values, NOISE_MAP)
    for place, strength in enumerate(runs.noise_strength.values):
        run, course = runs.isel(noise_strength=place), exact.isel(effective_noise=place)
        band = (run.p_flat - run.p_flat_error, run.p_flat + run.p_flat_error)
        axes.fill_between(run.mean_y, *band, color=colours[strength], alpha=0.35, linewidth=0, label=f"σ = {strength:g}")
        axes.plot(course.mean_y, course.p_flat, color=colours[strength], linewidth=1)
        for name, style in zip(curves, STYLES, strict=False):
            axes.plot(curves.y, curves[name].sel(noise_strength=strength), color=colours[strength], linestyle=style, linewidth=1.2)
    axes.plot([], [], color=THEORY, linewidth=1, label="master equation")
    for name, style in zip(curves, STYLES, strict=False):
        axes.plot([], [], color=THEORY, linestyle=style, linewidth=1.2, label=str(name))
    _levels(axes, levels, start=len(curves))
    axes.set(xscale="log", xlabel="mean y", ylabel="flat valley, $P_\\mathrm{flat}$", ylim=(0.48, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def escape_rates(measured: xr.Dataset, to_ridge: xr.Dataset, to_bottom: xr.Dataset) -> Figure:
    """Rates of reaching the ridge and of reaching the other bottom, against y; `measured` has top_rate and escape_rate over (y, valley)."""
    figure, (left, right) = _panels(1, 2, WIDE, sharey=True)
    for axes, rate, curves, title in ((left, "top_rate", to_ridge, "to the ridge"), (right, "escape_rate", to_bottom, "to the other bottom")):
        for valley, colour in (("sharp", SHARP), ("flat", FLAT)):
            points = measured.sel(valley=valley)
            _points(axes, points.y, points[rate], points[f"{rate}_error"], color=colour, linestyle="none", label=f"out of the {valley} valley")
            for name, style in zip(curves, STYLES, strict=False):
                axes.plot(curves.y, curves[name].sel(valley=valley), color=colour, linestyle=style, linewidth=1.2)
        for name, style in zip(curves, STYLES, strict=False):
            axes.plot([], [], color=THEORY, linestyle=style, linewidth=1.2, label=str(name))
        axes.set(yscale="log", xlabel="y", title=title)
        axes.legend(loc="lower left", fontsize=9)
    left.set_ylabel("passages per unit of time η·step")
    return figure


def paradox(fixed: xr.Dataset, fixed_curves: xr.Dataset, final: xr.Dataset, final_curves: xr.Dataset, exact: xr.Dataset) -> Figure:
    """P_flat against effective noise: at fixed y (falls), and at the end of evolving runs (rises); `exact` is the end without sampling."""
    figure, (left, right) = _panels(1, 2, WIDE, sharey=True)
    right.plot(exact.effective_noise, exact.p_flat, color=FLAT, linewidth=1, label="master equation")
    for axes, measured, curves, title in (
        (left, fixed, fixed_curves, f"held at y = {float(fixed.y):g}"),
        (right, final, final_curves, "free to move along y"),
    ):
        _points(axes, measured.effective_noise, measured.p_flat, measured.p_flat_error, color=FLAT, linestyle="none", label="simulation")
        _theories(axes, curves, "effective_noise")
        axes.set(xscale="log", xlabel="effective noise $Δ_S$", title=title)
        axes.legend(loc="lower left" if axes is left else "lower right", fontsize=9)
    left.set_ylabel("flat valley, $P_\\mathrm{flat}$")
    return figure


def freezing_course(histories: xr.Dataset, ends: xr.Dataset) -> Figure:
    """How runs freeze along y, one colour an effective noise, from `frozen`, `p_flat` and `mean_y` over (effective_noise, time).

    Left: the share of runs whose last crossing is over. Right: P_flat as a part of its final value; dots at the mean y of the last crossing,
    `freezing_y` of `ends`.
    """
    figure, (left, right) = _panels(1, 2, WIDE, sharex=True)
    colours = shades(histories.effective_noise.values, NOISE_MAP)
    for noise, colour in colours.items():
        course, end = histories.sel(effective_noise=noise), ends.sel(effective_noise=noise)
        part = course.p_flat / course.p_flat[-1]
        left.plot(course.mean_y, course.frozen, color=colour, label=f"$Δ_S$ = {noise:g}")
        right.plot(course.mean_y, part, color=colour)
        for axes, values in ((left, course.frozen), (right, part)):
            axes.plot(end.freezing_y, np.interp(end.freezing_y, course.mean_y, values), "o", color=colour)
    left.set(xscale="log", xlabel="mean y", ylabel="runs past their last crossing")
    right.set(xlabel="mean y", ylabel="$P_\\mathrm{flat}$ over its final value")
    left.legend(loc="upper left", fontsize=9)
    return figure


def freezing_point(measured: xr.Dataset, curves: xr.Dataset, exact: xr.Dataset) -> Figure:
    """y at the last crossing against effective noise, with theory; `exact` is the mean without sampling."""
    figure, axes = _panels(1, 1, TALL)
    axes.plot(exact.effective_noise, exact.freezing_y, color=FLAT, linewidth=1, label="master equation")
    _points(axes, measured.effective_noise, measured.freezing_y, measured.freezing_y_error, color=FLAT, linestyle="none", label="simulation")
    _theories(axes, curves, "effective_noise")
    axes.set(xscale="log", yscale="log", xlabel="effective noise $Δ_S$", ylabel="$y_\\mathrm{freeze}$")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def flux(histories: xr.Dataset) -> Figure:
    """Crossings of the ridge per unit of time against mean y, and their difference, one panel an effective noise.

    `histories` has to_flat, to_sharp, mean_y over (effective_noise, time).
    """
    figure, panels = _panels(1, histories.sizes["effective_noise"], WIDE, sharey=True, squeeze=False)
    for axes, (noise, course) in zip(panels[0], histories.groupby("effective_noise"), strict=True):
        course = course.squeeze("effective_noise")
        net = course.to_flat - course.to_sharp
        axes.plot(course.mean_y, course.to_flat, color=FLAT, label="into the flat valley")
        axes.plot(course.mean_y, course.to_sharp, color=SHARP, label="into the sharp valley")
        axes.plot(course.mean_y, net.where(net > 0), color=THEORY, linestyle="--", label="the difference")
        axes.set(xscale="log", yscale="log", xlabel="mean y", title=f"$Δ_S$ = {float(noise):g}", ylim=(1e-8, None))
    panels[0, 0].set_ylabel("crossings per run and unit of time")
    panels[0, -1].legend(loc="lower left", fontsize=9)
    return figure


def transient_map(p_flat: xr.DataArray, limit: xr.DataArray) -> Figure:
    """P_flat over (flatness_ratio, effective_noise), and the line where the freezing theory ends, `limit` (flatness_ratio)."""
    figure, axes = _panels(1, 1, TALL)
    mesh = axes.pcolormesh(p_flat.effective_noise, p_flat.flatness_ratio, p_flat, cmap=QUANTITY_MAP, shading="nearest", rasterized=True)
    axes.plot(limit, limit.flatness_ratio, color="white", linestyle="--")
    axes.annotate(
        "Eq. 25 ends", (float(limit[len(limit) // 3]), float(limit.flatness_ratio[len(limit) // 3])), xytext=(6, 0), textcoords="offset points", color="white"
    )
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel="flatness ratio γ")
    figure.colorbar(mesh, ax=axes, label="flat valley, $P_\\mathrm{flat}$ (Eq. 26)")
    return figure


def _panels(rows: int, columns: int, size: tuple[float, float], **options: object) -> tuple[Figure, Any]:
    """A figure that no global state keeps alive, and its axes."""
    figure = Figure(figsize=size, dpi=RASTER_DPI)
    return figure, figure.subplots(rows, columns, **options)


def _points(axes: Axes, x: xr.DataArray, y: xr.DataArray, error: xr.DataArray, **look: object) -> None:
    """Points with error bars of one standard error."""
    axes.errorbar(x, y, yerr=error, **({"marker": "o", "capsize": 2, "linewidth": 1.2} | look))


def _theories(axes: Axes, curves: xr.Dataset, along: str) -> None:
    for name, style in zip(curves, STYLES, strict=False):
        axes.plot(curves[along], curves[name], color=THEORY, linestyle=style, linewidth=1.3, label=str(name))


def _levels(axes: Axes, levels: Mapping[str, float], start: int = 0) -> None:
    for name, style in zip(levels, (STYLES * 2)[start:], strict=False):
        axes.axhline(levels[name], color=THEORY, linestyle=style, linewidth=1.2, label=name)


def _legend(axes: Axes, entries: Mapping[str, Mapping[str, object]], alpha: float = 1, **place: object) -> None:
    axes.legend([Line2D([], [], alpha=alpha, **look) for look in entries.values()], entries.keys(), **place)
