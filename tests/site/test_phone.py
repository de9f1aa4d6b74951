"""On a phone: text of figures is high enough to read, and whatever is wider than the screen scrolls in its own frame, by finger and by keyboard."""

import base64
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import page_names

PHONE = 390  # CSS pixels
LEGIBLE = 9  # CSS pixels; subscripts are smaller, as in print
CARD = (207, 210, 212)  # what figures lie on in the dark

# The browser's own matrices tell how high 100 units of a font come out, whatever turns and scales lie in between.
HEIGHTS = """[...document.querySelectorAll("g[id^='text_'] > g")].map((text) => text.getScreenCTM()).map((m) => 100 * Math.hypot(m.a, m.b))"""
IMAGES = "[...document.querySelectorAll('article img')].map((image) => [image.src, image.clientWidth, image.naturalWidth])"
CLIPPED = """[...document.querySelectorAll("article pre, article table, article img, article mjx-container, article .math")].filter((part) => {
  const reaches = (frame) => ["auto", "scroll"].includes(getComputedStyle(frame).overflowX);
  for (let frame = part; frame.tagName !== "ARTICLE"; frame = frame.parentElement)
    if (reaches(frame)) return frame.scrollWidth > frame.clientWidth + 1 && frame.tabIndex < 0;
  return part.getBoundingClientRect().right > innerWidth + 1;
}).map((part) => part.outerHTML.slice(0, 120))"""


@needs_chromium
@pytest.mark.parametrize("name", [name for name in page_names() if name.startswith("chapters/") or name == "index"])
def test_text_of_figures_can_be_read(browser, html, name):
    page, _ = opened(browser, html / f"{name}.html", width=PHONE)
    images = page.evaluate(IMAGES)
    page.set_viewport_size({"width": 1280, "height": 900})
    for source, width, natural_width in images:
        page.set_content(f"<body>{drawing(source)}</body>")
        heights = page.evaluate(HEIGHTS)
        scale = width / page.evaluate("document.querySelector('svg').getBoundingClientRect().width")
        assert heights, f"{source[:80]} holds no text"
        assert min(heights) * scale >= LEGIBLE, f"{source[:80]}, drawn {width} of {natural_width} pixels wide"
    page.close()


def drawing(source: str) -> str:
    """The SVG behind an address, as text that a page may hold."""
    _, is_embedded, packed = source.partition("data:image/svg+xml;base64,")
    text = base64.b64decode(packed).decode() if is_embedded else Path(unquote(urlparse(source).path)).read_text(encoding="utf-8")
    return text[text.index("<svg") :]


@needs_chromium
@pytest.mark.parametrize("name", page_names())
def test_what_is_wide_scrolls_and_nothing_is_cut_off(browser, html, name):
    page, _ = opened(browser, html / f"{name}.html", width=PHONE)
    page.wait_for_timeout(500)  # the theme marks what scrolls a moment after the page has come to rest
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.close()


@needs_chromium
def test_figure_scrolls_by_keyboard_and_says_so(browser, html):
    page, _ = opened(browser, html / "chapters" / "04_toy_model.html", width=PHONE)
    frame = page.locator(".figure-frame").first
    assert frame.get_attribute("aria-label") == "Fig. 4.1, scrolls sideways"
    assert page.locator(".figure-hint").first.is_visible()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.figure-frame').scrollLeft > 0")
    page.close()


@needs_chromium
def test_figure_that_fits_is_no_stop_for_the_keyboard(browser, html):
    page, _ = opened(browser, html / "chapters" / "04_toy_model.html")
    assert page.locator(".figure-frame[tabindex]").count() == 0
    assert not page.locator(".figure-hint").first.is_visible()
    page.close()


@needs_chromium
def test_figures_lie_on_a_muted_card_in_the_dark(browser, html):
    page, _ = opened(browser, html / "chapters" / "04_toy_model.html", dark=True, width=PHONE)
    cards = page.evaluate("[...document.querySelectorAll('article figure img')].map((image) => getComputedStyle(image).backgroundColor)")
    assert set(cards) == {f"rgb{CARD}"}
    page.close()
