"""The code behind a result: what a study reaches by name, in its own module and in those of this package.

Reached are the functions, classes and constants that a reached definition names, whole. Whatever cannot be followed counts as a whole: a module that is
used as a value, a name that a module does not bind in sight, statements that may act on others when their module is imported, and every module where
code looks names up while it runs.
"""

import ast
import contextlib
import hashlib
import importlib.util
import io
import sys
import time
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = "valleys"
LOOKS_NAMES_UP = {"eval", "exec", "globals", "locals", "vars", "__import__", "__name__"}
FINDS_CODE = {"import_module", "__subclasses__", "__init_subclass__"}
Imports = ast.Import | ast.ImportFrom
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def code_version(roots: tuple[str, ...]) -> str:
    """Hash of the code that the roots reach, less comments, docstrings and blank lines.

    Args:
        roots: a study and the classes of its spec, each as `module:name`.
    """
    digest = hashlib.sha256()
    for module, _, text in sorted(_Reach(roots).found()):
        digest.update(f"{module}\n{text}\n".encode())
    return digest.hexdigest()[:16]


@dataclass
class _Module:
    """The statements of a module, by the names that they bind."""

    name: str
    source: str
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.statements, self.lines = _parsed(self.source).body, _bare_lines(self.source)
        for statement in self.statements:
            for name in _names_bound_by(statement):
                self.bound.setdefault(name, []).append(statement)

    def text(self, statement: ast.stmt) -> str:
        first = min([statement.lineno, *(decorator.lineno for decorator in getattr(statement, "decorator_list", []))])
        return "\n".join(line for line in self.lines[first - 1 : statement.end_lineno] if line)

    def imported(self, statement: Imports) -> Iterator[tuple[str, str, str | None]]:
        """For each name that an import binds: the name, the module that it comes from, and what it is there; None for the module itself."""
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                yield alias.asname or alias.name.split(".")[0], alias.name, None
            else:
                yield alias.asname or alias.name, _absolute(statement, self.name), alias.name


@cache
def _module(name: str, source: str) -> _Module:
    """A module, taken apart once for all studies that reach it."""
    return _Module(name, source)


class _Reach:
    def __init__(self, roots: tuple[str, ...]) -> None:
        pairs = [root.split(":") for root in roots]
        self.modules = {name: _module(name, source) for name, source in _sources_behind({module for module, _ in pairs}).items()}
        self.texts: dict[tuple[str, int, str], None] = {}
        self.visited: set[tuple[str, str | None]] = set()
        self.waiting: list[tuple[str, str | None]] = [(module, name.split(".")[0]) for module, name in pairs]

    def found(self) -> Iterable[tuple[str, int, str]]:
        """Module, line and text of everything reached."""
        for module in self.modules.values():
            for statement in module.statements:
                if self._acts(module, statement):
                    self._take(module, statement)
        while self.waiting:
            wanted = self.waiting.pop()
            if wanted not in self.visited and wanted[0] in self.modules:
                self.visited.add(wanted)
                self._visit(self.modules[wanted[0]], wanted[1])
        return self.texts

    def _visit(self, module: _Module, name: str | None) -> None:
        if name is None:
            for statement in module.statements:
                self._take(module, statement)
        elif name in module.bound:
            for statement in module.bound[name]:
                self._take(module, statement, name)
        else:
            submodule = f"{module.name}.{name}"
            self.waiting.append((submodule if submodule in self.modules else module.name, None))

    def _take(self, module: _Module, statement: ast.stmt, name: str | None = None) -> None:
        """Keep the text of a statement and follow what it names; of an import, what it binds to one name alone if that is given."""
        if not isinstance(statement, Imports):
            self.texts[module.name, statement.lineno, module.text(statement)] = None
            self._follow(module, statement)
            return
        for origin, there in self._note_imports(module, statement, name):
            self.waiting.append((origin, None if there == "*" else there))

    def _note_imports(self, module: _Module, statement: Imports, name: str | None) -> list[tuple[str, str | None]]:
        """Keep what an import binds, to one name alone if that is given, and return where that is."""
        wanted = [(bound, origin, there) for bound, origin, there in module.imported(statement) if name in (None, bound)]
        self.texts |= {(module.name, statement.lineno, f"{bound} is {there} of {origin}"): None for bound, origin, there in wanted}
        return [(origin, there) for _, origin, there in wanted]

    def _follow(self, module: _Module, statement: ast.stmt) -> None:
        members: set[ast.Name] = set()
        for node in _nodes(statement):  # an attribute comes before the name that it belongs to
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (origin := self._module_named(module, node.value.id)):
                members.add(node.value)
                self.waiting.append((origin, node.attr))
                self._note_imports(module, module.bound[node.value.id][0], node.value.id)
            elif isinstance(node, ast.Name) and node.id in module.bound and node not in members:
                self.waiting.append((module.name, node.id))
            elif isinstance(node, Imports):
                self._take(module, node)
            elif isinstance(node, ast.Constant) and node.value in self.modules:
                self.waiting.append((node.value, None))
            if getattr(node, "id", None) in LOOKS_NAMES_UP | FINDS_CODE or {getattr(node, "attr", None), getattr(node, "name", None)} & FINDS_CODE:
                self.waiting += [(each, None) for each in self.modules]

    def _module_named(self, module: _Module, name: str) -> str | None:
        """The module of this package that a name stands for, where one import and nothing else binds it."""
        match module.bound.get(name):
            case [ast.ImportFrom() as statement]:
                places = [f"{origin}.{there}" for bound, origin, there in module.imported(statement) if bound == name and origin in self.modules]
                inside = [place for place in places if place in self.modules and place.rpartition(".")[2] not in self.modules[place.rpartition(".")[0]].bound]
                return inside[0] if inside else None
        return None

    def _acts(self, module: _Module, statement: ast.stmt) -> bool:
        """Whether a statement may change something elsewhere when its module is imported."""
        match statement:
            case ast.Import():
                return False
            case ast.ImportFrom(names=names):
                return any(alias.name == "*" for alias in names)
            case ast.Expr(value=ast.Constant()):
                return False
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Assign() | ast.AnnAssign():
                targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", ast.Name("", ast.Store()))]
                plain = all(isinstance(node, ast.Name | ast.Tuple) for node in targets)
                return not plain or any(self._is_own(module, name) for name in _names_called_at_import(statement))
        return True

    def _is_own(self, module: _Module, name: str) -> bool:
        statements = module.bound.get(name, [])
        foreign = [
            isinstance(one, Imports) and not any(origin in self.modules for bound, origin, _ in module.imported(one) if bound == name) for one in statements
        ]
        return not all(foreign)


def _names_called_at_import(node: ast.AST) -> Iterator[str]:
    """Names in decorators, metaclasses and called functions, outside the bodies of functions."""
    if isinstance(node, Definition):
        outside = [inner for part in [*node.decorator_list, *getattr(node, "keywords", [])] for inner in ast.walk(part)]
        unpacked = [inner.value for inner in outside if isinstance(inner, ast.keyword) and inner.arg is None]  # **SETTINGS is data
        yield from (inner.id for inner in outside if isinstance(inner, ast.Name) and inner not in unpacked)
    if isinstance(node, ast.Call):
        yield from (inner.id for inner in ast.walk(node.func) if isinstance(inner, ast.Name))
    if isinstance(node, ast.Lambda):
        return
    parts = [node.args] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ast.iter_child_nodes(node)
    for part in parts:
        yield from _names_called_at_import(part)


def _names_bound_by(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds there; for a compound statement also those that it binds further inside."""
    if isinstance(statement, Definition):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, Definition | ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, Imports):
            yield from (alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name) for alias in node.names)


def _sources_behind(names: set[str]) -> dict[str, str]:
    """Source by name, of these modules and of every module of this package that they import, directly or not."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        origin = None if name in found else _source_file(name)
        if origin is None:
            continue
        found[name] = origin.read_text(encoding="utf-8")
        waiting += [imported for imported in _imports(found[name], name) if imported.split(".")[0] == PACKAGE]
    return found


def _source_file(module_name: str) -> Path | None:
    loaded = sys.modules.get(module_name)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(loaded.__file__)
    try:
        found = importlib.util.find_spec(module_name)
    except ModuleNotFoundError:  # `from package.module import name`: the name is no module
        return None
    return Path(found.origin) if found and found.origin and found.has_location else None


@cache
def _nodes(statement: ast.stmt) -> tuple[ast.AST, ...]:
    """A statement and what stands in it; several studies look at each."""
    return tuple(ast.walk(statement))


@cache
def _imports(source: str, name: str) -> tuple[str, ...]:
    """Modules that a source imports or may import, with the packages that they lie in."""
    return tuple(dict.fromkeys(_each_import(source, name)))


def _each_import(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dotted = [f"{_absolute(node, name)}.{alias.name}" for alias in node.names if alias.name != "*"] + [_absolute(node, name)]
        else:
            continue
        for one in dotted:
            parts = one.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _absolute(statement: ast.ImportFrom, name: str) -> str:
    if not statement.level:
        return statement.module or ""
    path = _source_file(name)
    parts = name.split(".") if path is not None and path.name == "__init__.py" else name.split(".")[:-1]
    return ".".join([*parts[: len(parts) - statement.level + 1], *([statement.module] if statement.module else [])])


@cache
def _parsed(source: str) -> ast.Module:
    for attempt in range(5):
        with contextlib.suppress(SystemError):  # in CPython 3.11, where another thread parses at the same moment
            return ast.parse(source)
        time.sleep(0.01 * attempt)
    return ast.parse(source)


def _bare_lines(source: str) -> list[str]:
    """The lines of a source, comments and docstrings taken out, the same for every Python version."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Module | Definition) and ast.get_docstring(node) is not None:
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            if not lines[first - 1][: node.body[0].col_offset].strip():
                lines[first - 1 : last] = [""] * (last - first + 1)
    return [line.rstrip() for line in lines]
