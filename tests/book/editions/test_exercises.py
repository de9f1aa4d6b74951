"""The agreed shape of every notebook of exercises, read from its source: the student edition is
made from it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from valleys import nets, toy
from valleys.paths import book_root

NAMES = sorted(path.stem for path in (book_root() / "exercises").glob("*.ipynb"))
LONGEST_CELL = 15
FEWEST_EXERCISES = 5
FEWEST_WITH_FUNCTION = 3
KINDS = ("predict", "derive", "compute", "measure", "project")
TAGS = {"solution", "solution-demo", "check"}
OPENING = re.compile(
    r"^## (\d+)\. (.+)\n\n`{3,}\{exercise\} (.+)\n:label: (\S+)\n:nonumber:\n([\s\S]*?)\n`{3,}$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise: what its opening cell says, and the cells that follow it."""

    number: int
    label: str
    statement: str
    cells: list[NotebookNode]

    def functions(self) -> list[ast.FunctionDef]:
        return [
            node
            for cell in tagged(self.cells, "solution")
            if cell.cell_type == "code"
            for node in ast.parse(cell.source).body
        ]

    def kinds(self) -> set[str]:
        return {
            kind
            for kind in KINDS
            if re.search(rf"\b{kind}\b", self.statement.partition("*")[2].partition("*")[0])
        }

    def goals(self) -> set[str]:
        return set(re.findall(r"\bG\d\b", self.statement.partition("*")[2].partition("*")[0]))


def read(name: str) -> NotebookNode:
    return nbformat.read(book_root() / "exercises" / f"{name}.ipynb", as_version=4)


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def sign(name: str) -> str:
    """What the numbers and the labels of exercises begin with: the number of their chapter, or the
    first word of the name of one without a number.
    """
    return name.partition("_")[0]


def has_number(name: str) -> bool:
    return sign(name).isdigit()


def tagged(cells: list[NotebookNode], tag: str) -> list[NotebookNode]:
    return [cell for cell in cells if tag in tags(cell)]


def code(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if cell.cell_type == "code"]


def exercises(notebook: NotebookNode) -> Iterator[Exercise]:
    openings = [
        (place, OPENING.match(cell.source))
        for place, cell in enumerate(notebook.cells)
        if "{exercise}" in cell.source
    ]
    assert openings, "the notebook has no exercise"
    ends = [place for place, _ in openings[1:]] + [len(notebook.cells)]
    for (place, found), end in zip(openings, ends, strict=True):
        assert found, "an exercise does not open with its heading, label and :nonumber:"
        number, heading, title, label, statement = found.groups()
        assert heading == title
        yield Exercise(int(number), label, statement, notebook.cells[place + 1 : end])


def library_functions() -> set[str]:
    """Names of the public functions of both packages of physics, read from their source;
    decorated ones count.
    """
    paths = [path for package in (toy, nets) for path in Path(package.__path__[0]).rglob("*.py")]
    nodes = [node for path in paths for node in ast.parse(path.read_text(encoding="utf-8")).body]
    found = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert {"times_to_ridge", "barrier", "bottom_to_bottom"} <= found
    return found


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def notebook(name) -> NotebookNode:
    return read(name)


def test_source_is_plain(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not cell.outputs and cell.execution_count is None for cell in code(notebook.cells))
    assert max(len(cell.source.splitlines()) for cell in code(notebook.cells)) <= LONGEST_CELL
    assert {tag for cell in notebook.cells for tag in tags(cell)} <= TAGS


def test_opening_names_chapter_goals_and_time(name, notebook):
    opening = notebook.cells[0].source
    assert opening.startswith("# Exercises on ")
    link = f" <../chapters/{name.removesuffix('_exercises')}>`"
    called = f"{{doc}}`Chapter {int(sign(name))}" if has_number(name) else ""
    assert called + link in opening
    assert "{admonition} Learning goals" in opening
    assert re.search(r"\*\*Time\*\*", opening)


def test_imports_work(notebook):
    first = code(notebook.cells)[0]
    assert notebook.cells[1] is first
    assert "store" not in first.source
    exec(compile(first.source, "imports", "exec"), {})


def test_exercises_rise_from_prediction_to_project(notebook):
    found = list(exercises(notebook))
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert len(found) >= FEWEST_EXERCISES
    assert sum(bool(each.functions()) for each in found) >= FEWEST_WITH_FUNCTION
    assert "predict" in found[0].kinds()
    assert "project" in found[-1].kinds()


def test_each_exercise_names_goals_kind_and_time(notebook):
    listed = re.findall(r"^\d\. \*\*(G\d)\*\*", notebook.cells[0].source, re.MULTILINE)
    assert listed == [f"G{place + 1}" for place in range(len(listed))]
    for exercise in exercises(notebook):
        assert exercise.kinds(), exercise.label
        assert exercise.goals(), exercise.label
        assert exercise.goals() <= set(listed), exercise.label
        assert re.search(
            r"\d+ minutes|\d+ hours?", exercise.statement.partition("*")[2].partition("*")[0]
        ), exercise.label
    assert set().union(*(exercise.goals() for exercise in exercises(notebook))) == set(listed), (
        "a goal has no exercise"
    )


def test_solutions_are_folded_and_tagged_from_start_to_end(notebook):
    for exercise in exercises(notebook):
        inside = [
            place
            for place, cell in enumerate(exercise.cells)
            if tags(cell) & {"solution", "solution-demo"}
        ]
        assert inside == list(range(inside[0], inside[-1] + 1)), (
            f"{exercise.label}: a cell of the solution is not tagged, or one outside is"
        )
        first, last = exercise.cells[inside[0]].source, exercise.cells[inside[-1]].source
        assert first.startswith(f"```{{solution-start}} {exercise.label}\n:class: dropdown\n```"), (
            exercise.label
        )
        assert last.endswith("```{solution-end}\n```"), exercise.label
        assert "".join(cell.source for cell in exercise.cells).count("{solution-") == 2, (
            exercise.label
        )


def test_solution_code_is_documented_typed_functions(notebook):
    for exercise in exercises(notebook):
        for function in exercise.functions():
            assert isinstance(function, ast.FunctionDef), (
                f"{exercise.label}: a cell tagged solution holds more than functions"
            )
            assert len((ast.get_docstring(function) or "").splitlines()) >= 3, (
                f"{function.name}: one line, then shapes and units"
            )
            given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            assert function.returns is not None, function.name
            assert all(argument.annotation is not None for argument in given), function.name
            assert function.args.vararg is function.args.kwarg is None, function.name


def test_each_function_is_checked_before_the_next_exercise(notebook):
    for exercise in exercises(notebook):
        checks = tagged(exercise.cells, "check")
        names = {function.name for function in exercise.functions()}
        assert bool(checks) == bool(names), exercise.label
        tree = ast.parse("\n".join(cell.source for cell in checks))
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        inner = {
            node.id
            for function in exercise.functions()
            for node in ast.walk(function)
            if isinstance(node, ast.Name)
        }
        assert names <= called | inner, (
            f"{exercise.label}: {sorted(names - called)} not called in a check"
        )
        if names:
            assert names & called, exercise.label
            assert any(isinstance(node, ast.Assert) for node in ast.walk(tree)), exercise.label
            assert checks[-1].source.endswith(
                f'print("exercise {exercise.number}: all checks hold")'
            ), exercise.label
            assert exercise.cells.index(checks[0]) > exercise.cells.index(
                tagged(exercise.cells, "solution")[-1]
            ), exercise.label


def test_no_solution_has_a_namesake_in_the_library():
    asked = {
        function.name
        for name in NAMES
        for exercise in exercises(read(name))
        for function in exercise.functions()
    }
    assert "fall_to_flat" in asked, "no function of a solution was found"
    assert not asked & library_functions(), "a student can call these instead of writing them"


def test_no_check_calls_a_namesake_of_a_solution(notebook):
    for exercise in exercises(notebook):
        asked = {function.name for function in exercise.functions()}
        tree = ast.parse("\n".join(cell.source for cell in tagged(exercise.cells, "check")))
        called = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not asked & called, exercise.label


def test_numbers_of_the_text_are_computed_under_names_of_their_own(name, notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert all(
        number.startswith(f"x{sign(name)}_") for number in re.findall(r"\{number\}`(\w+)", prose)
    )
    reporting = [cell for cell in code(notebook.cells) if "report(" in cell.source]
    assert all("solution-demo" in tags(cell) for cell in reporting)


def test_labels_are_unique_in_the_book_and_carry_the_chapter():
    labels = {name: [exercise.label for exercise in exercises(read(name))] for name in NAMES}
    assert all(
        label.startswith(f"ex-{'c' * has_number(name)}{sign(name)}-")
        for name, found in labels.items()
        for label in found
    )
    everything = [label for found in labels.values() for label in found]
    assert len(everything) == len(set(everything))
