"""A small package whose code is digested: studies, what they reach, and what they do not."""

from pathlib import Path

from valleys.results import code

NAME = "pack_under_test"
OUTER = '''"""Studies."""
import math
from functools import cache

from pack_under_test import inner, tools
from pack_under_test.inner import CONSTANT, helper
from pack_under_test.specs import Spec


def decorated(function):
    return cache(function)


def require(holds, message):
    if not holds:
        raise ValueError(message)


def study(spec: Spec, power=tools.POWER):
    """Doc."""
    return helper(spec.size) + inner.other(CONSTANT)  # why


def another_study(spec: Spec):
    return tools.unused(math.pi)


def later(spec: Spec):
    return deferred(spec)


@decorated
def deferred(spec):
    return 11


def counts(spec: Spec, start: int = 0):
    """Doc."""
    total: int = start
    for item in (each + 1 for each in range(spec.size)):
        total += item
    square = lambda number: number**2  # noqa: E731

    def nested(value):
        return value + total

    require(start < 99, f"start is {start}")
    if total < 0:
        raise ValueError(f"total is {total}")
    return nested(square(total))


def dynamic(spec: Spec):
    return getattr(tools, spec.name)()


def looks_up(spec: Spec):
    return globals()[spec.name]


def imports_inside(spec: Spec):
    from pack_under_test.tools import unused as used_here

    return used_here(1)


def uses_registry(spec: Spec):
    return tools.REGISTRY[spec.name]()
'''
INNER = '''"""Doc."""
CONSTANT = 3
UNUSED = 4


def helper(value, scale=5):
    return scale * _below(value)


def _below(value):
    return Shape(value).area()


class Base:
    def area(self):
        return 6


class Shape(Base):
    side = 7

    def __init__(self, value):
        self.value = value


def other(value):
    return value + 8


def unreached(value):
    return value + 9
'''
TOOLS = """POWER = 2
REGISTRY = {}


def register(function):
    REGISTRY[function.__qualname__] = function
    return function


def unused(value):
    return value + 10


@register
def registered():
    return 13
"""
SPECS = """from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    size: int = 12
    name: str = "x"


@dataclass(frozen=True)
class OtherSpec:
    size: int = 14
"""
FILES = {"__init__": "", "outer": OUTER, "inner": INNER, "tools": TOOLS, "specs": SPECS}


def edited(module: str, *changes: tuple[str, str]) -> dict[str, str]:
    """A module of it in which each text, wherever it stands, is another one."""
    source = FILES[module]
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return {module: source}


def digest(library: Path, study: str, files: dict[str, str], moved: str = "") -> str:
    """The digest behind a study of the package, written with these files, in a new folder; one
    module may lie in a package of its own.
    """
    home = library / NAME
    (home / "sub").mkdir(parents=True)
    for name, source in (FILES | files).items():
        path = home / ("sub/moved.py" if name == moved else f"{name}.py")
        path.write_text(_following(source, moved) if moved else source)
    (home / "sub" / "__init__.py").touch()
    specs = "sub.moved" if moved == "specs" else "specs"
    return code.code_version((f"{NAME}.outer:{study}", f"{NAME}.{specs}:Spec"), library)


def _following(source: str, moved: str) -> str:
    """A source whose imports follow a module to `sub.moved`."""
    lines = source.replace(f"_test.{moved} ", "_test.sub.moved ")
    both = "from pack_under_test import inner, tools"
    if both in lines and moved in ("inner", "tools"):
        other = {"inner": "tools", "tools": "inner"}[moved]
        lines = lines.replace(
            both,
            f"from pack_under_test import {other}\nfrom "
            f"pack_under_test.sub import moved as {moved}",
        )
    return lines
