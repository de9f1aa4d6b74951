"""Sphinx extension: pages that Sphinx has written, to be mended before anyone reads them.

A page is parsed once. Extensions that mend its tree wait for the event `PARSED`, which brings the
tree and the place of the page; each leaves alone what it has mended before, since Sphinx writes
anew only the pages that changed.
"""

from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import AttributeValueList
from sphinx.application import Sphinx

from valleys.paths import html_pages
from valleys.results import atomic

PARSED = "page-parsed"


def edit_pages(app: Sphinx, edit: Callable[[str, Path], str]) -> None:
    """Replace each page by what `edit` makes of its text and place; `edit` must leave alone what
    it has edited before.
    """
    for page in html_pages(Path(app.outdir)):
        text = page.read_text(encoding="utf-8")
        if (edited := edit(text, page)) != text:
            atomic.write(page, edited.encode())


def is_site(app: Sphinx, failure: Exception | None) -> bool:
    """Whether a site was built, and no PDF, dummy or failure."""
    return failure is None and app.builder.format == "html"


def mend_pages(app: Sphinx, failure: Exception | None) -> None:
    """Let every extension that waits for it mend the tree of each page."""

    def mended(text: str, path: Path) -> str:
        page = BeautifulSoup(text, "html.parser")
        app.emit(PARSED, page, path)
        return str(page)

    if is_site(app, failure):
        edit_pages(app, mended)


def has_class(tag: Tag | None, name: str) -> bool:
    """Whether there is a tag, and it has a class."""
    return tag is not None and name in tag.get_attribute_list("class")


def add_class(tag: Tag, name: str) -> None:
    """Give a tag one class more."""
    tag["class"] = AttributeValueList([*tag.get_attribute_list("class"), name])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, when the contents of every page are as they stay."""
    app.add_event(PARSED)
    app.connect("build-finished", mend_pages, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
