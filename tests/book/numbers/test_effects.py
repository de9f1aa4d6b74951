"""An effect is small or large by its whole interval; what lies between has no word."""

import math

import pytest

from tests.book.numbers.asking import asking, claim
from valleys.book.numbers.effects import Effect, Size
from valleys.errors import BookError
from valleys.results.estimates import Estimate

DOUBLING = Effect(1, 2, "so")
HALVING = Effect(1, 0.5, "so")
RISE = Effect(0, 0.25, "so")
FALL = Effect(0, -0.25, "so")
HALF_WAY = math.sqrt(2)


@pytest.mark.parametrize(
    ("effect", "low", "high", "size"),
    [
        (DOUBLING, 1.01, 1.02, Size.SMALL),
        (DOUBLING, 1.01, HALF_WAY - 0.001, Size.SMALL),
        (DOUBLING, 1.01, HALF_WAY + 0.001, Size.BETWEEN),
        (DOUBLING, 1.5, 1.6, Size.BETWEEN),
        (DOUBLING, 1.999, 3, Size.BETWEEN),
        (DOUBLING, 2.0, 3, Size.LARGE),
        (DOUBLING, 1.01, 3, Size.BETWEEN),
        (DOUBLING, 2.0, math.inf, Size.LARGE),
        (HALVING, 0.98, 0.99, Size.SMALL),
        (HALVING, 1 / HALF_WAY + 0.001, 0.99, Size.SMALL),
        (HALVING, 1 / HALF_WAY - 0.001, 0.99, Size.BETWEEN),
        (HALVING, 0.3, 0.501, Size.BETWEEN),
        (HALVING, 0.3, 0.5, Size.LARGE),
        (HALVING, 0.0, 0.5, Size.LARGE),
        (RISE, 0.01, 0.1249, Size.SMALL),
        (RISE, 0.01, 0.1251, Size.BETWEEN),
        (RISE, 0.2499, 0.3, Size.BETWEEN),
        (RISE, 0.25, 0.3, Size.LARGE),
        (FALL, -0.1249, -0.01, Size.SMALL),
        (FALL, -0.1251, -0.01, Size.BETWEEN),
        (FALL, -0.3, -0.2499, Size.BETWEEN),
        (FALL, -0.3, -0.25, Size.LARGE),
    ],
)
def test_size_follows_from_both_ends_of_the_interval(effect, low, high, size):
    assert effect.size(Estimate((low + high) / 2, low, high)) == size


def test_an_effect_in_two_numbers_has_the_widest_interval_of_both():
    ours, theirs = Estimate(6, 5, 8), Estimate(2, 1, 4)
    assert DOUBLING.between(ours, theirs) == Estimate(3, 5 / 4, 8)
    assert RISE.between(ours, theirs) == Estimate(4, 1, 7)


def test_only_a_tick_has_a_size():
    question = asking("above", 1, effect=DOUBLING)
    assert question.size({"ours": Estimate(1.1, 1.05, 1.2)}) == Size.SMALL
    assert question.size({"ours": Estimate(1.1, 0.9, 1.2)}) is None
    assert question.size({"ours": Estimate(0.4, 0.3, 0.5)}) is None
    assert asking("above", 1).size({"ours": 5}) is None


def test_two_numbers_are_compared_by_their_ratio():
    question = asking("above", "theirs", effect=DOUBLING)
    assert question.size({"ours": 10, "theirs": 9}) == Size.SMALL
    assert question.size({"ours": 10, "theirs": 4}) == Size.LARGE


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ((1.1, 1.2), Size.SMALL),
        ((2.5, 3), Size.LARGE),
        ((1.1, 3), Size.BETWEEN),
        ((1.6, 1.7), Size.BETWEEN),
        ((0.5, 1.1), Size.SMALL),
        ((0.5, 0.6), None),
    ],
)
def test_a_claim_has_a_size_where_all_of_its_ticks_agree(values, size):
    names = ("one", "two")
    tests = [asking("above", 1, number=name, effect=DOUBLING) for name in names]
    assert claim(*tests).size(dict(zip(names, values, strict=True))) == size


@pytest.mark.parametrize(
    "values", [(0.5, 2, "so"), (1, 1, "so"), (0, 0, "so"), (1, -2, "so"), (1, 2, "")]
)
def test_what_is_no_scale_is_refused(values):
    with pytest.raises(BookError):
        Effect(*values)
