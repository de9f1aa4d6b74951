"""The box of a chapter tells every parameter, and commands that do what they say."""

import re
import subprocess

import nbformat
import pytest
import yaml

from tests.book.conftest import small_chapter
from valleys.book.chapters import Chapter, read_parameters
from valleys.book.pages import run_box
from valleys.book.run import runner
from valleys.book.run.parameters import Assignment, run_parameters
from valleys.book.run.times import Times
from valleys.book.site.repository import Address, colab_cell
from valleys.paths import book_root

NAMES = sorted(path.stem for path in (book_root() / "chapters").glob("*.ipynb"))


@pytest.fixture
def chapter(tmp_path):
    path = small_chapter(tmp_path / "01_small.ipynb")
    return Chapter("01_small", path, read_parameters(path))


def example_of(name: str) -> Assignment:
    cells = nbformat.read(book_root() / "chapters" / f"{name}.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if cell.id == "run-box")
    return Assignment.parse(re.findall(r"\A```\{parameters\} (\S+)\n", source)[0])


def words(command: str) -> list[str]:
    """What the shell makes of a command."""
    return subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def test_table_has_each_parameter_with_unit_default_and_published_value(chapter):
    text = run_box.box(chapter, {"n_runs": 2000}, Assignment.parse("n_runs=200"), Times())
    assert rows(text) == [
        ["`n_runs`", "simulated runs", "runs", "`20`", "`2000`"],
        ["`learning_rate`", "size of a step", "", "`0.1`", "same"],
        ["`sizes`", "sizes", "m", "`[1.0, 2.0]`", "same"],
        ["`pair`", "batch and rate", "images, 1", "`[50, 0.02]`", "same"],
    ]


def test_times_stand_in_the_box_only_where_they_were_measured(chapter):
    example = Assignment.parse("n_runs=200")
    assert "Measured" not in run_box.box(chapter, {}, example, Times())
    measured = Times("Plan 9 vax, 1 cores (VAX)", "1979-11-01").with_run("01_small", "quick", 150.0)
    text = run_box.box(chapter, {}, example, measured)
    assert "| size `quick`, computed | 2.5 min |" in text
    assert "smoke" not in text
    assert "on Plan 9 vax, 1 cores (VAX), 1979-11-01" in text


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("n_runs=200", {"n_runs": 200}),
        ("sizes=[1.5, 2]", {"sizes": [1.5, 2]}),
        ("word=two words", {"word": "two words"}),
    ],
)
def test_commands_survive_the_shell(text, given):
    example = Assignment.parse(text)
    _, notebook, _, option, *values = words(run_box.papermill_command("01_small", example))
    assert notebook == "chapters/01_small.ipynb"
    assert (
        yaml.safe_load(values[0]) if option == "-y" else {values[0]: yaml.safe_load(values[1])}
    ) == given
    typed = words(run_box.new_run_command("01_small", example))
    assert Assignment.parse(typed[typed.index("--set") + 1]) == example


@pytest.mark.parametrize("name", NAMES)
def test_example_of_each_chapter_is_a_value_that_it_takes(name, chapters):
    example = example_of(name)
    values = run_parameters(
        chapters, "quick", [Assignment(name, example.parameter, example.value)]
    )[name]
    assert values == {example.parameter: example.value}, "the example must differ from the default"
    runner.check_before_running(chapters[name], values)


@pytest.mark.parametrize("name", NAMES)
def test_box_follows_the_parameters(name):
    cells = nbformat.read(book_root() / "chapters" / f"{name}.ipynb", as_version=4).cells
    ids = [cell.id for cell in cells]
    assert "parameters" in cells[ids.index("run-box") - 1].metadata.tags


def test_times_of_all_chapters_make_a_table():
    assert "make times" in run_box.times_table(["01_small"], Times())
    text = run_box.times_table(
        ["01_small", "02_large"],
        Times().with_run("01_small", "quick", 90.0).with_run("02_large", "paper", 20.0),
    )
    assert [line.count("|") for line in text.splitlines()[:4]] == [4, 4, 4, 4]
    assert text.splitlines()[2:4] == [
        "| {doc}`/chapters/01_small` | 1.5 min | – |",
        "| {doc}`/chapters/02_large` | – | 20 s |",
    ]


def test_box_of_a_public_book_tells_how_to_get_ready_on_colab(chapter):
    address, example = Address("some-owner", "valleys", "v1.0"), Assignment.parse("n_runs=200")
    assert colab_cell(address) in run_box.box(chapter, {}, example, Times(), address=address)
    assert "git clone" not in run_box.box(chapter, {}, example, Times())
