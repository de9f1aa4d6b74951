"""Numbers of a chapter, handed to its text so that none is typed by hand."""

import base64
import html
import io
import math
from typing import Any

from IPython.display import HTML
from matplotlib.figure import Figure
from myst_nb import glue


def report(**numbers: Any) -> None:
    """Glue each value under its name, for `` {glue:text}`name:.2f` `` in the text; NumPy and xarray scalars become plain ones."""
    for name, value in numbers.items():
        glue(name, value.item() if hasattr(value, "item") else value, display=False)


def with_error(value: float, error: float) -> str:
    """`0.715 ± 0.004`: a value and its standard error, both rounded where the error has one significant digit (two if it begins with 1).

    Raises:
        ValueError: value or error is not finite, or the error is negative.
    """
    value, error = float(value), float(error)
    if not (math.isfinite(value) and math.isfinite(error) and error >= 0):
        raise ValueError(f"a value with its error must be finite and the error not negative, got {value} ± {error}")
    if error == 0:
        return f"{value:g} ± 0"
    exponent = math.floor(math.log10(error))
    leading = round(error / 10**exponent, 1)
    decimals = max(0, -exponent + (1 if leading < 2 else 0))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def report_figure(name: str, figure: Figure, *, alt: str) -> None:
    """Glue a figure for use on another page, `` ```{glue:} name `` with `:doc:`, as one HTML image that carries its alt text."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg")
    data = base64.b64encode(drawn.getvalue()).decode()
    glue(name, HTML(f'<figure><img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{data}"></figure>'), display=False)
