"""What a page makes a reader load, in bytes and in files; formulas are counted apart. Times are for people to measure, and stand in the README."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import page_names

LANDING, FRAME, TEXT, REQUESTS = 1_000_000, 700_000, 300_000, 35  # bytes of the landing page; of a page apart from text and figures; of its text; files


def loaded(browser, path: Path) -> dict[Path, int]:
    """Size of each file that a page asks for, less those of MathJax."""
    files: set[Path] = set()
    page, _ = opened(browser, path)
    page.on("request", lambda request: files.add(Path(unquote(urlparse(request.url).path))) if request.url.startswith("file:") else None)
    page.reload()
    page.wait_for_load_state("networkidle")
    page.close()
    return {file: file.stat().st_size for file in files if "mathjax" not in file.parts}


@needs_chromium
def test_landing_page_is_light(browser, html):
    sizes = loaded(browser, html / "index.html")
    assert html / "index.html" in sizes
    assert sum(sizes.values()) <= LANDING, sorted(sizes.items(), key=lambda item: -item[1])[:8]


@needs_chromium
@pytest.mark.parametrize("name", page_names())
def test_frame_of_a_page_is_light(browser, html, name):
    sizes = {file: size for file, size in loaded(browser, html / f"{name}.html").items() if "_images" not in file.parts}
    assert len(sizes) <= REQUESTS
    assert sizes.pop(html / f"{name}.html") <= TEXT
    assert sum(sizes.values()) <= FRAME, sorted(sizes.items(), key=lambda item: -item[1])[:8]


def test_site_does_not_carry_what_no_page_uses(html):
    assert not (html / "_static" / "vendor" / "fontawesome").exists()
