"""Numbers of a chapter, handed to its text so that none is typed by hand."""

import base64
import html
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr
from IPython.display import HTML
from myst_nb import glue

from valleys.results.code import PACKAGE
from valleys.results.estimates import Estimate, of_json, to_json
from valleys.results.naming import KEY, Made

# a command needs no matplotlib until it draws, and matplotlib looks at the home folder when it is
# imported
if TYPE_CHECKING:
    from matplotlib.figure import Figure


VALUE = "application/vnd.valleys.value+json"  # the kind of output in which a notebook keeps a value
with_error = Estimate.with_error  # a chapter's word for a value with its standard error


def report(**numbers: Any) -> None:
    """Glue each value under its name, for `` {number}`name:.2f` `` in the text: the value itself,
    unrounded; its form stands in the text.

    Args:
        numbers: estimates, numbers, booleans, texts, or lists of these; of a mapping each item,
            under `name_key`.

    Raises:
        TypeError: a value is none of these.
    """
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            report(**{f"{name}_{key}": each for key, each in value.items()})
            continue
        try:
            glue(name, _Reported(value), display=False)
        except TypeError as error:
            raise TypeError(f"'{name}' cannot be reported: {error}") from None


class _Reported:
    """A value in the two ways in which a notebook keeps it: as JSON for the book, as text for
    who reads the notebook.
    """

    def __init__(self, value: Any) -> None:
        self.bundle: dict[str, Any] = {VALUE: to_json(value)}
        self.bundle["text/plain"] = str(of_json(self.bundle[VALUE]))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle


def report_figure(name: str, figure: "Figure", *, alt: str) -> None:
    """Glue a figure for use on another page, `` ```{glue:} name `` with `:doc:`, as one HTML
    image with its alt text, numbers filled in.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg")
    data = base64.b64encode(drawn.getvalue()).decode()
    glue(
        name,
        HTML(
            f'<figure><img alt="{html.escape(alt)}" '
            f'src="data:image/svg+xml;base64,{data}"></figure>'
        ),
        display=False,
    )


def made_by(*datasets: xr.Dataset) -> str:
    """`phase_diagram · seed 0 · valleys 0.1.0 · 21.7 s on Linux x86_64, 2 cores · 2026-11-21`:
    where a figure comes from; times are added up.

    Args:
        datasets: results as the store gave them, or after squeeze, sel or isel. What xr.concat
            makes knows only its first part: give the parts.

    Raises:
        ValueError: no dataset is given, or one carries no provenance.
    """
    if not datasets:
        raise ValueError("no dataset is given; give those that the figure shows")
    attributes = {_key_in(dataset): dataset.attrs for dataset in datasets}.values()
    made = [Made.of(each) for each in attributes]
    days = sorted(each["computed_at"][:10] for each in attributes)
    parts = (
        _distinct(each.study for each in made),
        _seeds({each.spec["seed"] for each in made if "seed" in each.spec}),
        _distinct(f"{PACKAGE} {each[PACKAGE]}" for each in attributes if PACKAGE in each),
        f"{duration(sum(each['wall_time_seconds'] for each in attributes))} on "
        f"{_distinct(each['machine'] for each in attributes)}",
        days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
    )
    return " · ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, such as `68 s`, `2.4 min` or `17 h`: two digits from ten on,
    one behind the point below.
    """
    size, unit = next(
        (size, unit) for size, unit in ((3600, "h"), (60, "min"), (0, "s")) if seconds >= 1.5 * size
    )
    count = seconds / (size or 1)
    return f"{count:.0f} {unit}" if count >= 9.95 else f"{float(f'{count:.1f}'):g} {unit}"


def _key_in(dataset: xr.Dataset) -> str:
    if KEY not in dataset.attrs:
        raise ValueError(
            f"a dataset of {', '.join(map(str, dataset)) or 'nothing'} carries no "
            "provenance; give it as the store gave it, before xr.concat"
        )
    return dataset.attrs[KEY]


def _distinct(texts: Iterable[str]) -> str:
    """Each text once, in order."""
    return " and ".join(dict.fromkeys(texts))


def _seeds(seeds: set[int]) -> str:
    return (
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, sorted(seeds)))}" if seeds else ""
    )
