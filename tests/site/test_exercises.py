"""The pages of exercises in a browser: solutions are folded with their code, unfold at a click,
and checks stay in sight.
"""

import nbformat
import pytest

from tests.site.browsing import needs_chromium, opened
from tests.site.making import EXERCISES
from valleys.book.chapters import all_exercises

VISIBLE = """(selector) => [...document.querySelectorAll(selector)].map((cell) =>
  cell.getBoundingClientRect().height > 0 && getComputedStyle(cell).visibility !== "hidden")"""
INSIDE, CHECKS = "div.solution div.cell", ".tag_check"


@needs_chromium
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if EXERCISES.endswith(name) else pytest.mark.slow)
        for name in all_exercises()
    ],
)
def test_solutions_unfold_with_their_code(html, browser, name):
    page, complaints = opened(browser, html / "exercises" / f"{name}.html", width=390, dark=True)
    assert page.locator("div.solution").count() == page.locator("div.exercise").count() >= 5
    assert not any(page.evaluate(VISIBLE, INSIDE))
    assert all(page.evaluate(VISIBLE, CHECKS))
    assert page.locator("div.solution .tag_check").count() == 0
    for button in page.locator("div.solution button.toggle-button").all():
        button.click()
    unfolded = page.evaluate(VISIBLE, INSIDE)
    assert all(unfolded)
    assert page.locator(".tag_solution, .tag_solution-demo").count() == len(unfolded) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    page.close()


@pytest.mark.slow
def test_checks_pass_on_the_solutions(executed):
    for name in all_exercises():
        cells = nbformat.read(executed / f"{name}.ipynb", as_version=4).cells
        checks = [cell for cell in cells if "check" in cell.metadata.get("tags", [])]
        assert checks
        assert all(
            cell.execution_count
            and not [output for output in cell.outputs if output.output_type == "error"]
            for cell in checks
        )
