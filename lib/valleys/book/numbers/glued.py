"""Numbers that chapters handed to the text, read back while the site is built, for pages that bring together what all chapters found."""

import ast
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from valleys.errors import BookError

PRINTED = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # numbers that are glued as text


def glued(app: Sphinx) -> dict[str, dict[str, Any]]:
    """What each notebook glued, by page name and by name: plain values as they were, anything else as its printed text.

    Call it when all pages have been read, in a post-transform or at `doctree-resolved`.
    """
    folder = Path(app.env.mystnb_config.output_folder)
    files = {path.relative_to(folder).as_posix().removesuffix(".glue.json"): path for path in sorted(folder.rglob("*.glue.json"))}
    return {page: _values(path) for page, path in files.items() if page in app.env.found_docs}


def filled(text: str, numbers: Mapping[str, Any], where: str) -> str:
    """A text with its placeholders replaced, in the syntax of `str.format`.

    Args:
        text: the text.
        numbers: values by name.
        where: page and figure, for messages.

    Raises:
        BookError: a placeholder names no number, or asks for a form that its number cannot have.
    """
    try:
        return text.format_map({name: PRINTED.get(value, value) if isinstance(value, str) else value for name, value in numbers.items()})
    except KeyError as error:
        raise BookError(f"{where}: the text asks for {error}, which is not reported; name one that a cell hands to report(...)") from None
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise BookError(f"{where}: the text cannot be filled ({error}); write {{name}} or {{name:.2f}}") from None


def _values(path: Path) -> dict[str, Any]:
    outputs = json.loads(path.read_text(encoding="utf-8"))
    return {name: _value(output["data"].get("text/plain", "")) for name, output in outputs.items()}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):  # printed by a class of its own, or nan
        return text
