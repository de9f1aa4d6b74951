"""Convolutional networks: a small one, and how many images of any go through at a time."""

import math
import operator
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn

from valleys.nets.engine.dense import hooked

SMALLEST_POOLED = 4  # pixels of a side: what is pooled has two left
PIECE = 2_000_000  # numbers that a layer gives, at most, for the images of one piece
PROBE = 5  # images that show the shapes
PARTS = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.Identity, nn.Flatten),
    *(nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.GroupNorm, nn.LayerNorm),
)
CALLS = (
    *(torch.relu, torch.tanh, torch.sigmoid, torch.flatten, operator.add),
    *(nn.functional.relu, nn.functional.leaky_relu, nn.functional.elu, nn.functional.gelu),
    *(nn.functional.silu, nn.functional.softplus, nn.functional.max_pool2d),
    *(nn.functional.avg_pool2d, nn.functional.adaptive_avg_pool2d),
    *("relu", "tanh", "sigmoid", "flatten"),
)
SIZES, VIEWS = (getattr, operator.getitem, "size"), ("view", "view_as", torch.Tensor.view)
RESHAPES = (*VIEWS, "reshape", torch.reshape)


def small_network(
    image_shape: Sequence[int], n_classes: int, channels: Sequence[int] = (8, 16)
) -> nn.Sequential:
    """3×3 convolutions with ReLU, halved by 2×2 max-pooling while images are large enough, and one
    linear layer.

    Args:
        image_shape: (height, width), or (height, width, channels).
        n_classes: number of scores.
        channels: width of each convolution.

    Example:
        >>> from valleys.nets.engine.convolutional import small_network
        >>> sum(part.numel() for part in small_network((8, 8), 10, (8, 16)).parameters())
        1898
    """
    height, width, depth = (*image_shape, 1)[:3]
    layers: list[nn.Module] = []
    for n_channels in channels:
        layers += [nn.Conv2d(depth, n_channels, 3, padding=1), nn.ReLU()]
        depth = n_channels
        if min(height, width) >= SMALLEST_POOLED:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(depth * height * width, n_classes))


def pooled_first(module: nn.Module) -> nn.Module:
    """The same sequence with each ReLU behind the max-pooling that comes after it, so that fewer
    numbers pass it: the maximum of ReLUs is the ReLU of the maximum, and so are the slopes, to the
    last bit. Any other module is left as it is.
    """
    if type(module) is not nn.Sequential or any(map(hooked, module.modules())):
        return module
    parts = list(module)
    for place, (first, second) in enumerate(pairwise(module)):
        if type(first) is nn.ReLU and type(second) is nn.MaxPool2d and not second.return_indices:
            parts[place : place + 2] = second, first
    return nn.Sequential(OrderedDict(zip(module._modules, parts, strict=True)))


def may_view(module: nn.Module) -> bool:
    """Whether a module may view the memory of what a layer gives in another shape, which works for
    images with their channels first alone; so, too, where Python code in it looks at values.
    """
    traced = _traced(module)
    return not traced or any(node.target in VIEWS for each in traced for node in each.graph.nodes)


def n_pieces(module: nn.Module, images: Tensor) -> int:
    """In how many even pieces images go through a module on a processor; in one where the scores
    of an image may depend on the others.

    Measured for the network of Fig. S5 on one core of an AMD EPYC, a step of 500 images takes half
    of the time so: what a layer gives stays near, in memory that is there.

    Args:
        module: maps (N, …) to scores; its weights are on `meta`.
        images: (N, …).
    """
    together = _together(module, tuple(images.shape[1:])) if images.device.type == "cpu" else 0
    return math.ceil(len(images) / together) if together and len(images) else 1


@lru_cache(maxsize=64)
def _together(module: nn.Module, image_shape: tuple[int, ...]) -> int:
    """How many images of a shape go through at a time; 0 for all: where they may depend on each
    other, by a hook, by a layer that is not known, or by Python code that looks at values.
    """
    traced = [] if any(map(hooked, module.modules())) else _traced(module)
    numbers = [_most_numbers(module, each, image_shape) for each in traced]
    return max(1, PIECE // max(numbers)) if numbers and all(numbers) else 0


def _traced(module: nn.Module) -> list[fx.GraphModule]:
    """What a module computes while it is trained and while it is in use; nothing if that cannot be
    told.
    """
    training = module.training
    try:
        return [fx.symbolic_trace(module.train(mode)) for mode in (True, False)]
    except Exception:  # a reader's own code, which may fail in any way where it is only traced
        return []
    finally:
        module.train(training)


def _most_numbers(module: nn.Module, traced: fx.GraphModule, image_shape: tuple[int, ...]) -> int:
    """Numbers that the largest layer gives for one image; 0 if images may depend on each other."""
    kind = next(module.parameters()).dtype
    try:
        _Shapes(traced).run(torch.empty(PROBE, *image_shape, device="meta", dtype=kind))
    except Exception:  # shapes that do not fit, or a number of images that does not
        return 0
    nodes = [node for node in traced.graph.nodes if node.op != "output"]
    apart = all(_apart(traced, node) for node in nodes)
    return max(_numbers(node) for node in nodes) // PROBE if apart else 0


class _Shapes(fx.Interpreter):
    """Notes the shape of what each operation gives."""

    def run_node(self, node: fx.Node) -> Any:
        """What the operation gives; its shape is kept, None if it is no tensor."""
        given = super().run_node(node)
        node.meta["shape"] = given.shape if isinstance(given, Tensor) else None
        return given


def _numbers(node: fx.Node) -> int:
    """How many numbers an operation gives, with one row for each image; 0 for anything else."""
    shape = node.meta["shape"]
    return math.prod(shape) if shape and shape[0] == PROBE else 0


def _apart(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether what an operation gives for an image follows from that image alone."""
    if node.target in SIZES:
        return node.meta["shape"] is None
    if node.op == "call_module":
        known = type(traced.get_submodule(str(node.target))) in PARTS
    elif node.target in RESHAPES:
        return _numbers(node) > 0  # as many rows as before, so each has kept its own
    else:
        known = node.op == "placeholder" or node.target in CALLS
    return known and _numbers(node) > 0 and all(map(_numbers, node.all_input_nodes))
