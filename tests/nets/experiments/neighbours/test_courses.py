import dataclasses

import numpy as np
import pytest

from valleys.nets import load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.neighbours.courses import CourseSpec, courses
from valleys.nets.measures.whole_hessian import WholeNetwork

SPEC = CourseSpec(
    train_per_class=10, batch_size=20, learning_rate=0.1, start=3, training_time=20.0, n_looks=4
)


@pytest.fixture(scope="module")
def found():
    return courses(SPEC)


def test_looks_begin_at_the_start_and_end_at_the_training_time(found):
    problem = load_problem("digits", train_per_class=10, seed=3)
    start = float(evaluate(problem.start, problem.train).loss)
    assert found.loss.isel(look=0).values == pytest.approx([start, start], rel=1e-4)
    assert (found.loss.isel(look=-1) < found.loss.isel(look=0)).all()
    assert found.time.values[[0, 1, -1]] == pytest.approx([0, 0.1, 20])


def test_curvature_and_noise_are_those_of_products(found):
    problem = load_problem("digits", train_per_class=10, seed=3)
    whole = WholeNetwork.of(problem.start, problem.train)
    for name, operator in (("sharpness", whole), ("noise", whole.noise)):
        vector = np.random.default_rng(0).standard_normal(whole.size)
        for _ in range(200):  # the power method
            vector = operator.product(vector / np.linalg.norm(vector))
        first = float(found[name].isel(run=0, look=0))
        assert first == pytest.approx(np.linalg.norm(vector), rel=2e-2)


def test_features_are_told_of_runs_that_come_down(found):
    assert ((found.active > 0) & (found.active < 1)).all()
    assert ((found["rank"] >= 1) & (found["rank"] <= 50)).all()
    calm = courses(dataclasses.replace(SPEC, longest=1.0, training_time=0.2, n_runs=1))
    assert np.isnan(calm.active.values).all()


def test_what_makes_no_sense_is_refused():
    for wrong in ({"n_looks": 2}, {"leave": 0.001}, {"training_time": 0.05}, {"start": -1}):
        with pytest.raises(ValueError, match=r"levels|n_looks|training_time|start"):
            dataclasses.replace(SPEC, **wrong)
