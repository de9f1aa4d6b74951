"""Numbers as they stand in the text."""

import numpy as np
import pytest

from valleys.book import numbers


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.7153, 0.0042, "0.715 ± 0.004"),
        (0.7153, 0.0017, "0.7153 ± 0.0017"),
        (123.4, 12, "123 ± 12"),
        (1234.4, 35, "1234 ± 35"),
        (5, 0.099, "5.00 ± 0.10"),
        (0.5, 0, "0.5 ± 0"),
    ],
)
def test_error_decides_the_digits(value, error, text):
    assert numbers.with_error(value, error) == text


@pytest.mark.parametrize(("value", "error"), [(np.nan, 1), (1, np.inf), (1, -1)])
def test_no_number_without_a_sound_error(value, error):
    with pytest.raises(ValueError, match="finite"):
        numbers.with_error(value, error)


def test_numpy_scalars_are_glued_as_plain_numbers(monkeypatch):
    glued = {}
    monkeypatch.setattr(numbers, "glue", lambda name, value, display: glued.update({name: value}))
    numbers.report(p=np.float64(0.5), n=np.array(3), name="digits")
    assert glued == {"p": 0.5, "n": 3, "name": "digits"}
    assert [type(value) for value in glued.values()] == [float, int, str]
