"""Every page of the site is complete and quiet, asks no other host for anything, and draws its formulas and figures."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.site.browsing import needs_chromium, opened
from valleys.book import site
from valleys.book.chapters import all_chapters, page_names
from valleys.book.check import check_site
from valleys.book.paths import book_root
from valleys.book.sizes import run_parameters


def test_site_is_in_order(html):
    assert check_site(html) == []


def test_alt_text_of_every_figure_tells_a_number(html):
    for name in page_names():
        page = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for figure in page.select("article figure img"):
            assert re.search(r"\d", figure["alt"]), f"{name}: {figure['alt']}"
            assert not re.search(r"[{}]", figure["alt"]), f"{name}: {figure['alt']}"


def test_no_page_holds_settings_of_thebe(html):
    pages = sorted(html.rglob("*.html"))
    assert len(pages) > len(page_names())
    assert [page for page in pages if re.search("thebe-config|jupyter-stacks|kernelName", page.read_text(encoding="utf-8"))] == []


def test_site_offers_each_notebook_and_a_search(html):
    for name in all_chapters():
        assert f"{name}.ipynb" in (html / "chapters" / f"{name}.html").read_text()
        assert (html / "_sources" / "chapters" / f"{name}.ipynb").exists()
    assert (html / "searchindex.js").exists()


def test_assembling_without_executed_chapters_is_refused(tmp_path):
    with pytest.raises(site.BookError, match="run the chapters first"):
        site.assemble(tmp_path / "nothing", tmp_path / "source")


@pytest.mark.parametrize("folder", ["", "chapters"])
def test_papermill_works_from_the_root_and_from_the_chapters(folder, tmp_path):
    values = run_parameters(all_chapters(), "smoke")["04_toy_model"] | {"seed": 1}
    notebook = os.path.relpath(book_root() / "chapters" / "04_toy_model.ipynb", book_root() / folder)
    command = [sys.executable, "-m", "papermill", notebook, str(tmp_path / "out.ipynb"), "-y", yaml.safe_dump(values)]
    environment = os.environ | {"VALLEYS_RESULTS": str(tmp_path), "VALLEYS_SHIPPED": str(tmp_path)}
    subprocess.run(command, cwd=book_root() / folder, env=environment, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "out.ipynb").exists()


@needs_chromium
@pytest.mark.parametrize("name", [*page_names(), "search", "genindex"])
def test_page_is_quiet_and_stays_at_home(browser, html, name):
    page, complaints = opened(browser, html / f"{name}.html")
    assert complaints == []  # of the console, of scripts, and of requests that leave this machine
    page.close()


@needs_chromium
@pytest.mark.parametrize("name", [name for name in page_names() if name.startswith("chapters/")])
def test_formulas_and_figures_are_drawn(browser, html, name):
    page, complaints = opened(browser, html / f"{name}.html")
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-merror").count() == 0
    drawn = page.evaluate("[...document.querySelectorAll('article figure img')].map(image => image.complete && image.naturalWidth > 0)")
    assert drawn
    assert all(drawn)
    assert complaints == []
    page.close()
