"""Sphinx extension: the directive `{ledger}`, and others for the parts of its page.

They are filled from the numbers that the chapters reported.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from valleys.book.extensions.disclosures import Disclosure
from valleys.book.numbers.claims import CLAIMS, OTHER, PAPER, Claim, Kind, read_claims
from valleys.book.numbers.glued import numbers_for
from valleys.book.numbers.questions import Answer, Question
from valleys.book.numbers.sensitivity import told
from valleys.book.pages.ledger_argument import card, steps
from valleys.book.pages.ledger_borders import has_moved, moved_sentence, reasons
from valleys.book.pages.ledger_counts import (
    ASSUMPTION,
    KINDS,
    chance,
    counted,
    summary,
    tallied,
    uncounted,
    verdicts,
)
from valleys.book.pages.ledger_filters import ABOUT, classes, form
from valleys.book.pages.verdict_role import LEDGER, anchor, badge
from valleys.errors import BookError
from valleys.paths import book_root

MARKS = {Answer.YES: "✓", Answer.NO: "✗", Answer.OPEN: "?"}
# of the page, each a directive without arguments
PARTS = ("argument", "borders", "chance", "filters", "uncounted")
WIDTHS = (38, 44, 18)  # per cent, of the columns
HEADINGS = {PAPER: "The paper says", OTHER: "Others say, or we ask"}


class Waiting(nodes.General, nodes.Element):
    """The place of a table or of the summary until all pages have been read."""


class Ledger(SphinxDirective):
    """`{ledger} 01_landscape`: the claims that a chapter tests; without a name those that none
    tests, or with `:assumptions:` what the model assumes, wherever it is tested.
    """

    optional_arguments = 1
    option_spec = {  # noqa: RUF012 (docutils reads it from the class)
        "about": lambda argument: directives.choice(argument, tuple(ABOUT)),
        "assumptions": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Leave a place for the table; the page is read again at every build, because chapters
        may have changed.
        """
        self.env.note_reread()
        chapter = self.arguments[0] if self.arguments else None
        assumed = "assumptions" in self.options
        about = self.options.get("about")
        return [Waiting(content="table", chapter=chapter, about=about, assumed=assumed)]


class LedgerSummary(SphinxDirective):
    """`{ledger-summary}`: how many claims of the paper hold; `{ledger-summary} other`: how many
    others do; `{ledger-summary} assumption`: how many assumptions of the model.
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
        makers: dict[str, Callable[[], nodes.Node | list[nodes.Node]]] = {
            "argument": lambda: self.argument(claims),
            "borders": lambda: nodes.paragraph(text=moved_sentence(claims)),
            "chance": lambda: chance(claims, self.numbers),
            "filters": lambda: self.filters(claims),
            "summary": lambda: summary(claims, waiting["source"], self.numbers),
            "table": lambda: self.table(_of_table(claims, waiting), waiting["about"]),
            "uncounted": lambda: uncounted(claims),
        }
        return makers[waiting["content"]]()

    def filters(self, claims: list[Claim]) -> nodes.Node:
        """The form that hides rows."""
        counts = verdicts(claims, self.numbers)
        return nodes.raw(
            text=form(claims, counts, KINDS, self._chapter_names(claims)), format="html"
        )

    def argument(self, claims: list[Claim]) -> nodes.Node:
        """A card for each claim that carries the argument, in its order."""
        cards = []
        for claim, lead in steps(claims):
            link = self._link("All of its numbers", LEDGER, anchor(claim))
            cards.append(card(claim, lead, self.numbers, badge(claim, self.numbers), link))
        return nodes.enumerated_list(
            "", *cards, classes=["ledger-argument"], enumtype="arabic", prefix="", suffix="."
        )

    def table(self, claims: list[Claim], about: str | None) -> nodes.Node:
        """A row for each claim, in a fold that says how many have which verdict."""
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
        head = [_entry(nodes.paragraph(text=heading)) for heading in headings]
        group += nodes.thead("", nodes.row("", *head))
        group += nodes.tbody("", *(self._row(claim, about) for claim in claims))
        table = nodes.table("", group, classes=["ledger"])
        return Disclosure("", table, summary=tallied(claims, self.numbers), classes=["ledger-fold"])

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
        row["ids"].append(anchor(claim))
        row["classes"] += [f"ledger-{KINDS[claim.verdict(self.numbers)]}", *classes(claim, about)]
        return row

    def _findings(self, claim: Claim) -> list[nodes.Node]:
        """The first number, what follows from it by construction, and a fold with all else."""
        items = [self._item(tests) for tests in _by_number(claim)]
        said = [nodes.paragraph(text=text) for text in (claim.because, claim.reason) if text]
        shown = [*_listed(items[:1]), *said]
        if not (claim.tests or claim.dropped):
            return shown
        folded = [*_listed(items[1:]), reasons(claim)]
        return [
            *shown,
            Disclosure("", *folded, summary=self._label(claim), classes=["ledger-more"]),
        ]

    def _label(self, claim: Claim) -> str:
        """What the fold of a row holds: more numbers, with their marks, and the borders."""
        rest = _by_number(claim)[1:]
        marks = " ".join(mark for tests in rest for mark in self._marks(tests).values())
        more = [f"{len(rest)} more number{'s' if len(rest) > 1 else ''} {marks}"] if rest else []
        return " · ".join([*more, "Borders, some moved" if has_moved(claim) else "Borders"])

    def _item(self, tests: tuple[Question, ...]) -> nodes.list_item:
        return nodes.list_item("", nodes.paragraph("", "", *self._finding(tests)))

    def _marks(self, tests: tuple[Question, ...]) -> dict[Answer, str]:
        """The signs of the answers about one number, each once."""
        return {answer: MARKS[answer] for answer in (test.answer(self.numbers) for test in tests)}

    def _finding(self, tests: tuple[Question, ...]) -> list[nodes.Node]:
        """A number, beside another where it is compared with one, then what was asked of it, once
        or from both sides of a band, and for which borders the answer stays.
        """
        first = tests[0]
        found: list[nodes.Node] = [
            nodes.inline(text=f"{mark} ", classes=[f"ledger-{answer}"])
            for answer, mark in self._marks(tests).items()
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
        stays = " and ".join(dict.fromkeys(told(test, self.numbers) for test in tests))
        rest = f"; we asked for {asked}. The answer stays for {stays}."
        return [*found, nodes.inline(text=rest, classes=["ledger-asked"])]

    def _conclusion(self, claim: Claim) -> list[nodes.Node]:
        links: list[nodes.Node] = []
        for label in claim.shown:
            comma = [nodes.Text(", ")] if links else []
            links += [*comma, self._shown(f"chapters/{claim.chapter}", label)]
        is_digit = claim.kind == Kind.DIGIT
        note = [nodes.paragraph(text="a digit, not counted")] if is_digit else []
        shown = [nodes.paragraph("", "", *links)] if links else []
        return [nodes.paragraph("", "", *badge(claim, self.numbers)), *note, *shown]

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

    def _link(self, text: str, page: str, anchor: str) -> nodes.Node:
        uri = "" if page == self.page else self.app.builder.get_relative_uri(self.page, page)
        return nodes.reference(text=text, refuri=f"{uri}#{anchor}", internal=True)

    def _chapter_names(self, claims: list[Claim]) -> dict[str, str]:
        """`Chapter 1: the title`, by the name of each chapter that tests a claim."""
        names = dict.fromkeys(claim.chapter for claim in claims if claim.chapter)
        return {
            name: f"Chapter {int(name[:2])}: {self.app.env.titles[f'chapters/{name}'].astext()}"
            for name in names
        }


def _of_table(claims: list[Claim], waiting: Waiting) -> list[Claim]:
    """The rows of a table: the assumptions, or what else belongs to its chapter."""
    if waiting["assumed"]:
        return counted(claims, ASSUMPTION)
    rest = [claim for claim in claims if claim.kind != Kind.ASSUMPTION]
    return [claim for claim in rest if claim.chapter == waiting["chapter"]]


def _entry(*children: nodes.Node) -> nodes.Node:
    return nodes.entry("", *children)


def _listed(items: list[nodes.list_item]) -> list[nodes.Node]:
    """A list of findings, if there are any."""
    return [nodes.bullet_list("", *items, classes=["ledger-findings"])] if items else []


def _by_number(claim: Claim) -> list[tuple[Question, ...]]:
    """The questions of a claim, the two sides of a band together."""
    return [
        tuple(tests)
        for _, tests in groupby(claim.tests, key=lambda test: (test.what, test.number, test.other))
    ]


def _permalink(claim: Claim) -> nodes.Node:
    """A link from a row to itself, to be copied; print leaves it out, like those of headings."""
    link = f'<a class="headerlink ledger-permalink" href="#{anchor(claim)}" aria-label="Link to this claim">#</a>'  # noqa: E501
    return nodes.raw(text=link, format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-summary", LedgerSummary)
    for part in PARTS:
        app.add_directive(f"ledger-{part}", LedgerPart)
    app.add_node(Waiting)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
