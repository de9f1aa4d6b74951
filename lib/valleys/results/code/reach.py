"""What is reached from some places by name, and what acts on it while modules are imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from valleys.results.code import effects
from valleys.results.code.bindings import Definition
from valleys.results.code.modules import Binding, Module, Modules
from valleys.results.code.normal_form import Token, Writer, without_texts


@dataclass(frozen=True)
class Trace:
    """What is reached from some places, in the order in which it is named, and its text."""

    bindings: tuple[Binding, ...]
    text: str


@dataclass(frozen=True)
class Effect:
    """A statement that acts when its module is imported: what it reaches, and whether it may act
    on anything, or only on what it reaches.
    """

    trace: Trace
    is_unbounded: bool


def traces(roots: list[Binding], library: Path | None) -> list[Trace]:
    """What the roots reach, then each statement that acts on it, or on anything, when its module
    is imported.

    Args:
        roots: where to begin, in order.
        library: folder in which the package lies; that of this process if None.
    """
    modules = tuple({root.module for root in roots})
    return Reach(Modules(modules, library)).traces(roots)


class Reach:
    """What definitions of some modules reach, each written once."""

    def __init__(self, modules: Modules) -> None:
        """Look among these modules."""
        self.modules = modules
        self.written: dict[Binding, tuple[Token, ...]] = {}

    def traces(self, roots: list[Binding]) -> list[Trace]:
        """As the function of this name."""
        reached = [self.trace(roots)]
        waiting = list(self._effects())
        while chosen := [
            each for each in waiting if each.is_unbounded or self._changes(each.trace, reached)
        ]:
            waiting = [each for each in waiting if each not in chosen]
            reached += [each.trace for each in chosen]
        return reached

    def trace(self, roots: list[Binding], start: tuple[Token, ...] = ()) -> Trace:
        """What is reached from these places, or from the tokens of a statement."""
        numbers: dict[Binding, int] = {}
        texts = [_numbered(start, numbers)] if start else []
        for root in roots:
            numbers.setdefault(self.modules.meaning(root) or root, len(numbers))
        done = 0
        while done < len(numbers):
            binding = list(numbers)[done]
            texts.append(_numbered(self._tokens(binding), numbers))
            done += 1
        return Trace(tuple(numbers), "\n".join(texts))

    def _tokens(self, binding: Binding) -> tuple[Token, ...]:
        if binding not in self.written:
            module = self.modules.by_name[binding.module]
            is_module = not binding.name
            found = module.statements if is_module else module.bound[binding.name]
            writer = Writer(self.modules, module, is_module=is_module)
            self.written[binding] = tuple(writer.tokens(without_texts(found)))
        return self.written[binding]

    def _effects(self) -> Iterator[Effect]:
        for module in self.modules.by_name.values():
            for statement in module.statements:
                is_unbounded = effects.acts(statement)
                if is_unbounded or self._calls_own(module, statement):
                    tokens = tuple(Writer(self.modules, module).tokens([statement]))
                    yield Effect(self.trace([], tokens), is_unbounded)

    def _calls_own(self, module: Module, statement: ast.stmt) -> bool:
        """Whether a statement calls something of this package when its module is imported."""
        if effects.only_hands_out(statement):
            return False
        names = effects.called_at_import(statement)
        return any(self.modules.meaning(Binding(module.name, name)) for name in names)

    def _changes(self, trace: Trace, others: list[Trace]) -> bool:
        """Whether what a statement reaches may change a variable that others reach."""
        known = {binding for other in others for binding in other.bindings}
        return any(
            variable in known
            for binding in trace.bindings
            for variable in self._changed_in(binding)
        )

    def _changed_in(self, binding: Binding) -> Iterator[Binding]:
        """Variables of modules of which a definition sets or deletes a part, or calls a method."""
        for statement in self.modules.statements(binding):
            for name in filter(None, map(effects.changed_by, ast.walk(statement))):
                variable = self.modules.meaning(Binding(binding.module, name))
                if variable and variable.name and self._is_variable(variable):
                    yield variable

    def _is_variable(self, binding: Binding) -> bool:
        statements = self.modules.statements(binding)
        return not all(isinstance(each, Definition) for each in statements)


def _numbered(tokens: tuple[Token, ...], numbers: dict[Binding, int]) -> str:
    """A text in which each binding is called by its number; a new one gets the next."""
    return " ".join(
        token if isinstance(token, str) else f"#{numbers.setdefault(token, len(numbers))}"
        for token in tokens
    )
