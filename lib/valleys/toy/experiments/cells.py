"""Studies that are made part by part, each with a stream of random numbers of its own."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import pandas as pd
import xarray as xr

from valleys.results.grid import Part
from valleys.toy.simulation.langevin import Seed, streams

Points = Mapping[str, Sequence[Any]]


def parts_on(
    grid: Points, compute: Callable[..., xr.Dataset], seed: Seed, *, by_rate: bool = False
) -> list[Part]:
    """A part for each point of a grid, the last dimension fastest, and each with its own stream.

    Args:
        grid: values along each dimension.
        compute: gives the part at a point, from the values there and a stream.
        seed: of all streams, which are handed out in this order.
        by_rate: whether all run for one duration, and so work for one over the learning rate;
            else the work is equal.
    """
    points = list(product(*grid.values()))
    places = [dict(zip(grid, point, strict=True)) for point in points]
    work = [1 / place["learning_rate"] if by_rate else 1.0 for place in places]
    own = streams(seed).spawn(len(points))
    ways = [partial(compute, *point, stream) for point, stream in zip(points, own, strict=True)]
    return [Part(*each) for each in zip(places, work, ways, strict=True)]


def gridded(parts: Sequence[Part], grid: Points, run: Callable = map) -> xr.Dataset:
    """Parts computed and put together.

    Args:
        parts: one for each point of the grid.
        grid: values along each dimension, in the order wanted.
        run: calls a function for each part, such as `langevin.in_threads`.

    Returns:
        Dimensions of the grid, then those of a part.
    """
    joined = xr.concat(list(run(lambda part: part.compute(), parts)), dim="point", data_vars="all")
    points = [tuple(part.place.values()) for part in parts]
    index = pd.MultiIndex.from_tuples(points, names=list(grid))
    coordinates = xr.Coordinates.from_pandas_multiindex(index, "point")
    unstacked = joined.assign_coords(coordinates).unstack("point")
    wanted = {name: list(values) for name, values in grid.items()}
    return unstacked.reindex(wanted).transpose(*grid, ...)
