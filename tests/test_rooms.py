"""The rooms of the library import what they may, and `make lint` sees an import that they may
not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from valleys.paths import book_root

MOST_MODULES = 14  # in a folder: what can be taken in at a glance
WRONG = {  # a module, and a line that its room may not hold
    "config.py": "from valleys.results import store",
    "results/grid.py": "from valleys.nets import statistics",
    "results/store.py": "import torch",
    "toy/theory/chain.py": "from valleys.nets.engine import training",
    "nets/statistics.py": "from valleys.book import figures",
    "book/figures/walk.py": "from valleys.toy import TwoValley",
}


def contracts(library: Path) -> subprocess.CompletedProcess:
    """The contracts of pyproject.toml, held against the package in a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--no-logo", book_root() / "pyproject.toml"]
    environment = os.environ | {"PYTHONPATH": str(library)}
    return subprocess.run(
        command, cwd=library, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def library(tmp_path):
    """A copy of the library."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(book_root() / "lib" / "valleys", tmp_path / "valleys", ignore=ignored)
    return tmp_path


def test_every_room_keeps_to_what_it_may_import(library):
    kept = contracts(library)
    assert kept.returncode == 0, kept.stdout


@pytest.mark.parametrize("module", WRONG)
def test_a_wrong_import_is_found(library, module):
    path = library / "valleys" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{WRONG[module]}\n", encoding="utf-8")
    broken = contracts(library)
    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout
    assert ".".join(["valleys", *Path(module).with_suffix("").parts]) in broken.stdout


def test_no_folder_is_crowded():
    packages = [path.parent for path in (book_root() / "lib" / "valleys").rglob("__init__.py")]
    sizes = {str(package): len([*package.glob("[!_]*.py")]) for package in packages}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}
