"""Sphinx extension: numbers that chapters handed to the text, read back while the site is built and
printed in the form that the text asks for, also in the alt texts of figures: `{c01_r2_full}` or
`{c02_freeze:.0f}`.

So a reader who does not see a figure gets its numbers, and none of them is typed by hand.
"""

import json
import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes

from valleys.book.numbers.reporting import VALUE
from valleys.errors import BookError
from valleys.results.estimates import PARTS, Estimate, of_json

if TYPE_CHECKING:  # seconds to load, for each command
    from myst_nb.sphinx_ import SphinxEnvType
    from sphinx.application import Sphinx

REFERENCE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\.(?P<part>\w*))?(?::(?P<form>.+))?")
OF = re.compile(r"(?P<of>[Oo]f) (?P<whole>.+)")  # the form of a count of some
# fmt: off
WORDS = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
]
# fmt: on


def glued(app: "Sphinx") -> dict[str, dict[str, Any]]:
    """What each notebook reported, by page name and by name: estimates, numbers, texts, and lists
    of these.

    Call it when all pages have been read, in a post-transform or at `doctree-resolved`.
    """
    env = cast("SphinxEnvType", app.env)  # MyST-NB keeps its settings there
    folder = Path(env.mystnb_config.output_folder)
    files = {
        path.relative_to(folder).as_posix().removesuffix(".glue.json"): path
        for path in sorted(folder.rglob("*.glue.json"))
    }
    return {page: _values(path) for page, path in files.items() if page in app.env.found_docs}


def numbers_for(app: "Sphinx", page: str) -> dict[str, Any]:
    """What the notebooks of the book reported, by name; where a name is reported twice, as the
    page itself has it.
    """
    pages = glued(app)
    everywhere = {name: value for values in pages.values() for name, value in values.items()}
    return everywhere | pages.get(page, {})


def fill_alts(app: "Sphinx", doctree: nodes.document, page: str) -> None:
    """Fill the alt text of every image of a page from what notebooks reported."""
    images = [image for image in doctree.findall(nodes.image) if "{" in image.get("alt", "")]
    numbers = numbers_for(app, page) if images else {}
    for image in images:
        image["alt"] = filled(image["alt"], numbers, f"{page}, figure {_figure_name(image)}")


def filled(text: str, numbers: Mapping[str, Any], where: str) -> str:
    """A text with its placeholders replaced, `{name}`, `{name:.2f}` or `{name.low:.2f}`; braces of
    its own are doubled.

    Args:
        text: the text.
        numbers: values by name.
        where: page and figure, for messages.

    Raises:
        BookError: a placeholder names no number, or asks for a part or form that its number does
            not have.
    """
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise BookError(
            f"{where}: the text cannot be filled ({error}); write {{name}} or {{name:.2f}}"
        ) from None
    if any(conversion for *_, conversion in pieces):
        raise BookError(
            f"{where}: the text cannot be filled, a number has no conversion with '!'; "
            f"write {{name}} or {{name:.2f}}"
        )
    return "".join(before + _placed(name, form, numbers, where) for before, name, form, _ in pieces)


def printed(reference: str, numbers: Mapping[str, Any], where: str) -> str:
    """The number that a reference names, in its form.

    `name:.2f` is a value with its interval, or each value of a list; `name.low:.2f` is a part;
    `name` alone is a text, a count or a value with its standard error; `name:of other` is a count
    of so many in words, and `name:Of other` begins a sentence.

    Raises:
        BookError: the reference names no number, or asks for a part or form that its number does
            not have.
    """
    found = REFERENCE.fullmatch(reference)
    if not found:
        raise BookError(
            f"{where}: '{reference}' is no reference to a number; write name, name:.2f "
            "or name.low:.2f"
        )
    value = named(found["name"], numbers, where)
    if found["part"] is not None:
        value = _part(value, found["name"], found["part"], where)
    if share := OF.fullmatch(found["form"] or ""):
        text = counted(value, named(share["whole"], numbers, where), f"{where}: '{reference}'")
        return text.capitalize() if share["of"] == "Of" else text
    return formatted(value, found["form"] or "", f"{where}: '{found['name']}'")


def named(name: str, numbers: Mapping[str, Any], where: str) -> Any:
    """The value of a name.

    Raises:
        BookError: nothing of that name is reported.
    """
    if name not in numbers:
        near = get_close_matches(name, numbers, n=1)
        advice = (
            f"did you mean '{near[0]}'?" if near else "name one that a cell hands to report(...)"
        )
        raise BookError(f"{where}: the text asks for '{name}', which is not reported; {advice}")
    return numbers[name]


def formatted(value: Any, form: str, what: str) -> str:
    """A value in a form; those of a list with commas between them; an estimate that could not be
    computed as `undefined`.

    Raises:
        BookError: the value cannot have that form.
    """
    if isinstance(value, list):
        return ", ".join(formatted(each, form, what) for each in value)
    if isinstance(value, str) and form:
        raise BookError(
            f"{what} is the text '{value}' and has no form '{form}'; leave the form out"
        )
    if isinstance(value, Estimate) and not form and value.error is None:
        raise BookError(f"{what} has an interval and needs a form such as .2f")
    if isinstance(value, Estimate) and math.isnan(value.value):
        return "undefined"
    try:
        return format(value, form)
    except ValueError as error:
        raise BookError(f"{what} cannot be printed in the form '{form}': {error}") from None


def counted(count: Any, whole: Any, what: str) -> str:
    """A count of some in words, before the noun of the whole: `all seven`, `none of the seven`,
    `one of seven`, `15 of 79`.

    Raises:
        BookError: they are no counts, or there are more than the whole.
    """
    if not all(type(number) is int for number in (count, whole)) or not 0 <= count <= whole:
        raise BookError(f"{what} asks for a count and a whole at least as large, got {count!r}")
    if not whole:
        return "no"
    if count == whole:
        return {1: "the only", 2: "both"}.get(whole, f"all {in_words(whole)}")
    return f"{in_words(count)} of {in_words(whole)}" if count else f"none of the {in_words(whole)}"


def in_words(count: int) -> str:
    """A count as it stands in a sentence: words up to twelve, digits above."""
    return WORDS[count] if count < len(WORDS) else str(count)


def _placed(name: str | None, form: str | None, numbers: Mapping[str, Any], where: str) -> str:
    """What stands for one placeholder; nothing after the last one."""
    return "" if name is None else printed(f"{name}:{form}" if form else name, numbers, where)


def _part(value: Any, name: str, part: str, where: str) -> Any:
    if part not in PARTS:
        raise BookError(
            f"{where}: '{name}' has no part '{part}'; choose {', '.join(PARTS[:-1])} or {PARTS[-1]}"
        )
    if not isinstance(value, Estimate):
        raise BookError(
            f"{where}: '{name}' has no part '{part}', because it was reported without "
            f"an interval; write {name} alone"
        )
    if getattr(value, part) is None:
        raise BookError(
            f"{where}: '{name}' has an interval and no standard error; choose value, low or high"
        )
    return getattr(value, part)


def _values(path: Path) -> dict[str, Any]:
    outputs = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: of_json(output["data"][VALUE])
        for name, output in outputs.items()
        if VALUE in output["data"]
    }


def _figure_name(image: nodes.image) -> str:
    """The label of the figure that an image stands in, else its file."""
    return ", ".join(image.parent.get("names") or image.parent.get("ids") or [image["uri"]])


def setup(app: "Sphinx") -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", fill_alts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
