"""Folded code, solutions and parts of the contents open and close by click and by keyboard."""

import pytest

from tests.site.browsing import needs_chromium, opened

CHAPTER, EXERCISES = "chapters/01_landscape.html", "exercises/04_toy_model_exercises.html"


# As a reader finds a page: what is folded is shut, and the Tab key begins at the top.
AS_FOUND = """() => {
  document.querySelectorAll("article details[open]").forEach((fold) => { fold.open = false; });
  document.querySelectorAll("div.admonition.toggle:not(.toggle-hidden) button.toggle-button").forEach((button) => button.click());
  document.querySelector("a[href]").focus();
}"""  # noqa: E501


@pytest.fixture(scope="module")
def pages(browser, html):
    """Each page, opened once."""
    once = {name: opened(browser, html / name) for name in (CHAPTER, EXERCISES)}
    yield {name: page for name, (page, _) in once.items()}
    for page, complaints in once.values():
        page.close()
        assert complaints == []


@pytest.fixture
def page(pages, request):
    page = pages[request.param]
    page.emulate_media(media="screen")
    page.evaluate(AS_FOUND)
    return page


def press_until_at(page, selector: str) -> None:
    """Press the Tab key until it has come to an element."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key never comes to {selector}")


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("page", [CHAPTER], indirect=True)
def test_hidden_code_opens_by_click(page):
    fold = page.locator("details.code-fold").first
    code = fold.locator(".cell_input").first
    assert not code.is_visible()
    fold.locator("summary").click()
    assert code.is_visible()
    fold.locator("summary").click()
    assert not code.is_visible()


@needs_chromium
@pytest.mark.parametrize("page", [CHAPTER], indirect=True)
def test_hidden_code_opens_by_keyboard(page):
    press_until_at(page, "details.code-fold > summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Space")
    assert not page.evaluate("document.activeElement.parentElement.open")


@needs_chromium
@pytest.mark.parametrize("page", [CHAPTER], indirect=True)
def test_code_can_be_copied_by_keyboard_and_the_button_shows(page):
    press_until_at(page, "details.code-fold > summary")
    page.keyboard.press("Enter")
    press_until_at(page, "button.copybtn")
    page.wait_for_function("getComputedStyle(document.activeElement).opacity === '1'")


@needs_chromium
@pytest.mark.parametrize("page", [EXERCISES], indirect=True)
def test_solution_opens_by_keyboard(page):
    first = page.locator("div.solution").first
    inside = first.locator("section, .cell").first
    assert not inside.is_visible()
    press_until_at(page, "div.solution button.toggle-button")
    page.keyboard.press("Enter")
    assert inside.is_visible()


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("page", [CHAPTER], indirect=True)
def test_contents_fold_by_keyboard(page):
    press_until_at(page, "nav details:not([open]) > summary")
    page.keyboard.press("Enter")
    assert page.evaluate(
        "document.activeElement.nextElementSibling.querySelector('a').checkVisibility()"
    )


FOLDED = "div.admonition.toggle-hidden"


@needs_chromium
@pytest.mark.parametrize("page", [EXERCISES], indirect=True)
def test_each_button_is_called_by_the_title_of_its_box(page):
    script = (
        "[...document.querySelectorAll('div.admonition.toggle > .admonition-title')].map((title) "
        "=> title.innerText)"
    )
    titles = [" ".join(title.split()) for title in page.evaluate(script)]
    assert titles
    for title in titles:
        assert page.get_by_role("button", name=title, exact=True).count() == 1


@needs_chromium
@pytest.mark.parametrize("page", [EXERCISES], indirect=True)
def test_a_link_into_a_folded_box_opens_it(page):
    inside = page.locator(f"{FOLDED} section").first
    page.evaluate(
        "(selector) => { document.querySelector(selector).querySelector('section').id = "
        "'inside'; }",
        FOLDED,
    )
    assert not inside.is_visible()
    n_folded = page.locator(FOLDED).count()
    page.evaluate("location.hash = '#inside'")
    page.wait_for_selector("#inside", state="visible")
    assert page.locator(FOLDED).count() == n_folded - 1


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("page", [EXERCISES], indirect=True)
def test_an_address_into_a_folded_box_opens_it(browser, page):
    box = page.locator(FOLDED).first.get_attribute("id")
    assert page.locator(FOLDED).count() > 1
    window = browser.new_page()
    window.goto(f"{page.url.partition('#')[0]}#{box}")
    window.wait_for_function(
        "(id) => !document.getElementById(id).classList.contains('toggle-hidden')", arg=box
    )
    assert window.locator(FOLDED).count() > 0
    window.close()


@needs_chromium
@pytest.mark.parametrize("page", [EXERCISES], indirect=True)
def test_solutions_lie_open_on_paper(page):
    inside = page.locator(f"{FOLDED} section").first
    assert not inside.is_visible()
    page.emulate_media(media="print")
    assert inside.is_visible()
    assert inside.bounding_box()["height"] > 20
    assert page.locator("button.toggle-button:visible").count() == 0
