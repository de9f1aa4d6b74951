"""The digest of the code behind a study changes with what the study computes, and with nothing
else.
"""

from itertools import count

import pytest

from tests.results import small_package
from tests.results.small_package import INNER, edited
from valleys.results import code
from valleys.results.code import sources

numbers = count()


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A function that gives the digest behind a study of the small package, with some files
    edited or one moved.
    """
    monkeypatch.setattr(sources, "PACKAGE", small_package.NAME)

    def digest(study: str = "study", moved: str = "", **files: str) -> str:
        library = tmp_path / str(next(numbers))
        return small_package.digest(library, study, files, moved)

    yield digest
    code.code_version.cache_clear()


REACHED = [
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
]
# by study: what cannot be followed counts as a whole, and what is done with local variables counts
REACHED_BY = [
    ("later", "outer", "return 11", "return 12"),
    ("later", "outer", "return cache(function)", "return function"),
    ("imports_inside", "tools", "value + 10", "value + 11"),
    ("dynamic", "tools", "value + 10", "value + 11"),
    ("looks_up", "inner", "value + 9", "value + 10"),
    ("uses_registry", "tools", "return 13", "return 14"),
    ("uses_registry", "tools", "REGISTRY[function.__qualname__] = function", "pass"),
    ("counts", "outer", "each + 1 for each", "each + 2 for each"),
    ("counts", "outer", "number**2", "number**3"),
    ("counts", "outer", "return value + total", "return value + start"),
    ("counts", "outer", "total += item", "start += item"),
    ("counts", "outer", "total < 0", "total > 0"),
    ("counts", "outer", "start: int = 0", "start: int = 1"),
    ("counts", "outer", "for item in (each", "for total in (each"),
    ("counts", "outer", "raise ValueError(f", "raise TypeError(f"),
    ("counts", "outer", "start < 99", "start < 98"),
    ("counts", "outer", "if not holds", "if holds"),
]
UNREACHED = [
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
]


@pytest.mark.parametrize(
    ("study", "module", "old", "new"), [*(("study", *each) for each in REACHED), *REACHED_BY]
)
def test_edit_of_what_a_study_reaches_changes_its_digest(version, study, module, old, new):
    assert version(study) != version(study, **edited(module, (old, new)))


@pytest.mark.parametrize(("module", "old", "new"), UNREACHED)
def test_edit_of_anything_else_does_not(version, module, old, new):
    assert version() == version(**edited(module, (old, new)))


def test_what_a_module_says_of_itself_means_nothing_where_all_of_it_counts(version):
    assert version("dynamic") != version("dynamic", **edited("tools", ("POWER = 2", "POWER = 3")))
    for text in ('"""Other words."""\n', "import os\n"):
        told = edited("tools", ("POWER = 2", f"{text}POWER = 2"))
        assert (version("dynamic") == version("dynamic", **told)) is text.startswith('"')


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
    acting = edited("outer", ("def decorated", f"{change}\ndef decorated"))
    assert version() != version(**acting)


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
        ('f"start is {start}"', 'f"begin below 99, not at {spec.size + start}"'),
        ("total: int = start", "total = start"),
    ],
)
def test_names_of_local_variables_and_texts_of_errors_mean_nothing(version, old, new):
    assert version("counts") == version("counts", **edited("outer", (old, new)))


@pytest.mark.parametrize("moved", ["inner", "tools", "specs"])
def test_moved_file_changes_nothing(version, moved):
    assert version() == version(moved=moved)


RENAMED = {
    "inner": [("Shape", "Form"), ("Base", "Ground"), ("_below", "_area")],
    "outer": [],
}
BOTH = [("helper", "scaled"), ("CONSTANT", "FACTOR")]


def test_new_names_of_functions_classes_and_constants_change_nothing(version):
    files = {}
    for module, changes in RENAMED.items():
        files |= edited(module, *changes, *BOTH)
    assert "scaled" in files["outer"]
    assert version() == version(**files)


def test_two_swapped_functions_change_nothing(version):
    helper, below = INNER.index("def helper"), INNER.index("def _below")
    after = INNER.index("class Base")
    swapped = INNER[:helper] + INNER[below:after] + INNER[helper:below] + INNER[after:]
    assert version(inner=swapped) == version()


METHODS = """class Base:
    def {}(self):
        return {}

    def {}(self):
        return {}

"""


def test_two_swapped_methods_change_nothing(version):
    digests = [
        version(**edited("inner", ("class Base:\n", METHODS.format(*methods))))
        for methods in (
            ("first", 1, "second", 2),
            ("second", 2, "first", 1),
            ("first", 2, "second", 1),
        )
    ]
    assert digests[0] == digests[1] != digests[2]


STARRED = edited(
    "outer",
    ("import math\n", "import math\nfrom pack_under_test.tools import *\n"),
    ("helper(spec.size) +", "unused(1) +"),
)


@pytest.mark.parametrize(
    ("module", "old", "new", "is_reached"),
    [("tools", "value + 10", "value + 11", True), ("inner", "UNUSED = 4", "UNUSED = 5", False)],
)
def test_name_from_a_starred_import_is_followed(version, module, old, new, is_reached):
    changed = version(**STARRED, **edited(module, (old, new)))
    assert (version(**STARRED) != changed) == is_reached


def test_imports_for_readers_of_types_alone_mean_nothing(version):
    typed = "if TYPE_CHECKING:\n    from pack_under_test import outer, tools\n"
    assert version(__init__=f"TYPE_CHECKING = False\n{typed}") == version()


def test_module_that_its_package_imports_from_itself_is_followed(version):
    package = {"__init__": "from pack_under_test import tools\n"}
    assert version(**package) != version(**package, **edited("tools", ("POWER = 2", "POWER = 3")))


@pytest.mark.parametrize(
    ("names", "means_nothing"), [("__getattr__, __dir__", True), ("here, there", False)]
)
def test_how_a_module_hands_out_other_names_means_nothing(version, names, means_nothing):
    package = f"from pack_under_test import tools\n{names} = tools.register(len), dir\n"
    same = version("uses_registry", __init__=package) == version("uses_registry")
    assert same == means_nothing


def test_a_name_that_is_imported_in_a_circle_is_looked_up_once(version):
    inner = f"from pack_under_test.inner import lost\n{INNER}"
    outer = edited("outer", ("inner.other(CONSTANT)", "inner.lost(CONSTANT)"))
    assert len(version(inner=inner, **outer)) == 16
