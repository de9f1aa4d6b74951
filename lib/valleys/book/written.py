"""Pages that Sphinx has written, to be mended before anyone reads them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sphinx.application import Sphinx

from valleys.book import whole


def written_pages(app: Sphinx) -> Iterator[Path]:
    """The pages of a site in its folder, less what merely lies among the static files."""
    folder = Path(app.outdir)
    yield from (page for page in sorted(folder.rglob("*.html")) if "_static" not in page.relative_to(folder).parts)


def edit_pages(app: Sphinx, edit: Callable[[str, Path], str]) -> None:
    """Replace each page by what `edit` makes of its text and place; `edit` must leave alone what it has edited before."""
    for page in written_pages(app):
        text = page.read_text(encoding="utf-8")
        if (edited := edit(text, page)) != text:
            whole.write(page, edited.encode())


def is_site(app: Sphinx, failure: Exception | None) -> bool:
    """Whether a site was built, and no PDF, dummy or failure."""
    return failure is None and app.builder.format == "html"
