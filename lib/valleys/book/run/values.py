"""How a value is read, wherever one is given: `--set`, papermill's options, `params/*.yml`.

YAML, with plain words as the core schema of YAML 1.2 has them: a number is decimal whatever zeros
it begins with, `1e-3` is a number, `true` and `false` are the booleans, and everything else, such
as `1:30`, `0o10`, `yes` or a date, is text. As in Python, a single `_` may stand between digits.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from valleys.errors import BookError

TAG = "tag:yaml.org,2002:"
DIGITS = "[0-9](?:_?[0-9])*"
PLAIN_WORDS = {  # by tag: what is no text, and how it may begin; the first that fits holds
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (rf"[-+]?{DIGITS}", list("-+0123456789")),
    "float": (
        rf"[-+]?(?:(?:{DIGITS}\.?(?:{DIGITS})?|\.{DIGITS})(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}


class Loader(yaml.SafeLoader):
    """Reads values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (yaml wants it so)


class Dumper(yaml.SafeDumper):
    """Writes values in a way that this loader and those of YAML 1.1, such as papermill's, read
    alike: what is no text to one of them is quoted.
    """


for _name, (_words, _beginnings) in PLAIN_WORDS.items():
    for _each in (Loader, Dumper):
        _each.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_words})\Z"), _beginnings)


def _constructor(kind: Callable[[str], Any]) -> Callable[[yaml.SafeLoader, yaml.ScalarNode], Any]:
    def construct(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
        text = loader.construct_scalar(node)
        try:
            return kind(text.lower())
        except (ValueError, LookupError):
            raise yaml.constructor.ConstructorError(
                None, None, f"'{text}' is none of its kind", node.start_mark
            ) from None

    return construct


# nothing of that kind is a value here, not even if it is said to be
for _name in ("timestamp", "binary", "omap", "pairs", "set"):
    Loader.add_constructor(TAG + _name, yaml.SafeLoader.construct_undefined)
Loader.add_constructor(TAG + "bool", _constructor({"true": True, "false": False}.__getitem__))
Loader.add_constructor(TAG + "int", _constructor(int))
Loader.add_constructor(
    TAG + "float", _constructor(lambda text: float(re.sub(r"\.(?=inf|nan)", "", text)))
)


def read(text: str | bytes, where: str) -> Any:
    """The value that a text stands for.

    Args:
        text: YAML.
        where: it comes from, for the message.

    Raises:
        BookError: it is not valid YAML.
    """
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise BookError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from None


def read_file(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        BookError: it cannot be read, or is not valid YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BookError(f"{path} cannot be read: {error}") from None
    return read(text, str(path))


def written(values: dict[str, Any] | list[Any]) -> str:
    """The values as YAML in one line, between braces or brackets."""
    return yaml.dump(
        values, Dumper=Dumper, default_flow_style=True, sort_keys=False, width=float("inf")
    ).strip()
