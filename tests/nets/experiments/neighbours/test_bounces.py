import numpy as np
import pytest
import torch

from tests.nets.networks import small
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.neighbours.bounces import (
    HOWS,
    BounceSpec,
    bounces,
    floor_fraction,
    mixed,
    walk_on_floor,
)


@pytest.mark.parametrize("stretch", [0.5, 1.5, 4.0])
def test_the_floor_of_a_step_in_a_bowl_is_where_theory_says(stretch):
    """A step of ηλ times the distance passes the bottom at 1/(ηλ)."""
    losses = [torch.tensor([(1 - part * stretch) ** 2]) for part in (0.0, 0.5, 1.0)]
    assert float(floor_fraction(*losses)) == pytest.approx(min(1.0, 1 / stretch))


def test_a_line_that_climbs_or_bends_down_is_left_at_its_lower_end():
    rising, falling = ([torch.tensor([v]) for v in row] for row in ((0, 2, 3), (3, 2, 0)))
    assert float(floor_fraction(*(each.double() for each in rising))) == 0
    assert float(floor_fraction(*(each.double() for each in falling))) == 1


def test_on_the_floor_no_step_climbs(blobs):
    networks, losses = small(2).to(torch.float64), []
    how = {"learning_rate": 1.0, "batch_size": 5, "n_steps": 1}
    how |= {"streams": [np.random.default_rng(run) for run in range(2)]}
    for _ in range(20):
        walk_on_floor(networks, blobs, **how, visits={})
        losses.append(evaluate(networks, blobs).loss)
    steps = torch.stack(losses).diff(dim=0)
    assert (steps < 0.02 * torch.stack(losses)[:-1]).all()  # lines are not quite parabolas
    assert (losses[-1] < 0.5 * losses[0]).all()


def test_half_way_between_two_networks_is_their_mean():
    first, second = small(2), small(2)
    second.weights[0].add_(1.0)
    found = mixed(first, second, torch.tensor([0.0, 0.5]))
    torch.testing.assert_close(found.weights[0][0], first.weights[0][0])
    torch.testing.assert_close(found.weights[0][1], first.weights[0][1] + 0.5)


def test_walkers_are_compared_at_the_level():
    found = bounces(BounceSpec(train_per_class=10, batch_size=20, n_runs=2))
    assert found.how.values.tolist() == list(HOWS)
    assert (found.flatness > 0).all()
    assert (found.distance > 0).all()
    assert (found.steps > 0).all()
    both = found.sel(how=["bouncing", "floor"])
    assert (both.left_loss < found.left_loss.sel(how="calm")).all()
    calm = found.sel(how="calm")
    assert float(calm.flatness.std()) == 0


def test_a_walker_that_does_not_come_is_refused():
    with pytest.raises(ValueError, match="longest"):
        bounces(BounceSpec(train_per_class=10, batch_size=20, n_runs=2, longest=0.5))
