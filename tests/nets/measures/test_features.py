import numpy as np
import pytest

from tests.nets.networks import small
from valleys.nets.measures.features import active_share, features, held_rank


def test_features_are_what_the_last_hidden_layer_gives(blobs):
    networks = small().to(blobs.images.dtype)
    value = blobs.images
    for weight, bias in zip(networks.weights[:-1], networks.biases[:-1], strict=True):
        value = (value @ weight[0].T + bias[0, :, 0]).relu()
    np.testing.assert_allclose(features(networks, blobs.images)[0], value.numpy())


def test_the_share_counts_units_that_are_ever_on():
    values = np.array([[[1.0, 0.0, 0.0], [2.0, 3.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    assert active_share(values).tolist() == [0.75, 0.0]


@pytest.mark.parametrize("rank", [1, 3])
def test_the_rank_is_that_of_a_product_of_narrow_matrices(rank):
    rng = np.random.default_rng(rank)
    values = rng.standard_normal((200, rank)) @ np.eye(rank, 8) + 5.0
    assert held_rank(values + 1e-3 * rng.standard_normal(values.shape)) == rank
    assert held_rank(np.stack([values, values])).tolist() == [rank, rank]
