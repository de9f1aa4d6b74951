"""Sphinx extension: mend on the written pages what the theme denies to a screen reader, a keyboard or a phone.

Each mend leaves alone what it has mended before, since Sphinx writes anew only the pages that changed.
"""

import base64
import math
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from valleys.book.written import edit_pages, is_site

LEGIBLE = 9.0  # CSS pixels: the smallest text of a figure is drawn at least this high, subscripts aside
SVG_WIDTH = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) [\d.]+"')
SVG_TEXT = re.compile(r"scale\((0\.\d+) -\1\)")  # matplotlib draws glyphs 100 units high; subscripts are scaled again inside
SEARCH_FIELD = re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="Search"')
EMBEDDED = "data:image/svg+xml;base64,"
HINT = "Swipe sideways to see the whole figure."


def mend_pages(app: Sphinx, failure: Exception | None) -> None:
    """Mend every page of a site."""
    if is_site(app, failure):
        edit_pages(app, mended)


def mended(text: str, path: Path) -> str:
    """A page with every mend applied.

    Args:
        text: the page as the theme wrote it.
        path: where it stands; figures are looked up from there.
    """
    page = BeautifulSoup(SEARCH_FIELD.sub(r"\1", text), "html.parser")
    name_toggles(page)
    mark_landmarks(page)
    mark_bibliographies(page)
    mark_headers(page)
    drop_shared_names(page)
    for image in page.select("article img[src]"):
        let_scroll(page, image, path.parent)
    return str(page)


def name_toggles(page: BeautifulSoup) -> None:
    """Let what folds be called what it shows: the pages of a chapter in the contents, the words on a folded cell."""
    for summary in page.select("nav li > details > summary"):
        link = summary.parent.find_previous_sibling("a")
        summary["aria-label"] = f"Pages of {' '.join(link.get_text().split())}"
    for summary in page.select("details.hide > summary[aria-label]"):
        del summary["aria-label"]


def mark_landmarks(page: BeautifulSoup) -> None:
    """Make the side bar a landmark, and tell the lists of links apart by name."""
    if sidebar := page.select_one("div.bd-sidebar-primary"):
        sidebar["role"], sidebar["aria-label"] = "complementary", "Book"
    for contents in page.select("nav.page-toc"):
        contents["aria-label"] = "On this page"


def mark_bibliographies(page: BeautifulSoup) -> None:
    """Make entries of a bibliography items of its list; the role that docutils gives them is withdrawn from the standard."""
    for entry in page.select("div.citation[role=doc-biblioentry]"):
        entry["role"] = "listitem"


def mark_headers(page: BeautifulSoup) -> None:
    """Say what the head cells of a table stand for; an empty one heads nothing."""
    for cell in page.select("article thead th"):
        if cell.get_text(strip=True):
            cell["scope"] = "col"
        else:
            cell.name = "td"


def drop_shared_names(page: BeautifulSoup) -> None:
    """Take from the bodies of exercises and solutions the identifier that sphinx-exercise gives to all of them."""
    for body in page.select("section#exercise-content, section#solution-content"):
        del body["id"]


def let_scroll(page: BeautifulSoup, image: Tag, folder: Path) -> None:
    """Put a figure into a frame that scrolls where it is too narrow for the text in the figure to be read.

    Args:
        page: the page, which makes new tags.
        image: an image of the page.
        folder: where the page stands; the image is looked up from there.
    """
    width = legible_width(_drawing(str(image["src"]), folder))
    if width is None or "figure-frame" in image.parent.get("class", []):
        return
    number = image.parent.select_one("figcaption .caption-number")
    frame = page.new_tag("span", attrs={"class": "figure-frame", "data-name": number.get_text(strip=True) if number else "Figure"})
    frame["style"] = f"--legible-width: {width}px"
    hint = page.new_tag("span", attrs={"class": "figure-hint", "aria-hidden": "true"})
    hint.string = HINT
    image.wrap(frame)
    frame.insert_after(hint)


def legible_width(drawing: str) -> int | None:
    """Width in CSS pixels at which the smallest text of an SVG of matplotlib is `LEGIBLE` high; None if it holds no text or is none."""
    width, heights = SVG_WIDTH.search(drawing), [100 * float(scale) for scale in SVG_TEXT.findall(drawing)]
    return math.ceil(LEGIBLE / min(heights) * float(width.group(1))) if width and heights else None


def _drawing(source: str, folder: Path) -> str:
    """The SVG that an image shows, from its file or out of the page; empty for an image of another kind."""
    if source.startswith(EMBEDDED):
        return base64.b64decode(source.removeprefix(EMBEDDED)).decode()
    return (folder / source).read_text(encoding="utf-8") if source.endswith(".svg") else ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; last, when every page is as it stays."""
    app.connect("build-finished", mend_pages, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
