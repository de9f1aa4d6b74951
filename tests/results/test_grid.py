"""Grids make their cells and put them together; a result is asked for in one way, and of a grid
only what is missing is computed.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from tests.results.counting import Spec, study
from tests.results.here import Here
from valleys import config
from valleys.results import naming, store, verify
from valleys.results.computing import compute
from valleys.results.grid import MIXED, Composite, Grid, computed, made_of, parts_of

AXES = {"second": (0.5, 0.25), "first": (2, 0, 1)}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty store."""
    for variable in ("VALLEYS_RESULTS", "VALLEYS_SHIPPED"):
        monkeypatch.setenv(variable, str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def log(tmp_path):
    """The file in which cells are noted."""
    return tmp_path / "log"


def noted(log) -> list[str]:
    return log.read_text().split("\n")[:-1] if log.exists() else []


def test_cells_are_every_combination_and_the_last_axis_is_fastest():
    grid = Grid.of(Spec, AXES, levels=(3.0,))
    assert [(cell.second, cell.first) for cell in grid.cells()] == [
        (0.5, 2),
        (0.5, 0),
        (0.5, 1),
        (0.25, 2),
        (0.25, 0),
        (0.25, 1),
    ]
    assert {cell.levels for cell in grid.cells()} == {(3.0,)}
    assert grid.places()[1] == {"second": 0.5, "first": 0}
    assert grid.cell_at(**grid.places()[1]) == grid.cells()[1]
    assert (grid.along("first"), grid.along("second")) == ((2, 0, 1), (0.5, 0.25))


@pytest.mark.parametrize(
    "axes",
    [
        {"first": (3,)},
        {"second": (0.5, 1.0)},
        AXES,
        {"second": (1.0,), "first": (1, 2), "log": ("", "no/such/file")},
    ],
)
def test_a_whole_has_a_dimension_for_each_axis_before_those_of_a_cell(axes):
    grid = Grid.of(Spec, axes | {"log": ("",)} if "log" in axes else axes)
    whole = computed(study, grid)
    names = [name for name, _ in grid.axes]
    assert whole.value.dims == (*names, "step")
    assert whole.steps.dims == tuple(names)
    assert {name: tuple(whole[name].values.tolist()) for name in names} == dict(grid.axes)
    for place, cell in zip(grid.places(), grid.cells(), strict=True):
        np.testing.assert_array_equal(whole.sel(place).value, study(cell).value)
    assert whole.attrs["made"] == "here"
    assert ("first" in whole.attrs) == (len(grid.along("first")) == 1 if "first" in names else True)


def test_equal_grids_are_equal_whatever_stood_in_the_cell_and_however_values_were_written():
    one, other = (
        Grid(Spec(first=7, second=9.0), (("second", (1,)), ("first", (1, 2)))),
        Grid.of(Spec, {"second": [1.0], "first": (1, 2)}),
    )
    assert one == other
    assert naming.made_by(study, one).key == naming.made_by(study, other).key
    assert naming.made_by(study, one).again()[1] == one
    assert one.cell == Spec(first=1, second=1.0)


@pytest.mark.parametrize(
    ("axes", "values", "message"),
    [
        ({"first": ()}, {}, r"firsts must hold one value or more, each once, got \(\)"),
        (
            {"second": (1, 1.0)},
            {},
            r"seconds must hold one value or more, each once, got \(1.0, 1.0\)",
        ),
        ({"first": "12"}, {}, "firsts must be a list, got '12'"),
        ({"first": (1, 2.5)}, {}, "firsts must be a whole number, got 2.5"),
        ({"first": (1, -1)}, {}, "first must be 0 or more, got -1"),
        (
            {"third": (1,)},
            {},
            "third is no field of Spec; an axis is one of first, second, levels, log, deadly",
        ),
    ],
)
def test_what_makes_no_grid_is_refused_in_one_line(axes, values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Grid.of(Spec, axes, **values)


def test_only_missing_cells_are_computed_and_a_whole_is_computed_once(results, log):
    kept = Grid.of(Spec, {"second": (0.5,), "first": (0, 2)}, log=str(log))
    first = compute(study, kept)
    assert noted(log) == ["0 0.5", "2 0.5"]
    assert compute(study, kept).identical(first)
    whole = compute(study, Grid.of(Spec, AXES, log=str(log)))
    assert noted(log)[2:] == ["1 0.5", "2 0.25", "0 0.25", "1 0.25"]
    np.testing.assert_array_equal(whole.value.sel(second=0.5, first=[0, 2]), first.value[0])
    # a cell is a result like any other
    assert compute(study, Spec(first=1, second=0.25, log=str(log))).attrs["first"] == 1
    assert len(noted(log)) == 6
    assert len(list((results / "study").glob("*.nc"))) == 6 + 2


def test_a_stopped_run_keeps_the_cells_that_were_finished(results, log):
    grid = Grid.of(Spec, {"first": (0, 1, 2)}, log=str(log), deadly=2)
    with pytest.raises(KeyboardInterrupt):
        compute(study, grid)
    assert noted(log) == ["0 0", "1 0"]
    with pytest.raises(KeyboardInterrupt):
        compute(study, grid)
    assert noted(log) == ["0 0", "1 0"]


def test_a_whole_tells_the_time_and_threads_of_its_cells_and_is_asked_for_alone(
    results, tmp_path, monkeypatch
):
    monkeypatch.setenv(config.ASKED, str(tmp_path / "asked"))
    grid = Grid.of(Spec, {"first": (0, 1)})
    whole, cells = compute(study, grid), [compute(study, cell) for cell in grid.cells()]
    assert whole.attrs["wall_time_seconds"] == pytest.approx(
        sum(cell.attrs["wall_time_seconds"] for cell in cells)
    )
    assert whole.attrs["threads"] == cells[0].attrs["threads"]
    assert whole.attrs[naming.KEY] == naming.made_by(study, grid).key
    asked = (tmp_path / "asked").read_text().split()
    assert asked[0] == store.result_path(study, grid).relative_to(results).as_posix()
    assert len(asked) == 3


def test_cells_with_different_threads_are_mixed_and_those_of_no_store_have_none():
    cells = [xr.Dataset(attrs={"wall_time_seconds": 1.5, "threads": count}) for count in (1, 2)]
    assert made_of(cells) == {"wall_time_seconds": 3.0, "threads": MIXED}
    assert made_of([xr.Dataset(), xr.Dataset()]) == {}


def test_cells_and_single_results_are_computed_where_the_executor_is(results, log):
    executor = Here()
    compute(study, Grid.of(Spec, {"first": (0, 1)}, log=str(log)), executor)
    assert executor.given == 2
    compute(study, Spec(first=2, log=str(log)), executor)
    assert executor.given == 3
    compute(study, Spec(first=2, log=str(log)), executor)
    assert (executor.given, noted(log)) == (3, ["0 0", "1 0", "2 0"])


@dataclass(frozen=True)
class Sums(Grid[Spec]):
    """A grid that keeps the sums alone, and shifts them where the first number is named."""

    shifted: tuple[int, ...] = ()

    def check(self) -> None:
        """Refuse numbers that are none of its own."""
        if not set(self.shifted) <= set(self.along("first")):
            raise ValueError("shifted must name numbers of the grid")

    def cell_at(self, **place) -> Spec:
        """The spec of one cell."""
        levels = (
            tuple(level + 10 for level in self.cell.levels)
            if place["first"] in self.shifted
            else self.cell.levels
        )
        return dataclasses.replace(self.cell, **place, levels=levels)

    def kept(self, found: xr.Dataset) -> xr.Dataset:
        """The sums."""
        return found[["sum"]]


def test_a_kind_of_grid_says_what_differs_in_some_cells_and_what_of_them_stays(results):
    grid = Sums.of(Spec, {"first": (0, 1)}, shifted=[1])
    whole = compute(study, grid)
    assert list(whole.data_vars) == ["sum"]
    assert whole["sum"].values.tolist() == [[1, 2], [12, 13]]
    # the cell is kept with all that it has
    assert compute(study, grid.cells()[1]).sizes["step"] == 3
    assert naming.Made.of(whole.attrs).again()[1] == grid
    with pytest.raises(ValueError, match="shifted must name"):
        dataclasses.replace(grid, shifted=(3,))
    with pytest.raises(ValueError, match="shifted must be a whole number"):
        Sums.of(Spec, {"first": (0, 1)}, shifted=("a",))


def test_parts_of_a_grid_are_its_cells_as_they_stand_in_it():
    for grid in (Grid.of(Spec, AXES), Sums.of(Spec, AXES, shifted=(1,))):
        whole, parts = computed(study, grid), parts_of(study, grid)
        assert [dict(part.place) for part in parts] == grid.places()
        assert [part.work for part in parts] == [3, 1, 2, 3, 1, 2]
        for part in parts:
            alone = part.compute()
            assert set(alone.data_vars) == set(whole.data_vars)
            for name in alone.data_vars:
                np.testing.assert_array_equal(whole[name].sel(part.place), alone[name])


@dataclass(frozen=True)
class Difference(Composite[Spec]):
    """Two cells in another way than side by side."""

    pair: tuple[Spec, Spec]

    def cells(self) -> list[Spec]:
        """The spec of each cell."""
        return list(self.pair)

    def assemble(self, found) -> xr.Dataset:
        """Their difference."""
        return (found[1][["value"]] - found[0][["value"]]).assign_attrs(made_of(found))


def test_other_results_of_several_cells_come_the_same_way(results, log):
    spec = Difference((Spec(first=1, log=str(log)), Spec(first=0, log=str(log))))
    assert parts_of(study, spec) == parts_of(study, Spec()) == []
    found = compute(study, spec)
    np.testing.assert_array_equal(found.value, study(Spec()).value - study(Spec(first=1)).value)
    assert compute(study, spec).identical(found)
    assert noted(log) == ["1 0", "0 0"]
    assert naming.Made.of(found.attrs).again()[1] == spec
    again = verify.compute_again(naming.Made.of(found.attrs), 1.0, 2.0, 0.5)
    assert again is not None
    assert again[1].value.equals(found.value)
