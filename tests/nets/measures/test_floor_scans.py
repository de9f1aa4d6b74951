import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.training import evaluate
from valleys.nets.measures.floor_scans import Floors, hill
from valleys.nets.measures.solutions import rise


def test_a_hill_needs_a_dip_on_either_side():
    paths = np.array(
        [
            [3.0, 2.0, 1.0],
            [1.0, 2.0, 3.0],
            [3.0, 1.0, 2.0],
            [1.0, 3.0, 2.0],
            [3.0, 1.0, 2.0],
            [9.0, 1.0, 4.0],
        ]
    )
    np.testing.assert_array_equal(hill(paths), [0, 0, 0, 1, 0, 0])
    # on the way down, which no comparison with the ends sees
    assert hill(np.array([9.0, 5.0, 6.5, 2.0])) == 1.5
    assert rise(np.array([9.0, 5.0, 6.5, 2.0])) == 0


def test_a_hill_is_the_best_of_all_triples():
    rng = np.random.default_rng(0)
    for path in rng.random((50, 7)):
        climbs = [
            min(path[j] - path[i], path[j] - path[k])
            for i in range(7)
            for j in range(i + 1, 7)
            for k in range(j + 1, 7)
        ]
        assert hill(path) == pytest.approx(max(0, *climbs))
        assert hill(path) >= rise(path)


def test_scans_are_losses_of_mixed_networks_and_none_goes_to_a_missing_floor(blobs):
    networks = [
        [
            initialize(5, 10 * run + window, hidden=(7, 6), n_classes=3).to(torch.float64)
            for window in range(3)
        ]
        for run in range(2)
    ]
    floors = Floors.of([[*networks[0][:2], None], networks[1]], blobs, 5)
    along, across = floors.along(), floors.across()
    assert along.shape == (2, 3, 3, 5)
    assert across.shape == (2, 2, 3, 5)
    pairs = [
        (along[1, 0, 2], networks[1][0], networks[1][2]),
        (across[0, 1, 1], networks[0][1], networks[1][1]),
    ]
    for losses, first, second in pairs:
        for index, fraction in enumerate(np.linspace(0, 1, 5)):
            parts = [
                tuple((1 - fraction) * one + fraction * two for one, two in zip(*both, strict=True))
                for both in ((first.weights, second.weights), (first.biases, second.biases))
            ]
            assert losses[index] == pytest.approx(
                float(evaluate(Networks(*parts), blobs).loss), rel=1e-12
            )
    np.testing.assert_array_equal(along[1, 2, 0], along[1, 0, 2][::-1])
    np.testing.assert_array_equal(across[1, 0], across[0, 1][..., ::-1])
    assert np.isnan(along[0, :, 2]).all()
    assert np.isnan(across[0, 1, 2]).all()
    assert np.isnan(across[0, 0]).all()
    assert np.isfinite(along[0, :2, :2]).all()
