"""Cards of the argument: sizes and places on their scales come from numbers, and so do verdicts."""

import math

import pytest

from valleys.book.numbers.claims import CLAIMS, Verdict, read_claims
from valleys.book.numbers.leads import Lead
from valleys.book.numbers.questions import Question
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results.estimates import Estimate

FACTOR = {1: "as flat", 2: "twice as flat"}
ARGUMENT = [claim for claim in read_claims(book_root() / CLAIMS) if claim.step]
BY_RELATION = {"above": 1, "at_least": 1, "below": -1}  # on which side of its border a yes lies


def lead(marks=FACTOR, **more) -> Lead:
    parts = {"form": ".1f", "what": "times", "found": "So.", "picture": "a.svg", "alt": "a bowl"}
    return Lead("ours", marks=marks, **parts | more)


def numbers(questions: tuple[Question, ...], way: int) -> dict[str, Estimate]:
    """Numbers that all lie on one side of their borders, where a yes is for 1 and a no for -1."""
    found: dict[str, Estimate] = {}
    for each in questions:
        whole = 100.0 if each.of else 1.0
        border = 0.0 if each.is_of_two else each.today({each.number: 0, each.of: whole})
        value = whole * border + way * BY_RELATION[each.relation] * 0.01
        found |= {each.number: Estimate(value, value, value)}
        found |= {name: whole for name in [each.of] if name}
        found |= {name: 0.0 for name in [each.compared_with] if name}
    return found


def test_a_size_is_printed_with_its_interval_and_its_words_are_filled():
    found = {"ours": Estimate(1.52, 1.43, 1.62), "batch": 10}
    one = lead(what="times, B = {batch}", found="Up to {ours.high:.1f}.")
    assert one.printed(found) == "1.5 (1.4 to 1.6)"
    assert one.described(found) == "times, B = 10"
    assert one.told(found) == "Up to 1.6."


@pytest.mark.parametrize(
    ("marks", "estimate", "places"),
    [
        (FACTOR, Estimate(1.5, 1.25, 2), (50, 25, 100, 0, 100)),
        (FACTOR, Estimate(4, 3, 5), (75, 50, 100, 0, 25)),
        (FACTOR, Estimate(0.5, 0, 1), (25, 0, 50, 50, 100)),
        ({0: "unrelated", -1: "one order"}, Estimate(-0.5, -0.75, -0.25), (50, 25, 75, 0, 100)),
        (FACTOR, Estimate(1.5, -math.inf, math.inf), (50, 0, 100, 0, 100)),
    ],
)
def test_a_scale_runs_from_no_effect_and_holds_the_interval(marks, estimate, places):
    scale = lead(marks).scale({"ours": estimate})
    assert (scale.value, scale.low, scale.high, *scale.marks) == pytest.approx(places)


def test_a_size_that_could_not_be_computed_has_no_scale():
    assert lead().scale({"ours": Estimate(math.nan, math.nan, math.nan)}) is None


@pytest.mark.parametrize(
    ("wrong", "message"), [({"marks": {1: "as flat"}}, "two marks"), ({"found": ""}, "'found'")]
)
def test_a_lead_that_says_too_little_is_refused(wrong, message):
    with pytest.raises(BookError, match=message):
        lead(**wrong)


def test_steps_of_the_argument_are_counted_from_one():
    assert sorted(claim.step for claim in ARGUMENT) == list(range(1, len(ARGUMENT) + 1))


@pytest.mark.parametrize("claim", ARGUMENT, ids=lambda claim: claim.name)
def test_what_carries_the_argument_stands_and_falls_with_its_numbers(claim):
    assert claim.verdict(numbers(claim.tests, 1)) == Verdict.HOLDS
    assert claim.verdict(numbers(claim.tests, -1)) in (Verdict.FAILS, Verdict.PART)
