"""Curvature of the training loss of any network, in parameters of one's choice, by automatic
differentiation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vjp
from torch.nn.attention import SDPBackend, sdpa_kernel

from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, margin_losses
from valleys.nets.measures.lanczos import SymmetricOperator, top_eigenpairs
from valleys.nets.measures.layer_hessian import LayerCurvature, layer_curvature
from valleys.results.spec import check_place, require, settled


@dataclass(frozen=True, eq=False)
class Curvature(SymmetricOperator):
    """Hessian of the mean cross-entropy of one network in some of its parameters, in float64.

    Attributes:
        module: what the network computes.
        point: the parameters in which the Hessian is taken, by name.
        rest: all other parameters and buffers, by name.
        samples: on which the loss is taken.
    """

    module: nn.Module
    point: dict[str, Tensor]
    rest: dict[str, Tensor]
    samples: Samples

    @property
    def size(self) -> int:
        """Number of entries of the chosen parameters."""
        return sum(part.numel() for part in self.point.values())

    def loss(self, point: dict[str, Tensor]) -> Tensor:
        """Mean cross-entropy where the chosen parameters are these."""
        scores = functional_call(self.module, self.rest | point, self.samples.images)
        return margin_losses(scores, self.samples.labels).mean()

    def product(self, direction: np.ndarray) -> np.ndarray:
        """H v for a flat direction v, (size,), by forward over reverse differentiation, or by
        reverse over reverse where torch knows no forward one of what the module does.
        """
        along, slope = self._parts(direction), grad(self.loss)
        with sdpa_kernel(SDPBackend.MATH):  # the other kinds of attention have no second derivative
            try:
                product = jvp(slope, (self.point,), (along,))[1]
            except RuntimeError:
                product = vjp(slope, self.point)[1](along)[0]
        return torch.cat([part.flatten() for part in product.values()]).cpu().numpy()

    def _parts(self, direction: np.ndarray) -> dict[str, Tensor]:
        """A flat direction as tensors beside the point."""
        tensor = torch.from_numpy(np.ascontiguousarray(direction.ravel()))
        parts = tensor.split([part.numel() for part in self.point.values()])
        pairs = zip(self.point.items(), parts, strict=True)
        return {name: part.reshape(shaped.shape).to(shaped) for (name, shaped), part in pairs}


@settled
def curvature(
    stack: Stack, samples: Samples, index: int = 0, parameters: Sequence[str] = ()
) -> Curvature:
    """The Hessian of one of R networks.

    Args:
        stack: R networks, fully connected ones or copies of a module.
        samples: on which the loss is taken.
        index: of the network.
        parameters: names of those in which it is taken, as in `stack.parameters`; all if empty.

    Raises:
        ValueError: a parameter of that name is not there.

    Example:
        >>> from valleys.nets import curvature, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature(problem.start, problem.train, parameters=["2.weight"]).size
        2500
    """
    names = tuple(stack.parameters)
    unknown = [name for name in parameters if name not in names]
    require(not unknown, f"no parameter is named {unknown}; the names are {', '.join(names)}")
    module, state = _single(stack, index)
    chosen = set(parameters or names)
    double = {name: _double(part) for name, part in state.items()}
    return Curvature(
        module,
        {name: part for name, part in double.items() if name in chosen},
        {name: part for name, part in double.items() if name not in chosen},
        Samples(samples.images.double(), samples.labels),
    )


def closest(
    stack: Stack, samples: Samples, index: int = 0, parameters: Sequence[str] = ()
) -> SymmetricOperator:
    """The same Hessian in closed form where there is one: one matrix of a fully connected network,
    or the last matrix of a module that ends in a linear layer; else by differentiation.

    Args:
        stack: as in `curvature`.
        samples: as in `curvature`.
        index: as in `curvature`.
        parameters: as in `curvature`.
    """
    general = curvature(stack, samples, index, parameters)
    if len(parameters) != 1 or not parameters[0].endswith("weight"):
        return general
    if isinstance(stack, Networks):
        layer = int(parameters[0].split(".")[0]) // 2
        return layer_curvature(stack, samples.images, index, layer)
    return _last_layer(general, parameters[0].rpartition(".")[0]) or general


def _last_layer(general: Curvature, name: str) -> LayerCurvature | None:
    """The closed form for the matrix of the named part, if it is a linear layer that makes the
    scores.
    """
    part, seen = general.module.get_submodule(name), []
    if not isinstance(part, nn.Linear):
        return None
    handle = part.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    with torch.no_grad():
        state = general.rest | general.point
        scores = functional_call(general.module, state, general.samples.images)
    handle.remove()
    if len(seen) != 1 or seen[0][1] is not scores or scores.ndim != 2:
        return None
    inputs, probabilities = seen[0][0], torch.softmax(scores, dim=1)
    return LayerCurvature(inputs.cpu().numpy(), (), (), probabilities.cpu().numpy())


def last_matrix(stack: Stack) -> str:
    """Name of the last parameter that is a matrix."""
    names = [name for name, part in stack.parameters.items() if part.ndim == 3]
    require(len(names) > 0, "the model has no matrix; name the parameters that are to be measured")
    return names[-1]


def top_directions(
    stack: Stack, samples: Samples, count: int, parameters: Sequence[str] = ()
) -> tuple[Tensor, Tensor]:
    """The leading eigenvalues of each network's Hessian, (R, count), and their unit eigenvectors,
    (R, count, n), in float64.
    """
    every = [
        top_eigenpairs(closest(stack, samples, index, parameters), count, for_vectors=True)
        for index in range(len(stack))
    ]
    values, vectors = (
        np.stack([getattr(each, name) for each in every]) for name in ("values", "vectors")
    )
    return torch.from_numpy(values), torch.from_numpy(vectors)


def batch_sharpness(
    stack: Stack,
    samples: Samples,
    batch_size: int,
    stream: np.random.Generator,
    n_batches: int = 20,
) -> Tensor:
    """Curvature of a mini-batch's loss along its own gradient, E[gᵀHg] / E[gᵀg], of each network
    (Andreyev and Beneventano 2024), (R,); above 2/η a step on that batch climbs.

    Args:
        stack: R networks.
        samples: from which batches are drawn, each without repetition.
        batch_size: B.
        stream: draws the batches, which all networks share.
        n_batches: over how many batches the means go.
    """
    bent, squared = torch.zeros(2, len(stack), dtype=torch.float64)
    for _ in range(n_batches):
        chosen = torch.from_numpy(stream.permutation(len(samples))[:batch_size])
        batch = samples.pick(chosen)
        for index in range(len(stack)):
            here = curvature(stack, batch, index)
            slope = torch.cat([part.flatten() for part in grad(here.loss)(here.point).values()])
            bent[index] += slope @ torch.from_numpy(here.product(slope.numpy()))
            squared[index] += slope @ slope
    return bent / squared


def _single(stack: Stack, index: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """What one network computes, and its parameters and buffers."""
    check_place("index", index, len(stack))
    modules = as_modules(stack) if isinstance(stack, Networks) else stack
    if not isinstance(modules, Modules):
        raise TypeError(f"Networks or Modules are wanted, got {type(stack).__name__}")
    modules.module.eval()
    both = modules.parameters | modules.buffers
    return modules.module, {name: part[index].detach() for name, part in both.items()}


def _double(part: Tensor) -> Tensor:
    return part.double() if part.is_floating_point() else part


def as_modules(networks: Networks) -> Modules:
    """Fully connected networks as copies of `nn.Sequential(Linear, ReLU, …, Linear)`."""
    layers: list[nn.Module] = []
    for weight in networks.weights:
        layers += [nn.Linear(weight.shape[2], weight.shape[1], device="meta"), nn.ReLU()]
    parameters = {name: part.clone() for name, part in networks.parameters.items()}
    return Modules(nn.Sequential(*layers[:-1]), parameters, {})
