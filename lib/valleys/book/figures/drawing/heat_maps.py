"""Heat maps over batch size and learning rate, with their values written into the cells."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from valleys.book.figures.drawing.parts import each, new_figure
from valleys.book.figures.drawing.style import (
    DIVERGED,
    HALO,
    INK,
    NOTE,
    ON_DARK,
    ON_LIGHT,
    QUANTITY_MAP,
    luminance,
)

EVEN = 0.18  # luminance on which black and white stand out alike
HATCH = "////"  # of cells without a result
NUMBERS = "①②"  # of cells that other panels show, as their titles have them


def map_panels(rows: int) -> tuple[Figure, np.ndarray]:
    """Panels for maps, two a row, so that the numbers in their cells stay legible."""
    figure, panels = new_figure(rows, 2, (8.6, 3.9 * rows))
    figure.set_layout_engine("constrained", h_pad=0.1)
    return figure, panels.ravel()


def heat_map(
    axes: Axes,
    summary: xr.Dataset,
    name: str,
    title: str,
    form: str,
    *,
    scale: float = 1,
    norm: str = "linear",
    mark: xr.Dataset | None = None,
    boxed: float | None = None,
) -> None:
    """A map with the noise growing to the upper right, each value written in its cell, cells
    without a solution hatched; below the title its intervals.

    Args:
        axes: where to draw.
        summary: what holds the quantity, its `name_low` and `name_high` if it is a mean, and
            `converged`.
        name: the quantity.
        title: of the panel.
        form: of a value.
        scale: factor of the values.
        norm: of the colours.
        mark: what has cells to be numbered.
        boxed: learning rate whose row is framed.
    """
    rows = summary.transpose("learning_rate", "batch_size", ...).sortby("learning_rate")
    cells = rows.sortby("batch_size", ascending=False)
    table = scale * cells[name]
    image = axes.imshow(table, cmap=QUANTITY_MAP, origin="lower", aspect="auto", norm=norm)
    axes.patch.set(hatch=HATCH, edgecolor=DIVERGED)
    _write_values(axes, image, table, cells.converged, form)
    _name_settings(axes, table)
    axes.set_title(title, pad=20)
    _note_above(axes, _widths(cells, name, scale))
    if boxed is not None:
        _frame_row(axes, table, boxed)
    if mark is not None:
        _number_cells(axes, table, mark)


def _write_values(
    axes: Axes, image: AxesImage, table: xr.DataArray, converged: xr.DataArray, form: str
) -> None:
    """Each value in its cell; hatched where no run converged."""
    for (row, column), value in np.ndenumerate(table.values):
        if np.isfinite(value):
            ink = _readable(image.to_rgba(value))
            text = axes.text(
                column, row, _fitting(form, value), ha="center", va="center", color=ink
            )
            if converged[row, column] == 0:
                look = {"hatch": HATCH, "edgecolor": DIVERGED, "linewidth": 0}
                _outline(axes, (column, row), 1, **look)
                ground: Any = {"facecolor": image.to_rgba(value), "edgecolor": "none", "pad": 1.5}
                text.set_bbox(ground)  # the hatch ends beside the number


def _outline(axes: Axes, first: tuple[float, float], width: int, **look: Any) -> None:
    """A rectangle around cells of a row, from the first of them."""
    corner = first[0] - 0.5, first[1] - 0.5
    axes.add_patch(Rectangle(corner, width, 1, fill=False, **look))


def _name_settings(axes: Axes, table: xr.DataArray) -> None:
    """Ticks at the batch sizes and the learning rates."""
    sizes, rates = table.batch_size.values, table.learning_rate.values
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_yticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_xlabel("batch size B")
    place = axes.get_subplotspec()
    if place is None or place.is_first_col():
        axes.set_ylabel("learning rate η")


def _note_above(axes: Axes, text: str) -> None:
    """Small print between the title and the map."""
    axes.annotate(text, (0, 1), (0, 4), "axes fraction", "offset points", color=NOTE)


def _frame_row(axes: Axes, table: xr.DataArray, learning_rate: float) -> None:
    """A frame around the row of a learning rate."""
    row = list(table.learning_rate.values).index(learning_rate)
    for colour, width in ((HALO, 4), (INK, 2)):
        look = {"edgecolor": colour, "linewidth": width, "clip_on": False}
        _outline(axes, (0, row), table.sizes["batch_size"], **look)


def _number_cells(axes: Axes, table: xr.DataArray, marked: xr.Dataset) -> None:
    """A ring around each cell of a dataset, with its number on the upper left corner."""
    for number, cell in zip("12", each(marked, "cell"), strict=False):
        column = list(table.batch_size.values).index(cell.batch_size)
        row = list(table.learning_rate.values).index(cell.learning_rate)
        for colour, width in ((HALO, 4), (INK, 2)):
            _outline(axes, (column, row), 1, edgecolor=colour, linewidth=width, clip_on=False)
        badge: Any = {"boxstyle": "circle,pad=0.15", "facecolor": HALO, "edgecolor": INK}
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10, "color": INK}
        axes.text(column - 0.5, row + 0.5, number, bbox=badge, zorder=5, **look)


def _fitting(form: str, value: float) -> str:
    """A value as it fits in its cell: without decimals where it is long, or a hundred."""
    text = form.format(value)
    return text if len(text) <= 5 and not text.startswith("100") else f"{value:.0f}"


def _widths(cells: xr.Dataset, name: str, scale: float) -> str:
    """How wide the intervals of a map are, in words."""
    if f"{name}_low" not in cells:
        return "a maximum, without an interval"
    halves = (scale * (cells[f"{name}_high"] - cells[f"{name}_low"]) / 2).values
    halves = halves[np.isfinite(halves)]
    if not halves.size:
        return "too few runs for intervals"
    typical, widest = (f"{float(f'{half:.1g}'):g}" for half in (np.median(halves), halves.max()))
    return f"intervals: ± {typical} typical, ± {widest} widest"


def _readable(colour: Any) -> str:
    """What is read on a colour, red, green, blue and opacity."""
    if to_rgba(colour)[3] == 0:
        return INK
    return ON_LIGHT if luminance(colour) > EVEN else ON_DARK
