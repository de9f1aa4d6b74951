"""What code may do beyond the names in it: act while its module is imported, change variables of
modules, look names up while it runs.
"""

import ast
from collections.abc import Iterator

from valleys.results.code import bindings
from valleys.results.code.bindings import Definition, Function

LOOKS_NAMES_UP = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__", "__name__"})
FINDS_CODE = frozenset({"import_module", "__subclasses__", "__init_subclass__"})
HOOKS = frozenset({"__getattr__", "__dir__"})  # of a module, for names that it does not bind
INERT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


def acts(statement: ast.stmt) -> bool:
    """Whether a statement may change something elsewhere when its module is imported."""
    if isinstance(statement, INERT):
        return False
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Assign(targets=targets):
            return not all(isinstance(node, ast.Name | ast.Tuple) for node in targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return not isinstance(target, ast.Name)
        case ast.If(body=body, orelse=others):
            return any(map(acts, [*body, *others]))
        case ast.Try(body=body, handlers=handlers, orelse=others, finalbody=last):
            caught = [inner for handler in handlers for inner in handler.body]
            return any(map(acts, [*body, *caught, *others, *last]))
    return True


def only_hands_out(statement: ast.stmt) -> bool:
    """Whether a statement binds nothing but what a module answers when it is asked for a name that
    it does not bind: no code is followed that way, and what it finds is followed by its own name.
    """
    names = set(bindings.of_statement(statement))
    return bool(names) and names <= HOOKS


def called_at_import(node: ast.AST) -> Iterator[str]:
    """Names in decorators, metaclasses and called functions, outside the bodies of functions."""
    if isinstance(node, Definition):
        yield from _called_around(node)
    if isinstance(node, ast.Call):
        yield from (inner.id for inner in ast.walk(node.func) if isinstance(inner, ast.Name))
    if isinstance(node, ast.Lambda):
        return
    parts = [node.args] if isinstance(node, Function) else ast.iter_child_nodes(node)
    for part in parts:
        yield from called_at_import(part)


def _called_around(definition: Definition) -> Iterator[str]:
    """Names in the decorators of a definition and in the keywords of a class."""
    keywords = definition.keywords if isinstance(definition, ast.ClassDef) else []
    nodes = [inner for part in [*definition.decorator_list, *keywords] for inner in ast.walk(part)]
    # **SETTINGS is data
    data = [each.value for each in nodes if isinstance(each, ast.keyword) and each.arg is None]
    yield from (each.id for each in nodes if isinstance(each, ast.Name) and each not in data)


def changed_by(node: ast.AST) -> str | None:
    """The name of what a node sets or deletes a part of, or calls a method of."""
    changed = node.func if isinstance(node, ast.Call) else node
    if not isinstance(changed, ast.Attribute | ast.Subscript):
        return None
    if changed is node and isinstance(changed.ctx, ast.Load):
        return None
    inner: ast.expr = changed
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) else None


def looks_names_up(statement: ast.stmt) -> bool:
    """Whether code in a statement finds other code by its name while it runs."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in LOOKS_NAMES_UP | FINDS_CODE:
            return True
        if {getattr(node, "attr", None), getattr(node, "name", None)} & FINDS_CODE:
            return True
    return False
