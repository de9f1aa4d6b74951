"""Sphinx extension: the directives `{ledger}`, `{ledger-summary}` and `{ledger-exceptions}`, filled from the numbers that the chapters glued."""

from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from valleys.book.chapters import BookError
from valleys.book.glued import glued
from valleys.book.ledger import OTHER, PAPER, Answer, Claim, Verdict, read_claims
from valleys.book.paths import book_root

PAGE = "pages/ledger"
CLAIMS = "pages/claims.yml"
MARKS = {Answer.YES: "✓", Answer.NO: "✗", Answer.OPEN: "?"}
KINDS = {Verdict.HOLDS: "holds", Verdict.PART: "part", Verdict.FAILS: "fails", Verdict.UNTESTABLE: "untested"}  # CSS classes
COUNTED = {Verdict.HOLDS: ("holds", "hold"), Verdict.PART: ("holds in part", "hold in part"), Verdict.FAILS: ("does not hold", "do not hold")}
WIDTHS = (40, 42, 18)  # per cent, of the columns
HEADINGS = {PAPER: "The paper says", OTHER: "Others say, or we ask"}


class Waiting(nodes.General, nodes.Element):
    """The place of a table or of the summary until all pages have been read."""


class Ledger(SphinxDirective):
    """`{ledger} 01_landscape`: the claims that a chapter tests; without a name those that none tests."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a place for the table; the page is read again at every build, because chapters may have changed."""
        self.env.note_reread()
        return [Waiting(content="table", chapter=self.arguments[0] if self.arguments else None)]


class LedgerSummary(SphinxDirective):
    """`{ledger-summary}`: how many claims of the paper hold; `{ledger-summary} other`: how many others do."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a place for the summary."""
        self.env.note_reread()
        return [Waiting(content="summary", source=self.arguments[0] if self.arguments else PAPER)]


class LedgerExceptions(SphinxDirective):
    """`{ledger-exceptions}`: the claims of the paper that do not hold, and those that hold in part."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for the list."""
        self.env.note_reread()
        return [Waiting(content="exceptions")]


def fill(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put tables and lists where a page left room for them."""
    waiting = list(doctree.findall(Waiting))
    if not waiting:
        return
    claims = read_claims(book_root() / CLAIMS)
    if lost := [claim.name for claim in claims if claim.chapter and f"chapters/{claim.chapter}" not in app.env.found_docs]:
        raise BookError(f"{CLAIMS}: the claims {', '.join(lost)} name chapters that are not in the book")
    writer = _Writer(app, page, {name: value for values in glued(app).values() for name, value in values.items()})
    for node in waiting:
        if node["content"] == "table":
            node.replace_self(writer.table([claim for claim in claims if claim.chapter == node["chapter"]]))
        else:
            asked = [claim for claim in claims if claim.source == node.get("source", PAPER)]
            node.replace_self(writer.summary(asked) if node["content"] == "summary" else writer.exceptions(asked))


class _Writer:
    """Makes nodes for one page."""

    def __init__(self, app: Sphinx, page: str, numbers: dict[str, Any]) -> None:
        self.app, self.page, self.numbers = app, page, numbers

    def summary(self, claims: list[Claim]) -> list[nodes.Node]:
        """A bar and a sentence that count the verdicts."""
        counts = Counter(claim.verdict(self.numbers) for claim in claims)
        text = ", ".join(f"{counts[verdict]} {words[counts[verdict] != 1]}" for verdict, words in COUNTED.items())
        of = "claims" if all(claim.source == PAPER for claim in claims) else "claims of others and questions of this book"
        sentence = f"Of {len(claims)} {of}, {text}, and {counts[Verdict.UNTESTABLE]} cannot be tested here."
        return [_bar(counts), nodes.paragraph(text=sentence, classes=["ledger-summary"])]

    def exceptions(self, claims: list[Claim]) -> nodes.Node:
        """A list of the claims that do not hold, then of those that hold in part."""
        order = (Verdict.FAILS, Verdict.PART)
        found = [(verdict, claim) for verdict in order for claim in claims if claim.verdict(self.numbers) == verdict]
        return nodes.bullet_list("", *(self._exception(*each) for each in found), classes=["ledger-exceptions"])

    def _exception(self, verdict: Verdict, claim: Claim) -> nodes.Node:
        link = self._link(claim.place, PAGE, f"claim-{claim.name}")
        return nodes.list_item("", nodes.paragraph("", "", _badge(verdict), nodes.Text(f" {claim.says} ("), link, nodes.Text(")")))

    def table(self, claims: list[Claim]) -> nodes.Node:
        """A row for each claim."""
        group = nodes.tgroup(cols=len(WIDTHS))
        group += [nodes.colspec(colwidth=width) for width in WIDTHS]
        headings = [" / ".join(text for source, text in HEADINGS.items() if source in {claim.source for claim in claims}), "We find", "Verdict"]
        group += nodes.thead("", nodes.row("", *(_entry(nodes.paragraph(text=heading)) for heading in headings)))
        group += nodes.tbody("", *(self._row(claim) for claim in claims))
        return nodes.table("", group, classes=["ledger"])

    def _row(self, claim: Claim) -> nodes.Node:
        place = nodes.paragraph(text=claim.place, classes=["ledger-place"])
        row = nodes.row("", _entry(place, nodes.paragraph(text=claim.says)), _entry(*self._findings(claim)), _entry(*self._conclusion(claim)))
        row["ids"].append(f"claim-{claim.name}")
        row["classes"].append(f"ledger-{KINDS[claim.verdict(self.numbers)]}")
        return row

    def _findings(self, claim: Claim) -> list[nodes.Node]:
        if not claim.tests:
            return [nodes.paragraph(text=claim.reason)]
        items = nodes.bullet_list(classes=["ledger-findings"])
        for test in claim.tests:
            mark = nodes.inline(text=f"{MARKS[test.answer(self.numbers)]} ", classes=[f"ledger-{test.answer(self.numbers)}"])
            number = nodes.strong(text=test.printed(self.numbers))
            asked = nodes.inline(text=f", asked for: {test.asked(self.numbers)}", classes=["ledger-asked"])
            items += nodes.list_item("", nodes.paragraph("", "", mark, nodes.Text(f"{test.described(self.numbers)}: "), number, asked))
        return [items]

    def _conclusion(self, claim: Claim) -> list[nodes.Node]:
        made: list[nodes.Node] = [nodes.paragraph("", "", _badge(claim.verdict(self.numbers)))]
        if claim.chapter and claim.figure:
            chapter = f"chapters/{claim.chapter}"
            number = self.app.env.toc_fignumbers.get(chapter, {}).get("figure", {}).get(claim.figure)
            name = f"Fig. {'.'.join(map(str, number))}" if number else "the figure"
            made.append(nodes.paragraph("", "", self._link(name, chapter, claim.figure)))
        return made

    def _link(self, text: str, page: str, anchor: str) -> nodes.Node:
        uri = "" if page == self.page else self.app.builder.get_relative_uri(self.page, page)
        return nodes.reference(text=text, refuri=f"{uri}#{anchor}", internal=True)


def _entry(*children: nodes.Node) -> nodes.Node:
    return nodes.entry("", *children)


def _badge(verdict: Verdict) -> nodes.Node:
    return nodes.inline(text=str(verdict), classes=["verdict", f"verdict-{KINDS[verdict]}"])


def _bar(counts: Counter[Verdict]) -> nodes.Node:
    """A bar of as many pieces as there are verdicts; the sentence below it says the same in words."""
    pieces = "".join(f'<span class="verdict-{KINDS[verdict]}" style="flex-grow: {counts[verdict]}"></span>' for verdict in Verdict if counts[verdict])
    return nodes.raw(text=f'<div class="ledger-bar" aria-hidden="true">{pieces}</div>', format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-summary", LedgerSummary)
    app.add_directive("ledger-exceptions", LedgerExceptions)
    app.add_node(Waiting)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
