"""Questions and claims of tests, with a border that has a reason and a day."""

from datetime import date
from typing import Any

from valleys.book.numbers.borders import Border, Move
from valleys.book.numbers.claims import Claim
from valleys.book.numbers.questions import OF_SIDES, Question

STATED = date(2026, 11, 21)
LATER = date(2026, 11, 29)
BORDER = {"reason": "so", "set": STATED}  # as `claims.yml` has it
MOVE = {"date": LATER, "was": "more than 1", "why": "it was wrong"}


def asking(
    relation: str, than: float | str, *, moves: tuple[Move, ...] = (), **more: Any
) -> Question:
    more = {"number": "ours"} | more
    more |= {"within": 0.2} if relation not in OF_SIDES and "within" not in more else {}
    more |= {"other": "another number"} if than == "theirs" else {}
    border = Border("so", STATED, moves)
    return Question(what="a number", relation=relation, than=than, border=border, **more)


def claim(*tests: Question, **more: Any) -> Claim:
    return Claim("name", "Fig. 1", "It is so.", "01_small", ("fig-small",), tests, **more)
