"""Links to the PDF of the book, on the pages of a site whose folder holds it, and on no others."""

import os
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from valleys.paths import html_pages
from valleys.results import atomic

NAME = "escape-from-sharp-valleys.pdf"  # in the folder of the site
MARK = "whole-book"
WORDS = "The whole book as a PDF"
IN_SIDE_BAR = '<ul class="nav bd-sidenav whole-book"><li class="toctree-l1"><a class="reference internal" href="{url}">{words}</a></li></ul>'  # noqa: E501
IN_MENU = """<li class="whole-book"><a class="btn btn-sm dropdown-item" href="{url}"><span class="btn__icon-container"><i class="fas fa-file-pdf"></i></span>
<span class="btn__text-container">{words}</span></a></li>"""  # noqa: E501
PLACES = {
    "nav.bd-docs-nav .bd-toc-item": IN_SIDE_BAR,
    ".dropdown-download-buttons .dropdown-menu": IN_MENU,
}


def link_pdf(html: Path) -> None:
    """Add links to the PDF to the side bar and the download menu of every page, in place of
    those that are there.
    """
    for path in html_pages(html):
        _link(path, os.path.relpath(html / NAME, path.parent))


def _link(path: Path, url: str) -> None:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for link in page.select(f".{MARK}"):
        link.decompose()
    for place, link in PLACES.items():
        for parent in page.select(place):
            parent.append(_tag(link.format(url=url, words=WORDS)))
    atomic.write(path, str(page).encode())


def _tag(text: str) -> Tag:
    return BeautifulSoup(text, "html.parser").find(True)
