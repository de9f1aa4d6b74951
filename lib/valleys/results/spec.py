"""What every spec asks of its values: the right kind, and a range that makes sense."""

import dataclasses
import functools
import inspect
import math
import numbers
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

Given = ParamSpec("Given")
Found = TypeVar("Found")
PLAIN = (bool, int, float, str)


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


def settled(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The same function, its arguments settled where they are annotated as numbers, text, or
    sequences of these, and looked at where they are annotated as a dataclass; any other is left as
    it is, and so is None where it may be.

    Raises:
        ValueError: an argument is of another kind; when the function is called.
    """
    signature, kinds = inspect.signature(function), functools.cache(get_type_hints)

    @functools.wraps(function)
    def call(*positional: Given.args, **named: Given.kwargs) -> Found:
        given = signature.bind(*positional, **named)
        for name, value in given.arguments.items():
            given.arguments[name] = _settle_argument(name, kinds(function).get(name), value)
        return function(*given.args, **given.kwargs)

    return call


def _settle_argument(name: str, kind: Any, value: Any) -> Any:
    """The value as its kind, if that is one that `settle` knows, or a sequence of one."""
    if get_origin(kind) is types.UnionType:
        others = [each for each in get_args(kind) if each is not type(None)]
        kind = others[0] if len(others) == 1 and value is not None else None
    if kind in PLAIN:
        return settle(name, kind, value)
    if get_origin(kind) in (tuple, Sequence) and {*get_args(kind)} <= {*PLAIN, ...}:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValueError(f"{name} must be a list, got {value!r}")
        whole = kind if get_origin(kind) is tuple else tuple[get_args(kind)[0], ...]
        return settle(name, whole, tuple(value))
    bare = get_origin(kind) or kind
    fits = not dataclasses.is_dataclass(bare) or isinstance(value, bare)  # pyright: ignore[reportArgumentType]
    require(fits, f"{name} must be {getattr(bare, '__name__', bare)}, got {type(value).__name__}")
    return value


def _settle_plain(name: str, kind: type, value: Any) -> Any:
    accepted = {bool: bool, int: numbers.Integral, float: numbers.Real, str: str}[kind]
    fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    words = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}[kind]
    require(fits, f"{name} must be {words}, got {value!r}")
    require(kind is not float or math.isfinite(value), f"{name} must be finite, got {value!r}")
    return kind(value)


def check_place(name: str, place: int, count: int) -> None:
    """Refuse a place that none of so many things has; negative ones count from the end."""
    require(-count <= place < count, f"{name} must lie between 0 and {count - 1}, got {place}")


def check_distinct(name: str, values: tuple) -> None:
    """Refuse an empty list and repeated values."""
    require(
        len(values) > 0 and len(set(values)) == len(values),
        f"{name} must hold one value or more, each once, got {values}",
    )
