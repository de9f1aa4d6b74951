"""Curvature and gradient noise of all weights and biases at once, by automatic differentiation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples, margin_losses
from valleys.nets.measures.lanczos import SymmetricOperator
from valleys.results.spec import check_place, settled


@dataclass(frozen=True, eq=False)
class WholeNetwork(SymmetricOperator):
    """The Hessian of the training loss of one network in all its weights and biases, in float64.

    Attributes:
        point: where the network is, in the order of `Networks.flat`, (n,).
        shapes: of the parts.
        samples: training set, float64.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import WholeNetwork, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> whole = WholeNetwork.of(problem.start, problem.train)
        >>> whole.product(np.ones(len(whole.point))).shape == whole.point.shape
        True
    """

    point: Tensor
    shapes: tuple[torch.Size, ...]
    samples: Samples

    @classmethod
    @settled
    def of(cls, networks: Networks, samples: Samples, index: int = 0) -> "WholeNetwork":
        """One of R networks on a training set.

        Raises:
            ValueError: not such networks, or no such network; `valleys.nets.curvature` takes any
                module.
        """
        check_place("index", index, len(networks))
        one = networks.one(index).to(torch.float64)
        shapes = tuple(part[0].shape for part in one.weights + one.biases)
        return cls(one.flat()[0], shapes, Samples(samples.images.double(), samples.labels))

    @property
    def size(self) -> int:
        """Number of weights and biases."""
        return len(self.point)

    @property
    def noise(self) -> "WholeNoise":
        """The covariance of the single samples' gradients there."""
        return WholeNoise(self)

    def losses(self, theta: Tensor) -> Tensor:
        """Cross-entropy of each sample, (N,)."""
        split = theta.split([shape.numel() for shape in self.shapes])
        parts = [part.reshape(shape) for part, shape in zip(split, self.shapes, strict=True)]
        value, n_layers = self.samples.images.T, len(parts) // 2
        for layer in range(n_layers):
            value = parts[layer] @ (torch.relu(value) if layer else value) + parts[n_layers + layer]
        return margin_losses(value.T, self.samples.labels)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """H v for a flat direction v, (n,), by forward over reverse differentiation."""
        slope = torch.func.grad(lambda theta: self.losses(theta).mean())
        return torch.func.jvp(slope, (self.point,), (self.tensor(direction),))[1].cpu().numpy()

    def tensor(self, direction: np.ndarray) -> Tensor:
        """A flat direction beside the point, (n,)."""
        return torch.from_numpy(np.ascontiguousarray(direction.ravel())).to(self.point)


@dataclass(frozen=True, eq=False)
class WholeNoise(SymmetricOperator):
    """Covariance of the per-sample gradients g of one network in all its weights and biases, Σ =
    (1/N) Σ g gᵀ − ḡ ḡᵀ.

    Attributes:
        network: where it is, and its samples.
    """

    network: WholeNetwork

    @property
    def size(self) -> int:
        """Number of weights and biases."""
        return self.network.size

    def product(self, direction: np.ndarray) -> np.ndarray:
        """Σ v for a flat direction v, (n,): the gradient of the losses, each weighted by how far
        its slope along v is from the mean slope.
        """
        along = self._along(direction)
        slope = torch.func.grad(lambda theta: self.network.losses(theta) @ (along - along.mean()))
        return slope(self.network.point).cpu().numpy() / len(along)

    def variance(self, directions: np.ndarray) -> np.ndarray:
        """vᵀΣv of each of k flat unit directions, (k,), from (k, n): how the single samples'
        gradients scatter along them.
        """
        return np.array(
            [float(self._along(direction).var(unbiased=False)) for direction in directions]
        )

    def _along(self, direction: np.ndarray) -> Tensor:
        """g · v of each sample, (N,)."""
        return torch.func.jvp(
            self.network.losses, (self.network.point,), (self.network.tensor(direction),)
        )[1]
