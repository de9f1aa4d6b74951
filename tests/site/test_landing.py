"""The front page says at once what the book is, and its landscape lives, stands still where
motion is unwanted, and is a picture without scripts.
"""

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import all_chapters

pytestmark = needs_chromium

PICTURE = "document.querySelector('#hero canvas').toDataURL()"
FRAMES = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
CHANGED = "(before) => document.querySelector('#hero canvas').toDataURL() !== before"
DRAWN = 360  # units that a drawing is wide, CSS pixels where its text is 12 pixels high
WIDTHS = "(images) => images.map((image) => image.clientWidth)"
BOTTOM = "(selector) => document.querySelector(selector).getBoundingClientRect().bottom"

SHIFTS = """() => { globalThis.shifts = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (shifts += entry.value))).observe({ type: "layout-shift", buffered: true }); }"""  # noqa: E501


@pytest.fixture
def page(browser, html):
    page, complaints = opened(browser, html / "index.html")
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def calm(browser, html):
    page = browser.new_page(reduced_motion="reduce")
    page.goto((html / "index.html").as_uri())
    yield page
    page.close()


def test_first_screen_names_the_paper_and_leads_on(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    text = page.locator(".landing-paper").inner_text()
    for words in (
        "executable edition",
        "Transient Learning Dynamics Drive Escape",
        "Yang",
        "Zhang",
        "Ouyang",
        "Tang",
        "Tu",
        "arXiv:2601.10962",
    ):
        assert words in text
    for selector in (".landing-paper", "#hero", ".landing-sentence", ".landing-ways"):
        assert 0 < page.evaluate(BOTTOM, selector) <= 800, selector
    assert page.locator(".landing-ways a").count() == 3


def test_each_chapter_has_a_card_of_few_words_with_a_picture(page):
    cards = page.locator(".landing-card")
    assert cards.count() == len(all_chapters())
    assert all(
        cards.locator("img").evaluate_all(
            "(images) => images.map((image) => image.naturalWidth > 0)"
        )
    )
    for text in cards.locator("p.sd-card-text").all_inner_texts():
        assert 0 < len(text.split()) <= 12
        assert "±" not in text


def test_each_finding_has_a_drawing_that_can_be_read(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    cards = page.locator(".finding-card")
    assert cards.count() >= 5
    assert cards.count() == page.locator(".finding-card a").count()
    widths = page.locator(".finding-card img:visible").evaluate_all(WIDTHS)
    assert len(widths) == cards.count()
    assert min(widths) >= DRAWN


def test_landscape_moves_until_it_is_paused(page):
    before = page.evaluate(PICTURE)
    page.wait_for_function(CHANGED, arg=before)
    page.get_by_role("button", name="Pause").click()
    paused = page.evaluate(PICTURE)
    page.evaluate(FRAMES)
    assert page.evaluate(PICTURE) == paused
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(CHANGED, arg=paused)


def test_landscape_rests_out_of_sight(page):
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("document.querySelector('#hero').dataset.mode === 'still'")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("document.querySelector('#hero').dataset.mode === 'moving'")


def test_nothing_jumps(browser, html):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(f"({SHIFTS})()")
    page.goto((html / "index.html").as_uri())
    page.wait_for_function("document.querySelector('#hero').dataset.mode === 'moving'")
    page.evaluate(FRAMES)
    assert page.evaluate("shifts") < 0.05
    page.close()


def test_where_motion_is_unwanted_a_moment_stands_still(calm):
    assert calm.get_attribute("#hero", "data-mode") == "still"
    before = calm.evaluate(PICTURE)
    calm.evaluate(FRAMES)
    assert calm.evaluate(PICTURE) == before
    assert not calm.locator("#hero button").is_visible()


def test_landscape_follows_the_theme(calm):
    before = calm.evaluate(PICTURE)
    calm.emulate_media(color_scheme="dark")
    calm.wait_for_function(CHANGED, arg=before)


def test_without_scripts_a_picture_stands_there(browser, html):
    page = browser.new_page(java_script_enabled=False)
    page.goto((html / "index.html").as_uri())
    assert page.locator("#hero img").is_visible()
    assert page.locator("#hero img").evaluate("(image) => image.naturalWidth") > 0
    assert not page.locator("#hero canvas").is_visible()
    page.close()
