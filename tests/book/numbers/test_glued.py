"""Texts are filled from the values that notebooks reported, each in the form that the text asks
for, or the build says what is wrong.
"""

import math

import pytest

from valleys.book.numbers.glued import filled, printed
from valleys.errors import BookError
from valleys.results.estimates import Estimate

NUMBERS = {
    "share": 0.1234,
    "count": 7,
    "mean": Estimate(0.57, 0.49, 0.85),
    "exact": Estimate.with_error(0.7153, 0.0042, "s"),
    "lone": Estimate(0.5, math.nan, math.nan),
    "unknown": math.nan,
    "nothing": Estimate(math.nan, math.nan, math.nan),
    "word": "clear",
    "none": 0,
    "one": 1,
    "pair": 2,
    "many": 79,
    "yes": True,
    "rates": [0.05, 0.1],
    "ratios": [Estimate(0.5, 0.4, 0.6), Estimate(1.0, 0.9, 1.1)],
}
FORMS = {
    "share:.1%": "12.3%",
    "share": "0.1234",
    "count": "7",
    "count:d": "7",
    "mean:.2f": "0.57 (0.49 to 0.85)",
    "mean:.0%": "57% (49% to 85%)",
    "mean:+.1f": "+0.6 (+0.5 to +0.8)",
    "mean.value:.2f": "0.57",
    "mean.low:.2f": "0.49",
    "mean.high:.0%": "85%",
    "exact": "0.715 ± 0.004",
    "exact:±": "0.715 ± 0.004",
    "exact.error:.4f": "0.0042",
    "exact.unit": "s",
    "lone:.2f": "0.50 (no interval)",
    "unknown:.2f": "nan",
    "nothing:.2f": "undefined",
    "word": "clear",
    "yes": "True",
    "rates:g": "0.05, 0.1",
    "ratios:.1f": "0.5 (0.4 to 0.6), 1.0 (0.9 to 1.1)",
    "count:of count": "all seven",
    "none:of count": "none of the seven",
    "one:of count": "one of seven",
    "count:Of many": "Seven of 79",
    "many:of many": "all 79",
    "none:Of many": "None of the 79",
    "pair:Of pair": "Both",
    "one:of one": "the only",
    "none:of none": "no",
}
REFUSED = {
    "shard": "did you mean 'share'?",
    "frequency": "name one that a cell hands to report",
    "mean": "needs a form such as .2f",
    "mean.middle": "choose value, low, high, error or unit",
    "mean.error": "no standard error",
    "mean:±": "no standard error",
    "share.low": "reported without an interval",
    "share:.2q": "cannot be printed in the form '.2q'",
    "word:.2f": "is the text 'clear'",
    "mean low": "no reference to a number",
    "": "no reference to a number",
    "share:": "no reference to a number",
    "many:of count": "a whole at least as large",
    "share:of count": "asks for a count",
    "count:of word": "asks for a count",
    "count:of counts": "did you mean 'count'?",
}


@pytest.mark.parametrize("reference", FORMS)
def test_a_number_is_printed_in_the_form_that_the_text_asks_for(reference):
    assert printed(reference, NUMBERS, "here") == FORMS[reference]
    assert filled(f"It is {{{reference}}}.", NUMBERS, "here") == f"It is {FORMS[reference]}."


@pytest.mark.parametrize("reference", REFUSED)
def test_what_cannot_be_printed_is_named_with_its_place(reference):
    with pytest.raises(BookError, match="page, line 3") as raised:
        printed(reference, NUMBERS, "page, line 3")
    assert REFUSED[reference] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_text_is_filled_from_several_numbers():
    assert (
        filled("{share:.1%} in {count:d} runs, R² {mean:.2f}.", NUMBERS, "here")
        == "12.3% in 7 runs, R² 0.57 (0.49 to 0.85)."
    )


def test_text_without_placeholders_stays():
    assert filled("Lines {{rise}}.", {}, "here") == "Lines {rise}."


@pytest.mark.parametrize("text", ["{share", "{shard}", "{}", "{share!r}"])
def test_a_text_that_cannot_be_filled_is_named_with_its_place(text):
    with pytest.raises(BookError, match="page, figure fig-one"):
        filled(text, NUMBERS, "page, figure fig-one")
