"""Ways through the book: one page after the other, the drawer of a phone, downloads."""

import json

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import page_names

DRAWERS = {"primary": ".bd-sidebar-primary", "secondary": ".bd-sidebar-secondary"}


@needs_chromium
def test_next_leads_through_all_pages_and_previous_back(browser, html):
    page, _ = opened(browser, html / "index.html")
    forth = walked(page, "a.right-next")
    assert forth == [(html / f"{name}.html").as_uri() for name in page_names()]
    assert walked(page, "a.left-prev") == forth[::-1]
    page.close()


def walked(page, link: str) -> list[str]:
    """The pages that a link leads through, until one has no such link."""
    seen = [page.url]
    while page.locator(link).count():
        with page.expect_navigation(wait_until="domcontentloaded"):
            page.locator(link).click()
        seen.append(page.url)
    return seen


def is_open(page, drawer: str) -> bool:
    """Whether a drawer lies within the window and its links can be reached."""
    box = page.locator(drawer).bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390 and page.locator(f"{drawer} a").locator("visible=true").count() > 0


@needs_chromium
@pytest.mark.parametrize("side", DRAWERS)
def test_drawer_opens_and_closes_by_keyboard(browser, html, side):
    page, complaints = opened(browser, html / "chapters" / "04_toy_model.html", width=390)
    drawer, button = DRAWERS[side], page.locator(f"button.{side}-toggle")
    assert not is_open(page, drawer)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("(drawer) => document.querySelector(drawer).contains(document.activeElement)", arg=drawer)
    page.wait_for_timeout(400)  # it slides
    assert is_open(page, drawer)
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    assert not is_open(page, drawer)
    assert button.evaluate("button => button === document.activeElement")
    assert complaints == []
    page.close()


@needs_chromium
def test_drawer_closes_by_a_tap_beside_it_and_leads_to_a_chapter(browser, html):
    page, _ = opened(browser, html / "index.html", width=390)
    page.locator("button.primary-toggle").click()
    page.wait_for_timeout(400)
    page.mouse.click(370, 600)
    page.wait_for_timeout(400)
    assert not is_open(page, DRAWERS["primary"])
    page.locator("button.primary-toggle").click()
    page.locator(".bd-sidebar-primary a", has_text="A landscape that forks").click()
    page.wait_for_url("**/chapters/04_toy_model.html")
    page.close()


@needs_chromium
@pytest.mark.parametrize("name", [name for name in page_names() if name.startswith(("chapters/", "exercises/"))])
def test_notebook_can_be_downloaded(browser, html, name):
    page, _ = opened(browser, html / f"{name}.html")
    page.locator(".dropdown-download-buttons > button").click()
    link = page.locator("a.btn-download-source-button")
    assert link.is_visible()
    notebook = (html / f"{name}.html").parent / link.get_attribute("href")
    assert json.loads(notebook.resolve().read_text(encoding="utf-8"))["nbformat"] == 4
    page.close()
