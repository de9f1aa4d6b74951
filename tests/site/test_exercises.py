"""The pages of exercises in a browser: solutions are folded with their code, unfold at a click,
and checks stay in sight.
"""

import nbformat
import pytest

from tests.site.browsing import needs_chromium, opened
from tests.site.making import EXERCISES
from tests.site.test_pages import parsed
from valleys.book.chapters import all_exercises

VISIBLE = """(selector) => [...document.querySelectorAll(selector)].map((cell) =>
  cell.getBoundingClientRect().height > 0 && getComputedStyle(cell).visibility !== "hidden")"""
INSIDE, CHECKS = "div.solution div.cell", ".tag_check"


@pytest.mark.slow
@pytest.mark.parametrize("name", all_exercises())
def test_each_exercise_has_a_folded_solution_with_its_code_and_checks_outside(html, name):
    page = parsed(html, f"exercises/{name}")
    solutions = page.select("div.solution.dropdown")
    assert (
        len(solutions) == len(page.select("div.solution")) == len(page.select("div.exercise")) >= 5
    )
    assert page.select(CHECKS)
    assert page.select(f"div.solution {CHECKS}") == []
    inside = page.select(INSIDE)
    assert len(page.select(".tag_solution, .tag_solution-demo")) == len(inside) > 0


@needs_chromium
def test_solutions_unfold_with_their_code(html, browser):
    page, complaints = opened(browser, html / f"{EXERCISES}.html", width=390, dark=True)
    assert not any(page.evaluate(VISIBLE, INSIDE))
    checks = page.evaluate(VISIBLE, CHECKS)
    assert checks
    assert all(checks)
    for button in page.locator("div.solution button.toggle-button").all():
        button.click()
    unfolded = page.evaluate(VISIBLE, INSIDE)
    assert unfolded
    assert all(unfolded)
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
