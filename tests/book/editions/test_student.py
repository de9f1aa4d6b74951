"""What students get of the exercises: signatures and docstrings as in the solutions, checks that
fail until they are solved, and nothing more.
"""

import ast
import inspect
from typing import cast

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbformat import NotebookNode

from tests.book.editions.exercising import (
    END,
    EXPLAINED,
    PREDICTED,
    SOLVED,
    cell,
    failing_checks,
    good_cells,
    notebook,
)
from tests.book.editions.leaking import fingerprints, plain
from valleys import nets
from valleys.book.editions import student
from valleys.errors import BookError
from valleys.nets.experiments import own_network
from valleys.paths import book_root

EXERCISES = sorted((book_root() / "exercises").glob("*_exercises.ipynb"))


def cells_by_name(made):
    return {each.id: each for each in made.cells}


def functions(source):
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


QUICK = "05_effective_potential_exercises"  # of the notebooks, one is tried in the fast tests


def in_short(problems, **settings):
    """The training of `ask`, cut short: on stubs no check comes as far as to look at its runs."""
    return own_network.ask(problems, **settings | {"training_time": 1.0, "n_records": 2})


@pytest.fixture(
    params=[
        pytest.param(path, id=path.stem, marks=[] if path.stem == QUICK else pytest.mark.slow)
        for path in EXERCISES
    ]
)
def real(request, monkeypatch, tmp_path):
    monkeypatch.chdir(request.param.parent)
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path))
    monkeypatch.setattr(nets, "ask", in_short)
    yield nbformat.read(request.param, as_version=4)
    plt.close("all")


def test_stubs_keep_signature_and_docstring_and_drop_the_rest():
    made = cells_by_name(student.student_notebook(notebook(), "small"))["ridge-code"]
    assert "solution" not in made.metadata.get("tags", [])
    solved, asked = {}, {}
    exec("import numpy as np\n" + SOLVED.replace("@np.vectorize\n", ""), solved)
    exec("import numpy as np\n" + made.source.replace("@np.vectorize\n", ""), asked)
    for name in ("ridge_share", "doubled"):
        assert inspect.signature(asked[name]) == inspect.signature(solved[name])
        assert asked[name].__doc__ == solved[name].__doc__
        assert asked[name].__annotations__ == solved[name].__annotations__
    assert "_shifted" not in asked
    assert made.source.startswith("@np.vectorize\n")
    with pytest.raises(NotImplementedError, match="write ridge_share"):
        asked["ridge_share"](0.4)


def test_solutions_are_gone_and_the_rest_is_as_it_was():
    source = notebook()
    made = student.student_notebook(source, "small")
    nbformat.validate(made)
    assert [each.id for each in made.cells] == [
        "title",
        "setup",
        "ridge",
        "ridge-solution",
        "ridge-code",
        "ridge-check",
        "predict",
        "predict-solution",
    ]
    assert source == notebook()
    given = cells_by_name(source)
    for each in made.cells:
        if each.id in ("title", "setup", "ridge", "ridge-check", "predict"):
            assert each.source == given[each.id].source
    assert made.metadata == {"kernelspec": source.metadata.kernelspec}


def test_each_exercise_has_a_place_for_the_answer():
    answers = [
        each.id
        for each in student.student_notebook(notebook(), "small").cells
        if each.source == student.ANSWER
    ]
    assert answers == ["ridge-solution", "predict-solution"]


def test_a_long_signature_is_broken():
    arguments = ", ".join(f"argument_{i}: float" for i in range(8))
    source = f'def f({arguments}) -> float:\n    """Long."""\n    return 1.0'
    made = student.stubs(
        cast(NotebookNode, nbformat.from_dict(cell("code", "long", source, "solution"))), "small"
    )
    assert made == [
        f'def f(\n    {arguments}\n) -> float:\n    """Long."""\n    raise '
        'NotImplementedError("write f")'
    ]


def test_small_notebook_leaks_nothing_and_the_search_would_see_it():
    marks = fingerprints(notebook(), "")
    for hidden in (
        "hidden_helper_value=x+0.25",
        "exponent_of_escape=-_shifted(height)/noise",
        "# a comment that tells the trick of the exponent",
    ):
        assert plain(hidden) in marks
    assert "x91_demo_value" in marks
    assert not any(plain("effective noise") in mark for mark in marks)
    text = plain(nbformat.writes(student.student_notebook(notebook(), "small")))
    assert [mark for mark in marks if mark in text] == []
    assert [mark for mark in marks if mark not in plain(nbformat.writes(notebook()))] == []
    for word in ("leakedoutput", "hiddeninthemetadata", "c2VjcmV0", "mushroom"):
        assert word not in text


def test_checks_of_the_small_notebook_fail_on_stubs_and_pass_on_solutions():
    assert [
        type(error)
        for _, error in failing_checks(student.student_notebook(notebook(), "small").cells)
    ] == [NotImplementedError]
    assert list(failing_checks(notebook().cells)) == [("ridge-check", None)]


def test_a_check_that_passes_on_the_stub_would_be_seen():
    cells = good_cells()
    cells[7]["source"] = "assert doubled"
    assert list(failing_checks(student.student_notebook(notebook(cells), "small").cells)) == [
        ("ridge-check", None)
    ]


def test_answers_tell_each_solution_by_the_name_of_its_exercise():
    told = student.answers(notebook(), "small")
    assert told.startswith("## Exercises on ridges\n")
    assert "### x91-ridge" in told
    assert "Kramers tells" in told
    assert "exponent_of_escape" in told
    assert "mushroom-shaped" in told.split("### x91-predict")[1]
    assert ":label: eq-x91-trick" in told
    assert "{solution" not in told
    assert ":class:" not in told


def changed(name, **fields):
    cells = good_cells()
    place = next(index for index, each in enumerate(cells) if each["id"] == name)
    tags = fields.pop("tags", None)
    cells[place] |= fields
    if tags is not None:
        cells[place]["metadata"] = {"tags": tags}
    return cells


BODY = '\n    """X."""\n    return 1'


@pytest.mark.parametrize(
    ("cells", "where", "what"),
    [
        (
            changed("ridge-code", source="limit = 3\n\n" + SOLVED),
            "ridge-code",
            "holds only functions, not 'limit = 3'.*solution-demo",
        ),
        (changed("ridge-code", source="import scipy"), "ridge-code", "holds only functions"),
        (changed("ridge-code", source="%timeit 1"), "ridge-code", "plain Python"),
        (
            changed("ridge-code", source="def f(x: int) -> int:\n    return x"),
            "ridge-code",
            "f has no docstring",
        ),
        *(
            (changed("ridge-code", source=f"{head}{BODY}"), "ridge-code", "f lacks types")
            for head in ("def f(x) -> int:", "def f(x: int):", "def f(*x, y: int) -> int:")
        ),
        (changed("ridge-code", tags=[]), "ridge-code", "inside a solution but has no tag"),
        (changed("ridge-code", tags=["solutions"]), "ridge-code", "tag 'solutions' is unknown"),
        (changed("ridge-code", tags=["Solution"]), "ridge-code", "tag 'Solution' is unknown"),
        (changed("ridge-solution", tags=[]), "ridge-solution", "without being tagged"),
        (changed("ridge-end", tags=[]), "ridge-end", "without being tagged"),
        (changed("ridge-end", source="nothing closes"), "predict", "close the solution before it"),
        (changed("predict-solution", source=EXPLAINED), "predict-solution", "never closed"),
        (changed("predict-solution", source=END), "predict-solution", "needs one {solution-end}"),
        (changed("predict-solution", source="loose prose"), "predict-solution", "put it between"),
        (
            changed("predict", source="See {eq}`eq-x91-trick`."),
            "predict",
            "refers to 'eq-x91-trick'",
        ),
        (
            changed("predict", source="It is {number}`x91_demo_value:.2f`."),
            "predict",
            "shows the number 'x91_demo_value:.2f'",
        ),
    ],
)
def test_a_malformed_notebook_is_refused_with_file_cell_and_way_out(cells, where, what):
    with pytest.raises(BookError, match=what) as caught:
        student.student_notebook(notebook(cells), "exercises/91_ridge_exercises.ipynb")
    assert str(caught.value).startswith(f"exercises/91_ridge_exercises.ipynb, cell '{where}'")
    assert "\n" not in str(caught.value)


def test_numbers_of_other_pages_may_be_shown():
    cells = changed("predict", source="{number}`c91_share:.2f`")
    assert student.student_notebook(notebook(cells), "small").cells


def test_a_solution_of_prose_and_demonstration_gets_one_place_for_the_answer():
    cells = [
        cell("markdown", "start", EXPLAINED, "solution"),
        cell("code", "demo", "1 + 1", "solution-demo"),
        cell("markdown", "end", END, "solution"),
    ]
    assert [each.source for each in student.student_notebook(notebook(cells), "small").cells] == [
        student.ANSWER
    ]
    assert PREDICTED not in str(cells)


def test_real_stubs_equal_their_solutions(real):
    made = cells_by_name(student.student_notebook(real, "real"))
    for source in (
        each
        for each in real.cells
        if each.cell_type == "code" and "solution" in each.metadata.get("tags", [])
    ):
        solved = {
            name: node
            for name, node in functions(source.source).items()
            if not name.startswith("_")
        }
        asked = functions(made[source.id].source) if source.id in made else {}
        assert set(asked) == set(solved)
        for name, node in solved.items():
            assert ast.dump(asked[name].args) == ast.dump(node.args)
            returned = asked[name].returns
            assert returned is not None
            assert node.returns is not None
            assert ast.dump(returned) == ast.dump(node.returns)
            assert list(map(ast.dump, asked[name].decorator_list)) == list(
                map(ast.dump, node.decorator_list)
            )
            assert ast.get_docstring(asked[name], clean=False) == ast.get_docstring(
                node, clean=False
            )
            assert [type(each) for each in asked[name].body] == [ast.Expr, ast.Raise]


# that they pass on the solutions is seen where the notebooks are executed, in tests/site
def test_real_checks_fail_on_every_stub(real):
    outcomes = dict(failing_checks(student.student_notebook(real, "real").cells))
    assert {
        name: error
        for name, error in outcomes.items()
        if not isinstance(error, NotImplementedError)
    } == {}
