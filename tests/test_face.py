"""What a program of one's own imports: names that are handed out late, each with an example that
runs.
"""

import ast
import doctest
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import valleys
from tests.sharing import copied_library
from valleys.face import attribute
from valleys.paths import book_root
from valleys.results import results_folder

ROOMS = ("valleys", "valleys.nets", "valleys.results", "valleys.toy")
HEAVY = ("numba", "numpy", "pandas", "scipy", "sklearn", "torch", "xarray")
PUBLIC = sorted(
    {
        (home, name)
        for room in ROOMS
        for name, home in importlib.import_module(room).HOMES.items()
        if home != f"{room}.{name}"
    }
)


def examples_of(home: str, name: str) -> doctest.DocTest:
    """The example in the docstring of a public name."""
    thing = getattr(importlib.import_module(home), name)
    return doctest.DocTestParser().get_doctest(
        inspect.getdoc(thing) or "", {}, f"{home}.{name}", None, None
    )


@pytest.fixture
def own_results(tmp_path, monkeypatch):
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path))


@pytest.mark.parametrize(("home", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_each_name_has_an_example_that_runs(home, name, own_results):
    example = examples_of(home, name)
    assert example.examples, f"{home}.{name} has no example in its docstring"
    found = []
    doctest.DocTestRunner(verbose=False).run(example, out=found.append)
    assert not found, "".join(found)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_lists_is_what_it_hands_out_and_what_readers_of_types_see(room):
    module = importlib.import_module(room)
    tree = ast.parse(inspect.getsource(module))
    block = next(each for each in tree.body if isinstance(each, ast.If))
    imports = [each for each in block.body if isinstance(each, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    typed = {name.name: each.module for each in imports for name in each.names}
    assert typed == {
        name: room if home == f"{room}.{name}" else home for name, home in module.HOMES.items()
    }
    assert sorted(module.__all__) == sorted(module.HOMES) == sorted(dir(module))
    assert len(module.__all__) < 32
    for name in module.__all__:
        assert getattr(module, name).__name__.rpartition(".")[2] == name


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="phase_digram"):
        _ = valleys.phase_digram
    with pytest.raises(ImportError, match="phase_digram"):
        exec("from valleys.toy import phase_digram")


def test_a_missing_package_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "valleys.nets.measures.solutions", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"valleys\.nets\.rise .*torch.*\[nets\]"):
        attribute("valleys.nets", {"rise": "valleys.nets.measures.solutions"}, "rise")


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return copied_library(tmp_path_factory.mktemp("library") / "lib")


def run_outside(
    library: Path, folder: Path, program: str, **environment: str
) -> subprocess.CompletedProcess:
    """Run a program in an empty folder."""
    for name in ("here", "home"):
        (folder / name).mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VALLEYS_", "XDG_"))
    }
    own = {"PYTHONPATH": str(library), "HOME": str(folder / "home")}
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=folder / "here", env=kept | own | environment, capture_output=True, text=True
    )


def test_importing_it_loads_nothing_heavy(library, tmp_path):
    program = (
        "import sys, valleys, valleys.toy, valleys.nets, valleys.results; print(*[name for name "
        f"in {HEAVY} if name in sys.modules])"
    )
    found = run_outside(library, tmp_path, program)
    assert (found.returncode, found.stdout, found.stderr) == (0, "\n", "")


def readme_programs() -> list[str]:
    """The programs that README shows."""
    text = (book_root() / "README.md").read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in text.split("```python\n")[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("program", readme_programs(), ids=["model", "networks"])
def test_programs_of_the_readme_run_outside_a_clone(library, tmp_path, program):
    found = run_outside(library, tmp_path, program)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip()
    assert len(program.strip().splitlines()) <= 6
    assert list((tmp_path / "here").iterdir()) == []


STORED = """
from valleys.results import compute, result_path
from valleys.toy.experiments import two_valley as studies
spec = studies.FrozenSpec([0.05], [0.02], [10.0])
found = compute(studies.operator, spec)
assert 0 < float(found.p_flat.squeeze()) < 1
print(result_path(studies.operator, spec))
"""


def test_results_are_kept_in_the_cache_of_the_user_outside_a_clone(library, tmp_path):
    found = run_outside(library, tmp_path, STORED)
    assert (found.returncode, found.stderr) == (0, "")
    path = Path(found.stdout.strip())
    assert path.is_relative_to(tmp_path / "home")
    assert path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "VALLEYS_RESULTS"])
def test_the_user_names_another_folder(library, tmp_path, variable):
    found = run_outside(library, tmp_path, STORED, **{variable: str(tmp_path / "mine")})
    assert (found.returncode, found.stderr) == (0, "")
    assert Path(found.stdout.strip()).is_relative_to(tmp_path / "mine")
    assert Path(found.stdout.strip()).exists()


@pytest.mark.slow
def test_without_room_to_write_a_result_is_used_and_not_kept(library, tmp_path):
    (tmp_path / "file").touch()
    found = run_outside(library, tmp_path, STORED, HOME=str(tmp_path / "file"))
    assert found.returncode == 0, found.stderr
    assert found.stderr.count("not kept") == 1
    assert not Path(found.stdout.strip()).exists()


def test_results_of_a_clone_stay_in_it(monkeypatch):
    monkeypatch.delenv("VALLEYS_RESULTS", raising=False)
    assert results_folder() == book_root() / "results" / "cache"
