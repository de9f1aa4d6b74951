"""Sphinx extension: fill the numbers that a chapter reported into the alt texts of its figures,
`{c01_r2_full}` or `{c02_freeze:.0f}`.

So a reader who does not see a figure gets its numbers, and none of them is typed by hand.
"""

from docutils import nodes
from sphinx.application import Sphinx

from valleys.book.numbers.glued import filled, numbers_for


def fill_alts(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fill the alt text of every image of a page from what notebooks reported."""
    images = [image for image in doctree.findall(nodes.image) if "{" in image.get("alt", "")]
    numbers = numbers_for(app, page) if images else {}
    for image in images:
        image["alt"] = filled(image["alt"], numbers, f"{page}, figure {_name(image)}")


def _name(image: nodes.image) -> str:
    """The label of the figure that an image stands in, else its file."""
    return ", ".join(image.parent.get("names") or image.parent.get("ids") or [image["uri"]])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", fill_alts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
