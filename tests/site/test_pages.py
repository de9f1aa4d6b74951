"""Every page of the site is complete and quiet, asks no other host for anything, draws its
formulas and figures, and is light.
"""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup

from tests.site.browsing import needs_chromium
from tests.site.making import EXERCISES
from tests.site.visiting import each_page
from valleys.book.chapters import all_chapters, page_names
from valleys.book.extensions.disclosures import FOLD
from valleys.book.site import builder
from valleys.book.site.check import check_site
from valleys.paths import book_root

BESIDES = ("search", "genindex")
# bytes of the landing page; of what all pages load; of the text of one; files
LANDING, FRAME, TEXT, REQUESTS = 1_000_000, 700_000, 300_000, 35
ROWS = {"pages/ledger": 350_000}  # of which each of its 160 claims has some 1,500
# bytes of scripts and styles that one page alone loads; where they lie
OWN, OWN_FOLDERS = 120_000, {path.name for path in (book_root() / "_extra").iterdir()}


@cache
def parsed(html: Path, name: str) -> BeautifulSoup:
    """A page, read once for all tests, which takes a while; none of them changes it."""
    return BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def squeezed(code: str) -> str:
    """Code without the space that a page may set otherwise."""
    return re.sub(r"\s+", "", code)


def test_chapters_from_the_shipped_results_need_no_data_and_compute_nothing(run_from_shipped):
    assert sorted(path.name for path in (run_from_shipped / "notebooks").glob("*.ipynb"))
    assert list((run_from_shipped / "results").rglob("*.nc")) == []
    assert not (run_from_shipped / "data").exists()


def test_site_is_in_order(html):
    assert (
        check_site(
            html, read=lambda path: parsed(html, path.relative_to(html).with_suffix("").as_posix())
        )
        == []
    )


def test_alt_text_of_every_figure_tells_a_number(html):
    for name in page_names():
        page = parsed(html, name)
        figures = page.select("article figure img")
        assert figures or not name.startswith("chapters/")
        for figure in figures:
            assert re.search(r"\d", figure["alt"]), f"{name}: {figure['alt']}"
            assert not re.search(r"[{}]", figure["alt"]), f"{name}: {figure['alt']}"


def test_no_page_holds_settings_of_thebe(html):
    pages = sorted(html.rglob("*.html"))
    assert len(pages) > len(page_names())
    assert [
        page
        for page in pages
        if re.search("thebe-config|jupyter-stacks|kernelName", page.read_text(encoding="utf-8"))
    ] == []


def test_site_offers_each_notebook_and_a_search(html):
    for name in all_chapters():
        assert f"{name}.ipynb" in (html / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        assert (html / "_sources" / "chapters" / f"{name}.ipynb").exists()
    assert (html / "searchindex.js").exists()


def test_site_does_not_carry_what_no_page_uses(html):
    assert not (html / "_static" / "vendor" / "fontawesome").exists()


def test_assembling_without_executed_chapters_is_refused(tmp_path):
    with pytest.raises(builder.BookError, match="run the chapters first"):
        builder.assemble(tmp_path / "nothing", tmp_path / "source")


@needs_chromium
@each_page(besides=BESIDES)
def test_page_is_quiet_and_stays_at_home(visits, name):
    # of the console, of scripts, and of requests that leave this machine
    assert visits(name).complaints == []


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
    sizes = {
        file: size
        for file, size in visits(name).files.items()
        if not {"_images", "thumbnails", "mathjax"} & set(file.parts)
    }
    assert len(sizes) <= REQUESTS
    assert sizes.pop(html / f"{name}.html") <= ROWS.get(name, TEXT)
    own = {
        file: sizes.pop(file)
        for file in list(sizes)
        if file.relative_to(html).parts[0] in OWN_FOLDERS
    }
    assert sum(own.values()) <= OWN
    assert sum(sizes.values()) <= FRAME, sorted(sizes.items(), key=lambda item: -item[1])[:8]


@needs_chromium
@each_page()
def test_only_pages_with_formulas_load_what_sets_them(visits, name):
    seen = visits(name)
    assert (seen.n_formulas > 0) == any("mathjax" in file.parts for file in seen.files)


@needs_chromium
@pytest.mark.xdist_group("index")
def test_landing_page_is_light(visits, html):
    sizes = visits("index").files
    assert html / "index.html" in sizes
    assert sum(sizes.values()) <= LANDING, sorted(sizes.items(), key=lambda item: -item[1])[:8]


@needs_chromium
@each_page()
def test_buttons_lead_from_chapter_to_chapter(visits, html, name):
    def first(names: list[str]) -> list[str]:
        return [
            (html / f"{each}.html").as_uri() for each in names if not each.startswith("exercises/")
        ][:1]

    place = page_names().index(name)
    assert visits(name).links["next"] == first(page_names()[place + 1 :])
    assert visits(name).links["previous"] == first(page_names()[:place][::-1])


def test_chapter_ends_with_the_way_to_its_exercises_and_the_side_bar_has_them_one_level_below(html):
    for name in all_chapters():
        page = parsed(html, f"chapters/{name}")
        exercises = f"../exercises/{name}_exercises.html"
        assert [link["href"] for link in page.select("article p.to-exercises a")] == [exercises]
        assert page.select_one(f"nav.bd-docs-nav li li > a[href='{exercises}']") is not None


def test_what_is_no_step_of_the_argument_has_no_number(html):
    for name in page_names():
        page = parsed(html, name)
        for entry in [
            *page.select("article h1, article h2"),
            *page.select("nav.page-toc a"),
            *page.select("nav.bd-docs-nav a"),
        ]:
            text = entry.get_text().strip().rstrip("#").strip()
            is_apart = re.fullmatch(r"[\d. ]*(Checks|Summary|References|Exercises\b.*)", text)
            assert not (is_apart and text[0].isdigit()), f"{name}: {text}"
        is_numbered = bool(re.match(r"\d", page.select_one("article h1").get_text()))
        assert is_numbered or not re.match(r"chapters/\d", name), name


def test_code_of_chapters_is_folded(html):
    for name in all_chapters():
        article = parsed(html, f"chapters/{name}").article
        code = article.select(".cell_input")
        assert code
        assert all(cell.find_parent("details", class_=FOLD) for cell in code)
        assert article.select("details.hide, article > section > p.provenance") == []
        figures = article.select("div.cell:has(figure)")
        assert figures
        for figure in figures:
            assert FOLD in figure.find_next_sibling().get("class", [])
            assert figure.find_next_sibling().select_one(".cell_input")


def test_folds_lose_no_line_of_code_and_keep_the_order(html):
    for name in all_chapters():
        notebook = json.loads(
            (html / "_sources" / "chapters" / f"{name}.ipynb").read_text(encoding="utf-8")
        )
        written = [
            "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"
        ]
        shown = [
            block.get_text()
            for block in parsed(html, f"chapters/{name}").select("article .cell_input pre")
        ]
        assert [squeezed(code) for code in shown] == [
            squeezed(code) for code in written if code.strip()
        ]


def test_exercises_show_the_code_that_is_there_to_be_worked_on(html):
    article = parsed(html, EXERCISES).article
    assert article.select(f"details.{FOLD}, details.hide") == []
    assert article.select(".cell_input")


def test_page_tells_what_it_is(html):
    told = {name: parsed(html, name) for name in page_names()}
    for name, page in told.items():
        (description,) = page.select("head meta[name=description]")
        assert 20 <= len(description["content"]) <= 300, name
    title, shared = (
        told["index"].title.get_text(),
        {
            tag["property"]: tag["content"]
            for tag in told["index"].select("head meta[property^='og:']")
        },
    )
    assert title == shared["og:title"]
    assert shared["og:description"] == told["index"].select_one("meta[name=description]")["content"]
    assert all(
        (html / picture).is_file()
        for name, picture in shared.items()
        if name == "og:image" and "://" not in picture
    )


def test_no_number_on_a_page_is_left_as_a_machine_prints_it(html):
    for name in page_names():
        for value in parsed(html, name).select("article :not(.provenance) > .pasted-text"):
            assert not re.search(
                r"(?<![\w.])-\d|\de[+-]\d|\d ?%|(?<![\w.])\d{5,}", value.get_text()
            ), f"{name}: {value.get_text()}"


@needs_chromium
@each_page("chapters/")
def test_values_are_as_quiet_as_their_sentences(visits, name):
    assert visits(name).loud == []


@needs_chromium
@each_page()
def test_code_fits_its_column_on_a_desk(visits, name):
    assert visits(name).sideways == []


@needs_chromium
@each_page("chapters/")
def test_wide_figures_reach_into_the_margin(visits, name):
    assert visits(name).widths
    assert all(shown >= min(drawn - 1, text + 100) for shown, drawn, text in visits(name).widths)


@needs_chromium
@each_page("chapters/", "exercises/")
def test_notebook_can_be_downloaded(visits, name):
    (address,) = visits(name).links["source"]
    notebook = json.loads(Path(unquote(urlparse(address).path)).read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])
