"""Numbers that chapters handed to the text, read back while the site is built, for pages that bring together what all chapters found."""

import ast
import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def glued(app: Sphinx) -> dict[str, dict[str, Any]]:
    """What each notebook glued, by page name and by name: plain values as they were, anything else as its printed text.

    Call it when all pages have been read, in a post-transform or at `doctree-resolved`.
    """
    folder = Path(app.env.mystnb_config.output_folder)
    files = {path.relative_to(folder).as_posix().removesuffix(".glue.json"): path for path in sorted(folder.rglob("*.glue.json"))}
    return {page: _values(path) for page, path in files.items() if page in app.env.found_docs}


def _values(path: Path) -> dict[str, Any]:
    outputs = json.loads(path.read_text(encoding="utf-8"))
    return {name: _value(output["data"].get("text/plain", "")) for name, output in outputs.items()}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):  # printed by a class of its own, or nan
        return text
