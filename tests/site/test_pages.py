"""Every page of the site is complete and quiet, asks no other host for anything, draws its formulas and figures, and is light."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup

from tests.site.browsing import needs_chromium
from tests.site.visiting import each_page
from valleys.book import site
from valleys.book.chapters import all_chapters, page_names
from valleys.book.check import check_site

BESIDES = ("search", "genindex")
LANDING, FRAME, TEXT, REQUESTS = 1_000_000, 700_000, 300_000, 35  # bytes of the landing page; of a page apart from text and figures; of its text; files


def test_chapters_from_the_shipped_results_need_no_data_and_compute_nothing(run_from_shipped):
    assert sorted(path.name for path in (run_from_shipped / "notebooks").glob("*.ipynb"))
    assert list((run_from_shipped / "results").rglob("*.nc")) == []
    assert not (run_from_shipped / "data").exists()


def test_site_is_in_order(html):
    assert check_site(html) == []


def test_alt_text_of_every_figure_tells_a_number(html):
    for name in page_names():
        page = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        figures = page.select("article figure img")
        assert figures or not name.startswith("chapters/")
        for figure in figures:
            assert re.search(r"\d", figure["alt"]), f"{name}: {figure['alt']}"
            assert not re.search(r"[{}]", figure["alt"]), f"{name}: {figure['alt']}"


def test_no_page_holds_settings_of_thebe(html):
    pages = sorted(html.rglob("*.html"))
    assert len(pages) > len(page_names())
    assert [page for page in pages if re.search("thebe-config|jupyter-stacks|kernelName", page.read_text(encoding="utf-8"))] == []


def test_site_offers_each_notebook_and_a_search(html):
    for name in all_chapters():
        assert f"{name}.ipynb" in (html / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        assert (html / "_sources" / "chapters" / f"{name}.ipynb").exists()
    assert (html / "searchindex.js").exists()


def test_site_does_not_carry_what_no_page_uses(html):
    assert not (html / "_static" / "vendor" / "fontawesome").exists()


def test_assembling_without_executed_chapters_is_refused(tmp_path):
    with pytest.raises(site.BookError, match="run the chapters first"):
        site.assemble(tmp_path / "nothing", tmp_path / "source")


@needs_chromium
@each_page(besides=BESIDES)
def test_page_is_quiet_and_stays_at_home(visits, name):
    assert visits(name).complaints == []  # of the console, of scripts, and of requests that leave this machine


@needs_chromium
@each_page("chapters/")
def test_formulas_and_figures_are_drawn(visits, name):
    seen = visits(name)
    assert seen.n_formulas > 0
    assert seen.n_formula_errors == 0
    assert seen.drawn
    assert all(seen.drawn)


@needs_chromium
@each_page()
def test_frame_of_a_page_is_light(visits, html, name):
    sizes = {file: size for file, size in visits(name).files.items() if "_images" not in file.parts}
    assert len(sizes) <= REQUESTS
    assert sizes.pop(html / f"{name}.html") <= TEXT
    assert sum(sizes.values()) <= FRAME, sorted(sizes.items(), key=lambda item: -item[1])[:8]


@needs_chromium
@pytest.mark.xdist_group("index")
def test_landing_page_is_light(visits, html):
    sizes = visits("index").files
    assert html / "index.html" in sizes
    assert sum(sizes.values()) <= LANDING, sorted(sizes.items(), key=lambda item: -item[1])[:8]


@needs_chromium
@each_page()
def test_buttons_lead_to_the_next_page_and_the_one_before(visits, html, name):
    pages = [(html / f"{each}.html").as_uri() for each in page_names()]
    place = page_names().index(name)
    assert visits(name).links["next"] == pages[place + 1 : place + 2]
    assert visits(name).links["previous"] == pages[max(place - 1, 0) : place]


@needs_chromium
@each_page("chapters/", "exercises/")
def test_notebook_can_be_downloaded(visits, name):
    (address,) = visits(name).links["source"]
    notebook = json.loads(Path(unquote(urlparse(address).path)).read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])
