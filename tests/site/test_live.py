"""Small live versions of the explorer: they load when a reader comes near, take the place of their
still pictures, and answer to their controls.
"""

import pytest
from playwright.sync_api import Page

from tests.site.browsing import needs_chromium, watched
from valleys.paths import book_root

pytestmark = needs_chromium

KINDS = ("swarm", "held", "race", "row")
PAGE = """<html data-theme="light"><body style="font-family: sans-serif"><p style="height: 1600px">Above.</p>
{places}<script src="{extra}/explorer/live.js" defer></script></body></html>"""  # noqa: E501
PLACE = """<div data-explorer="{kind}" data-still="live-{kind}" hidden></div>
<figure id="live-{kind}"><img src="{static}/live_{kind}.svg" alt="still"><figcaption>Words.</figcaption></figure><p style="height: 900px">Below.</p>"""  # noqa: E501


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    static, extra = ((book_root() / name).as_uri() for name in ("_static", "_extra"))
    places = "".join(PLACE.format(kind=kind, static=static) for kind in KINDS)
    path = tmp_path_factory.mktemp("live") / "page.html"
    path.write_text(PAGE.format(places=places, extra=extra), encoding="utf-8")
    return path


def near(page: Page, kind: str) -> None:
    page.locator(f"#live-{kind}").evaluate("(figure) => figure.scrollIntoView()")
    page.wait_for_selector(f"#live-{kind} .explorer-live", state="visible")


def said(page: Page, kind: str) -> list[str]:
    return page.locator(f"#live-{kind} .explorer-live-text").all_inner_texts()


def test_they_load_when_a_reader_comes_near_and_move(browser, path):
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    complaints = watched(page)
    page.goto(path.as_uri())
    assert page.evaluate("[...document.scripts].length") == 1
    assert page.locator("figure img:visible").count() == len(KINDS)
    near(page, "swarm")
    assert not page.locator("#live-swarm img").is_visible()
    assert page.locator("#live-race img").is_visible()
    before = said(page, "swarm")
    page.wait_for_function(
        "([place, before]) => document.querySelector(place).innerText !== before",
        arg=["#live-swarm .explorer-live-text", before[0]],
    )
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("document.querySelector('#live-swarm').getBoundingClientRect().top > 0")
    assert complaints == []
    page.close()


def test_controls_change_what_is_said_where_motion_is_unwanted_too(browser, path):
    page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    complaints = watched(page)
    page.goto(path.as_uri())
    for kind in KINDS:
        near(page, kind)
        live = page.locator(f"#live-{kind} .explorer-live")
        assert live.get_attribute("data-mode") == "paused"
        assert live.get_by_role("button", name="Play").is_visible()
        assert (
            live.get_by_role("slider").count() == {"swarm": 1, "held": 2, "race": 1, "row": 1}[kind]
        )
    assert [text.split(",")[0] for text in said(page, "race")] == [
        "Held at y = 3: flat share 0.50",
        "Now at y = 0.2: flat share 0.50",
    ]
    before = said(page, "held")
    page.get_by_role("slider", name="Place y").focus()
    page.keyboard.press("ArrowRight")
    assert "y = 7" in said(page, "held")[0] != before[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    page.close()
