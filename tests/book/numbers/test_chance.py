"""What chance alone would decide, held against draws of numbers that lie on their borders."""

import math

import numpy as np
import pytest

from tests.book.numbers.asking import asking, claim
from valleys.book.numbers.chance import Chance, chance_of, chances
from valleys.book.numbers.questions import Answer
from valleys.results.estimates import Estimate

DRAWS = 20_000


@pytest.mark.parametrize("errors", [(1.0, 0.0), (1.0, 1.0), (1.0, 0.3), (0.2, 1.0)])
def test_the_chance_is_the_share_of_draws_that_are_decided(errors):
    question = asking("above", "theirs")
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(DRAWS, 2)) * errors
    answers = [
        question.answer(
            {
                "ours": Estimate.with_error(ours, errors[0]),
                "theirs": Estimate.with_error(theirs, errors[1]),
            }
        )
        for ours, theirs in drawn
    ]
    share = np.mean([answer is not Answer.OPEN for answer in answers])
    numbers = {
        name: Estimate.with_error(1, e) for name, e in zip(("ours", "theirs"), errors, strict=True)
    }
    expected = chance_of(question, numbers)
    assert expected is not None
    assert abs(share - expected) < 4 * math.sqrt(expected / DRAWS)


@pytest.mark.parametrize(
    ("question", "number"),
    [
        (asking("above", 0), 3),
        (asking("above", 0), math.nan),
        (asking("above", 0), Estimate(1, math.nan, math.nan)),
        (asking("equals", 0), Estimate(1, 0, 2)),
    ],
)
def test_what_has_no_interval_or_no_side_has_no_chance(question, number):
    assert chance_of(question, {"ours": number}) is None


def test_all_questions_with_an_interval_are_counted_and_added_up():
    decided, open_ = Estimate.with_error(5, 1), Estimate.with_error(0.5, 1)
    tests = [asking("above", 0, number=name) for name in ("decided", "open", "exact")]
    found = chances(
        [claim(*tests[:1]), claim(*tests[1:])], {"decided": decided, "open": open_, "exact": 1}
    )
    assert (found.questions, found.decided) == (2, 1)
    assert found.expected == pytest.approx(0.1, rel=1e-3)
    assert isinstance(found, Chance)
