"""Figures of the two-valley chapters."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LightSource, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from mpl_toolkits.mplot3d import Axes3D

from valleys.book.figures.parts import (
    RASTER_DPI,
    TALL,
    WIDE,
    finished,
    label_line,
    legend,
    new_figure,
    points,
    power_of_ten,
    readable_log,
)
from valleys.book.figures.style import (
    DIVERGED,
    FLAT,
    FREE,
    HELD,
    INK,
    NEUTRAL,
    NOTE,
    ON_DARK,
    ON_LIGHT,
    PULL_MAP,
    QUANTITY_MAP,
    SHARE_MAP,
    SHARP,
    THEORY,
    learning_rate_colours,
    noise_colours,
)

SECTION_TOP = 3.5  # upper end of the loss axis of sections
STYLES = ("--", "-.", ":", (0, (5, 1)), (0, (1, 3)))  # one per theory, all in the colour of theory
# known at a few places only: no line between
EXACT = {
    "marker": "D",
    "markersize": 8,
    "markerfacecolor": "none",
    "markeredgewidth": 1.2,
    "linestyle": "none",
}
CROSS = {"marker": "X", "markersize": 8, "color": ON_LIGHT, "markeredgecolor": ON_DARK}
SHARE = "flat share $P_\\mathrm{flat}$"


@finished
def landscape(grid: xr.Dataset) -> Figure:
    """The loss as a surface with its two floors and the ridge, and sections across it at four y;
    `grid` has loss (y, x), flat_x, sharp_x, floor_loss (y).
    """
    figure = Figure(figsize=(8.2, 8.0), dpi=RASTER_DPI)
    space = figure.add_gridspec(2, 1, height_ratios=(1.9, 1))
    _surface(figure.add_subplot(space[0], projection="3d", computed_zorder=False), grid)
    sections = figure.add_subplot(space[1])
    chosen = grid.isel(y=np.linspace(0, grid.sizes["y"] - 1, 4).astype(int))
    for strength, (_, section) in zip((0.45, 0.6, 0.8, 1.0), chosen.groupby("y"), strict=True):
        _section(sections, section.squeeze("y"), strength)
    sections.set(xlabel="x", ylabel="loss L", ylim=(None, SECTION_TOP))
    for place, side, colour in ((0.12, "sharp valley", SHARP), (0.88, "flat valley", FLAT)):
        label_line(sections, side, (place, 0.04), colour, (0, 0), xycoords="axes fraction")
    return figure


def _surface(axes: Axes3D, grid: xr.Dataset) -> None:
    """The landscape up to one height, lit from the side: the sharp valley left, the flat one
    right, y towards the reader.
    """
    ridge = grid.loss.sel(x=0, method="nearest")
    ceiling = 1.2 * float(ridge.max())
    x, loss = _below(grid, ceiling)
    y = np.broadcast_to(grid.y.values[:, None], x.shape)
    look = {
        "rcount": len(x),
        "ccount": x.shape[1],
        "linewidth": 0,
        "antialiased": False,
        "shade": False,
        "rasterized": True,
    }
    axes.plot_surface(x, y, loss, facecolors=_lit(x, loss, ceiling), **look)
    for floor, colour in ((grid.flat_x, FLAT), (grid.sharp_x, SHARP)):
        axes.plot(
            floor,
            grid.y,
            grid.floor_loss + 0.02,
            color=colour,
            linewidth=3.5,
            solid_capstyle="round",
            zorder=10,
        )
    axes.plot(
        0 * grid.y, grid.y, ridge + 0.01, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=11
    )
    axes.view_init(elev=40, azim=-72)
    axes.set_box_aspect((1.5, 1.5, 0.8), zoom=1.2)
    first, last = float(grid.y[0]), float(grid.y[-1])
    axes.set(
        xlabel="x",
        ylabel="y",
        ylim=(last, first),
        zlim=(float(grid.floor_loss.min()), ceiling),
        xticks=(-0.5, 0, 0.5),
        zticks=(1, 1.5, 2),
    )
    axes.zaxis.set_rotate_label(False)
    axes.set_zlabel("loss L", rotation=90)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.line.set_color(NEUTRAL)
        axis._axinfo["grid"]["color"] = DIVERGED  # mplot3d has no setter for it


def _below(grid: xr.Dataset, ceiling: float) -> tuple[np.ndarray, np.ndarray]:
    """x and loss (y, place), in each row from where the loss comes down to the ceiling to where
    it rises to it: an edge without teeth.
    """
    rows = []
    for loss in grid.loss.transpose("y", "x").values:
        inside = np.flatnonzero(loss < ceiling)
        low, high = (
            np.interp(ceiling, loss[[inner, outer]], grid.x.values[[inner, outer]])
            if 0 <= outer < len(loss)
            else grid.x.values[inner]
            for inner, outer in ((inside[0], inside[0] - 1), (inside[-1], inside[-1] + 1))
        )
        x = np.linspace(low, high, 241)
        rows.append((x, np.interp(x, grid.x.values, loss)))
    return tuple(np.array(part) for part in zip(*rows, strict=True))


def _lit(x: np.ndarray, loss: np.ndarray, ceiling: float) -> np.ndarray:
    """Colours of the surface: of the valley at the bottom, pale above, light from the left."""
    depth = np.clip((ceiling - loss) / (ceiling - loss.min()), 0, 1)[..., None]
    side = np.where((x > 0)[..., None], to_rgb(FLAT), to_rgb(SHARP))
    colours = 1 - (0.3 + 0.5 * depth) * (1 - side)
    height = loss / (ceiling - loss.min())
    return LightSource(azdeg=300, altdeg=55).shade_rgb(
        colours, height, blend_mode="soft", vert_exag=40, fraction=0.9
    )


def _section(axes: Axes, section: xr.Dataset, strength: float) -> None:
    for side, colour in ((section.x >= 0, FLAT), (section.x <= 0, SHARP)):
        axes.plot(section.x[side], section.loss[side], color=colour, alpha=strength)
    end = section.where(section.loss < SECTION_TOP, drop=True).isel(x=-1)
    axes.annotate(
        f"y = {float(section.y):g}",
        (end.x, end.loss),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
    )


@finished
def hopping(runs: xr.Dataset, grid: xr.Dataset) -> Figure:
    """Single runs over the contours of the loss, and their x against time; one row a noise
    strength. `runs` has x, y (noise_strength, run, step).
    """
    n_rows = runs.sizes["noise_strength"]
    figure, rows = new_figure(
        n_rows, 2, (8.6, 2.6 * n_rows), sharex="col", squeeze=False, width_ratios=(1, 1.6)
    )
    for (above, beside), (strength, group) in zip(
        rows, runs.groupby("noise_strength"), strict=True
    ):
        above.contour(
            grid.x,
            grid.y,
            grid.loss,
            levels=np.arange(1, 4, 0.1),
            colors=NEUTRAL,
            linewidths=0.5,
            alpha=0.6,
        )
        for _, run in group.squeeze("noise_strength").groupby("run"):
            _run(above, beside, run.squeeze("run"))
        above.set(
            ylabel="y",
            title=f"noise strength σ = {strength:g}",
            ylim=(float(grid.y[-1]), float(grid.y[0])),
        )
        beside.set(ylabel="x", xscale="log")
        beside.axhline(0, color=NEUTRAL, linewidth=0.8)
    rows[-1, 0].set_xlabel("x")
    rows[-1, 1].set_xlabel("time η·step")
    legend(
        rows[0, 1],
        {"ends in the flat valley": {"color": FLAT}, "ends in the sharp valley": {"color": SHARP}},
        loc="upper left",
    )
    return figure


def _run(above: Axes, beside: Axes, run: xr.Dataset) -> None:
    look = {
        "color": FLAT if run.x[-1] > 0 else SHARP,
        "linewidth": 0.6,
        "alpha": 0.7,
        "rasterized": True,
    }
    above.plot(run.x, run.y, **look)
    beside.plot(run.time[1:], run.x[1:], **look)


@finished
def phase_maps(cells: xr.Dataset, marked: xr.DataArray | None = None) -> Figure:
    """P_flat and time to freeze over (learning_rate, noise_strength); a cross in the cells of
    the left map where `marked` is true.
    """
    figure, (left, right) = new_figure(1, 2, WIDE, sharey=True)
    _map(left, cells, "p_flat", SHARE, cmap=SHARE_MAP, vmin=0, vmax=1)
    _map(right, cells, "time_to_freeze", "time to freeze η⟨$t_\\mathrm{freeze}$⟩", norm=LogNorm())
    left.set_ylabel("learning rate η")
    if marked is not None:
        rates, strengths = np.nonzero(marked.transpose("learning_rate", "noise_strength").values)
        left.plot(
            marked.noise_strength[strengths], marked.learning_rate[rates], linestyle="none", **CROSS
        )
    return figure


def _map(axes: Axes, cells: xr.Dataset, name: str, title: str, **colours: object) -> None:
    look = {"cmap": QUANTITY_MAP, "shading": "nearest", "rasterized": True} | colours
    mesh = axes.pcolormesh(cells.noise_strength, cells.learning_rate, cells[name], **look)
    axes.patch.set(hatch="////", edgecolor=DIVERGED)  # shows through where a cell has no value
    axes.set(xscale="log", yscale="log", xlabel="noise strength σ", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.figure.colorbar(mesh, ax=axes)


@finished
def agreement(pulls: xr.Dataset) -> Figure:
    """Simulation less exact value in standard errors over (learning_rate, noise_strength), of
    p_flat and time_to_freeze; grey where nothing hops.
    """
    figure, (left, right) = new_figure(1, 2, WIDE, sharey=True)
    for axes, name, title in (
        (left, "p_flat", "$P_\\mathrm{flat}$"),
        (right, "time_to_freeze", "time to freeze"),
    ):
        _map(axes, pulls, name, f"{title}, simulation − exact", cmap=PULL_MAP, vmin=-4, vmax=4)
        axes.figure.axes[-1].set_ylabel("standard errors")
    left.set_ylabel("learning rate η")
    return figure


@finished
def noise_response(cells: xr.Dataset) -> Figure:
    """P_flat and time to freeze against effective noise, with error bars, one colour a learning
    rate.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    colours = learning_rate_colours(cells.learning_rate.values)
    for rate, row in cells.groupby("learning_rate"):
        row = row.squeeze("learning_rate")
        for axes, name in ((left, "p_flat"), (right, "time_to_freeze")):
            points(
                axes,
                row.effective_noise,
                row[name],
                row[f"{name}_error"],
                color=colours[rate],
                label=f"η = {rate:.2g}",
            )
    left.set(xscale="log", xlabel="effective noise $Δ_S$ = ησ", ylabel=SHARE)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="effective noise $Δ_S$ = ησ",
        ylabel="time to freeze η⟨$t_\\mathrm{freeze}$⟩",
    )
    handles, labels = left.get_legend_handles_labels()
    keep = sorted({0, len(handles) // 2, len(handles) - 1})
    left.legend([handles[i] for i in keep], [labels[i] for i in keep], loc="lower right")
    return figure


@finished
def control(cells: xr.Dataset, levels: Mapping[str, float]) -> Figure:
    """P_flat against effective noise for two kinds of noise, one panel a learning rate; `cells`
    has p_flat (noise, learning_rate, noise_strength).
    """
    figure, panels = new_figure(1, cells.sizes["learning_rate"], WIDE, sharey=True, squeeze=False)
    looks = {
        "hessian": {"color": FLAT, "marker": "o"},
        "isotropic": {"color": NEUTRAL, "marker": "s"},
    }
    names = {"hessian": "curvature noise", "isotropic": "uniform noise"}
    for axes, (rate, group) in zip(panels[0], cells.groupby("learning_rate"), strict=True):
        for noise, row in group.squeeze("learning_rate").groupby("noise"):
            row = row.squeeze("noise")
            points(
                axes,
                row.effective_noise,
                row.p_flat,
                row.p_flat_error,
                label=names[noise],
                **looks[noise],
            )
        _levels(axes, levels)
        axes.set(
            xscale="log",
            xlabel="effective noise $Δ_S$ = ησ",
            title=f"learning rate η = {rate:g}",
            ylim=(0.4, 1.02),
        )
    panels[0, 0].set_ylabel(SHARE)
    panels[0, 0].legend(loc="center left")
    return figure


@finished
def flatness_contrast(measured: xr.Dataset, curves: xr.Dataset) -> Figure:
    """P_flat at the end of evolving runs against the flatness ratio, with theory; `measured` has
    p_flat (flatness_ratio).
    """
    figure, axes = new_figure(1, 1, TALL)
    points(
        axes,
        measured.flatness_ratio,
        measured.p_flat,
        measured.p_flat_error,
        color=FLAT,
        linestyle="none",
        label="simulation",
    )
    _theories(axes, curves, "flatness_ratio")
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.set(xlabel="flatness ratio γ", ylabel=SHARE, ylim=(0.4, 1.02))
    axes.legend(loc="center right")
    return figure


@finished
def temperatures(measured: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Fluctuation over response against y, in units of T_eff, for each valley alone and for both.

    `measured` has relative, relative_error (part, y), `curves` has theory (part, y), with the parts
    "sharp", "both" and "flat".
    """
    figure, axes = new_figure(1, 1, TALL)
    looks = {
        "sharp": (SHARP, "s", 8, "sharp valley alone"),
        "both": (NEUTRAL, "D", -18, "both valleys"),
        "flat": (FLAT, "o", -18, "flat valley alone"),
    }
    middle = float(curves.y[:2].mean())
    for part, (colour, marker, offset, label) in looks.items():
        row, line = measured.sel(part=part), curves.theory.sel(part=part)
        axes.plot(curves.y, line, color=THEORY, linestyle="--", linewidth=1.3)
        points(
            axes,
            row.y,
            row.relative,
            row.relative_error,
            color=colour,
            marker=marker,
            linestyle="none",
        )
        label_line(axes, label, (middle, float(line[:2].mean())), colour, (0, offset))
    axes.axhline(1, color=NEUTRAL, linewidth=0.8)
    label_line(axes, "$T_\\mathrm{eff}$", (float(curves.y[-1]), 1), NOTE, ha="right")
    axes.set(xlabel="y", ylabel="Var x / response, in units of $T_\\mathrm{eff}$", ylim=(0.7, 1.45))
    return figure


@finished
def density_at_fixed_y(samples: xr.Dataset, curves: xr.Dataset) -> Figure:
    """Sampled P(x|y), one panel a learning rate, with theory; `samples` has density, x
    (learning_rate, bin), `curves` one density a variable over x.
    """
    figure, panels = new_figure(1, samples.sizes["learning_rate"], WIDE, sharey=True, squeeze=False)
    for axes, (rate, group) in zip(panels[0], samples.groupby("learning_rate"), strict=True):
        group = group.squeeze("learning_rate")
        for side, colour in ((group.x >= 0, FLAT), (group.x < 0, SHARP)):
            points(
                axes,
                group.x[side],
                group.density[side],
                group.density_error[side],
                color=colour,
                linestyle="none",
                markersize=3,
            )
        _theories(axes, curves, "x")
        axes.axvline(0, color=NEUTRAL, linewidth=0.8)
        axes.set(xlabel="x", title=f"η = {rate:g}")
    panels[0, 0].set_ylabel("P(x | y)")
    panels[0, 0].legend(loc="upper left", handlelength=1.6)
    return figure


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
    root = np.sqrt(measured.learning_rate)
    points(
        axes,
        root,
        measured.p_flat,
        measured.p_flat_error,
        color=FLAT,
        linestyle="none",
        label="simulation",
    )
    axes.plot(np.sqrt(exact.learning_rate), exact.p_flat, color=FLAT, label=name, **EXACT)
    for level, style in zip(levels, STYLES * 2, strict=False):
        axes.axhline(levels[level], color=THEORY, linestyle=style, linewidth=1.2, label=level)
        axes.annotate(
            level,
            (1, levels[level]),
            (-2, 4),
            ("axes fraction", "data"),
            "offset points",
            ha="right",
        )
    axes.set(xlabel="√η", ylabel=SHARE, xlim=(0, None))
    axes.margins(y=0.12)
    handles, labels = axes.get_legend_handles_labels()
    chosen = [place for place, label in enumerate(labels) if label not in levels]
    figure.legend(
        [handles[place] for place in chosen],
        [labels[place] for place in chosen],
        loc="outside lower center",
        ncols=2,
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
    points(
        axes,
        measured.y,
        measured.p_flat,
        measured.p_flat_error,
        color=FLAT,
        linestyle="none",
        label="simulation",
    )
    _theories(axes, curves, "y")
    _levels(axes, levels, start=len(curves))
    axes.set(xlabel="y", ylabel="flat share $P_\\mathrm{flat}(y)$")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@finished
def effective_potential(
    section: xr.Dataset, measured: xr.Dataset, theories: Sequence[str]
) -> Figure:
    """Loss, effective loss and their difference on a section; beside it the potential of sampled
    positions with theory.

    `measured` has potential with potential_error, and each of `theories`, over the coordinate x.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    for side, colour in ((section.x >= 0, FLAT), (section.x <= 0, SHARP)):
        left.fill_between(
            section.x[side],
            section.loss[side],
            section.effective[side],
            color=colour,
            alpha=0.25,
            linewidth=0,
        )
    left.plot(section.x, section.loss, color=NEUTRAL, label="loss L")
    left.plot(
        section.x,
        section.effective,
        color=THEORY,
        linestyle="--",
        label="$L_\\mathrm{eff}$ (Eq. 19)",
    )
    left.plot(
        section.x,
        section.correction,
        color=THEORY,
        linestyle=":",
        label="$L_\\mathrm{SGD}$ (Eq. 20)",
    )
    left.set(xlabel="x", ylabel="loss", title=f"y = {float(section.y):g}")
    left.legend(loc="center", bbox_to_anchor=(0.5, 0.34))
    left.locator_params(axis="x", nbins=5)
    for side, colour in ((measured.x >= 0, FLAT), (measured.x < 0, SHARP)):
        points(
            right,
            measured.x[side],
            measured.potential[side],
            measured.potential_error[side],
            color=colour,
            linestyle="none",
            markersize=3,
        )
    _theories(right, measured[list(theories)], "x")
    right.axvline(0, color=NEUTRAL, linewidth=0.8)
    right.set(
        xlabel="x",
        ylabel="$-T_\\mathrm{eff}$ ln P(x | y)",
        title=f"y = {float(measured.y):g}, sampled",
    )
    right.legend(loc="upper center")
    return figure


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
    for place, strength in enumerate(runs.noise_strength.values):
        run, course = runs.isel(noise_strength=place), exact.isel(effective_noise=place)
        colour = colours[course.effective_noise.item()]
        band = (run.p_flat - run.p_flat_error, run.p_flat + run.p_flat_error)
        axes.fill_between(
            run.mean_y, *band, color=colour, alpha=0.35, linewidth=0, label=f"σ = {strength:g}"
        )
        axes.plot(course.mean_y, course.p_flat, color=colour, linewidth=1)
        for name, style in zip(curves, STYLES, strict=False):
            axes.plot(
                curves.y,
                curves[name].sel(noise_strength=strength),
                color=colour,
                linestyle=style,
                linewidth=1.2,
            )
    axes.plot([], [], color=THEORY, linewidth=1, label="master equation")
    for name, style in zip(curves, STYLES, strict=False):
        axes.plot([], [], color=THEORY, linestyle=style, linewidth=1.2, label=str(name))
    _levels(axes, levels, start=len(curves))
    axes.set(xscale="log", xlabel="mean y", ylabel=SHARE, ylim=(0.48, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@finished
def escape_rates(measured: xr.Dataset, to_ridge: xr.Dataset, to_bottom: xr.Dataset) -> Figure:
    """Rates of reaching the ridge and of reaching the other bottom, against y; `measured` has
    top_rate and escape_rate over (y, valley).
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.6), sharey=True)
    for axes, rate, curves, title in (
        (left, "top_rate", to_ridge, "to the ridge"),
        (right, "escape_rate", to_bottom, "to the other bottom"),
    ):
        for valley, colour in (("sharp", SHARP), ("flat", FLAT)):
            row = measured.sel(valley=valley)
            points(
                axes,
                row.y,
                row[rate],
                row[f"{rate}_error"],
                color=colour,
                linestyle="none",
                label=f"out of the {valley} valley",
            )
            for name, style in zip(curves, STYLES, strict=False):
                axes.plot(
                    curves.y,
                    curves[name].sel(valley=valley),
                    color=colour,
                    linestyle=style,
                    linewidth=1.2,
                )
        for name, style in zip(curves, STYLES, strict=False):
            axes.plot([], [], color=THEORY, linestyle=style, linewidth=1.2, label=str(name))
        axes.set(yscale="log", xlabel="y", title=title)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    left.set_ylabel("passages per unit of time η·step")
    return figure


@finished
def paradox(
    fixed: xr.Dataset, fixed_curves: xr.Dataset, final: xr.Dataset, exact: xr.Dataset
) -> Figure:
    """P_flat against effective noise, of runs held at one y (falls) and at the end of free ones
    (rises).

    Thin lines: theory at small steps, `fixed_curves`, and the master equation, `exact`.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.6))
    for name, style in zip(fixed_curves, STYLES, strict=False):
        axes.plot(
            fixed_curves.effective_noise,
            fixed_curves[name],
            color=HELD,
            linewidth=1,
            linestyle=style,
            label=str(name),
        )
    axes.plot(exact.effective_noise, exact.p_flat, color=FREE, linewidth=1, label="master equation")
    for measured, colour, label, offset in (
        (fixed, HELD, f"held at y = {float(fixed.y):g}", (16, 2)),
        (final, FREE, "free to move along y", (0, 14)),
    ):
        points(
            axes,
            measured.effective_noise,
            measured.p_flat,
            measured.p_flat_error,
            color=colour,
            linestyle="none",
            markersize=7,
        )
        second = measured.isel(effective_noise=min(1, measured.sizes["effective_noise"] - 1))
        place = float(second.effective_noise), float(second.p_flat)
        label_line(
            axes,
            label,
            place,
            colour,
            offset,
            ha="left" if measured is fixed else "center",
            fontsize=12,
        )
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel=SHARE)
    axes.margins(y=0.09)
    axes.legend(loc="lower left")
    return figure


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
    """y at the last crossing, down the page as everywhere, against effective noise, with theory;
    `exact` is the mean without sampling.
    """
    figure, axes = new_figure(1, 1, (8.2, 4.4))
    axes.plot(exact.effective_noise, exact.freezing_y, color=FREE, label="master equation", **EXACT)
    points(
        axes,
        measured.effective_noise,
        measured.freezing_y,
        measured.freezing_y_error,
        color=FREE,
        linestyle="none",
        label="simulation",
    )
    _theories(axes, curves, "effective_noise")
    axes.set(
        xscale="log", yscale="log", xlabel="effective noise $Δ_S$", ylabel="$y_\\mathrm{freeze}$"
    )
    readable_log(axes)
    axes.invert_yaxis()  # y runs down the page
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
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
        course = course.squeeze("effective_noise")
        net = course.to_flat - course.to_sharp
        axes.plot(course.mean_y, course.to_flat, color=FLAT, label="into the flat valley")
        axes.plot(course.mean_y, course.to_sharp, color=SHARP, label="into the sharp valley")
        axes.plot(
            course.mean_y, net.where(net > 0), color=THEORY, linestyle="--", label="the difference"
        )
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="mean y",
            title=f"$Δ_S$ = {power_of_ten(noise)}",
            ylim=(1e-8, None),
        )
    panels[0, 0].set_ylabel("crossings per run and unit of time")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@finished
def transient_map(p_flat: xr.DataArray, limit: xr.DataArray) -> Figure:
    """P_flat over (flatness_ratio, effective_noise), and the line where the freezing theory
    ends, `limit` (flatness_ratio).
    """
    figure, axes = new_figure(1, 1, TALL)
    look = {"cmap": SHARE_MAP, "vmin": 0, "vmax": 1, "shading": "nearest", "rasterized": True}
    mesh = axes.pcolormesh(p_flat.effective_noise, p_flat.flatness_ratio, p_flat, **look)
    axes.plot(limit, limit.flatness_ratio, color=ON_LIGHT, linestyle="--")
    beyond = {
        "facecolor": "none",
        "edgecolor": ON_LIGHT,
        "hatch": "//",
        "linewidth": 0,
        "alpha": 0.25,
    }
    axes.fill_betweenx(limit.flatness_ratio, limit, float(p_flat.effective_noise.max()), **beyond)
    third = limit[len(limit) // 3]
    label_line(
        axes,
        "Eq. 25 ends",
        (float(third), float(third.flatness_ratio)),
        ON_LIGHT,
        (6, 0),
        ha="left",
    )
    axes.set(xscale="log", xlabel="effective noise $Δ_S$", ylabel="flatness ratio γ")
    figure.colorbar(mesh, ax=axes, label=f"{SHARE} (Eq. 26)")
    return figure


def _theories(axes: Axes, curves: xr.Dataset, along: str) -> None:
    for name, style in zip(curves, STYLES, strict=False):
        axes.plot(
            curves[along],
            curves[name],
            color=THEORY,
            linestyle=style,
            linewidth=1.3,
            label=str(name),
        )


def _levels(axes: Axes, levels: Mapping[str, float], start: int = 0) -> None:
    for name, style in zip(levels, (STYLES * 2)[start:], strict=False):
        axes.axhline(levels[name], color=THEORY, linestyle=style, linewidth=1.2, label=name)
