"""Which torch modules are fully connected ReLU networks, in whatever class they are written."""

from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import fx, nn

BENDS = (torch.relu, nn.functional.relu, "relu")
FLATTENS = (torch.flatten, "flatten")


class Chain(NamedTuple):
    """A module that is Linear, ReLU, …, Linear."""

    layers: tuple[str, ...]  # names of its linear layers, from the first on
    flattens: bool  # whether images are made flat before the first of them


class Mark(Enum):
    """What an operation is that has no weights."""

    RELU = auto()
    FLATTEN = auto()
    OTHER = auto()


@lru_cache(maxsize=64)
def chain(module: nn.Module) -> Chain | None:
    """The chain that a module is, as `torch.fx` traces it, training or not; None if it is anything
    else, by a hook, by Python code that looks at values, or by a layer of another kind.
    """
    if any(hooked(part) for part in module.modules()):
        return None
    training = module.training
    found = {_traced(module.train(mode)) for mode in (True, False)}
    module.train(training)
    return found.pop() if len(found) == 1 else None


def hooked(part: nn.Module) -> bool:
    """Whether code of somebody's own runs beside this part, forwards or backwards."""
    forward = part._forward_hooks or part._forward_pre_hooks
    return bool(forward or part._backward_hooks or part._backward_pre_hooks)


def _traced(module: nn.Module) -> Chain | None:
    """The chain that the module is in its present mode."""
    try:
        kinds = list(_kinds(fx.symbolic_trace(module)))
    except Exception:  # a reader's own code, which may fail in any way where it is only traced
        return None
    flattens = kinds[:1] == [Mark.FLATTEN]
    layers = tuple(kind for kind in kinds[flattens::2] if isinstance(kind, str))
    alternates = kinds[flattens + 1 :: 2] == [Mark.RELU] * (len(layers) - 1)
    fits = len(set(layers)) > 1 and len(kinds) == flattens + 2 * len(set(layers)) - 1
    return Chain(layers, flattens) if alternates and fits else None


def _kinds(graph: fx.GraphModule) -> Iterator[str | Mark]:
    """What each operation is: the name of a linear layer with a bias, or a mark."""
    nodes = [node for node in graph.graph.nodes if node.op not in ("placeholder", "output")]
    before = next(node for node in graph.graph.nodes if node.op == "placeholder")
    for node in nodes:
        yield _kind(graph, node) if node.all_input_nodes == [before] else Mark.OTHER
        before = node
    (end,) = (node for node in graph.graph.nodes if node.op == "output")
    if end.args != (before,):
        yield Mark.OTHER


def _kind(graph: fx.GraphModule, node: fx.Node) -> str | Mark:
    """What an operation is that takes what the one before it gives."""
    if node.op == "call_module":
        return _kind_of_part(str(node.target), graph.get_submodule(str(node.target)))
    if node.target in BENDS:
        return Mark.RELU
    if node.target in FLATTENS and _axes(node) == (1, -1):
        return Mark.FLATTEN
    return Mark.OTHER


def _kind_of_part(name: str, part: nn.Module) -> str | Mark:
    if type(part) is nn.Linear:
        return name if part.bias is not None else Mark.OTHER
    if type(part) is nn.Flatten:
        return Mark.FLATTEN if (part.start_dim, part.end_dim) == (1, -1) else Mark.OTHER
    return Mark.RELU if type(part) is nn.ReLU else Mark.OTHER


def _axes(node: fx.Node) -> tuple[Any, Any]:
    """First and last axis that a call of flatten makes one."""
    given = dict(zip(("start_dim", "end_dim"), node.args[1:], strict=False)) | node.kwargs
    return given.get("start_dim", 0), given.get("end_dim", -1)
