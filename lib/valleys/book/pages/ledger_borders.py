"""The borders on the ledger: each row tells their reasons and days, and how they moved."""

from collections.abc import Iterable
from html import escape

from docutils import nodes

from valleys.book.numbers.borders import Border, Move
from valleys.book.numbers.claims import Claim
from valleys.book.numbers.effects import Effect


def reasons(claim: Claim) -> nodes.Node:
    """Why the borders of a row lie where they do, since when, and how they moved."""
    items = "".join(f"<li>{escape(each)}</li>" for each in _told(claim))
    return nodes.raw(text=f'<ul class="ledger-why">{items}</ul>', format="html")


def has_moved(claim: Claim) -> bool:
    """Whether a border of a claim moved, or one of its questions was dropped."""
    return bool(claim.dropped) or any(test.border.moves for test in claim.tests)


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
    """A line for each reason, with all that is asked for it."""
    asked: dict[str, list[str]] = {}
    for test in claim.tests:
        asked.setdefault(_because(test.border), []).append(test.asked())
    lines = [f"{_capital('; '.join(dict.fromkeys(each)))}: {why}" for why, each in asked.items()]
    effects = dict.fromkeys(_effect_line(test.effect) for test in claim.tests if test.effect)
    return [*lines, *effects, *(_dropped_line(move) for move in claim.dropped)]


def _because(border: Border) -> str:
    before = "".join(f" {_move_line(move)}" for move in border.moves)
    return f"{border.reason}; set on {border.stated}.{before}"


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _effect_line(effect: Effect) -> str:
    return f"No effect would be {effect.none:g}, a large one {effect.large:g}: {effect.why}."


def _move_line(move: Move) -> str:
    return f"Until {move.date}: {move.was}. Reason: {move.why}."


def _dropped_line(move: Move) -> str:
    return f"No longer asked since {move.date}: {move.was}. Reason: {move.why}."
