"""Sphinx extension: the directive `{ledger}`, and others for the parts of its page.

They are filled from the numbers that the chapters reported.
"""

from collections import Counter
from itertools import groupby
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from valleys.book.numbers.claims import CLAIMS, OTHER, PAPER, Claim, Verdict, read_claims
from valleys.book.numbers.effects import Size
from valleys.book.numbers.glued import numbers_for
from valleys.book.numbers.questions import Answer, Question
from valleys.book.numbers.sensitivity import told
from valleys.book.pages.ledger_borders import fold, moved_list, moved_sentence
from valleys.book.pages.ledger_filters import ABOUT, classes, form
from valleys.errors import BookError
from valleys.paths import book_root

PAGE = "pages/ledger"
MARKS = {Answer.YES: "✓", Answer.NO: "✗", Answer.OPEN: "?"}
# CSS classes
KINDS = {
    Verdict.HOLDS: "holds",
    Verdict.PART: "part",
    Verdict.FAILS: "fails",
    Verdict.UNTESTABLE: "untested",
}
COUNTED = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.PART: ("holds in part", "hold in part"),
    Verdict.FAILS: ("does not hold", "do not hold"),
}
SIZES = {Size.SMALL: "but small", Size.LARGE: "and large"}
# of the page, each a directive without arguments
PARTS = ("argument", "borders", "exceptions", "filters", "moves")
WIDTHS = (38, 44, 18)  # per cent, of the columns
HEADINGS = {PAPER: "The paper says", OTHER: "Others say, or we ask"}


class Waiting(nodes.General, nodes.Element):
    """The place of a table or of the summary until all pages have been read."""


class Ledger(SphinxDirective):
    """`{ledger} 01_landscape`: the claims that a chapter tests; without a name those that none
    tests.
    """

    optional_arguments = 1
    option_spec = {"about": lambda argument: directives.choice(argument, tuple(ABOUT))}  # noqa: RUF012 (docutils reads it from the class)

    def run(self) -> list[nodes.Node]:
        """Leave a place for the table; the page is read again at every build, because chapters
        may have changed.
        """
        self.env.note_reread()
        chapter = self.arguments[0] if self.arguments else None
        return [Waiting(content="table", chapter=chapter, about=self.options.get("about"))]


class LedgerSummary(SphinxDirective):
    """`{ledger-summary}`: how many claims of the paper hold; `{ledger-summary} other`: how many
    others do.
    """

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a place for the summary."""
        self.env.note_reread()
        return [Waiting(content="summary", source=self.arguments[0] if self.arguments else PAPER)]


class LedgerPart(SphinxDirective):
    """A part of the page without arguments, named by the directive itself."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for it."""
        self.env.note_reread()
        return [Waiting(content=self.name.removeprefix("ledger-"))]


def fill(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put tables and lists where a page left room for them."""
    waiting = list(doctree.findall(Waiting))
    if not waiting:
        return
    claims = read_claims(book_root() / CLAIMS)
    if lost := [
        claim.name
        for claim in claims
        if claim.chapter and f"chapters/{claim.chapter}" not in app.env.found_docs
    ]:
        raise BookError(
            f"{CLAIMS}: the claims {', '.join(lost)} name chapters that are not in the book"
        )
    writer = _Writer(app, page, numbers_for(app, page))
    for node in waiting:
        node.replace_self(writer.content(node, claims))


class _Writer:
    """Makes nodes for one page."""

    def __init__(self, app: Sphinx, page: str, numbers: dict[str, Any]) -> None:
        self.app, self.page, self.numbers = app, page, numbers

    def content(self, waiting: Waiting, claims: list[Claim]) -> nodes.Node | list[nodes.Node]:
        """What belongs in a place."""
        if waiting["content"] == "table":
            return self.table(
                [claim for claim in claims if claim.chapter == waiting["chapter"]], waiting["about"]
            )
        if waiting["content"] == "argument":
            return self.argument(
                sorted((claim for claim in claims if claim.step), key=lambda claim: claim.step or 0)
            )
        if waiting["content"] == "borders":
            return nodes.paragraph(text=moved_sentence(claims))
        if waiting["content"] == "moves":
            return moved_list(claims, self._row_link)
        if waiting["content"] == "filters":
            return nodes.raw(
                text=form(claims, self._counts(claims), KINDS, self._chapter_names(claims)),
                format="html",
            )
        asked = [claim for claim in claims if claim.source == waiting.get("source", PAPER)]
        return self.summary(asked) if waiting["content"] == "summary" else self.exceptions(asked)

    def summary(self, claims: list[Claim]) -> list[nodes.Node]:
        """A bar and a sentence that count the verdicts."""
        counts = self._counts(claims)
        text = ", ".join(
            f"{counts[verdict]} {words[counts[verdict] != 1]}" for verdict, words in COUNTED.items()
        )
        of = (
            "claims"
            if all(claim.source == PAPER for claim in claims)
            else "claims of others and questions of this book"
        )
        sentence = (
            f"Of {len(claims)} {of}, {text}, and {counts[Verdict.UNTESTABLE]} cannot be tested "
            f"here.{self._small(claims)}"
        )
        return [_bar(counts), nodes.paragraph(text=sentence, classes=["ledger-summary"])]

    def _small(self, claims: list[Claim]) -> str:
        """How many of the claims that hold do so with a small effect."""
        holding = [claim for claim in claims if claim.verdict(self.numbers) == Verdict.HOLDS]
        small = sum(claim.size(self.numbers) == Size.SMALL for claim in holding)
        return f" Among those that hold, the effect is small in {small}." if small else ""

    def argument(self, claims: list[Claim]) -> nodes.Node:
        """A numbered list of the claims that carry the argument, each with the first of its
        numbers and a link to its row.
        """
        items = []
        for claim in claims:
            says = nodes.paragraph(
                "", "", nodes.strong(text=claim.says), nodes.Text(" "), self._badge(claim)
            )
            finding = self._finding(_by_number(claim)[0], mark=False)
            link = self._row_link("All of its numbers", claim)
            items.append(
                nodes.list_item(
                    "",
                    says,
                    nodes.paragraph(
                        "", "", *finding, nodes.Text(" "), link, classes=["ledger-found"]
                    ),
                )
            )
        return nodes.enumerated_list(
            "", *items, classes=["ledger-argument"], enumtype="arabic", prefix="", suffix="."
        )

    def exceptions(self, claims: list[Claim]) -> nodes.Node:
        """A list of the claims that do not hold, then of those that hold in part."""
        order = (Verdict.FAILS, Verdict.PART)
        found = [
            claim for verdict in order for claim in claims if claim.verdict(self.numbers) == verdict
        ]
        return nodes.bullet_list(
            "", *(self._exception(claim) for claim in found), classes=["ledger-exceptions"]
        )

    def _exception(self, claim: Claim) -> nodes.Node:
        link = self._row_link(claim.place, claim)
        return nodes.list_item(
            "",
            nodes.paragraph(
                "", "", self._badge(claim), nodes.Text(f" {claim.says} ("), link, nodes.Text(")")
            ),
        )

    def table(self, claims: list[Claim], about: str | None) -> nodes.Node:
        """A row for each claim."""
        group = nodes.tgroup(cols=len(WIDTHS))
        group += [nodes.colspec(colwidth=width) for width in WIDTHS]
        headings = [
            " / ".join(
                text
                for source, text in HEADINGS.items()
                if source in {claim.source for claim in claims}
            ),
            "We find",
            "Verdict",
        ]
        head = [nodes.paragraph(text=heading) for heading in headings]
        head[1] += [nodes.Text(" "), nodes.inline(text="The answer", classes=["ledger-stays"])]
        group += nodes.thead("", nodes.row("", *(_entry(heading) for heading in head)))
        group += nodes.tbody("", *(self._row(claim, about) for claim in claims))
        return nodes.table("", group, classes=["ledger"])

    def _row(self, claim: Claim, about: str | None) -> nodes.Node:
        place = nodes.paragraph(
            "", "", nodes.Text(f"{claim.place} "), _permalink(claim), classes=["ledger-place"]
        )
        row = nodes.row(
            "",
            _entry(place, nodes.paragraph(text=claim.says)),
            _entry(*self._findings(claim)),
            _entry(*self._conclusion(claim)),
        )
        row["ids"].append(_anchor(claim))
        row["classes"] += [f"ledger-{KINDS[claim.verdict(self.numbers)]}", *classes(claim, about)]
        return row

    def _findings(self, claim: Claim) -> list[nodes.Node]:
        if not claim.tests:
            return [nodes.paragraph(text=claim.reason or "")]
        items = (
            nodes.list_item("", nodes.paragraph("", "", *self._finding(tests)), self._stays(tests))
            for tests in _by_number(claim)
        )
        return [nodes.bullet_list("", *items, classes=["ledger-findings"]), fold(claim)]

    def _finding(self, tests: tuple[Question, ...], *, mark: bool = True) -> list[nodes.Node]:
        """A number, beside another where it is compared with one, and what was asked of it:
        once, or from both sides of a band.
        """
        first = tests[0]
        answers = dict.fromkeys(test.answer(self.numbers) for test in tests) if mark else ()
        found: list[nodes.Node] = [
            nodes.inline(text=f"{MARKS[answer]} ", classes=[f"ledger-{answer}"])
            for answer in answers
        ]
        found += [
            nodes.Text(f"{first.described(self.numbers)}: "),
            nodes.strong(text=first.printed(self.numbers)),
        ]
        if first.is_of_two:
            found += [
                nodes.Text(f"; {first.described_other(self.numbers)}: "),
                nodes.strong(text=first.printed_other(self.numbers)),
            ]
        asked = " and ".join(test.asked() for test in tests)
        return [*found, nodes.inline(text=f"; we asked for {asked}.", classes=["ledger-asked"])]

    def _stays(self, tests: tuple[Question, ...]) -> nodes.Node:
        """For which borders the answer stays what it is; of a band each of both."""
        spans = " and ".join(dict.fromkeys(told(test, self.numbers) for test in tests))
        return nodes.paragraph(text=f"stays for {spans}", classes=["ledger-stays"])

    def _conclusion(self, claim: Claim) -> list[nodes.Node]:
        links = [
            nodes.paragraph("", "", self._shown(f"chapters/{claim.chapter}", label))
            for label in claim.shown
        ]
        return [nodes.paragraph("", "", self._badge(claim)), *links]

    def _shown(self, chapter: str, label: str) -> nodes.Node:
        """A link to a figure of a chapter, by its number; to a section where the label is none
        of a figure.
        """
        number = self.app.env.toc_fignumbers.get(chapter, {}).get("figure", {}).get(label)
        if number:
            return self._link(f"Fig. {'.'.join(map(str, number))}", chapter, label)
        section = self.app.env.toc_secnumbers.get(chapter, {}).get(f"#{label}")
        return self._link(
            f"Section {'.'.join(map(str, section))}" if section else "where it is shown",
            chapter,
            label,
        )

    def _row_link(self, text: str, claim: Claim) -> nodes.Node:
        return self._link(text, PAGE, _anchor(claim))

    def _link(self, text: str, page: str, anchor: str) -> nodes.Node:
        uri = "" if page == self.page else self.app.builder.get_relative_uri(self.page, page)
        return nodes.reference(text=text, refuri=f"{uri}#{anchor}", internal=True)

    def _badge(self, claim: Claim) -> nodes.Node:
        """The verdict in a frame, and after it how large the effect is where that is a word."""
        verdict = claim.verdict(self.numbers)
        badge = nodes.inline(text=str(verdict), classes=["verdict", f"verdict-{KINDS[verdict]}"])
        size = claim.size(self.numbers)
        word = SIZES.get(size) if size else None
        after = [nodes.inline(text=f", {word}", classes=["ledger-size"])] if word else []
        return nodes.inline("", "", badge, *after)

    def _counts(self, claims: list[Claim]) -> Counter[Verdict]:
        return Counter(claim.verdict(self.numbers) for claim in claims)

    def _chapter_names(self, claims: list[Claim]) -> dict[str, str]:
        """`Chapter 1: the title`, by the name of each chapter that tests a claim."""
        names = dict.fromkeys(claim.chapter for claim in claims if claim.chapter)
        return {
            name: f"Chapter {int(name[:2])}: {self.app.env.titles[f'chapters/{name}'].astext()}"
            for name in names
        }


def _entry(*children: nodes.Node) -> nodes.Node:
    return nodes.entry("", *children)


def _by_number(claim: Claim) -> list[tuple[Question, ...]]:
    """The questions of a claim, the two sides of a band together."""
    return [
        tuple(tests)
        for _, tests in groupby(claim.tests, key=lambda test: (test.what, test.number, test.other))
    ]


def _anchor(claim: Claim) -> str:
    return f"claim-{claim.name}"


def _permalink(claim: Claim) -> nodes.Node:
    """A link from a row to itself, to be copied; print leaves it out, like those of headings."""
    link = f'<a class="headerlink ledger-permalink" href="#{_anchor(claim)}" aria-label="Link to this claim" title="Link to this claim">#</a>'  # noqa: E501
    return nodes.raw(text=link, format="html")


def _bar(counts: Counter[Verdict]) -> nodes.Node:
    """A bar of as many pieces as there are verdicts; the sentence below it says the same in
    words.
    """
    pieces = "".join(
        f'<span class="verdict-{KINDS[verdict]}" style="flex-grow: {counts[verdict]}"></span>'
        for verdict in Verdict
        if counts[verdict]
    )
    return nodes.raw(
        text=f'<div class="ledger-bar" aria-hidden="true">{pieces}</div>', format="html"
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-summary", LedgerSummary)
    for part in PARTS:
        app.add_directive(f"ledger-{part}", LedgerPart)
    app.add_node(Waiting)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
