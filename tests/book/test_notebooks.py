"""The agreed shape of every chapter, read from its source."""

import re

import nbformat
import pytest

from valleys.book.run.parameters import SIZES, run_parameters
from valleys.errors import BookError
from valleys.paths import book_root

NAMES = sorted(path.stem for path in (book_root() / "chapters").glob("*.ipynb"))
LONGEST_CELL = 15
MOST_DEFINITIONS = 2
FEWEST_WORDS_PER_LINE = 10
LONGEST_TAKEAWAY = 14  # words
SENTENCE_END = r"(?<!\bEq)(?<!\bEqs)(?<!\bFig)[.?!]\s"
CHAPTER_LINK = (
    r"(?:Chapter (\d+) \()?\{doc\}`(?:Chapter (\d+) <)?(?:\.\./chapters/)?"
    r"0?(\d+)_\w+(?<!_exercises)>?`"
)


@pytest.fixture(params=NAMES)
def notebook(request):
    return nbformat.read(book_root() / "chapters" / f"{request.param}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_source_carries_no_outputs_and_the_plain_kernel(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not cell.outputs and cell.execution_count is None for cell in code(notebook))


def test_cells_are_short_and_prose_leads(notebook):
    assert max(len(cell.source.splitlines()) for cell in code(notebook)) <= LONGEST_CELL
    assert (
        sum(len(re.findall(r"^\s*def ", cell.source, re.MULTILINE)) for cell in code(notebook))
        <= MOST_DEFINITIONS
    )
    lines = sum(
        len([line for line in cell.source.splitlines() if line.strip()]) for cell in code(notebook)
    )
    assert len(prose(notebook).split()) / lines >= FEWEST_WORDS_PER_LINE


def test_parameters_come_before_what_is_derived_from_them(notebook):
    tags = [
        tag
        for cell in code(notebook)
        for tag in cell.metadata.get("tags", [])
        if tag in ("parameters", "derived")
    ]
    assert tags[:2] == ["parameters", "derived"]
    assert set(tags[1:]) == {"derived"}


def test_every_figure_has_caption_label_and_alt_text_and_is_referred_to(notebook):
    drawing = [
        cell
        for cell in code(notebook)
        if re.search(r"^figures\.(?!use_style)", cell.source, re.MULTILINE)
    ]
    assert drawing
    for cell in drawing:
        meta = cell.metadata.get("mystnb", {})
        assert len(meta["figure"]["caption"]) > 20, cell.source
        assert len(meta["image"]["alt"]) > 20, cell.source
        name = meta["figure"]["name"]  # on a page without a number, figures are called by words
        called = rf"\{{numref\}}`{name}`|\{{ref\}}`[^`<]+<{name}>`"
        assert re.search(called, prose(notebook)), f"{name} is not referred to"


def test_a_caption_begins_with_a_short_takeaway_and_goes_on(notebook):
    captions = [
        meta.figure.caption
        for cell in code(notebook)
        if "figure" in (meta := cell.metadata.get("mystnb", {}))
    ]
    for caption in captions:
        takeaway, *rest = re.split(SENTENCE_END, caption, maxsplit=1)
        assert len(takeaway.split()) <= LONGEST_TAKEAWAY, takeaway
        assert rest, caption


def test_chapters_are_called_by_their_number():
    pages = [
        path
        for folder in ("chapters", "exercises")
        for path in (book_root() / folder).glob("*.ipynb")
    ]
    links = [
        link
        for path in pages
        for link in re.findall(CHAPTER_LINK, prose(nbformat.read(path, as_version=4)))
    ]
    assert links
    assert all(chapter in (beside, inside) for beside, inside, chapter in links), links


def test_chapter_ends_in_summary_checks_and_references(notebook):
    assert re.findall(r"^## (.+)$", prose(notebook), re.MULTILINE)[-3:] == [
        "Summary",
        "Checks",
        "References",
    ]


def test_chapter_has_the_agreed_parts(notebook):
    text = prose(notebook)
    assert re.match(r"# \S", text)
    for part in (
        "In this chapter",
        "**You will learn",
        "**You need",
        "**Time",
        "## Checks",
        "## Summary",
        "## References",
    ):
        assert part in text, part
    assert any(re.search(r"^\s*assert ", cell.source, re.MULTILINE) for cell in code(notebook)), (
        "no claim is asserted"
    )


def test_numbers_of_the_text_are_computed(notebook):
    assert "{number}`" in prose(notebook)
    assert any("report(" in cell.source for cell in code(notebook))


@pytest.mark.parametrize("size", SIZES)
def test_sizes_name_chapters_and_parameters_that_exist(size, chapters):
    try:
        values = run_parameters(chapters, size)
    except BookError as error:
        pytest.fail(f"params/{size}.yml: {error}")
    assert set(values) == set(NAMES)


def test_figure_labels_are_unique_in_the_book():
    sources = [
        nbformat.read(book_root() / "chapters" / f"{name}.ipynb", as_version=4) for name in NAMES
    ]
    labels = [
        cell.metadata.mystnb.figure.name
        for notebook in sources
        for cell in code(notebook)
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert len(labels) == len(set(labels))
