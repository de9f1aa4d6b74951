"""The pages of exercises in a browser: solutions are folded with their code, unfold at a click, and checks stay in sight."""

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import all_exercises


@needs_chromium
@pytest.mark.parametrize("name", all_exercises())
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_solutions_unfold_with_their_code(html, browser, name, width, dark):
    page, complaints = opened(browser, html / "exercises" / f"{name}.html", width=width, dark=dark)
    solutions = page.locator("div.solution")
    assert solutions.count() == page.locator("div.exercise").count() >= 5
    inside = page.locator("div.solution div.cell")
    outside = page.locator(".tag_check")
    assert not any(cell.is_visible() for cell in inside.all())
    assert all(cell.is_visible() for cell in outside.all())
    assert page.locator("div.solution .tag_check").count() == 0
    for button in page.locator("div.solution button.toggle-button").all():
        button.click()
    assert all(cell.is_visible() for cell in inside.all())
    assert page.locator(".tag_solution, .tag_solution-demo").count() == inside.count()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    page.close()
