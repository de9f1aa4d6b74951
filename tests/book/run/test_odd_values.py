"""Odd values of every kind, for every parameter of every chapter: refused before work, in one line
that names the parameter and what is allowed.

What is accepted must lie within the bounds of the parameter: `ACCEPTED` lists the odd values that
some parameters allow.
"""

import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from valleys.book.chapters import Parameter, all_chapters
from valleys.book.run import runner
from valleys.book.run.parameters import SIZES, Assignment, run_parameters
from valleys.errors import BookError
from valleys.paths import book_root

NAN, INF = float("nan"), float("inf")
NUMBERS = [
    0,
    0.0,
    -1,
    -1.0,
    NAN,
    INF,
    -INF,
    1e308,
    1e-320,
    1.5,
    10**9,
    10**12,
    2**63,
    2**64,
    10**30,
]
OTHERS = [True, False, "", "text", "1e3x", None, [], {}, [[]], {"a": 1}]
TEXTS = ["gpu", "cuda", "cuda:7", "meta", "foo", "a" * 10**4, "two\nlines"]
LONG = 10**4  # items of a list

CHAPTERS = all_chapters()
PARAMETERS = [
    pytest.param(chapter, parameter, id=f"{name}-{parameter.name}")
    for name, chapter in CHAPTERS.items()
    for parameter in chapter.parameters.values()
]
ACCEPTED = {  # by parameter, or by the kind of its value
    "seed": {0, 10**9, 10**12},
    "flatness_every": {0},
    "image_side": {0},
    "channels": {(8, 16, 8)},
    "float": {1.5},
    "bool": {True, False},
    "powers": {(1e-320,)},
}
# of a check, on a busy machine; the first one of a room also imports it
MOST_SECONDS, MOST_MEGABYTES = 5.0, 300


def odd_values(parameter: Parameter) -> Iterator[Any]:
    yield from (*NUMBERS, *OTHERS, *TEXTS)
    if parameter.kind == "list":
        first, *rest = parameter.default
        yield from ([value] for value in (*NUMBERS, *OTHERS))
        yield from (
            [*rest, value]
            for value in (NAN, "text", None, True, 10**30, [first], parameter.default)
        )
        yield from (
            [*parameter.default, first],
            parameter.default * LONG,
            [-1.0] * LONG,
            [parameter.default],
        )


def refusal(chapter, parameter: Parameter, value: Any) -> str | None:
    """The line in which the command line refuses a value; None where it does not."""
    try:
        values = run_parameters(
            CHAPTERS, "quick", [Assignment(chapter.name, parameter.name, value)]
        )[chapter.name]
        runner.check_before_running(chapter, values, own=[parameter.name])
    except BookError as error:
        return str(error)
    return None


@pytest.fixture(scope="module", autouse=True)
def _imports() -> None:
    """What the chapters import is imported before anything is measured."""
    for chapter in CHAPTERS.values():
        runner.check_before_running(chapter, {})


@pytest.mark.parametrize(("chapter", "parameter"), PARAMETERS)
def test_odd_values_are_refused_in_a_line_that_names_the_parameter(chapter, parameter):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for value in odd_values(parameter):
        started = time.perf_counter()
        line = refusal(chapter, parameter, value)
        assert time.perf_counter() - started < MOST_SECONDS, str(value)[:80]
        if line is None:
            assert may_be(parameter, value), f"{parameter.name}={str(value)[:80]} is accepted"
            continue
        assert parameter.name in line
        assert len(line.splitlines()) == 1
        assert len(line) < 600
        assert chapter.name in line
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MOST_MEGABYTES


def may_be(parameter: Parameter, value: Any) -> bool:
    """Whether an odd value is one that the parameter allows."""
    allowed = ACCEPTED.get(parameter.name, set()) | ACCEPTED.get(parameter.kind, set())
    if isinstance(value, list):
        plain = all(type(item) in (int, float) for item in value)
        return plain and (
            tuple(value) in allowed or (len(value) == 1 and value[0] in (1.5, 0, 0.0))
        )
    return (
        type(value) in (int, float, bool)
        and value in allowed
        and (parameter.kind == "bool") == isinstance(value, bool)
    )


def test_every_parameter_but_the_device_has_bounds_and_no_bounds_are_left_over():
    given = yaml.safe_load((book_root() / "params" / "bounds.yml").read_text(encoding="utf-8"))
    named = [name for part in given.values() for name in part]
    assert len(named) == len(set(named))
    bounded = {
        name
        for chapter in CHAPTERS.values()
        for name, parameter in chapter.parameters.items()
        if parameter.kind != "bool"
    }
    assert set(named) == bounded - {"device"}


@pytest.mark.parametrize("size", SIZES)
def test_values_of_each_size_are_accepted(size):
    for name, values in run_parameters(CHAPTERS, size).items():
        runner.check_before_running(CHAPTERS[name], values)
