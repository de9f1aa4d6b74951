"""Small notebooks of exercises for tests, and a runner for their cells."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

SETUP = "import numpy as np\n\nheights = np.array([0.04, 0.44])"
SOLVED = '''def _shifted(x: float) -> float:
    hidden_helper_value = x + 0.25
    return hidden_helper_value


@np.vectorize
def ridge_share(height: float, *, noise: float = 1e-3, label: str = "flat") -> float:
    """Share of walkers beyond a ridge, `exp(-height/noise)`.

    Args:
        height: of the ridge [1].
        noise: effective noise [1].
    """
    # a comment that tells the trick of the exponent
    exponent_of_escape = -_shifted(height) / noise
    return float(np.exp(exponent_of_escape))


def doubled(values: list[float], /, *more: float, **named: float) -> "list[float]":
    """Each value twice."""
    return [2 * each for each in values]'''
CHECK = "assert doubled([1.0]) == [2.0]"
EXPLAINED = """```{solution-start} x91-ridge
:class: dropdown
```

Kramers tells that the exponent alone decides about everything here, see {eq}`eq-x91-trick`.

```{math}
:label: eq-x91-trick
k \\propto e^{-\\Delta/D}
```"""
PREDICTED = """```{solution} x91-predict
:class: dropdown

The mushroom-shaped curve falls because hops come to their end beforehand.
```"""
END = "```{solution-end}\n```"


def cell(kind: str, name: str, source: str, *tags: str, **more: Any) -> dict[str, Any]:
    body = {
        "cell_type": kind,
        "id": name,
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source,
        **more,
    }
    return body | (
        {"outputs": [], "execution_count": None} if kind == "code" and "outputs" not in more else {}
    )


def good_cells() -> list[dict[str, Any]]:
    told = {
        "output_type": "stream",
        "name": "stdout",
        "text": "the leaked output of a demonstration",
    }
    return [
        cell("markdown", "title", "# Exercises on ridges"),
        cell("code", "setup", SETUP),
        cell(
            "markdown",
            "ridge",
            "```{exercise} Ridge\n:label: x91-ridge\n\nWrite `ridge_share`, "
            "see {doc}`../chapters/91_ridge`.\n```",
        ),
        cell(
            "markdown",
            "ridge-solution",
            EXPLAINED,
            "solution",
            attachments={"secret.png": {"image/png": "c2VjcmV0"}},
        ),
        cell("code", "ridge-code", SOLVED, "solution"),
        cell(
            "code",
            "ridge-demo",
            "report(x91_demo_value=ridge_share(0.44))\nprint('walkers beyond')",
            "solution-demo",
            outputs=[told],
            execution_count=7,
        ),
        cell("markdown", "ridge-end", END, "solution"),
        cell("code", "ridge-check", CHECK, "check"),
        cell(
            "markdown",
            "predict",
            "```{exercise} Predict\n:label: x91-predict\n\nWill the curve fall?\n```",
        ),
        cell("markdown", "predict-solution", PREDICTED, "solution"),
    ]


def notebook(cells: list[dict[str, Any]] | None = None) -> NotebookNode:
    kernel = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "secret": {"answer": "hidden in the metadata"},
    }
    made: Any = nbformat.from_dict(  # a notebook, of a mapping
        {"cells": cells or good_cells(), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    )
    return made


def write_book(root: Path, exercises: NotebookNode | None = None) -> Path:
    """A book of one chapter with exercises, and with files that nobody should hand to students."""
    chapter = notebook(
        [
            cell("markdown", "title", "# A ridge\n\nWalkers cross a ridge."),
            cell("code", "one", "one: int = 1  # a number [1]", "parameters"),
        ]
    )
    texts = {
        "_config.yml": "title: Ridges\nexecute: {execute_notebooks: force}\nonly_build_toc_files: "
        "true\nsphinx: {extra_extensions: [sphinx_exercise]}\n",
        "_toc.yml": "format: jb-book\nroot: index\nparts:\n  - chapters:\n      - file: "
        "chapters/91_ridge\n        sections:\n"
        "          - file: exercises/91_ridge_exercises\n      - file: pages/teach\n",
        "index.md": "# Ridges\n",
        "pages/teach.md": "# Teach\n\nExpect that the exponent is named at once.\n",
        "chapters/91_ridge.ipynb": nbformat.writes(chapter),
        "exercises/91_ridge_exercises.ipynb": nbformat.writes(exercises or notebook()),
        "editions/student/README.md": "# For students\n",
        "tests/test_ridge.py": SOLVED,
        "lib/valleys/__init__.py": '"""A library."""\n',
        "lib/valleys/__pycache__/old.pyc": SOLVED,
        ".ci/run": "make test\n",
        "scratch.txt": SOLVED,
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def failing_checks(cells: list[NotebookNode]) -> Iterator[tuple[str, Exception | None]]:
    """The name of each check cell, with what it raises where all cells before it but
    demonstrations have run; one without assert is a helper of the next.
    """
    namespace: dict[str, Any] = {"__name__": "exercises"}
    for each in (each for each in cells if each.cell_type == "code"):
        marks = each.metadata.get("tags", [])
        if "check" in marks and "assert " in each.source:
            yield each.id, _raised(each.source, each.id, dict(namespace))
        elif "solution-demo" not in marks:
            exec(compile(each.source, each.id, "exec"), namespace)


def json_text(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _raised(source: str, name: str, namespace: dict[str, Any]) -> Exception | None:
    try:
        exec(compile(source, name, "exec"), namespace)
    except Exception as error:
        return error
    return None
