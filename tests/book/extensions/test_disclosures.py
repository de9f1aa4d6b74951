"""Code of a chapter folds where a reader looks for it, in the order of the notebook, and nothing
that it shows is lost.
"""

import pytest
from docutils import nodes

from valleys.book.extensions.disclosures import (
    CHECKS,
    CODE,
    OPENING,
    PROVENANCE,
    Disclosure,
    add_source,
    fold_chapter,
)
from valleys.book.site.repository import Address


def cell(code: str, *shown: nodes.Node, tags: tuple[str, ...] = ()) -> nodes.container:
    source = nodes.container(
        "", nodes.literal_block(code, code), nb_element="cell_code_source", classes=["cell_input"]
    )
    output = nodes.container("", *shown, nb_element="cell_code_output", classes=["cell_output"])
    return nodes.container(
        "",
        source,
        output,
        nb_element="cell_code",
        classes=["cell", *(f"tag_{tag}" for tag in tags)],
    )


def figure() -> nodes.figure:
    return nodes.figure("", nodes.image(uri="a.svg"), nodes.caption("", "What it shows"))


def origin(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text, classes=["provenance"])


def section(title: str, *content: nodes.Node) -> nodes.section:
    return nodes.section("", nodes.title("", title), *content)


@pytest.fixture
def chapter() -> nodes.section:
    first = section(
        "One",
        nodes.paragraph("", "first"),
        cell("a = 1"),
        cell("draw_a()", figure()),
        origin("made a"),
        cell("b = 1"),
        nodes.paragraph("", "between"),
        cell("table()", nodes.table()),
        cell("c = 1"),
    )
    checks = section(
        "Checks",
        nodes.paragraph("", "must hold"),
        cell("assert a"),
        nodes.paragraph("", "and"),
        cell("assert b", nodes.literal_block("", "it broke")),
    )
    opening = [
        nodes.paragraph("", "words"),
        cell("import it"),
        cell("n = 1", tags=("parameters",)),
        nodes.admonition(classes=["run-box"]),
        cell("d = n"),
    ]
    title = section(
        "Chapter",
        *opening,
        first,
        section("Two", cell("draw_c()", figure()), cell("rest()")),
        checks,
    )
    fold_chapter(title)
    return title


def folds(within: nodes.Element) -> dict[str, list[str]]:
    return {
        fold["summary"]: [code.astext() for code in fold.findall(nodes.literal_block)]
        for fold in within.findall(Disclosure)
    }


def test_what_comes_before_the_first_section_is_one_fold(chapter):
    assert [type(child) for child in chapter[1:3]] == [nodes.paragraph, Disclosure]
    assert folds(chapter)[OPENING] == ["import it", "n = 1", "d = n"]
    assert chapter[2].next_node(nodes.admonition) is not None


def test_code_of_a_figure_and_its_origin_are_below_it(chapter):
    one = chapter[3]
    shown, fold = one[2], one[3]
    assert shown.next_node(nodes.figure) is not None
    assert shown.next_node(nodes.literal_block, descend=True, siblings=False) is None
    assert fold["summary"] == PROVENANCE
    assert [code.astext() for code in fold.findall(nodes.literal_block)] == ["a = 1", "draw_a()"]
    assert fold[-1].astext() == "made a"


def test_a_table_stays_and_its_code_folds(chapter):
    table = chapter[3].next_node(nodes.table)
    fold = table.parent.parent.next_node(Disclosure, descend=False, siblings=True)
    assert (fold["summary"], [code.astext() for code in fold.findall(nodes.literal_block)]) == (
        CODE,
        ["b = 1", "table()"],
    )


def test_code_of_one_section_waits_for_the_figure_of_the_next_and_the_rest_folds_at_the_end(
    chapter,
):
    found = [
        [code.astext() for code in fold.findall(nodes.literal_block)]
        for fold in chapter[4].findall(Disclosure)
    ]
    assert found == [["c = 1", "draw_c()"], ["rest()"]]


def test_checks_are_one_fold_and_what_they_printed_stays_in_sight(chapter):
    checks = chapter[5]
    assert checks[-1]["summary"] == CHECKS
    assert folds(checks)[CHECKS] == ["assert a", "assert b"]
    shown = [
        block.astext()
        for child in checks
        if not isinstance(child, Disclosure)
        for block in child.findall(nodes.literal_block)
    ]
    assert shown == ["it broke"]


def test_the_fold_of_each_figure_leads_to_the_notebook_at_its_commit(chapter):
    address = Address("owner", "name").file("chapters/01_one.ipynb", "abc123")
    add_source(chapter, address)
    led = {
        fold["summary"]: [link["refuri"] for link in fold.findall(nodes.reference)]
        for fold in chapter.findall(Disclosure)
    }
    assert led[PROVENANCE] == ["https://github.com/owner/name/blob/abc123/chapters/01_one.ipynb"]
    assert led[CODE] == led[PROVENANCE]
    assert led[OPENING] == led[CHECKS] == []


def test_no_line_of_code_is_lost_or_doubled(chapter):
    code = [
        block.astext()
        for fold in chapter.findall(Disclosure)
        for block in fold.findall(nodes.literal_block)
    ]
    expected = [
        "import it",
        "n = 1",
        "d = n",
        "a = 1",
        "draw_a()",
        "b = 1",
        "table()",
        "c = 1",
        "draw_c()",
        "rest()",
        "assert a",
        "assert b",
    ]
    assert code == expected
