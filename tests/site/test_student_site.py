"""The site of the student edition: in order, with exercises, and without a trace of a solution
in pages, sources, search and downloads.
"""

import json
import re

import nbformat
import pytest
from sphinx.search.en import SearchEnglish

from tests.book.editions.leaking import all_fingerprints, heads, is_hidden, leaks, words
from tests.site.browsing import needs_chromium, opened
from tests.site.making import EXERCISES
from valleys.book.chapters import all_exercises, page_names
from valleys.book.site.check import check_site
from valleys.paths import book_root

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notebooks():
    return {
        name: nbformat.read(exercises.path, as_version=4)
        for name, exercises in all_exercises().items()
    }


def searched(html):
    """The words that the search of a site knows, in the form in which it keeps them."""
    return set(
        json.loads(
            (html / "searchindex.js")
            .read_text(encoding="utf-8")
            .removeprefix("Search.setIndex(")
            .removesuffix(")")
        )["terms"]
    )


def stems(text):
    return {SearchEnglish({}).stem(word) for word in words(text)}


def told_elsewhere(student_html, notebooks):
    """Everything that a student may read: all pages but exercises, and of these the cells and
    the heads of functions that are given.
    """
    pages = [
        re.sub(r"<[^>]*>", " ", path.read_text(encoding="utf-8"))
        for path in student_html.rglob("*.html")
        if path.parent.name != "exercises"
    ]
    given = [
        cell.source
        for notebook in notebooks.values()
        for cell in notebook.cells
        if not is_hidden(cell)
    ]
    return "\n".join(
        [*pages, *given, *(head for notebook in notebooks.values() for head in heads(notebook))]
    )


def test_student_site_is_in_order(student_html):
    assert check_site(student_html) == []
    assert {
        path.relative_to(student_html).with_suffix("").as_posix()
        for path in student_html.rglob("*.html")
    } >= set(page_names())


def test_no_file_of_the_student_site_tells_a_solution(student_html):
    assert leaks(student_html, all_fingerprints(book_root())) == []


def test_the_full_site_would_be_found_to_tell(html, notebooks):
    marks = all_fingerprints(book_root())
    assert marks
    for part in (html / "exercises", html / "_sources" / "exercises"):
        assert leaks(part, marks)


def test_search_knows_no_word_that_only_solutions_have(student_html, html, notebooks):
    hidden = "\n".join(
        cell.source for notebook in notebooks.values() for cell in notebook.cells if is_hidden(cell)
    )
    secret = stems(hidden) - stems(told_elsewhere(student_html, notebooks))
    assert searched(student_html) & secret == set()
    assert searched(html) & secret


def test_exercises_stand_as_given_and_are_not_executed(student_html, notebooks):
    for name, notebook in notebooks.items():
        handed_out = nbformat.read(
            student_html / "_sources" / "exercises" / f"{name}.ipynb", as_version=4
        )
        assert [cell for cell in handed_out.cells if is_hidden(cell)] == []
        assert all(
            not cell.outputs and cell.execution_count is None
            for cell in handed_out.cells
            if cell.cell_type == "code"
        )
        page = (student_html / "exercises" / f"{name}.html").read_text(encoding="utf-8")
        labels = [
            label
            for cell in notebook.cells
            for label in re.findall(r"\{exercise\}[^\n]*\n:label: (\S+)", cell.source)
        ]
        assert [label for label in labels if f'id="{label}"' not in page] == []
        assert "NotImplementedError: " not in page  # no traceback
        assert "solution" not in re.findall(r'class="([^"]*)"', page)


def test_chapters_are_the_same_as_in_the_book(student_html, html):
    for name in page_names():
        if name.startswith("chapters/"):
            pages = [
                (folder / f"{name}.html").read_text(encoding="utf-8")
                for folder in (student_html, html)
            ]
            articles = [
                re.search(r"<article.*</article>", page, re.DOTALL).group() for page in pages
            ]
            assert articles[0] == articles[1], name


@needs_chromium
def test_page_of_exercises_is_quiet_and_fits_a_phone(browser, student_html):
    page, complaints = opened(browser, student_html / f"{EXERCISES}.html", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    page.close()
