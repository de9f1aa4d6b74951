"""The record of the borders: a copy beside the claims, so that none moves without a new date."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import yaml

from valleys.book.numbers.claims import Claim
from valleys.book.numbers.questions import Question
from valleys.errors import BookError

RECORD = "pages/borders.yml"
HEAD = "# Written by `python -m valleys borders` from claims.yml: what is asked of each number, since when, and how often that has changed.\n"  # noqa: E501


@dataclass(frozen=True)
class Entry:
    """What is asked of one number, by all claims together."""

    borders: str
    since: date
    moves: int


Record = Mapping[str, Entry]


def record_of(claims: Iterable[Claim]) -> Record:
    """The borders of claims, by the number that is asked; a claim that is renamed or split
    changes none.
    """
    asked: dict[str, list[Question]] = {}
    for claim in claims:
        for question in claim.tests:
            asked.setdefault(question.number, []).append(question)
    return {number: _entry(questions) for number, questions in sorted(asked.items())}


def read_record(path: Path) -> Record:
    """The record of a file; empty where there is none yet."""
    written = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {number: Entry(**entry) for number, entry in written.items()}


def write_record(path: Path, claims: Iterable[Claim]) -> None:
    """Write the borders of claims beside them.

    Raises:
        BookError: a border moved without a new date, or went without a word.
    """
    claims = list(claims)
    record = record_of(claims)
    if faults := unexplained(read_record(path), claims):
        raise BookError(f"the borders are not recorded: {'; '.join(faults)}")
    text = yaml.safe_dump(
        {number: asdict(entry) for number, entry in record.items()},
        default_flow_style=None,
        sort_keys=False,
        width=1000,
    )
    path.write_text(HEAD + text, encoding="utf-8")


def unexplained(earlier: Record, claims: Iterable[Claim]) -> list[str]:
    """What changed between a record and the claims of today without a new date."""
    claims = list(claims)
    today = record_of(claims)
    newest = max((entry.since for entry in earlier.values()), default=date.min)
    moved = [
        f"'{number}' was asked for {earlier[number].borders} and now for {entry.borders}: say "
        "under `changed` when, what it was and why"
        for number, entry in today.items()
        if number in earlier and not _follows(earlier[number], entry)
    ]
    late = [
        f"'{number}' is asked for the first time, from {entry.since} on, and the record goes to "
        f"{newest}: give the day of today"
        for number, entry in today.items()
        if number not in earlier and entry.since < newest
    ]
    dropped = {move.number for claim in claims for move in claim.dropped}
    gone = [
        f"'{number}' is asked no more: list it under `dropped` of a claim, with date, was and why"
        for number in earlier
        if number not in today and number not in dropped
    ]
    return moved + late + gone


def _entry(questions: list[Question]) -> Entry:
    return Entry(
        borders="; ".join(sorted(question.border_text for question in questions)),
        since=max(question.border.since for question in questions),
        moves=sum(len(question.border.moves) for question in questions),
    )


def _follows(earlier: Entry, today: Entry) -> bool:
    """Whether today's borders are the earlier ones, or have moved with a date of their own."""
    if today.borders == earlier.borders:
        return (today.since, today.moves) >= (earlier.since, earlier.moves)
    return today.since >= earlier.since and (
        today.moves > earlier.moves or today.since > earlier.since
    )
