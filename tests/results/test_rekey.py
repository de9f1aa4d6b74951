"""Results of earlier code stay current where today's gives the same bits, and only there."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from valleys import cli as command_line
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import code, machine, rekey, same_code, shipping, store

MODULE = "study_to_carry"
SOURCE = """from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr

from valleys.results.grid import Part


@dataclass(frozen=True)
class Spec:
    seed: int = 0


def drawn(spec: Spec) -> xr.Dataset:
    values = np.random.default_rng(spec.seed).normal(size=3)
    return xr.Dataset({"value": ("step", values)})


def grid(spec: Spec) -> xr.Dataset:
    return xr.concat([drawn(replace(spec, seed=spec.seed + column)) for column in range(4)], xr.Variable("column", range(4)))


def grid_parts(spec: Spec):
    return [Part({"column": column}, 1.0, partial(drawn, replace(spec, seed=spec.seed + column))) for column in range(4)]


PARTS = {grid: grid_parts}
"""
SAME = ("values = np.random.default_rng(spec.seed).normal(size=3)\n", "rng = np.random.default_rng(spec.seed)\n    values = rng.normal(size=3)\n")
OTHER = ("normal(size=3)", "normal(size=3) * (1 + 2e-16)")
EXTENT = rekey.Extent(2, 60.0)


class Here:
    """Processes that are this one."""

    def __init__(self, count: int, *, threads: int) -> None:
        self.threads = threads

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function, *arguments) -> Future:
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder with a study, three shipped results of it, and a place for the file."""
    for variable in ("VALLEYS_RESULTS", "VALLEYS_SHIPPED"):
        monkeypatch.setenv(variable, str(tmp_path / "paper"))
    monkeypatch.setattr(same_code, "place", lambda: tmp_path / "same_code.yml")
    monkeypatch.setattr(rekey, "Processes", Here)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    edit(tmp_path)
    module = sys.modules[MODULE]
    for study, seed in (("drawn", 1), ("drawn", 2), ("grid", 3)):
        store.load_or_compute(getattr(module, study), module.Spec(seed))
    yield tmp_path
    sys.modules.pop(MODULE, None)
    code.code_version.cache_clear()


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    """Write the module anew with these changes, and import it as a fresh process would."""
    text = SOURCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "lib").mkdir(exist_ok=True)
    (folder / "lib" / f"{MODULE}.py").write_text(text)
    shutil.rmtree(folder / "lib" / "__pycache__", ignore_errors=True)
    sys.modules.pop(MODULE, None)
    code.code_version.cache_clear()
    __import__(MODULE)


def carry(book: Path, extent: rekey.Extent = EXTENT) -> dict[str, bool]:
    return {one.study.rpartition(".")[2]: one.is_carried for one in rekey.carry(book / "paper", same_code.place(), extent)}


def current(book: Path) -> set[str]:
    names = shipping.names(book / "paper")
    return {Path(name).parent.name for name in names if store.is_current(store.key_of(book / "paper" / name))}


def test_code_that_gives_the_same_bits_keeps_results_current(book):
    before = {path: path.read_bytes() for path in (book / "paper").rglob("*.nc")}
    edit(book, SAME)
    assert current(book) == set()
    assert carry(book) == {"drawn": True, "grid": True}
    assert current(book) == {"drawn", "grid"}
    assert {path: path.read_bytes() for path in (book / "paper").rglob("*.nc")} == before
    entries = same_code.read(same_code.place()).values()
    assert {entry.study: len(entry.evidence.split()[0]) for entry in entries} == {f"{MODULE}.drawn": 1, f"{MODULE}.grid": 1}
    assert all("equal to the last bit" in entry.evidence for entry in entries)
    module = sys.modules[MODULE]
    assert store.result_path(module.drawn, module.Spec(1)) in before  # so that a chapter, a worker and a shipment find it
    assert shipping.ship(book / "paper", book / "paper", lambda: shipping.names(book / "paper")).outdated == set()
    assert carry(book) == {}


@pytest.mark.parametrize(("change", "seeds", "is_carried"), [(SAME, (8, 9), True), (OTHER, (8, 9), False), (SAME, (8,), False), (SAME, (), False)])
def test_runs_of_both_codes_at_a_small_size_tell_as_well(book, monkeypatch, change, seeds, is_carried):
    """The earlier code leaves two results; today's leaves those of the given seeds, equal or not, and may lack one or both."""

    def leave(name: str, seeds: tuple[int, ...]) -> Path:
        monkeypatch.setenv("VALLEYS_RESULTS", str(book / name))
        for seed in seeds:
            store.load_or_compute(sys.modules[MODULE].drawn, sys.modules[MODULE].Spec(seed))
        return book / name

    earlier = leave("earlier", (8, 9))
    edit(book, change)
    outcomes = rekey.carry_by_runs(book / "paper", same_code.place(), earlier, leave("today", seeds))
    assert {one.study.rpartition(".")[2]: one.is_carried for one in outcomes} == {"drawn": is_carried, "grid": False}
    assert current(book) == ({"drawn"} if is_carried else set())


def test_a_value_that_differs_in_its_last_bit_is_never_carried(book):
    edit(book, OTHER)
    assert carry(book) == {"drawn": False, "grid": False}
    assert current(book) == set()
    assert not same_code.place().exists()


def test_one_wrong_file_of_a_study_refuses_the_study_and_no_other(book):
    edit(book, SAME)
    path = next((book / "paper" / "drawn").glob("*.nc"))
    result = store.load(path)
    result["value"][1] = np.nextafter(result["value"][1], 9)
    result.to_netcdf(path, engine="h5netcdf")
    assert carry(book) == {"drawn": False, "grid": True}
    assert current(book) == {"grid"}


def test_the_next_edit_makes_it_outdated_again_and_old_entries_go(book):
    edit(book, SAME)
    carry(book)
    earlier = same_code.read(same_code.place())
    edit(book, SAME, ("rng.normal(size=3)", "2 * rng.normal(size=3)"))
    assert current(book) == set()
    assert carry(book) == {"drawn": False, "grid": False}
    assert same_code.read(same_code.place()) == {}
    edit(book, SAME, ("values", "numbers"))
    assert carry(book) == {"drawn": True, "grid": True}
    assert {entry.made_by for entry in same_code.read(same_code.place()).values()} == {entry.made_by for entry in earlier.values()}
    edit(book)
    assert current(book) == {"drawn", "grid"}  # the code that made them needs no entry


def test_it_may_be_stopped_after_any_study(book):
    edit(book, SAME)
    outcomes = rekey.carry(book / "paper", same_code.place(), EXTENT)
    next(outcomes)
    outcomes.close()
    assert len(same_code.read(same_code.place())) == 1
    assert list(carry(book).values()) == [True]


def test_what_cannot_be_compared_to_the_last_bit_is_refused(book, monkeypatch):
    edit(book, SAME)
    assert carry(book, rekey.Extent(2, 0.0)) == {"drawn": False, "grid": False}
    edit(book, SAME, ("seed: int = 0", "seed: int = 0\n\n    def __post_init__(self):\n        raise ValueError('no')"))
    assert carry(book) == {"drawn": False, "grid": False}
    edit(book, SAME)
    monkeypatch.setattr(machine, "processor", lambda: "another one")
    assert carry(book) == {"drawn": False, "grid": False}
    assert not same_code.place().exists()


def test_command_tells_a_line_for_each_study_and_fails_if_one_is_refused(book):
    edit(book, SAME, ("def grid(", "def helper():\n    return 1\n\n\ndef grid("))
    done = CliRunner().invoke(command_line.main, ["carry", "--limit", "60"])
    assert (done.exit_code, [line.split()[0] for line in done.output.splitlines()]) == (0, ["carried", "carried"])
    assert CliRunner().invoke(command_line.main, ["carry"]).output == "nothing is outdated\n"
    edit(book, OTHER)
    failed = CliRunner().invoke(command_line.main, ["carry"])
    assert [line.split()[0] for line in failed.output.splitlines()] == ["refused", "refused"]
    assert isinstance(failed.exception, BookError)


def test_damaged_file_is_told_in_one_line(book):
    same_code.place().write_text("- not\n- a mapping\n")
    with pytest.raises(BookError, match=r"same_code\.yml is damaged; delete it"):
        store.is_current(store.key_of(next((book / "paper").rglob("*.nc"))))


def test_entries_of_this_book_hold_for_its_code():
    for version, entry in same_code.read(book_root() / "results" / "same_code.yml").items():
        assert store.version(entry.study, entry.kinds) == version, f"{entry.study} has changed since: run `python -m valleys carry`"


@pytest.mark.slow
def test_earlier_code_computes_what_another_processor_cannot_compare(book, tmp_path):
    """As a program: earlier code in a checkout of its own, results of a processor that is not here."""
    shutil.rmtree(book / "paper" / "drawn")
    for path in (book / "paper").rglob("*.nc"):
        store.load(path).assign_attrs(processor="another one").to_netcdf(path, engine="h5netcdf")
    shutil.copytree(book / "lib", book / "earlier" / "lib")
    edit(book, SAME)
    lines = "import sys; from valleys.results import rekey, same_code; from pathlib import Path; home = Path(sys.argv[1])\n"
    lines += (
        "if __name__ == '__main__':\n    for one in carrying.carry(home / 'paper', home / 'new.yml', carrying.Extent(2, 60.0), earlier=home / sys.argv[2]):\n"
    )
    (tmp_path / "program.py").write_text(f"{lines}        print(one.is_carried)\n")
    path = os.pathsep.join([str(book / "lib"), str(book_root() / "lib")])
    for place, expected in (("earlier", "True"), (".", "False")):  # today's code is not what made them
        command = [sys.executable, str(tmp_path / "program.py"), str(book), place]
        finished = subprocess.run(command, env=dict(os.environ, PYTHONPATH=path), capture_output=True, text=True, timeout=300, check=True)
        assert finished.stdout.strip() == expected
        (book / "new.yml").unlink(missing_ok=True)
