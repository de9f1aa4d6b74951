"""Borders of the ledger: why each lies where it does, since when, and what it was before."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from valleys.errors import BookError


@dataclass(frozen=True)
class Move:
    """A border that was changed, or a question that was dropped, after its number was known."""

    date: date
    was: str  # in words, such as "more than 0.1"
    why: str
    number: str | None = None  # which number was asked, where its question is gone

    def __post_init__(self) -> None:
        """A move has a day, and says what was and why it is no longer."""
        _check_day(self.date, f"what became of '{self.was}'")
        if not (self.was and self.why):
            raise BookError(f"a border that moved says what it was and why, got {self}")


@dataclass(frozen=True)
class Border:
    """Why the border of a question lies where it does, since when, and how it moved."""

    reason: str
    stated: date
    moves: tuple[Move, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a border without reason, or with days out of order."""
        _check_day(self.stated, f"the border with the reason '{self.reason}'")
        if not self.reason:
            raise BookError("a border needs a reason: say in a short clause why it lies there")
        days = [self.stated, *(move.date for move in self.moves)]
        if days != sorted(days):
            raise BookError(
                f"the border with the reason '{self.reason}' moved before it was stated, or its "
                "moves are out of order"
            )

    @property
    def since(self) -> date:
        """The day from which it lies where it does."""
        return self.moves[-1].date if self.moves else self.stated

    @classmethod
    def of(cls, entry: dict[str, Any]) -> "Border":
        """Take `reason`, `set` and `changed` out of an entry of `claims.yml`.

        Raises:
            BookError: it has no reason or no day, or a change is not of the agreed form.
        """
        reason, stated = entry.pop("reason", ""), entry.pop("set", None)
        moves = moves_of(entry.pop("changed", []))
        return cls(reason, stated, moves)


def moves_of(entries: list[dict[str, Any]]) -> tuple[Move, ...]:
    """Moves of a border, or questions that were dropped, as `claims.yml` lists them.

    Raises:
        BookError: one is not of the agreed form.
    """
    try:
        return tuple(Move(**entry) for entry in entries)
    except TypeError as error:
        raise BookError(
            f"a border that moved has date, was and why, one that was dropped its number, too, "
            f"and nothing else: {error}"
        ) from None


def _check_day(day: Any, what: str) -> None:
    if not isinstance(day, date):
        raise BookError(f"{what} needs a day such as 2026-11-29, not {day!r}")
