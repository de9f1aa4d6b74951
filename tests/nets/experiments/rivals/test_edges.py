import dataclasses

import numpy as np
import pytest
import torch

from valleys.nets import load_problem
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.rivals.edges import EdgeSpec, edges
from valleys.nets.measures.whole_hessian import WholeNetwork

SPEC = EdgeSpec(
    train_per_class=10, batch_size=100, learning_rate=0.2, start=3, n_looks=5, threshold=0.5
)


@pytest.fixture(scope="module")
def found():
    return edges(SPEC)


def test_looks_are_those_of_plain_descent_up_to_freezing(found):
    problem, losses = load_problem("digits", train_per_class=10, seed=3), []

    def look(step, networks):
        losses.append(float(evaluate(networks, problem.train).loss[0]))

    how = {"learning_rate": 0.2, "batch_size": 100, "n_steps": 200}
    train(
        problem.start.copy(),
        problem.train,
        **how,
        streams=(),
        visits=dict.fromkeys(range(201), look),
    )
    frozen = int(np.flatnonzero(np.array(losses) < 0.5)[0])
    assert float(found.freezing_time) == pytest.approx(0.2 * frozen)
    np.testing.assert_allclose(found.loss[[0, -1]], [losses[0], losses[frozen]], rtol=1e-3)
    assert found.time.values[-1] == pytest.approx(0.2 * frozen)


def test_the_sharpness_is_that_of_the_dense_hessian(found):
    problem = load_problem("digits", train_per_class=10, seed=3)
    whole = WholeNetwork.of(problem.start, problem.train)
    vector = np.random.default_rng(0).standard_normal(whole.size)
    for _ in range(300):  # the power method
        vector = whole.product(vector / np.linalg.norm(vector))
    assert float(found.sharpness[0]) == pytest.approx(np.linalg.norm(vector), rel=1e-2)


def test_the_full_gradient_bends_less_than_the_steepest_direction(found):
    assert (found.batch_sharpness <= found.sharpness * (1 + 1e-6)).all()


def test_edges_are_those_of_a_bowl():
    """Heavy-ball descent of a bowl is stable below 2(1 + β)/η, and not above."""
    spec = dataclasses.replace(SPEC, momentum=0.5)
    lower, upper = spec.edges
    assert (lower, upper) == pytest.approx((2 * 0.5 / 0.1, 2 * 1.5 / 0.1))
    for curvature, grows in ((0.99 * upper, False), (1.01 * upper, True)):
        place = torch.ones(1, dtype=torch.float64)
        own = torch.optim.SGD([place], lr=spec.rate, momentum=0.5)
        for _ in range(2000):
            place.grad = curvature * place
            own.step()
        assert (abs(float(place)) > 1) == grows


def test_what_makes_no_sense_is_refused():
    for wrong in ({"momentum": 1.0}, {"n_looks": 1}, {"longest": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(SPEC, **wrong)
    with pytest.raises(ValueError, match="longest"):
        edges(dataclasses.replace(SPEC, longest=0.4))
