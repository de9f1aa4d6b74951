"""How many answers of the ledger chance alone would give: many questions, each at 95 %."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from valleys.book.numbers.claims import Claim
from valleys.book.numbers.questions import OF_SIDES, Answer, Question
from valleys.results.estimates import STANDARD_ERRORS


@dataclass(frozen=True)
class Chance:
    """Questions with an interval, how many are decided, and how many would be by chance."""

    questions: int
    decided: int
    expected: float


def chance_of(question: Question, numbers: Mapping[str, Any]) -> float | None:
    """The chance that intervals decide on which side of its border a number lies, where it lies
    exactly on it: 0.05 of one interval, less where two must not overlap.

    The errors are normal and independent. None where nothing has an interval, or no side is asked.
    """
    halves = [(each.high - each.low) / 2 for each in question.estimates(numbers)]
    if question.relation not in OF_SIDES or not 0 < sum(halves) < math.inf:
        return None
    return math.erfc(STANDARD_ERRORS * sum(halves) / math.hypot(*halves) / math.sqrt(2))


def chances(claims: Iterable[Claim], numbers: Mapping[str, Any]) -> Chance:
    """How many questions of claims are decided, and how many would be if every number lay exactly
    on its border.
    """
    asked = [
        (question.answer(numbers), chance)
        for claim in claims
        for question in claim.tests
        if (chance := chance_of(question, numbers)) is not None
    ]
    decided = sum(answer is not Answer.OPEN for answer, _ in asked)
    return Chance(len(asked), decided, sum(chance for _, chance in asked))
