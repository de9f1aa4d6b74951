"""Sphinx extension: a link to an equation, a figure, a citation or a term shows what it leads to
while the pointer or the keyboard rests on it.

Such links are marked with their kind, and `_static/previews.js` shows what they lead to. What
stands on the same page it takes from there; what stands on another page is written into one
script, which a page loads when a reader first comes to such a link, since a page on disk may fetch
no other page.
"""

import copy
import json
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from valleys.book.extensions.written import PARSED, is_site
from valleys.results import atomic

LINKS = "article a.internal[href*='#']"
KINDS = {"equation-": "equation", "fig-": "figure", "term-": "term"}  # by what anchors begin with
CITATION, BIBLIOGRAPHY = "citation", "bibliography.html"
ELSEWHERE = Path("_static", "previews-elsewhere.js")
SHOWN_OF_FIGURES = "img, .caption-number, .takeaway"  # as in previews.js
NOT_SHOWN = ".headerlink, .figure-hint"

Place = tuple[Path, str]  # a page, and an anchor on it


def mark(page: BeautifulSoup, path: Path) -> set[Place]:
    """Give each such link of a page the kind of what it leads to; return the places that lie on
    other pages.
    """
    cited = {str(entry["id"]) for entry in page.select("div.citation[id]")}
    elsewhere = set()
    for link in page.select(LINKS):
        file, _, anchor = unquote(str(link["href"])).partition("#")
        if kind := kind_of(file, anchor, cited):
            link["data-preview"] = kind
            if file:
                elsewhere.add((Path(os.path.normpath(path.parent / file)), anchor))
    return elsewhere


def kind_of(file: str, anchor: str, cited: set[str]) -> str | None:
    """What a link leads to; None where it is nothing to be shown.

    Args:
        file: of the link, empty for the same page.
        anchor: the place on that page.
        cited: anchors of the entries of the bibliography on the page of the link.
    """
    if PurePosixPath(file).name == BIBLIOGRAPHY or (not file and anchor in cited):
        return CITATION
    return next((kind for begin, kind in KINDS.items() if anchor.startswith(begin)), None)


def written(html: Path, places: Iterable[Place]) -> str:
    """The script that holds what stands at these places, by address from the root of the site."""
    found = {}
    for path, group in groupby(sorted(places), key=lambda place: place[0]):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        name = path.relative_to(html).as_posix()
        for _, anchor in group:
            if target := page.find(id=anchor):
                found[f"{name}#{anchor}"] = shown(target, name)
    return f"globalThis.previewsElsewhere = {json.dumps(found, ensure_ascii=False, indent=0)};\n"


def shown(target: Tag, name: str) -> str:
    """What stands at a place, as HTML whose images are named from the root of the site."""
    parts = [copy.copy(part) for part in _parts(target)]
    for part in parts:
        for tag in part.select(NOT_SHOWN):
            tag.decompose()
        for image in [part] if part.name == "img" else part.select("img"):
            image["src"] = os.path.normpath(PurePosixPath(name).parent / str(image["src"]))
            image["alt"] = ""  # the words beside it say what it shows
    inner = "".join(str(part) for part in parts)
    return f"<figure>{inner}</figure>" if target.name == "figure" else inner


def _parts(target: Tag) -> Iterator[Tag]:
    """The tags at a place that are shown: of a figure the drawings and the first sentence of its
    caption, of a term its definition too, and of a formula what follows its anchor.
    """
    if target.name == "figure":
        yield from target.select(SHOWN_OF_FIGURES)
        return
    behind = target.find_next_sibling()
    if target.name != "span":
        yield target
    if behind and (target.name == "span" or (target.name == "dt" and behind.name == "dd")):
        yield behind


def write_elsewhere(app: Sphinx, failure: Exception | None, places: set[Place]) -> None:
    """Write the script of what stands on other pages, when all pages are as they stay."""
    if is_site(app, failure):
        html = Path(app.outdir)
        atomic.write(html / ELSEWHERE, written(html, places).encode())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; links are marked when figures have their twins."""
    places: set[Place] = set()
    app.setup_extension("valleys.book.extensions.written")
    app.connect(PARSED, lambda _, page, path: places.update(mark(page, path)), priority=700)
    app.connect(
        "build-finished", lambda app, failure: write_elsewhere(app, failure, places), priority=960
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
