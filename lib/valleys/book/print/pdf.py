"""The whole book as a PDF to print: the site as one page, printed by Chromium.

A browser cannot write page numbers into a table of contents. So the book is printed, the pages of
its headings are read from the PDF, their numbers are filled in, and the book is printed once more;
the places must not have moved. Pages of a site whose folder holds the PDF have links to it.
"""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bs4 import BeautifulSoup
from playwright.sync_api import Error, Page, sync_playwright
from pypdf import PdfReader

from valleys import config
from valleys.book.print.onepage import one_page
from valleys.errors import BookError
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

# where macOS has them, off the PATH
BUNDLES = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium")
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", *BUNDLES)
# No sandbox, as containers have none to give, and nothing but pages of this book is opened.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TEXT_WIDTH = 643  # CSS pixels in the 170 mm between the margins of print.css
# of the size that a figure was drawn at: one height of text in all figures, and the widest fill the
# page
FIGURE_SCALE = 0.72
PATIENCE = 300_000  # milliseconds; for all formulas of the book on a busy machine

READY = (
    "MathJax.startup.promise.then(() => Promise.all([...document.images].map((image) => "
    "image.decode())))"
)
FIT = f"""
for (const image of document.querySelectorAll("img")) image.style.width = `${{{FIGURE_SCALE} * image.naturalWidth}}px`;
for (const box of document.querySelectorAll("div.math, table, mjx-container[display='true']")) {{
  const width = box.parentElement.clientWidth;
  if (box.scrollWidth > width + 1) box.style.fontSize = `${{Math.floor(100 * width / box.scrollWidth) - 1}}%`;
}}
for (const link of document.querySelectorAll("a.external[href^='http']"))
  if (!link.closest(".citation, .title-page") && !link.href.includes(link.textContent.trim())) link.dataset.url = link.href;
"""  # noqa: E501
# Without a number a place gets one as wide as any that may come.
FILL = (
    "(numbers) => document.querySelectorAll('.contents a').forEach((link) => "
    "link.lastChild.textContent = numbers[link.hash.slice(1)] ?? 888)"
)


def make_pdf(html: Path, scratch: Path, root: Path | None = None) -> Path:
    """Print a built site to `NAME` in its folder, link it from every page and return the file.

    Args:
        html: folder of the built site.
        scratch: folder for the page that is printed.
        root: folder of `_toc.yml` and `CITATION.cff`; the book's if None.

    Raises:
        BookError: there is no Chromium, it failed, a page was not built, or headings have no stable
            place.
    """
    browser = find_browser()
    source = scratch / "book.html"
    atomic.write(source, one_page(html, scratch, root).encode())
    try:
        with opened(browser, source) as page:
            content = print_numbered(page)
    except Error as error:
        raise BookError(
            f"{browser} could not print the book: {error.message.splitlines()[0]}"
        ) from error
    atomic.write(html / NAME, content)
    link_pdf(html)
    return html / NAME


def find_browser() -> str:
    """Path of a Chromium: the one that `$VALLEYS_BROWSER` names, as a program or as a path, else
    one in a usual place.

    Raises:
        BookError: there is none.
    """
    named = config.text(config.BROWSER)
    wanted = [os.path.expanduser(named)] if named else BROWSERS
    if found := next((path for name in wanted if (path := shutil.which(name))), None):
        return os.path.abspath(found)
    if named:
        raise BookError(
            f"{config.BROWSER} is '{named}', which is no program on this machine; name "
            "a Chromium, or leave it unset"
        )
    raise BookError(
        "no Chromium is on this machine to print with; install chromium or "
        f"google-chrome, or name one in {config.BROWSER}"
    )


@contextmanager
def opened(browser: str, source: Path) -> Iterator[Page]:
    """A page as wide as the text on paper, with formulas set, images drawn and what is too wide
    made smaller.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(QUIET))
        page = chromium.new_page(
            viewport={"width": TEXT_WIDTH, "height": 900}, color_scheme="light"
        )
        page.set_default_timeout(PATIENCE)
        page.emulate_media(media="print")
        page.goto(source.as_uri())
        page.evaluate(READY)
        page.evaluate(FIT)
        yield page
        chromium.close()


def print_numbered(page: Page) -> bytes:
    """The PDF of a page, with page numbers in its contents.

    Raises:
        BookError: the numbers moved the headings that they tell of.
    """
    page.evaluate(FILL, {})
    numbers = page_numbers(_printed(page, is_draft=True))
    page.evaluate(FILL, numbers)
    content = _printed(page)
    if page_numbers(content) != numbers:
        raise BookError(
            "the page numbers of the contents moved the pages; report this with the "
            "version of your Chromium"
        )
    return content


def page_numbers(content: bytes) -> dict[str, int]:
    """Page number, counted from one, of each place in a PDF that a link leads to, by name."""
    reader = PdfReader(io.BytesIO(content))
    places = {
        name.lstrip("/"): reader.get_destination_page_number(place)
        for name, place in reader.named_destinations.items()
    }
    return {name: place + 1 for name, place in places.items() if place is not None}


def _printed(page: Page, *, is_draft: bool = False) -> bytes:
    """The PDF of a page; a draft, which takes less time, has no outline and no tags."""
    return page.pdf(
        prefer_css_page_size=True,
        print_background=True,
        outline=not is_draft,
        tagged=not is_draft,
    )


def link_pdf(html: Path) -> None:
    """Add links to the PDF to the side bar and the download menu of every page, in place of
    those that are there.
    """
    for path in html_pages(html):
        _link_page(path, os.path.relpath(html / NAME, path.parent))


def _link_page(path: Path, url: str) -> None:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for link in page.select(f".{MARK}"):
        link.decompose()
    for place, link in PLACES.items():
        for parent in page.select(place):
            parent.append(BeautifulSoup(link.format(url=url, words=WORDS), "html.parser"))
    atomic.write(path, str(page).encode())
