"""Texts are filled from the numbers that chapters glued, or the build says which one is missing."""

import math

import pytest

from valleys.book.numbers.glued import filled
from valleys.errors import BookError

NUMBERS = {"share": 0.1234, "count": 7, "mean": "0.57 (0.49 to 0.85)", "unknown": "nan"}


def test_numbers_are_filled_in_the_form_that_is_asked_for():
    assert filled("{share:.1%} in {count:d} runs, R² {mean}.", NUMBERS, "here") == "12.3% in 7 runs, R² 0.57 (0.49 to 0.85)."


def test_text_without_placeholders_stays():
    assert filled("Lines rise.", {}, "here") == "Lines rise."


def test_a_number_that_is_none_still_has_a_form():
    assert filled("{unknown:.2f}", NUMBERS, "here") == f"{math.nan:.2f}"


REFUSED = {"{shard}": "shard", "{mean:.2f}": "code 'f'", "{}": "cannot be filled", "{share.x}": "attribute 'x'", "{share": "'}'"}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_filled_is_named_with_its_place(text):
    with pytest.raises(BookError, match="page, figure fig-one") as raised:
        filled(text, NUMBERS, "page, figure fig-one")
    assert REFUSED[text] in str(raised.value)
