"""The first storey of the ledger: a card for each claim that carries the argument, with the size of
its effect, what we find, and a picture.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from docutils import nodes

from valleys.book.numbers.claims import Claim
from valleys.book.numbers.leads import Lead, Scale


def steps(claims: Iterable[Claim]) -> list[tuple[Claim, Lead]]:
    """The claims that carry the argument, in its order, each with what its card shows."""
    found = [(claim, claim.lead) for claim in claims if claim.step and claim.lead]
    return sorted(found, key=lambda each: each[0].step or 0)


def card(
    claim: Claim, lead: Lead, numbers: Mapping[str, Any], badge: list[nodes.Node], link: nodes.Node
) -> nodes.list_item:
    """The claim with its verdict, the size of its effect in numbers and on a scale, what we find,
    and a link to its row.
    """
    says = nodes.paragraph("", "", nodes.strong(text=claim.says), nodes.Text(" "), *badge)
    found = nodes.paragraph("", "", nodes.Text(f"{lead.told(numbers)} "), link)
    size = _size(lead, numbers)
    scale = _scale(lead.scale(numbers), list(lead.marks.values()))
    return nodes.list_item("", _picture(lead), nodes.container("", says, *size, *scale, found))


def _size(lead: Lead, numbers: Mapping[str, Any]) -> list[nodes.Node]:
    """The value in large, its interval and what it is behind it."""
    value, _, interval = lead.printed(numbers).partition(" (")
    rest = f" ({interval} " if interval else " "
    described = nodes.Text(f"{rest}{lead.described(numbers)}.")
    return [nodes.paragraph("", "", nodes.strong(text=value), described, classes=["ledger-effect"])]


def _scale(scale: Scale | None, words: list[str]) -> list[nodes.Node]:
    """A line with the value, its interval and the marks; the words before it say the same."""
    if scale is None:
        return []
    marks = "".join(
        f'<span class="scale-mark" style="left: {place:.1f}%">{escape(word)}</span>'
        for place, word in zip(scale.marks, words, strict=True)
    )
    interval = f"left: {scale.low:.1f}%; width: {scale.high - scale.low:.1f}%"
    line = (
        '<div class="ledger-scale sd-d-print-none" aria-hidden="true">'
        f'{marks}<span class="scale-interval" style="{interval}"></span>'
        f'<span class="scale-value" style="left: {scale.value:.1f}%"></span></div>'
    )
    return [nodes.raw(text=line, format="html")]


def _picture(lead: Lead) -> nodes.Node:
    image = (
        f'<img class="sd-d-print-none" src="../_static/{lead.picture}" alt="{escape(lead.alt)}" '
        'width="160" height="96">'
    )
    return nodes.raw(text=image, format="html")
