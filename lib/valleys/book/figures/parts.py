"""Pieces that the figures of the network chapters share."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

MARKERS = "osD^vP*X"  # one per batch size or run, where the colour is taken
WIDE = (9.0, 3.8)
RASTER_DPI = 200  # of the rasterised parts of a vector figure


def new_figure(rows: int, columns: int, size: tuple[float, float], **options: object) -> tuple[Figure, Any]:
    """A figure that no global state keeps alive, and its axes."""
    figure = Figure(figsize=size, dpi=RASTER_DPI)
    return figure, figure.subplots(rows, columns, **options)


def each(found: xr.Dataset, dimension: str) -> Iterable[xr.Dataset]:
    """The dataset at each place along a dimension."""
    return (found.isel({dimension: index}) for index in range(found.sizes[dimension]))


def legend(axes: Axes, entries: dict[str, dict[str, object]], **place: object) -> None:
    """A legend of labels and line looks that does not depend on what was drawn."""
    axes.legend([Line2D([], [], **look) for look in entries.values()], entries.keys(), **place)


def batch_size_markers(values: np.ndarray) -> dict[int, str]:
    """Marker of each batch size in ascending order, over again where there are more sizes than markers."""
    return dict(zip(sorted({int(value) for value in values}), cycle(MARKERS), strict=False))


def component_labels(axes: Axes, explained: xr.DataArray) -> None:
    """Name both axes after principal components and the variance that each explains."""
    first, second = (f"principal component {i + 1} ({share:.0%})" for i, share in enumerate(explained.values))
    axes.set(xlabel=first, ylabel=second)


def readable_log(axes: Axes) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 of each decade."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def bars(value: Any, low: Any, high: Any) -> np.ndarray:
    """Lengths below and above values for `errorbar`, (2, …), never negative: rounding may put the end of an interval without width past its value."""
    return np.maximum([np.asarray(value - low), np.asarray(high - value)], 0)
