"""Parameters: read from notebooks, laid over by sizes and users, refused when wrong."""

import papermill
import pytest

from tests.book.conftest import small_chapter
from tests.commands import refused
from valleys.book.chapters import (
    Chapter,
    all_chapters,
    check_notebooks,
    find_chapter,
    read_parameters,
)
from valleys.book.run.parameters import Assignment, check_bounds, run_parameters, typed
from valleys.errors import BookError


def test_parameters_cell_is_read(small_book):
    parameters = all_chapters(small_book)["01_small"].parameters
    assert parameters["learning_rate"].kind == "float"
    assert parameters["learning_rate"].default == 0.1
    assert parameters["n_runs"].meaning == "simulated runs [runs]"


REFUSED_LINES = [
    "n = 3  # runs [runs]",
    "n: int = 3",
    "n: int | None = 3  # runs [runs]",
    "n: int = 3  # n = runs [runs]",
    "n: int = 2.5  # another kind [1]",
    "n: int = 1e3  # another kind [1]",
    "n: bool = 1  # another kind [1]",
    "n: list = (1, 2)  # another kind [1]",
    "n: int = many  # a name [1]",
    "n: int = max(1, 2)  # a call [1]",
    "n: int = [1, 2][0]  # a subscript [1]",
    "n: int = 3 if True else 4  # a choice [1]",
    "n: str = f'{1}'  # an f-string [1]",
    "n: int = 4 * 50  # a calculation [1]",
    "n: list = [2 * 10]  # a calculation [1]",
    "n: str = 'a' * 10**9  # repeated text [1]",
    "n: int = 10**10**10  # without end [1]",
    "n: int = 3**3**3**3  # without end [1]",
    "n: float = 1 / 0  # no number [1]",
    "n: float = (-8) ** 0.5  # complex [1]",
    "print(1)  # a statement [1]",
    "import os  # another [1]",
]


@pytest.mark.parametrize("line", REFUSED_LINES)
def test_lines_of_another_form_are_refused_with_notebook_line_and_form(tmp_path, line):
    path = small_chapter(
        tmp_path / "bad.ipynb", parameters=f"first: int = 1  # of all [1]\n\n{line}"
    )
    with pytest.raises(
        BookError, match=r"bad\.ipynb, parameters cell, line 3: .* 'name: kind = default"
    ) as refusal:
        read_parameters(path)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    "cell",
    [
        "n: int = 3  # runs [1]\nn: int = (",
        "x: int = 1  # one [1]\n  y: int = 2  # two [1]",
        "%matplotlib inline",
        "n: int = 3  # \0",
    ],
)
def test_a_cell_that_is_no_python_is_refused_with_its_line(tmp_path, cell):
    path = small_chapter(tmp_path / "bad.ipynb", parameters=cell)
    with pytest.raises(BookError, match=r"bad\.ipynb, parameters cell, line [12]: ") as refusal:
        read_parameters(path)
    assert len(str(refusal.value).splitlines()) == 1


def test_papermill_reads_the_same_parameters(chapters):
    for chapter in chapters.values():
        told = papermill.inspect_notebook(chapter.path)
        read = {name: (each.kind, each.meaning) for name, each in chapter.parameters.items()}
        assert {
            name: (each["inferred_type_name"], each["help"]) for name, each in told.items()
        } == read


def test_a_parameter_that_is_there_twice_is_refused(tmp_path):
    path = small_chapter(
        tmp_path / "bad.ipynb", parameters="n: int = 3  # runs [1]\nn: int = 4  # runs [1]"
    )
    with pytest.raises(BookError, match=r"bad\.ipynb, parameters cell, line 2: n is there twice"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("int", "-5", -5),
        ("int", "1_000", 1000),
        ("float", "1e3", 1000.0),
        ("float", "2", 2),
        ("list", "[20, [1e-3, -1]]", [20, [0.001, -1]]),
        ("str", "'a'", "a"),
        ("bool", "True", True),
    ],
)
def test_defaults_are_literals(tmp_path, kind, default, value):
    path = small_chapter(
        tmp_path / "good.ipynb", parameters=f"n: {kind} = {default}  # meaning [1]"
    )
    assert repr(read_parameters(path)["n"].default) == repr(value)


NO_NOTEBOOKS = {
    "empty": "",
    "text": "no notebook",
    "cut off": '{"cells": [',
    "list": "[]",
    "other": "{}",
    "no cells": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "odd cells": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
    "format 3": '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}',
    "not UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("content", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
@pytest.mark.parametrize("folder", ["chapters", "exercises"])
def test_files_that_are_no_notebooks_are_refused_by_name_in_one_line(small_book, folder, content):
    (small_book / "exercises").mkdir()
    (small_book / "_toc.yml").write_text(
        "root: index\nparts:\n  - chapters:\n      - file: "
        "chapters/01_small\n      - file: exercises/01_small\n"
    )
    small_chapter(small_book / "exercises" / "01_small.ipynb")
    check_notebooks(small_book)
    (small_book / folder / "01_small.ipynb").write_bytes(
        content.encode() if isinstance(content, str) else content
    )
    with pytest.raises(BookError, match=r"01_small\.ipynb") as refusal:
        check_notebooks(small_book)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["build"],
        ["pdf"],
        ["new-run", "--chapter", "small", "--out", "{out}"],
        ["ship"],
        ["values", "--chapter", "small"],
    ],
)
@pytest.mark.parametrize("parameters", ["n_runs: int = many  # simulated runs [runs]", None])
def test_every_command_refuses_a_notebook_that_it_cannot_read(
    small_book, monkeypatch, command, parameters
):
    path = small_book / "chapters" / "01_small.ipynb"
    small_chapter(path, parameters=parameters) if parameters else path.write_text("")
    for module in ("valleys.cli", "valleys.book.chapters", "valleys.book.run.parameters"):
        monkeypatch.setattr(f"{module}.book_root", lambda: small_book)
    monkeypatch.setattr("valleys.book.print.pdf.find_browser", lambda: "chromium")
    assert "01_small.ipynb" in refused(*[word.format(out=small_book / "out") for word in command])


def test_chapter_is_found_with_and_without_number(small_book):
    chapters = all_chapters(small_book)
    assert find_chapter("small", chapters) is find_chapter("01_small", chapters)
    with pytest.raises(BookError, match="01_small"):
        find_chapter("large", chapters)


@pytest.fixture
def unnumbered(tmp_path):
    """A chapter without a number, and bounds of its parameters."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "bounds.yml").write_text(
        "folders: {images: [digits]}\n"
        "lists: {widths: {from: 1, to: 9, values: [1, 3], repeated: true}}\n"
    )
    lines = 'images: str = "digits"  # images [name]\nwidths: list = [2, 4]  # widths [1]'
    path = small_chapter(tmp_path / "own_small.ipynb", parameters=lines)
    return Chapter("own_small", path, read_parameters(path))


def test_a_chapter_needs_no_number(unnumbered):
    assert unnumbered.short_name == "own_small"
    assert find_chapter("own_small", {"own_small": unnumbered}) is unnumbered
    with pytest.raises(BookError, match="own_small"):
        find_chapter("small", {"own_small": unnumbered})


@pytest.mark.parametrize("value", ["digits", "folder:/photos", "folder:a b"])
def test_images_are_a_known_set_or_a_folder(unnumbered, value):
    check_bounds("own", unnumbered.parameters["images"], value, unnumbered.path.parent)


@pytest.mark.parametrize("value", ["letters", "folder:", "photos", ""])
def test_other_images_are_refused(unnumbered, value):
    with pytest.raises(BookError, match="images must be one of digits, or folder:PATH"):
        check_bounds("own", unnumbered.parameters["images"], value, unnumbered.path.parent)


def test_a_list_may_hold_a_value_again_where_its_bounds_say_so(unnumbered):
    widths, root = unnumbered.parameters["widths"], unnumbered.path.parent
    check_bounds("own", widths, [3, 3], root)
    for value in ([], [3, 10], [1, 1, 1, 1]):
        with pytest.raises(BookError, match="a list of 1 to 3 values"):
            check_bounds("own", widths, value, root)


def test_a_folder_is_named_in_full_where_it_is_given(chapters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = chapters["own_network"]
    assert typed(own, "images", "folder:photos") == f"folder:{tmp_path / 'photos'}"
    assert typed(own, "images", "digits") == "digits"


def test_user_goes_over_chapter_goes_over_size(small_book):
    chapters = all_chapters(small_book)
    assert run_parameters(chapters, "smoke", root=small_book) == {
        "01_small": {"n_runs": 2, "learning_rate": 0.001}
    }
    settings = [Assignment.parse("n_runs=7"), Assignment.parse("small.learning_rate=0.1")]
    assert run_parameters(chapters, "smoke", settings, root=small_book) == {
        "01_small": {"n_runs": 7}
    }, "a default is not set again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_rums=7", "there are learning_rate, n_runs, pair, sizes"),
        ("large.n_runs=7", "the chapters are 01_small"),
        ("small.n_rums=7", "01_small has no parameter"),
        ("n_runs=2.5", "must be of kind int"),
        ("n_runs=true", "must be of kind int"),
        ("learning_rate=fast", "must be of kind float"),
        ("sizes=3", "must be of kind list"),
        ("n_runs", "must read"),
        ("n_runs=[", "not valid YAML"),
    ],
)
def test_wrong_settings_are_refused_by_name(small_book, text, message):
    with pytest.raises(BookError, match=message):
        run_parameters(all_chapters(small_book), "quick", [Assignment.parse(text)], root=small_book)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("learning_rate=1", 1.0),
        ("learning_rate=1e-3", 0.001),
        ("sizes=[1e-3, 2]", [0.001, 2.0]),
        ("pair=[20, 1e-2]", [20, 0.01]),
    ],
)
def test_numbers_are_taken_as_people_write_them(small_book, text, value):
    values = run_parameters(
        all_chapters(small_book), "quick", [Assignment.parse(text)], root=small_book
    )["01_small"]
    assert repr(list(values.values())) == repr([value])


def test_unknown_size_is_refused(small_book):
    with pytest.raises(BookError, match="smoke, quick, paper"):
        run_parameters(all_chapters(small_book), "huge", root=small_book)
