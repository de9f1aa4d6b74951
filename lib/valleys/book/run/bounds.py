"""What a value of each parameter may be, from `params/bounds.yml`: tried before anything is made
of the value, which costs nothing.
"""

import math
import numbers
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from valleys.book.chapters import Parameter
from valleys.errors import BookError
from valleys.paths import book_root

SHOWN = 60  # characters of a value in a refusal
Bounds = Mapping[str, Any]


def check(where: str, parameter: Parameter, value: Any, root: Path | None = None) -> None:
    """Refuse a value that makes no sense for its parameter; one that has no bounds, as in a chapter
    of one's own, passes.

    Args:
        where: the chapter, for the message.
        parameter: its name, and a default of the right kind.
        value: of that kind, as far as `parameters.run_parameters` looks: the items of a list may be
            anything.
        root: folder of `params/`; the book's if None.

    Raises:
        BookError: names the parameter, what is allowed and a value that is.
    """
    allowed = _refusal(parameter, value, _read(root or book_root()))
    if allowed:
        raise BookError(
            f"{where}: {parameter.name} must be {allowed}, such as "
            f"{parameter.default!r}; got {shown(value)}"
        )


@cache
def _read(root: Path) -> Bounds:
    path = root / "params" / "bounds.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def _refusal(parameter: Parameter, value: Any, bounds: Bounds) -> str | None:
    """What the value must be, where it is not."""
    name, of = (
        parameter.name,
        {
            kind: bounds.get(kind, {})
            for kind in ("choices", "permutations", "pairs", "lists", "numbers")
        },
    )
    if name in of["choices"]:
        return None if value in of["choices"][name] else f"one of {', '.join(of['choices'][name])}"
    if name in of["permutations"]:
        return _not_permutations(value, of["permutations"][name])
    if name in of["pairs"]:
        return _no_pair(value, of["numbers"])
    if name in of["lists"]:
        return _no_list(parameter, value, of["lists"][name])
    if name in of["numbers"]:
        return (
            None
            if _fits(value, parameter.default, of["numbers"][name])
            else _range(parameter.default, of["numbers"][name])
        )
    return None


def _no_list(parameter: Parameter, value: list, bounds: Bounds) -> str | None:
    fewest, most = bounds["values"]
    kind = parameter.default[0]
    fit = fewest <= len(value) <= most and all(_fits(each, kind, bounds) for each in value)
    falling = bounds.get("falling", False)
    if (
        fit
        and len(set(value)) == len(value)
        and not (falling and value != sorted(value, reverse=True))
    ):
        return None
    return (
        f"a list of {fewest} to {most} {'falling' if falling else 'different'} values, each "
        f"{_range(kind, bounds)}"
    )


def _no_pair(value: list, bounds: Bounds) -> str | None:
    kinds = ((1, bounds["batch_size"]), (1.0, bounds["learning_rate"]))
    if len(value) == 2 and all(_fits(each, *kind) for each, kind in zip(value, kinds, strict=True)):
        return None
    return (
        f"a list of two: a batch size, {_range(*kinds[0])}, and a learning rate, "
        f"{_range(*kinds[1])}"
    )


def _not_permutations(value: list, size: int) -> str | None:
    each_once = list(range(1, size + 1))
    plain = all(
        isinstance(order, list)
        and len(order) == size
        and all(type(place) is int for place in order)
        for order in value
    )
    different = plain and len({tuple(order) for order in value}) == len(value)
    if (
        1 <= len(value) <= math.factorial(size)
        and different
        and all(sorted(order) == each_once for order in value)
    ):
        return None
    return f"a list of different orders, each holding the numbers from 1 to {size} once"


def _fits(value: Any, kind: Any, bounds: Bounds) -> bool:
    """Whether a value is a number of the kind of another one, and within bounds; NaN lies
    nowhere.
    """
    sort = numbers.Integral if _is_whole(kind, bounds) else numbers.Real
    return (
        isinstance(value, sort)
        and not isinstance(value, bool)
        and bounds["from"] <= value <= bounds["to"]
    )


def _is_whole(kind: Any, bounds: Bounds) -> bool:
    return isinstance(kind, int) and isinstance(bounds["from"], int)


def _range(kind: Any, bounds: Bounds) -> str:
    return (
        f"a {'whole ' if _is_whole(kind, bounds) else ''}number from {bounds['from']} to "
        f"{bounds['to']}"
    )


def shown(value: Any) -> str:
    """A value in a refusal, on one line and not too long."""
    text = " ".join(repr(value[:SHOWN] if isinstance(value, str | list) else value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
