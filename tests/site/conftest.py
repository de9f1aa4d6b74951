"""The whole book at smoke size, once for all tests of the site: notebooks run, pages are built, and a real browser is there to read them."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.site.browsing import CHROMIUM
from valleys.book import editions, runner, site
from valleys.book.chapters import all_chapters, all_exercises
from valleys.book.paths import RESULTS_VARIABLE, SHIPPED_VARIABLE, book_root
from valleys.book.pdf import QUIET
from valleys.book.sizes import run_parameters


@pytest.fixture(scope="session")
def executed(tmp_path_factory) -> Path:
    """Executed copies of every notebook, chapters at smoke size, computed afresh."""
    folder = tmp_path_factory.mktemp("executed")
    nowhere = {variable: str(tmp_path_factory.mktemp("results")) for variable in (RESULTS_VARIABLE, SHIPPED_VARIABLE)}  # of the chapters alone
    notebooks = all_chapters() | all_exercises()
    values = run_parameters(all_chapters(), "smoke")
    work = {name: (notebook, values.get(name, {})) for name, notebook in notebooks.items()}
    outcomes = list(runner.run_chapters(work, folder, environment=nowhere))
    failed = [outcome.line() for outcome in outcomes if outcome.failure]
    assert failed == []
    assert len(outcomes) == len(notebooks) == 2 * len(all_chapters())  # each chapter has its exercises
    return folder


@pytest.fixture(scope="session")
def html(executed, tmp_path_factory) -> Path:
    """The site, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    site.assemble(executed, folder / "source")
    return site.build(folder / "source", folder)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def student_html(executed, tmp_path_factory) -> Path:
    """The site of the student edition, from the same executed chapters; its sources lie beside it."""
    folder = tmp_path_factory.mktemp("student_site")
    editions.lay_out_student(book_root(), folder / "student")
    site.assemble(executed, folder / "source", root=folder / "student")
    return site.build(folder / "source", folder)
