"""Every notebook can be taken away as a plain Python file, with `jupyter nbconvert --to python`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from valleys.paths import book_root

FOLDERS = ("chapters", "exercises")
SMALL = "05_effective_potential_exercises"  # computes for a few seconds


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> dict[str, Path]:
    """The scripts of all notebooks, by name."""
    folder = tmp_path_factory.mktemp("scripts")
    notebooks = [str(path) for each in FOLDERS for path in (book_root() / each).glob("*.ipynb")]
    words = ["-m", "jupyter", "nbconvert", "--to", "python", "--output-dir", str(folder)]
    subprocess.run([sys.executable, *words, *notebooks], check=True, capture_output=True)
    found = {path.stem: path for path in folder.glob("*.py")}
    assert set(found) == {Path(path).stem for path in notebooks}
    return found


@pytest.mark.slow
def test_each_script_is_plain_python(scripts):
    for name, script in scripts.items():
        text = script.read_text(encoding="utf-8")
        compile(text, name, "exec")
        assert "get_ipython" not in text, name


@pytest.mark.slow
def test_a_script_runs_without_jupyter(scripts, tmp_path):
    own = {"VALLEYS_RESULTS": str(tmp_path), "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [sys.executable, str(scripts[SMALL])],
        cwd=tmp_path,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "all checks hold" in finished.stdout
