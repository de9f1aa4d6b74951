"""Sphinx extension: the directive `{of-paper}`, a table of the equations or of the panels of the
paper, made from `pages/equations.yml`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from valleys.errors import BookError
from valleys.paths import book_root

SOURCE = "pages/equations.yml"
HEADS = {"equations": "Eq.", "panels": "Fig."}
ROLES = {"fig": "numref", "eq": "eq"}  # by how a label begins
NUMBERED = re.compile(r"\beq (a?\d+)")  # an equation of the paper in the name of a test
# words of such names that are written otherwise
WRITTEN = {
    **{name.lower(): name for name in ("Boltzmann", "Gaussian", "Hessian", "Jaccard", "Kramers")},
    "ito": "Itô",
    "isotropic": "uniform",
    "langevin": "Langevin",
}


@dataclass(frozen=True)
class Entry:
    """What the book makes of one equation or panel."""

    says: str
    by: tuple[str, ...] = ()  # names in `valleys`
    test: tuple[str, ...] = ()  # file under `tests::test`
    shown: tuple[str, ...] = ()  # labels of figures and of formulas
    why: str = ""  # it is left out

    def __post_init__(self) -> None:
        """It is shown, by something that is tested, or there is a reason why not."""
        parts = self.by, self.test, self.shown
        if not self.says or any(parts) == bool(self.why) or any(parts) != all(parts):
            raise BookError(
                f"'{self.says}' needs by, test and shown, or why it is left out, and what it says"
            )


def read_entries(path: Path | None = None) -> dict[str, dict[str, Entry]]:
    """Entries by number, of the equations and of the panels; those of the book if no path is given.

    Raises:
        BookError: an entry is not of the agreed form.
    """
    read = yaml.safe_load((path or book_root() / SOURCE).read_text(encoding="utf-8"))
    try:
        return {
            kind: {str(number): _entry(entry) for number, entry in read[kind].items()}
            for kind in HEADS
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BookError(
            f"{SOURCE} maps the numbers of equations and panels to says, by, test and shown, or "
            f"says and why: {error}"
        ) from None


def _entry(entry: Mapping[str, Any]) -> Entry:
    lists = {name: _listed(entry[name]) for name in ("by", "test", "shown") if name in entry}
    return Entry(**{**entry, **lists})


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def table(kind: str, entries: Mapping[str, Entry]) -> str:
    """The table as MyST Markdown, a row for each entry."""
    head = f"| {HEADS[kind]} | What it says | In the library | Held by the test that | Shown in |"
    rows = (f"| {number} | {_cells(entry)} |" for number, entry in entries.items())
    return "\n".join(["````{table}", ":class: of-paper", "", head, "|---" * 5 + "|", *rows, "````"])


def _cells(entry: Entry) -> str:
    if entry.why:
        return f"{entry.says} | – | – | {entry.why}"
    code = ", ".join(f"`{_short(name)}`" for name in entry.by)
    tests = "; ".join(_sentence(test) for test in entry.test)
    links = ", ".join(f"{{{ROLES[label.split('-')[0]]}}}`{label}`" for label in entry.shown)
    return f"{entry.says} | {code} | {tests} | {links}"


def _short(name: str) -> str:
    """The name in the library without its module, and with its class: a table has little room."""
    *_, home, last = name.split(".")
    return f"{home}.{last}" if home[0].isupper() else last


def _sentence(test: str) -> str:
    """The name of a test as the words that it is made of, as they are written."""
    words = test.rpartition("::")[2].removeprefix("test_").split("_")
    text = " ".join(WRITTEN.get(word, word) for word in words)
    return NUMBERED.sub(lambda found: f"Eq. {found[1].upper()}", text)


class OfPaper(SphinxDirective):
    """`{of-paper} equations` or `{of-paper} panels`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Form the table as text of the page and have it read."""
        kind = directives.choice(self.arguments[0], tuple(HEADS))
        self.env.note_dependency(str(book_root() / SOURCE))
        holder = nodes.Element()
        lines = table(kind, read_entries()[kind]).splitlines()
        self.state.nested_parse(StringList(lines, self.env.docname), self.content_offset, holder)
        return holder.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("of-paper", OfPaper)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
