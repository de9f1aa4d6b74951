"""What statements mean, as tokens: their syntax trees without what means nothing.

Local variables are numbered as they come up, and what a module of this package binds is a
`Binding`, which gets its number later, when it is known what else is reached.
"""

import ast
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from valleys.results.code import bindings, effects
from valleys.results.code.bindings import Comprehension, Function
from valleys.results.code.modules import Binding, Module, Modules
from valleys.results.code.sources import Imports

NOT_MEANT = frozenset({"ctx", "type_comment", "kind", "type_ignores", "lineno", "col_offset"})
REFUSES = "require"  # function of this package that raises an error with a message
Token = str | Binding


@dataclass
class Scope:
    """The names of a function, a lambda, a comprehension or a class."""

    names: dict[str, Token | None]  # None until a number is given
    depth: int
    is_class: bool = False
    given: int = field(default=0, init=False)

    def token(self, name: str) -> Token:
        """What stands for a name; locals are numbered as they come up."""
        token = self.names[name]
        if token is None:
            self.given += 1
            token = self.names[name] = f"~{self.depth}.{self.given}"
        return token


class Writer:
    """The tokens of statements of a module.

    A node of a kind that has a method of its own here, such as `_Name`, is written by it; of any
    other each part is.
    """

    def __init__(self, modules: Modules, module: Module, *, is_module: bool = False) -> None:
        """Write statements of a module, or all of it, where names that it imports count."""
        self.modules, self.module, self.is_module = modules, module, is_module
        self.scopes: list[Scope] = []

    def tokens(self, statements: Sequence[ast.stmt]) -> Iterator[Token]:
        """Those of statements, in order; where one looks names up while it runs, all modules
        come with it.
        """
        for statement in statements:
            yield from self.node(statement)
            if effects.looks_names_up(statement):
                yield from (Binding(name) for name in sorted(self.modules.by_name))

    def one(self, name: ast.expr) -> Token | None:
        """The token of a name, with or without dots; None for anything else."""
        tokens = list(self.node(name))
        return tokens[0] if len(tokens) == 1 else None

    def node(self, node: ast.AST) -> Iterator[Token]:
        """Those of one node and of what it holds."""
        write = getattr(self, f"_{type(node).__name__}", self._parts)
        yield from write(node)

    def _parts(self, node: ast.AST, **instead: object) -> Iterator[Token]:
        """The kind of a node, then each part that means something."""
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            value = instead.get(name, value)
            if name not in NOT_MEANT and value not in (None, []):
                yield f"{name}="
                yield from self._value(value)
        yield ")"

    def _value(self, value: object) -> Iterator[Token]:
        if isinstance(value, ast.AST):
            yield from self.node(value)
        elif isinstance(value, list):
            for item in value:
                yield from self._value(item)
        else:
            yield value if isinstance(value, Binding) else repr(value)

    # Names

    def _Name(self, node: ast.Name) -> Iterator[Token]:
        yield self._named(node.id)

    def _named(self, name: str) -> Token:
        """The token of a name: a local, something of this package, something of another one, or
        what is built in.
        """
        for scope in reversed(self.scopes):
            if name in scope.names and not (scope.is_class and scope is not self.scopes[-1]):
                return scope.token(name)
        binding = self.modules.meaning(Binding(self.module.name, name))
        if binding is not None:
            return binding
        outside = self.modules.outside(self.module, name)
        return f"{name}: {outside}" if self.is_module and name in self.module.bound else outside

    def _Attribute(self, node: ast.Attribute) -> Iterator[Token]:
        """`module.name` is what the module binds to the name; any other attribute is called by
        its name.
        """
        token = self._dotted(node)
        yield from self._parts(node) if token is None else [token]

    def _dotted(self, node: ast.expr) -> Token | None:
        """What a name with dots stands for, where it begins with a module; None where it does
        not.
        """
        if isinstance(node, ast.Name):
            token = self._named(node.id)
            is_module = isinstance(token, Binding) and not token.name
            return token if is_module or self._is_foreign(node.id, token) else None
        base = self._dotted(node.value) if isinstance(node, ast.Attribute) else None
        if base is None or not isinstance(node, ast.Attribute):
            return None
        if isinstance(base, str):
            return f"{base}.{node.attr}"
        return None if base.name else self.modules.meaning(Binding(base.module, node.attr))

    def _is_foreign(self, name: str, token: Token) -> bool:
        """Whether a name is bound by an import from elsewhere."""
        if isinstance(token, Binding) or token.startswith(("~", "parameter:", "attribute:")):
            return False
        is_local = any(name in scope.names for scope in self.scopes)
        return is_local or self.module.is_only_imported(name)

    def _Constant(self, node: ast.Constant) -> Iterator[Token]:
        """A text that names a module of this package stands for the module, which may be
        imported by it.
        """
        is_module = isinstance(node.value, str) and node.value in self.modules.by_name
        yield Binding(str(node.value)) if is_module else repr(node.value)

    def _Import(self, node: Imports) -> Iterator[Token]:
        """Within a compound statement of a module: what is bound."""
        for name, binding in () if self.scopes else self.module.imports(node):
            yield f"(import {name}"
            yield self.modules.meaning(binding) or f"{binding.module}.{binding.name}"
            yield ")"

    _ImportFrom = _Import

    def _Call(self, node: ast.Call) -> Iterator[Token]:
        """A call; of `require(condition, message)` the message is not meant, as in `raise`."""
        token = self._named(node.func.id) if isinstance(node.func, ast.Name) else None
        refuses = isinstance(token, Binding) and token.name == REFUSES
        yield from self._parts(node, **({"args": node.args[:1]} if refuses else {}))

    # Definitions

    def _FunctionDef(self, node: Function) -> Iterator[Token]:
        yield f"({type(node).__name__}"
        yield self._named(node.name)
        for decorator in node.decorator_list:
            yield from self.node(decorator)
        body = without_texts(node.body)
        by_name = [*node.args.args, *node.args.kwonlyargs]
        yield from self._function(node.args, body, by_name if body else node.args.kwonlyargs)
        yield ")"

    _AsyncFunctionDef = _FunctionDef

    def _Lambda(self, node: ast.Lambda) -> Iterator[Token]:
        yield "(Lambda"
        yield from self._function(node.args, [node.body], node.args.kwonlyargs)
        yield ")"

    def _function(
        self, arguments: ast.arguments, body: Sequence[ast.AST], by_name: Sequence[ast.arg]
    ) -> Iterator[Token]:
        """Defaults, in the scope around it, then parameters and body in its own; only some
        parameters are called by their names.
        """
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            yield from self.node(default) if default else ["-"]
        parameters = (each.arg for each in bindings.parameters(arguments))
        names: dict[str, Token | None] = dict.fromkeys([*bindings.of_scope(body), *parameters])
        names |= {each.arg: f"parameter:{each.arg}" for each in by_name}
        names |= {
            name: self.modules.meaning(binding) or binding.dotted
            for each in bindings.imports_of_scope(body)
            for name, binding in self.module.imports(each)
        }
        with self._inside(Scope(names, len(self.scopes))):
            yield from self._signature(arguments)
            yield from self._value([*body])

    @contextlib.contextmanager
    def _inside(self, scope: Scope) -> Iterator[None]:
        self.scopes.append(scope)
        yield
        self.scopes.pop()

    def _signature(self, arguments: ast.arguments) -> Iterator[Token]:
        """Parameters by kind; their annotations are not meant."""
        kinds = {
            "/": arguments.posonlyargs,
            "=": arguments.args,
            "*": [arguments.vararg],
            "k": arguments.kwonlyargs,
            "**": [arguments.kwarg],
        }
        for kind, parameters in kinds.items():
            for each in filter(None, parameters):
                yield kind
                yield self._named(each.arg)

    def _ClassDef(self, node: ast.ClassDef) -> Iterator[Token]:
        """Fields in their order, then methods by name: their order does not matter."""
        yield "(ClassDef"
        yield self._named(node.name)
        for outer in [*node.decorator_list, *node.bases, *node.keywords]:
            yield from self.node(outer)
        body = without_texts(node.body)
        fields = [each for each in body if not isinstance(each, Function)]
        methods = [each for each in body if isinstance(each, Function)]
        names: dict[str, Token | None] = {
            name: f"attribute:{name}" for name in bindings.of_scope(body)
        }
        with self._inside(Scope(names, len(self.scopes), is_class=True)):
            yield from self._value([*fields, *sorted(methods, key=lambda each: each.name)])
        yield ")"

    def _AnnAssign(self, node: ast.AnnAssign) -> Iterator[Token]:
        """In a class an annotation makes a field; elsewhere it means nothing."""
        if self.scopes and self.scopes[-1].is_class:
            yield from self._parts(node, annotation=unquoted(node.annotation))
        elif node.value is not None:
            yield from self.node(ast.Assign([node.target], node.value))

    def _any_comprehension(self, node: Comprehension) -> Iterator[Token]:
        """A comprehension, its variables numbered; what it runs over first is looked up around
        it.
        """
        yield f"({type(node).__name__}"
        first, *others = node.generators
        yield from self.node(first.iter)
        names = dict.fromkeys(bindings.of_comprehension(node.generators))
        with self._inside(Scope(names, len(self.scopes))):
            yield from self._parts(first, iter=None)
            for each in others:
                yield from self.node(each)
            for part in ("elt", "key", "value"):
                yield from self._value(getattr(node, part, []))
        yield ")"

    _ListComp = _SetComp = _DictComp = _GeneratorExp = _any_comprehension

    # Statements

    def _Raise(self, node: ast.Raise) -> Iterator[Token]:
        """What kind of error; its text and its cause are not meant."""
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        yield from self._parts(node, exc=kind, cause=None)

    def _Assert(self, node: ast.Assert) -> Iterator[Token]:
        yield from self._parts(node, msg=None)

    def _Global(self, node: ast.Global | ast.Nonlocal) -> Iterator[Token]:
        yield from (self._named(name) for name in node.names)

    _Nonlocal = _Global

    def _binding_by_name(
        self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar
    ) -> Iterator[Token]:
        yield from self._parts(node, name=self._named(node.name) if node.name else None)

    _ExceptHandler = _MatchAs = _MatchStar = _binding_by_name

    def _MatchMapping(self, node: ast.MatchMapping) -> Iterator[Token]:
        yield from self._parts(node, rest=self._named(node.rest) if node.rest else None)


def unquoted(annotation: ast.expr) -> ast.expr:
    """What an annotation says, read if it is quoted."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def without_texts(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements without docstrings and other bare constants."""
    return [each for each in body if not _is_constant(each)]


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
