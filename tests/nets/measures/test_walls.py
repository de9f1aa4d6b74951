import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.nets.networks import small, trained
from valleys.nets.engine.training import Samples
from valleys.nets.measures.walls import N_FRACTIONS, walls, walls_of


@pytest.fixture(scope="module")
def apart():
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.normal(size=(30, 5)), dtype=torch.float32)
    labels = torch.tensor(rng.integers(3, size=30))
    samples = Samples(images, labels)
    return trained(small(4), samples, 400, learning_rate=0.3, batch_size=2), samples


def loss(weights: list[torch.Tensor], samples: Samples) -> float:
    """Of one network, layer by layer: matrices and biases in turn."""
    values = samples.images
    for place in range(0, len(weights), 2):
        values = values @ weights[place].T + weights[place + 1]
        values = values.relu() if place + 2 < len(weights) else values
    return float(functional.cross_entropy(values, samples.labels))


def test_a_wall_is_the_rise_above_the_higher_end_on_the_straight_line(apart):
    networks, samples = apart
    parts = list(networks.parameters.values())
    shares = np.linspace(0, 1, N_FRACTIONS)

    def expected(first: int, second: int) -> float:
        losses = [
            loss([part[first] + share * (part[second] - part[first]) for part in parts], samples)
            for share in shares.tolist()
        ]
        return max(losses) - max(losses[0], losses[-1])

    places = np.stack(np.triu_indices(4, 1), axis=1)
    found = walls(networks, samples)
    assert found.max() > 0.01
    np.testing.assert_allclose(found, [expected(*pair) for pair in places.tolist()], atol=1e-5)
    some = np.array([[3, 0], [2, 2], [1, 3]])
    np.testing.assert_allclose(
        walls_of(networks, some, samples), [expected(*pair) for pair in some.tolist()], atol=1e-5
    )
