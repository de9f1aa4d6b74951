"""The digests of the library's own studies, with the library tidied or changed in a copy."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from valleys.paths import book_root
from valleys.results import code

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
    library = book_root() / "lib"
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


def _is_bare_function(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef) and not statement.decorator_list


def test_reordering_all_definitions_and_dropping_comments_changes_nothing(copy):
    for path in copy.rglob("*.py"):
        tree = ast.parse(path.read_text())
        functions = [each for each in tree.body if _is_bare_function(each)]
        others = [each for each in tree.body if each not in functions]
        is_import = [isinstance(each, ast.Import | ast.ImportFrom) for each in others]
        start = len(others) - is_import[::-1].index(True) if any(is_import) else 0
        tree.body = [*others[:start], *reversed(functions), *others[start:]]
        path.write_text(ast.unparse(tree))
    assert digests(copy) == digests()


INNER_SCOPES = (
    ast.FunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Global,
)


class _Renamed(ast.NodeTransformer):
    """Every variable of a function without inner scopes gets another name."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        within = [each for statement in node.body for each in ast.walk(statement)]
        if any(isinstance(each, INNER_SCOPES) for each in within):
            return node
        names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
        stored = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        parameters = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        for each in names:
            if each.id in stored - parameters:
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


def test_network_cell_does_not_depend_on_other_studies():
    found = code.reached(
        ("valleys.nets.experiments.sweep:sweep", "valleys.nets.experiments.specs:SweepSpec")
    )
    assert ("valleys.nets.engine.training", "train") in found
    assert ("valleys.nets.experiments.specs", "SweepGrid") not in found
    assert ("valleys.nets.measures.solutions", "project") not in found
    assert "valleys.nets.experiments.continuation" not in {module for module, _ in found}
