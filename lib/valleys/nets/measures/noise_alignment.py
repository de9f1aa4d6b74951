"""Whether the noise of mini-batches follows the curvature: traces of products in closed form,
and eigenvectors (Eq. 15).
"""

from dataclasses import dataclass

import numpy as np

from valleys.nets.measures.gradient_noise import LayerNoise
from valleys.nets.measures.layer_hessian import LayerCurvature

ROUNDING = 1e-10  # of the largest curvature; less is none


@dataclass(frozen=True)
class Traces:
    """Traces of the Hessian H of one layer, of the covariance Σ of its per-sample gradients, and of
    their products.

    Attributes:
        hessian: Tr H.
        noise: Tr Σ.
        product: Tr ΣH.
        hessian_squared: Tr H².
        noise_squared: Tr Σ².
        size: number of weights, the side of both matrices.
    """

    hessian: float
    noise: float
    product: float
    hessian_squared: float
    noise_squared: float
    size: int

    @property
    def cosine(self) -> float:
        """Tr ΣH / √(Tr Σ² · Tr H²): one if Σ ∝ H, as Eq. 15 has it."""
        return self.product / (self.noise_squared * self.hessian_squared) ** 0.5

    @property
    def isotropic_cosine(self) -> float:
        """The same for noise of equal strength in all directions, Tr H / √(d · Tr H²)."""
        return self.hessian / (self.size * self.hessian_squared) ** 0.5

    @property
    def over_isotropic(self) -> float:
        """Tr ΣH over Tr Σ · Tr H / d, its value for isotropic noise of the same total strength."""
        return self.product * self.size / (self.noise * self.hessian)

    @property
    def noise_per_curvature(self) -> float:
        """Tr ΣH / Tr H², the c that brings c·H closest to Σ; times `batch_factor` it is the 2σ
        of Eq. 15.
        """
        return self.product / self.hessian_squared


def traces(curvature: LayerCurvature, noise: LayerNoise) -> Traces:
    """All traces exactly, from matrices over pairs of samples.

    Both matrices are means of x xᵀ ⊗ A over samples, and Tr (x xᵀ ⊗ A)(y yᵀ ⊗ B) = (x·y)² Tr AB.
    For H, A = Jᵀ (diag p − p pᵀ) J; for Σ it is s sᵀ with the slope s of the sample's loss, and the
    mean gradient ḡ is taken off: Tr ΣH = Tr GH − ḡᵀHḡ, Tr Σ² = Tr G² − 2 ḡᵀGḡ + (ḡᵀḡ)².

    Args:
        curvature: of the layer.
        noise: of the same layer on the same samples.

    Example:
        >>> from valleys.nets import layer_curvature, layer_noise, load_problem
        >>> from valleys.nets.measures.noise_alignment import traces
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature = layer_curvature(problem.start, problem.train.images)
        >>> found = traces(curvature, layer_noise(curvature, problem.train.labels.numpy()))
        >>> found.isotropic_cosine < found.cosine < 1
        True
    """
    near, slopes, mean = (
        (curvature.inputs @ curvature.inputs.T) ** 2,
        noise.slopes,
        noise.mean_gradient,
    )
    # (n_classes, N, n_out)
    rows = curvature.factor_rows(curvature.carry_back(curvature.probabilities))
    blocks = np.einsum("cna,cnb->nab", rows, rows, optimize=True).reshape(len(slopes), -1)
    # (N, N): curvature of one sample along the gradient of another
    bent = sum((row @ slopes.T) ** 2 for row in rows)
    squared, along = mean @ mean, mean @ noise.product(mean)  # the noise along ḡ is ḡᵀGḡ − (ḡᵀḡ)²
    return Traces(
        hessian=curvature.trace(),
        noise=noise.trace(),
        product=float((near * bent).mean() - mean @ curvature.product(mean)),
        hessian_squared=float((near * (blocks @ blocks.T)).mean()),
        noise_squared=float((near * (slopes @ slopes.T) ** 2).mean() - 2 * along - squared**2),
        size=mean.size,
    )


def shared(first: np.ndarray, second: np.ndarray) -> float:
    """Mean squared projection of the orthonormal rows of one matrix, (k, d), into the span of
    another's, (m, d): one within it, m/d by chance.
    """
    return float(((first @ second.T) ** 2).sum() / len(first))


def exponent(curvatures: np.ndarray, variances: np.ndarray) -> float:
    """p of noise ∝ curvatureᵖ: slope of ln variance against ln curvature over directions, (n,)
    each; those without curvature or noise are left out.
    """
    known = (curvatures > ROUNDING * np.max(curvatures)) & (variances > 0)
    if known.sum() < 3:
        return float("nan")
    return float(np.polyfit(np.log(curvatures[known]), np.log(variances[known]), 1)[0])
