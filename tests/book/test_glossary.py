"""Terms of the glossary are in order, each explained on a page that uses it."""

import re
from pathlib import Path

import nbformat
import pytest

from valleys.paths import book_root

PAGES = book_root() / "pages"
LISTED = re.compile(r"^```\{glossary\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^(\S.*)\n((?:[ ]{2}.*\n)+)", re.MULTILINE)
PAGE = re.compile(r"\{doc\}`(?:[^`<]*<)?([\w./]+)>?`")


def entries() -> dict[str, str]:
    """The definition of each term, in the order of the page."""
    found = LISTED.search((PAGES / "glossary.md").read_text(encoding="utf-8"))
    return {} if found is None else dict(ENTRY.findall(found[1]))


def prose(page: Path) -> str:
    """The text of a page, or of a notebook without its code."""
    if (text := page.with_name(f"{page.name}.md")).exists():
        return text.read_text(encoding="utf-8")
    notebook = nbformat.read(page.with_name(f"{page.name}.ipynb"), as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_terms_stand_in_the_order_of_the_alphabet():
    assert entries()
    assert list(entries()) == sorted(entries(), key=str.lower)


@pytest.mark.parametrize("term", entries())
def test_each_term_is_explained_on_a_page_that_uses_it(term):
    pages = PAGE.findall(entries()[term])
    assert pages
    text = prose((PAGES / pages[-1]).resolve()).lower()
    assert [word for word in re.findall(r"\w+", term.lower()) if word not in text] == []
