"""The same training and the same curvature as an ordinary PyTorch program writes them: what the
engine is held against and timed against.
"""

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples, batches


def as_module(networks: Networks, index: int = 0) -> nn.Sequential:
    """One of R networks as torch layers, with weights of its own."""
    layers: list[nn.Module] = []
    for weight, bias in zip(networks.weights, networks.biases, strict=True):
        linear = nn.Linear(
            weight.shape[2], weight.shape[1], device=weight.device, dtype=weight.dtype
        )
        linear.weight.data, linear.bias.data = weight[index].clone(), bias[index, :, 0].clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(
    module: nn.Sequential,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    stream: np.random.Generator,
) -> None:
    """One realization by autograd and torch.optim.SGD, in place, on the batches that the engine
    draws from the same stream.

    Args:
        module: the network.
        samples: training set.
        learning_rate: η.
        batch_size: B; equal to the training set it is full-batch gradient descent.
        n_steps: number of updates.
        stream: generator of batch order.
    """
    optimiser, orders = (
        torch.optim.SGD(module.parameters(), lr=learning_rate),
        batches(len(samples), batch_size, [stream]),
    )
    for _ in range(n_steps):
        chosen = next(orders)[0]
        optimiser.zero_grad()
        nn.functional.cross_entropy(
            module(samples.images[chosen]), samples.labels[chosen]
        ).backward()
        optimiser.step()


def top_eigenvalues(
    module: nn.Sequential, samples: Samples, matrix: Tensor, count: int = 10
) -> np.ndarray:
    """Largest eigenvalues of the training loss's Hessian in one matrix, by differentiating twice
    and ARPACK, in falling order, (count,).

    This is the usual way as it is: nothing looks for eigenvalues that ARPACK missed, it fails for a
    zero matrix, and far below 1e-11 it finds nothing.

    Args:
        module: the network.
        samples: training set, in the precision of the network; float64 where the softmax is close
            to 0 and 1.
        matrix: one of the module's parameters, such as `module[2].weight`.
        count: how many.
    """
    loss = nn.functional.cross_entropy(module(samples.images), samples.labels)
    (slope,) = torch.autograd.grad(loss, matrix, create_graph=True)

    def product(direction: np.ndarray) -> np.ndarray:
        along = torch.from_numpy(direction).to(matrix).view_as(matrix)
        return torch.autograd.grad(slope, matrix, along, retain_graph=True)[0].cpu().numpy().ravel()

    shape = (matrix.numel(), matrix.numel())
    # SciPy's stub knows another constructor
    operator = LinearOperator(shape, matvec=product, dtype=float)  # pyright: ignore[reportCallIssue]
    values = eigsh(
        operator,
        k=count,
        which="LA",
        v0=np.random.default_rng(0).standard_normal(matrix.numel()),
        return_eigenvectors=False,
    )
    return np.asarray(values)[::-1]
