"""Sphinx extension: docstrings of the library as they stand in the code, plain text with
formulas, on the pages that list its names.
"""

import re

from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.ext import autosummary
from sphinx.util.typing import stringify_annotation

# which reStructuredText would take for its own: marks, and the stop behind a letter that is all
# that is said of an argument, which would number a list
MARKS = re.compile(r"[|*\\]|(?<=\w)_(?!\w)|(?<=: \w)(?=\.(?: |$))")
CODE = re.compile(r"(`[^`]*`)")
PROMPT = ">>>"
ABBREVIATIONS = ("Eq.", "Eqs.", "Fig.", "Figs.")  # after which a sentence goes on


def keep_marks(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Let |x|², x* and the like stand, outside of code and examples."""
    is_example = False
    for place, line in enumerate(lines):
        is_example = bool(line.strip()) and (is_example or line.lstrip().startswith(PROMPT))
        if not is_example:
            parts = CODE.split(line)
            kept = [part if part.startswith("`") else MARKS.sub(r"\\\g<0>", part) for part in parts]
            lines[place] = "".join(kept)


def shorten_types(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Call what NumPy takes for an array `ArrayLike`, which is a union of many kinds."""
    long = stringify_annotation(ArrayLike, "smart")
    short = [text and text.replace(long, "ArrayLike") for text in (signature, returned)]
    return short[0], short[1]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; before napoleon, which writes marks of its own."""
    app.setup_extension("sphinx.ext.autodoc")
    autosummary.WELL_KNOWN_ABBREVIATIONS += ABBREVIATIONS
    app.connect("autodoc-process-docstring", keep_marks, priority=400)
    app.connect("autodoc-process-signature", shorten_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
