"""Parameter values of a run: the chapter's defaults, then its size, then what the user set; each
within its bounds of `params/bounds.yml`, which is tried before anything is made of the value.
"""

import math
import numbers
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from valleys.book.chapters import KINDS, Chapter, Parameter, find_chapter
from valleys.book.run import values
from valleys.errors import BookError
from valleys.paths import book_root

SIZES = ("smoke", "quick", "paper")
PARTS = {"global", "chapters"}  # of a file of `params/`
FOLDER = "folder:"  # begins a value that names a folder
SHOWN = 60  # characters of a value in a refusal
Bounds = Mapping[str, Any]


@dataclass(frozen=True)
class Assignment:
    """A user's `[chapter.]parameter=value`; without a chapter it holds for every chapter that
    has the parameter.
    """

    chapter: str | None
    parameter: str
    value: Any

    @classmethod
    def parse(cls, text: str) -> "Assignment":
        """Read `[chapter.]parameter=value`, the value as `valleys.book.run.values` has it.

        Raises:
            BookError: the text is not of that form.
        """
        name, equals, value = text.partition("=")
        chapter, _, parameter = name.strip().rpartition(".")
        if not equals or not parameter.isidentifier():
            raise BookError(
                f"'{text}' must read [chapter.]parameter=value, such as toy_model.n_runs=500"
            )
        return cls(chapter or None, parameter, values.read(value, f"the value of '{text}'"))


def run_parameters(
    chapters: Mapping[str, Chapter],
    size: str,
    settings: Iterable[Assignment] = (),
    root: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Values that differ from the defaults, by chapter name and parameter name.

    Args:
        chapters: all chapters of the book by name.
        size: smoke, quick or paper.
        settings: what the user set; it goes over the size.
        root: folder of `params/`; the book's if None.

    Raises:
        BookError: unknown size, chapter or parameter, or a value of the wrong type.
    """
    chosen: dict[str, dict[str, Any]] = {name: {} for name in chapters}
    for setting in [*_settings_of_size(size, root or book_root()), *settings]:
        for chapter in _chapters_of(setting, chapters):
            chosen[chapter.name][setting.parameter] = typed(
                chapter, setting.parameter, setting.value
            )
    return {
        name: {
            key: value
            for key, value in changed.items()
            if value != chapters[name].parameters[key].default
        }
        for name, changed in chosen.items()
    }


def settings_of(content: Any, where: str) -> list[Assignment]:
    """The settings in a file of `params/`: those under `global`, then those under each chapter.

    Raises:
        BookError: the file is not laid out so.
    """
    parts = content or {}
    if (
        not isinstance(parts, dict)
        or not parts.keys() <= PARTS
        or not all(isinstance(part, dict | None) for part in parts.values())
    ):
        raise BookError(
            f"{where} must have the keys 'global', with parameters, and 'chapters', "
            "with parameters below the name of each chapter, and no others"
        )
    chapters = parts.get("chapters") or {}
    if odd := [name for name, own in chapters.items() if not isinstance(own, dict | None)]:
        raise BookError(f"{where}: below '{odd[0]}' must stand parameters with their values")
    shared = [
        Assignment(None, str(name), value) for name, value in (parts.get("global") or {}).items()
    ]
    return shared + [
        Assignment(str(chapter), str(name), value)
        for chapter, own in chapters.items()
        for name, value in (own or {}).items()
    ]


def values_for(chapter: Chapter, content: Any, chapters: Mapping[str, Chapter]) -> dict[str, Any]:
    """What a file like those of `params/` says for one chapter.

    Raises:
        BookError: the file is not laid out like them, or names a chapter or parameter that does not
            exist.
    """
    book = {**chapters, chapter.name: chapter}
    return {
        setting.parameter: setting.value
        for setting in settings_of(content, "the file of parameters")
        if chapter in _chapters_of(setting, book)
    }


def parameter_file(chapter: Chapter, changed: Mapping[str, Any]) -> str:
    """All parameters of a chapter as YAML, each below its meaning: a line for each, which
    papermill's option -f takes.

    Args:
        chapter: whose parameters are written.
        changed: values that differ from the defaults.
    """
    lines = [
        (f"# {p.meaning}", values.written({p.name: changed.get(p.name, p.default)})[1:-1])
        for p in chapter.parameters.values()
    ]
    return "\n".join(line for pair in lines for line in pair)


def typed(chapter: Chapter, name: str, value: Any) -> Any:
    """The value of a parameter as one of its kind and within its bounds; text is read once more
    where no text is wanted, whole numbers do for floats.

    Raises:
        BookError: the chapter has no such parameter, or the value is of another kind or out of
            bounds.
    """
    if name not in chapter.parameters:
        raise BookError(
            f"{chapter.name} has no parameter '{name}'; there are "
            f"{', '.join(sorted(chapter.parameters)) or 'none'}"
        )
    parameter = chapter.parameters[name]
    if isinstance(value, str) and parameter.kind != "str":
        value = values.read(value, f"{chapter.name}: the value {_shown(value)} of {name}")
    if _wants_floats(parameter):
        value = _as_floats(value)
    if type(value) is not KINDS[parameter.kind] or (
        _holds_numbers(parameter.default) and not _holds_numbers(value)
    ):
        raise BookError(
            f"{chapter.name}: {name} must be of kind {parameter.kind}, such as "
            f"{_as_given(parameter.default)}; got {_shown(value)}"
        )
    check_bounds(chapter.name, parameter, value)
    return _in_full(value) if isinstance(value, str) else value


def check_bounds(where: str, parameter: Parameter, value: Any, root: Path | None = None) -> None:
    """Refuse a value that makes no sense for its parameter; one that has no bounds, as in a chapter
    of one's own, passes.

    Args:
        where: the chapter, for the message.
        parameter: its name, and a default of the right kind.
        value: of that kind, as far as `run_parameters` looks: the items of a list may be
            anything.
        root: folder of `params/`; the book's if None.

    Raises:
        BookError: names the parameter, what is allowed and a value that is.
    """
    allowed = _refusal(parameter, value, _bounds_below(root or book_root()))
    if allowed:
        raise BookError(
            f"{where}: {parameter.name} must be {allowed}, such as "
            f"{parameter.default!r}; got {_shown(value)}"
        )


def _settings_of_size(size: str, root: Path) -> list[Assignment]:
    if size not in SIZES:
        raise BookError(f"no size is named '{size}'; the sizes are {', '.join(SIZES)}")
    path = root / "params" / f"{size}.yml"
    return settings_of(values.read_file(path), str(path))


def _chapters_of(setting: Assignment, chapters: Mapping[str, Chapter]) -> list[Chapter]:
    candidates = (
        list(chapters.values())
        if setting.chapter is None
        else [find_chapter(setting.chapter, dict(chapters))]
    )
    found = [chapter for chapter in candidates if setting.parameter in chapter.parameters]
    if not found:
        where = "no chapter" if setting.chapter is None else candidates[0].name
        names = sorted({name for chapter in candidates for name in chapter.parameters})
        raise BookError(
            f"{where} has {'a' if setting.chapter is None else 'no'} parameter "
            f"'{setting.parameter}'; there are {', '.join(names)}"
        )
    return found


def _in_full(value: str) -> str:
    """A folder of images by its full path: a chapter runs elsewhere than where it is named."""
    path = value.removeprefix(FOLDER)
    return value if path == value else f"{FOLDER}{Path(path).expanduser().absolute()}"


def _as_given(value: Any) -> str:
    return values.written([value])[1:-1]


def _leaves(value: Any) -> list[Any]:
    return (
        [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [value]
    )


def _holds_numbers(value: Any) -> bool:
    return all(type(leaf) in (int, float) for leaf in _leaves(value))


def _wants_floats(parameter: Parameter) -> bool:
    return (
        all(type(leaf) is float for leaf in _leaves(parameter.default)) or parameter.kind == "float"
    )


def _as_floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    return float(value) if type(value) is int and abs(value) <= sys.float_info.max else value


@cache
def _bounds_below(root: Path) -> Bounds:
    path = root / "params" / "bounds.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def _refusal(parameter: Parameter, value: Any, bounds: Bounds) -> str | None:
    """What the value must be, where it is not."""
    name, of = (
        parameter.name,
        {
            kind: bounds.get(kind, {})
            for kind in ("choices", "folders", "permutations", "pairs", "lists", "numbers")
        },
    )
    if name in of["folders"]:
        known = value in of["folders"][name] or value.removeprefix(FOLDER) not in ("", value)
        return None if known else f"one of {', '.join(of['folders'][name])}, or {FOLDER}PATH"
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
    repeated = bounds.get("repeated", False)
    if (
        fit
        and (repeated or len(set(value)) == len(value))
        and not (falling and value != sorted(value, reverse=True))
    ):
        return None
    kept = "" if repeated else "falling " if falling else "different "
    return f"a list of {fewest} to {most} {kept}values, each {_range(kind, bounds)}"


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
    sort = numbers.Integral if _wants_integer(kind, bounds) else numbers.Real
    return (
        isinstance(value, sort)
        and not isinstance(value, bool)
        and bounds["from"] <= value <= bounds["to"]
    )


def _wants_integer(kind: Any, bounds: Bounds) -> bool:
    return isinstance(kind, int) and isinstance(bounds["from"], int)


def _range(kind: Any, bounds: Bounds) -> str:
    return (
        f"a {'whole ' if _wants_integer(kind, bounds) else ''}number from {bounds['from']} to "
        f"{bounds['to']}"
    )


def _shown(value: Any) -> str:
    """A value in a refusal, on one line and not too long."""
    text = " ".join(repr(value[:SHOWN] if isinstance(value, str | list) else value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
