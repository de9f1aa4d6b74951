"""Sphinx extension: fill the numbers that a chapter reported into the alt texts of its figures, `{c01_r2_full}` or `{c02_freeze:.0f}`.

So a reader who does not see a figure gets its numbers, and none of them is typed by hand.
"""

import math
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from valleys.book.chapters import BookError
from valleys.book.glued import glued

PRINTED = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # numbers that are glued as text


def fill_alts(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fill the alt text of every image of a page from what the page glued."""
    images = [image for image in doctree.findall(nodes.image) if "{" in image.get("alt", "")]
    numbers = glued(app).get(page, {}) if images else {}
    for image in images:
        image["alt"] = filled(image["alt"], numbers, f"{page}, figure {_name(image)}")


def filled(text: str, numbers: Mapping[str, Any], where: str) -> str:
    """A text with its placeholders replaced, in the syntax of `str.format`.

    Args:
        text: the text.
        numbers: values by name.
        where: page and figure, for messages.

    Raises:
        BookError: a placeholder names no number, or asks for a form that its number cannot have.
    """
    try:
        return text.format_map({name: PRINTED.get(value, value) if isinstance(value, str) else value for name, value in numbers.items()})
    except KeyError as error:
        raise BookError(f"{where}: the alt text asks for {error}, which the page does not report; name one that a cell hands to report(...)") from None
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise BookError(f"{where}: the alt text cannot be filled ({error}); write {{name}} or {{name:.2f}}") from None


def _name(image: nodes.image) -> str:
    """The label of the figure that an image stands in, else its file."""
    return ", ".join(image.parent.get("names") or image.parent.get("ids") or [image["uri"]])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", fill_alts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
