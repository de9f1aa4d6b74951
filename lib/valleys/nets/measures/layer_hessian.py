"""Hessian of the training loss with respect to one layer's matrix, without ever building it unless asked."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.measures.lanczos import TOLERANCE, Spectrum, largest_eigenvalues

TOP = 10  # the paper's N: one per class


class LayerMatrix(Protocol):
    """A symmetric matrix over the entries of one layer's matrix, known by its products."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n_in, n_out) of the layer's matrix."""

    def product(self, direction: np.ndarray) -> np.ndarray:
        """Its product with a flat direction, (n_in · n_out,)."""


@dataclass(frozen=True)
class LayerCurvature:
    """The Hessian of mean cross-entropy in one layer's matrix W, all else fixed: H = (1/N) Σ Jᵀ (diag p − p pᵀ) J.

    The scores are piecewise linear in W, so this Gauss-Newton form is the Hessian wherever no unit sits exactly at its kink.

    Attributes:
        inputs: what the layer receives, float64, (N, n_in).
        gates: for each later layer, which of its inputs are on, (N, n) each.
        weights: matrix of each later layer, (n, n') each.
        probabilities: softmax of the scores, (N, n_classes).
    """

    inputs: np.ndarray
    gates: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    probabilities: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(n_in, n_out) of the matrix W."""
        return self.inputs.shape[1], self.gates[0].shape[1] if self.gates else self.probabilities.shape[1]

    def product(self, direction: np.ndarray) -> np.ndarray:
        """H v for a flat direction v, (n_in · n_out,)."""
        change = self.inputs @ direction.reshape(self.shape)
        for gate, weight in zip(self.gates, self.weights, strict=True):
            change = (change * gate) @ weight
        change *= self.probabilities
        change -= self.probabilities * change.sum(axis=1, keepdims=True)
        return (self.inputs.T @ self.carry_back(change)).ravel() / len(self.inputs)

    def carry_back(self, slopes: np.ndarray) -> np.ndarray:
        """Slopes in the scores, (N, n_classes), as slopes in what the layer gives, (N, n_out)."""
        for gate, weight in zip(self.gates[::-1], self.weights[::-1], strict=True):
            slopes = (slopes @ weight.T) * gate
        return slopes

    def dense(self) -> np.ndarray:
        """H itself, (n_in · n_out, n_in · n_out), as a sum of outer products over samples and classes."""
        size = self.shape[0] * self.shape[1]
        total = np.zeros((size, size))
        for chunk in np.array_split(np.arange(len(self.inputs)), max(1, len(self.inputs) // 100)):
            factor = self._factor(chunk)
            total += factor.T @ factor
        return total / len(self.inputs)

    def _factor(self, chunk: np.ndarray) -> np.ndarray:
        """Rows √p_c · (J_c − Σ p_c' J_c') of the chosen samples; their Gram matrix is the samples' share of N·H."""
        back = np.broadcast_to(np.eye(self.probabilities.shape[1]), (len(chunk), *[self.probabilities.shape[1]] * 2))
        for gate, weight in zip(self.gates[::-1], self.weights[::-1], strict=True):
            back = (back @ weight.T) * gate[chunk, None, :]
        p = self.probabilities[chunk, :, None]
        rows = np.sqrt(p) * (back - (p * back).sum(axis=1, keepdims=True))
        return np.einsum("na,ncb->ncab", self.inputs[chunk], rows).reshape(-1, self.shape[0] * self.shape[1])


def layer_curvature(networks: Networks, images: Tensor, index: int = 0, layer: int = SECOND_LAYER) -> LayerCurvature:
    """Freeze what the Hessian of one layer needs, in float64: softmax of a converged network is too close to 0 and 1 for float32.

    Args:
        networks: R networks.
        images: the training images, (N, n_features).
        index: which of the R networks.
        layer: which layer's matrix; the paper takes the second.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import layer_curvature, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature = layer_curvature(problem.start, problem.train.images)
        >>> curvature.product(np.ones(2500)).shape
        (2500,)
    """
    value = images.double().cpu().numpy()
    seen = []
    for weight, bias in zip(networks.weights, networks.biases, strict=True):
        seen.append(np.maximum(value, 0) if seen else value)
        value = seen[-1] @ weight[index].double().cpu().numpy().T + bias[index, :, 0].double().cpu().numpy()
    later = tuple(np.ascontiguousarray(weight[index].double().cpu().numpy().T) for weight in networks.weights[layer + 1 :])
    gates = tuple((inputs > 0).astype(float) for inputs in seen[layer + 1 :])
    return LayerCurvature(seen[layer], gates, later, _softmax(value))


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponential = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def top_eigenvalues(matrix: LayerMatrix, count: int = TOP, *, tolerance: float = TOLERANCE) -> Spectrum:
    """The largest eigenvalues, each as often as it occurs, by the Lanczos method; arguments and errors as in `largest_eigenvalues`.

    Args:
        matrix: the Hessian of a layer, or its gradient noise.
        count: how many.
        tolerance: residual over eigenvalue at which an eigenvector counts as found.
    """
    return largest_eigenvalues(matrix.product, matrix.shape[0] * matrix.shape[1], count, tolerance=tolerance)


def full_spectrum(curvature: LayerCurvature) -> np.ndarray:
    """Every eigenvalue in falling order, (n_in · n_out,); seconds for the 50 × 50 layer, where the top ten take milliseconds.

    Example:
        >>> from valleys.nets import full_spectrum, layer_curvature, load_problem
        >>> problem = load_problem("digits", train_per_class=10, hidden=(10, 10))
        >>> spectrum = full_spectrum(layer_curvature(problem.start, problem.train.images))
        >>> spectrum.shape, bool(spectrum[0] > spectrum[-1])
        ((100,), True)
    """
    return np.linalg.eigvalsh(curvature.dense())[::-1]


def trace(curvature: LayerCurvature) -> float:
    """Sum of all eigenvalues in closed form, (1/N) Σ |x|² Σ_c p_c |J_c − Σ p_c' J_c'|², with x what the layer receives; exact, in milliseconds."""
    n_classes = curvature.probabilities.shape[1]
    mean = curvature.carry_back(curvature.probabilities)
    total = np.zeros(len(curvature.inputs))
    for label in range(n_classes):
        back = curvature.carry_back(np.broadcast_to(np.eye(n_classes)[label], curvature.probabilities.shape))
        total += curvature.probabilities[:, label] * ((back - mean) ** 2).sum(axis=1)
    return float(((curvature.inputs**2).sum(axis=1) * total).mean())


def flatness(eigenvalues: np.ndarray) -> float:
    """F = (Π λ_i)^(−1/N), the inverse geometric mean of the top eigenvalues (Eq. 6); infinite where one is not positive, NaN where one is not finite.

    Example:
        >>> from valleys.nets import flatness
        >>> round(flatness([4.0, 1.0, 0.25]), 6)
        1.0
    """
    values = np.asarray(eigenvalues, dtype=float)
    if not np.isfinite(values).all():
        return float("nan")
    return float(np.exp(-np.log(values).mean())) if (values > 0).all() else float("inf")


def whole_network_eigenvalues(networks: Networks, images: Tensor, labels: Tensor, index: int = 0, count: int = TOP) -> Spectrum:
    """Largest eigenvalues of the Hessian in all weights and biases at once, H v = ∂/∂ε ∇L(θ + ε v) by forward over reverse differentiation.

    Args:
        networks: R networks.
        images: the training images, (N, n_features).
        labels: (N,).
        index: which of the R networks.
        count: how many.
    """
    parts = [part[index].double() for part in networks.weights + networks.biases]
    shapes, sizes = [part.shape for part in parts], [part.numel() for part in parts]
    point = torch.cat([part.reshape(-1) for part in parts])
    slope = torch.func.grad(lambda theta: _loss_at([part.reshape(shape) for part, shape in zip(theta.split(sizes), shapes, strict=True)], images, labels))

    def product(direction: np.ndarray) -> np.ndarray:
        along = torch.from_numpy(np.ascontiguousarray(direction.ravel())).to(point)
        return torch.func.jvp(slope, (point,), (along,))[1].cpu().numpy()

    return largest_eigenvalues(product, len(point), count)


def _loss_at(parts: list[Tensor], images: Tensor, labels: Tensor) -> Tensor:
    value, n_layers = images.double().T, len(parts) // 2
    for layer in range(n_layers):
        value = parts[layer] @ (torch.relu(value) if layer else value) + parts[n_layers + layer]
    return torch.nn.functional.cross_entropy(value.T, labels)
