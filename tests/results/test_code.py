"""The hash of the code behind a study changes with what the study reaches, and with nothing else."""

import sys
from itertools import count

import pytest

from valleys.results import code

OUTER = '''"""Studies."""
import math
from functools import cache

from pack_under_test import inner, tools
from pack_under_test.inner import CONSTANT, helper
from pack_under_test.specs import Spec


def decorated(function):
    return cache(function)


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
numbers = count()


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A function that gives the hash behind a study of a package, in which one text may be replaced by another."""
    monkeypatch.setattr(code, "PACKAGE", "pack_under_test")

    def hashed(study: str = "study", module: str = "", old: str = "", new: str = "") -> str:
        home = tmp_path / str(next(numbers)) / "pack_under_test"
        home.mkdir(parents=True)
        for name, source in FILES.items():
            assert name != module or source.count(old) == 1, old
            (home / f"{name}.py").write_text(source.replace(old, new) if name == module else source)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(home.parent))
            code.code_version.cache_clear()
            found = code.code_version((f"pack_under_test.outer:{study}",))
        for name in [name for name in sys.modules if name.startswith("pack_under_test")]:
            del sys.modules[name]
        return found

    yield hashed
    code.code_version.cache_clear()


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("outer", "inner.other(CONSTANT)", "inner.other(2 * CONSTANT)"),
        ("outer", "import CONSTANT, helper", "import CONSTANT, other as helper"),
        ("inner", "CONSTANT = 3", "CONSTANT = 4"),
        ("inner", "scale=5", "scale=6"),
        ("inner", "return Shape(value).area()", "return 2 * Shape(value).area()"),
        ("inner", "return 6", "return 7"),
        ("inner", "side = 7", "side = 8"),
        ("inner", "class Shape(Base):", "class Shape:"),
        ("inner", "self.value = value", "self.value = 2 * value"),
        ("inner", "value + 8", "value + 9"),
        ("tools", "POWER = 2", "POWER = 3"),
        ("specs", "size: int = 12", "size: int = 13"),
        ("specs", "@dataclass(frozen=True)\nclass Spec", "@dataclass(frozen=True, slots=True)\nclass Spec"),
    ],
)
def test_edit_of_what_a_study_reaches_changes_its_hash(version, module, old, new):
    assert version() != version("study", module, old, new)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("outer", "tools.unused(math.pi)", "tools.unused(0)"),
        ("outer", "import math\n", "import math\nimport os\n"),
        ("outer", "# why", "# another reason"),
        ("outer", '    """Doc."""\n', '    """Doc\n\n    more."""\n\n'),
        ("outer", '"""Studies."""', '"""Other words."""'),
        ("inner", "UNUSED = 4", "UNUSED = 5"),
        ("inner", "value + 9", "value + 7"),
        ("inner", "\n\nclass Base:", "\n\ndef new():\n    return 1\n\n\nclass Base:"),
        ("tools", "value + 10", "value + 11"),
        ("specs", "size: int = 14", "size: int = 15"),
    ],
)
def test_edit_of_anything_else_does_not(version, module, old, new):
    assert version() == version("study", module, old, new)


@pytest.mark.parametrize(
    ("study", "module", "old", "new"),
    [
        ("later", "outer", "return 11", "return 12"),
        ("later", "outer", "return cache(function)", "return function"),
        ("imports_inside", "tools", "value + 10", "value + 11"),
        ("dynamic", "tools", "value + 10", "value + 11"),
        ("looks_up", "inner", "value + 9", "value + 10"),
        ("uses_registry", "tools", "return 13", "return 14"),
        ("uses_registry", "tools", "REGISTRY[function.__qualname__] = function", "pass"),
    ],
)
def test_what_cannot_be_followed_counts_as_a_whole(version, study, module, old, new):
    assert version(study) != version(study, module, old, new)


@pytest.mark.parametrize(
    "change", ["inner.unreached = None\n", "if True:\n    inner.CONSTANT = 5\n", "tools.register(helper)\n", "for inner.CONSTANT in (1, 2): pass\n"]
)
def test_statement_that_acts_when_a_module_is_imported_is_reached(version, change):
    assert version() != version("study", "outer", "def decorated", f"{change}\ndef decorated")


def test_name_that_a_module_does_not_bind_in_sight_takes_the_module(version):
    starred = ("from pack_under_test.inner import CONSTANT, helper", "from pack_under_test.tools import *\nfrom pack_under_test.inner import CONSTANT, helper")
    FILES["outer"], before = OUTER.replace(*starred), FILES["outer"]
    try:
        assert version() != version("study", "tools", "value + 10", "value + 11")
    finally:
        FILES["outer"] = before


def test_network_cell_does_not_depend_on_other_studies():
    found = {(module, text.partition("(")[0].removeprefix("def ")) for module, _, text in code._Reach(("valleys.nets.experiments.sweep:sweep",)).found()}
    assert ("valleys.nets.engine.training", "train") in found
    assert ("valleys.nets.experiments.specs", "class SweepGrid") not in found
    assert ("valleys.nets.measures.solutions", "project") not in found
    assert not [module for module, _ in found if module in ("valleys.nets.experiments.continuation", "valleys.nets.studies")]
