"""A border has a reason and a day, and none moves without a new one."""

from datetime import date

import pytest
import yaml

from tests.book.numbers.asking import BORDER, LATER, MOVE, STATED, asking, claim
from tests.commands import refused
from valleys.book.numbers.borders import Border, Move
from valleys.book.numbers.claims import read_claims
from valleys.book.numbers.record import (
    Entry,
    read_record,
    record_of,
    unexplained,
    write_record,
)
from valleys.errors import BookError
from valleys.paths import book_root

PAGES = book_root() / "pages"
MOVED = Move(**MOVE)
EARLIER = record_of([claim(asking("above", 1))])


def test_borders_of_the_book_are_those_of_the_record():
    claims = read_claims(PAGES / "claims.yml")
    record = read_record(PAGES / "borders.yml")
    assert unexplained(record, claims) == []
    assert record_of(claims) == record


@pytest.mark.parametrize(
    "question",
    [
        asking("above", 2),
        asking("below", 1),
        asking("above", "1%"),
        asking("above", 1, of="all"),
        asking("equals", 1, within=0.1),
    ],
)
def test_a_border_that_moves_without_a_new_date_is_found(question):
    (fault,) = unexplained(EARLIER, [claim(question)])
    assert "'ours'" in fault
    assert "changed" in fault


def test_a_border_that_moves_on_a_new_date_is_not():
    assert unexplained(EARLIER, [claim(asking("above", 2, moves=(MOVED,)))]) == []


def test_a_width_that_moves_without_a_new_date_is_found():
    wide = record_of([claim(asking("equals", 1, within=0.1))])
    assert unexplained(wide, [claim(asking("equals", 1, within=0.1))]) == []
    assert len(unexplained(wide, [claim(asking("equals", 1, within=0.2))])) == 1


def test_a_history_is_not_shortened():
    moved = record_of([claim(asking("above", 1, moves=(MOVED,)))])
    assert len(unexplained(moved, [claim(asking("above", 1))])) == 1


def test_a_second_move_takes_an_entry_of_its_own():
    moved = record_of([claim(asking("above", 1, moves=(MOVED,)))])
    assert len(unexplained(moved, [claim(asking("above", 3, moves=(MOVED,)))])) == 1
    assert unexplained(moved, [claim(asking("above", 3, moves=(MOVED, MOVED)))]) == []


def test_a_question_that_goes_is_listed():
    gone = Move(**MOVE, number="ours")
    other = asking("above", 1, number="another", moves=(MOVED,))
    (fault,) = unexplained(EARLIER, [claim(other)])
    assert "dropped" in fault
    assert unexplained(EARLIER, [claim(other, dropped=(gone,))]) == []


def test_a_new_question_has_a_day_after_the_record():
    record = record_of([claim(asking("above", 1, moves=(MOVED,)))])
    asked = asking("above", 1, moves=(MOVED,))
    (fault,) = unexplained(record, [claim(asked, asking("above", 1, number="new"))])
    assert str(LATER) in fault
    new = asking("above", 1, number="new", moves=(MOVED,))
    assert unexplained(record, [claim(asked, new)]) == []


def test_a_claim_that_is_renamed_or_split_changes_no_border():
    both = [asking("above", 1), asking("below", 2)]
    assert record_of([claim(*both)]) == record_of([claim(both[1]), claim(both[0])])


def test_what_is_written_is_read_and_faults_leave_it(tmp_path):
    path = tmp_path / "borders.yml"
    write_record(path, [claim(asking("above", 1))])
    assert read_record(path) == {"ours": Entry("above 1", STATED, 0)}
    with pytest.raises(BookError, match="not recorded"):
        write_record(path, [claim(asking("above", 2))])
    assert read_record(path) == {"ours": Entry("above 1", STATED, 0)}


def test_the_command_refuses_a_border_that_moved_in_silence(tmp_path, monkeypatch):
    (tmp_path / "pages").mkdir()
    monkeypatch.setattr("valleys.cli.book_root", lambda: tmp_path)
    write_record(tmp_path / "pages" / "borders.yml", [claim(asking("above", 1))])
    test = {"what": "a number", "number": "ours", "above": 2, **BORDER}
    entry = {"place": "Fig. 1", "says": "so", "chapter": "01_small", "shown": "f", "tests": [test]}
    (tmp_path / "pages" / "claims.yml").write_text(yaml.safe_dump({"one": entry}))
    assert "'ours'" in refused("borders")


@pytest.mark.parametrize(
    "entry",
    [
        {"set": STATED},
        {"reason": "so"},
        {"reason": "so", "set": "in November"},
        BORDER | {"changed": [MOVE | {"date": date(2026, 1, 1)}]},
        BORDER | {"changed": [MOVE | {"why": ""}]},
        BORDER | {"changed": [MOVE | {"how": "so"}]},
        BORDER | {"changed": [{"date": LATER}]},
    ],
)
def test_a_border_without_reason_or_day_is_refused(entry):
    with pytest.raises(BookError):
        Border.of(dict(entry))
