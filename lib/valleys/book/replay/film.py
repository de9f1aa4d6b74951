"""What a notebook keeps of a film: a title, what stands there without a script, and the numbers
as JSON. A page loads the script that plays it, see `valleys.book.pages.replay_scripts`.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from IPython.display import HTML
from numpy.typing import ArrayLike

DIGITS = 4  # significant ones of each number: finer than a pixel
MOST_RECORDS = 101  # moments of a film; a page must stay light
# `data-film` is what the extension for pages looks for
PIECE = """<section class="replay" data-film="{name}" aria-label="Film: {title}">
<p class="replay-title">{title}</p>
<p class="replay-still">{still}</p>
<script type="application/json">{data}</script>
</section>"""


def film(name: str, title: str, still: str, data: Mapping[str, Any]) -> HTML:
    """A film as output of a cell.

    Args:
        name: of its script, `_extra/replay/NAME.js`.
        title: what one sees.
        still: what is told where no script runs.
        data: what the script plays; numbers as `rounded` gives them.
    """
    # a page ends a script at "</", whatever text that stands in
    packed = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    parts = {"name": name, "title": escape(title), "still": escape(still)}
    return HTML(PIECE.format(data=packed, **parts))


def rounded(values: ArrayLike) -> Any:
    """Numbers with four significant digits in nested lists; None for one that is not finite."""
    array = np.asarray(values, dtype=float)
    if array.ndim:
        return [rounded(each) for each in array]
    if not np.isfinite(array):
        return None
    value = float(f"{float(array):.{DIGITS}g}")
    return int(value) if value.is_integer() else value


def thinned(n: int, most: int) -> np.ndarray:
    """Places of at most so many of n things, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))
