"""Mends of the written pages: each makes its mend, once, and leaves the rest of a page as it
was.
"""

import base64
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from bs4 import BeautifulSoup

from valleys.book.extensions.accessible import BLEEDS, HINT, LEGIBLE, legible_width, mend
from valleys.book.figures.drawing.style import NOTE
from valleys.paths import book_root

PAGE = """<nav><ul><li><a href="#">1. Valleys</a><details><summary><span role="presentation"></span></summary><ul></ul></details></li></ul></nav>
<div class="bd-sidebar-primary"></div><div class="bd-sidebar-secondary"></div>
<script>document.write(`<button class="btn search-button-field x" title="Search" aria-label="Search">Search</button>`);</script>
<article><h1>One &amp; two</h1>
<details class="hide"><summary aria-label="Toggle hidden content"><p>Show code</p></summary></details>
<table><thead><tr><th class="head"><p></p></th><th><p>runs</p></th></tr></thead></table>
<div class="citation-list" role="list"><div class="citation" role="doc-biblioentry"></div></div>
<figure><img alt="a" src="figure.svg"><figcaption><p><span class="caption-number">Fig. 1.2 </span>What</p></figcaption></figure>
<p><img alt="b" src="logo.png"></p>
<div class="math">\\[x\\]</div>
<h2>1. Two at once<a href="#">#</a></h2>
<div class="exercise"><p class="admonition-title"><span>Exercise</span> (Two at once)</p><section id="exercise-content">Do</section></div><div class="exercise"><p class="admonition-title">Exercise 2 (Three)</p></div><div class="solution"><p class="admonition-title">Solution to<a href="#"> Exercise 2</a></p></div><div class="exercise"><section id="exercise-content">Do</section></div>
</article>"""  # noqa: E501


def mended(text: str, path: Path) -> str:
    page = BeautifulSoup(text, "html.parser")
    mend(page, path)
    return str(page)


@pytest.fixture
def page(tmp_path) -> BeautifulSoup:
    draw(tmp_path / "figure.svg", width=8.0, height_of_text=10)
    return BeautifulSoup(mended(PAGE, tmp_path / "page.html"), "html.parser")


def draw(path: Path, *, width: float, height_of_text: float) -> None:
    figure = plt.figure(figsize=(width, 2))
    figure.text(0.5, 0.5, "text", fontsize=height_of_text)
    figure.text(0.5, 0.8, "$x_0$", fontsize=2 * height_of_text)
    figure.savefig(path, metadata={"Date": None}, bbox_inches=None)
    plt.close(figure)


def test_what_folds_is_named(page):
    assert page.select_one("nav summary")["aria-label"] == "Pages of 1. Valleys"
    assert "aria-label" not in page.select_one("article summary").attrs
    assert 'aria-label="Search"' not in page.script.string


def test_tables_lists_and_side_bar_tell_what_they_are(page):
    empty, head = page.select("thead > tr > *")
    assert (empty.name, head.name, head["scope"]) == ("td", "th", "col")
    assert page.select_one(".citation-list > [role=listitem]") is not None
    assert page.select_one(".bd-sidebar-primary")["role"] == "complementary"


def test_figure_gets_a_frame_and_its_caption_number(page):
    frame = page.select_one("figure > .figure-frame")
    assert frame["data-name"] == "Fig. 1.2"
    assert frame.img["alt"] == "a"
    assert frame.find_next_sibling()["aria-hidden"] == "true"
    assert page.select_one("p > img") is not None  # no text in it that could be too small


def test_a_figure_of_a_page_without_a_number_has_none(tmp_path):
    draw(tmp_path / "figure.svg", width=8.0, height_of_text=10)
    page = mended(PAGE.replace("Fig. 1.2", "Fig. 3"), tmp_path / "page.html")
    assert "caption-number" not in page
    assert "caption-number" in mended(PAGE, tmp_path / "page.html")


def test_only_a_wide_figure_reaches_into_the_margin(tmp_path):
    def classes(width: float, page: str = PAGE) -> list[str]:
        draw(tmp_path / "figure.svg", width=width, height_of_text=10)
        tree = BeautifulSoup(mended(page, tmp_path / "page.html"), "html.parser")
        return tree.select("figure")[0].get_attribute_list("class")

    assert classes(7.0) == []
    assert classes(7.4) == [BLEEDS]
    # there the theme has no contents to take away
    assert classes(7.4, PAGE.replace("bd-sidebar-secondary", "")) == []


def test_formula_that_may_be_cut_has_a_hint(page):
    assert [hint.get_text() for hint in page.select("div.math + .figure-hint")] == [
        HINT.format("formula")
    ]


@pytest.mark.parametrize(("n_columns", "bleeds"), [(4, False), (6, True)])
def test_table_that_may_be_cut_says_so_above_it_and_a_broad_one_reaches_into_the_margin(
    tmp_path, n_columns, bleeds
):
    row = "".join(f"<td>{'a word ' * 5}</td>" for _ in range(n_columns))
    draw(tmp_path / "figure.svg", width=4, height_of_text=10)
    table = f'<div class="pst-scrollable-table-container"><table><tr>{row}</tr></table></div>'
    for around, expected in ((table, bleeds), (f"<details>{table}</details>", False)):
        page = PAGE.replace("</article>", f"{around}</article>")
        tree = BeautifulSoup(mended(page, tmp_path / "page.html"), "html.parser")
        frame = tree.select_one(".figure-hint + .pst-scrollable-table-container")
        assert frame.find_previous_sibling().get_text() == HINT.format("table")
        assert (BLEEDS in frame["class"]) is expected


def test_no_two_parts_share_a_name(page):
    names = [tag["id"] for tag in page.select("[id]")]
    assert len(names) == len(set(names))


def test_an_exercise_has_the_title_of_its_heading_once_and_another_title_stays(page):
    titles = [title.get_text() for title in page.select("div.exercise > p.admonition-title")]
    assert titles == ["Exercise", "Exercise 2 (Three)"]
    solution = page.select_one("div.solution > p")
    assert (solution.get_text(), solution.a.get_text()) == ("Solution to Exercise 2", "Exercise 2")


def test_second_mend_changes_nothing(tmp_path):
    draw(tmp_path / "figure.svg", width=8.0, height_of_text=10)
    once = mended(PAGE, tmp_path / "page.html")
    assert mended(once, tmp_path / "page.html") == once
    assert "One &amp; two" in once


@pytest.mark.parametrize(("width", "height_of_text"), [(8.0, 10.0), (12.0, 8.5)])
def test_legible_width_follows_from_the_smallest_text(tmp_path, width, height_of_text):
    draw(tmp_path / "figure.svg", width=width, height_of_text=height_of_text)
    # the figure is so many points wide, its text so many points high
    expected = LEGIBLE * width * 72 / height_of_text
    assert legible_width((tmp_path / "figure.svg").read_text()) == pytest.approx(expected, abs=1)


def test_figure_inside_the_page_is_measured_too(tmp_path):
    draw(tmp_path / "figure.svg", width=8.0, height_of_text=10)
    embedded = base64.b64encode((tmp_path / "figure.svg").read_bytes()).decode()
    page = f'<article><img alt="a" src="data:image/svg+xml;base64,{embedded}"></article>'
    assert f"--legible-width: {legible_width((tmp_path / 'figure.svg').read_text())}px" in mended(
        page, tmp_path / "page.html"
    )


def luminance(colour: str) -> float:
    """Of the definition behind contrast ratios (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_small_print_of_figures_stands_out_on_both_grounds():
    style = (book_root() / "_static" / "valleys.css").read_text()
    card = re.findall(r"background: (#\w{6})", style)[0]
    for ground in ("#ffffff", card):
        assert (luminance(ground) + 0.05) / (luminance(NOTE) + 0.05) >= 4.5


def test_lines_of_a_long_signature_are_no_list_of_definitions(tmp_path):
    text = '<article><dl><dt class="sig">f(<dl><dd>x,</dd><dd>y</dd></dl>)</dt><dd>says</dd></dl></article>'  # noqa: E501
    once = mended(text, tmp_path / "page.html")
    page = BeautifulSoup(once, "html.parser")
    assert [line.get_text() for line in page.select("dt div.sig-lines > div")] == ["x,", "y"]
    assert page.select("dt dl, dt dd") == []
    assert [says.get_text() for says in page.select("article > dl > dd")] == ["says"]
    assert mended(once, tmp_path / "page.html") == once
