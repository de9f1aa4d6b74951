import dataclasses

import pytest

from valleys.nets.experiments.neighbours.attractors import AttractorSpec, attractors

SPEC = AttractorSpec(
    train_per_class=10,
    batch_size=20,
    learning_rate=0.1,
    hidden=(4, 4),
    training_time=10.0,
    n_looks=1,
)


def test_runs_have_a_dimension_within_the_number_of_weights():
    found = attractors(SPEC)
    assert found.sizes == {"run": 2}
    assert ((found.dimension > 0) & (found.dimension <= 1)).all()
    assert ((found.accuracy > 0) & (found.accuracy < 1)).all()
    problem = SPEC.problem
    assert found.attrs["n_weights"] == problem.start.flat().shape[1]


def test_what_makes_no_sense_is_refused():
    for wrong in ({"hidden": (4,)}, {"training_time": 0.0}, {"n_looks": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(SPEC, **wrong)
