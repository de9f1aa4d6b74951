"""Studies and classes of specs, looked for by name without importing them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from valleys.results.code import sources
from valleys.results.code.bindings import parameters
from valleys.results.code.modules import Binding, Modules
from valleys.results.code.normal_form import Writer, unquoted


@cache
def kind_of_spec(place: str, library: Path | None = None) -> str | None:
    """The class of the spec that a study, `module:name`, is annotated with, as `module:name`;
    None where there is no such study or class.
    """
    study = Binding.at(place)
    modules = Modules((study.module,), library)
    functions = [each for each in modules.statements(study) if isinstance(each, ast.FunctionDef)]
    annotation = next(filter(None, map(_first_annotation, functions)), None)
    if annotation is None:
        return None
    kind = Writer(modules, modules.by_name[study.module]).one(annotation)
    return f"{kind.module}:{kind.name}" if isinstance(kind, Binding) else None


def class_at(place: str, library: Path | None = None) -> bool:
    """Whether a place, `module:name`, is a class."""
    binding = Binding.at(place)
    statements = Modules((binding.module,), library).statements(binding)
    return any(isinstance(each, ast.ClassDef) for each in statements)


def classes(library: Path | None = None, name: str = "") -> list[str]:
    """Classes of this package with a name, each as `module:name`."""
    return [
        f"{module}:{each.name}"
        for module, each in _definitions(library, f"class {name}")
        if isinstance(each, ast.ClassDef) and each.name == name
    ]


def studies(library: Path | None = None, name: str = "") -> list[str]:
    """Functions of one `spec` in this package, each as `module:name`; only those of a name if
    one is given.
    """
    return [
        f"{module}:{each.name}"
        for module, each in _definitions(library, f"def {name}")
        if isinstance(each, ast.FunctionDef) and _is_study(each) and name in ("", each.name)
    ]


def _definitions(library: Path | None, sign: str) -> Iterator[tuple[str, ast.stmt]]:
    """Statements of all modules of this package that hold a text, with the name of the module."""
    home = sources.source_file(sources.PACKAGE, library)
    if home is None:
        return
    for path in sorted(home.parent.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if sign in text:  # reading is fast, parsing is not
            parts = [sources.PACKAGE, *path.relative_to(home.parent).with_suffix("").parts]
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield from ((module, each) for each in sources.parsed(text).body)


def _is_study(function: ast.FunctionDef) -> bool:
    """Whether a function is public and takes nothing but a `spec` of a kind that it names."""
    names = [each.arg for each in parameters(function.args)]
    is_public = not function.name.startswith("_")
    return is_public and names == ["spec"] and _first_annotation(function) is not None


def _first_annotation(function: ast.FunctionDef) -> ast.expr | None:
    """What a function says of its first parameter, read if it is quoted."""
    annotation = next((each.annotation for each in parameters(function.args)), None)
    return unquoted(annotation) if annotation else None
