"""What a finding is, for tests that take it apart."""

from valleys.results.estimates import Estimate, Findings


def estimate(found: Findings, name: str) -> Estimate:
    """A finding that comes with an interval."""
    value = found[name]
    assert isinstance(value, Estimate), f"{name} is {value!r}"
    return value


def error(found: Findings, name: str) -> float:
    """The standard error of a finding."""
    known = estimate(found, name).error
    assert known is not None, f"{name} has no standard error"
    return known


def number(found: Findings, name: str) -> float:
    """A finding that is a number alone."""
    value = found[name]
    assert isinstance(value, float | int), f"{name} is {value!r}"
    return value
