"""How much a verdict of the ledger hangs on its borders: between which of them an answer stays."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valleys.book.numbers.questions import OF_SIDES, Answer, Question, is_known

DIGITS = range(2, 8)  # how many an end of a span may be printed with


@dataclass(frozen=True)
class Span:
    """Borders for which an answer is the same: all between two ends, or all outside of them."""

    low: float = -math.inf
    high: float = math.inf
    outside: bool = False

    def __contains__(self, border: float) -> bool:
        """Whether the answer is the same for this border."""
        return (self.low <= border <= self.high) != self.outside

    def is_clear_of(self, border: float) -> bool:
        """Whether a border for which the answer is the same is none of the ends."""
        return border in self and border not in (self.low, self.high)

    def scaled(self, factor: float) -> "Span":
        """The same in another unit, such as per cent."""
        return Span(factor * self.low, factor * self.high, self.outside)

    def printed(self, digits: int) -> tuple["Span", str]:
        """The span with so many digits, none of which lets a border in that is not, and in words
        that follow "for any border".
        """
        up = not self.outside
        low, high = _rounded(self.low, digits, up=up), _rounded(self.high, digits, up=not up)
        span = Span(low, high, self.outside)
        ends = [_text(end, digits) for end in (low, high)]
        if self.outside:
            return span, f" below {ends[0]} or above {ends[1]}"
        if math.isinf(low) or math.isinf(high):
            below = "" if math.isinf(high) else f" below {ends[1]}"
            return span, below if math.isinf(low) else f" above {ends[0]}"
        return span, f" from {ends[0]} to {ends[1]}"


def stays(question: Question, numbers: Mapping[str, Any]) -> Span:
    """The borders for which the answer is what it is, from the unrounded interval.

    Where a number is compared with another one, the border is a margin, by how much more or less
    than the other it is asked to be; now 0. Where both are to be equal, it is the other one.
    """
    ours, theirs = question.estimates(numbers)
    answer = question.answer(numbers)
    if math.isnan(ours.value) or math.isnan(theirs.value):
        return Span()
    if question.within is not None:
        low, high = ours.low + theirs.value - theirs.high, ours.high + theirs.value - theirs.low
        if question.relation == "equals":
            return Span(low, high, outside=answer is Answer.NO)
        if answer is Answer.YES:
            return Span(high=high if is_known(ours, theirs, question.within) else low)
        return _one_sided(low, high, answer)
    mirrored = question.relation == "below"
    if question.is_of_two:
        low, high = ours.low - theirs.high, ours.high - theirs.low
        low, high = (-high, -low) if mirrored else (low, high)
        return _one_sided(low, high, answer)
    return _one_sided(ours.low, ours.high, answer, mirrored=mirrored)


def told(question: Question, numbers: Mapping[str, Any]) -> str:
    """The span in words, with as few digits as leave today's border in it: `any border below
    0.83`.
    """
    factor, unit = (100, " %") if question.is_share else (1, "")
    span = stays(question, numbers).scaled(factor)
    today = factor * question.today(numbers)
    printed = [span.printed(digits) for digits in DIGITS]
    words = next((words for rounded, words in printed if rounded.is_clear_of(today)), printed[0][1])
    agrees = question.relation not in OF_SIDES
    kind = "value" if agrees else "margin" if question.is_of_two else "border"
    return f"any {kind}{words}{unit if words else ''}"


def _one_sided(low: float, high: float, answer: Answer, *, mirrored: bool = False) -> Span:
    """The span of a question that asks for more than a border, or mirrored for less."""
    if answer is Answer.OPEN:
        return Span(low, high)
    return Span(low=high) if (answer is Answer.NO) != mirrored else Span(high=low)


def _rounded(value: float, digits: int, *, up: bool) -> float:
    if value == 0 or math.isinf(value):
        return value
    step = 10.0 ** (_exponent(value) - digits + 1)
    return (math.ceil if up else math.floor)(value / step) * step


def _text(value: float, digits: int) -> str:
    if value == 0 or math.isinf(value):
        return f"{value:.0f}"
    return f"{value:.{max(0, digits - 1 - _exponent(value))}f}"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))
