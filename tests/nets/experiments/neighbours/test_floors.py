import dataclasses

import numpy as np
import pytest

from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.floors import FloorSpec, floors

SPEC = FloorSpec(
    train_per_class=10,
    batch_size=20,
    learning_rate=0.1,
    n_runs=2,
    rates=(0.02, 0.1),
    sizes=(5, 100),
    stretch=2.0,
)


@pytest.fixture(scope="module")
def found():
    return floors(SPEC)


def test_settings_begin_with_the_strongest_noise():
    assert SPEC.settings == [(0.1, 5), (0.1, 100), (0.02, 5)]


def test_runs_are_left_where_they_first_are_below_the_loss():
    passages = leaving.passed(SPEC, SPEC.problem, SPEC.leave)
    losses = evaluate(passages.kept(0), SPEC.problem.train).loss.numpy()
    assert (losses < SPEC.leave).all()
    assert (losses > 0.8 * SPEC.leave).all()


def test_all_ways_are_compared_at_the_level(found):
    assert found.sizes == {"setting": 3, "run": 2}
    for name in ("flatness", "sharpness", "active", "calm_flatness", "calm_active"):
        assert (found[name] > 0).all()
    assert (found.wall >= 0).all()


def test_all_samples_at_another_rate_end_where_gradient_descent_does(found):
    """Without noise only the length of the steps differs."""
    without = found.sel(setting=(found["size"] == 100).values).squeeze("setting")
    np.testing.assert_allclose(without.flatness, found.calm_flatness, rtol=0.1)


def test_a_decay_is_worth_what_the_losses_say(found):
    assert found.harvest.shape == (2,)
    assert ((found.harvest > 0) & (found.harvest < 2)).all()


def test_what_makes_no_sense_is_refused():
    for wrong in ({"rates": (0.1, 0.1)}, {"sizes": (0,)}, {"stretch": 0.0}, {"leave": 0.5}):
        with pytest.raises(ValueError, match=r"rates|batch_size|stretch|levels"):
            dataclasses.replace(SPEC, **wrong)
    with pytest.raises(ValueError, match="longest"):
        leaving.passed(dataclasses.replace(SPEC, longest=0.5), SPEC.problem, 0.05)
