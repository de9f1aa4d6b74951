"""The search finds what the book holds, from its page and from the button, without a network."""

import pytest

from tests.site.browsing import needs_chromium, opened


def results(page) -> list[str]:
    # the page adds results one by one and says at the end how many there are
    page.wait_for_function(
        "document.querySelector('.search-summary')?.textContent.includes('Search finished')"
    )
    return page.locator("#search-results li a").all_inner_texts()


@needs_chromium
@pytest.mark.parametrize(
    ("word", "title"),
    [
        ("freezing", "Stopping the noise"),
        ("hessian", "A landscape that forks"),
        ("jaccard", "One start, many valleys"),
    ],
)
def test_word_leads_to_its_chapter(browser, html, word, title):
    page, complaints = opened(browser, html / "search.html")
    page.goto((html / "search.html").as_uri() + f"?q={word}")
    assert any(title in result for result in results(page))
    assert complaints == []
    page.close()


@needs_chromium
def test_word_that_no_page_holds_finds_nothing(browser, html):
    page, _ = opened(browser, html / "search.html")
    page.goto((html / "search.html").as_uri() + "?q=xylophone")
    page.wait_for_function(
        "document.querySelector('.search-summary')?.textContent.includes('did not match')"
    )
    assert page.locator("#search-results li").count() == 0
    page.close()


@needs_chromium
@pytest.mark.parametrize("way", ["click", "keys"])
def test_dialog_opens_takes_the_word_and_leads_to_results(browser, html, way):
    page, complaints = opened(browser, html / "pages" / "cite.html")
    page.locator("button.search-button-field").click() if way == "click" else page.keyboard.press(
        "Control+k"
    )
    assert page.evaluate("document.activeElement.id") == "search-input"
    page.keyboard.type("freezing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=freezing")
    assert len(results(page)) > 3
    assert complaints == []
    page.close()


@needs_chromium
def test_dialog_closes_by_escape(browser, html):
    page, _ = opened(browser, html / "index.html", width=390)
    page.locator("button.search-button").locator("visible=true").first.click()
    assert page.locator("#search-input").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#search-input").is_visible()
    page.close()
