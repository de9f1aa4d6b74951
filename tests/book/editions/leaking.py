"""Does a folder tell anything of a solution? Told apart from the student edition's own code: by
tags and plain text search.
"""

import ast
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

SHORTEST = 20  # characters of a line that says something of its own
INSTALLED = "mathjax"  # a folder that a package of others brings, half of all bytes of a site
GLUED = re.compile(r"\bx(?:\d\d|own)_\w+")


def plain(text: str) -> str:
    """Letters, digits and underscores alone, so that markup, quoting and line breaks do not hide
    a text.
    """
    return re.sub(r"\W+", "", text)


def is_hidden(cell: NotebookNode) -> bool:
    return any(tag.startswith("solution") for tag in cell.metadata.get("tags", []))


def fingerprints(notebook: NotebookNode, given: str) -> set[str]:
    """Lines and numbers' names of the solutions that occur nowhere in `given`, a plain text."""
    told = given + given_of(notebook)
    hidden = [line for cell in notebook.cells if is_hidden(cell) for line in _secret_lines(cell)]
    long = {plain(line) for line in hidden if len(line.strip()) >= SHORTEST}
    return {
        each
        for each in long | {name for line in hidden for name in GLUED.findall(line)}
        if len(each) >= 8 and each not in told
    }


def given_of(notebook: NotebookNode) -> str:
    """What students have of a notebook of exercises, as plain text."""
    return plain(
        "\n".join(
            [*(cell.source for cell in notebook.cells if not is_hidden(cell)), *heads(notebook)]
        )
    )


def words(text: str) -> set[str]:
    """The words of a text that a search could find."""
    return {word.lower() for word in re.findall(r"[A-Za-z]{3,}", text)}


def leaks(folder: Path, wanted: set[str]) -> list[str]:
    """Where in the files of a folder, or of a zip file, a fingerprint stands."""
    entries = _zipped(folder.read_bytes()) if folder.suffix == ".zip" else _entries(folder)
    return [
        f"{name}: {mark}"
        for name, content in entries
        for mark in wanted
        if mark in _readable(name, content)
    ]


def _entries(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or INSTALLED in path.parts:
            continue
        if path.suffix == ".zip":
            yield from _zipped(path.read_bytes())
        else:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _zipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            yield name, packed.read(name)


_memory: dict[bytes, str] = {}


def _readable(name: str, content: bytes) -> str:
    if content not in _memory:
        _memory.clear()
        text = content.decode("utf-8", errors="ignore")
        _memory[content] = plain(
            name + "\n" + "\n".join(_strings(json.loads(text)))
            if name.endswith(".ipynb")
            else name + "\n" + _without_markup(name, text)
        )
    return _memory[content]


def _without_markup(name: str, text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", text)) + text if name.endswith(".html") else text


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for key, each in (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    ):
        yield str(key)
        yield from (
            ["".join(each)]
            if isinstance(each, list) and all(isinstance(line, str) for line in each)
            else _strings(each)
        )


def _functions(cell: NotebookNode) -> list[ast.FunctionDef]:
    if cell.cell_type != "code" or "solution" not in cell.metadata.get("tags", []):
        return []
    return [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]


def heads(notebook: NotebookNode) -> Iterator[str]:
    """What a student is given of functions to write: from the first decorator to the end of the
    docstring.
    """
    for cell in notebook.cells:
        for function in _functions(cell):
            if not function.name.startswith("_"):
                yield "\n".join(
                    cell.source.splitlines()[_first(function) - 1 : function.body[0].end_lineno]
                )


def _secret_lines(cell: NotebookNode) -> list[str]:
    lines = cell.source.splitlines()
    for function in _functions(cell):
        if not function.name.startswith("_"):
            first, last = _first(function) - 1, function.body[0].end_lineno or 0
            lines[first:last] = [""] * (last - first)
    return lines


def _first(function: ast.FunctionDef) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def given_material(root: Path) -> str:
    """All that students have besides exercises, as plain text."""
    folders = [
        path
        for folder in ("chapters", "lib", "pages", "params")
        for path in (root / folder).rglob("*")
    ]
    sources = [
        path
        for path in [*folders, root / "index.md"]
        if path.suffix in (".py", ".md", ".yml", ".ipynb") and path.name != "teach.md"
    ]
    return "".join(_readable(path.name, path.read_bytes()) for path in sources if path.exists())


def all_fingerprints(root: Path) -> set[str]:
    """The fingerprints of every notebook of exercises of a book."""
    return set().union(*(marks for marks, _ in fingerprints_by_notebook(root).values()))


def fingerprints_by_notebook(root: Path) -> dict[str, tuple[set[str], set[str]]]:
    """For each notebook of exercises its fingerprints, and those it would have if students were
    given no more than exercises.
    """
    notebooks = {
        path.stem: nbformat.read(path, as_version=4)
        for path in sorted((root / "exercises").glob("*.ipynb"))
    }
    exercises = "".join(given_of(notebook) for notebook in notebooks.values())
    material = given_material(root)
    return {
        name: (fingerprints(notebook, material + exercises), fingerprints(notebook, exercises))
        for name, notebook in notebooks.items()
    }


def told_elsewhere(root: Path) -> dict[str, float]:
    """The share of each notebook's solutions that chapters, library or pages tell, too: lines of
    common use, or a leak.
    """
    return {
        name: 1 - len(left) / len(marks)
        for name, (left, marks) in fingerprints_by_notebook(root).items()
    }
