"""Whether what an executed chapter reported can be printed where its text asks for it."""

import re
from pathlib import Path
from typing import Any

import nbformat

from valleys.book.numbers.glued import filled, printed
from valleys.book.numbers.reporting import VALUE
from valleys.errors import BookError
from valleys.results.estimates import of_json

ASKED = re.compile(r"\{number\}`([^`]+)`")


def unprintable(executed: Path) -> list[str]:
    """What the text, the captions and the alt texts of a chapter ask for and cannot have, each in
    a line that says why.
    """
    notebook = nbformat.read(executed, as_version=4)
    numbers, failures = reported(notebook), []
    for cell in notebook.cells:
        shown = cell.metadata.get("mystnb", {})
        text = cell.source if cell.cell_type == "markdown" else ""
        asked = ASKED.findall(text + shown.get("figure", {}).get("caption", ""))
        try:
            filled(shown.get("image", {}).get("alt", ""), numbers, str(cell.id))
            for each in asked:
                printed(each, numbers, str(cell.id))
        except BookError as error:
            failures.append(str(error))
    return failures


def reported(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """What the cells of an executed notebook reported, by name."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kept = [(each.metadata["scrapbook"], each.data) for each in outputs if _is_reported(each)]
    return {how["name"]: of_json(data[how["mime_prefix"] + VALUE]) for how, data in kept}


def _is_reported(output: nbformat.NotebookNode) -> bool:
    how = output.get("metadata", {}).get("scrapbook", {})
    return how.get("mime_prefix", "") + VALUE in output.get("data", {})
