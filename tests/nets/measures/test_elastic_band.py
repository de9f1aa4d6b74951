import numpy as np
import pytest
import torch
from torch import nn

from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.stack import flat
from valleys.nets.engine.training import Samples, evaluate, train
from valleys.nets.measures.elastic_band import across, elastic_band, spread
from valleys.nets.measures.solutions import path_losses, rise


@pytest.fixture(scope="module")
def rings():
    """Eighty points inside and outside a circle, float64."""
    points = np.random.default_rng(1).normal(size=(80, 2))
    inside = (points**2).sum(axis=1) < 1.4
    return Samples.of(points, inside.astype(int), dtype=torch.float64)


@pytest.fixture(scope="module")
def ends(rings):
    """Two networks that have learned the same points from starts of their own."""
    found = []
    for seed in (0, 1):
        network = initialize(2, seed, hidden=(8, 8), n_classes=2).to(torch.float64)
        train(
            network,
            rings,
            learning_rate=0.3,
            batch_size=80,
            n_steps=1500,
            streams=[],
            visits={},
        )
        found.append(network)
    return found


def test_a_band_leads_around_a_wall(rings, ends):
    band = elastic_band(*ends, rings, n_steps=400, learning_rate=0.2)
    straight = rise(path_losses(ends[1], ends[0], rings, n_fractions=41))
    assert straight > 0.1, "there must be a wall to lead around"
    assert rise(band.straight) == pytest.approx(straight, rel=1e-9)
    assert rise(band.losses) < 0.3 * straight
    assert band.losses[[0, -1]] == pytest.approx([evaluate(end, rings).loss.item() for end in ends])


def test_corners_stay_at_equal_distances_and_ends_where_they_are(rings, ends):
    band = elastic_band(*ends, rings, n_steps=50, n_pivots=6)
    rows = flat(band.pivots.parameters)
    lengths = torch.linalg.vector_norm(rows.diff(dim=0), dim=1)
    assert lengths.max() / lengths.min() < 1.1  # each lies on the pieces of the step before
    torch.testing.assert_close(rows[:1], flat(ends[0].parameters))
    torch.testing.assert_close(rows[-1:], flat(ends[1].parameters))


def test_in_a_convex_valley_there_is_no_wall_at_all(rings):
    stack = Modules.of(nn.Linear(2, 2).double(), 2)
    stack.parameters["weight"][1] += torch.tensor([[3.0, 0.0], [0.0, -3.0]])
    band = elastic_band(stack.one(0), stack.one(1), rings)
    assert rise(band.straight) == 0
    assert rise(band.losses) == 0


def test_points_are_spread_along_a_bent_line():
    bent = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 3.0]])
    assert spread(bent).tolist() == [[0, 0], [1, 1], [1, 3]]
    still = torch.zeros(3, 2)
    assert torch.equal(spread(still), still)


def test_what_is_left_of_a_slope_is_perpendicular_to_the_band():
    rows = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).double()
    slopes = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).double()
    left = across(slopes, rows)[1:-1]
    assert ((left * (rows[2:] - rows[:-2])).sum(dim=1).abs() < 1e-12).all()


@pytest.mark.parametrize(
    ("options", "word"),
    [({"n_pivots": 2}, "n_pivots"), ({"n_steps": -1}, "n_steps"), ({"n_between": 0}, "n_between")],
)
def test_what_makes_no_path_is_refused(rings, ends, options, word):
    with pytest.raises(ValueError, match=word):
        elastic_band(*ends, rings, **options)
    with pytest.raises(ValueError, match="one network with one"):
        elastic_band(
            Networks(
                *(
                    tuple(p.repeat(2, 1, 1) for p in parts)
                    for parts in (ends[0].weights, ends[0].biases)
                )
            ),
            ends[1],
            rings,
        )
