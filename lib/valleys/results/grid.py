"""Results put together from cells, and parts of results that can be computed alone."""

import dataclasses
import itertools
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, Self, TypeVar

import xarray as xr

from valleys.results.spec import check_distinct, require, settle

Spec = TypeVar("Spec")
Study = Callable[[Any], xr.Dataset]
Axes = tuple[tuple[str, tuple[Any, ...]], ...]
MIXED = 0  # threads of a result whose cells were computed with different numbers of them


class Part(NamedTuple):
    """A part of a result that can be computed alone.

    Attributes:
        place: where it stands in the result, a coordinate for each dimension; none for all of it.
        work: its share of the work, in a unit that the parts of a result have in common.
        compute: gives the part, or some of its variables.
    """

    place: Mapping[str, Any]
    work: float
    compute: Callable[[], xr.Dataset]


class Composite(ABC, Generic[Spec]):
    """The spec of a result put together from cells, each of which is a result of its own."""

    @abstractmethod
    def cells(self) -> list[Spec]:
        """The spec of each cell."""

    @abstractmethod
    def assemble(self, found: Sequence[xr.Dataset]) -> xr.Dataset:
        """The result, from those of the cells in their order."""

    def parts(self, study: Study) -> list[Part]:
        """The cells that can be told apart in the whole; none unless a kind of result says how."""
        return []


@dataclass(frozen=True)
class Grid(Composite[Spec]):
    """One cell for each combination of some of its values.

    Attributes:
        cell: the cell at the first value of each axis, with all that the cells have in common.
        axes: fields of the cell and the values that each takes; the last one varies fastest.

    Example:
        >>> from valleys.nets import SweepSpec
        >>> from valleys.results import Grid
        >>> grid = Grid.of(
        ...     SweepSpec, {"batch_size": (20, 200), "learning_rate": (0.05, 0.1)}, seed=1
        ... )
        >>> [(cell.batch_size, cell.learning_rate) for cell in grid.cells()]
        [(20, 0.05), (20, 0.1), (200, 0.05), (200, 0.1)]
    """

    cell: Spec
    axes: Axes

    @classmethod
    def of(cls, kind: type[Spec], axes: Mapping[str, Sequence[Any]], **values: Any) -> Self:
        """A grid of this kind of cell.

        Args:
            kind: class of the spec of a cell.
            axes: values of some of its fields.
            values: what all cells have in common, and fields of the grid itself.

        Raises:
            ValueError: an axis has no values or one twice, or a cell makes no sense.
        """
        settled = _settled(kind, axes.items())
        names = {each.name for each in dataclasses.fields(cls)} & set(values)
        own = {name: values.pop(name) for name in names}
        return cls(kind(**values, **_first(settled)), settled, **own)

    def __post_init__(self) -> None:
        """Settle the values, then refuse what makes no sense for a grid or for any of its cells.

        Raises:
            ValueError: as in `of`.
        """
        axes = _settled(type(self.cell), self.axes)
        object.__setattr__(self, "axes", axes)
        for entry in dataclasses.fields(self):
            if entry.name not in ("cell", "axes"):
                value = settle(entry.name, entry.type, getattr(self, entry.name))
                object.__setattr__(self, entry.name, value)
        object.__setattr__(self, "cell", dataclasses.replace(self.cell, **_first(axes)))  # pyright: ignore[reportArgumentType]
        self.check()
        self.cells()

    def check(self) -> None:
        """Refuse what makes no sense for this kind of grid."""

    def along(self, field: str) -> tuple[Any, ...]:
        """The values of a field along its axis."""
        return dict(self.axes)[field]

    def places(self) -> list[dict[str, Any]]:
        """Where each cell stands."""
        names = [name for name, _ in self.axes]
        every = itertools.product(*(values for _, values in self.axes))
        return [dict(zip(names, values, strict=True)) for values in every]

    def cells(self) -> list[Spec]:
        """The spec of each cell."""
        return [self.cell_at(**place) for place in self.places()]

    def cell_at(self, **place: Any) -> Spec:
        """The spec of one cell."""
        return dataclasses.replace(self.cell, **place)  # pyright: ignore[reportArgumentType]

    def kept(self, found: xr.Dataset) -> xr.Dataset:
        """What of a cell stays in the whole: all of it."""
        return found

    def assemble(self, found: Sequence[xr.Dataset]) -> xr.Dataset:
        """One dataset with a dimension for each axis, and then those of a cell."""
        names, shape = [name for name, _ in self.axes], [len(values) for _, values in self.axes]
        nested = _nested([self.kept(each) for each in found], shape)
        whole = xr.combine_nested(nested, names, join="exact", combine_attrs="drop_conflicts")
        coords = {name: list(values) for name, values in self.axes}
        return whole.assign_attrs(made_of(found)).assign_coords(coords).transpose(*names, ...)

    def parts(self, study: Study) -> list[Part]:
        """Every cell as it stands in the whole; its share of the work is its `work`, if it has
        one.
        """
        cells = self.cells()
        works = [getattr(cell, "work", 1.0) for cell in cells]
        ways = [partial(_alone, self, study, cell) for cell in cells]
        return [Part(*each) for each in zip(self.places(), works, ways, strict=True)]


def _settled(kind: type, axes: Collection[tuple[str, Sequence[Any]]]) -> Axes:
    kinds = {each.name: each.type for each in dataclasses.fields(kind)}
    for name, _ in axes:
        known = f"an axis is one of {', '.join(kinds)}"
        require(name in kinds, f"{name} is no field of {kind.__name__}; {known}")
    each = ((name, tuple[kinds[name], ...], values) for name, values in axes)
    settled = tuple((name, settle(f"{name}s", of, values)) for name, of, values in each)
    for name, values in settled:
        check_distinct(f"{name}s", values)
    return settled


def _first(axes: Axes) -> dict[str, Any]:
    return {name: values[0] for name, values in axes}


def _nested(found: list[Any], shape: Sequence[int]) -> list[Any]:
    """The same datasets as lists in lists, of this shape."""
    for length in reversed(shape[1:]):
        found = [found[start : start + length] for start in range(0, len(found), length)]
    return found


def _alone(grid: Grid, study: Study, cell: Any) -> xr.Dataset:
    return grid.kept(study(cell))


def made_of(cells: Sequence[xr.Dataset]) -> dict[str, float]:
    """Seconds that stored cells took in all, and with how many threads each, if with one number.

    Nothing for cells that are not from a store.
    """
    seconds: list[Any] = [cell.attrs.get("wall_time_seconds") for cell in cells]
    threads: set[Any] = {cell.attrs.get("threads") for cell in cells}
    if None in seconds:
        return {}
    return {
        "wall_time_seconds": sum(seconds),
        "threads": threads.pop() if len(threads) == 1 else MIXED,
    }


def computed(study: Study, spec: Any) -> xr.Dataset:
    """A result computed here and now, whatever is stored."""
    if isinstance(spec, Composite):
        return spec.assemble([study(cell) for cell in spec.cells()])
    return study(spec)


def parts_of(study: Study, spec: Any) -> list[Part]:
    """The parts of a result that can be computed alone; none if it can be had as a whole only.

    They are the cells of a grid. Where a study computes everything in one go, its module may
    offer parts of that by a table `PARTS`, from studies to functions that give the parts of a spec.
    """
    if isinstance(spec, Composite):
        return spec.parts(study)
    offered = getattr(sys.modules[study.__module__], "PARTS", {}).get(study)
    return list(offered(spec)) if offered else []
