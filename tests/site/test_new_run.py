"""A reader's own run ends as a page that opens from the disk, quiet and complete, in the look of
the book.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.commands import refused
from tests.site.browsing import needs_chromium, opened
from tests.site.visiting import DRAWN, FETCH
from valleys.book.site import book_links
from valleys.book.site.check import anchors, broken_links, external_assets
from valleys.paths import book_root

SMALL = {
    "n_runs": 16,
    "n_steps": 2000,
    "control_runs": 16,
    "control_duration": 20.0,
    "squared_grid": 3,
    "squared_runs": 16,
    "contrast_runs": 64,
    "contrast_steps": 6000,
}


def slow(test):
    """Mark a test of the run below, which takes half a minute."""
    return pytest.mark.slow(pytest.mark.xdist_group("new run")(test))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a small run of chapter 4, moved elsewhere, and how the command ended."""
    folder = tmp_path_factory.mktemp("reader")
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    command = [
        sys.executable,
        "-m",
        "valleys",
        "new-run",
        "--chapter",
        "toy_model",
        "--size",
        "smoke",
        *settings,
        "--out",
        str(folder / "first" / "my run"),
    ]
    environment = os.environ | {
        "VALLEYS_RESULTS": str(folder / "results"),
        "VALLEYS_SHIPPED": str(folder / "shipped"),
    }
    finished = subprocess.run(
        command,
        cwd=book_root(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    shutil.move(folder / "first" / "my run", folder / "moved")
    return folder / "moved", finished


@slow
def test_checks_that_fail_are_told_in_a_line_and_by_the_exit_status(made):
    folder, finished = made
    record = yaml.safe_load((folder / "run.yml").read_text(encoding="utf-8"))
    assert record["set"] == SMALL
    assert finished.returncode == (3 if record["broken"] else 0)
    assert record["broken"], "so short a run cannot show the rise of the map"
    assert (
        finished.stderr.strip()
        .splitlines()[-1]
        .startswith(f"valleys: {len(record['broken'])} of 3 cells of checks")
    )


@slow
@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_page_is_quiet_complete_and_fits(browser, made, width):
    page, complaints = opened(browser, made[0] / "04_toy_model.html", width=width)
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-merror").count() == 0
    page.evaluate(FETCH)
    drawn = page.evaluate(DRAWN)
    assert len(drawn) > 3
    assert all(drawn)
    assert page.locator("article .cell_input:visible").count() == 0
    told = page.locator(".admonition.variation").inner_text()
    assert "n_steps" in told
    assert "2000" in told
    assert "assert " in told
    page.close()


@slow
def test_page_fetches_nothing_and_its_own_links_lead_somewhere(made):
    path = made[0] / "04_toy_model.html"
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    assert list(external_assets(page)) == []
    assert [
        problem
        for problem in broken_links(path, page, {path: anchors(page)})
        if "_build/html" not in problem
    ] == []
    linked = set(
        re.findall(
            r"\{doc\}`(?:\.\./)?(\w+/)?(\w+)`",
            (book_root() / "chapters" / "04_toy_model.ipynb").read_text(encoding="utf-8"),
        )
    )
    assert linked
    for folder, name in linked:  # as a link where the book is built, as a title where it is not
        assert book_links.title(f"{folder or 'chapters/'}{name}") in page.get_text()


def test_refusals_are_one_line_each(tmp_path):
    out, earlier = tmp_path / "out", tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "run.yml").touch()
    assert "01_landscape" in refused("new-run", "--chapter", "toy", "--out", str(out))
    assert "contrast_ratios" in refused(
        "new-run", "--chapter", "toy_model", "--set", "n_rums=3", "--out", str(out)
    )
    assert "n_runs" in refused(
        "new-run", "--chapter", "toy_model", "--set", "n_runs=-3", "--out", str(out)
    )
    assert "--force" in refused(
        "new-run", "--chapter", "toy_model", "--set", "n_runs=4", "--out", str(earlier)
    )
    assert not out.exists()
