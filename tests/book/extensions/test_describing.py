"""What a page says of itself is its first paragraph, cut where it is long."""

from docutils import nodes
from docutils.utils import new_document

from valleys.book.extensions.describing import DOUBLED, LONGEST, first_paragraph


def page(*content: nodes.Node) -> nodes.document:
    document = new_document("page")
    document += nodes.section("", nodes.title("", "Title"), *content)
    return document


def test_first_paragraph_outside_of_boxes_describes_a_page():
    box = nodes.admonition("", nodes.paragraph("", "In a box"))
    assert (
        first_paragraph(page(box, nodes.paragraph("", "Two\nlines."), nodes.paragraph("", "More.")))
        == "Two lines."
    )
    assert first_paragraph(page(box)) == ""


def test_long_descriptions_are_cut_at_a_word():
    told = first_paragraph(page(nodes.paragraph("", "word " * 100)))
    assert len(told) <= LONGEST
    assert told.endswith("word …")


def test_letters_of_formulas_are_told_as_such():
    assert (
        first_paragraph(
            page(
                nodes.paragraph(
                    "",
                    "",
                    nodes.Text("Rate "),
                    nodes.math("", r"\eta"),
                    nodes.Text(" and "),
                    nodes.math("", r"\log x"),
                )
            )
        )
        == "Rate η and log x"
    )


def test_title_tells_the_name_of_the_book_once():
    assert (
        DOUBLED.sub(r"<title>\1</title>", "<title>A book — A book</title>")
        == "<title>A book</title>"
    )
    assert (
        DOUBLED.sub(r"<title>\1</title>", "<title>One &#8212; A book</title>")
        == "<title>One &#8212; A book</title>"
    )
