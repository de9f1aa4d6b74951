"""The page is light or dark as the system says, or as the reader chose, on this page and on the
next.
"""

import pytest

from tests.site.browsing import needs_chromium, opened

MODES = ["auto", "light", "dark"]


def brightness(page) -> float:
    """Of the page behind the text, from 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def chosen(page) -> tuple[str, str]:
    """What the reader chose, and what that comes to."""
    return page.evaluate(
        "[document.documentElement.dataset.mode, document.documentElement.dataset.theme]"
    )


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_page_follows_the_system(browser, html, dark):
    page, _ = opened(browser, html / "pages" / "cite.html", dark=dark)
    assert chosen(page) == ["auto", "dark" if dark else "light"]
    assert (brightness(page) < 60) == dark
    page.close()


@needs_chromium
def test_button_goes_through_all_modes(browser, html):
    page, complaints = opened(browser, html / "index.html")
    seen = [chosen(page)[0]]
    for _ in MODES:
        page.locator("button.theme-switch-button").click()
        seen.append(chosen(page)[0])
        assert (brightness(page) < 60) == (chosen(page)[1] == "dark")
    assert sorted(seen[:3]) == sorted(MODES)
    assert seen[3] == "auto"
    assert complaints == []
    page.close()


@needs_chromium
def test_choice_survives_a_change_of_page(browser, html):
    page, _ = opened(browser, html / "index.html")
    while chosen(page)[0] != "dark":
        page.locator("button.theme-switch-button").click()
    page.goto((html / "pages" / "cite.html").as_uri())
    assert chosen(page) == ["dark", "dark"]
    assert brightness(page) < 60
    page.close()


@needs_chromium
def test_without_scripts_each_figure_is_shown_once(browser, html):
    page = browser.new_page(java_script_enabled=False)
    page.goto((html / "chapters" / "04_toy_model.html").as_uri())
    shown = page.locator("article figure img:visible")
    assert shown.count() == page.locator("article figure").count() > 0
    page.close()
