"""Sphinx extension: what a page says of itself to a search engine, and the first page to those
who are sent a link to the book.
"""

import re
import unicodedata
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from valleys.book.extensions.written import edit_pages, is_site

LONGEST = 160  # characters of a description that search engines show
DOUBLED = re.compile(r"<title>(.*?) (?:&#8212;|—) \1</title>")
GREEK = re.compile(r"\\([a-z]+)")
ALPHABET = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "eta",
    "theta",
    "kappa",
    "lambda",
    "mu",
    "rho",
    "sigma",
    "tau",
    "phi",
    "psi",
    "omega",
)
PREVIEW = "_static/preview.png"


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add a description to the head of a page, and to that of the first page what a preview of a
    link shows.
    """
    if doctree is None:
        return
    name = f"{app.env.titles[page].astext()} of “{app.config.html_title}”"
    told = app.env.metadata[page].get("description") or first_paragraph(doctree) or name
    tags = [f'<meta name="description" content="{escape(told)}" />']
    if page == app.config.root_doc:
        shared = {
            "og:type": "website",
            "og:title": app.config.html_title,
            "og:description": told,
            **_picture(app),
        }
        tags += [
            f'<meta property="{key}" content="{escape(text)}" />' for key, text in shared.items()
        ]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def first_paragraph(doctree: nodes.document) -> str:
    """The first paragraph of a page, cut at a word where it is long; empty if there is none
    outside of boxes.
    """
    sections = doctree.findall(nodes.section)
    paragraph = next(
        (child for section in sections for child in section if isinstance(child, nodes.paragraph)),
        None,
    )
    text = " ".join(GREEK.sub(_letter, paragraph.astext()).split()) if paragraph else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rpartition(' ')[0]} …"


def _letter(found: re.Match[str]) -> str:
    """The sign for a word of TeX; the word itself where it is no Greek letter."""
    return (
        unicodedata.lookup(f"GREEK SMALL LETTER {found[1]}") if found[1] in ALPHABET else found[1]
    )


def name_once(app: Sphinx, failure: Exception | None) -> None:
    """Leave the name of the book out of the title of a page that is called like it."""
    if is_site(app, failure):
        edit_pages(app, lambda text, _: DOUBLED.sub(r"<title>\1</title>", text))


def _picture(app: Sphinx) -> dict[str, str]:
    """The picture of the book, if there is one; with its whole address if the book has one."""
    if not (Path(app.srcdir) / PREVIEW).is_file():
        return {}
    return {
        "og:image": f"{app.config.html_baseurl}{PREVIEW}",
        "twitter:card": "summary_large_image",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", describe)
    app.connect("build-finished", name_once)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
