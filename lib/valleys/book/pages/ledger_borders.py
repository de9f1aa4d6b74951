"""The borders on the ledger: a fold in each row tells their reasons and days, a list those that
moved.
"""

from collections.abc import Callable, Iterable
from html import escape

from docutils import nodes

from valleys.book.numbers.borders import Move
from valleys.book.numbers.claims import Claim
from valleys.book.numbers.effects import Effect
from valleys.book.numbers.questions import Question

Link = Callable[[str, Claim], nodes.Node]  # to the row of a claim


def fold(claim: Claim) -> nodes.Node:
    """Why the borders of a row lie where they do, since when, and how they moved; open in print."""
    moved = any(test.border.moves for test in claim.tests) or claim.dropped
    summary = "Why these borders, and how they moved" if moved else "Why these borders"
    items = "".join(f"<li>{escape(each)}</li>" for each in _told(claim))
    return nodes.raw(
        text=f'<details class="ledger-why"><summary>{summary}</summary><ul>{items}</ul></details>',
        format="html",
    )


def moved_list(claims: Iterable[Claim], link: Link) -> nodes.Node:
    """Each claim with a border that moved or a question that was dropped: what was, and why."""
    items = [_moved_item(claim, link) for claim in claims if _moves(claim)]
    return nodes.bullet_list("", *items, classes=["ledger-moves"])


def moved_sentence(claims: Iterable[Claim]) -> str:
    """How many borders there are, and how many moved after their number was known."""
    claims = list(claims)
    tests = [test for claim in claims for test in claim.tests]
    moved = sum(bool(test.border.moves) for test in tests)
    dropped = sum(len(claim.dropped) for claim in claims)
    return (
        f"Of {len(tests)} borders, {moved} were changed after their number was known, and "
        f"{dropped} more questions were dropped."
    )


def _told(claim: Claim) -> list[str]:
    """A line for each border, those that are asked alike for the same reason together."""
    lines = dict.fromkeys(_border_line(test) for test in claim.tests)
    effects = dict.fromkeys(_effect_line(test.effect) for test in claim.tests if test.effect)
    return [*lines, *effects, *(_dropped_line(move) for move in claim.dropped)]


def _border_line(test: Question) -> str:
    border = test.border
    before = "".join(f" {_move_line(move)}" for move in border.moves)
    asked = test.asked()
    return f"{asked[0].upper()}{asked[1:]}: {border.reason}; set on {border.stated}.{before}"


def _effect_line(effect: Effect) -> str:
    return f"No effect would be {effect.none:g}, a large one {effect.large:g}: {effect.why}."


def _move_line(move: Move) -> str:
    return f"Until {move.date}: {move.was}. Reason: {move.why}."


def _dropped_line(move: Move) -> str:
    return f"No longer asked since {move.date}: {move.was}. Reason: {move.why}."


def _moves(claim: Claim) -> list[str]:
    moved = [_move_line(move) for test in claim.tests for move in test.border.moves]
    return list(dict.fromkeys([*moved, *(_dropped_line(move) for move in claim.dropped)]))


def _moved_item(claim: Claim, link: Link) -> nodes.Node:
    text = " ".join(_moves(claim))
    return nodes.list_item(
        "", nodes.paragraph("", "", link(claim.says, claim), nodes.Text(f" {text}"))
    )
