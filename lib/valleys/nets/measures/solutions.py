"""How alike two solutions are: their errors, the loss between them, their weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets import statistics
from valleys.nets.engine.networks import Networks, forward, interpolate
from valleys.nets.engine.training import Samples, sample_losses
from valleys.results.spec import require, settled


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Sim_J = |E₁ ∩ E₂| / |E₁ ∪ E₂| of two sets of misclassified samples (Eq. 4), bool, (n,) each;
    1 where both sets are empty.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import jaccard
        >>> round(float(jaccard(np.array([True, True, False]), np.array([False, True, True]))), 3)
        0.333
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    same = first.shape == second.shape
    require(same, f"both must tell of the same samples, got {first.shape} and {second.shape}")
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def similarity_matrix(misclassified: np.ndarray) -> np.ndarray:
    """Sim_J of every pair of solutions (Eq. 4), (S, S), from misclassified samples, bool, (S, n).

    Example:
        >>> from valleys.nets import similarity_matrix
        >>> similarity_matrix([[True, True, False, False], [False, True, False, False]])
        array([[1. , 0.5],
               [0.5, 1. ]])
    """
    wrong = np.asarray(misclassified, dtype=float)
    require(wrong.ndim == 2, f"misclassified must be (S, n), one row a solution, got {wrong.shape}")
    both = wrong @ wrong.T
    either = wrong.sum(axis=1)[:, None] + wrong.sum(axis=1) - both
    return np.divide(both, either, out=np.ones_like(both), where=either > 0)


def distance_matrix(weights: np.ndarray) -> np.ndarray:
    """Euclidean distance of every pair of solutions, (S, S), from weights (S, n); NaN where one
    is not finite.
    """
    return np.linalg.norm(weights[:, None] - weights[None], axis=-1)


def cosine_matrix(displacements: np.ndarray) -> np.ndarray:
    """Cosine of the angle between every pair of displacements from the start, (S, S), from (S,
    n); NaN where one is not finite or zero.
    """
    lengths = np.linalg.norm(displacements, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return displacements @ displacements.T / (lengths[:, None] * lengths)


@dataclass(frozen=True)
class Prepared:
    """A network on its samples with the first layer's product done, which serves every path that
    ends at it.

    Attributes:
        received: what the first hidden layer receives, (1, n, N).
        later: the other layers.
        labels: of the samples, (N,).
    """

    received: Tensor
    later: Networks
    labels: Tensor

    @classmethod
    def of(cls, network: Networks, samples: Samples) -> "Prepared":
        """Do the first layer of one network."""
        (first, *weights), (bias, *biases) = network.weights, network.biases
        _, received = forward(Networks((first,), (bias,)), samples.images, samples.offset)
        return cls(received, Networks(tuple(weights), tuple(biases)), samples.labels)


def prepared_path_losses(first: Prepared, second: Prepared, fractions: np.ndarray) -> np.ndarray:
    """Loss at α θ₁ + (1 − α) θ₂ for each α, (len(fractions),).

    What the first layer gives before its ReLU is linear in α, so it is mixed, and only the later
    layers are done for each α.
    """
    alpha = torch.as_tensor(fractions, dtype=first.received.dtype, device=first.received.device)
    weight = alpha.view(-1, 1, 1)
    received = weight * first.received + (1 - weight) * second.received
    _, scores = forward(interpolate(first.later, second.later, alpha), received.relu_().mT)
    return sample_losses(scores, first.labels).mean(dim=1).cpu().numpy()


@settled
def path_losses(
    first: Networks, second: Networks, samples: Samples, n_fractions: int = 21
) -> np.ndarray:
    """Loss along the straight line from one network to another, both ends included, (n_fractions,).

    Args:
        first: one network, such as `networks.pick(slice(0, 1))`.
        second: one network.
        samples: what the loss is taken on.
        n_fractions: equally spaced points of the line.

    Raises:
        ValueError: more or fewer than one network each, or fewer than two points.

    Example:
        >>> from valleys.nets import barrier, initialize, load_problem, path_losses
        >>> train = load_problem("digits", train_per_class=10).train
        >>> ends = [initialize(train.images.shape[1], seed) for seed in (0, 1)]
        >>> losses = path_losses(*ends, train, n_fractions=5)
        >>> losses.shape
        (5,)
    """
    require(
        len(first) == len(second) == 1,
        f"a line joins one network with one, got {len(first)} and {len(second)}; pick one of each",
    )
    require(n_fractions >= 2, f"n_fractions must be 2 or more (both ends), got {n_fractions}")
    ends = (Prepared.of(network, samples) for network in (second, first))
    return prepared_path_losses(*ends, fractions=np.linspace(0, 1, n_fractions))


def _along_a_path(losses: np.ndarray) -> np.ndarray:
    """Losses as an array whose last axis is a path."""
    found = np.asarray(losses)
    require(
        found.dtype.kind in "fiu" and found.ndim >= 1 and found.shape[-1] >= 2,
        "losses must be numbers with both ends of a path along the last axis, got "
        f"{found.dtype} of shape {found.shape}",
    )
    return found


def barrier(losses: np.ndarray) -> np.ndarray:
    """ΔL = max over the path − mean of its two ends (Eq. 5); the path runs along the last axis.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import barrier
        >>> float(barrier(np.array([0.25, 1.0, 0.75])))
        0.5
    """
    losses = _along_a_path(losses)
    return losses.max(axis=-1) - (losses[..., 0] + losses[..., -1]) / 2


def rise(losses: np.ndarray) -> np.ndarray:
    """Max over the path − the higher of its ends, 0 or more: a slope without a hill has a barrier
    by Eq. 5, but no rise.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import rise
        >>> float(rise(np.array([0.25, 1.0, 0.75])))
        0.25
    """
    losses = _along_a_path(losses)
    return losses.max(axis=-1) - np.maximum(losses[..., 0], losses[..., -1])


def emergence(rises: np.ndarray, times: np.ndarray, share: float = 0.5) -> np.ndarray:
    """The first of `times`, (n,), from which on the rise never falls below `share` of its last
    value; `rises` (…, n) run along the last axis.
    """
    return statistics.since(times, rises >= share * rises[..., -1:])


@dataclass(frozen=True)
class Projection:
    """Trajectories on two principal components.

    Attributes:
        scores: positions of each trajectory, (n_points, 2) each.
        explained: share of the variance along each component, (2,).
    """

    scores: tuple[np.ndarray, ...]
    explained: np.ndarray


def project(
    trajectories: Sequence[np.ndarray], fit_on: Sequence[np.ndarray] | None = None
) -> Projection:
    """The first two principal components of weights.

    Args:
        trajectories: weights of each run, (n_points, n_weights) each.
        fit_on: what the components are fitted on, in the same form; `trajectories` if None.
    """
    from sklearn.decomposition import PCA  # takes seconds to load, and few want it

    model = PCA(n_components=2, svd_solver="arpack", random_state=0).fit(
        np.concatenate(list(trajectories if fit_on is None else fit_on))
    )
    return Projection(
        tuple(model.transform(run) for run in trajectories), model.explained_variance_ratio_
    )
