"""Sphinx extension: mend on the written pages what the theme denies to a screen reader, a keyboard
or a phone.

Each mend leaves alone what it has mended before, since Sphinx writes anew only the pages that
changed.
"""

import base64
import math
import re
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from valleys.book.extensions.written import PARSED, add_class, has_class

# CSS pixels: the smallest text of a figure is drawn at least this high, subscripts aside
LEGIBLE = 11.0
WIDE = 7.2 * 72  # points: wider figures reach into the margin where the window has room for it
SVG_SIZE = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"')
BLEEDS = "full-width"  # a class at which the theme makes room in the margin
# characters: a cell counts as so many at most, as its words wrap; broader tables reach into the
# margin like wide figures
CELL, BROAD = 20, 100
PIXELS = 4 / 3  # of CSS in a point
# matplotlib draws glyphs 100 units high; subscripts are scaled again inside
SVG_TEXT = re.compile(r"scale\((0\.\d+) -\1\)")
SEARCH_FIELD = re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="Search"')
EMBEDDED = "data:image/svg+xml;base64,"
LONE = re.compile(r"Fig\. \d+")
TABLES = "article .pst-scrollable-table-container, article .cell_output > .output:has(table)"
HINT = "Scroll sideways to see the whole {}."


def mend(page: BeautifulSoup, path: Path) -> None:
    """Apply every mend to a page.

    Args:
        page: the tree of the page as the theme wrote it.
        path: where it stands; figures are looked up from there.
    """
    name_search(page)
    name_toggles(page)
    mark_landmarks(page)
    mark_bibliographies(page)
    mark_headers(page)
    untangle_signatures(page)
    drop_shared_names(page)
    drop_second_titles(page)
    drop_lone_numbers(page)
    for image in page.select("article img[src]"):
        let_scroll(page, image, path.parent)
    for formula in page.select("article div.math"):
        hint_below(page, formula)
    for table in page.select(TABLES):
        let_table_scroll(page, table)


def name_search(page: BeautifulSoup) -> None:
    """Let the search button, which a script writes, be called by the words on it: they tell its
    shortcut too.
    """
    for script in page.find_all("script", string=SEARCH_FIELD):
        script.string = SEARCH_FIELD.sub(r"\1", script.get_text())


def name_toggles(page: BeautifulSoup) -> None:
    """Let what folds be called what it shows: the pages of a chapter in the contents, the words
    on a folded cell.
    """
    for pages in page.select("nav li > a ~ details"):
        link, summary = pages.find_previous_sibling("a"), pages.find("summary", recursive=False)
        if link and summary:
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
    """Make entries of a bibliography items of its list; the role that docutils gives them is
    withdrawn from the standard.
    """
    for entry in page.select("div.citation[role=doc-biblioentry]"):
        entry["role"] = "listitem"


def mark_headers(page: BeautifulSoup) -> None:
    """Say what the head cells of a table stand for; an empty one heads nothing."""
    for cell in page.select("article thead th"):
        if cell.get_text(strip=True):
            cell["scope"] = "col"
        else:
            cell.name = "td"


def untangle_signatures(page: BeautifulSoup) -> None:
    """Make the lines of a long signature plain parts: Sphinx writes them as a list of
    definitions of nothing.
    """
    for lines in page.select("article dt.sig dl"):
        lines.name, lines["class"] = "div", "sig-lines"
        for line in lines.find_all("dd", recursive=False):
            line.name = "div"


def drop_shared_names(page: BeautifulSoup) -> None:
    """Take from the bodies of exercises and solutions the identifier that sphinx-exercise gives
    to all of them.
    """
    for body in page.select("section#exercise-content, section#solution-content"):
        del body["id"]


def drop_second_titles(page: BeautifulSoup) -> None:
    """Take from an exercise the title that the heading above it has, and from the link to it the
    space before its words.
    """
    for title in page.select("div.exercise > p.admonition-title"):
        heading = title.find_previous(["h2", "h3"])
        told = title.get_text().partition("(")[2].rpartition(")")[0]
        if heading and told and told in heading.get_text():
            title.string = "Exercise"
    for link in page.select("div.solution > p.admonition-title > a"):
        link.string = link.get_text().strip()
        if not str(link.previous_sibling or " ").endswith(" "):
            link.insert_before(" ")


def drop_lone_numbers(page: BeautifulSoup) -> None:
    """Take the number from a figure whose page has none: it counts figures of other pages."""
    for number in page.select("figcaption .caption-number"):
        if LONE.fullmatch(number.get_text(strip=True)):
            number.decompose()


def let_scroll(page: BeautifulSoup, image: Tag, folder: Path) -> None:
    """Put a figure into a frame that scrolls where it is too narrow for the text in the figure to
    be read; a wide one may reach into the margin.

    Args:
        page: the page, which makes new tags.
        image: an image of the page.
        folder: where the page stands; the image is looked up from there.
    """
    drawn = drawing(str(image["src"]), folder)
    width = legible_width(drawn)
    around = image.parent
    if width is None or around is None or has_class(around, "figure-frame"):
        return
    figure, number = image.find_parent("figure"), around.select_one("figcaption .caption-number")
    frame = page.new_tag(
        "span",
        attrs={
            "class": "figure-frame",
            "data-name": number.get_text(strip=True) if number else "Figure",
        },
    )
    frame["style"] = f"--legible-width: {width}px"
    image.wrap(frame)
    frame.insert_after(_hint(page, "figure"))
    if figure and size(drawn)[0] > PIXELS * WIDE and page.select_one("div.bd-sidebar-secondary"):
        add_class(figure, BLEEDS)


def hint_below(page: BeautifulSoup, formula: Tag) -> None:
    """Let the page say that a formula goes on where it does not fit."""
    if not has_class(formula.find_next_sibling(), "figure-hint"):
        formula.insert_after(_hint(page, "formula"))


def let_table_scroll(page: BeautifulSoup, frame: Tag) -> None:
    """Let the page say that a table goes on where it does not fit, above it, since it may be
    longer than the screen; a broad one may reach into the margin.
    """
    if not has_class(frame.find_previous_sibling(), "figure-hint"):
        frame.insert_before(_hint(page, "table"))
    has_room = page.select_one("div.bd-sidebar-secondary") and not frame.find_parent("details")
    if breadth(frame) > BROAD and has_room:
        add_class(frame, BLEEDS)


def breadth(table: Tag) -> int:
    """About how many characters the columns of a table take side by side."""
    rows = [row.find_all(["td", "th"]) for row in table.find_all("tr")]
    lengths = [[min(len(cell.get_text(strip=True)), CELL) for cell in row] for row in rows]
    return sum(max(column) + 2 for column in zip_longest(*lengths, fillvalue=0))


def legible_width(drawn: str) -> int | None:
    """Width in CSS pixels at which the smallest text of an SVG of matplotlib is `LEGIBLE` high;
    None if it holds no text or is none.
    """
    found, heights = (
        SVG_SIZE.search(drawn),
        [100 * float(scale) for scale in SVG_TEXT.findall(drawn)],
    )
    return math.ceil(LEGIBLE / min(heights) * float(found.group(1))) if found and heights else None


def size(drawn: str) -> tuple[int, int]:
    """Width and height of an SVG of matplotlib as it was drawn, CSS pixels.

    Raises:
        ValueError: the drawing does not tell its size.
    """
    if (found := SVG_SIZE.search(drawn)) is None:
        raise ValueError("the drawing has no viewBox, which matplotlib writes into each SVG")
    width, height = found.groups()
    return round(PIXELS * float(width)), round(PIXELS * float(height))


def drawing(source: str, folder: Path) -> str:
    """The SVG that an image shows, from its file or out of the page; empty for an image of
    another kind.
    """
    if source.startswith(EMBEDDED):
        return base64.b64decode(source.removeprefix(EMBEDDED)).decode()
    return (folder / unquote(source)).read_text(encoding="utf-8") if source.endswith(".svg") else ""


def _hint(page: BeautifulSoup, what: str) -> Tag:
    hint = page.new_tag("span", attrs={"class": "figure-hint", "aria-hidden": "true"})
    hint.string = HINT.format(what)
    return hint


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("valleys.book.extensions.written")
    app.connect(PARSED, lambda _, page, path: mend(page, path), priority=500)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
