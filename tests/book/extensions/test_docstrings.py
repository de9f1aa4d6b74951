import itertools
from typing import Any

import pytest
from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation

import valleys
from valleys.book.extensions.docstrings import keep_marks, shorten_types
from valleys.paths import book_root

ROOMS = ("toy", "nets", "results")

NO_APP: Any = None  # these ask nothing of the application


def kept(*lines: str) -> list[str]:
    """The lines of a docstring as they are handed on."""
    found = list(lines)
    keep_marks(NO_APP, "function", "f", None, None, found)
    return found


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("mean of |x|²", "mean of \\|x\\|²"),
        ("x1* = g1/2", "x1\\* = g1/2"),
        ("`a|b*` and x_", "`a|b*` and x\\_"),
        ("y_b and learning_rate", "y_b and learning_rate"),
        ("    batch_size: B.", "    batch_size: B\\."),
        ("    n_runs: R. None for all", "    n_runs: R\\. None for all"),
        ("    place: A.b", "    place: A.b"),
    ],
)
def test_marks_stand_outside_of_code(line, meant):
    assert kept(line) == [meant]


def test_examples_stay_as_they_are():
    lines = (">>> 2 * 3 | 1", "7", "", "after |x|")
    assert kept(*lines) == [*lines[:3], "after \\|x\\|"]


def test_arrays_are_called_so():
    long = f"(y: {stringify_annotation(ArrayLike, 'smart')})"
    assert shorten_types(NO_APP, "function", "f", None, None, long, None) == (
        "(y: ArrayLike)",
        None,
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_of_the_guide_lists_every_name_of_a_room_twice_in_its_table_and_in_full(room):
    words = (book_root() / "pages" / f"api_{room}.md").read_text(encoding="utf-8").split()
    names = getattr(valleys, room).__all__
    assert {name: words.count(name) for name in names} == dict.fromkeys(names, 2)
    in_full = {
        name
        for before, name in itertools.pairwise(words)
        if before in ("autofunction::", "autoclass::")
    }
    assert in_full == set(names)
