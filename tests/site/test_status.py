"""The status page tells of this build: its size, its notebooks, and what its figures come from."""

import re
from collections import Counter

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.site.making import SIZE
from valleys.book.chapters import all_chapters
from valleys.book.numbers.reporting import duration
from valleys.paths import book_root
from valleys.results import machine


@pytest.fixture(scope="module")
def tables(html):
    """Rows of each table of the page by the heading above it, each row as its cells."""
    page = BeautifulSoup(
        (html / "pages" / "status.html").read_text(encoding="utf-8"), "html.parser"
    )
    return {
        table.find_previous("h2").get_text().rstrip("#"): [
            row.find_all("td") for row in table.tbody.find_all("tr")
        ]
        for table in page.find_all("table")
    }


def test_every_notebook_stands_with_its_size_and_time(tables, html, executed):
    rows = {
        row[0].a["href"].rpartition("/")[2].removesuffix(".html"): [
            cell.get_text(strip=True) for cell in row
        ]
        for row in tables["Runs"]
    }
    made = {
        path.stem: nbformat.read(path, as_version=4).metadata.get("papermill")
        for path in executed.glob("*.ipynb")
    }
    assert set(rows) == {name for name, told in made.items() if told} >= set(all_chapters())
    for name, (_, size, time, finished) in rows.items():
        told = made[name]
        assert size == (SIZE if name in all_chapters() else "")
        assert finished == told.end_time[:16].replace("T", " ")
        assert time == duration(told.duration)
    assert f"at the size {SIZE}" in (html / "pages" / "status.html").read_text(encoding="utf-8")


def test_versions_are_those_of_the_build(tables):
    assert {
        row[0].get_text(strip=True): row[1].get_text(strip=True) for row in tables["Versions"]
    } == machine.versions()


def test_each_line_below_a_figure_stands_on_the_page(tables, html):
    told = {row[1].get_text(strip=True) for row in tables["Where the figures come from"]}
    for name in all_chapters():
        page = BeautifulSoup(
            (html / "chapters" / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
        )
        lines = {
            re.sub(r"\s+", " ", line.get_text(strip=True))
            for line in page.find_all("p", class_="provenance")
        }
        assert lines
        assert lines <= told


def test_what_came_with_the_clone_is_told(tables):
    files = list((book_root() / "results" / "paper").glob("*/*.nc"))
    rows = [[cell.get_text() for cell in row] for row in tables["Results that come with the book"]]
    assert {row[0]: int(row[1]) for row in rows} == Counter(path.parent.name for path in files)
