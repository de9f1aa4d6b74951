"""The book as a reader builds it, once for all tests of the site: every notebook runs, pages are built, and a real browser reads each of them once."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.sharing import base_of, made_once
from tests.site.browsing import CHROMIUM
from tests.site.visiting import Visit, Visits, visit
from valleys.book import editions, runner, shipping, site, store
from valleys.book.chapters import all_chapters, all_exercises
from valleys.book.paths import RESULTS_VARIABLE, SHIPPED_VARIABLE, book_root
from valleys.book.pdf import QUIET
from valleys.book.repository import Address
from valleys.book.sizes import run_parameters
from valleys.nets.datasets import DATA_VARIABLE

SIZE = "paper"  # of the book that is read: what `make book` builds
SHIPPED = book_root() / "results" / "paper"
PUBLIC = Address("some-owner", "valleys", "v1.0")


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """Folder of what all processes of this test run share."""
    return base_of(tmp_path_factory)


def execute(folder: Path) -> None:
    """Run every notebook; chapters find nothing but the results that come with the book, no data and no folder of earlier results."""
    outdated = [name for name in sorted(shipping.names(SHIPPED)) if not store.is_current(store.key_of(SHIPPED / name))]
    assert not outdated, f"the code behind {outdated[0]} and {len(outdated) - 1} others has changed since: run `make results`"
    values, notebooks = run_parameters(all_chapters(), SIZE), all_chapters() | all_exercises()
    work = {name: (notebook, values.get(name, {})) for name, notebook in notebooks.items()}
    own = {DATA_VARIABLE: str(folder / "data"), RESULTS_VARIABLE: str(folder / "results"), SHIPPED_VARIABLE: str(SHIPPED)}
    outcomes = list(runner.run_chapters(work, folder / "notebooks", environment=own))
    assert [outcome.line() for outcome in outcomes if outcome.failure] == []
    assert len(outcomes) == len(notebooks) == 2 * len(all_chapters())  # each chapter has its exercises


@pytest.fixture(scope="session")
def run_from_shipped(shared) -> Path:
    """Where every notebook was run: `notebooks`, and `results` and `data` if anything was computed or wanted."""
    return made_once(shared / "executed", execute)


@pytest.fixture(scope="session")
def executed(run_from_shipped) -> Path:
    """Executed copies of every notebook, chapters at the published size from the shipped results."""
    return run_from_shipped / "notebooks"


def built(executed: Path, folder: Path, **options: object) -> None:
    """The pages of executed notebooks, with warnings as errors."""
    site.assemble(executed, folder / "source", **options)
    site.build(folder / "source", folder)


@pytest.fixture(scope="session")
def html(executed, shared) -> Path:
    """The site."""
    return made_once(shared / "site", lambda folder: built(executed, folder)) / "_build" / "html"


@pytest.fixture(scope="session")
def public(executed, shared) -> Path:
    """The site of a book with a public address."""
    return made_once(shared / "public", lambda folder: built(executed, folder, address=PUBLIC)) / "_build" / "html"


@pytest.fixture(scope="session")
def student_html(executed, shared) -> Path:
    """The site of the student edition, from the same executed chapters; its sources lie beside it."""

    def make(folder: Path) -> None:
        editions.lay_out_student(book_root(), folder / "student")
        built(executed, folder, root=folder / "student")

    return made_once(shared / "student_site", make) / "_build" / "html"


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def visits(html: Path, browser: Browser) -> Visits:
    """What each page showed, which is opened when it is first asked for."""
    seen: dict[str, Visit] = {}

    def visited(name: str) -> Visit:
        if name not in seen:
            seen[name] = visit(browser, html / f"{name}.html")
        return seen[name]

    return visited
