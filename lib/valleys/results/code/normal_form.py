"""The code behind a result, as a digest of what it computes.

Reached are the functions, classes and constants that a reached definition names, whole, in its own
module and in those of this package. Of each, only its meaning counts: the syntax tree without
docstrings, without annotations of functions and without the texts of errors, its local variables
numbered. What a module binds is called by the order in which it is reached. So layout, comments,
names of files, of functions and of local variables, and the order of definitions do not matter.

Whatever cannot be followed counts as a whole: a module that is used as a value, and every module
where code looks names up while it runs. Statements that may act on others when their module is
imported count too.
"""

import ast
import contextlib
import hashlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = "valleys"
LOOKS_NAMES_UP = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__", "__name__"})
FINDS_CODE = frozenset({"import_module", "__subclasses__", "__init_subclass__"})
NOT_MEANT = frozenset({"ctx", "type_comment", "kind", "type_ignores", "lineno", "col_offset"})
Imports = ast.Import | ast.ImportFrom
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class Place:
    """What a module binds to a name; all of the module where the name is empty."""

    module: str
    name: str = ""


Token = str | Place
# what a name stands for in a scope: a token of its own, or what a local import binds
Local = str | Place


@cache
def code_version(roots: tuple[str, ...], library: Path | None = None) -> str:
    """Digest of what the code behind a study computes, 16 hexadecimal digits.

    Args:
        roots: a study and the class of its spec, each as `module:name`.
        library: folder in which the package lies, such as `lib` of another checkout; the package of
            this process if None.
    """
    texts = [part.text for part in _behind(roots, library)]
    return hashlib.sha256("\n\n".join([texts[0], *sorted(texts[1:])]).encode()).hexdigest()[:16]


def reached(roots: tuple[str, ...], library: Path | None = None) -> set[tuple[str, str]]:
    """Module and name of all that stands behind the digest of `roots`; the name is empty where a
    module counts as a whole.
    """
    return {(place.module, place.name) for part in _behind(roots, library) for place in part.places}


@cache
def kind_of_spec(place: str, library: Path | None = None) -> str | None:
    """The class of the spec that a study, `module:name`, is annotated with, as `module:name`;
    None where there is no such study or class.
    """
    module, _, name = place.partition(":")
    package = _Package((module,), library)
    statements = package.modules[module].bound.get(name, []) if module in package.modules else []
    for statement in statements:
        if isinstance(statement, ast.FunctionDef) and (annotation := _first_annotation(statement)):
            token = _Writer(package, package.modules[module]).one(annotation)
            return f"{token.module}:{token.name}" if isinstance(token, Place) else None
    return None


def class_at(place: str, library: Path | None = None) -> bool:
    """Whether a place, `module:name`, is a class."""
    module, _, name = place.partition(":")
    package = _Package((module,), library)
    statements = package.modules[module].bound.get(name, []) if module in package.modules else []
    return any(isinstance(statement, ast.ClassDef) for statement in statements)


def classes(library: Path | None = None, name: str = "") -> list[str]:
    """Classes of this package with a name, each as `module:name`."""
    return _defined(
        library, f"class {name}", lambda each: isinstance(each, ast.ClassDef) and each.name == name
    )


def studies(library: Path | None = None, name: str = "") -> list[str]:
    """Functions of one `spec` in this package, each as `module:name`; only those of a name if
    one is given.
    """
    return _defined(
        library, f"def {name}", lambda each: _is_study(each) and name in ("", each.name)
    )


def _defined(library: Path | None, sign: str, wanted: Callable[[ast.stmt], bool]) -> list[str]:
    home = _source_file(PACKAGE, library)
    if home is None:
        return []
    found = []
    for path in sorted(home.parent.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if sign in source:  # reading is fast, parsing is not
            parts = [PACKAGE, *path.relative_to(home.parent).with_suffix("").parts]
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found += [f"{module}:{each.name}" for each in _parsed(source).body if wanted(each)]
    return found


def _is_study(statement: ast.stmt) -> bool:
    """Whether a statement defines a public function of nothing but a `spec` of a kind that is
    told.
    """
    if not isinstance(statement, ast.FunctionDef) or statement.name.startswith("_"):
        return False
    return [each.arg for each in _parameters(statement.args)] == ["spec"] and _first_annotation(
        statement
    ) is not None


def _first_annotation(function: ast.FunctionDef) -> ast.expr | None:
    """What a function says of its first parameter, read if it is quoted."""
    annotation = next((each.annotation for each in _parameters(function.args)), None)
    return _unquoted(annotation) if annotation else None


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def _behind(roots: tuple[str, ...], library: Path | None) -> list["_Trace"]:
    """What the roots reach, and then each statement that acts on it when its module is imported."""
    places = [
        Place(module, name.split(".")[0])
        for module, _, name in (root.partition(":") for root in roots)
    ]
    return _Package(tuple({place.module for place in places}), library).traces(places)


@dataclass(frozen=True)
class _Trace:
    """What is reached from some places, in the order in which it is named, and its text."""

    places: tuple[Place, ...]
    text: str


class _Module:
    """The statements of a module, by the names that they bind."""

    def __init__(self, name: str, source: str, is_package: bool) -> None:
        self.name, self.is_package = name, is_package
        self.statements = _parsed(source).body
        self.bound: dict[str, list[ast.stmt]] = {}
        for statement in self.statements:
            for bound in _names_bound_by(statement):
                self.bound.setdefault(bound, []).append(statement)

    def imports(self, statement: Imports) -> Iterator[tuple[str, Place]]:
        """For each name that an import binds: the name, and what it stands for."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                yield alias.asname or alias.name, Place(self.absolute(statement), alias.name)
            else:
                top = alias.name.split(".")[0]
                yield alias.asname or top, Place(alias.name if alias.asname else top)

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The module that an import names, written out."""
        return _absolute(statement, self.name, self.is_package)


@cache
def _module(name: str, source: str, is_package: bool) -> _Module:
    """A module, taken apart once for all studies that reach it."""
    return _Module(name, source, is_package)


class _Package:
    """The modules of this package that stand behind some of them, and what each name in them
    means.
    """

    def __init__(self, roots: tuple[str, ...], library: Path | None) -> None:
        self.modules = {
            name: _module(name, *source) for name, source in _sources_behind(roots, library).items()
        }
        self.written: dict[Place, tuple[Token, ...]] = {}

    def traces(self, roots: list[Place]) -> list[_Trace]:
        """What the roots reach, then each statement that acts on it, or on anything, when its
        module is imported.
        """
        taken = [self.trace(roots)]
        waiting = list(self._acting())
        while chosen := [entry for entry in waiting if entry[2] or self._changes(entry[1], taken)]:
            waiting = [entry for entry in waiting if entry not in chosen]
            taken += [trace for _, trace, _ in chosen]
        return taken

    def trace(self, roots: list[Place], start: tuple[Token, ...] = ()) -> _Trace:
        """What is reached from these places, or from the tokens of a statement."""
        numbers: dict[Place, int] = {}
        texts = [_numbered(start, numbers)] if start else []
        for root in roots:
            numbers.setdefault(self.meaning(root) or root, len(numbers))
        while len(texts) - bool(start) < len(numbers):
            place = list(numbers)[len(texts) - bool(start)]
            texts.append(_numbered(self._tokens(place), numbers))
        return _Trace(tuple(numbers), "\n".join(texts))

    def meaning(self, place: Place) -> Place | None:
        """Where in this package a name is defined, however often it is handed on; None for what
        is not of this package.
        """
        for _ in range(len(self.modules) + 1):
            if place.module not in self.modules:
                return None
            if not place.name:
                return place
            module, inside = self.modules[place.module], f"{place.module}.{place.name}"
            statements = module.bound.get(place.name)
            if statements is None:
                return (
                    Place(inside) if inside in self.modules else self._starred(module, place.name)
                )
            if not all(isinstance(statement, Imports) for statement in statements):
                return place
            place = dict(module.imports(statements[-1]))[place.name]
        return None

    def outside(self, module: _Module, name: str) -> str:
        """What a name of a module that is not of this package is called: `numpy.linalg`, or the
        name itself where it is built in.
        """
        place, seen = Place(module.name, name), set[Place]()
        while place.module in self.modules and place not in seen:
            seen.add(place)
            bound = self.modules[place.module].bound.get(place.name, [])
            imports = [each for each in bound if isinstance(each, Imports)]
            if not imports:
                return name
            place = dict(self.modules[place.module].imports(imports[-1]))[place.name]
        return f"{place.module}.{place.name}".rstrip(".")

    def _starred(self, module: _Module, name: str) -> Place | None:
        """What `from … import *` may bind to a name."""
        stars = [
            each
            for each in module.statements
            if isinstance(each, ast.ImportFrom) and each.names[0].name == "*"
        ]
        found = [self.meaning(Place(module.absolute(each), name)) for each in stars]
        return next((place for place in found if place), None)

    def _tokens(self, place: Place) -> tuple[Token, ...]:
        if place not in self.written:
            module = self.modules[place.module]
            statements = module.bound[place.name] if place.name else module.statements
            self.written[place] = tuple(
                _Writer(self, module, whole=not place.name).tokens(statements)
            )
        return self.written[place]

    def _acting(self) -> Iterator[tuple[ast.stmt, _Trace, bool]]:
        """Statements that act when their module is imported, with what they reach, and whether
        they may act on anything.
        """
        for module in self.modules.values():
            for statement in module.statements:
                acts, calls = (
                    _acts(statement),
                    any(self._is_own(module, name) for name in _called_at_import(statement)),
                )
                if acts or calls:
                    tokens = tuple(_Writer(self, module).tokens([statement]))
                    yield statement, self.trace([], tokens), acts

    def _is_own(self, module: _Module, name: str) -> bool:
        return self.meaning(Place(module.name, name)) is not None

    def _changes(self, trace: _Trace, others: list[_Trace]) -> bool:
        """Whether what a statement reaches may change a variable that others reach."""
        known = {place for other in others for place in other.places}
        return any(
            variable in known for place in trace.places for variable in self._changed_in(place)
        )

    def _changed_in(self, place: Place) -> Iterator[Place]:
        """Variables of modules of which a definition sets or deletes a part, or calls a method."""
        module = self.modules[place.module]
        for statement in module.bound.get(place.name, ()):
            for node in ast.walk(statement):
                name = _changed_by(node)
                variable = self.meaning(Place(place.module, name)) if name else None
                if variable and variable.name and self._is_variable(variable):
                    yield variable

    def _is_variable(self, place: Place) -> bool:
        return not all(
            isinstance(each, Definition)
            for each in self.modules[place.module].bound.get(place.name, ())
        )


def _numbered(tokens: tuple[Token, ...], numbers: dict[Place, int]) -> str:
    """A text in which each place is called by its number; a new one gets the next."""
    return " ".join(
        token if isinstance(token, str) else f"#{numbers.setdefault(token, len(numbers))}"
        for token in tokens
    )


@dataclass
class _Scope:
    """The names of a function, a lambda, a comprehension or a class."""

    names: dict[str, Local | None]  # None until a number is given
    depth: int
    is_class: bool = False
    given: int = field(default=0)

    def token(self, name: str) -> Local:
        """What stands for a name; locals are numbered as they come up."""
        found = self.names[name]
        if found is None:
            self.given += 1
            found = self.names[name] = f"~{self.depth}.{self.given}"
        return found


class _Writer:
    """The tokens of statements of a module: what they mean, with places for the names of this
    package.
    """

    def __init__(self, package: _Package, module: _Module, *, whole: bool = False) -> None:
        self.package, self.module, self.whole = package, module, whole
        self.scopes: list[_Scope] = []

    def tokens(self, statements: list[ast.stmt]) -> Iterator[Token]:
        """Those of statements, in order; where one looks names up while it runs, all modules
        come with it.
        """
        for statement in statements:
            yield from self.node(statement)
            if _looks_names_up(statement):
                yield from (Place(name) for name in sorted(self.package.modules))

    def one(self, name: ast.expr) -> Token | None:
        """The token of a name, with or without dots; None for anything else."""
        tokens = list(self.node(name))
        return tokens[0] if len(tokens) == 1 else None

    def node(self, node: ast.AST) -> Iterator[Token]:
        """Those of one node and of what it holds."""
        writer = getattr(self, f"_{type(node).__name__}", None)
        yield from writer(node) if writer else self.plain(node)

    def plain(self, node: ast.AST, **instead: object) -> Iterator[Token]:
        """Its kind, then each part that means something."""
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
            yield value if isinstance(value, Place) else repr(value)

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
        if self.whole and name in self.module.bound:
            return (
                self.package.meaning(Place(self.module.name, name))
                or f"{name}: {self.package.outside(self.module, name)}"
            )
        return self.package.meaning(Place(self.module.name, name)) or self.package.outside(
            self.module, name
        )

    def _Attribute(self, node: ast.Attribute) -> Iterator[Token]:
        """`module.name` is what the module binds to the name; any other attribute is called by
        its name.
        """
        found = self._dotted(node)
        if found is None:
            yield from self.plain(node)
        else:
            yield found

    def _dotted(self, node: ast.expr) -> Token | None:
        """What a name with dots stands for, where it begins with a module; None where it does
        not.
        """
        if isinstance(node, ast.Name):
            token = self._named(node.id)
            is_module = isinstance(token, Place) and not token.name
            return token if is_module or self._is_foreign(node.id, token) else None
        base = self._dotted(node.value) if isinstance(node, ast.Attribute) else None
        if isinstance(base, Place):
            return None if base.name else self.package.meaning(Place(base.module, node.attr))
        return None if base is None else f"{base}.{node.attr}"

    def _is_foreign(self, name: str, token: Token) -> bool:
        """Whether a name is bound by an import from elsewhere."""
        is_local = isinstance(token, Place) or token.startswith(("~", "parameter:", "attribute:"))
        return not is_local and self._is_imported(name)

    def _is_imported(self, name: str) -> bool:
        statements = self.module.bound.get(name, [])
        local = any(name in scope.names for scope in self.scopes)
        return local or (bool(statements) and all(isinstance(each, Imports) for each in statements))

    def _Constant(self, node: ast.Constant) -> Iterator[Token]:
        """A text that names a module of this package stands for the module, which may be
        imported by it.
        """
        yield (
            Place(node.value)
            if isinstance(node.value, str) and node.value in self.package.modules
            else repr(node.value)
        )

    def _Import(self, node: Imports) -> Iterator[Token]:
        """Within a compound statement of a module: what is bound."""
        if not self.scopes:
            for name, place in self.module.imports(node):
                yield f"(import {name}"
                yield self.package.meaning(place) or f"{place.module}.{place.name}"
                yield ")"

    _ImportFrom = _Import

    # Definitions

    def _FunctionDef(self, node: Function) -> Iterator[Token]:
        yield f"({type(node).__name__}"
        yield self._named(node.name)
        for decorator in node.decorator_list:
            yield from self.node(decorator)
        yield from self._function(node.args, _meant(node.body))
        yield ")"

    _AsyncFunctionDef = _FunctionDef

    def _Lambda(self, node: ast.Lambda) -> Iterator[Token]:
        yield "(Lambda"
        yield from self._function(node.args, [node.body])
        yield ")"

    def _function(self, arguments: ast.arguments, body: list) -> Iterator[Token]:
        """Defaults, in the scope around it, then parameters and body in its own."""
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            yield from self.node(default) if default else ["-"]
        by_name = (
            [*arguments.args, *arguments.kwonlyargs]
            if isinstance(body[0] if body else None, ast.stmt)
            else arguments.kwonlyargs
        )
        names: dict[str, Local | None] = {name: None for name in _locals(body)}
        names |= {each.arg: f"parameter:{each.arg}" for each in by_name}
        hidden = {each.arg for each in _parameters(arguments)} - {each.arg for each in by_name}
        scope = _Scope(names | dict.fromkeys(sorted(hidden)), len(self.scopes))
        scope.names |= {
            bound: self._imported(place)
            for each in _own_imports(body)
            for bound, place in self.module.imports(each)
        }
        self.scopes.append(scope)
        yield from self._signature(arguments)
        yield from self._value(body)
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

    def _imported(self, place: Place) -> Local:
        return self.package.meaning(place) or f"{place.module}.{place.name}".rstrip(".")

    def _ClassDef(self, node: ast.ClassDef) -> Iterator[Token]:
        """Fields in their order, then methods by name: their order does not matter."""
        yield "(ClassDef"
        yield self._named(node.name)
        for outer in [*node.decorator_list, *node.bases, *node.keywords]:
            yield from self.node(outer)
        body = _meant(node.body)
        methods = sorted(
            (each for each in body if isinstance(each, Function)), key=lambda each: each.name
        )
        names: dict[str, Local | None] = {name: f"attribute:{name}" for name in _locals(body)}
        self.scopes.append(_Scope(names, len(self.scopes), is_class=True))
        yield from self._value(
            [*(each for each in body if not isinstance(each, Function)), *methods]
        )
        self.scopes.pop()
        yield ")"

    def _AnnAssign(self, node: ast.AnnAssign) -> Iterator[Token]:
        """In a class an annotation makes a field; elsewhere it means nothing."""
        if self.scopes and self.scopes[-1].is_class:
            yield from self.plain(node, annotation=_unquoted(node.annotation))
        elif node.value is not None:
            yield from self.node(ast.Assign([node.target], node.value))

    def _comprehension_scope(self, node: ast.expr) -> Iterator[Token]:
        """A comprehension, its variables numbered; what it runs over first is looked up around
        it.
        """
        yield f"({type(node).__name__}"
        yield from self.node(node.generators[0].iter)
        bound = [name for each in node.generators for name in _stored(each.target)]
        self.scopes.append(_Scope(dict.fromkeys(bound), len(self.scopes)))
        for index, each in enumerate(node.generators):
            yield from self.plain(each, iter=None if index == 0 else each.iter)
        for part in ("elt", "key", "value"):
            if hasattr(node, part):
                yield from self.node(getattr(node, part))
        self.scopes.pop()
        yield ")"

    _ListComp = _SetComp = _DictComp = _GeneratorExp = _comprehension_scope

    # Statements

    def _Raise(self, node: ast.Raise) -> Iterator[Token]:
        """What kind of error; its text and its cause are not meant."""
        yield from self.plain(
            node, exc=node.exc.func if isinstance(node.exc, ast.Call) else node.exc, cause=None
        )

    def _Assert(self, node: ast.Assert) -> Iterator[Token]:
        yield from self.plain(node, msg=None)

    def _ExceptHandler(self, node: ast.ExceptHandler) -> Iterator[Token]:
        yield from self.plain(node, name=self._named(node.name) if node.name else None)

    def _Global(self, node: ast.Global | ast.Nonlocal) -> Iterator[Token]:
        yield from (self._named(name) for name in node.names)

    _Nonlocal = _Global

    def _MatchAs(self, node: ast.AST) -> Iterator[Token]:
        yield from self.plain(node, name=self._named(node.name) if node.name else None)

    _MatchStar = _MatchAs

    def _MatchMapping(self, node: ast.MatchMapping) -> Iterator[Token]:
        yield from self.plain(node, rest=self._named(node.rest) if node.rest else None)


def _meant(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without docstrings and other bare texts."""
    return [
        each
        for each in body
        if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        arguments.vararg,
        *arguments.kwonlyargs,
        arguments.kwarg,
    ]
    return [each for each in every if each]


def _inside(body: list) -> Iterator[ast.AST]:
    """Nodes of a scope; of a scope within it the definition alone, but what `:=` binds in a
    comprehension belongs out here.
    """
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Definition | ast.Lambda):
            continue
        if isinstance(node, Comprehension):
            waiting += [each.target for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        else:
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _locals(body: list) -> Iterator[str]:
    """Names that a function or a class binds in its body."""
    elsewhere = {
        name
        for node in _inside(body)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    for node in _inside(body):
        yield from (name for name in _names_of(node) if name not in elsewhere)


def _own_imports(body: list) -> list[Imports]:
    return [node for node in _inside(body) if isinstance(node, Imports)]


def _stored(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _names_of(node: ast.AST) -> list[str]:
    """Names that one node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case (
            ast.ExceptHandler(name=name)
            | ast.MatchAs(name=name)
            | ast.MatchStar(name=name)
            | ast.MatchMapping(rest=name)
        ):
            return [name] if name else []
        case ast.Import(names=names):
            return [alias.asname or alias.name.split(".")[0] for alias in names]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
    return []


def _names_bound_by(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds there; for a compound statement also those that
    it binds further inside.
    """
    for node in _inside([statement]):
        yield from _names_of(node)


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement may change something elsewhere when its module is imported."""
    match statement:
        case (
            ast.Import()
            | ast.ImportFrom()
            | ast.FunctionDef()
            | ast.AsyncFunctionDef()
            | ast.ClassDef()
            | ast.Pass()
        ):
            return False
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Assign(targets=targets):
            return not all(isinstance(node, ast.Name | ast.Tuple) for node in targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return not isinstance(target, ast.Name)
        case ast.If(body=body, orelse=others):
            return any(_acts(inner) for inner in [*body, *others])
        case ast.Try(body=body, handlers=handlers, orelse=others, finalbody=last):
            caught = [inner for handler in handlers for inner in handler.body]
            return any(_acts(inner) for inner in [*body, *caught, *others, *last])
    return True


def _changed_by(node: ast.AST) -> str | None:
    """The name of what a node sets or deletes a part of, or calls a method of."""
    inner = node.func if isinstance(node, ast.Call) else node
    if not isinstance(inner, ast.Attribute | ast.Subscript) or (
        inner is node and isinstance(inner.ctx, ast.Load)
    ):
        return None
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) else None


def _called_at_import(node: ast.AST) -> Iterator[str]:
    """Names in decorators, metaclasses and called functions, outside the bodies of functions."""
    if isinstance(node, Definition):
        outside = [
            inner
            for part in [*node.decorator_list, *getattr(node, "keywords", [])]
            for inner in ast.walk(part)
        ]
        # **SETTINGS is data
        unpacked = [
            inner.value for inner in outside if isinstance(inner, ast.keyword) and inner.arg is None
        ]
        yield from (
            inner.id for inner in outside if isinstance(inner, ast.Name) and inner not in unpacked
        )
    if isinstance(node, ast.Call):
        yield from (inner.id for inner in ast.walk(node.func) if isinstance(inner, ast.Name))
    if isinstance(node, ast.Lambda):
        return
    parts = [node.args] if isinstance(node, Function) else ast.iter_child_nodes(node)
    for part in parts:
        yield from _called_at_import(part)


def _looks_names_up(statement: ast.stmt) -> bool:
    """Whether code in a statement finds other code by its name while it runs."""
    for node in ast.walk(statement):
        if getattr(node, "id", None) in LOOKS_NAMES_UP | FINDS_CODE:
            return True
        if {getattr(node, "attr", None), getattr(node, "name", None)} & FINDS_CODE:
            return True
    return False


def _sources_behind(names: tuple[str, ...], library: Path | None) -> dict[str, tuple[str, bool]]:
    """Source by name, and whether it is a package, of these modules and of all modules of this
    package that they import, directly or not.
    """
    found: dict[str, tuple[str, bool]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        origin = None if name in found else _source_file(name, library)
        if origin is None:
            continue
        found[name] = origin.read_text(encoding="utf-8"), origin.name == "__init__.py"
        waiting += [
            imported
            for imported in _imports(*found[name], name)
            if imported.split(".")[0] == PACKAGE
        ]
    return found


def _source_file(module_name: str, library: Path | None) -> Path | None:
    """The file of a module, found without importing it; None where the name is no module."""
    top, *inner = module_name.split(".")
    home = library / top / "__init__.py" if library and top == PACKAGE else _home(top)
    if not inner or home is None or home.name != "__init__.py":
        return None if inner else home
    path = home.parent.joinpath(*inner)
    return next(
        (each for each in (path / "__init__.py", path.with_suffix(".py")) if each.is_file()), None
    )


def _home(top: str) -> Path | None:
    """The file of a module that lies in no package, or that of a package itself."""
    loaded = sys.modules.get(top)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(loaded.__file__)
    found = importlib.util.find_spec(top)
    return Path(found.origin) if found and found.origin and found.has_location else None


@cache
def _imports(source: str, is_package: bool, name: str) -> tuple[str, ...]:
    """Modules that a source imports or may import, with the packages that they lie in."""
    return tuple(dict.fromkeys(_each_import(source, is_package, name)))


def _each_import(source: str, is_package: bool, name: str) -> Iterator[str]:
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, name, is_package)
            dotted = [
                origin,
                *(f"{origin}.{alias.name}" for alias in node.names if alias.name != "*"),
            ]
        else:
            continue
        for one in dotted:
            parts = one.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _absolute(statement: ast.ImportFrom, name: str, is_package: bool) -> str:
    """The module that an import in another module names, written out."""
    if not statement.level:
        return statement.module or ""
    parts = name.split(".") if is_package else name.split(".")[:-1]
    return ".".join(
        [
            *parts[: len(parts) - statement.level + 1],
            *([statement.module] if statement.module else []),
        ]
    )


@cache
def _parsed(source: str) -> ast.Module:
    """The tree of a module, without what is there for readers of types alone."""
    tree = _tree(source)
    tree.body = [each for each in tree.body if not _is_for_types(each)]
    return tree


def _is_for_types(statement: ast.stmt) -> bool:
    """Whether a statement is `if TYPE_CHECKING:` without an `else`."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return getattr(statement.test, "id", getattr(statement.test, "attr", "")) == "TYPE_CHECKING"


def _tree(source: str) -> ast.Module:
    for attempt in range(5):
        # in CPython 3.11, where another thread parses at the same moment
        with contextlib.suppress(SystemError):
            return ast.parse(source)
        time.sleep(0.01 * attempt)
    return ast.parse(source)
