"""Pages that Sphinx has written, to be mended before anyone reads them."""

from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx

from valleys.paths import html_pages
from valleys.results import atomic


def edit_pages(app: Sphinx, edit: Callable[[str, Path], str]) -> None:
    """Replace each page by what `edit` makes of its text and place; `edit` must leave alone what it has edited before."""
    for page in html_pages(Path(app.outdir)):
        text = page.read_text(encoding="utf-8")
        if (edited := edit(text, page)) != text:
            atomic.write(page, edited.encode())


def is_site(app: Sphinx, failure: Exception | None) -> bool:
    """Whether a site was built, and no PDF, dummy or failure."""
    return failure is None and app.builder.format == "html"
