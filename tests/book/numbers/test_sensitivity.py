"""An answer stays for the borders that are told, and changes beyond them."""

import math
from dataclasses import replace

import pytest

from tests.book.numbers.asking import asking
from valleys.book.numbers.questions import OF_SIDES, Answer
from valleys.book.numbers.sensitivity import Span, stays, told
from valleys.results.estimates import Estimate

MANY = [-2 + step / 50 for step in range(200)]
OURS = Estimate(0.5173, 0.4128, 0.6349)
THEIRS = Estimate(0.31, 0.27, 0.38)


@pytest.mark.parametrize("within", [0.05, 0.2])
@pytest.mark.parametrize("relation", ["above", "below", "equals", "at_least"])
@pytest.mark.parametrize("border", [0.1, 0.45, 0.52, 0.9])
@pytest.mark.parametrize("ours", [OURS, 0.511])
def test_the_answer_is_the_same_inside_the_span_and_another_outside(relation, border, ours, within):
    widths = {} if relation in OF_SIDES else {"within": within}
    numbers, question = {"ours": ours}, asking(relation, border, **widths)
    span, answer = stays(question, numbers), question.answer(numbers)
    assert border in span
    for other in MANY:
        same = replace(question, than=other).answer(numbers) == answer
        assert same == (other in span), other


@pytest.mark.parametrize("relation", ["above", "below"])
@pytest.mark.parametrize("theirs", [0.2, 0.5, 0.8])
def test_a_margin_moves_the_other_number(relation, theirs):
    other = Estimate(theirs, theirs - 0.04, theirs + 0.05)
    question, numbers = asking(relation, "theirs"), {"ours": OURS, "theirs": other}
    span, answer = stays(question, numbers), question.answer(numbers)
    assert 0 in span
    for margin in MANY:
        shift = margin if relation == "above" else -margin
        moved = Estimate(other.value + shift, other.low + shift, other.high + shift)
        same = question.answer(numbers | {"theirs": moved}) == answer
        assert same == (margin in span), margin


@pytest.mark.parametrize("within", [0.05, 0.2])
@pytest.mark.parametrize("relation", ["equals", "at_least"])
@pytest.mark.parametrize("theirs", [0.2, 0.5, 0.9])
def test_numbers_agree_while_the_other_is_in_the_span(theirs, relation, within):
    other = Estimate(theirs, theirs - 0.04, theirs + 0.05)
    question = asking(relation, "theirs", within=within)
    numbers = {"ours": OURS, "theirs": other}
    span, answer = stays(question, numbers), question.answer(numbers)
    assert theirs in span
    for middle in MANY:
        moved = Estimate(middle, middle - 0.04, middle + 0.05)
        same = question.answer(numbers | {"theirs": moved}) == answer
        assert same == (middle in span), middle


def test_a_number_that_decides_nothing_stays_so_for_any_border():
    question = asking("above", 0.5)
    assert stays(question, {"ours": math.nan}) == Span()
    assert told(question, {"ours": math.nan}) == "any border"


def test_a_count_is_told_as_a_share():
    question, numbers = asking("above", 0.75, of="all"), {"ours": 59, "all": 63}
    assert stays(question, numbers) == Span(high=59 / 63)
    assert told(question, numbers) == "any border below 93 %"


@pytest.mark.parametrize(
    ("question", "numbers", "words"),
    [
        (asking("above", 0.3), {"ours": OURS}, "any border below 0.41"),
        (asking("below", 0.7), {"ours": OURS}, "any border above 0.64"),
        (asking("above", 0.5), {"ours": OURS}, "any border from 0.42 to 0.63"),
        (asking("equals", 0.9), {"ours": OURS}, "any value below 0.41 or above 0.64"),
        (asking("above", "theirs"), {"ours": OURS, "theirs": THEIRS}, "any margin below 0.032"),
    ],
)
def test_ends_are_rounded_so_that_nothing_more_is_let_in(question, numbers, words):
    assert told(question, numbers) == words


def test_ends_have_the_digits_that_leave_the_border_in():
    assert told(asking("above", 1), {"ours": Estimate(1.03, 1.00932, 1.05)}).endswith("1.009")
    assert told(asking("below", 1.1), {"ours": Estimate(1.02, 1.01, 1.0243)}).endswith("1.03")
    assert told(asking("above", 3), {"ours": 3}).endswith("3.0")


@pytest.mark.parametrize("answer", list(Answer))
def test_no_printed_end_lets_a_border_in_that_changes_the_answer(answer):
    border = {Answer.YES: 0.2, Answer.NO: 0.9, Answer.OPEN: 0.5}[answer]
    span = stays(asking("above", border), {"ours": OURS})
    for digits in (1, 2, 3):
        rounded, _ = span.printed(digits)
        assert all(end in span for end in (rounded.low, rounded.high) if math.isfinite(end))
