"""Every chapter computes live at the smallest size, and runs from papermill alone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from tests.printing import unprintable
from tests.site import executing
from valleys import config
from valleys.book.chapters import all_chapters
from valleys.book.run import runner
from valleys.book.run.parameters import run_parameters
from valleys.paths import book_root
from valleys.results import machine

pytestmark = pytest.mark.slow


ONE_THREAD = dict.fromkeys(machine.THREAD_VARIABLES, "1")  # the other cores are for other tests


@pytest.fixture(scope="session")
def kernel() -> Iterator[executing.Kernel]:
    """A kernel in which chapters run one after another, as starting one takes seconds."""
    with executing.kernel(ONE_THREAD) as one:
        yield one


@pytest.fixture
def nowhere(tmp_path) -> dict[str, str]:
    """Variables by which chapters find no earlier result."""
    return {config.RESULTS: str(tmp_path / "results"), config.SHIPPED: str(tmp_path / "shipped")}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"smoke {name}")) for name in all_chapters()],
)
def test_chapter_computes_everything_anew_at_size_smoke(name, kernel, nowhere, tmp_path):
    chapters = all_chapters()
    values = run_parameters(chapters, "smoke")[name]
    notebook = os.path.relpath(chapters[name].path, book_root())
    kernel.execute(notebook, values, tmp_path / "executed.ipynb", nowhere)
    assert list((tmp_path / "results").rglob("*.nc"))
    assert unprintable(tmp_path / "executed.ipynb") == []


def test_a_chapter_runs_in_a_kernel_of_its_own(nowhere, tmp_path):
    chapters, name = all_chapters(), "own_network"
    work = {name: (chapters[name], run_parameters(chapters, "smoke")[name])}
    (outcome,) = runner.run_chapters(work, tmp_path / "executed", environment=nowhere | ONE_THREAD)
    assert outcome.failure is None
    assert list((tmp_path / "results").rglob("*.nc"))


def test_papermill_works_from_the_folder_of_the_chapters(tmp_path):
    """From the root, the runs above do it."""
    values = run_parameters(all_chapters(), "paper")["05_effective_potential"]
    command = [
        sys.executable,
        "-m",
        "papermill",
        "05_effective_potential.ipynb",
        str(tmp_path / "out.ipynb"),
        "-y",
        yaml.safe_dump(values),
    ]
    environment = os.environ | {config.RESULTS: str(tmp_path / "results")}
    subprocess.run(
        command,
        cwd=book_root() / "chapters",
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert (tmp_path / "out.ipynb").exists()
