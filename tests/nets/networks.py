"""Small networks that several tests train and look at."""

import numpy as np

from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.training import Samples, train


def small(count: int = 1) -> Networks:
    """Equal networks for points of three classes in five dimensions, float32."""
    return initialize(5, 2, hidden=(8, 6), n_classes=3).repeat(count)


def trained(
    networks: Networks,
    samples: Samples,
    n_steps: int,
    *,
    learning_rate: float = 0.1,
    batch_size: int = 10,
) -> Networks:
    """The same networks after so many steps, each with batch orders of its own."""
    train(
        networks,
        samples,
        learning_rate=learning_rate,
        batch_size=batch_size,
        n_steps=n_steps,
        streams=[np.random.default_rng(run) for run in range(len(networks))],
        visits={},
    )
    return networks
