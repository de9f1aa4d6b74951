"""The book in print: every page in order, contents whose page numbers are true, A4, fonts
inside, and links to it only where it is.

The whole book is laid out as the page that is printed; printed are some of its pages, one of each
kind, as formulas and pages are set one by one.
"""

import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib as mpl
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tests.book.print.test_onepage import FILES
from tests.sharing import made_once
from tests.site.browsing import needs_chromium
from tests.site.making import EXERCISES, shorten
from valleys.book.chapters import page_names
from valleys.book.print.onepage import inside, one_page
from valleys.book.print.pdf import MARK, NAME
from valleys.book.site.check import broken_links
from valleys.errors import BookError
from valleys.paths import book_root, html_pages

PRINT = (
    "import sys; from pathlib import Path; from valleys.book.print.pdf import make_pdf; "
    "make_pdf(*map(Path, sys.argv[1:]))"
)
A4 = (595.3, 841.9)  # points
ETA = f"{ord('η'):04X}"
SMALLEST, LARGEST = 100_000, 25_000_000  # bytes
# with code and figures, with solutions, of long tables, of formulas, of references
PRINTED = {
    "chapters/04_toy_model",
    EXERCISES,
    "pages/ledger",
    "pages/explorer",
    "pages/notation",
    "pages/bibliography",
}
OF_A_BOOK = ("_toc.yml", "_config.yml", "CITATION.cff")

pytestmark = [needs_chromium, pytest.mark.xdist_group("print")]


def print_site(*arguments: Path) -> None:
    """Make a PDF in a process of its own, as one playwright in a process is enough."""
    subprocess.run([sys.executable, "-c", PRINT, *map(str, arguments)], check=True, timeout=540)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> PdfReader:
    """The print of a book of three pages, in a face that has ligatures and without formulas."""
    folder = tmp_path_factory.mktemp("small")
    face = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf"
    style = (
        f"@font-face {{ font-family: Ligatures; src: url('{face.as_uri()}') }} body, h1, p {{ "
        f"font-family: Ligatures !important }}"
    )
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20"/></svg>'  # noqa: E501
    files = FILES | {
        "chapters/a.svg": drawing,
        "_static/sphinx-design.min.css": style,
        "_static/mathjax/tex-chtml.js": "MathJax = {startup: {promise: Promise.resolve()}}",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(
            text.replace("1.2. Exercises", "1.2. Exercises on noise and flatness"), encoding="utf-8"
        )
    print_site(folder, folder / "print", folder)
    return PdfReader(folder / NAME)


def test_a_search_finds_words_that_a_face_would_set_with_ligatures(small):
    text = " ".join(page.extract_text() for page in small.pages)
    assert "noise and flatness" in " ".join(text.split())


def test_contents_of_a_small_book_tell_its_pages(small):
    texts = [squeezed(page.extract_text()) for page in small.pages]
    for title in ("1. One", "1.2. Exercises on noise and flatness", "Solutions"):
        number = re.search(re.escape(squeezed(title)) + r"\.*(\d)", texts[1])  # of so few pages
        assert squeezed(title) in texts[int(number[1]) - 1]


@pytest.fixture(scope="module")
def printed(html, shared) -> Path:
    """A copy of the site with a PDF of some of its pages, beside the table of contents of these."""

    def make(folder: Path) -> None:
        shutil.copytree(html, folder / "html")
        for name in OF_A_BOOK:
            shutil.copy(book_root() / name, folder)
        shorten(folder / "_toc.yml", PRINTED)
        print_site(folder / "html", folder / "pdf", folder)

    return made_once(shared / "printed", make) / "html"


@pytest.fixture(scope="module")
def one(html, tmp_path_factory) -> tuple[BeautifulSoup, Path]:
    """The whole book as the page that is printed, and the folder in which it would lie."""
    folder = tmp_path_factory.mktemp("whole")
    return BeautifulSoup(one_page(html, folder), "html.parser"), folder


@pytest.fixture(scope="module")
def reader(printed) -> PdfReader:
    return PdfReader(printed / NAME)


@pytest.fixture(scope="module")
def text_of(reader) -> Callable[[int], str]:
    """The text of a page, counted from zero; it takes a while to read, so each is read once and
    only where it is wanted.
    """
    return cache(lambda number: reader.pages[number].extract_text())


@pytest.fixture(scope="module")
def titles(html, printed) -> list[str]:
    """Titles of the printed pages as the site shows them, in the order of the table of contents."""
    pages = [
        BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in page_names(printed.parent)
    ]
    return [
        " ".join(page.select_one("article h1").get_text().split()).rstrip("#") for page in pages
    ]


def squeezed(text: str) -> str:
    """Letters alone, as two faces may space and join them in their own ways."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.mark.slow
def test_outline_holds_every_page_in_order(reader, titles):
    top = [item.title for item in reader.outline if not isinstance(item, list)]
    assert top[0] == "Contents"
    assert [squeezed(title) for title in top[1 : len(titles) + 1]] == [
        squeezed(title) for title in titles
    ]
    assert top[len(titles) + 1 :] in ([], ["Solutions"])


@pytest.mark.slow
def test_contents_tell_the_page_of_each_title(reader, text_of, titles):
    first = next(
        number
        for number in range(2, len(reader.pages))
        if squeezed(titles[0]) in squeezed(text_of(number))
    )
    contents = " ".join(map(text_of, range(1, first)))
    for title in titles:
        told = re.search(
            r"\s*".join(re.escape(letter) for letter in squeezed(title)) + r"[\s.]+(\d+)\b",
            contents,
        )
        assert told, f"{title} is not in the contents"
        assert squeezed(title) in squeezed(text_of(int(told[1]) - 1)), (
            f"{title} is not on page {told[1]}"
        )


@pytest.mark.slow
def test_running_foot_counts_the_pages(reader, text_of):
    for number in (2, 3, *range(10, len(reader.pages), 20), len(reader.pages)):
        assert str(number) in text_of(number - 1).split(), f"page {number} carries no number"


@pytest.mark.slow
def test_book_is_of_a_sane_size_on_a4(reader, printed):
    assert len(reader.pages) > 2 * len(PRINTED)
    assert {
        (round(float(page.mediabox.width)), round(float(page.mediabox.height)))
        for page in reader.pages
    } == {tuple(map(round, A4))}
    assert SMALLEST < (printed / NAME).stat().st_size < LARGEST


@pytest.mark.slow
def test_book_has_a_title_a_language_and_tags(reader):
    assert reader.metadata.title == "Escape from Sharp Valleys"
    assert reader.root_object["/Lang"] == "en"
    assert reader.root_object["/MarkInfo"]["/Marked"]


@pytest.mark.slow
def test_fonts_are_inside_and_formulas_are_set(reader):
    fonts = {
        id(font.get_object()): font.get_object()
        for page in reader.pages
        for font in page["/Resources"].get("/Font", {}).values()
    }
    assert all(is_inside(font) for font in fonts.values())
    letters = " ".join(
        font["/ToUnicode"].get_data().decode()
        for font in fonts.values()
        if font["/Subtype"] == "/Type3"
    )
    assert ETA in letters  # formulas come in such fonts, and a reader can copy what they say


def is_inside(font) -> bool:
    """Whether the glyphs of a font are in the file."""
    if font["/Subtype"] == "/Type3":  # they are drawings
        return len(font["/CharProcs"]) > 0
    descriptor = (
        font.get("/DescendantFonts", [font])[0].get_object()["/FontDescriptor"].get_object()
    )
    return any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3"))


@pytest.mark.slow
def test_folded_code_is_left_out_and_figures_are_there(html, one):
    page, _ = one
    assert page.select("details, summary, script:not([src]):not(head script)") == []
    chapter = BeautifulSoup(
        (html / "chapters" / "04_toy_model.html").read_text(encoding="utf-8"), "html.parser"
    )
    drawn, hidden = (
        chapter.select("article figure img:not(.only-dark)"),
        chapter.select("details .cell_input"),
    )
    assert len(page.select("#chapters-04_toy_model figure img")) == len(drawn) > 0
    assert hidden
    text = page.get_text()
    assert all(cell.get_text().strip() not in text for cell in hidden)


@pytest.mark.slow
def test_whole_book_is_laid_out_for_print_in_order(one):
    laid_out = [section["id"] for section in one[0].select("main > section.page")]
    names = [name.replace("/", "-") for name in page_names()]
    assert laid_out == [*names, "solutions"]


@pytest.mark.slow
def test_links_of_the_print_lead_to_places_of_it(one):
    page, folder = one
    places = [tag["id"] for tag in page.select("[id]")]
    assert len(places) == len(set(places))
    inner = [link["href"][1:] for link in page.select("a[href^='#']")]
    assert set(inner) <= set(places)
    assert all(link["href"].startswith("http") for link in page.select("a[href]:not([href^='#'])"))
    assert all(
        (folder / image["src"]).is_file() for image in page.select("img:not([src^='data:'])")
    )


def test_links_are_seen_from_the_root():
    assert (
        inside("../pages/notation.html#time", "chapters/04_toy_model") == "pages/notation.html#time"
    )
    assert inside("#here", "chapters/04_toy_model") == "chapters/04_toy_model.html#here"
    assert inside("https://arxiv.org/abs/1", "index") == "https://arxiv.org/abs/1"


@pytest.mark.slow
def test_site_links_to_the_pdf_only_where_it_is(html, printed):
    def linking(folder: Path) -> list[Path]:
        return [path for path in folder.rglob("*.html") if MARK in path.read_text(encoding="utf-8")]

    assert linking(html) == []
    assert sorted(linking(printed)) == sorted(
        printed / path.relative_to(html) for path in html_pages(html)
    )
    path = printed / "chapters" / "04_toy_model.html"
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    assert [link["href"] for link in page.select(f".{MARK} a")] == [f"../{NAME}"] * 2
    assert list(broken_links(path, page, {})) == []


def test_site_that_was_not_built_is_told(tmp_path):
    with pytest.raises(BookError, match="build the site"):
        one_page(tmp_path, tmp_path)
