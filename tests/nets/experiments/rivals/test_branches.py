import dataclasses

import numpy as np
import pytest

from valleys.nets import load_problem
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.rivals.branches import HOWS, PLAIN, BranchSpec, branches
from valleys.nets.optimizers.sharpness import gradients_uphill

SPEC = BranchSpec(
    train_per_class=10,
    start=3,
    batch_size=10,
    learning_rate=0.1,
    moments=(0.5, 1.0),
    n_runs=2,
    stretch=3.0,
    level=0.02,
    seed=5,
)


@pytest.fixture(scope="module")
def found():
    return branches(SPEC)


@pytest.fixture(scope="module")
def left():
    """Both branches of the first run, by the plain engine, and when that run freezes."""
    problem, losses, kept = load_problem("digits", train_per_class=10, seed=3), [], []
    networks = problem.start.repeat(2)

    def look(step, networks):
        losses.append(float(evaluate(networks, problem.train).loss[0]))
        kept.append(networks.one(0).copy())

    how = {"learning_rate": 0.1, "batch_size": 10, "n_steps": 300}
    train(
        networks,
        problem.train,
        **how,
        streams=SPEC.orders(),
        visits=dict.fromkeys(range(301), look),
    )
    frozen = int(np.flatnonzero(np.array(losses) < 0.1)[0])
    return problem, frozen, [kept[round(0.5 * frozen)], kept[frozen]]


def test_branches_leave_at_shares_of_the_freezing_time(found, left):
    problem, frozen, both = left
    assert float(found.freezing_time[0]) == pytest.approx(0.1 * frozen)
    for place, network in enumerate(both):
        how = {"learning_rate": 0.1, "batch_size": 100, "n_steps": 30}
        train(network := network.copy(), problem.train, **how, streams=(), visits={})
        loss = float(evaluate(network, problem.train).loss)
        assert float(found.loss.sel(how=PLAIN)[place, 0]) == pytest.approx(loss, rel=1e-2)


def test_sharpness_aware_branches_step_uphill_on_all_samples(found, left):
    problem, _, both = left
    network = both[1].copy()
    for _ in range(30):
        slopes = gradients_uphill(network, problem.train.images, problem.train.labels, SPEC.radius)
        for name, part in network.parameters.items():
            part.sub_(slopes[name].view_as(part), alpha=0.1)
    loss = float(evaluate(network, problem.train).loss)
    assert float(found.loss.sel(how="sam")[1, 0]) == pytest.approx(loss, rel=1e-2)


def test_all_are_compared_at_the_level_and_plain_ones_have_no_wall(found):
    assert found.sizes == {"how": len(HOWS), "moment": 2, "run": 2}
    assert np.isfinite(found.flatness).all()
    assert (found.wall.sel(how=PLAIN) == 0).all()
    assert (found.wall >= 0).all()


def test_without_a_radius_to_speak_of_it_is_the_plain_continuation():
    found = branches(dataclasses.replace(SPEC, radius=1e-9, n_runs=1))
    both = (found.flatness.sel(how=how) for how in (PLAIN, "sam"))
    np.testing.assert_allclose(*both, rtol=1e-2)


def test_noise_makes_runs_differ_and_a_study_is_the_same_twice(found):
    assert found.identical(branches(SPEC))
    noisy = found.loss.sel(how="noisy").values
    assert len(np.unique(noisy)) == noisy.size


def test_what_makes_no_sense_is_refused():
    for wrong in ({"moments": (-1.0,)}, {"stretch": 0.0}, {"level": 0.2}, {"batch_size": 100}):
        with pytest.raises(ValueError, match=next(iter(wrong)).rstrip("s") + "|fall|threshold"):
            dataclasses.replace(SPEC, **wrong)
    with pytest.raises(ValueError, match="longest"):
        branches(dataclasses.replace(SPEC, longest=0.5))
