"""Pieces that figures share."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import cycle
from string import ascii_uppercase
from typing import Any, Literal, ParamSpec, Protocol, TypeVar

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from valleys.book.figures.drawing.style import (
    LEARNING_RATE,
    NEUTRAL,
    Shade,
    batch_size_colours,
    learning_rate_colours,
)

MARKERS = "osD^vP*X"  # one per batch size or run, where the colour is taken
# at most 8.7 inches, or the numbers on an axis fall below 11 px on a page of 700 px
WIDE = (8.6, 3.7)
TALL = (7.2, 4.2)
RASTER_DPI = 200  # of the rasterised parts of a vector figure
LETTER = "panel "  # begins the gid of a panel's letter

Arguments = ParamSpec("Arguments")
Data = TypeVar("Data", xr.Dataset, xr.DataArray)
Look = Mapping[str, Any]  # options of matplotlib for a line, by name
Entries = dict[str, dict[str, Any]]  # of a legend: the look of each, by its label


class Line(Protocol):
    """A straight line that was fitted."""

    @property
    def slope(self) -> float:
        """Of the line."""
        ...

    @property
    def intercept(self) -> float:
        """Its value at zero."""
        ...


def finished(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """A figure function whose panels have letters, and whose lines say in the file which value
    their colour stands for.
    """

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        figure = draw(*args, **kwargs)
        letter_panels(figure)
        name_shades(figure)
        return figure

    return drawn


def panels_of(figure: Figure) -> list[Axes]:
    """The panels of a figure row by row, without colour bars, twins and insets."""
    placed = [
        (axes.get_subplotspec(), axes) for axes in figure.axes if axes.get_label() != "<colorbar>"
    ]
    found = {
        (spec.rowspan.start, spec.colspan.start): axes
        for spec, axes in reversed(placed)
        if spec is not None
    }
    return [found[place] for place in sorted(found)]


def letter_panels(figure: Figure) -> None:
    """A bold letter at the upper left of each panel, where there are two or more."""
    panels = panels_of(figure)
    for letter, axes in zip(ascii_uppercase, panels if len(panels) > 1 else (), strict=False):
        shift: Any = axes.titleOffsetTrans  # pyright: ignore[reportAttributeAccessIssue]  # unlisted
        axes.annotate(
            letter,
            (0, 1),
            (-9, 72 / figure.dpi * shift.get_matrix()[1, 2]),  # on the line of the title
            "axes fraction",
            "offset points",
            fontweight="bold",
            fontsize=12,
            ha="right",
            va="baseline",
            gid=LETTER + letter,
        )


def name_shades(figure: Figure) -> None:
    """Give each line with a colour of a value an id that says so, no two of them alike."""
    seen: Counter[str] = Counter()
    for line in (line for axes in figure.axes for line in axes.lines):
        if isinstance(shade := line.get_color(), Shade):
            seen[shade.meaning] += 1
            line.set_gid(f"shade:{shade.meaning}:{seen[shade.meaning]}")


def new_figure(
    rows: int, columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """A figure that no global state keeps alive, and its axes."""
    figure = Figure(figsize=size, dpi=RASTER_DPI)
    return figure, figure.subplots(rows, columns, **options)


def two_above_one(height: float) -> tuple[Figure, list[Axes]]:
    """Two panels and a wide one below."""
    figure = Figure(figsize=(WIDE[0], height), dpi=RASTER_DPI)
    figure.set_layout_engine("constrained", h_pad=0.1)
    space = figure.add_gridspec(2, 2, height_ratios=(1.15, 1))
    return figure, [figure.add_subplot(place) for place in (space[0, 0], space[0, 1], space[1, :])]


def each(found: Data, dimension: str) -> Iterator[Data]:
    """What lies at each place along a dimension."""
    return (found.isel({dimension: index}) for index in range(found.sizes[dimension]))


def each_setting(found: Data) -> Iterator[Data]:
    """What lies at each pair of a batch size and a learning rate."""
    return (cell for row in each(found, "batch_size") for cell in each(row, "learning_rate"))


def setting_look(found: Data, setting: Data) -> dict[str, Any]:
    """Colour and marker of one setting among those of a dataset."""
    return {
        "color": LEARNING_RATE(float(setting.learning_rate)),
        "marker": batch_size_markers(found.batch_size.values)[int(setting.batch_size)],
    }


def dots(**look: Any) -> dict[str, Any]:
    """The look of markers without a line."""
    return {"marker": "o", "linestyle": "none"} | look


def rate_entries(found: Data) -> Entries:
    """Entries of a legend of learning rates, by colour."""
    colours = learning_rate_colours(found.learning_rate.values)
    return {f"η = {rate:g}": {"color": colour} for rate, colour in colours.items()}


def size_entries(found: Data) -> Entries:
    """Entries of a legend of batch sizes, by colour."""
    colours = batch_size_colours(found.batch_size.values)
    return {f"B = {size}": dots(color=colour) for size, colour in colours.items()}


def setting_entries(found: Data) -> Entries:
    """Entries of a legend of learning rates, by colour, and of batch sizes, by marker."""
    markers = batch_size_markers(found.batch_size.values)
    return rate_entries(found) | {
        f"B = {size}": dots(color=NEUTRAL, marker=marker) for size, marker in markers.items()
    }


def legend(axes: Axes, entries: Mapping[str, Look], **place: Any) -> None:
    """A legend of labels and line looks that does not depend on what was drawn."""
    options: dict[str, Any] = {"handletextpad": 0.5, "labelspacing": 0.3} | place
    axes.legend([Line2D([], [], **look) for look in entries.values()], list(entries), **options)


def legend_below(
    figure: Figure,
    entries: Mapping[str, Look],
    columns: int,
    place: Literal["lower", "upper"] = "lower",
) -> None:
    """The same under all panels, or, where `place` is `upper`, above them."""
    where: Any = f"outside {place} center"  # the stubs do not know that places may be outside
    figure.legend(
        [Line2D([], [], **look) for look in entries.values()],
        list(entries),
        loc=where,
        ncols=columns,
        handletextpad=0.5,
        columnspacing=1.4,
    )


def label_line(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    colour: str,
    offset: tuple[float, float] = (0, 5),
    **look: Any,
) -> None:
    """The name of a curve beside it, in its colour."""
    look = {"ha": "center", "textcoords": "offset points", "color": colour} | look
    axes.annotate(text, place, offset, **look)


def label_level(
    axes: Axes,
    text: str,
    height: float,
    offset: tuple[float, float],
    *,
    place: float = 1,
    **look: Any,
) -> None:
    """The name of a level near the right end of it, which is at place 1."""
    options: dict[str, Any] = {"ha": "right", "textcoords": "offset points"} | look
    axes.annotate(text, (place, height), offset, ("axes fraction", "data"), **options)


def label_top(axes: Axes, text: str, place: float, **look: Any) -> None:
    """The name of a vertical line, beside its upper end."""
    at_top = ("data", "axes fraction")
    axes.annotate(text, (place, 1), (4, -4), at_top, "offset points", va="top", **look)


def points(axes: Axes, x: Any, y: Any, error: Any, **look: Any) -> None:
    """Points with error bars of one standard error."""
    axes.errorbar(x, y, yerr=error, **({"marker": "o", "capsize": 2, "linewidth": 1.2} | look))


def measured_points(axes: Axes, found: xr.Dataset, along: str, name: str, **look: Any) -> None:
    """A quantity with its `name_error` as points without a line."""
    points(
        axes, found[along], found[name], found[f"{name}_error"], **({"linestyle": "none"} | look)
    )


def log_log(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Two logarithmic axes with their labels."""
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)


def band(
    axes: Axes, found: xr.Dataset, along: str, name: str, *, color: str, alpha: float = 0.25
) -> None:
    """The interval of a quantity, from `name_low` to `name_high`."""
    axes.fill_between(
        found[along],
        found[f"{name}_low"],
        found[f"{name}_high"],
        color=color,
        alpha=alpha,
        linewidth=0,
    )


def batch_size_markers(values: np.ndarray) -> dict[int, str]:
    """Marker of each batch size in ascending order, over again where there are more sizes than
    markers.
    """
    return dict(zip(sorted({int(value) for value in values}), cycle(MARKERS), strict=False))


def component_labels(axes: Axes, explained: xr.DataArray) -> None:
    """Name both axes after principal components and the variance that each explains."""
    first, second = (
        f"principal component {i + 1} ({share:.0%})" for i, share in enumerate(explained.values)
    )
    axes.set(xlabel=first, ylabel=second)
    axes.locator_params(nbins=6)


def readable_log(axes: Axes, *, across: bool = False, subs: tuple[float, ...] = (1, 2, 5)) -> None:
    """A logarithmic axis, upwards or across, with plain numbers at some places of each decade."""
    (axes.set_xscale if across else axes.set_yscale)("log")
    axis = axes.xaxis if across else axes.yaxis
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(decimals())
    axis.set_minor_formatter(NullFormatter())


def decimals() -> FuncFormatter:
    """Numbers of an axis as they are written in a text: 0.5, 20."""
    return FuncFormatter(lambda value, _: f"{value:g}")


def power_of_ten(value: float) -> str:
    """A number as people write it, such as 3·10⁻⁵, to stand in a label."""
    digits, exponent = f"{value:.2e}".split("e")
    factor = f"{float(digits):g}"
    return (
        f"{value:g}"
        if -3 < int(exponent) < 4
        else f"${'' if factor == '1' else factor + '·'}10^{{{int(exponent)}}}$"
    )


def bars(value: Any, low: Any, high: Any) -> np.ndarray:
    """Lengths below and above values for `errorbar`, (2, …), never negative: rounding may put
    the end of an interval without width past its value.
    """
    return np.maximum([np.asarray(value - low), np.asarray(high - value)], 0)
