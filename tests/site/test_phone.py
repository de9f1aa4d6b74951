"""On a phone: text of figures is high enough to read, and whatever is wider than the screen
scrolls in its own frame, by finger and by keyboard.
"""

import pytest

from tests.site.browsing import needs_chromium, opened
from tests.site.visiting import PHONE, each_page

LEGIBLE = 11  # CSS pixels; subscripts are smaller, as in print
NOTHING = "rgba(0, 0, 0, 0)"
CHAPTER = "chapters/04_toy_model"


@needs_chromium
@each_page("chapters/")
def test_text_of_figures_can_be_read(visits, name):
    heights = visits(name).text_heights
    assert heights
    for source, found in heights.items():
        assert found, f"{source} holds no text"
        assert min(found) >= LEGIBLE - 0.01, source  # the browser rounds


@needs_chromium
@each_page()
def test_what_is_wide_scrolls_and_nothing_is_cut_off(visits, name):
    assert visits(name).clipped == []
    assert visits(name).overflow <= 0


@needs_chromium
@each_page("chapters/")
def test_each_figure_has_a_twin_in_the_dark_and_lies_on_nothing(visits, name):
    light, dark = (visits(name).figures[theme] for theme in ("light", "dark"))
    assert len(light) == len(dark) > 0
    assert not set(light) & set(dark)
    assert visits(name).cards == {NOTHING}


@pytest.fixture(scope="module")
def page(browser, html):
    page, _ = opened(browser, html / f"{CHAPTER}.html", width=PHONE)
    yield page
    page.close()


@needs_chromium
def test_formula_that_is_cut_says_so(page):
    page.set_viewport_size({"width": 280, "height": 900})
    page.wait_for_selector("div.math.scrolls + .figure-hint", state="visible")
    assert page.locator("div.math:not(.scrolls) + .figure-hint:visible").count() == 0


@needs_chromium
def test_figure_scrolls_by_keyboard_and_says_so(page):
    page.set_viewport_size({"width": PHONE, "height": 900})
    frame = page.locator(".figure-frame").first
    assert frame.get_attribute("aria-label") == "Fig. 4.1, scrolls sideways"
    assert page.locator(".figure-frame + .figure-hint").first.is_visible()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.figure-frame').scrollLeft > 0")
    # where the figure fits, it is no stop for the keyboard
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_function("document.querySelectorAll('.figure-frame[tabindex]').length === 0")
    assert not page.locator(".figure-frame + .figure-hint").first.is_visible()
