"""How alike two solutions are: their errors, the loss between them, their weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA

from valleys.nets.ensemble import Samples, mean_loss
from valleys.nets.networks import Networks, interpolate


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Sim_J = |E₁ ∩ E₂| / |E₁ ∪ E₂| of two sets of misclassified samples (Eq. 4), bool, (n,) each; 1 where both sets are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def similarity_matrix(misclassified: np.ndarray) -> np.ndarray:
    """Sim_J of every pair of solutions (Eq. 4), (S, S), from misclassified samples, bool, (S, n)."""
    wrong = np.asarray(misclassified, dtype=float)
    both = wrong @ wrong.T
    either = wrong.sum(axis=1)[:, None] + wrong.sum(axis=1) - both
    return np.divide(both, either, out=np.ones_like(both), where=either > 0)


def distance_matrix(weights: np.ndarray) -> np.ndarray:
    """Euclidean distance of every pair of solutions, (S, S), from weights (S, n); NaN where one is not finite."""
    return np.linalg.norm(weights[:, None] - weights[None], axis=-1)


def cosine_matrix(displacements: np.ndarray) -> np.ndarray:
    """Cosine of the angle between every pair of displacements from the start, (S, S), from (S, n); NaN where one is not finite or zero."""
    lengths = np.linalg.norm(displacements, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return displacements @ displacements.T / (lengths[:, None] * lengths)


def path_losses(first: Networks, second: Networks, samples: Samples, fractions: np.ndarray) -> np.ndarray:
    """Loss at α θ₁ + (1 − α) θ₂ for each α, (len(fractions),); `first` and `second` hold one network each."""
    alpha = torch.as_tensor(fractions, dtype=samples.images.dtype, device=samples.images.device)
    return mean_loss(interpolate(first, second, alpha), samples).cpu().numpy()


def barrier(losses: np.ndarray) -> np.ndarray:
    """ΔL = max over the path − mean of its two ends (Eq. 5); the path runs along the last axis."""
    return losses.max(axis=-1) - (losses[..., 0] + losses[..., -1]) / 2


@dataclass(frozen=True)
class Projection:
    """Trajectories on two principal components.

    Attributes:
        scores: positions of each trajectory, (n_points, 2) each.
        explained: share of the variance along each component, (2,).
    """

    scores: tuple[np.ndarray, ...]
    explained: np.ndarray


def project(trajectories: Sequence[np.ndarray], fit_on: Sequence[np.ndarray] | None = None) -> Projection:
    """The first two principal components of weights.

    Args:
        trajectories: weights of each run, (n_points, n_weights) each.
        fit_on: what the components are fitted on, in the same form; `trajectories` if None.
    """
    model = PCA(n_components=2, svd_solver="arpack", random_state=0).fit(np.concatenate(list(trajectories if fit_on is None else fit_on)))
    return Projection(tuple(model.transform(run) for run in trajectories), model.explained_variance_ratio_)
