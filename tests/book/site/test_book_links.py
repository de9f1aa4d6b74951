"""A page that stands alone links to names and terms in the book, where there is a site of it."""

from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref

from valleys.book.site import book_links

NAME = {"refdomain": "py", "reftype": "func", "reftarget": "valleys.toy.diagnose"}
TERM = {"refdomain": "std", "reftype": "term", "reftarget": "Itô rule"}


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (NAME, "pages/api_toy.html#valleys.toy.diagnose"),
        (TERM, "pages/glossary.html#term-Ito-rule"),
    ],
)
@pytest.mark.parametrize("site", ["../html", ""])
def test_what_is_not_here_is_linked_in_the_book(site, wanted, place):
    app: Any = SimpleNamespace(config=SimpleNamespace(book_site=site), env=None)
    said, link = nodes.literal("", "as it is called here"), pending_xref("", **wanted)
    link.document = new_document("")
    found = book_links.link_to_book(app, app.env, link, said)
    assert isinstance(found, nodes.Element)
    assert found.astext() == "as it is called here"
    assert found.get("refuri") == (f"{site}/{place}" if site else None)
