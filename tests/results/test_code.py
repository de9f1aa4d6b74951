"""The digest of the code behind a study changes with what the study computes, and with nothing
else.
"""

import ast
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

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


def counts(spec: Spec, start: int = 0):
    """Doc."""
    total: int = start
    for item in (each + 1 for each in range(spec.size)):
        total += item
    square = lambda number: number**2  # noqa: E731

    def nested(value):
        return value + total

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
numbers = count()


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


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A function that gives the digest behind a study of a package, in which one text may be
    replaced by another, or a file be moved.
    """
    monkeypatch.setattr(code, "PACKAGE", "pack_under_test")

    def digest(
        study: str = "study", module: str = "", old: str = "", new: str = "", *, moved: str = ""
    ) -> str:
        library = tmp_path / str(next(numbers))
        home = library / "pack_under_test"
        home.mkdir(parents=True)
        for name, source in FILES.items():
            assert name != module or source.count(old) == 1, old
            text = source.replace(old, new) if name == module else source
            path = home / ("sub/moved.py" if name == moved else f"{name}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(_following(text, moved) if moved else text)
        if moved:
            (home / "sub" / "__init__.py").touch()
        specs = "sub.moved" if moved == "specs" else "specs"
        return code.code_version(
            (f"pack_under_test.outer:{study}", f"pack_under_test.{specs}:Spec"), library
        )

    yield digest
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
        (
            "specs",
            "@dataclass(frozen=True)\nclass Spec",
            "@dataclass(frozen=True, slots=True)\nclass Spec",
        ),
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
        ("outer", 'POWER):\n    """Doc."""\n', 'POWER):\n    """Doc\n\n    more."""\n\n'),
        ("outer", '"""Studies."""', '"""Other words."""'),
        ("inner", "UNUSED = 4", "UNUSED = 5"),
        ("inner", "value + 9", "value + 7"),
        ("inner", "\n\nclass Base:", "\n\ndef new():\n    return 1\n\n\nclass Base:"),
        ("tools", "value + 10", "value + 11"),
        ("specs", "size: int = 14", "size: int = 15"),
        (
            "outer",
            "helper(spec.size) + inner.other(CONSTANT)",
            "(\n        helper(spec.size)\n        + inner.other(CONSTANT)\n    )",
        ),
        (
            "outer",
            "spec: Spec, power=tools.POWER):",
            "spec: 'Spec', power: float = tools.POWER) -> float:",
        ),
        ("outer", "def study(", "def later_on():\n    return 1\n\n\ndef study("),
        (
            "outer",
            "from pack_under_test.inner import CONSTANT, helper",
            "from pack_under_test.inner import CONSTANT\nfrom pack_under_test.inner import helper",
        ),
        ("outer", "inner.other(CONSTANT)", "inner.other(inner.CONSTANT)"),
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
    "change",
    [
        "inner.unreached = None\n",
        "if True:\n    inner.CONSTANT = 5\n",
        "tools.register(helper)\n",
        "for inner.CONSTANT in (1, 2): pass\n",
    ],
)
def test_statement_that_acts_when_a_module_is_imported_is_reached(version, change):
    assert version() != version("study", "outer", "def decorated", f"{change}\ndef decorated")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total", "amount"),
        ("item", "one"),
        ("each", "entry"),
        ("number", "figure"),
        ("square", "power_of_two"),
        ("nested", "inside"),
        ('"total is {total}"', '"the sum is negative: {total}"'),
        ("total: int = start", "total = start"),
    ],
)
def test_names_of_local_variables_and_texts_of_errors_mean_nothing(version, monkeypatch, old, new):
    before = version("counts")
    edited = OUTER.replace(old, new)
    assert edited != OUTER
    monkeypatch.setitem(FILES, "outer", edited)
    assert version("counts") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("each + 1 for each", "each + 2 for each"),
        ("number**2", "number**3"),
        ("return value + total", "return value + start"),
        ("total += item", "start += item"),
        ("total < 0", "total > 0"),
        ("start: int = 0", "start: int = 1"),
        ("for item in (each", "for total in (each"),
        ("raise ValueError", "raise TypeError"),
    ],
)
def test_what_is_done_with_local_variables_counts(version, old, new):
    assert version("counts") != version("counts", "outer", old, new)


@pytest.mark.parametrize("moved", ["inner", "tools", "specs"])
def test_moved_file_changes_nothing(version, moved):
    assert version() == version(moved=moved)


def test_new_names_of_functions_classes_and_constants_change_nothing(version, monkeypatch):
    before = version()
    for old, new in (
        ("helper", "scaled"),
        ("_below", "_area"),
        ("CONSTANT", "FACTOR"),
        ("Shape", "Form"),
        ("Base", "Ground"),
    ):
        for name in FILES:
            monkeypatch.setitem(FILES, name, FILES[name].replace(old, new))
    assert "scaled" in FILES["outer"]
    assert version() == before


def test_two_swapped_functions_and_two_swapped_methods_change_nothing(version, monkeypatch):
    before = version()
    helper, below = INNER.index("def helper"), INNER.index("def _below")
    after = INNER.index("class Base")
    swapped = INNER[:helper] + INNER[below:after] + INNER[helper:below] + INNER[after:]
    monkeypatch.setitem(FILES, "inner", swapped)
    assert version() == before
    two = (
        "class Base:\n",
        "class Base:\n    def first(self):\n        return 1\n\n    def "
        "second(self):\n        return 2\n\n",
    )
    monkeypatch.setitem(FILES, "inner", swapped.replace(*two))
    one_way = version()
    monkeypatch.setitem(
        FILES,
        "inner",
        FILES["inner"]
        .replace("first", "third")
        .replace("second", "first")
        .replace("third", "second"),
    )
    other_names = version()
    monkeypatch.setitem(
        FILES,
        "inner",
        FILES["inner"]
        .replace("return 1", "return 3")
        .replace("return 2", "return 1")
        .replace("return 3", "return 2"),
    )
    assert version() == one_way != other_names


def test_name_from_a_starred_import_is_followed(version, monkeypatch):
    starred = OUTER.replace(
        "import math\n", "import math\nfrom pack_under_test.tools import *\n"
    ).replace("helper(spec.size) +", "unused(1) +")
    monkeypatch.setitem(FILES, "outer", starred)
    assert version() != version("study", "tools", "value + 10", "value + 11")
    assert version() == version("study", "inner", "UNUSED = 4", "UNUSED = 5")


def test_network_cell_does_not_depend_on_other_studies():
    found = code.reached(
        ("valleys.nets.experiments.sweep:sweep", "valleys.nets.experiments.specs:SweepSpec")
    )
    assert ("valleys.nets.engine.training", "train") in found
    assert ("valleys.nets.experiments.specs", "SweepGrid") not in found
    assert ("valleys.nets.measures.solutions", "project") not in found
    assert "valleys.nets.experiments.continuation" not in {module for module, _ in found}


# The library itself, tidied and changed in a copy.
STUDIES = {
    "network": ("valleys.nets.experiments.sweep:sweep", "valleys.nets.experiments.specs:SweepSpec"),
    "walkers": (
        "valleys.toy.experiments.two_valley:phase_diagram",
        "valleys.toy.experiments.specs:PhaseDiagramSpec",
    ),
    "exact": (
        "valleys.toy.experiments.two_valley:master_map",
        "valleys.toy.experiments.specs:MasterMapSpec",
    ),
}


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the library that may be edited."""
    library = Path(code.__file__).parents[2]
    return Path(
        shutil.copytree(library, tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    )


def digests(library: Path | None = None) -> dict[str, str]:
    code.code_version.cache_clear()
    return {name: code.code_version(roots, library) for name, roots in STUDIES.items()}


def test_formatting_the_library_changes_nothing(copy):
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--quiet", "--config", "line-length=88", copy],
        check=True,
    )
    assert digests(copy) == digests()


def test_reordering_all_definitions_and_dropping_comments_changes_nothing(copy):
    for path in copy.rglob("*.py"):
        tree = ast.parse(path.read_text())
        functions = [
            each
            for each in tree.body
            if isinstance(each, ast.FunctionDef) and not each.decorator_list
        ]
        others = [each for each in tree.body if each not in functions]
        last_import = max(
            (
                index
                for index, each in enumerate(others)
                if isinstance(each, ast.Import | ast.ImportFrom)
            ),
            default=-1,
        )
        tree.body = [*others[: last_import + 1], *reversed(functions), *others[last_import + 1 :]]
        path.write_text(ast.unparse(tree))
    assert digests(copy) == digests()


class _Renamed(ast.NodeTransformer):
    """Every variable of a function without inner scopes gets another name."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        inner = (
            ast.FunctionDef
            | ast.Lambda
            | ast.ListComp
            | ast.SetComp
            | ast.DictComp
            | ast.GeneratorExp
            | ast.Global
        )
        if any(isinstance(each, inner) for statement in node.body for each in ast.walk(statement)):
            return node
        stored = {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in stored - {
                argument.arg for argument in ast.walk(node) if isinstance(argument, ast.arg)
            }:
                each.id = f"renamed_{each.id}"
        return node


def test_renaming_local_variables_of_the_library_changes_nothing(copy):
    for path in copy.rglob("*.py"):
        path.write_text(ast.unparse(_Renamed().visit(ast.parse(path.read_text()))))
    assert "renamed_" in (copy / "valleys" / "nets" / "experiments" / "sweep.py").read_text()
    assert digests(copy) == digests()


def test_constant_of_a_kernel_changes_what_is_computed_with_it_and_nothing_else(copy):
    kernels = copy / "valleys" / "toy" / "simulation" / "kernels.py"
    source = kernels.read_text()
    assert source.count("X_LIMIT = 1e3") == 1
    kernels.write_text(source.replace("X_LIMIT = 1e3", "X_LIMIT = 1e4"))
    changed = {name for name, digest in digests(copy).items() if digest != digests()[name]}
    assert changed == {"walkers"}


def test_imports_for_readers_of_types_alone_mean_nothing(version, monkeypatch):
    before = version()
    typed = (
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from pack_under_test import outer, tools\n"
    )
    monkeypatch.setitem(FILES, "__init__", typed)
    assert version() == before


def test_a_name_that_is_imported_in_a_circle_is_looked_up_once(version, monkeypatch):
    monkeypatch.setitem(FILES, "inner", f"from pack_under_test.inner import lost\n{INNER}")
    monkeypatch.setitem(
        FILES, "outer", OUTER.replace("inner.other(CONSTANT)", "inner.lost(CONSTANT)")
    )
    assert len(version()) == 16
