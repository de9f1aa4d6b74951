"""Numbers and formulas are set as a printer would, and what only looks like a number stays."""

from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document

from valleys.book.extensions.typography import (
    FIXED,
    NARROW,
    keep_together,
    mark_takeaway,
    prose,
    set_page,
    set_text,
    typeset,
    typeset_table,
)

SET = {
    "-0.17 (-0.48 to -0.055)": "−0.17~(−0.48~to~−0.055)",
    "0.985 (0.984 to 0.987)": "0.985~(0.984~to~0.987)",
    "+0.04 (-0.23 to +0.35)": "+0.04~(−0.23~to~+0.35)",
    "10.2% (4.1% to 17.6%)": "10.2_%~(4.1_%~to~17.6_%)",
    "8 (8 to 8)": "8",
    "0.0 % (0.0 % to 0.0 %)": "0.0_%",
    "1.2 (1.2 to 1.2), 3 (2 to 4)": "1.2, 3~(2~to~4)",
    "-1.0 (-1.0 to -1.0)": "−1.0",
    "62 %": "62_%",
    "51%": "51_%",
    "0.715 ± 0.004": "0.715~±~0.004",
    "at η = 0.02 and x = y": "at η~=~0.02 and x = y",
    "4e-07": "4~×~10⁻⁷",
    "1.4e-08": "1.4~×~10⁻⁸",
    "-2.5e-05": "−2.5~×~10⁻⁵",
    "4e+85": "4~×~10⁸⁵",
    "1e-07": "10⁻⁷",
    "0.0e+00": "0",
    "3.1e+00": "3.1",
    "486095": "486_095",
    "1234567.5": "1_234_567.5",
    "10000": "10_000",
    "22,491": "22_491",
    "5,507": "5507",
    "in Fig. 4.1 and Eq. (2)": "in Fig.~4.1 and Eq.~(2)",
    "Table 3 of Chapter 2, Figs. S1": "Table~3 of Chapter~2, Figs.~S1",
    "50, 1000, 20000": "50, 1000, 20_000",
}
LEFT = [
    "2026",
    "9999",
    "18 (8 to 9)".replace(" (", "("),
    "2026-11-21",
    "arXiv 2601.10962",
    "Figs. 4-5",
    "two-valley",
    "x-1",
    "seed 12345",
    "chapters/10000",
    "W12345",
]


@pytest.mark.parametrize("text", SET)
def test_numbers_are_set(text):
    assert typeset(text) == SET[text].replace("_", NARROW).replace("~", FIXED)


@pytest.mark.parametrize("text", SET)
def test_what_is_set_stays(text):
    once = typeset(text)
    assert typeset(once) == once


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_like_a_number_stays(text):
    assert typeset(text).replace(FIXED, " ") == text


def test_an_interval_is_kept_where_its_ends_differ():
    assert "to" in typeset("18 (8 to 18)")
    assert "to" in typeset("18 (8 to 8)")  # the middle of 18 is no 8


def paragraph(*children: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *children)


def value(text: str) -> nodes.inline:
    return nodes.inline("", text, classes=["pasted-text"])


def together(line: nodes.paragraph) -> list[str]:
    return [kept.astext() for kept in line.findall(nodes.inline) if "together" in kept["classes"]]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            paragraph(nodes.Text("so ("), nodes.math("", "s=1"), nodes.Text("), and no end")),
            ["(s=1),"],
        ),
        (paragraph(nodes.math("", "x"), nodes.Text("-axis and")), ["x-axis"]),
        (paragraph(nodes.Text("the "), nodes.math("", "x"), nodes.Text(" of")), []),
        (
            paragraph(
                nodes.math("", r"\gamma="), nodes.Text(" "), value("1.5"), nodes.Text(". It")
            ),
            [rf"\gamma={FIXED}1.5."],
        ),
        (
            paragraph(
                nodes.math("", r"\gamma="),
                nodes.Text(" "),
                value("0.01, 0.02, 0.05, 0.1"),
                nodes.Text(". It"),
            ),
            [],
        ),
    ],
)
def test_a_formula_keeps_what_belongs_to_it(line, kept):
    before = line.astext().replace(FIXED, " ")
    for formula in list(line.findall(nodes.math)):
        keep_together(formula)
    assert together(line) == kept
    assert line.astext().replace(FIXED, " ") == before


def test_texts_that_read_alike_are_set_each_in_its_place():
    line = paragraph(nodes.Text("-2"), value("x"), nodes.Text("-2"))
    for text in list(prose(line)):
        set_text(text)
    assert line.astext() == "−2x-2"


def test_signs_behind_a_value_are_read_with_it():
    line = paragraph(
        nodes.Text("loses "),
        value("6"),
        nodes.Text(" % of"),
        nodes.math("", "x"),
        nodes.Text("-2 and -3"),
    )
    for text in list(prose(line)):
        set_text(text)
    assert line.astext() == f"loses 6{NARROW}% ofx-2 and −3"


def test_cells_of_a_table_of_data_are_set_and_its_markup_stays():
    table = '<table class="dataframe" data-x="-1"><td>-0.5</td><th>noise 3e-05</th></table>'
    expected = f'<table class="dataframe" data-x="-1"><td>−0.5</td><th>noise 3{FIXED}×{FIXED}10⁻⁵</th></table>'  # noqa: E501
    assert typeset_table(table) == expected
    document = new_document("page")
    document += nodes.raw("", table, format="html", classes=["output"])
    app: Any = SimpleNamespace()
    set_page(app, document, "page")
    (shown,) = document.findall(nodes.raw)
    assert shown.astext() == expected
    assert (shown["format"], shown["classes"]) == ("html", ["output"])


def test_code_formulas_addresses_and_origins_stay():
    address = nodes.reference("", "https://doi.org/10.1/12345-1", refuri="x")
    document = new_document("page")
    document += [
        paragraph(nodes.literal("", "-1e-07"), nodes.math("", "-1e-07"), address),
        nodes.paragraph("", "seed 0 · 20000 s", classes=["provenance"]),
    ]
    assert list(prose(document)) == []


@pytest.mark.parametrize(
    ("children", "takeaway"),
    [
        ([nodes.Text("More noise. Left: "), nodes.math("", "x"), nodes.Text(".")], "More noise."),
        (
            [nodes.Text("As in Eq. 5, "), nodes.math("", "x"), nodes.Text(" grows. Right.")],
            "As in Eq. 5, x grows.",
        ),
        ([nodes.Text("One sentence")], "One sentence"),
    ],
)
def test_first_sentence_of_a_caption_is_marked(children, takeaway):
    caption = nodes.caption("", "", *children)
    text = caption.astext()
    mark_takeaway(caption)
    first = next(caption.findall(nodes.inline))
    assert first.astext() == takeaway
    assert "takeaway" in first["classes"]
    assert caption.index(first) == 0
    assert caption.astext() == text


def test_a_set_of_data_is_called_by_its_name_and_stays_in_code():
    paragraph = nodes.paragraph(
        "",
        "This page ran on ",
        nodes.inline("", "mnist"),
        nodes.Text("; dataset=mnist asks for it"),
    )
    for text in list(paragraph.findall(nodes.Text)):
        set_text(text)
    assert paragraph.astext() == "This page ran on MNIST; dataset=mnist asks for it"
