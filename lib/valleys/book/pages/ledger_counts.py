"""What the ledger counts: verdicts of the paper, of others and of the assumptions, and chance."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from docutils import nodes

from valleys.book.numbers.chance import chances
from valleys.book.numbers.claims import OTHER, PAPER, Claim, Kind, Verdict
from valleys.book.numbers.effects import Size

Numbers = Mapping[str, Any]
ASSUMPTION = "assumption"
SUMMED = {  # what a summary counts
    PAPER: "claims",
    OTHER: "claims of others and questions of this book",
    ASSUMPTION: "assumptions of the model",
}
# CSS classes
KINDS = {
    Verdict.HOLDS: "holds",
    Verdict.PART: "part",
    Verdict.FAILS: "fails",
    Verdict.UNTESTABLE: "untested",
    Verdict.BUILT: "built",
}
COUNTED = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.PART: ("holds in part", "hold in part"),
    Verdict.FAILS: ("does not hold", "do not hold"),
    Verdict.UNTESTABLE: ("cannot be tested here", "cannot be tested here"),
}


def counted(claims: list[Claim], source: str) -> list[Claim]:
    """The claims of a source that are counted, or the assumptions of the model."""
    if source == ASSUMPTION:
        return [claim for claim in claims if claim.kind == Kind.ASSUMPTION]
    return [claim for claim in claims if claim.kind == Kind.CLAIM and claim.source == source]


def verdicts(claims: list[Claim], numbers: Numbers) -> Counter[Verdict]:
    """How many claims have each verdict."""
    return Counter(claim.verdict(numbers) for claim in claims)


def summary(claims: list[Claim], source: str, numbers: Numbers) -> list[nodes.Node]:
    """A sentence that counts the verdicts of a source, and for the paper a bar above it; nothing
    where no claim is of that source.
    """
    claims = counted(claims, source)
    if not claims:
        return []
    counts = verdicts(claims, numbers)
    *others, last = _told(counts)
    text = f"{', '.join(others)} and {last}" if others else last
    sentence = f"Of {len(claims)} {SUMMED[source]}, {text}.{_small(claims, numbers)}"
    bar = [_bar(counts)] if source == PAPER else []
    return [*bar, nodes.paragraph(text=sentence, classes=["ledger-summary"])]


def tallied(claims: list[Claim], numbers: Numbers) -> str:
    """How many claims of a table have which verdict, in words: `3 claims: 2 hold, 1 does not
    hold`.
    """
    told = ", ".join(_told(verdicts(claims, numbers)))
    return f"{len(claims)} claim{'s' if len(claims) != 1 else ''}: {told}"


def _told(counts: Counter[Verdict]) -> list[str]:
    """How many have each verdict that any has, in words: `2 hold`, `1 does not hold`."""
    words = {verdict: COUNTED.get(verdict, (verdict, verdict)) for verdict in counts}
    return [f"{counts[each]} {words[each][counts[each] != 1]}" for each in Verdict if counts[each]]


def chance(claims: list[Claim], numbers: Numbers) -> nodes.Node:
    """How many answers chance alone would give."""
    found = chances(claims, numbers)
    text = (
        f"{found.questions} questions ask on which side of a border a number with an interval "
        f"lies, and {found.decided} of them are decided. If every true value lay exactly on its "
        f"border, about {found.expected:.0f} would be decided all the same, by chance alone, and "
        "half of these would be ticks."
    )
    return nodes.paragraph(text=text, classes=["ledger-chance"])


def uncounted(claims: list[Claim]) -> nodes.Node:
    """What is shown in the tables and not counted."""
    kinds = Counter(claim.kind for claim in claims)
    text = (
        f"Shown and not counted are {kinds[Kind.CONSTRUCTION]} statements that are true by "
        f"construction and {kinds[Kind.DIGIT]} printed digits."
    )
    return nodes.paragraph(text=text, classes=["ledger-uncounted"])


def _small(claims: list[Claim], numbers: Numbers) -> str:
    """How many of the claims that hold do so with a small effect."""
    holding = [claim for claim in claims if claim.verdict(numbers) == Verdict.HOLDS]
    small = sum(claim.size(numbers) == Size.SMALL for claim in holding)
    return f" Among those that hold, the effect is small in {small}." if small else ""


def _bar(counts: Counter[Verdict]) -> nodes.Node:
    """A bar of as many pieces as there are verdicts, with their counts; the sentence below it says
    the same in words.
    """
    pieces = "".join(
        f'<span class="verdict-{KINDS[verdict]}" style="flex-grow: {counts[verdict]}">'
        f"<b>{counts[verdict]}</b></span>"
        for verdict in Verdict
        if counts[verdict]
    )
    return nodes.raw(
        text=f'<div class="ledger-bar" aria-hidden="true">{pieces}</div>', format="html"
    )
