"""Stored results are computed again, and a wrong one is found."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from tests.results import sweeping
from valleys.cli import main
from valleys.errors import BookError
from valleys.results import naming, store, verify
from valleys.results.grid import Part


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Six stored cells."""
    for variable in ("VALLEYS_RESULTS", "VALLEYS_SHIPPED"):
        monkeypatch.setenv(variable, str(tmp_path / "paper"))
    store.load_or_compute_all(sweeping.cell, sweeping.specs(6))
    return tmp_path / "paper"


def change(path: Path, edit) -> str:
    """Write a stored result again after an edit, and return its name."""
    result = store.load(path)
    edit(result)
    result.to_netcdf(path, engine="h5netcdf")
    return path.relative_to(path.parents[1]).as_posix()


def spoil(result: xr.Dataset) -> None:
    result["value"][1] += 1e-12


def path_of(seed: int) -> Path:
    return store.result_path(sweeping.cell, sweeping.Spec(seed))


@pytest.mark.slow
def test_command_tells_a_line_for_each_result_and_finds_the_wrong_one(folder):
    good = CliRunner().invoke(main, ["verify", "--cells", "1", "--seed", "3", str(folder)])
    assert good.exit_code == 0
    (line,) = good.output.splitlines()
    assert line.startswith("equal    cell/")
    assert "1 variables to the last bit" in line
    wrong = change(path_of(4), spoil)
    for seed in range(4):
        path_of(seed).unlink()
    bad = CliRunner().invoke(main, ["verify", "--cells", "2"])
    assert isinstance(bad.exception, BookError)
    assert str(bad.exception) == "1 of 2 results did not come out again"
    lines = sorted(line.split()[:2] for line in bad.output.splitlines())
    assert lines == [["differs", wrong], ["equal", f"cell/{path_of(5).name}"]]


def one(name: str, folder: Path, limit: float = 60.0) -> verify.Recomputed:
    return verify.verify_one(folder, name, draw=0.5, limit=limit)


def test_draw_follows_from_its_seed(folder, monkeypatch):
    monkeypatch.setattr(
        verify, "verify_one", lambda folder, name, **options: verify.Recomputed(name, "equal", "")
    )
    drawn = [
        [verdict.name for verdict in verify.verify(folder, count=3, seed=seed, limit=1)]
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_is_damaged_outdated_or_slow_is_told(folder, monkeypatch):
    name = change(path_of(0), lambda result: result.attrs.update(wall_time_seconds=1e4))
    assert one(name, folder).line() == f"skipped  {name}  it took 10000 s, and the limit is 60 s"
    path_of(1).rename(path_of(1).with_name("misnamed.nc"))
    assert one("cell/misnamed.nc", folder).state == "damaged"
    path_of(2).write_bytes(b"not a result")
    assert one(f"cell/{path_of(2).name}", folder).state == "damaged"
    outdated = f"cell/{path_of(3).name}"
    monkeypatch.setattr(naming.Made, "is_current", lambda made: False)
    assert (one(outdated, folder).state, one(outdated, folder).is_bad) == ("outdated", True)


def test_other_processor_leaves_out_what_has_no_error(folder):
    name = change(path_of(0), lambda result: result.attrs.update(processor="another one"))
    assert one(name, folder).state == "skipped"
    assert "1 cannot be compared on another processor" in one(name, folder).remark


def dataset(**values) -> xr.Dataset:
    return xr.Dataset({name: ("x", np.asarray(value)) for name, value in values.items()})


@pytest.mark.parametrize(
    ("sampled", "same", "again", "differing", "count"),
    [
        (True, True, dataset(p=[0.1, np.nan], p_error=[0.1, 0.1], n=[1, 2]), [], 3),
        (True, True, dataset(p=[0.1 + 1e-15, np.nan], n=[1, 2]), ["p"], 2),
        (True, False, dataset(p=[0.25, np.nan], p_error=[0.1, 0.1], n=[1, 3]), [], 1),
        (True, False, dataset(p=[0.35, np.nan], p_error=[0.1, 0.1], n=[1, 3]), ["p"], 1),
        (True, False, dataset(p=[0.1, 0.1], p_error=[0.1, 0.1], n=[1, 3]), ["p"], 1),
        (False, False, dataset(p=[0.1 + 1e-9, np.nan], n=[1, 2]), [], 2),
        (False, True, dataset(p=[0.1 + 1e-3, np.nan], n=[1, 3]), ["p", "n"], 2),
        (True, True, dataset(p=[0.1], q=[1.0]), ["p", "q"], 2),
    ],
)
def test_comparison_is_as_strict_as_the_place_allows(sampled, same, again, differing, count):
    found = verify.compare(
        dataset(p=[0.1, np.nan], p_error=[0.1, 0.1], n=[1, 2]),
        again,
        sampled=sampled,
        same_processor=same,
    )
    assert (found.differing, found.count) == (differing, count)


def test_part_is_drawn_within_the_limit():
    parts = [Part({"x": index}, share, xr.Dataset) for index, share in enumerate((8.0, 1.0, 1.0))]
    assert {verify.drawn_parts(parts, 100.0, 15.0, draw)[0].place["x"] for draw in range(20)} == {
        1,
        2,
    }
    assert verify.drawn_parts(parts, 100.0, 5.0, 0) == []
    assert len(verify.drawn_parts(parts, 100.0, 25.0, 0, most=3)) == 2


def test_what_a_clock_told_is_not_compared():
    stored = xr.Dataset({"flatness": ("run", [1.0]), "seconds": ("run", [3.0])})
    again = stored.assign(seconds=("run", [4.0]))
    compared = verify.compare(stored, again, sampled=True, same_processor=True)
    assert (compared.differing, compared.count) == ([], 1)
    other = again.assign(flatness=("run", [2.0]))
    compared = verify.compare(stored, other, sampled=True, same_processor=True)
    assert compared.differing == ["flatness"]


def test_part_of_a_long_result_is_computed_alone_where_the_study_offers_it(folder):
    result = store.load_or_compute(sweeping.grid, sweeping.Spec(seed=5))
    made = naming.Made.of(result.attrs)
    for seconds, n_places in ((50.0, 0), (100.0, 1)):
        found = verify.compute_again(made, seconds, 60.0, 0.5)
        assert found is not None
        place, again = found
        assert len(place) == n_places
        here = result.sel(place).squeeze()
        compared = verify.compare(here, again, sampled=True, same_processor=True)
        assert compared.differing == []
    assert verify.compute_again(made, 1000.0, 60.0, 0.5) is None
