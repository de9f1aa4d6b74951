"""Ways through the book by hand: from page to page, the drawers of a phone, the menu of
downloads.
"""

import pytest

from tests.site.browsing import needs_chromium, opened

DRAWERS = {"primary": ".bd-sidebar-primary", "secondary": ".bd-sidebar-secondary"}
CHAPTER = "chapters/own_network.html"
# A drawer slides: it is open when it lies within the window and its links can be reached, and shut
# when it lies outside or is not there.
IS_OPEN = """(drawer) => { const { left, right, width } = document.querySelector(drawer).getBoundingClientRect();
  const links = [...document.querySelectorAll(`${drawer} a`)];
  return width > 0 && left >= 0 && right <= innerWidth && links.some((link) => link.checkVisibility()); }"""  # noqa: E501
IS_SHUT = """(drawer) => { const { left, right, width } = document.querySelector(drawer).getBoundingClientRect();
  return width === 0 || right <= 0 || left >= innerWidth; }"""  # noqa: E501


@needs_chromium
def test_next_and_previous_lead_to_another_page_and_back(browser, html):
    page, _ = opened(browser, html / "index.html")
    urls = [page.url]
    for link in ("a.right-next", "a.left-prev"):
        with page.expect_navigation(wait_until="domcontentloaded"):
            page.locator(link).click()
        urls.append(page.url)
    assert urls[0] == urls[2] != urls[1]
    page.close()


@needs_chromium
@pytest.mark.parametrize("side", DRAWERS)
def test_drawer_opens_and_closes_by_keyboard(browser, html, side):
    page, complaints = opened(browser, html / "pages" / "teach.html", width=390)
    drawer, button = DRAWERS[side], page.locator(f"button.{side}-toggle")
    assert page.evaluate(IS_SHUT, drawer)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(drawer) => document.querySelector(drawer).contains(document.activeElement)", arg=drawer
    )
    page.wait_for_function(IS_OPEN, arg=drawer)
    page.keyboard.press("Escape")
    page.wait_for_function(IS_SHUT, arg=drawer)
    assert button.evaluate("button => button === document.activeElement")
    assert complaints == []
    page.close()


@needs_chromium
def test_drawer_closes_by_a_tap_beside_it_and_leads_to_a_chapter(browser, html):
    page, _ = opened(browser, html / "index.html", width=390)
    drawer = DRAWERS["primary"]
    page.locator("button.primary-toggle").click()
    page.wait_for_function(IS_OPEN, arg=drawer)
    page.mouse.click(370, 600)
    page.wait_for_function(IS_SHUT, arg=drawer)
    page.locator("button.primary-toggle").click()
    page.locator(f"{drawer} a[href$='own_network.html']").first.click()
    page.wait_for_url(f"**/{CHAPTER}")
    page.close()


@needs_chromium
def test_menu_of_downloads_opens(browser, html):
    page, _ = opened(browser, html / CHAPTER)
    page.locator(".dropdown-download-buttons > button").click()
    assert page.locator("a.btn-download-source-button").is_visible()
    page.close()
