"""What a room imports, an extra of pyproject.toml declares; and the two-valley model needs no
extra.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from valleys.paths import book_root

# Extras beside the core that a room may import from, by folder; the longest folder that holds a
# file counts.
EXTRAS = {
    "lib/valleys": {"book"},
    "lib/valleys/toy": set(),
    "lib/valleys/nets": {"nets"},
    "lib/valleys/results": {"cluster"},
    "lib/valleys/book": {"book", "cluster"},
    "chapters": {"book", "nets"},
    "exercises": {"book", "nets"},
    "tests": {"book", "nets", "cluster", "dev"},
    "tools": {"bench", "book", "nets", "cluster", "dev"},
}
OWN = {"valleys", "tests", "figure_look", "peers"}
MADE_BY_A_TEST = {"slowly"}  # modules that a test writes before it imports them


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def declared() -> dict[str, set[str]]:
    """Packages by extra, with those of the core under `core`."""
    text = (book_root() / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lists = {"core": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {canonical(Requirement(each).name) for each in items}
        for extra, items in lists.items()
    }


@pytest.fixture(scope="module")
def providers() -> dict[str, set[str]]:
    """Packages that bring each importable name."""
    found = packages_distributions()
    return {module: {canonical(name) for name in names} for module, names in found.items()}


def python_of(path: Path) -> str:
    """The code of a module, or of all cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def imports(path: Path) -> set[str]:
    """Third-party modules that a file imports, at its top or later, without what follows a dot."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(python_of(path))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    third = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    return third - OWN - MADE_BY_A_TEST


def files_of(room: str) -> Iterator[Path]:
    """Modules and notebooks of a room, less those of rooms inside it."""
    inner = [book_root() / other for other in EXTRAS if other.startswith(f"{room}/")]
    for path in sorted((book_root() / room).rglob("*")):
        outside = not {*inner} & {*path.parents} and "node_modules" not in path.parts
        if path.suffix in (".py", ".ipynb") and outside:
            yield path


@pytest.mark.parametrize("room", EXTRAS)
def test_what_a_room_imports_is_declared(room, declared, providers):
    allowed = declared["core"].union(*(declared[extra] for extra in EXTRAS[room]))
    missing = {
        f"{path.name} imports {module}"
        for path in files_of(room)
        for module in imports(path)
        if not providers.get(module, {module}) & allowed
    }
    assert missing == set(), f"declare them in pyproject.toml, for one of {sorted(EXTRAS[room])}"


LOADED = """
import importlib, pkgutil, sys
room = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(room.__path__, f"{sys.argv[1]}."):
    importlib.import_module(found.name)
print(*{name.partition(".")[0] for name in sys.modules})
"""
OF_PAGES = {
    "matplotlib",
    "click",
    "IPython",
    "ipykernel",
    "nbformat",
    "papermill",
    "sphinx",
    "docutils",
    "myst_nb",
    "bs4",
}
OF_NETWORKS = {"torch", "torchvision", "sklearn"}


@pytest.mark.parametrize(
    ("room", "others"), [("valleys.toy", OF_PAGES | OF_NETWORKS), ("valleys.nets", OF_PAGES)]
)
def test_a_room_loads_nothing_of_the_others(room, others):
    command = [sys.executable, "-c", LOADED, room]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert others & set(loaded) == set()


# What only pages or compilers of torch need takes a second each to load, in every notebook.
HEAD = """
import sys
from valleys.book import figures
from valleys.book.numbers.reporting import report
from valleys.nets.experiments import ensemble
print(*{"sphinx", "docutils", "torch._dynamo"} & set(sys.modules))
"""


def test_the_head_of_a_chapter_loads_no_sphinx_and_no_compiler_of_torch():
    command = [sys.executable, "-c", HEAD]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
