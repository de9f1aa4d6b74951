"""How sparse the features of a network are: what its last hidden layer gives for each sample."""

import numpy as np
from torch import Tensor

from valleys.nets.engine.networks import Networks, forward

HELD = 0.99  # share of the variance that counts as all of it


def features(networks: Networks, images: Tensor) -> np.ndarray:
    """What the last hidden layer gives, (R, N, n)."""
    hidden, _ = forward(networks, images)
    return hidden[-1].mT.double().cpu().numpy()


def active_share(values: np.ndarray) -> np.ndarray:
    """Share of pairs of a sample and a unit that is on, among units that are on for some sample
    (Andriushchenko et al. 2023), (…,), from features, (…, N, n).
    """
    on = values > 0
    n_used = on.any(axis=-2).sum(axis=-1)
    return on.sum(axis=(-2, -1)) / (values.shape[-2] * np.maximum(n_used, 1))


def held_rank(values: np.ndarray, held: float = HELD) -> np.ndarray:
    """The fewest principal directions that hold this share of the variance of features, (…,), from
    (…, N, n).
    """
    centred = values - values.mean(axis=-2, keepdims=True)
    variance = np.linalg.svd(centred, compute_uv=False) ** 2
    shares = variance.cumsum(axis=-1) / variance.sum(axis=-1, keepdims=True)
    return (shares < held).sum(axis=-1) + 1
