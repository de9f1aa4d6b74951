import dataclasses

import numpy as np
import pytest

from valleys.nets import load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import train_ensemble
from valleys.nets.experiments.starts import StartsSpec, starts
from valleys.results.grid import Grid

SPEC = StartsSpec(
    train_per_class=10,
    start=3,
    training_set=1,
    settings=((100, 0.1), (10, 0.1), (5, 0.05), (100, 0.05)),
    training_time=20.0,
    n_runs=3,
    n_records=5,
)


@pytest.fixture(scope="module")
def found():
    return starts(SPEC)


def test_each_setting_is_an_ensemble_of_its_start_and_training_set(found):
    problem = load_problem("digits", train_per_class=10, training_set=1, seed=3)
    runs = train_ensemble(
        problem,
        n_runs=3,
        batch_size=5,
        learning_rate=0.05,
        training_time=20.0,
        n_records=5,
        flatness_every=1,
        thresholds=(0.1,),
        seed=SPEC.order_seed,
    )
    here = found.isel(setting=2)
    np.testing.assert_array_equal(here.flatness, runs.records.flatness)
    np.testing.assert_array_equal(here.train_loss, runs.records.train_loss)
    np.testing.assert_array_equal(here.freezing_time, runs.freezing_time(0.1))
    right = 1 - evaluate(runs.networks, problem.full_test).misclassified.float().mean(dim=1)
    np.testing.assert_allclose(here.full_accuracy, right, rtol=1e-6)


def test_gradient_descent_is_one_run_without_pairs(found):
    calm = found.isel(setting=0)
    assert np.isfinite(calm.flatness[0]).all()
    assert np.isnan(calm.flatness[1:]).all()
    assert np.isnan(calm.wall).all()
    assert np.isfinite(found.isel(setting=1).similarity).all()


def test_starts_and_training_sets_and_orders_are_others_in_each_cell():
    axes = {"start": (0, 1), "training_set": (0, 1)}
    short = {"training_time": 2.0, "n_records": 2, "n_runs": 2}
    small = {"train_per_class": 10, "settings": ((100, 0.1), (10, 0.1)), **short}
    grid, other = (Grid.of(StartsSpec, axes, seed=seed, **small) for seed in (0, 1))
    cells = [starts(cell) for cell in grid.cells()]
    assert len({float(cell.train_loss[0, 0, 0]) for cell in cells}) == 4
    orders, others = ({cell.order_seed for cell in each.cells()} for each in (grid, other))
    assert len(orders | others) == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"settings": ((10, 0.1),)}, "gradient descent, .100, 0.1."),
        ({"settings": ((100, 0.1), (100, 0.1))}, "settings"),
        ({"training_set": 99}, "training_set"),
        ({"start": -1}, "start must be 0 or more"),
        ({"n_runs": 1}, "n_runs must be 2 or more"),
        ({"settings": ((101, 0.1), (100, 0.1))}, "batch_size"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        dataclasses.replace(SPEC, **values)
    assert "\n" not in str(refused.value)
