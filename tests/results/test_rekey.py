"""Stored results get the key of today's code where it gives the same bits, and only there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.results.here import Here
from valleys import cli as command_line
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import code, machine, rekey, shipping, store
from valleys.results.code import sources
from valleys.results.rekey import Evidence, Extent

MODULE = "study_to_rekey"  # a package of its own, in the place of this one
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
"""  # noqa: E501
RENAMED = (
    ("def drawn(spec", "def sample(spec"),
    ("[drawn(", "[sample("),
    ("partial(drawn,", "partial(sample,"),
)
TIDIED = ("values = np", "numbers = np"), ('("step", values)', '("step", numbers)')
SAME = (
    "values = np.random.default_rng(spec.seed).normal(size=3)\n",
    "rng = np.random.default_rng(spec.seed)\n    values = rng.normal(size=3)\n",
)
OTHER = ("normal(size=3)", "normal(size=3) * (1 + 2e-16)")
EXTENT = Extent(2, 60.0)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder with a study and three shipped results of it."""
    for variable in ("VALLEYS_RESULTS", "VALLEYS_SHIPPED"):
        monkeypatch.setenv(variable, str(tmp_path / "paper"))
    monkeypatch.setattr(rekey, "Processes", Here)
    monkeypatch.setattr(sources, "PACKAGE", MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    edit(tmp_path)
    module = sys.modules[MODULE]
    for study, seed in (("drawn", 1), ("drawn", 2), ("grid", 3)):
        store.load_or_compute(getattr(module, study), module.Spec(seed))
    yield tmp_path
    sys.modules.pop(MODULE, None)
    forget()


def forget() -> None:
    """What was read of the code."""
    code.code_version.cache_clear()
    code.kind_of_spec.cache_clear()


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    """Write the module anew with these changes, and import it as a fresh process would."""
    text = SOURCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    home = folder / "lib" / MODULE
    home.mkdir(parents=True, exist_ok=True)
    (home / "__init__.py").write_text(text)
    shutil.rmtree(home / "__pycache__", ignore_errors=True)
    sys.modules.pop(MODULE, None)
    forget()
    __import__(MODULE)


def states(book: Path, evidence: Evidence | None = None) -> dict[str, str]:
    return {
        one.study: one.state for one in rekey.rekey(book / "paper", evidence or Evidence(EXTENT))
    }


def current(book: Path) -> set[str]:
    return {
        Path(name).parent.name
        for name in shipping.names(book / "paper")
        if store.is_current(book / "paper" / name)
    }


def values(book: Path) -> list[bytes]:
    """The data of all files, in any order."""
    results = [store.load(path) for path in (book / "paper").rglob("*.nc")]
    return sorted(
        variable.values.tobytes() for result in results for variable in result.variables.values()
    )


def test_code_that_gives_the_same_bits_keeps_results_current(book):
    before = values(book)
    edit(book, SAME)
    assert current(book) == set()
    assert states(book) == {"drawn": "recomputed", "grid": "recomputed"}
    assert current(book) == {"drawn", "grid"}
    assert values(book) == before
    module = sys.modules[MODULE]
    # so that a chapter, a worker and a shipment find it
    path = store.result_path(module.drawn, module.Spec(1))
    assert (
        "equal to the last bit to those of the stored results"
        in store.attributes(path)[rekey.REKEYED]
    )
    assert (
        shipping.ship(
            book / "paper", book / "paper", lambda: shipping.names(book / "paper")
        ).outdated
        == set()
    )
    assert states(book) == {}


def test_tidied_code_needs_no_new_key(book):
    edit(book, *TIDIED)
    assert current(book) == {"drawn", "grid"}
    assert states(book) == {}


def test_renamed_study_is_found_by_its_code_and_nothing_is_computed(book, monkeypatch):
    before = values(book)
    monkeypatch.setattr(rekey, "parts_again", None)
    edit(book, *RENAMED)
    assert current(book) == {"grid"}
    assert states(book) == {"drawn": "renamed"}
    assert (current(book), values(book)) == ({"sample", "grid"}, before)
    module = sys.modules[MODULE]
    assert store.result_path(module.sample, module.Spec(1)).exists()
    assert not (book / "paper" / "drawn").exists() or not list((book / "paper" / "drawn").iterdir())


def test_study_that_was_renamed_and_edited_is_named_by_hand(book):
    edit(book, SAME, *RENAMED)
    assert states(book)["drawn"] == "refused"
    assert states(book, Evidence(EXTENT, names={"drawn": "sample"})) == {"drawn": "recomputed"}
    assert current(book) == {"sample", "grid"}


def test_field_that_is_new_and_has_a_default_comes_with_the_key(book):
    edit(
        book,
        ("seed: int = 0", "seed: int = 0\n    size: int = 3"),
        ("normal(size=3)", "normal(size=spec.size)"),
    )
    assert states(book) == {"drawn": "recomputed", "grid": "recomputed"}
    module = sys.modules[MODULE]
    assert store.result_path(module.drawn, module.Spec(1, size=3)).exists()


@pytest.mark.parametrize(
    ("change", "seeds", "state"),
    [
        (SAME, (8, 9), "recomputed"),
        (OTHER, (8, 9), "refused"),
        (SAME, (8,), "refused"),
        (SAME, (), "refused"),
    ],
)
def test_runs_of_both_codes_at_a_small_size_tell_as_well(book, monkeypatch, change, seeds, state):
    """The earlier code leaves two results; today's leaves those of the given seeds, equal or
    not, and may lack one or both.
    """

    def leave(name: str, seeds: tuple[int, ...]) -> Path:
        monkeypatch.setenv("VALLEYS_RESULTS", str(book / name))
        for seed in seeds:
            store.load_or_compute(sys.modules[MODULE].drawn, sys.modules[MODULE].Spec(seed))
        return book / name

    earlier = leave("earlier", (8, 9))
    edit(book, change)
    found = states(book, Evidence(EXTENT, runs=(earlier, leave("today", seeds))))
    assert found == {"drawn": state, "grid": "refused"}
    assert current(book) == ({"drawn"} if state == "recomputed" else set())


def test_a_value_that_differs_in_its_last_bit_is_never_accepted(book):
    before = {path: path.read_bytes() for path in (book / "paper").rglob("*.nc")}
    edit(book, OTHER)
    assert states(book) == {"drawn": "refused", "grid": "refused"}
    assert current(book) == set()
    assert {path: path.read_bytes() for path in (book / "paper").rglob("*.nc")} == before


def test_one_wrong_file_of_a_study_refuses_the_study_and_no_other(book):
    edit(book, SAME)
    path = next((book / "paper" / "drawn").glob("*.nc"))
    result = store.load(path)
    result["value"][1] = np.nextafter(result["value"][1], 9)
    result.to_netcdf(path, engine="h5netcdf")
    assert states(book) == {"drawn": "refused", "grid": "recomputed"}
    assert current(book) == {"grid"}


def test_the_next_edit_makes_it_outdated_again(book):
    edit(book, SAME)
    states(book)
    edit(book, SAME, ("rng.normal(size=3)", "2 * rng.normal(size=3)"))
    assert current(book) == set()
    assert states(book) == {"drawn": "refused", "grid": "refused"}
    edit(book)
    assert states(book) == {"drawn": "recomputed", "grid": "recomputed"}


def test_it_may_be_stopped_after_any_study(book):
    edit(book, SAME)
    outcomes = rekey.rekey(book / "paper", Evidence(EXTENT))
    next(outcomes)
    outcomes.close()
    assert len(current(book)) == 1
    assert list(states(book).values()) == ["recomputed"]


def test_what_cannot_be_compared_to_the_last_bit_is_refused(book, monkeypatch):
    both = {"drawn": "refused", "grid": "refused"}
    edit(book, SAME)
    assert states(book, Evidence(Extent(2, 0.0))) == both
    edit(
        book,
        SAME,
        (
            "seed: int = 0",
            "seed: int = 0\n\n    def __post_init__(self):\n        raise ValueError('no')",
        ),
    )
    assert states(book) == both
    edit(book, SAME)
    monkeypatch.setattr(machine, "processor", lambda: "another one")
    assert states(book) == both
    assert current(book) == set()


def test_command_prints_a_line_for_each_study_and_fails_if_one_is_refused(book):
    edit(book, SAME)
    done = CliRunner().invoke(command_line.main, ["rekey", "--limit", "60"])
    assert (done.exit_code, [line.split()[0] for line in done.output.splitlines()]) == (
        0,
        ["recomputed", "recomputed"],
    )
    assert CliRunner().invoke(command_line.main, ["rekey"]).output == "nothing is outdated\n"
    edit(book, SAME, *RENAMED, ("rng.normal(size=3)", "(rng.normal(size=3))"))
    done = CliRunner().invoke(command_line.main, ["rekey"])
    assert (done.exit_code, [line.split()[0] for line in done.output.splitlines()]) == (
        0,
        ["renamed"],
    )
    edit(book, OTHER, *RENAMED)
    failed = CliRunner().invoke(command_line.main, ["rekey"])
    assert [line.split()[0] for line in failed.output.splitlines()] == ["refused", "refused"]
    assert isinstance(failed.exception, BookError)


def test_name_that_is_no_pair_is_refused_in_one_line(book):
    refused = CliRunner().invoke(command_line.main, ["rekey", "--name", "drawn"])
    assert refused.exit_code == 2
    assert "OLD=NEW" in refused.output


PROGRAM = """import sys
from pathlib import Path
from valleys.results import rekey
from valleys.results.code import sources

if __name__ == "__main__":
    home = Path(sys.argv[1])
    sources.PACKAGE = sys.argv[3]
    evidence = rekey.Evidence(rekey.Extent(2, 60.0), earlier=home / sys.argv[2])
    for one in rekey.rekey(home / "paper", evidence):
        print(one.state)
"""


@pytest.mark.slow
def test_earlier_code_computes_what_another_processor_cannot_compare(book, tmp_path):
    """As a program: earlier code in a checkout of its own, results of a processor that is not
    here.
    """
    shutil.rmtree(book / "paper" / "drawn")
    for path in (book / "paper").rglob("*.nc"):
        path.write_bytes(rekey.with_attributes(path.read_bytes(), {"processor": "another one"}))
    shutil.copytree(book / "lib", book / "earlier" / "lib")
    edit(book, SAME)
    (tmp_path / "program.py").write_text(PROGRAM)
    path = os.pathsep.join([str(book / "lib"), str(book_root() / "lib")])
    environment = dict(os.environ, PYTHONPATH=path)
    # today's code is not what made them
    for place, expected in ((".", "refused"), ("earlier", "recomputed")):
        command = [sys.executable, str(tmp_path / "program.py"), str(book), place, MODULE]
        assert subprocess.check_output(command, env=environment, text=True).strip() == expected
