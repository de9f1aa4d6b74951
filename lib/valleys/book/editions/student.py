"""Exercises for students: the same notebook without its solutions, made from the tags of its cells.

| cell | tag | in the student's copy |
|---|---|---|
| anything | none, or `check` | as it is |
| markdown | `solution` | gone; the one that opens a solution leaves a place for the answer |
| code | `solution` | each function with its signature and docstring alone; helpers whose name begins with `_` are gone |
| anything | `solution-demo` | gone |

Each cell that is left has the metadata of `valleys.book.editions.grading`.
"""  # noqa: E501

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import nbformat
from nbformat import NotebookNode

from valleys.book.editions import grading
from valleys.errors import BookError

SOLUTION, DEMO = "solution", "solution-demo"
ANSWER = "*Your answer:*"
WIDTH = 110  # characters of a signature, beyond which its arguments get a line of their own
KEPT_METADATA = ("tags", "mystnb")
OPENING = re.compile(r"^\s*[`:]{3,}\{solution-start\}", re.MULTILINE)
COMPLETE = re.compile(r"^\s*[`:]{3,}\{solution\}", re.MULTILINE)
CLOSING = re.compile(r"^\s*[`:]{3,}\{solution-end\}", re.MULTILINE)
GATE = re.compile(r"^([`:]{3,})\{solution-(?:start|end)\}.*\n(?::.*\n)*\1[ \t]*$", re.MULTILINE)
SOLUTION_TEXT = re.compile(
    r"^([`:]{3,})\{solution\}.*\n(?::.*\n)*((?:.*\n)*?)\1[ \t]*$", re.MULTILINE
)
OWN = re.compile(r"\{number\}`(x(?:\d+|own)_[^`]+)`")  # a number of exercises, by its beginning
LABELS = re.compile(r"^\s*:(?:label|name):\s*(\S+)\s*$|^\((\S+)\)=\s*$", re.MULTILINE)


def student_notebook(notebook: NotebookNode, name: str) -> NotebookNode:
    """What a student gets of a notebook of exercises: no solution, no output, no metadata beyond
    the kernel and what nbgrader grades by.

    Args:
        notebook: with solutions; left as it is.
        name: of its file, for messages.

    Raises:
        BookError: a cell breaks the contract, see the table above; the message names it and the way
            out.
    """
    openings = {block[0].id for block in solution_blocks(notebook, name)}
    cells = [
        copy
        for cell in notebook.cells
        for copy in _student_cells(cell, name, is_opening=cell.id in openings)
    ]
    _refuse_dangling(notebook, cells, name)
    metadata = {
        key: notebook.metadata[key]
        for key in ("kernelspec", "language_info")
        if key in notebook.metadata
    }
    return _node(
        {
            "cells": cells,
            "metadata": metadata,
            "nbformat": notebook.nbformat,
            "nbformat_minor": notebook.nbformat_minor,
        }
    )


def solution_blocks(notebook: NotebookNode, name: str) -> list[list[NotebookNode]]:
    """The cells of each solution, from the one that opens it to the one that closes it.

    Raises:
        BookError: a solution is not closed, holds a cell that is given away, or stands outside such
            a block.
    """
    blocks: list[list[NotebookNode]] = []
    is_open = False
    for cell in notebook.cells:
        _refuse_untagged(cell, name)
        opens, closes, is_complete = (_has(cell, each) for each in (OPENING, CLOSING, COMPLETE))
        if (is_open and (opens or is_complete)) or (closes and not (is_open or opens)):
            raise fault(name, cell, "every {solution-start} needs one {solution-end} behind it")
        if opens or is_complete:
            blocks.append([])
        else:
            _refuse_misplaced(cell, name, is_inside=is_open)
        if opens or is_complete or is_open:
            blocks[-1].append(cell)
        is_open = (is_open or opens) and not closes
    if is_open:
        never_closed = "its solution is never closed; add a cell with {solution-end}"
        raise fault(name, blocks[-1][0], never_closed)
    return blocks


def _has(cell: NotebookNode, directive: re.Pattern[str]) -> bool:
    """Whether a cell of text has a directive."""
    return cell.cell_type == "markdown" and directive.search(cell.source) is not None


def _refuse_misplaced(cell: NotebookNode, name: str, *, is_inside: bool) -> None:
    """A cell inside a solution must have a tag, one outside must not be tagged as of one."""
    if is_inside and not (tags(cell) & {SOLUTION, DEMO, "check"}):
        raise fault(
            name,
            cell,
            "it stands inside a solution but has no tag; close the "
            f"solution before it, or tag it '{SOLUTION}' or '{DEMO}'",
        )
    if not is_inside and tags(cell) & {SOLUTION, DEMO}:
        raise fault(
            name,
            cell,
            "it is tagged as a solution; put it between the cells of "
            "{solution-start} and {solution-end}",
        )


def stubs(cell: NotebookNode, name: str) -> list[str]:
    """Each public function of a solution with its decorators, signature and docstring, and a body
    that asks for one.

    Raises:
        BookError: there is anything else than functions, or one without types or docstring.
    """
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError as error:
        raise fault(name, cell, f"a solution must be plain Python: {error.msg}") from None
    for statement in statements:
        if not isinstance(statement, ast.FunctionDef):
            first = ast.unparse(statement).splitlines()[0]
            raise fault(
                name,
                cell,
                f"a solution holds only functions, not '{first}'; give it to "
                f"the student in a cell without tag, or tag the cell '{DEMO}'",
            )
    return [
        _stub(function, name, cell) for function in statements if not function.name.startswith("_")
    ]


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def fault(name: str, cell: NotebookNode, what: str) -> BookError:
    """A complaint about a cell, which it names by its id and its first line."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return BookError(f"{name}, cell '{cell.get('id', '?')}' ({first[:60]}): {what}")


def answers(notebook: NotebookNode, name: str) -> str:
    """The solutions of a notebook alone, as Markdown: title, then explanation and code of each,
    by the label of its exercise.
    """
    parts = [notebook.cells[0].source.splitlines()[0].replace("# ", "## ", 1)]
    for block in solution_blocks(notebook, name):
        label = re.search(r"\{solution(?:-start)?\}\s*(\S+)", block[0].source)
        parts += [
            f"### {label.group(1) if label else ''}",
            *(_answer(cell) for cell in block if SOLUTION in tags(cell)),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _student_cells(cell: NotebookNode, name: str, *, is_opening: bool) -> Iterator[NotebookNode]:
    if is_opening:
        place = {"cell_type": "markdown", "id": cell.id, "metadata": {}, "source": ANSWER}
        yield grading.marked(_node(place), grading.ANSWER)
    elif not tags(cell) & {SOLUTION, DEMO}:
        given = _bare(cell, cell.source, tags(cell))
        yield grading.marked(given, grading.part_of_given(cell.source, tags(cell)))
    elif cell.cell_type == "code" and SOLUTION in tags(cell) and (asked := stubs(cell, name)):
        stub = _bare(cell, "\n\n\n".join(asked), tags(cell) - {SOLUTION})
        yield grading.marked(stub, grading.STUB)


def _node(content: Mapping[str, Any]) -> NotebookNode:
    """A notebook, or a cell, of these entries."""
    return cast(NotebookNode, nbformat.from_dict(content))  # of a mapping it makes a node


def _bare(cell: NotebookNode, source: str, kept_tags: set[str]) -> NotebookNode:
    """A copy of a cell with that source: no outputs, no attachments that its text does not show,
    no metadata that is not needed.
    """
    metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_METADATA} | {
        "tags": sorted(kept_tags)
    }
    bare = {
        "cell_type": cell.cell_type,
        "id": cell.id,
        "metadata": {key: value for key, value in metadata.items() if value},
        "source": source,
    }
    if cell.cell_type == "code":
        return _node(bare | {"outputs": [], "execution_count": None})
    shown = {
        file: content
        for file, content in cell.get("attachments", {}).items()
        if f"attachment:{file}" in source
    }
    return _node(bare | ({"attachments": shown} if shown else {}))


def _stub(function: ast.FunctionDef, name: str, cell: NotebookNode) -> str:
    """A function without its body, its arguments on a line of their own where they are long."""
    _refuse_undescribed(function, name, cell)
    bare = ast.FunctionDef(
        function.name,
        function.args,
        function.body[:1],
        function.decorator_list,
        function.returns,
        lineno=1,
        col_offset=0,
    )
    asked, arguments = ast.unparse(bare), ast.unparse(function.args)
    returned = f" -> {ast.unparse(function.returns)}:" if function.returns else ":"
    given, broken = f"({arguments}){returned}", f"(\n    {arguments}\n){returned}"
    if len(function.name) + len(given) >= WIDTH:
        asked = asked.replace(given, broken, 1)
    return f'{asked}\n    raise NotImplementedError("write {function.name}")'


def _refuse_undescribed(function: ast.FunctionDef, name: str, cell: NotebookNode) -> None:
    """A student must learn from a function what it does, takes and returns."""
    if ast.get_docstring(function) is None:
        raise fault(
            name,
            cell,
            f"function {function.name} has no docstring, which is all that a "
            "student learns of it; write one",
        )
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [each for each in (arguments.vararg, arguments.kwarg) if each]
    if function.returns is None or any(argument.annotation is None for argument in named):
        raise fault(
            name,
            cell,
            f"function {function.name} lacks types; give one to each argument "
            "and to what it returns",
        )


def _refuse_untagged(cell: NotebookNode, name: str) -> None:
    """A misspelt tag, or a solution without one, must not hand the solution out."""
    strange = [
        tag for tag in tags(cell) if tag.lower().startswith("sol") and tag not in (SOLUTION, DEMO)
    ]
    if strange:
        raise fault(
            name,
            cell,
            f"tag '{strange[0]}' is unknown; solutions are tagged '{SOLUTION}' or '{DEMO}'",
        )
    has_directive = any(_has(cell, each) for each in (OPENING, COMPLETE, CLOSING))
    if has_directive and SOLUTION not in tags(cell):
        raise fault(
            name,
            cell,
            f"it opens or closes a solution without being tagged '{SOLUTION}'; add the tag",
        )


def _refuse_dangling(notebook: NotebookNode, kept: list[NotebookNode], name: str) -> None:
    """What a student reads must not refer to a solution, nor show a number that nothing computes
    for the student.
    """
    removed = [cell for cell in notebook.cells if tags(cell) & {SOLUTION, DEMO}]
    labels = {label for cell in removed for label in _labels(cell)}
    for cell in (cell for cell in kept if cell.cell_type == "markdown"):
        gone = [
            label for label in labels if re.search(rf"[`<(#]{re.escape(label)}[`>)]", cell.source)
        ]
        if gone:
            raise fault(
                name,
                cell,
                f"it refers to '{gone[0]}', which stands in a solution and is "
                "not there for the student; drop the reference or move it",
            )
        if own := OWN.search(cell.source):
            raise fault(
                name,
                cell,
                f"it shows the number '{own.group(1)}', but the student's "
                "exercises are not executed; put it into the solution",
            )


def _labels(cell: NotebookNode) -> set[str]:
    found = (
        {one or other for one, other in LABELS.findall(cell.source)}
        if cell.cell_type == "markdown"
        else set()
    )
    figure = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
    return found | ({figure} if figure else set())


def _answer(cell: NotebookNode) -> str:
    if cell.cell_type == "code":
        return f"```python\n{cell.source}\n```"
    return SOLUTION_TEXT.sub(r"\2", GATE.sub("", cell.source)).strip()
