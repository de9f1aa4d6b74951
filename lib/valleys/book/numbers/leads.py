"""What a claim that carries the argument shows first: how large its effect is, on a scale between
two marks, and what we find, in one sentence.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valleys.book.numbers.glued import filled, formatted, named
from valleys.book.numbers.questions import judged
from valleys.errors import BookError

WHERE = "ledger, lead"  # of messages


@dataclass(frozen=True)
class Scale:
    """Places on a line from 0 to 100: of a value, the ends of its interval, and the two marks."""

    value: float
    low: float
    high: float
    marks: tuple[float, float]


@dataclass(frozen=True)
class Lead:
    """The size of an effect, what we find, and a picture of it."""

    number: str  # name under which a chapter reported the size, with its interval
    form: str  # how it is printed
    what: str  # words that follow it, which may name other numbers
    marks: Mapping[float, str]  # no effect, and one to compare with: each value and what it is
    found: str  # a sentence, which may name numbers
    picture: str  # a drawing in `_static`
    alt: str

    def __post_init__(self) -> None:
        """Refuse what gives no scale, or says nothing."""
        if len(self.marks) != 2:
            raise BookError(
                f"a lead has two marks, no effect and one to compare with, not {len(self.marks)}"
            )
        for part in ("form", "what", "found", "picture", "alt"):
            if not getattr(self, part):
                raise BookError(f"the lead of '{self.number}' needs '{part}'")

    def printed(self, numbers: Mapping[str, Any]) -> str:
        """The size with its interval."""
        return formatted(named(self.number, numbers, WHERE), self.form, f"{WHERE} '{self.number}'")

    def described(self, numbers: Mapping[str, Any]) -> str:
        """What the size is one of."""
        return filled(self.what, numbers, f"{WHERE} '{self.number}'")

    def told(self, numbers: Mapping[str, Any]) -> str:
        """What we find."""
        return filled(self.found, numbers, f"{WHERE} '{self.number}'")

    def scale(self, numbers: Mapping[str, Any]) -> Scale | None:
        """The size between its marks, no effect to the left; None where it could not be computed.

        The line is as long as it takes to hold both marks and all of the interval that is finite.
        """
        found = judged(named(self.number, numbers, WHERE), self.number)
        if math.isnan(found.value):
            return None
        none, other = self.marks
        way = math.copysign(1, other - none)
        ends = [way * each for each in (found.value, found.low, found.high)]
        held = [way * none, way * other, *filter(math.isfinite, ends)]
        left, length = min(held), max(held) - min(held)

        def place(value: float) -> float:
            return 100 * min(max((value - left) / length, 0), 1)

        low, high = sorted(map(place, ends[1:]))
        return Scale(place(ends[0]), low, high, (place(way * none), place(way * other)))
