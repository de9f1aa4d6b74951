"""Sphinx extension: what a page says of itself to a search engine, and the first page to those who are sent a link to the book."""

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from valleys.book.written import edit_pages, is_site

LONGEST = 160  # characters of a description that search engines show
DOUBLED = re.compile(r"<title>(.*?) (?:&#8212;|—) \1</title>")
PREVIEW = "_static/preview.png"


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add a description to the head of a page, and to that of the first page what a preview of a link shows."""
    if doctree is None:
        return
    told = {"description": app.env.metadata[page].get("description") or first_paragraph(doctree)}
    tags = [f'<meta name="{name}" content="{escape(text)}" />' for name, text in told.items() if text]
    if page == app.config.root_doc:
        shared = {"og:type": "website", "og:title": app.config.html_title, "og:description": told["description"], **_picture(app)}
        tags += [f'<meta property="{name}" content="{escape(text)}" />' for name, text in shared.items() if text]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def first_paragraph(doctree: nodes.document) -> str:
    """The first paragraph of a page, cut at a word where it is long; empty if there is none outside of boxes."""
    sections = doctree.findall(nodes.section)
    paragraph = next((child for section in sections for child in section if isinstance(child, nodes.paragraph)), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rpartition(' ')[0]} …"


def name_once(app: Sphinx, failure: Exception | None) -> None:
    """Leave the name of the book out of the title of a page that is called like it."""
    if is_site(app, failure):
        edit_pages(app, lambda text, _: DOUBLED.sub(r"<title>\1</title>", text))


def _picture(app: Sphinx) -> dict[str, str]:
    """The picture of the book, if there is one; with its whole address if the book has one."""
    if not (Path(app.srcdir) / PREVIEW).is_file():
        return {}
    return {"og:image": f"{app.config.html_baseurl}{PREVIEW}", "twitter:card": "summary_large_image"}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", describe)
    app.connect("build-finished", name_once)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
