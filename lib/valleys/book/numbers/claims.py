"""The ledger: claims of the paper and of others, the numbers of the chapters that test each, and the verdict that follows from them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from valleys.book.numbers.glued import filled
from valleys.errors import BookError

UNKNOWN = ("nan", "undefined")  # how chapters print what could not be computed
STANDARD_ERRORS = 1.96  # from a value to the end of its 95 % interval
RELATIONS = ("above", "below", "equals")
BAND = ["above", "below"]  # both at once are two questions about one number
WORDS = {"above": "more", "below": "less"}
PAPER, OTHER = "paper", "other"  # whose claim it is: the paper's, or another's, which includes questions of this book
_NUMBER = r"[+-]?\d+\.?\d*(?:e[+-]?\d+)?"
_WITH_INTERVAL = re.compile(rf"({_NUMBER})\s*%? \(({_NUMBER})\s*%? to ({_NUMBER})\s*%?\)")
_WITH_ERROR = re.compile(rf"({_NUMBER})\s*%? ± ({_NUMBER})\s*%?")
_PLAIN = re.compile(rf"({_NUMBER})\s*%?")


class Answer(StrEnum):
    """Whether a number does what a claim asks of it."""

    YES = "yes"
    NO = "no"
    OPEN = "open"  # the interval reaches to both sides


class Verdict(StrEnum):
    """What becomes of a claim."""

    HOLDS = "holds"
    PART = "holds in part"
    FAILS = "does not hold"
    UNTESTABLE = "not testable here"


@dataclass(frozen=True)
class Number:
    """A value with the ends of its 95 % interval; an exact one has no width, one without an interval reaches everywhere."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, glued: Any) -> "Number":
        """What a chapter printed: `0.64 (0.32 to 0.84)`, `0.90 ± 0.01` with a standard error, `14%`, which is 0.14, or a plain number, which is taken as exact.

        Raises:
            BookError: the text is none of these.
        """
        if isinstance(glued, int | float):
            return cls(glued, glued, glued) if math.isfinite(glued) else cls.unknown()
        text = str(glued).replace(",", "")
        unit = 0.01 if "%" in text else 1
        if found := _WITH_INTERVAL.fullmatch(text):
            return cls(*(unit * float(each) for each in found.groups()))
        if found := _WITH_ERROR.fullmatch(text):
            value, error = (unit * float(each) for each in found.groups())
            return cls(value, value - STANDARD_ERRORS * error, value + STANDARD_ERRORS * error)
        if found := _PLAIN.fullmatch(text):
            return cls.of(unit * float(found[1]))
        if text in UNKNOWN or "(no interval)" in text or "nan" in text.split():
            return cls.unknown()
        raise BookError(f"'{glued}' is no number that the ledger can read: give 0.6, 14%, 0.64 (0.32 to 0.84) or 0.90 ± 0.01")

    def agrees(self, other: "Number", within: float) -> Answer:
        """Whether both intervals overlap; `open` where they do so only because one of them is wider than `within` to either side of its middle."""
        if self.low > other.high or other.low > self.high:
            return Answer.NO
        return Answer.YES if max(self.high - self.low, other.high - other.low) <= 2 * within else Answer.OPEN

    @classmethod
    def unknown(cls) -> "Number":
        """A number that decides nothing, because there was too little to compute it from."""
        return cls(math.nan, -math.inf, math.inf)


@dataclass(frozen=True)
class Question:
    """What one number must do: lie above, below or at another."""

    what: str  # may name numbers of the chapters, such as {c02_runs}
    number: str  # name under which the chapter glued it
    relation: str
    than: float | str  # a value such as 0.5 or 10%, or the name of another number
    other: str | None = None  # what the other number is
    of: str | None = None  # a count is shared out among this one
    within: float | None = None  # how well a number must be known to equal another
    form: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if self.relation not in RELATIONS:
            raise BookError(f"'{self.what}': a number can be {', '.join(RELATIONS)} something, not '{self.relation}'")
        if (self.relation == "equals") != (self.within is not None):
            raise BookError(f"'{self.what}': say with `within` how well a number must be known to equal another, and only then")
        if self.is_of_two != bool(self.other):
            raise BookError(f"'{self.what}': say with `other` what the other number is, where a number is compared with one, and only then")
        if self.of and isinstance(self.than, str):
            raise BookError(f"'{self.what}': a count with `of` is compared with a share such as 0.75, not with '{self.than}'")

    def answer(self, numbers: Mapping[str, Any]) -> Answer:
        """Whether the number does so, by its 95 % interval; `open` where the interval reaches to both sides.

        Raises:
            BookError: no chapter glued a number of that name.
        """
        ours, theirs = self._number(numbers), Number.of(self._than(numbers))
        if math.isnan(ours.value) or math.isnan(theirs.value):
            return Answer.OPEN
        if self.within is not None:
            return ours.agrees(theirs, self.within)
        above, below = ours.low > theirs.high, ours.high < theirs.low
        if self.relation == "below":
            above, below = below, above
        return Answer.YES if above else Answer.NO if below or ours == theirs else Answer.OPEN

    def described(self, numbers: Mapping[str, Any]) -> str:
        """What the number is, with the settings of the run that it comes from."""
        return filled(self.what, numbers, f"ledger, {self.number}")

    def described_other(self, numbers: Mapping[str, Any]) -> str:
        """What the other number is."""
        return filled(self.other or "", numbers, f"ledger, {self.number}")

    def printed(self, numbers: Mapping[str, Any]) -> str:
        """The number as its chapter prints it."""
        shown = _shown(_named(self.number, numbers), self.form)
        return shown if self.of is None else f"{shown} of {_named(self.of, numbers)}"

    def printed_other(self, numbers: Mapping[str, Any]) -> str:
        """The number that it is compared with, as its chapter prints it."""
        return _shown(self._than(numbers), self.form)

    def asked(self) -> str:
        """What was wanted, in words that follow "we asked for": `more than 0.9`, or `more` where another number is shown beside it."""
        than = "" if self.is_of_two else f"{self.than:.0%} of them" if self.of else _shown(self.than, "g")
        if self.relation == "equals":
            return f"{than or 'the same'}, with an uncertainty of at most {self.within:g}"
        return f"{WORDS[self.relation]} than {than}" if than else WORDS[self.relation]

    @property
    def is_of_two(self) -> bool:
        """Whether a number is compared with another one, and not with a value."""
        return isinstance(self.than, str) and not _PLAIN.fullmatch(self.than)

    def _than(self, numbers: Mapping[str, Any]) -> Any:
        return _named(self.than, numbers) if self.is_of_two else self.than

    def _number(self, numbers: Mapping[str, Any]) -> Number:
        ours = Number.of(_named(self.number, numbers))
        if self.of is None:
            return ours
        whole = Number.of(_named(self.of, numbers)).value
        return Number.of(ours.value / whole) if whole else Number.unknown()


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, or of others, and what is asked of our numbers."""

    name: str
    place: str  # where it is made
    says: str
    chapter: str | None = None
    shown: tuple[str, ...] = ()  # labels of the figures that show it, or the anchor of a section where none does
    tests: tuple[Question, ...] = ()
    reason: str | None = None  # why it is not tested here
    source: str = PAPER
    step: int | None = None  # its place among the few that carry the argument

    def __post_init__(self) -> None:
        """A claim is somebody's, and tested, or there is a reason why not."""
        if self.source not in (PAPER, OTHER):
            raise BookError(f"the claim '{self.name}' has the source '{self.source}'; choose {PAPER} or {OTHER}")
        if bool(self.tests) == bool(self.reason):
            raise BookError(f"the claim '{self.name}' needs either tests or a reason why it is not tested")
        if self.tests and not (self.chapter and self.shown):
            raise BookError(f"the claim '{self.name}' is tested and needs the chapter that tests it and, under `shown`, the figures that show it")

    @property
    def paper_figures(self) -> tuple[str, ...]:
        """Numbers of the paper's figures that its place names, without letters of panels: `1`, or `S1` in the supplement."""
        lists = re.findall(r"Figs?\. (S?\d\w*(?:(?:, | and | to )S?\d\w*)*)", self.place)
        return tuple(dict.fromkeys(number for each in lists for number in re.findall(r"S?\d+", each))) if self.source == PAPER else ()

    def verdict(self, numbers: Mapping[str, Any]) -> Verdict:
        """All answers yes: holds. Some yes: in part. None yes: does not hold if there is a no, and cannot be told if there is none."""
        answers = [test.answer(numbers) for test in self.tests]
        if Answer.YES in answers:
            return Verdict.HOLDS if set(answers) == {Answer.YES} else Verdict.PART
        return Verdict.FAILS if Answer.NO in answers else Verdict.UNTESTABLE


def read_claims(path: Path) -> list[Claim]:
    """The claims of a YAML file, in its order.

    Raises:
        BookError: an entry is not of the agreed form.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return [_claim(name, dict(entry)) for name, entry in entries.items()]
    except (AttributeError, ValueError, TypeError) as error:
        raise BookError(f"{path.name} maps names to claims, each with place, says and a list of tests or a reason: {error}") from None


def _claim(name: str, entry: dict[str, Any]) -> Claim:
    tests = tuple(question for test in entry.pop("tests", []) for question in _questions(name, dict(test)))
    shown = entry.pop("shown", [])
    try:
        return Claim(name=name, tests=tests, shown=(shown,) if isinstance(shown, str) else tuple(shown), **entry)
    except TypeError as error:
        raise BookError(f"the claim '{name}' has place, says, source, chapter, shown, step, tests or reason, and nothing else: {error}") from None


def _questions(name: str, entry: dict[str, Any]) -> list[Question]:
    asked = {relation: entry.pop(relation) for relation in RELATIONS if relation in entry}
    if len(asked) != 1 and list(asked) != BAND:
        raise BookError(
            f"each test of the claim '{name}' asks for one of {', '.join(RELATIONS)}, or for above and below; one asks for {', '.join(asked) or 'none'}"
        )
    try:
        return [Question(relation=relation, than=than, **entry) for relation, than in asked.items()]
    except TypeError as error:
        raise BookError(f"a test of the claim '{name}' is not of the agreed form: {error}") from None


def _named(name: str, numbers: Mapping[str, Any]) -> Any:
    if name not in numbers:
        raise BookError(f"the ledger asks for the number '{name}', which no chapter reports")
    return numbers[name]


def _shown(glued: Any, form: str) -> str:
    return f"{glued:{form}}" if isinstance(glued, int | float) else str(glued)
