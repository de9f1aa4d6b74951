"""Questions of the ledger: what one number of a chapter must do, and whether it does."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from valleys.book.numbers.borders import Border
from valleys.book.numbers.effects import Effect, Size
from valleys.book.numbers.glued import filled, formatted, named
from valleys.errors import BookError
from valleys.results.estimates import Estimate

RELATIONS = ("above", "below", "equals", "at_least")
OF_SIDES = ("above", "below")  # the others are for numbers that may agree
WORDS = {"above": "more", "below": "less"}
PER_CENT = "%"  # ends what a number is compared with in `claims.yml` where that is a share


class Answer(StrEnum):
    """Whether a number does what a claim asks of it."""

    YES = "yes"
    NO = "no"
    OPEN = "open"  # the interval reaches to both sides


# decides nothing, because there was too little to compute it from
UNKNOWN = Estimate(math.nan, -math.inf, math.inf)


def judged(value: Any, name: str) -> Estimate:
    """A number as a claim is judged by it: a plain one is exact, one without an interval decides
    nothing.

    Raises:
        BookError: it is a text or a list.
    """
    if isinstance(value, int | float):
        return Estimate(value, value, value) if math.isfinite(value) else UNKNOWN
    if not isinstance(value, Estimate):
        raise BookError(
            f"the ledger cannot judge '{name}', which is {value!r}; report a number or an estimate"
        )
    return (
        UNKNOWN if any(math.isnan(each) for each in (value.value, value.low, value.high)) else value
    )


def is_known(ours: Estimate, theirs: Estimate, within: float) -> bool:
    """Whether neither interval is wider than `within` to either side of its middle."""
    return max(ours.high - ours.low, theirs.high - theirs.low) <= 2 * within


def agree(ours: Estimate, theirs: Estimate, within: float) -> Answer:
    """Whether both intervals overlap; `open` where they do so only because one of them is too
    wide.
    """
    if ours.low > theirs.high or theirs.low > ours.high:
        return Answer.NO
    return Answer.YES if is_known(ours, theirs, within) else Answer.OPEN


@dataclass(frozen=True)
class Question:
    """What one number must do: lie above, below or at another."""

    what: str  # may name numbers of the chapters, such as {c02_runs}
    number: str  # name under which the chapter reported it
    relation: str
    than: float | str  # a value such as 0.5 or 10%, or the name of another number
    border: Border  # why it lies there, and since when
    other: str | None = None  # what the other number is
    of: str | None = None  # a count is shared out among this one
    within: float | None = None  # how well a number must be known to equal another
    form: str = ""  # how both numbers are printed
    other_form: str | None = None  # how the other one is, where that differs
    effect: Effect | None = None  # what none would be, and a large one

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if self.relation not in RELATIONS:
            raise BookError(
                f"'{self.what}': a number can be {', '.join(RELATIONS)} something, not "
                f"'{self.relation}'"
            )
        if (self.relation in OF_SIDES) != (self.within is None):
            raise BookError(
                f"'{self.what}': say with `within` how well a number must be known to "
                "equal or reach another, and only then"
            )
        if self.is_of_two != bool(self.other):
            raise BookError(
                f"'{self.what}': say with `other` what the other number is, where a "
                "number is compared with one, and only then"
            )
        _share(self.than)
        if self.of and isinstance(self.than, str):
            raise BookError(
                f"'{self.what}': a count with `of` is compared with a share such as "
                f"0.75, not with '{self.than}'"
            )

    def answer(self, numbers: Mapping[str, Any]) -> Answer:
        """Whether the number does so, by its 95 % interval; `open` where the interval reaches to
        both sides.

        Raises:
            BookError: no chapter reported a number of that name.
        """
        ours, theirs = self.estimates(numbers)
        if math.isnan(ours.value) or math.isnan(theirs.value):
            return Answer.OPEN
        if self.within is not None:
            is_more = self.relation == "at_least" and ours.low >= theirs.high
            return Answer.YES if is_more else agree(ours, theirs, self.within)
        above, below = ours.low > theirs.high, ours.high < theirs.low
        if self.relation == "below":
            above, below = below, above
        return Answer.YES if above else Answer.NO if below or ours == theirs else Answer.OPEN

    def estimates(self, numbers: Mapping[str, Any]) -> tuple[Estimate, Estimate]:
        """The number and what it is compared with, unrounded; a border is exact.

        Raises:
            BookError: no chapter reported a number of that name.
        """
        return self._number(numbers), judged(self._than(numbers), str(self.than))

    def size(self, numbers: Mapping[str, Any]) -> Size | None:
        """How large the effect is; None where there is none, or the answer is not yes."""
        if self.effect is None or self.answer(numbers) != Answer.YES:
            return None
        ours, theirs = self.estimates(numbers)
        return self.effect.size(self.effect.between(ours, theirs) if self.is_of_two else ours)

    def today(self, numbers: Mapping[str, Any]) -> float:
        """The border: what the number is compared with, or no margin where that is another one."""
        is_margin = self.is_of_two and self.relation in OF_SIDES
        return 0.0 if is_margin else self.estimates(numbers)[1].value

    def described(self, numbers: Mapping[str, Any]) -> str:
        """What the number is, with the settings of the run that it comes from."""
        return filled(self.what, numbers, f"ledger, {self.number}")

    def described_other(self, numbers: Mapping[str, Any]) -> str:
        """What the other number is."""
        return filled(self.other or "", numbers, f"ledger, {self.number}")

    def printed(self, numbers: Mapping[str, Any]) -> str:
        """The number as its chapter prints it."""
        ours = formatted(_named(self.number, numbers), self.form, f"ledger: '{self.number}'")
        return ours if self.of is None else f"{ours} of {_named(self.of, numbers)}"

    def printed_other(self, numbers: Mapping[str, Any]) -> str:
        """The number that it is compared with, as its chapter prints it."""
        form = self.form if self.other_form is None else self.other_form
        return formatted(self._than(numbers), form, f"ledger: '{self.than}'")

    def asked(self) -> str:
        """What was wanted, in words that follow "we asked for": `more than 0.9`, or `more` where
        another number is shown beside it.
        """
        than = (
            ""
            if self.is_of_two
            else f"{self.than:.0%} of them"
            if self.of
            else self.than
            if isinstance(self.than, str)
            else f"{self.than:g}"
        )
        if self.within is not None:
            least = "at least " if self.relation == "at_least" else ""
            other = "as much" if least else "the same"
            return f"{least}{than or other}, with an uncertainty of at most {self.within:g}"
        return f"{WORDS[self.relation]} than {than}" if than else WORDS[self.relation]

    @property
    def border_text(self) -> str:
        """The border as it is recorded: any other text is another border."""
        of = f" of {self.of}" if self.of else ""
        within = "" if self.within is None else f" within {self.within:g}"
        return f"{self.relation} {self.than}{of}{within}"

    @property
    def is_of_two(self) -> bool:
        """Whether a number is compared with another one, and not with a value."""
        return self.compared_with is not None

    @property
    def is_share(self) -> bool:
        """Whether the border is read as per cent."""
        return self.of is not None or str(self.than).endswith(PER_CENT)

    @property
    def compared_with(self) -> str | None:
        """The name of the number that it is compared with; None where that is a value."""
        if isinstance(self.than, str) and not self.than.endswith(PER_CENT):
            return self.than
        return None

    def _than(self, numbers: Mapping[str, Any]) -> Any:
        if self.compared_with is None:
            return _share(self.than)
        return _named(self.compared_with, numbers)

    def _number(self, numbers: Mapping[str, Any]) -> Estimate:
        ours = judged(_named(self.number, numbers), self.number)
        if self.of is None:
            return ours
        whole = judged(_named(self.of, numbers), self.of).value
        return judged(ours.value / whole, self.number) if whole else UNKNOWN


def _share(than: float | str) -> float | str:
    """What `claims.yml` compares a number with, 0.1 for `10%`; the name of another number as it
    is.
    """
    if not isinstance(than, str) or not than.endswith(PER_CENT):
        return than
    try:
        return float(than.removesuffix(PER_CENT)) / 100
    except ValueError:
        raise BookError(
            f"'{than}' is no share; write a number such as 10%, or the name of another number"
        ) from None


def _named(name: str, numbers: Mapping[str, Any]) -> Any:
    return named(name, numbers, "ledger")
