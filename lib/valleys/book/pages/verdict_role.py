"""Sphinx extension: the role `` {verdict}`break-even` ``, the ledger's verdict on a claim by its
name, with a link to its row where the ledger is in the book.
"""

from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from valleys.book.numbers.claims import CLAIMS, Claim, Verdict, read_claims
from valleys.book.numbers.effects import Size
from valleys.book.numbers.glued import numbers_for
from valleys.book.pages.ledger_counts import KINDS
from valleys.errors import BookError
from valleys.paths import book_root

LEDGER = "pages/ledger"
ELSEWHERE = "see the ledger"  # of a page that stands alone, where another chapter has the numbers
SIZES = {Size.SMALL: "small effect", Size.LARGE: "large effect"}


class Judged(nodes.General, nodes.Inline, nodes.Element):
    """The place of a verdict until all pages have been read."""


class JudgedRole(SphinxRole):
    """Leaves a place for a verdict."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The place; a page without a notebook is read again at every build, because chapters may
        have changed.
        """
        if "nb_renderer" not in self.inliner.document:
            self.env.note_reread()
        return [Judged(claim=self.text)], []


def badge(claim: Claim, numbers: Mapping[str, Any]) -> list[nodes.Node]:
    """The verdict in a frame, and after it how large the effect is where that is a word."""
    verdict = claim.verdict(numbers)
    framed = nodes.inline(text=str(verdict), classes=["verdict", f"verdict-{KINDS[verdict]}"])
    size = claim.size(numbers)
    word = SIZES.get(size) if size and verdict != Verdict.BUILT else None
    return [framed, nodes.Text(f" {word}")] if word else [framed]


def anchor(claim: Claim) -> str:
    """Of the row of a claim on the ledger's page."""
    return f"claim-{claim.name}"


def fill_verdicts(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the verdicts of a page in their places.

    Raises:
        BookError: no claim has that name.
    """
    waiting = list(doctree.findall(Judged))
    claims = {claim.name: claim for claim in read_claims(book_root() / CLAIMS)} if waiting else {}
    numbers = numbers_for(app, page) if waiting else {}
    for node in waiting:
        if (name := node["claim"]) not in claims:
            raise BookError(f"{page}: no claim of {CLAIMS} is named '{name}'")
        node.replace_self(_judged(app, page, claims[name], numbers))


def _judged(app: Sphinx, page: str, claim: Claim, numbers: Mapping[str, Any]) -> list[nodes.Node]:
    """The verdict, with a link in the book; on a page alone, as far as its numbers are there."""
    if LEDGER in app.env.found_docs:
        uri = app.builder.get_relative_uri(page, LEDGER) + f"#{anchor(claim)}"
        return [nodes.reference("", "", *badge(claim, numbers), refuri=uri, internal=True)]
    try:
        return badge(claim, numbers)
    except BookError:
        return [nodes.Text(ELSEWHERE)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_role("verdict", JudgedRole())
    app.add_node(Judged)
    app.connect("doctree-resolved", fill_verdicts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
