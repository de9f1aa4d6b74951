"""On a phone: text of figures is high enough to read, and whatever is wider than the screen scrolls in its own frame, by finger and by keyboard."""

import pytest

from tests.site.browsing import needs_chromium, opened
from tests.site.visiting import PHONE, each_page

LEGIBLE = 9  # CSS pixels; subscripts are smaller, as in print
CARD = (207, 210, 212)  # what figures lie on in the dark
CHAPTER = "chapters/04_toy_model"


@needs_chromium
@each_page("chapters/", "index")
def test_text_of_figures_can_be_read(visits, name):
    heights = visits(name).text_heights
    assert heights
    for source, found in heights.items():
        assert found, f"{source} holds no text"
        assert min(found) >= LEGIBLE, source


@needs_chromium
@each_page()
def test_what_is_wide_scrolls_and_nothing_is_cut_off(visits, name):
    assert visits(name).clipped == []
    assert visits(name).overflow <= 0


@needs_chromium
@pytest.mark.xdist_group(CHAPTER)
def test_figures_lie_on_a_muted_card_in_the_dark(visits):
    assert visits(CHAPTER).cards == {f"rgb{CARD}"}


@needs_chromium
def test_figure_scrolls_by_keyboard_and_says_so(browser, html):
    page, _ = opened(browser, html / f"{CHAPTER}.html", width=PHONE)
    frame = page.locator(".figure-frame").first
    assert frame.get_attribute("aria-label") == "Fig. 4.1, scrolls sideways"
    assert page.locator(".figure-hint").first.is_visible()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.figure-frame').scrollLeft > 0")
    page.set_viewport_size({"width": 1280, "height": 900})  # where the figure fits, it is no stop for the keyboard
    page.wait_for_function("document.querySelectorAll('.figure-frame[tabindex]').length === 0")
    assert not page.locator(".figure-hint").first.is_visible()
    page.close()
