"""The ledger: claims of the paper and of others, the numbers of the chapters that test each, and
the verdict that follows from them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from valleys.book.numbers.borders import Border, Move, moves_of
from valleys.book.numbers.effects import Effect, Size
from valleys.book.numbers.leads import Lead
from valleys.book.numbers.questions import RELATIONS, Answer, Question
from valleys.errors import BookError

CLAIMS = "pages/claims.yml"
BAND = ["above", "below"]  # both at once are two questions about one number
# whose claim it is: the paper's, or another's, which includes questions of this book
PAPER, OTHER = "paper", "other"


class Kind(StrEnum):
    """What a row of the ledger is, and so whether and with what it is counted."""

    CLAIM = "claim"
    ASSUMPTION = "assumption"  # of the model, put to networks; counted apart
    CONSTRUCTION = "construction"  # cannot be otherwise; shown and not counted
    DIGIT = "digit"  # a printed one; shown and not counted


class Verdict(StrEnum):
    """What becomes of a claim."""

    HOLDS = "holds"
    PART = "holds in part"
    FAILS = "does not hold"
    UNTESTABLE = "not testable here"
    BUILT = "true by construction"


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, or of others, and what is asked of our numbers."""

    name: str
    place: str  # where it is made
    says: str
    chapter: str | None = None
    # labels of the figures that show it, or the anchor of a section where none does
    shown: tuple[str, ...] = ()
    tests: tuple[Question, ...] = ()
    reason: str | None = None  # why it is not tested here
    source: str = PAPER
    step: int | None = None  # its place among the few that carry the argument
    lead: Lead | None = None  # what one of these shows first
    dropped: tuple[Move, ...] = ()  # questions that it is asked no more
    kind: Kind = Kind.CLAIM
    because: str | None = None  # why it cannot be otherwise

    def __post_init__(self) -> None:
        """A claim is somebody's, and tested, or there is a reason why not."""
        if self.source not in (PAPER, OTHER):
            raise BookError(
                f"the claim '{self.name}' has the source '{self.source}'; choose {PAPER} or {OTHER}"
            )
        if (self.kind == Kind.CONSTRUCTION) != bool(self.because):
            raise BookError(
                f"the claim '{self.name}' says with `because` why it is true by construction where "
                "it is of that kind, and only then"
            )
        if bool(self.step) != bool(self.lead):
            raise BookError(
                f"the claim '{self.name}' needs a `lead` where it has a `step`, and only then"
            )
        if bool(self.tests) == bool(self.reason):
            raise BookError(
                f"the claim '{self.name}' needs either tests or a reason why it is not tested"
            )
        if self.tests and not (self.chapter and self.shown):
            raise BookError(
                f"the claim '{self.name}' is tested and needs the chapter that tests "
                "it and, under `shown`, the figures that show it"
            )

    @property
    def paper_figures(self) -> tuple[str, ...]:
        """Numbers of the paper's figures that its place names, without letters of panels: `1`,
        or `S1` in the supplement.
        """
        lists = re.findall(r"Figs?\. (S?\d\w*(?:(?:, | and | to )S?\d\w*)*)", self.place)
        return (
            tuple(dict.fromkeys(number for each in lists for number in re.findall(r"S?\d+", each)))
            if self.source == PAPER
            else ()
        )

    def verdict(self, numbers: Mapping[str, Any]) -> Verdict:
        """All answers yes: holds, or is true by construction. Some yes: in part. None yes: does
        not hold if there is a no, and cannot be told if there is none.
        """
        answers = [test.answer(numbers) for test in self.tests]
        if self.kind == Kind.CONSTRUCTION and set(answers) == {Answer.YES}:
            return Verdict.BUILT
        if Answer.YES in answers:
            return Verdict.HOLDS if set(answers) == {Answer.YES} else Verdict.PART
        return Verdict.FAILS if Answer.NO in answers else Verdict.UNTESTABLE

    def size(self, numbers: Mapping[str, Any]) -> Size | None:
        """How large its effects are that a tick stands beside: small or large where all are so;
        None where it has none.
        """
        sizes = {size for test in self.tests if (size := test.size(numbers))}
        return sizes.pop() if len(sizes) == 1 else Size.BETWEEN if sizes else None


def read_claims(path: Path) -> list[Claim]:
    """The claims of a YAML file, in its order.

    Raises:
        BookError: an entry is not of the agreed form.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return [_claim(name, dict(entry)) for name, entry in entries.items()]
    except (AttributeError, ValueError, TypeError) as error:
        raise BookError(
            f"{path.name} maps names to claims, each with place, says and a list of "
            f"tests or a reason: {error}"
        ) from None


def _claim(name: str, entry: dict[str, Any]) -> Claim:
    tests = tuple(
        question for test in entry.pop("tests", []) for question in _questions(name, dict(test))
    )
    kind = Kind(entry.pop("kind", Kind.CLAIM))
    shown, dropped = entry.pop("shown", []), moves_of(entry.pop("dropped", []))
    lead = entry.pop("lead", None)
    try:
        return Claim(
            name=name,
            tests=tests,
            dropped=dropped,
            kind=kind,
            lead=Lead(**lead) if lead else None,
            shown=(shown,) if isinstance(shown, str) else tuple(shown),
            **entry,
        )
    except TypeError as error:
        raise BookError(
            f"the claim '{name}' has place, says, source, kind, because, chapter, shown, step and "
            f"lead, tests or reason, and dropped, and nothing else: {error}"
        ) from None


def _questions(name: str, entry: dict[str, Any]) -> list[Question]:
    asked = {relation: entry.pop(relation) for relation in RELATIONS if relation in entry}
    if len(asked) != 1 and list(asked) != BAND:
        raise BookError(
            f"each test of the claim '{name}' asks for one of {', '.join(RELATIONS)}, or for above "
            f"and below; one asks for {', '.join(asked) or 'none'}"
        )
    border = Border.of(entry)
    try:
        effect = Effect(**entry.pop("effect")) if "effect" in entry else None
        return [
            Question(relation=relation, than=than, border=border, effect=effect, **entry)
            for relation, than in asked.items()
        ]
    except TypeError as error:
        raise BookError(
            f"a test of the claim '{name}' is not of the agreed form: {error}"
        ) from None
