"""Both editions: complete, written whole, and the student's without a trace of a solution."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests.book.editions.exercising import json_text, notebook, write_book
from tests.book.editions.leaking import all_fingerprints, is_hidden, leaks, told_elsewhere
from valleys.book.chapters import is_executed, page_names
from valleys.book.editions import copies
from valleys.errors import BookError
from valleys.paths import book_root

NOTEBOOK = "exercises/91_ridge_exercises.ipynb"
IN_COMMON_USE = 0.05  # share of the lines of a solution that may stand in chapters and library, too

needs_clone = pytest.mark.skipif(
    not (book_root() / ".git").exists(), reason="no clone: git knows nothing of these files"
)


@pytest.fixture
def book(tmp_path):
    return write_book(tmp_path / "book")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Both editions of this book."""
    target = tmp_path_factory.mktemp("editions")
    copies.write_editions(book_root(), target)
    return target


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_student_edition_holds_what_a_student_needs_and_no_more(book, tmp_path):
    copies.lay_out_student(book, tmp_path / "student")
    wanted = {
        "_config.yml",
        "_toc.yml",
        "index.md",
        "README.md",
        "pages/teach.md",
        "chapters/91_ridge.ipynb",
        NOTEBOOK,
        "lib/valleys/__init__.py",
    }
    assert names(tmp_path / "student") == wanted
    assert not is_executed(NOTEBOOK, tmp_path / "student")
    assert is_executed(NOTEBOOK, book)
    assert is_executed("chapters/91_ridge.ipynb", tmp_path / "student")
    assert "exponent" not in (tmp_path / "student" / "pages" / "teach.md").read_text(
        encoding="utf-8"
    )


def test_instructor_edition_holds_the_solutions_and_all_answers(book, tmp_path):
    copies.lay_out_instructor(book, tmp_path / "instructor")
    assert json_text(tmp_path / "instructor" / NOTEBOOK) == json_text(book / NOTEBOOK)
    assert "exponent_of_escape" in (tmp_path / "instructor" / "ANSWERS.md").read_text(
        encoding="utf-8"
    )
    assert "tests/test_ridge.py" in names(tmp_path / "instructor")
    assert not names(tmp_path / "instructor") & {".ci/run", "lib/valleys/__pycache__/old.pyc"}


def test_no_file_of_the_student_edition_tells_a_solution(book, tmp_path):
    marks = all_fingerprints(book)
    assert len(marks) >= 6
    written = copies.write_editions(book, tmp_path / "dist")
    assert [path.name for path in written] == [
        "student",
        "student.zip",
        "instructor",
        "instructor.zip",
    ]
    for name in ("student", "student.zip"):
        assert leaks(tmp_path / "dist" / name, marks) == []
    for name in ("instructor", "instructor.zip"):
        assert {leak.partition(": ")[2] for leak in leaks(tmp_path / "dist" / name, marks)} == marks


@pytest.mark.parametrize(
    "place",
    [
        "README.md",
        "_sources/page.ipynb",
        "page.html",
        "pages/teach.md",
        "searchindex.js",
        "deep/old.pyc",
    ],
)
def test_a_leak_would_be_found(book, tmp_path, place):
    copies.lay_out_student(book, tmp_path / "student")
    told = "    exponent_of_escape = -_shifted(height) / noise\n"
    if place.endswith(".ipynb"):
        told = nbformat.writes(notebook())
    if place.endswith(".html"):
        told = '<span class="n">exponent_of_escape</span> <span class="o">=</span> -_shifted(<b>height</b>)&#32;/ noise'  # noqa: E501
    (tmp_path / "student" / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "student" / place).write_text(told)
    assert any(
        leak.startswith(place) for leak in leaks(tmp_path / "student", all_fingerprints(book))
    )


def test_where_there_is_git_only_its_files_are_handed_out(book, tmp_path):
    for command in (
        ["init", "-q"],
        [
            "add",
            "_config.yml",
            "_toc.yml",
            "index.md",
            "pages",
            "chapters",
            "exercises",
            "editions",
        ],
    ):
        subprocess.run(["git", "-C", str(book), *command], check=True)
    copies.lay_out_instructor(book, tmp_path / "instructor")
    assert "scratch.txt" not in names(tmp_path / "instructor")
    assert "lib/valleys/__init__.py" not in names(tmp_path / "instructor")
    subprocess.run(
        ["git", "-C", str(book), "rm", "-q", "--cached", "chapters/91_ridge.ipynb"], check=True
    )
    with pytest.raises(BookError, match=r"chapters/91_ridge is in _toc\.yml.*git add"):
        copies.lay_out_student(book, tmp_path / "student")


def test_where_there_is_no_git_nothing_of_ones_own_is_handed_out(book, tmp_path):
    wanted = names(book) - {".ci/run", "lib/valleys/__pycache__/old.pyc", "scratch.txt"} | {
        "ANSWERS.md",
        "course/source/91_ridge/91_ridge_exercises.ipynb",
    }
    for name in (
        ".env",
        "my-run/secret.txt",
        "notes/thesis.md",
        "chapters/.env",
        "chapters/out.ipynb",
        "chapters/my-run-2/run.yml",
        "_build/html/index.html",
    ):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text("secret")
    copies.lay_out_instructor(book, tmp_path / "instructor")
    assert names(tmp_path / "instructor") == wanted


@needs_clone
def test_without_git_all_files_of_this_project_would_be_found(monkeypatch):
    tracked = copies.files(book_root())
    monkeypatch.setenv("PATH", "")
    assert set(tracked) - set(copies.files(book_root())) == set()
    assert [name for name in copies.OF_THE_PROJECT if not (book_root() / name).exists()] == []


@needs_clone
@pytest.mark.parametrize(
    "name", ["my-run/04_toy_model.ipynb", "my-run-2/run.yml", "out.ipynb", "chapters/out.ipynb"]
)
def test_what_the_readme_makes_is_ignored(name):
    assert (
        subprocess.run(
            ["git", "-C", str(book_root()), "check-ignore", "--quiet", name], check=False
        ).returncode
        == 0
    )


def test_an_interrupted_run_leaves_the_earlier_editions(book, tmp_path, monkeypatch):
    target = tmp_path / "dist"
    copies.write_editions(book, target)
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    broken = notebook()
    broken.cells[4].source = "limit = 3"
    (book / NOTEBOOK).write_text(nbformat.writes(broken))
    with pytest.raises(BookError, match="holds only functions"):
        copies.write_editions(book, target)
    write_book(book)
    monkeypatch.setattr(
        shutil, "make_archive", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        copies.write_editions(book, target)
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "place", ["student/thesis.txt", "instructor/thesis.txt", "student.zip", "instructor"]
)
def test_what_is_no_edition_is_never_replaced(book, tmp_path, place):
    theirs = tmp_path / "dist" / place
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work")
    with pytest.raises(BookError, match=r"is no edition.*--target") as caught:
        copies.write_editions(book, tmp_path / "dist")
    assert "\n" not in str(caught.value)
    assert names(tmp_path / "dist") == {place}


def test_earlier_editions_are_replaced(book, tmp_path):
    for _ in range(2):
        copies.write_editions(book, tmp_path / "dist")
        assert (tmp_path / "dist" / "student" / copies.MARKER).read_text(
            encoding="utf-8"
        ) == "student\n"
        (tmp_path / "dist" / "student" / "old.md").touch()
    copies.write_editions(book, tmp_path / "dist")
    assert "old.md" not in names(tmp_path / "dist" / "student")


@pytest.mark.parametrize("target", ["", "editions", "chapters/new", "tests/.."])
def test_editions_are_not_written_among_the_sources(book, target):
    before = names(book)
    with pytest.raises(BookError, match="is among the sources"):
        copies.write_editions(book, book / target)
    assert names(book) == before
    copies.write_editions(book, book / "dist")


def test_a_book_is_not_replaced_by_its_own_edition(book, tmp_path):
    copies.write_editions(book, tmp_path / "dist")
    with pytest.raises(BookError, match="is no edition"):
        copies.write_editions(tmp_path / "dist" / "instructor", tmp_path / "dist")


@pytest.mark.parametrize("target", ["/proc/aa", "/dev/null/aa"])
def test_a_target_that_cannot_be_written_is_told_in_one_line(book, target):
    with pytest.raises(BookError, match=r"cannot be used.*--target") as caught:
        copies.write_editions(book, Path(target))
    assert "\n" not in str(caught.value)


def test_no_editions_are_made_of_a_student_edition(book, tmp_path):
    copies.lay_out_student(book, tmp_path / "student")
    with pytest.raises(BookError, match="is a student edition already"):
        copies.write_editions(tmp_path / "student", tmp_path / "dist")


@pytest.mark.slow
def test_our_student_edition_tells_no_solution_anywhere(ours):
    marks = all_fingerprints(book_root())
    assert leaks(ours / "student", marks) == []
    assert {
        leak.partition(": ")[2] for leak in leaks(ours / "instructor" / "exercises", marks)
    } == marks


def test_chapters_library_and_pages_tell_none_of_our_solutions():
    assert {
        name: share for name, share in told_elsewhere(book_root()).items() if share > IN_COMMON_USE
    } == {}


@pytest.mark.parametrize(
    "place", ["pages/notation.md", "lib/valleys/paths.py", "chapters/04_toy_model.ipynb"]
)
def test_solutions_in_what_students_are_given_would_be_noticed(tmp_path, place):
    for name in ("chapters", "lib", "pages", "params", "exercises"):
        shutil.copytree(book_root() / name, tmp_path / name)
    solved = "04_toy_model_exercises"
    hidden = [
        each
        for each in nbformat.read(tmp_path / "exercises" / f"{solved}.ipynb", as_version=4).cells
        if is_hidden(each)
    ]
    if place.endswith(".ipynb"):
        chapter = nbformat.read(tmp_path / place, as_version=4)
        chapter.cells += [
            nbformat.from_dict(each | {"id": f"pasted-{number}"})
            for number, each in enumerate(hidden)
        ]
        nbformat.write(chapter, tmp_path / place)
    else:
        with (tmp_path / place).open("a") as page:
            page.writelines(each.source for each in hidden[: len(hidden) // 2])
    assert {name for name, share in told_elsewhere(tmp_path).items() if share > IN_COMMON_USE} == {
        solved
    }


def test_our_zip_files_are_the_folders(ours):
    for edition in copies.EDITIONS:
        with zipfile.ZipFile(ours / f"{edition}.zip") as packed:
            inside = {
                name: packed.read(name) for name in packed.namelist() if not name.endswith("/")
            }
        assert inside == {
            f"{edition}/{name}": (ours / edition / name).read_bytes()
            for name in names(ours / edition)
        }


def test_our_student_edition_is_a_project_of_its_own(ours):
    held = names(ours / "student")
    for name in page_names(book_root()):
        assert {f"{name}.md", f"{name}.ipynb"} & held, name
    needed = {
        "README.md",
        "Makefile",
        "LICENSE",
        "CITATION.cff",
        "requirements.lock",
        "environment.yml",
        "tools/install.py",
        "params/paper.yml",
    }
    assert needed <= held
    assert not [
        name
        for name in held
        if name.startswith(("tests/", ".ci/", "editions/", "_build/", "results/cache/"))
        or name.endswith(".pyc")
    ]
    shipped = {
        f"results/paper/{path.name}" for path in (book_root() / "results" / "paper").glob("*.nc")
    }
    assert shipped <= held
