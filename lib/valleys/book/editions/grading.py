"""How nbgrader treats the cells of a student's notebook: its metadata, version 3 of their schema.

| cell | who writes it | points |
|---|---|---|
| functions to write | the student | none of its own: the checks behind it have them |
| asserts | nobody else: nbgrader puts the original back before it grades | by their outcome |
| answer in words | the student | given by hand |
| anything else | nobody else | none |
"""

from typing import Any

from nbformat import NotebookNode

KEY = "nbgrader"  # in the metadata of a cell
SCHEMA_VERSION = 3
POINTS = 1  # of each cell of asserts, and of each answer in words
STUB = {"grade": False, "solution": True, "locked": False}
ANSWER = {"grade": True, "solution": True, "locked": False, "points": POINTS}
CHECK = {"grade": True, "solution": False, "locked": True, "points": POINTS}
GIVEN = {"grade": False, "solution": False, "locked": True}


def marked(cell: NotebookNode, part: dict[str, Any]) -> NotebookNode:
    """The cell, with what nbgrader has to know of it.

    Args:
        cell: of a student's notebook; nbgrader finds it again by its id.
        part: one of the four above.
    """
    cell.metadata[KEY] = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": cell.id,
        "task": False,
        **part,
    }
    return cell


def part_of_given(source: str, tags: set[str]) -> dict[str, Any]:
    """What a cell is that students get as it stands: a test where it asserts something for their
    answers, and else something to read.
    """
    return CHECK if "check" in tags and "assert " in source else GIVEN
