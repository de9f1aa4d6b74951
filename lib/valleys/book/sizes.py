"""Parameter values of a run: the chapter's defaults, then its size, then what the user set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from valleys.book.chapters import KINDS, BookError, Chapter, Parameter, find_chapter
from valleys.book.paths import book_root

SIZES = ("smoke", "quick", "paper")


@dataclass(frozen=True)
class Setting:
    """A user's `[chapter.]parameter=value`; without a chapter it holds for every chapter that has the parameter."""

    chapter: str | None
    parameter: str
    value: Any

    @classmethod
    def parse(cls, text: str) -> "Setting":
        """Read `[chapter.]parameter=value`, the value as YAML.

        Raises:
            BookError: the text is not of that form.
        """
        name, equals, value = text.partition("=")
        chapter, _, parameter = name.strip().rpartition(".")
        if not equals or not parameter.isidentifier():
            raise BookError(f"'{text}' must read [chapter.]parameter=value, such as toy_model.n_runs=500")
        try:
            return cls(chapter or None, parameter, yaml.safe_load(value))
        except yaml.YAMLError as error:
            raise BookError(f"the value of '{text}' is not valid YAML: {' '.join(str(error).split())}") from None


def run_parameters(chapters: Mapping[str, Chapter], size: str, settings: Iterable[Setting] = (), root: Path | None = None) -> dict[str, dict[str, Any]]:
    """Values that differ from the defaults, by chapter name and parameter name.

    Args:
        chapters: all chapters of the book by name.
        size: smoke, quick or paper.
        settings: what the user set; it goes over the size.
        root: folder of `params/`; the book's if None.

    Raises:
        BookError: unknown size, chapter or parameter, or a value of the wrong type.
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in chapters}
    for setting in [*_settings_of_size(size, root or book_root()), *settings]:
        for chapter in _chapters_of(setting, chapters):
            parameter = chapter.parameters[setting.parameter]
            values[chapter.name][parameter.name] = _typed(parameter, setting.value, chapter.name)
    return {name: {key: value for key, value in changed.items() if value != chapters[name].parameters[key].default} for name, changed in values.items()}


def _settings_of_size(size: str, root: Path) -> list[Setting]:
    if size not in SIZES:
        raise BookError(f"no size is named '{size}'; the sizes are {', '.join(SIZES)}")
    content = yaml.safe_load((root / "params" / f"{size}.yml").read_text(encoding="utf-8"))
    shared = [Setting(None, name, value) for name, value in content["global"].items()]
    return shared + [Setting(chapter, name, value) for chapter, own in content["chapters"].items() for name, value in own.items()]


def _chapters_of(setting: Setting, chapters: Mapping[str, Chapter]) -> list[Chapter]:
    candidates = list(chapters.values()) if setting.chapter is None else [find_chapter(setting.chapter, dict(chapters))]
    found = [chapter for chapter in candidates if setting.parameter in chapter.parameters]
    if not found:
        where = "no chapter" if setting.chapter is None else candidates[0].name
        names = sorted({name for chapter in candidates for name in chapter.parameters})
        raise BookError(f"{where} has {'a' if setting.chapter is None else 'no'} parameter '{setting.parameter}'; there are {', '.join(names)}")
    return found


def _typed(parameter: Parameter, value: Any, chapter: str) -> Any:
    """The value as the parameter's kind; YAML reads 1e-3 as text, so text that is a number counts as one."""
    if parameter.kind == "float" and not isinstance(value, bool):
        value = _as_float(value)
    elif parameter.kind == "list" and isinstance(value, list):
        floats = [isinstance(item, float) for item in parameter.default]
        value = [_as_float(item) if all(floats) or (any(floats) and isinstance(item, str)) else item for item in value]
    if type(value) is not KINDS[parameter.kind]:
        raise BookError(f"{chapter}: {parameter.name} must be of kind {parameter.kind}, such as {parameter.default!r}; got {value!r}")
    return value


def _as_float(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
