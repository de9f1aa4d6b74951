"""What every spec asks of its values: the right kind, and a range that makes sense."""

import dataclasses
import math
import numbers
from typing import Any, get_args, get_origin


def require(condition: bool, message: str) -> None:
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def settle(name: str, kind: Any, value: Any) -> Any:
    """The value as exactly its field's kind, so that equal questions have equal names.

    Raises:
        ValueError: the value is of another kind.
    """
    if get_origin(kind) is tuple:
        require(isinstance(value, (list, tuple)), f"{name} must be a list, got {value!r}")
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[1:] == (...,) else inner
        require(len(kinds) == len(value), f"{name} must hold {len(inner)} values, got {value!r}")
        return tuple(settle(name, each, item) for each, item in zip(kinds, value, strict=True))
    return _settle_plain(name, kind, value)


def settle_fields(spec: Any) -> None:
    """Settle every field of a frozen spec, in place.

    Raises:
        ValueError: the value of a field is of another kind.
    """
    for entry in dataclasses.fields(spec):
        value = settle(entry.name, entry.type, getattr(spec, entry.name))
        object.__setattr__(spec, entry.name, value)


def _settle_plain(name: str, kind: type, value: Any) -> Any:
    accepted = {bool: bool, int: numbers.Integral, float: numbers.Real, str: str}[kind]
    fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    words = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}[kind]
    require(fits, f"{name} must be {words}, got {value!r}")
    require(kind is not float or math.isfinite(value), f"{name} must be finite, got {value!r}")
    return kind(value)


def check_distinct(name: str, values: tuple) -> None:
    """Refuse an empty list and repeated values."""
    require(
        len(values) > 0 and len(set(values)) == len(values),
        f"{name} must hold one value or more, each once, got {values}",
    )
