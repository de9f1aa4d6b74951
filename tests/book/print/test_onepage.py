"""The site as one page: folded solutions go to the end, folded code goes, and the contents list
what is there.
"""

import re

import pytest
from bs4 import BeautifulSoup

from valleys.book.print.onepage import one_page

FILES = {
    "_toc.yml": "root: index\nparts:\n  - caption: Model\n    chapters:\n      - file: "
    "chapters/one\n        sections:\n          - file: exercises/one\n",
    "_config.yml": "title: A book\n",
    "CITATION.cff": """
title: "A book: about & for"
version: 1.2.3
license: MIT
authors: [{name: Somebody}]
references: [{title: P, authors: [{family-names: B, given-names: A}], year: 2026, url: "https://arxiv.org/abs/1"}]
""",
    "index.html": """<article><section id='top'><h1>A book</h1>
<a href='chapters/one.html#part'>one</a> <a href='_sources/one.ipynb'>file</a></section></article>""",  # noqa: E501
    "chapters/one.html": """<article><section id='one'><h1>1. One</h1><section id='part'><h2>1.1. Part</h2>
<div class='cell'><details class='hide above-input'><summary>Show</summary><div class='cell_input'>secret = 1</div></details>
<div class='cell_output'>shown</div></div>
<figure><span><img class='only-light' loading='lazy' src='a.svg'><img class='only-dark' src='b.svg'></span></figure>
<details class='code-fold'><summary>Code</summary><div class='cell_input'>hidden = 1</div><p>made today</p></details>
<details><summary>More</summary>opened</details></section></section></article>""",  # noqa: E501
    "exercises/one.html": """<article><section id='one'><h1>1.2. Exercises</h1><div class='exercise admonition'>Do it</div>
<div class='solution dropdown admonition' id='s'>Done so</div></section></article>""",  # noqa: E501
}


@pytest.fixture
def book(tmp_path) -> BeautifulSoup:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return BeautifulSoup(one_page(tmp_path, tmp_path / "print", tmp_path), "html.parser")


def test_solutions_stand_at_the_end_under_the_title_of_their_page(book):
    assert "Done so" not in book.select_one("#exercises-one").get_text()
    last = book.select("section.page")[-1]
    assert [tag.get_text() for tag in last.select("h1, h2, .solution")] == [
        "Solutions",
        "1.2. Exercises",
        "Done so",
    ]


def test_folded_code_goes_and_other_folds_are_open(book):
    text = book.select_one("#chapters-one").get_text()
    assert not re.search("secret|hidden|Code", text)
    assert "made today" in text
    assert "shown" in text
    assert "opened" in text


def test_of_a_figure_and_its_twin_paper_has_one_and_does_not_wait_for_a_reader(book):
    (image,) = book.select("#chapters-one img")
    assert image["src"].endswith("a.svg")
    assert "loading" not in image.attrs


def test_contents_and_title_page(book):
    entries = [(link["href"], link.get_text()) for link in book.select(".contents a")]
    assert entries == [
        ("#index", "A book"),
        ("#chapters-one", "1. One"),
        ("#chapters-one--part", "1.1. Part"),
        ("#exercises-one", "1.2. Exercises"),
        ("#solutions", "Solutions"),
    ]
    assert [part.get_text() for part in book.select(".contents .part")] == ["Model", "Appendix"]
    assert book.select_one(".title-page .subtitle").get_text() == "About & for"


def test_links_lead_inside_or_become_text(book):
    assert [link["href"] for link in book.select("#index a")] == ["#chapters-one--part"]
    assert "file" in book.select_one("#index").get_text()
