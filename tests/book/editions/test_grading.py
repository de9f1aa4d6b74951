"""Hand-ins are graded by the real nbgrader, from the course of the instructor edition: by the
checks that were handed out, whatever became of them in a hand-in.
"""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.book.editions.exercising import notebook, write_book
from valleys.book.editions import copies, grading, student
from valleys.paths import book_root

SETTINGS = "nbgrader_config.py"
ASSIGNMENT = "91_ridge"
REAL, EXERCISE = "own_network_exercises", "starts"  # of this book: one with a check that is quick
Change = Callable[[NotebookNode, NotebookNode], None]


def kinds(made: NotebookNode) -> dict[str, str]:
    """What nbgrader does with each cell."""
    names = {"solution": "stub", "grade": "check", "locked": "given"}
    found = {}
    for cell in made.cells:
        mark = cell.metadata.nbgrader
        by_hand = mark.grade and mark.solution
        found[mark.grade_id] = (
            "by hand" if by_hand else next(names[key] for key in names if mark[key])
        )
    return found


def test_each_cell_is_written_graded_or_locked():
    made = student.student_notebook(notebook(), "small")
    assert kinds(made) == {
        "title": "given",
        "setup": "given",
        "ridge": "given",
        "ridge-solution": "by hand",
        "ridge-code": "stub",
        "ridge-check": "check",
        "predict": "given",
        "predict-solution": "by hand",
    }
    for cell in made.cells:
        mark = cell.metadata.nbgrader
        assert mark.locked is not mark.solution
        assert ("points" in mark) is mark.grade


def test_a_helper_of_a_check_has_no_points():
    assert grading.part_of_given("def mass(): ...", {"check"}) == grading.GIVEN
    assert grading.part_of_given("assert True", set()) == grading.GIVEN


def test_a_course_has_an_assignment_for_each_notebook_as_students_get_it(tmp_path):
    book = write_book(tmp_path / "book")
    copies.write_editions(book, tmp_path / "dist")
    (assigned,) = (tmp_path / "dist" / "instructor" / copies.COURSE / "source").rglob("*.ipynb")
    assert assigned.parent.name == "91_ridge"
    handed_out = tmp_path / "dist" / "student" / "exercises" / assigned.name
    assert assigned.read_bytes() == handed_out.read_bytes()


def one_exercise() -> NotebookNode:
    """Imports and one exercise of a notebook of this book, with its solution."""
    whole = nbformat.read(book_root() / "exercises" / f"{REAL}.ipynb", as_version=4)
    whole.cells = [
        cell for place, cell in enumerate(whole.cells) if place < 2 or cell.id.startswith(EXERCISE)
    ]
    return whole


def solve(handed_in: NotebookNode, solved: NotebookNode) -> None:
    """Write every function as in the solutions."""
    sources = {cell.id: cell.source for cell in solved.cells}
    for cell in handed_in.cells:
        if kinds(handed_in)[cell.id] == "stub":
            cell.source = sources[cell.id]


def leave(handed_in: NotebookNode, solved: NotebookNode) -> None:
    """Write nothing."""


def edit_checks(handed_in: NotebookNode, solved: NotebookNode) -> None:
    """Write nothing, and let every check hold."""
    for cell in handed_in.cells:
        if kinds(handed_in)[cell.id] == "check":
            cell.source = "assert True\nprint('all checks hold')"


def unlock_checks(handed_in: NotebookNode, solved: NotebookNode) -> None:
    """The same, with what nbgrader knows of the checks changed, too."""
    edit_checks(handed_in, solved)
    for cell in handed_in.cells:
        cell.metadata.nbgrader.locked = False


def drop_checks(handed_in: NotebookNode, solved: NotebookNode) -> None:
    """Write nothing, and hand no check in."""
    kept = [cell for cell in handed_in.cells if kinds(handed_in)[cell.id] != "check"]
    handed_in.cells = kept


HAND_INS: dict[str, Change] = {
    "solved": solve,
    "unwritten": leave,
    "edited": edit_checks,
    "unlocked": unlock_checks,
    "dropped": drop_checks,
}


def nbgrader(course: Path, *words: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *words]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls alembic
    finished = subprocess.run(
        command,
        cwd=course,
        env=os.environ | {"PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def hand_in(course: Path, who: str, solved: NotebookNode) -> None:
    (released,) = (course / "release" / ASSIGNMENT).glob("*.ipynb")
    answered = nbformat.read(released, as_version=4)
    HAND_INS[who](answered, solved)
    place = course / "submitted" / who / ASSIGNMENT / released.name
    place.parent.mkdir(parents=True)
    nbformat.write(answered, place)


COURSES = [(notebook, tuple(HAND_INS)), (one_exercise, ("solved", "edited"))]


@pytest.fixture(scope="module", params=COURSES, ids=[made.__name__ for made, _ in COURSES])
def course(request, tmp_path_factory) -> Path:
    """A course, of a tiny notebook or of an exercise of this book, released and graded."""
    make, students = request.param
    pytest.importorskip("nbgrader", reason="nbgrader is not installed, see the extra dev")
    folder = tmp_path_factory.mktemp("course")
    copies.lay_out_course(write_book(folder / "book", make()), folder)
    shutil.copy(book_root() / copies.OF_A_COURSE / SETTINGS, folder)
    nbgrader(folder, "generate_assignment", ASSIGNMENT)
    for who in students:
        hand_in(folder, who, make())
    nbgrader(folder, "autograde", ASSIGNMENT)
    nbgrader(folder, "export", "--to", "grades.csv")
    return folder


@pytest.mark.slow
def test_only_what_was_written_gets_points(course):
    with (course / "grades.csv").open(encoding="utf-8") as file:
        found = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    handed_in = {path.name for path in (course / "submitted").iterdir()}
    assert found.keys() == handed_in
    assert found == {who: grading.POINTS if who == "solved" else 0 for who in found}


@pytest.mark.slow
def test_students_get_signatures_and_docstrings_and_cannot_edit_checks(course):
    (source,), (released,) = (
        (course / folder / ASSIGNMENT).glob("*.ipynb") for folder in ("source", "release")
    )
    made = nbformat.read(source, as_version=4).cells
    for given, got in zip(made, nbformat.read(released, as_version=4).cells, strict=True):
        assert got.source == given.source
        assert got.metadata.get("editable", True) is not given.metadata.nbgrader.locked
