"""The source of modules, found and parsed without importing any, and what it imports."""

import ast
import contextlib
import importlib.util
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "valleys"  # what is followed; of other packages only names count
ATTEMPTS = 5  # to parse a source
Imports = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Source:
    """The text of a module, and what its relative imports start from."""

    module: str
    text: str
    is_package: bool

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The module that an import names, written out."""
        if not statement.level:
            return statement.module or ""
        parts = self.module.split(".")
        above = len(parts) - statement.level + self.is_package
        return ".".join([*parts[:above], *([statement.module] if statement.module else [])])


def sources_behind(modules: tuple[str, ...], library: Path | None) -> dict[str, Source]:
    """These modules and all of this package that they import, directly or not.

    Args:
        modules: their names.
        library: folder in which the package lies; that of this process if None.
    """
    read: dict[str, Source] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = None if name in read else source_file(name, library)
        if path is not None:
            text = path.read_text(encoding="utf-8")
            read[name] = Source(name, text, path.name == "__init__.py")
            waiting += (each for each in _imports(read[name]) if each.split(".")[0] == PACKAGE)
    return read


def source_file(module: str, library: Path | None) -> Path | None:
    """The file of a module; None where there is none."""
    top, *inner = module.split(".")
    home = library / top / "__init__.py" if library and top == PACKAGE else _home(top)
    if not inner or home is None or home.name != "__init__.py":
        return None if inner else home
    path = home.parent.joinpath(*inner)
    candidates = path / "__init__.py", path.with_suffix(".py")
    return next((each for each in candidates if each.is_file()), None)


def _home(top: str) -> Path | None:
    """The file of a module that lies in no package, or that of a package itself."""
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if loaded:
        return Path(loaded)
    spec = importlib.util.find_spec(top)
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


@cache
def _imports(source: Source) -> tuple[str, ...]:
    """Modules that a source imports or may import, with the packages that they lie in."""
    every: dict[str, None] = {}
    for name in _imported_names(source):
        parts = name.split(".")
        every |= dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return tuple(every)


def _imported_names(source: Source) -> Iterator[str]:
    """Names with dots that the imports of a module hold; any may be a module."""
    for node in ast.walk(parsed(source.text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = source.absolute(node)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names if alias.name != "*")


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a module, without what is there for readers of types alone."""
    tree = _tree(text)
    tree.body = [each for each in tree.body if not _is_for_types(each)]
    return tree


def _is_for_types(statement: ast.stmt) -> bool:
    """Whether a statement is `if TYPE_CHECKING:` without an `else`."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return getattr(statement.test, "id", getattr(statement.test, "attr", "")) == "TYPE_CHECKING"


def _tree(text: str) -> ast.Module:
    for attempt in range(ATTEMPTS):
        # in CPython 3.11, where another thread parses at the same moment
        with contextlib.suppress(SystemError):
            return ast.parse(text)
        time.sleep(0.01 * attempt)
    return ast.parse(text)
