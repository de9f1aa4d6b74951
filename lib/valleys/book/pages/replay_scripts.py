"""Sphinx extension: a page that holds a film loads the scripts that play it, and no other does."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FILM = re.compile(r'<section class="replay" data-film="(\w+)"')
FOLDER = "../replay"  # beside the static files, from where Sphinx counts
STAGE = "stage"  # what all films share


def load(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add style and scripts to a page with films."""
    names = films(doctree) if doctree else []
    if names:
        app.add_css_file(f"{FOLDER}/replay.css")
    for name in [STAGE, *names] if names else []:
        app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")


def films(doctree: nodes.document) -> list[str]:
    """Names of the films of a page."""
    pieces = doctree.findall(nodes.raw)
    return list(dict.fromkeys(name for piece in pieces for name in FILM.findall(piece.astext())))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
