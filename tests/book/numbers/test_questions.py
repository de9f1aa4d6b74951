"""Answers follow from numbers: from their whole interval, and from nothing else."""

import math

import pytest

from tests.book.numbers.asking import asking
from valleys.book.numbers.questions import UNKNOWN, Answer, judged
from valleys.errors import BookError
from valleys.results.estimates import Estimate


@pytest.mark.parametrize("value", [Estimate(0.64, 0.32, 0.84), Estimate.with_error(0.7153, 0.0041)])
def test_an_estimate_is_judged_by_its_unrounded_interval(value):
    assert judged(value, "ours") == value


def test_a_plain_number_is_exact_and_one_without_interval_decides_nothing():
    assert judged(7, "ours") == Estimate(7, 7, 7)
    for unknown in (
        Estimate(0.64, math.nan, math.nan),
        Estimate(math.nan, 0.1, 0.2),
        math.nan,
        math.inf,
    ):
        assert judged(unknown, "ours") is UNKNOWN


@pytest.mark.parametrize("value", ["before", "0.64", [0.1, 0.2]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(BookError, match="cannot judge 'ours'"):
        judged(value, "ours")


@pytest.mark.parametrize(
    ("ours", "relation", "than", "answer"),
    [
        (Estimate(0.5, 0.4, 0.6), "above", 0.3, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "above", 0.7, Answer.NO),
        (Estimate(0.5, 0.4, 0.6), "above", 0.45, Answer.OPEN),
        (Estimate(0.5, 0.4, 0.6), "below", 0.7, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "below", 0.3, Answer.NO),
        (Estimate(0.5, 0.4, 0.6), "below", 0.55, Answer.OPEN),
        (Estimate(0.5, 0.4, 0.6), "equals", 0.45, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "equals", 0.7, Answer.NO),
        (Estimate(0.5, 0.0, 1.0), "equals", 0.64, Answer.OPEN),
        (Estimate.with_error(0.9, 5), "equals", 0.64, Answer.OPEN),
        (Estimate(0.5, 0.4, 0.6), "at_least", 0.3, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "at_least", 0.55, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "at_least", 0.7, Answer.NO),
        (Estimate(0.5, 0.0, 1.0), "at_least", 0.64, Answer.OPEN),
        (Estimate(0.5, 0.1, 1.0), "at_least", 0.1, Answer.YES),
        (Estimate(0.14, 0.12, 0.17), "below", "10%", Answer.NO),
        (Estimate(0.14, 0.12, 0.17), "below", 0.1, Answer.NO),
        (0.93, "below", "50%", Answer.NO),
        (Estimate.with_error(0.50, 0.01), "above", 0.49, Answer.OPEN),
        (Estimate.with_error(0.50, 0.01), "above", 0.48, Answer.YES),
        (3, "above", 3, Answer.NO),
        (3, "below", 3, Answer.NO),
        (Estimate(0.5, math.nan, math.nan), "above", 0.1, Answer.OPEN),
        (math.nan, "equals", 0.1, Answer.OPEN),
    ],
)
def test_answer_comes_from_the_whole_interval(ours, relation, than, answer):
    assert asking(relation, than).answer({"ours": ours}) == answer


def test_two_uncertain_numbers_are_compared_by_both_intervals():
    test = asking("above", "theirs")
    assert (
        test.answer({"ours": Estimate(0.7, 0.6, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)})
        == Answer.YES
    )
    assert (
        test.answer({"ours": Estimate(0.7, 0.45, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)})
        == Answer.OPEN
    )
    assert (
        asking("equals", "theirs").answer(
            {"ours": Estimate(0.7, 0.45, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)}
        )
        == Answer.YES
    )


def test_both_numbers_are_printed_in_their_forms():
    numbers = {"ours": Estimate(0.716, 0.6, 0.8), "theirs": 0.4321}
    test = asking("above", "theirs", form=".2f")
    assert (test.printed(numbers), test.printed_other(numbers)) == ("0.72 (0.60 to 0.80)", "0.43")
    exact = asking("above", "theirs", other_form=".3f")
    assert (
        exact.printed(numbers | {"ours": Estimate.with_error(0.7, 0.01)}),
        exact.printed_other(numbers),
    ) == ("0.700 ± 0.010", "0.432")


def test_a_count_is_shared_out():
    test = asking("above", 0.75, of="all")
    assert test.answer({"ours": 59, "all": 63}) == Answer.YES
    assert test.answer({"ours": 31, "all": 63}) == Answer.NO
    assert test.answer({"ours": 0, "all": 0}) == Answer.OPEN
    assert test.printed({"ours": 59, "all": 63}) == "59 of 63"
    assert test.asked() == "more than 75% of them"


def test_what_was_asked_reads_as_a_sentence():
    assert asking("above", 0.5).asked() == "more than 0.5"
    assert asking("below", "10%").asked() == "less than 10%"
    assert asking("above", "theirs").asked() == "more"
    assert asking("equals", 0.64).asked() == "0.64, with an uncertainty of at most 0.2"
    assert asking("at_least", 0.64).asked() == "at least 0.64, with an uncertainty of at most 0.2"
    assert asking("equals", "theirs").asked() == "the same, with an uncertainty of at most 0.2"
