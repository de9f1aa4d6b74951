"""How the gradients of single samples scatter: the noise of a mini-batch in one layer's matrix."""

from dataclasses import dataclass

import numpy as np

from valleys.nets.measures.lanczos import SymmetricOperator
from valleys.nets.measures.layer_hessian import LayerCurvature
from valleys.results.spec import require, settled


@dataclass(frozen=True, eq=False)
class LayerNoise(SymmetricOperator):
    """Covariance of the per-sample gradients g in one layer's matrix W, Σ = (1/N) Σ g gᵀ − ḡ ḡᵀ;
    each g is an outer product, input · slopeᵀ.

    Attributes:
        inputs: what the layer receives, float64, (N, n_in).
        slopes: slope of each sample's loss in what the layer gives, (N, n_out).
    """

    inputs: np.ndarray
    slopes: np.ndarray

    @property
    def layer_shape(self) -> tuple[int, int]:
        """(n_in, n_out) of the matrix W."""
        return self.inputs.shape[1], self.slopes.shape[1]

    @property
    def size(self) -> int:
        """Number of entries of the matrix W."""
        return self.layer_shape[0] * self.layer_shape[1]

    @property
    def mean_gradient(self) -> np.ndarray:
        """The mean gradient, flat, (n_in · n_out,)."""
        return (self.inputs.T @ self.slopes).ravel() / len(self.inputs)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """Σ v for a flat direction v, (n_in · n_out,)."""
        along = self._along(direction)
        return (self.inputs.T @ (self.slopes * (along - along.mean())[:, None])).ravel() / len(
            self.inputs
        )

    def variance(self, directions: np.ndarray) -> np.ndarray:
        """vᵀ Σ v of each of k flat unit directions, (k,), from (k, n_in · n_out)."""
        return np.array([self._along(direction).var() for direction in directions])

    def trace(self) -> float:
        """Sum of all eigenvalues, the mean of ‖g‖² less ‖ḡ‖²."""
        squares = (self.inputs**2).sum(axis=1) * (self.slopes**2).sum(axis=1)
        return float(squares.mean() - (self.mean_gradient**2).sum())

    def _along(self, direction: np.ndarray) -> np.ndarray:
        """g · v of each sample, (N,)."""
        return ((self.inputs @ direction.reshape(self.layer_shape)) * self.slopes).sum(axis=1)


@settled
def layer_noise(curvature: LayerCurvature, labels: np.ndarray) -> LayerNoise:
    """The gradient noise of the layer whose curvature is frozen there.

    Args:
        curvature: of the layer, from `layer_curvature`.
        labels: of its samples, (N,).

    Example:
        >>> from valleys.nets import layer_curvature, layer_noise, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature = layer_curvature(problem.start, problem.train.images)
        >>> noise = layer_noise(curvature, problem.train.labels.numpy())
        >>> noise.trace() > 0
        True
    """
    errors = curvature.probabilities.copy()
    fits = np.shape(labels) == errors.shape[:1]
    require(fits, f"labels must be those of {len(errors)} samples, got shape {np.shape(labels)}")
    right = np.asarray(labels)[:, None]
    np.put_along_axis(errors, right, 0.0, axis=1)
    # the right score's error is p − 1, which cancels where the network is sure
    np.put_along_axis(errors, right, -errors.sum(axis=1, keepdims=True), axis=1)
    return LayerNoise(curvature.inputs, curvature.carry_back(errors))


def batch_factor(batch_size: int, n_samples: int) -> float:
    """What Σ is multiplied with for a mini-batch drawn without replacement, (1/B) · (N − B)/(N −
    1).

    Example:
        >>> from valleys.nets.measures.gradient_noise import batch_factor
        >>> batch_factor(50, 1000) > batch_factor(200, 1000) > batch_factor(1000, 1000)
        True
    """
    return (n_samples - batch_size) / (n_samples - 1) / batch_size
