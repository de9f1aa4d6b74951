"""What a name in a module stands for, followed through the imports of this package."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from valleys.results.code import bindings
from valleys.results.code.sources import Imports, Source, parsed, sources_behind


@dataclass(frozen=True)
class Binding:
    """What a module binds to a name; all of the module where the name is empty."""

    module: str
    name: str = ""

    @classmethod
    def at(cls, place: str) -> "Binding":
        """That of a place `module:name`."""
        module, _, name = place.partition(":")
        return cls(module, name)

    @property
    def dotted(self) -> str:
        """How other modules would call it: `numpy.linalg`."""
        return f"{self.module}.{self.name}".rstrip(".")


class Module:
    """The statements of a module, by the names that they bind."""

    def __init__(self, source: Source) -> None:
        """Take a source apart."""
        self.source, self.name = source, source.module
        self.statements = parsed(source.text).body
        self.bound: dict[str, list[ast.stmt]] = {}
        for statement in self.statements:
            for name in bindings.of_statement(statement):
                self.bound.setdefault(name, []).append(statement)

    def imports(self, statement: Imports) -> Iterator[tuple[str, Binding]]:
        """For each name that an import binds: the name, and what it stands for."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                origin = self.source.absolute(statement)
                yield alias.asname or alias.name, Binding(origin, alias.name)
            else:
                top = alias.name.split(".")[0]
                yield alias.asname or top, Binding(alias.name if alias.asname else top)

    def imported(self, name: str) -> Binding | None:
        """What the last import of a name stands for; None where it is bound by none."""
        imports = [each for each in self.bound.get(name, []) if isinstance(each, Imports)]
        return dict(self.imports(imports[-1]))[name] if imports else None

    def is_only_imported(self, name: str) -> bool:
        """Whether a name is bound, and by imports alone."""
        statements = self.bound.get(name, [])
        return bool(statements) and all(isinstance(each, Imports) for each in statements)

    def starred(self) -> list[str]:
        """Modules of which all names are imported."""
        imports = [each for each in self.statements if isinstance(each, ast.ImportFrom)]
        return [self.source.absolute(each) for each in imports if each.names[0].name == "*"]


@cache
def _module(source: Source) -> Module:
    """A module, taken apart once for all studies that reach it."""
    return Module(source)


class Modules:
    """The modules of this package that stand behind some of them."""

    def __init__(self, roots: tuple[str, ...], library: Path | None) -> None:
        """Read these modules and what they import; as `sources_behind`."""
        sources = sources_behind(roots, library)
        self.by_name = {name: _module(source) for name, source in sources.items()}

    def statements(self, binding: Binding) -> list[ast.stmt]:
        """Those that bind it; none where nothing does."""
        module = self.by_name.get(binding.module)
        return module.bound.get(binding.name, []) if module else []

    def meaning(self, binding: Binding) -> Binding | None:
        """Where in this package a name is defined, however often it is handed on; None for what
        is not of this package.
        """
        for _ in range(len(self.by_name) + 1):
            module = self.by_name.get(binding.module)
            if module is None:
                return None
            if not binding.name:
                return binding
            further = module.imported(binding.name)
            if binding.name not in module.bound or further == binding:
                return self._unbound(module, binding.name)
            if further is None or not module.is_only_imported(binding.name):
                return binding
            binding = further
        return None

    def _unbound(self, module: Module, name: str) -> Binding | None:
        """A module inside a package, also one that the package imports from itself, or what
        `from … import *` may bind.
        """
        if f"{module.name}.{name}" in self.by_name:
            return Binding(f"{module.name}.{name}")
        starred = (self.meaning(Binding(origin, name)) for origin in module.starred())
        return next(filter(None, starred), None)

    def outside(self, module: Module, name: str) -> str:
        """What a name of a module that is not of this package is called: `numpy.linalg`, or the
        name itself where it is built in.
        """
        binding, seen = Binding(module.name, name), set[Binding]()
        while binding.module in self.by_name and binding not in seen:
            seen.add(binding)
            further = self.by_name[binding.module].imported(binding.name)
            if further is None:
                return name
            binding = further
        return binding.dotted
