"""Hessian of the training loss with respect to one layer's matrix, without ever building it
unless asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.measures.lanczos import SymmetricOperator
from valleys.results.spec import check_place, settled

TOP = 10  # the paper's N: one per class


@dataclass(frozen=True, eq=False)
class LayerCurvature(SymmetricOperator):
    """The Hessian of mean cross-entropy in one layer's matrix W, all else fixed: H = (1/N) Σ Jᵀ
    (diag p − p pᵀ) J.

    The scores are piecewise linear in W, so this Gauss-Newton form is the Hessian wherever no unit
    sits exactly at its kink.

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
    def layer_shape(self) -> tuple[int, int]:
        """(n_in, n_out) of the matrix W."""
        return self.inputs.shape[1], self.gates[0].shape[
            1
        ] if self.gates else self.probabilities.shape[1]

    @property
    def size(self) -> int:
        """Number of entries of the matrix W."""
        return self.layer_shape[0] * self.layer_shape[1]

    @cached_property
    def likeliest(self) -> np.ndarray:
        """The class of the largest probability of each sample, (N, 1)."""
        return self.probabilities.argmax(axis=1, keepdims=True)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """H v for a flat direction v, (n_in · n_out,)."""
        change = self.inputs @ direction.reshape(self.layer_shape)
        for gate, weight in zip(self.gates, self.weights, strict=True):
            change *= gate
            change = change @ weight
        # against the likeliest score, so that nothing cancels where the network is sure
        change -= np.take_along_axis(change, self.likeliest, axis=1)
        change *= self.probabilities
        change -= self.probabilities * change.sum(axis=1, keepdims=True)
        return (self.inputs.T @ self.carry_back(change)).ravel() / len(self.inputs)

    def carry_back(self, slopes: np.ndarray) -> np.ndarray:
        """Slopes in the scores, (N, n_classes), as slopes in what the layer gives, (N, n_out)."""
        for gate, weight in zip(self.gates[::-1], self.weights[::-1], strict=True):
            slopes = slopes @ weight.T
            slopes *= gate
        return slopes

    def dense(self) -> np.ndarray:
        """H itself, (n_in · n_out, n_in · n_out), as a sum of outer products over samples and
        classes.
        """
        pairs = zip(self.probabilities.T, self.score_slopes(), strict=True)
        rows = self.factor_rows(sum((p[:, None] * back for p, back in pairs), np.zeros(())))
        total = np.zeros(self.shape)
        for chunk in np.array_split(np.arange(len(self.inputs)), max(1, len(self.inputs) // 100)):
            factor = np.einsum("na,cnb->ncab", self.inputs[chunk], rows[:, chunk])
            factor = factor.reshape(-1, self.size)  # its Gram matrix is the chunk's share of N·H
            total += factor.T @ factor
        return total / len(self.inputs)

    def trace(self) -> float:
        """Sum of all eigenvalues in closed form, (1/N) Σ |x|² Σ_c p_c |J_c − Σ p_c' J_c'|², with
        x what the layer receives; exact, in milliseconds.
        """
        mean = self.carry_back(self.probabilities)
        total = np.zeros(len(self.inputs))
        for p, back in zip(self.probabilities.T, self.score_slopes(), strict=True):
            total += p * ((back - mean) ** 2).sum(axis=1)
        return float(((self.inputs**2).sum(axis=1) * total).mean())

    def score_slopes(self) -> Iterator[np.ndarray]:
        """J_c, slopes of each score of every sample in what the layer gives, (N, n_out) a class."""
        for one in np.eye(self.probabilities.shape[1]):
            yield self.carry_back(np.broadcast_to(one, self.probabilities.shape))

    def factor_rows(self, mean: np.ndarray) -> np.ndarray:
        """√p_c · (J_c − Σ p_c' J_c') of each class and sample, (n_classes, N, n_out).

        Args:
            mean: Σ p_c J_c, (N, n_out): what `carry_back` makes of the probabilities, or the sum
                itself, which differs in rounding.
        """
        pairs = zip(self.probabilities.T, self.score_slopes(), strict=True)
        return np.stack([np.sqrt(p)[:, None] * (back - mean) for p, back in pairs])


@settled
def layer_curvature(
    networks: Networks, images: Tensor, index: int = 0, layer: int = SECOND_LAYER
) -> LayerCurvature:
    """Freeze what the Hessian of one layer needs, in float64: softmax of a converged network is too
    close to 0 and 1 for float32.

    Args:
        networks: R networks.
        images: the training images, (N, n_features).
        index: which of the R networks.
        layer: which layer's matrix; the paper takes the second.

    Raises:
        ValueError: not such networks, or no such network or layer; `valleys.nets.curvature` takes
            any module.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import layer_curvature, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature = layer_curvature(problem.start, problem.train.images)
        >>> curvature.product(np.ones(2500)).shape
        (2500,)
    """
    check_place("index", index, len(networks))
    check_place("layer", layer, len(networks.weights))
    value = images.double().cpu().numpy()
    seen = []
    for weight, bias in zip(networks.weights, networks.biases, strict=True):
        seen.append(np.maximum(value, 0) if seen else value)
        value = (
            seen[-1] @ weight[index].double().cpu().numpy().T
            + bias[index, :, 0].double().cpu().numpy()
        )
    later = tuple(
        np.ascontiguousarray(weight[index].double().cpu().numpy().T)
        for weight in networks.weights[layer + 1 :]
    )
    gates = tuple((inputs > 0).astype(float) for inputs in seen[layer + 1 :])
    return LayerCurvature(seen[layer], gates, later, _softmax(value))


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponential = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


@settled
def full_spectrum(curvature: LayerCurvature) -> np.ndarray:
    """Every eigenvalue in falling order, (n_in · n_out,); seconds for the 50 × 50 layer, where the
    top ten take milliseconds.

    Example:
        >>> from valleys.nets import full_spectrum, layer_curvature, load_problem
        >>> problem = load_problem("digits", train_per_class=10, hidden=(10, 10))
        >>> spectrum = full_spectrum(layer_curvature(problem.start, problem.train.images))
        >>> spectrum.shape, bool(spectrum[0] > spectrum[-1])
        ((100,), True)
    """
    return np.linalg.eigvalsh(curvature.dense())[::-1]


def flatness(eigenvalues: np.ndarray) -> float:
    """F = (Π λ_i)^(−1/N), the inverse geometric mean of the top eigenvalues (Eq. 6); infinite where
    one is not positive, NaN where one is not finite.

    Example:
        >>> from valleys.nets import flatness
        >>> round(flatness([4.0, 1.0, 0.25]), 6)
        1.0
    """
    values = np.asarray(eigenvalues, dtype=float)
    if not np.isfinite(values).all():
        return float("nan")
    return float(np.exp(-np.log(values).mean())) if (values > 0).all() else float("inf")
