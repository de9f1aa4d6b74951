"""Figures of the two-valley model and its runs, and what other figures of it share."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LightSource, LogNorm, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from mpl_toolkits.mplot3d import Axes3D

from valleys.book.figures.drawing.parts import (
    RASTER_DPI,
    TALL,
    WIDE,
    each,
    finished,
    label_level,
    label_line,
    legend,
    measured_points,
    new_figure,
)
from valleys.book.figures.drawing.style import (
    DIVERGED,
    FLAT,
    HALO,
    INK,
    NEUTRAL,
    ON_DARK,
    ON_LIGHT,
    PULL_MAP,
    QUANTITY_MAP,
    SHARE_MAP,
    SHARP,
    THEORY,
    learning_rate_colours,
)

SECTION_TOP = 3.5  # upper end of the loss axis of sections
STYLES = ("--", "-.", ":", (0, (5, 1)), (0, (1, 3)))  # one per theory, all in the colour of theory
STYLE_OF: dict[str, Any] = {  # theories that several figures show look alike in all of them
    "Eq. 22": "--",
    "Itô": "-.",
    "Itô, γr": "-.",
    "Eq. 16 as printed, r": ":",
    "Eq. 18": ":",
    "Eq. 19": ":",
    "Boltzmann": (0, (5, 1)),
    "Boltzmann, √γ/(1 + √γ)": (0, (5, 1)),
    "Eq. A28, equilibrium": (0, (1, 3)),
    "Eq. A28, γ/(1 + γ)": (0, (1, 3)),
}
# known at a few places only: no line between
EXACT = {
    "marker": "D",
    "markersize": 8,
    "markerfacecolor": "none",
    "markeredgewidth": 1.2,
    "linestyle": "none",
}
KINDS_OF_NOISE = {
    "hessian": {"color": FLAT, "marker": "o", "label": "curvature noise", "linestyle": "-"},
    "isotropic": {"color": NEUTRAL, "marker": "s", "label": "uniform noise", "linestyle": "-"},
}
CROSS = {"marker": "X", "markersize": 8, "color": ON_LIGHT, "markeredgecolor": ON_DARK}
# of the drawing: sections, how far each lies below the last, how far its rims rise over the ridge
N_SECTIONS, LAYER, RIM = 9, 0.3, 0.25
SIDES = (1, -1, 1, -1, 1, 1, 1, 1, 1)  # of the walker in each section
FOOT = 0.65 - N_SECTIONS * LAYER  # of the drawing
FEATURES = (
    ((0.0, 1.35), "center", "one start, two branches"),
    ((1.1, -0.55), "left", "both widen"),
    ((-0.72, 0.62), "right", "early, walkers jump"),
    ((-0.98, -0.55), "right", "later, no more;\nwith more noise, later"),
)
SHARE = "flat share $P_\\mathrm{flat}$"


@finished
def landscape(grid: xr.Dataset) -> Figure:
    """The loss as a surface with its two floors and the ridge, and sections across it at four y;
    `grid` has loss (y, x), flat_x, sharp_x, floor_loss (y).
    """
    figure = Figure(figsize=(7.8, 8.0), dpi=RASTER_DPI)
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
    ceiling = 1.2 * float(_ridge(grid).max())
    x, loss = _below(grid, ceiling)
    y = np.broadcast_to(grid.y.values[:, None], x.shape)
    axes.plot_surface(
        x,
        y,
        loss,
        facecolors=_lit(x, loss, ceiling),
        rcount=len(x),
        ccount=x.shape[1],
        linewidth=0,
        antialiased=False,
        shade=False,
        rasterized=True,
    )
    _floors_and_ridge(axes, grid)
    _space(axes, grid, ceiling)


def _ridge(grid: xr.Dataset) -> xr.DataArray:
    return grid.loss.sel(x=0, method="nearest")


def _floors_and_ridge(axes: Axes3D, grid: xr.Dataset) -> None:
    """Lines along y, a little above the surface."""
    for floor, colour in ((grid.flat_x, FLAT), (grid.sharp_x, SHARP)):
        look = {"color": colour, "linewidth": 3.5, "solid_capstyle": "round", "zorder": 10}
        axes.plot(floor, grid.y, grid.floor_loss + 0.02, **look)
    look = {"color": INK, "linewidth": 1.2, "linestyle": (0, (4, 2)), "zorder": 11}
    axes.plot(0 * grid.y, grid.y, _ridge(grid) + 0.01, **look)


def _space(axes: Axes3D, grid: xr.Dataset, ceiling: float) -> None:
    """Point of view, axes and their ground."""
    axes.view_init(elev=40, azim=-72)
    zoom: Any = 1.2  # the stubs want whole numbers
    axes.set_box_aspect((1.5, 1.5, 0.8), zoom=zoom)
    axes.set(
        xlabel="x",
        ylabel="y",
        ylim=(float(grid.y[-1]), float(grid.y[0])),
        zlim=(float(grid.floor_loss.min()), ceiling),
        xticks=(-0.5, 0, 0.5),
        zticks=(1, 1.5, 2),
    )
    axes.zaxis.set_rotate_label(False)
    axes.set_zlabel("loss L", rotation=90)
    sides: tuple[Any, ...] = (axes.xaxis, axes.yaxis, axes.zaxis)  # the stubs take two for flat
    for axis in sides:
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
    xs, losses = (np.array(part) for part in zip(*rows, strict=True))
    return xs, losses


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
def forking(grid: xr.Dataset) -> Figure:
    """A drawing of the valley that forks: sections of `grid` behind each other, y running down the
    page, a walker's way, and the numbers of the four features that `FEATURES` places.
    """
    figure, axes = new_figure(1, 1, (7.2, 5.6))
    sections = grid.isel(y=np.linspace(0, grid.sizes["y"] - 1, N_SECTIONS).astype(int))
    for place, section in enumerate(each(sections, "y")):
        _layer(axes, section, place)
    _way(axes, sections)
    for number, (where, side, text) in enumerate(FEATURES, start=1):
        look = {"ha": side, "fontsize": 11, "zorder": 100}
        label_line(axes, f"{number} {text}", where, INK, (0, 0), **look)
    _directions(axes, sections.isel(y=-1))
    axes.set(xlim=(-1.8, 1.6), ylim=(FOOT - 0.2, 1.5))
    axes.set_axis_off()
    return figure


def _directions(axes: Axes, last: xr.Dataset) -> None:
    """The names of both branches below, and which way y runs."""
    for text, floor, colour in (
        ("sharp branch", last.sharp_x, SHARP),
        ("flat branch", last.flat_x, FLAT),
    ):
        label_line(axes, text, (float(floor), FOOT), colour, (0, -16), fontsize=11)
    arrow: Any = {"arrowstyle": "->", "color": INK, "lw": 1.2}
    axes.annotate("", (-1.6, FOOT + 0.2), (-1.6, -0.9), arrowprops=arrow)
    label_line(
        axes, "y: training\ngoes on", (-1.52, FOOT + 0.5), INK, (0, 0), ha="left", fontsize=11
    )


def _height(section: xr.Dataset, values: Any, place: int) -> Any:
    """Where a loss of a section is drawn: about the level of its ridge, lower for a later one."""
    return np.asarray(values) - float(_ridge(section)) + 1.0 - place * LAYER


def _layer(axes: Axes, section: xr.Dataset, place: int) -> None:
    """A section, hiding what is behind it."""
    near = section.where(section.loss < _ridge(section) + RIM, drop=True)
    height = _height(section, near.loss, place)
    for side, colour in ((near.x >= 0, FLAT), (near.x <= 0, SHARP)):
        x = near.x.values[side]
        axes.fill_between(x, FOOT, height[side], color=HALO, linewidth=0, zorder=3 * place)
        axes.fill_between(
            x, FOOT, height[side], color=colour, alpha=0.25, linewidth=0, zorder=3 * place + 1
        )
        axes.plot(x, height[side], color=colour, linewidth=1.6, zorder=3 * place + 2)


def _way(axes: Axes, sections: xr.Dataset) -> None:
    """A walker from the start: in the sharp valley, over the ridge and back early, then down the
    flat one.
    """
    floors = {-1: sections.sharp_x, 1: sections.flat_x}
    for place, side in enumerate(SIDES):
        section = sections.isel(y=place)
        spot = float(floors[side][place]), float(_height(section, section.floor_loss, place))
        look = {"color": INK, "markersize": 9, "zorder": 3 * place + 2}
        axes.plot(*spot, "o", **look)
        if place and side != SIDES[place - 1]:
            before = float(floors[-side][place]), spot[1]
            arrow: Any = {"arrowstyle": "->", "connectionstyle": f"arc3,rad={-0.5 * side}"}
            axes.annotate("", spot, before, arrowprops=arrow | {"color": INK, "lw": 1.4}, zorder=99)


@finished
def hopping(runs: xr.Dataset, grid: xr.Dataset) -> Figure:
    """Single runs over the contours of the loss, and their x against time; one row a noise
    strength. `runs` has x, y (noise_strength, run, step).
    """
    n_rows = runs.sizes["noise_strength"]
    figure, rows = new_figure(
        n_rows, 2, (8.6, 2.6 * n_rows), sharex="col", squeeze=False, width_ratios=(1, 1.6)
    )
    for (above, beside), group in zip(
        rows, each(runs.sortby("noise_strength"), "noise_strength"), strict=True
    ):
        contours(above, grid, linewidths=0.5, alpha=0.6)
        for run, colour in _coloured_runs(group):
            _run(above, beside, run, colour)
        above.set(
            ylabel="y",
            title=f"noise strength σ = {group.noise_strength.item():g}",
            ylim=(float(grid.y[-1]), float(grid.y[0])),
        )
        beside.set(ylabel="x", xscale="log", title="the same runs against time")
        beside.axhline(0, color=NEUTRAL, linewidth=0.8)
    rows[-1, 0].set_xlabel("x")
    rows[-1, 1].set_xlabel("time η·step")
    ends = {"ends in the flat valley": FLAT, "ends in the sharp valley": SHARP}
    legend(rows[0, 1], {text: {"color": c} for text, c in ends.items()}, loc="upper left")
    return figure


def contours(axes: Axes, grid: xr.Dataset, **look: Any) -> None:
    """Lines of equal loss from above."""
    axes.contour(grid.x, grid.y, grid.loss, levels=np.arange(1, 4, 0.1), colors=NEUTRAL, **look)


def _coloured_runs(group: xr.Dataset) -> Iterator[tuple[xr.Dataset, str]]:
    """Each run with the colour of the valley in which it ends, in lighter shades where several
    end in one.
    """
    counts = {FLAT: 0, SHARP: 0}
    for run in each(group, "run"):
        colour = FLAT if run.x[-1] > 0 else SHARP
        share = 1 - 0.6 ** counts[colour]
        counts[colour] += 1
        red, green, blue = (part + share * (1 - part) for part in to_rgb(colour))
        yield run, to_hex((red, green, blue))


def _run(above: Axes, beside: Axes, run: xr.Dataset, colour: str) -> None:
    """A path, and its x against time with a tick at each change of side and a ring on the last."""
    look: dict[str, Any] = {"color": colour, "linewidth": 0.6, "alpha": 0.8, "rasterized": True}
    above.plot(run.x, run.y, **look)
    beside.plot(run.time[1:], run.x[1:], **look)
    hops = 1 + np.flatnonzero(np.diff(run.x.values > 0))
    times = run.time.values[hops]
    beside.plot(times, np.zeros(len(times)), "|", color=INK, markersize=5, alpha=0.5)
    ring: dict[str, Any] = {"markerfacecolor": HALO, "markeredgecolor": colour, "markersize": 9}
    beside.plot(times[-1:], np.zeros(len(times[-1:])), "o", markeredgewidth=2, zorder=4, **ring)


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


def _map(axes: Axes, cells: xr.Dataset, name: str, title: str, **colours: Any) -> None:
    look: dict[str, Any] = {"cmap": QUANTITY_MAP, "shading": "nearest", "rasterized": True}
    mesh = axes.pcolormesh(
        cells.noise_strength, cells.learning_rate, cells[name], **(look | colours)
    )
    axes.patch.set(hatch="////", edgecolor=DIVERGED)  # shows through where a cell has no value
    _hairline(axes)
    axes.set(xscale="log", yscale="log", xlabel="noise strength σ", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.figure.colorbar(mesh, ax=axes)


def _hairline(axes: Axes) -> None:
    """A thin frame, so that white cells end somewhere on a white page."""
    for spine in axes.spines.values():
        spine.set(visible=True, linewidth=0.6, color=NEUTRAL)


@finished
def failures(maps: Mapping[str, xr.Dataset], answers: Mapping[str, str]) -> Figure:
    """A row of small maps of P_flat, each with what its diagnosis answers with NO below it."""
    figure, panels = new_figure(1, len(maps), (8.7, 3.6), sharey=True, squeeze=False)
    for axes, (name, cells) in zip(panels[0], maps.items(), strict=True):
        look: dict[str, Any] = {"cmap": SHARE_MAP, "vmin": 0, "vmax": 1, "shading": "nearest"}
        places = cells.noise_strength, cells.learning_rate
        mesh = axes.pcolormesh(*places, cells.p_flat, rasterized=True, **look)
        noes = answers[name].replace(", ", "\n")
        _hairline(axes)
        axes.set(xscale="log", yscale="log", title=name, xlabel=f"σ\n\nNO to:\n{noes}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
    panels[0, 0].set_ylabel("learning rate η")
    figure.colorbar(mesh, ax=panels[0].tolist(), label=SHARE)
    return figure


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
    for rate, colour in learning_rate_colours(cells.learning_rate.values).items():
        look = {"color": colour, "label": f"η = {rate:.2g}", "linestyle": "-"}
        for axes, name in ((left, "p_flat"), (right, "time_to_freeze")):
            measured_points(axes, cells.sel(learning_rate=rate), "effective_noise", name, **look)
    for axes in (left, right):
        axes.set(xscale="log", xlabel="effective noise $Δ_S$ = ησ")
    left.set_ylabel(SHARE)
    right.set(yscale="log", ylabel="time to freeze η⟨$t_\\mathrm{freeze}$⟩")
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
    for axes, (rate, group) in zip(panels[0], cells.groupby("learning_rate"), strict=True):
        for noise, row in group.squeeze("learning_rate").groupby("noise"):
            measured_points(
                axes, row.squeeze("noise"), "effective_noise", "p_flat", **KINDS_OF_NOISE[noise]
            )
        levels_of_theory(axes, levels)
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
def flatness_contrast(measured: xr.Dataset, curves: xr.Dataset, smooth: xr.DataArray) -> Figure:
    """P_flat at the end of evolving runs against the flatness ratio, with theory; `measured` has
    p_flat (flatness_ratio), and `smooth` is one of the curves at many ratios.
    """
    figure, axes = new_figure(1, 1, TALL)
    measured_points(axes, measured, "flatness_ratio", "p_flat", color=FLAT, label="simulation")
    for name, style in _styles(curves).items():
        curve = smooth if name == smooth.name else curves[name]
        look = {"color": THEORY, "linestyle": style, "linewidth": 1.3, "label": name}
        axes.plot(curve.flatness_ratio, curve, **look)
    axes.axhline(0.5, color=NEUTRAL, linewidth=0.8)
    axes.set(xlabel="flatness ratio γ", ylabel=SHARE, ylim=(0.4, 1.02))
    axes.legend(loc="center right")
    return figure


def theories(
    axes: Axes,
    curves: xr.Dataset,
    along: str,
    *,
    color: str = THEORY,
    linewidth: float = 1.3,
    is_named: bool = True,
) -> None:
    """A line for each theory, in a style of its own."""
    for name, style in _styles(curves).items():
        label = name if is_named else None
        look = {"color": color, "linestyle": style, "linewidth": linewidth, "label": label}
        axes.plot(curves[along], curves[name], **look)


def name_theories(axes: Axes, curves: xr.Dataset) -> None:
    """Entries for the legend: the theories by their styles, where colours tell something else."""
    for name, style in _styles(curves).items():
        look = {"color": THEORY, "linestyle": style, "linewidth": 1.2, "label": name}
        axes.plot([], [], **look)


def levels_of_theory(axes: Axes, levels: Mapping[str, float], start: int = 0) -> None:
    """A level for each theory, in a style of its own, or where it has none in those that are left
    behind the first `start`.
    """
    for name, style in _styles(levels, start).items():
        axes.axhline(levels[name], color=THEORY, linestyle=style, linewidth=1.2, label=name)


def named_levels(axes: Axes, levels: Mapping[str, float], start: int = 0) -> None:
    """The same with the names at the right ends, and none of them in the legend."""
    for name, style in _styles(levels, start).items():
        axes.axhline(levels[name], color=THEORY, linestyle=style, linewidth=1.2)
        label_level(axes, name, levels[name], (-2, 4), fontsize=10)


def _styles(names: Iterable[Any], start: int = 0) -> dict[str, Any]:
    """The line style of each theory."""
    known = {str(name): STYLE_OF.get(str(name)) for name in names}
    free = cycle([style for style in (STYLES * 2)[start:] if style not in known.values()])
    return {name: style or next(free) for name, style in known.items()}
