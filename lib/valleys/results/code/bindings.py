"""Which names a piece of syntax binds."""

import ast
from collections.abc import Iterator, Sequence

from valleys.results.code.sources import Imports

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters, in the order of a signature."""
    positional = [*arguments.posonlyargs, *arguments.args, arguments.vararg]
    return [each for each in [*positional, *arguments.kwonlyargs, arguments.kwarg] if each]


def of_scope(body: Sequence[ast.AST]) -> Iterator[str]:
    """Names that a function or a class binds in its body."""
    elsewhere = {
        name
        for node in _nodes_of_scope(body)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    for node in _nodes_of_scope(body):
        yield from (name for name in _of_node(node) if name not in elsewhere)


def of_statement(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds there; for a compound statement also those that
    it binds further inside.
    """
    for node in _nodes_of_scope([statement]):
        yield from _of_node(node)


def of_comprehension(generators: Sequence[ast.comprehension]) -> list[str]:
    """Names that a comprehension binds."""
    nodes = (node for each in generators for node in ast.walk(each.target))
    return [node.id for node in nodes if isinstance(node, ast.Name)]


def imports_of_scope(body: Sequence[ast.AST]) -> list[Imports]:
    """Imports in the body of a function."""
    return [node for node in _nodes_of_scope(body) if isinstance(node, Imports)]


def _nodes_of_scope(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
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


def _of_node(node: ast.AST) -> list[str]:
    """Names that one node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return [name] if name else []
        case ast.MatchMapping(rest=name):
            return [name] if name else []
        case ast.Import(names=names):
            return [alias.asname or alias.name.split(".")[0] for alias in names]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
    return []
