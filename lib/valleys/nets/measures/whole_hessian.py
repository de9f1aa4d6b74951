"""Curvature and gradient noise of all weights and biases at once, by automatic differentiation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples
from valleys.nets.measures.lanczos import largest_eigenpairs
from valleys.nets.measures.noise_alignment import EIGENVECTOR_TOLERANCE


def flat(networks: Networks) -> Tensor:
    """All weights, then all biases, of each network in a row, (R, n)."""
    return torch.cat([part.flatten(1) for part in networks.weights + networks.biases], dim=1)


@dataclass(frozen=True)
class WholeNetwork:
    """The training loss of one network as a function of all its weights and biases, in float64.

    Attributes:
        point: where the network is, in the order of `flat`, (n,).
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
    def of(cls, networks: Networks, samples: Samples, index: int = 0) -> "WholeNetwork":
        """One of R networks on a training set."""
        one = networks.pick(slice(index, index + 1)).to(torch.float64)
        shapes = tuple(part[0].shape for part in one.weights + one.biases)
        return cls(flat(one)[0], shapes, Samples(samples.images.double(), samples.labels))

    def losses(self, theta: Tensor) -> Tensor:
        """Cross-entropy of each sample, (N,)."""
        split = theta.split([shape.numel() for shape in self.shapes])
        parts = [part.reshape(shape) for part, shape in zip(split, self.shapes, strict=True)]
        value, n_layers = self.samples.images.T, len(parts) // 2
        for layer in range(n_layers):
            value = parts[layer] @ (torch.relu(value) if layer else value) + parts[n_layers + layer]
        return torch.nn.functional.cross_entropy(value.T, self.samples.labels, reduction="none")

    def product(self, direction: np.ndarray) -> np.ndarray:
        """H v for a flat direction v, (n,), by forward over reverse differentiation."""
        slope = torch.func.grad(lambda theta: self.losses(theta).mean())
        return torch.func.jvp(slope, (self.point,), (self._tensor(direction),))[1].cpu().numpy()

    def variance(self, directions: np.ndarray) -> np.ndarray:
        """vᵀΣv of each of k flat unit directions, (k,), from (k, n): how the single samples' gradients scatter along them."""
        along = [torch.func.jvp(self.losses, (self.point,), (self._tensor(direction),))[1] for direction in directions]
        return np.array([float(each.var(unbiased=False)) for each in along])

    def top_eigenpairs(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Largest eigenvalues of H in falling order, (count,), and their unit eigenvectors, (count, n)."""
        return largest_eigenpairs(self.product, len(self.point), count, tolerance=EIGENVECTOR_TOLERANCE)

    def _tensor(self, direction: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(direction.ravel())).to(self.point)
