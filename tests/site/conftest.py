"""The book as a reader builds it, and a real browser that reads each of its pages once."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.sharing import base_of, made_once
from tests.site import axe, making
from tests.site.browsing import CHROMIUM
from tests.site.visiting import Visit, Visits, visit
from valleys.book.editions import copies
from valleys.book.print.pdf import QUIET
from valleys.book.site.repository import Address
from valleys.paths import book_root

PUBLIC = Address("some-owner", "valleys", "v1.0")


def is_whole(session: pytest.Session) -> bool:
    """Whether tests were chosen that need the exercises of every chapter executed."""
    return any(item.get_closest_marker("slow") for item in session.items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to make the site where a chosen test wants it, so that other tests run meanwhile;
    one process of a test run does it.
    """
    if (
        getattr(session.config, "workerinput", {}).get("workerid", "gw0") != "gw0"
        or session.config.option.collectonly
    ):
        return
    if any("html" in item.fixturenames for item in session.items):
        command = [
            sys.executable,
            "-m",
            "tests.site.making",
            str(base_of(session.config._tmp_path_factory)),
            *(["whole"] if is_whole(session) else []),
        ]
        session.config.making = subprocess.Popen(
            command, cwd=book_root(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no process behind."""
    if process := getattr(session.config, "making", None):
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """Folder of what all processes of this test run share."""
    return base_of(tmp_path_factory)


@pytest.fixture(scope="session")
def run_from_shipped(shared, request) -> Path:
    """Where the notebooks were run: `notebooks`, and `results` and `data` if anything was
    computed or wanted.
    """
    return making.run_from_shipped(shared, whole=is_whole(request.session))


@pytest.fixture(scope="session")
def executed(run_from_shipped) -> Path:
    """Executed copies of the notebooks, chapters at the published size from the shipped results."""
    return run_from_shipped / "notebooks"


@pytest.fixture(scope="session")
def html(shared, request) -> Path:
    """The site."""
    return making.site_of(shared, whole=is_whole(request.session))


@pytest.fixture(scope="session")
def student_html(executed, shared) -> Path:
    """The site of the student edition, from the same executed chapters; its sources lie beside
    it.
    """

    def make(folder: Path) -> None:
        copies.lay_out_student(book_root(), folder / "student")
        making.build(executed, folder, root=folder / "student")

    return made_once(shared / "student_site", make) / "_build" / "html"


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def visits(html: Path, browser: Browser, request) -> Visits:
    """What each page showed, which is opened when it is first asked for; axe-core sees all of them
    where slow tests were chosen.
    """
    seen: dict[str, Visit] = {}

    def views(name: str) -> axe.Views:
        is_wanted = axe.SCRIPT.exists() and (name in axe.QUICK or is_whole(request.session))
        return axe.views(name) if is_wanted else {}

    def visited(name: str) -> Visit:
        if name not in seen:
            seen[name] = visit(browser, html / f"{name}.html", views(name))
        return seen[name]

    return visited
