"""Arguments of public functions are of their kinds, or refused by name."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from valleys.results.spec import settled


@settled
def asked(
    count: int,
    rates: Sequence[float] = (),
    size: tuple[int, int] | None = None,
    *,
    name: str = "",
    path: str | Path = "",
    quick: bool | None = None,
    rest: object = None,
) -> tuple:
    """What it was given."""
    return count, rates, size, name, path, quick, rest


def test_arguments_come_as_their_kinds():
    found = asked(np.int64(3), np.array([1, 2]), [4, 5], path=Path("here"), rest=asked)
    assert found == (3, (1.0, 2.0), (4, 5), "", Path("here"), None, asked)
    assert [type(each) for each in (found[0], *found[1])] == [int, float, float]
    assert asked.__name__ == "asked"
    assert asked.__doc__ == "What it was given."


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"count": 1.5}, "count must be a whole number, got 1.5"),
        ({"count": True}, "count must be a whole number, got True"),
        ({"count": None}, "count must be a whole number, got None"),
        ({"rates": 0.1}, "rates must be a list, got 0.1"),
        ({"rates": "0.1"}, "rates must be a list, got '0.1'"),
        ({"rates": [0.1, "a"]}, "rates must be a number, got 'a'"),
        ({"rates": [float("nan")]}, "rates must be finite, got nan"),
        ({"size": (1, 2, 3)}, "size must hold 2 values"),
        ({"size": 8}, "size must be a list, got 8"),
        ({"name": 3}, "name must be text, got 3"),
        ({"quick": 1}, "quick must be True or False, got 1"),
    ],
)
def test_an_argument_of_another_kind_is_named(given, word):
    with pytest.raises(ValueError, match=word):
        asked(**{"count": 1, **given})


def test_an_argument_that_is_missing_or_unknown_is_named_by_python():
    with pytest.raises(TypeError, match="count"):
        asked()
    with pytest.raises(TypeError, match="colour"):
        asked(1, colour="red")
