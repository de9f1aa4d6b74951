"""A value means the same wherever it is given: `--set`, a file of `params/`, and every option of
papermill's command line.
"""

import base64
import json
import logging
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml
from click.testing import CliRunner
from papermill.cli import papermill

from tests.book.conftest import small_chapter
from tests.commands import refused
from valleys.book.chapters import all_chapters
from valleys.book.run import values
from valleys.book.run.parameters import Assignment, run_parameters
from valleys.cli import main
from valleys.errors import BookError
from valleys.paths import book_root

NUMBERS = {
    "010": 10,
    "-010": -10,
    "008": 8,
    "+7": 7,
    "1_000": 1000,
    "1e-1": 0.1,
    "1e3": 1000.0,
    "1.e-3": 0.001,
    ".5": 0.5,
    "5.": 5.0,
    "-.5E+1": -5.0,
    "1_000.5": 1000.5,
    ".inf": float("inf"),
}
TEXTS = [
    "0o10",
    "0x10",
    "0b1",
    "1:30",
    "190:20:30",
    "1__0",
    "_1",
    "1_",
    "yes",
    "No",
    "on",
    "off",
    "2020-01-01",
    "=",
]
PARAMETERS = """n_runs: int = 20  # simulated runs [runs]
learning_rate: float = 0.1  # size of a step [1]
sizes: list = [1.0, 2.0]  # sizes [m]
counts: list = [10, 20]  # counts [1]
fast: bool = False  # whether it hurries [yes or no]
word: str = "a"  # of greeting [name]"""


@pytest.fixture
def book(small_book, monkeypatch):
    """A book that papermill takes for one of ours, as the working directory."""
    small_chapter(small_book / "chapters" / "01_small.ipynb", parameters=PARAMETERS)
    (small_book / "_config.yml").touch()
    (small_book / "lib" / "valleys").mkdir(parents=True)
    (small_book / "params" / "own.yml").write_text(
        "global: {n_runs: 010, word: b}\nchapters: "
        "{01_small: {learning_rate: 1e-3, sizes: [1e-3, "
        "010]}}\n"
    )
    monkeypatch.chdir(small_book)
    return small_book


def prepared(*options: str, notebook: str = "chapters/01_small.ipynb"):
    """Values that papermill puts into a notebook, and the result of the command."""
    logging.getLogger().handlers.clear()  # of an earlier call, whose stream is closed
    result = CliRunner().invoke(papermill, [notebook, "out.ipynb", "--prepare-only", *options])
    if result.exit_code:
        return None, result
    cells = [
        cell.source
        for cell in nbformat.read("out.ipynb", 4).cells
        if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    namespace = {}
    exec("\n".join(cells), namespace)
    return {name: value for name, value in namespace.items() if name != "__builtins__"}, result


def refusal(*options: str, notebook: str = "chapters/01_small.ipynb") -> str:
    given, result = prepared(*options, notebook=notebook)
    assert given is None, given
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    (line,) = [
        line
        for line in result.output.splitlines()
        if not line.startswith(("Input Notebook", "Output Notebook"))
    ]
    return line


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers_are_decimal_alone_and_in_lists(text, value):
    assert repr(Assignment.parse(f"x={text}").value) == repr(value)
    assert repr(Assignment.parse(f"x=[{text}, {{a: {text}}}]").value) == repr([value, {"a": value}])


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_plain_number_is_text(text):
    assert Assignment.parse(f"x={text}").value == text
    assert Assignment.parse(f"x=[{text}]").value == [text]


@pytest.mark.parametrize(
    "text",
    [
        "!!int 1:30",
        "!!float 1:30",
        "!!bool yes",
        "!!timestamp x",
        "!!python/name:os.system",
        "[1",
        "a: b: c",
        "[" * 1000,
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text):
    with pytest.raises(BookError) as refusal:
        values.read(text, "the value")
    assert "the value is not valid YAML" in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_even_a_tag_makes_no_octal():
    assert values.read("!!int 010", "") == 10


def test_written_values_are_read_alike_by_yaml_of_either_kind():
    given = {
        "a": [1e-5, 1e300, 10, -3, True, False, None, 1.0],
        "b": [*NUMBERS, *TEXTS, "true", "null", "two words", "", "é"],
    }
    text = values.written(given)
    assert len(text.splitlines()) == 1
    assert values.read(text, "") == yaml.safe_load(text) == given


@pytest.mark.parametrize("text", ["1:30", "0o10", "yes", "1e3", "2020-01-01"])
def test_text_for_a_number_is_refused_by_name(book, text):
    for given in (f"n_runs={text}", f"counts=[{text}, yes]"):
        with pytest.raises(BookError, match=f"01_small: {given.partition('=')[0]} must be of kind"):
            run_parameters(all_chapters(book), "quick", [Assignment.parse(given)], root=book)


def test_every_door_reads_alike(book):
    expected = {"n_runs": 10, "learning_rate": 0.001, "sizes": [0.001, 10.0], "word": "b"}
    inline = "{n_runs: 010, learning_rate: 1e-3, sizes: [1e-3, 010], word: b}"
    (book / "flat.yml").write_text(inline)
    doors = [
        ["-f", "params/own.yml"],
        ["-f", "flat.yml"],
        ["-y", inline],
        ["-b", base64.b64encode(inline.encode()).decode()],
        [
            *[
                "-p",
                "n_runs",
                "010",
                "-p",
                "learning_rate",
                "1e-3",
                "-p",
                "word",
                "b",
                "-p",
                "sizes",
            ],
            "[1e-3, 010]",
        ],
        [
            *[
                "-r",
                "n_runs",
                "010",
                "-r",
                "learning_rate",
                "1e-3",
                "-r",
                "word",
                "b",
                "-r",
                "sizes",
            ],
            "[1e-3, 010]",
        ],
    ]
    for options in doors:
        given, _ = prepared(*options)
        assert given is not None, options
        assert given == expected, options
        assert repr(given) == repr({name: expected[name] for name in given}), options
    shutil.copy("params/own.yml", "params/quick.yml")
    assert run_parameters(all_chapters(book), "quick", root=book)["01_small"] == expected


def test_booleans_are_true_and_false(book):
    assert (
        prepared("-p", "fast", "true")[0]
        == prepared("-y", "fast: true")[0]
        == prepared("-p", "fast", "True")[0]
        == {"fast": True}
    )
    assert "fast" in refusal("-y", "fast: yes")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-p", "n_rums", "3"], ["n_rums", "counts, fast, learning_rate, n_runs, sizes, word"]),
        (["-y", "n_runs: 1:30"], ["n_runs", "int", "1:30"]),
        (["-p", "n_runs", "1:30"], ["n_runs", "int", "1:30"]),
        (["-r", "learning_rate", "fast"], ["learning_rate", "float", "fast"]),
        (["-p", "counts", "[10, many]"], ["counts", "[10, 20]", "many"]),
        (["-p", "counts", "[10"], ["counts", "not valid YAML"]),
        (["-y", "[1"], ["not valid YAML"]),
        (["-y", "3"], ["name: value"]),
        (["-f", "params/none.yml"], ["params/none.yml"]),
        (["-y", "{global: 3}"], ["global", "chapters"]),
        (["-y", "chapters: {large: {n_runs: 3}}"], ["large", "01_small"]),
        (["-y", "global: {n_rums: 3}"], ["n_rums", "n_runs"]),
    ],
)
def test_papermill_refuses_before_it_starts_in_one_line(book, options, told):
    line = refusal(*options)
    assert all(word in line for word in told), line
    assert not (book / "out.ipynb").exists()


@pytest.mark.parametrize(
    "kernel", [{"name": "venv", "display_name": "venv", "language": "python"}, None]
)
def test_kernel_of_a_chapter_is_that_of_the_book(book, kernel):
    path = book / "chapters" / "01_small.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel} if kernel else {})
    nbformat.write(notebook, path)
    assert prepared("-p", "n_runs", "3")[0] == {"n_runs": 3}
    assert nbformat.read("out.ipynb", 4).metadata.kernelspec.name == "python3"


def test_exercises_have_no_parameters(book):
    (book / "exercises").mkdir()
    shutil.copy("chapters/01_small.ipynb", "exercises/01_small_exercises.ipynb")
    assert "none" in refusal("-p", "n_runs", "3", notebook="exercises/01_small_exercises.ipynb")
    assert prepared("-f", "params/own.yml", notebook="exercises/01_small_exercises.ipynb")[0] == {}


def test_other_notebooks_are_read_as_papermill_reads_them(book):
    notebook = nbformat.read("chapters/01_small.ipynb", 4)
    notebook.metadata.kernelspec.name = "venv"
    nbformat.write(notebook, "other.ipynb")
    expected = {"n_runs": 8, "learning_rate": "1e-3", "other": 90, "fast": True, "word": "1e-3"}
    assert (
        prepared(
            "-y",
            "{n_runs: 010, learning_rate: 1e-3, other: 1:30, fast: yes}",
            "-r",
            "word",
            "1e-3",
            notebook="other.ipynb",
        )[0]
        == expected
    )
    assert nbformat.read("out.ipynb", 4).metadata.kernelspec.name == "venv"
    (book / "lib" / "valleys").rmdir()  # then the folder is no book of ours
    assert prepared("-y", "n_runs: 010")[0] == {"n_runs": 8}


def test_papermill_and_set_take_the_same_file_of_a_size(tmp_path, monkeypatch, chapters):
    monkeypatch.chdir(tmp_path)
    notebook = str(book_root() / "chapters" / "04_toy_model.ipynb")
    expected = run_parameters(chapters, "smoke")["04_toy_model"]
    assert (
        prepared("-f", str(book_root() / "params" / "smoke.yml"), notebook=notebook)[0] == expected
    )


@pytest.mark.parametrize("name", ["04_toy_model", "11_more_valleys"])
def test_values_are_printed_as_a_flat_file_for_any_papermill(name, chapters):
    printed = (
        CliRunner()
        .invoke(main, ["values", "--chapter", name, "--size", "paper"], catch_exceptions=False)
        .output
    )
    defaults = {each.name: each.default for each in chapters[name].parameters.values()}
    assert (
        yaml.safe_load(printed)
        == values.read(printed, "")
        == defaults | run_parameters(chapters, "paper")[name]
    )
    assert "04_toy_model" in refused("values", "--chapter", "none")


@pytest.mark.parametrize(
    "content",
    [
        "[1, 2]",
        "globl: {}",
        "global: 3",
        "chapters: [01_small]",
        "chapters: {01_small: 3}",
        "global: [",
        b"\xff",
    ],
)
def test_file_of_a_size_that_is_laid_out_otherwise_is_refused(book, content):
    (book / "params" / "quick.yml").write_bytes(
        content.encode() if isinstance(content, str) else content
    )
    with pytest.raises(BookError, match=r"quick\.yml") as refusal:
        run_parameters(all_chapters(book), "quick", root=book)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.slow
def test_papermill_runs_a_notebook_that_an_editor_saved(book):
    path = book / "chapters" / "01_small.ipynb"
    content = json.loads(path.read_text())
    content["metadata"] = {
        "kernelspec": {"name": "venv", "display_name": "venv", "language": "python"}
    }
    path.write_text(json.dumps(content))
    command = [
        sys.executable,
        "-m",
        "papermill",
        "chapters/01_small.ipynb",
        "out.ipynb",
        "-y",
        "n_runs: 010",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert [
        output.text
        for cell in nbformat.read("out.ipynb", 4).cells
        for output in cell.get("outputs", [])
    ] == ["10\n"]
