import numpy as np
import pytest
import torch

from valleys.nets import SweepSpec, load_problem, make_problem, path_losses, sweep, train_ensemble
from valleys.nets.engine.networks import interpolate
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate

# One process compiles the loop for both modules: two at once would compile the same.
pytestmark = pytest.mark.xdist_group("compiled loop")

SPEC = SweepSpec(
    train_per_class=10,
    batch_size=10,
    learning_rate=0.1,
    training_time=10,
    n_realizations=3,
    n_records=3,
    flatness_every=2,
    seed=1,
)


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in a plane, and whether they lie inside a ring."""
    points = np.random.default_rng(seed).normal(size=(n, 2))
    return points, (points**2).sum(axis=1) < 1.4


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make_problem(*rings(200, 0), *rings(100, 1), hidden=(12, 8))


def parts(problem: Problem) -> list[torch.Tensor]:
    sets = [problem.train, problem.test, problem.full_test]
    tensors = [
        each
        for samples in sets
        for each in (samples.images, samples.labels, samples.offset)
        if each is not None
    ]
    return [*tensors, *problem.start.weights, *problem.start.biases]


def test_a_loaded_problem_is_that_of_the_studies():
    mine, theirs = load_problem("digits", train_per_class=10, seed=1), Problem.of(SPEC)
    assert all(
        torch.equal(one, other) for one, other in zip(parts(mine), parts(theirs), strict=True)
    )


def test_an_ensemble_has_the_runs_of_the_study():
    """But for rounding, which another order of sums brings."""
    settings = {
        "batch_size": 10,
        "learning_rate": 0.1,
        "training_time": 10,
        "n_records": 3,
        "flatness_every": 2,
    }
    runs = train_ensemble(
        load_problem("digits", train_per_class=10, seed=1), n_runs=3, seed=1, **settings
    ).records
    cell = sweep(SPEC).rename(realization="run")
    for name in set(runs.data_vars) & set(cell.data_vars):
        np.testing.assert_allclose(runs[name], cell[name], rtol=2e-3, atol=1e-6, err_msg=name)
    assert {"train_loss", "flatness", "eigenvalues", "freezing_time", "misclassified"} <= set(
        runs.data_vars
    )


def test_arrays_of_ones_own_are_learned(problem):
    runs = train_ensemble(problem, n_runs=3, batch_size=20, learning_rate=0.2, training_time=150)
    assert (runs.records.train_accuracy[:, -1] > 0.9).all()
    assert (runs.records.test_accuracy[:, -1] > 0.85).all()
    assert (runs.flatness > 0).all()
    assert np.allclose(np.diag(runs.similarity), 1)
    early, late = runs.freezing_time(0.2), runs.freezing_time(0.1)
    assert ((early <= late) | np.isnan(late)).all()
    assert len(runs) == 3


def test_images_count_as_flat(problem):
    points, labels = rings(200, 0)
    cubes = make_problem(points.reshape(-1, 1, 2), labels, *rings(100, 1), hidden=(12, 8))
    assert torch.equal(cubes.train.images, problem.train.images)


def test_a_path_runs_from_the_first_network_to_the_second(problem):
    runs = train_ensemble(problem, n_runs=2, batch_size=20, learning_rate=0.2, training_time=10)
    ends = [runs.networks.pick(slice(index, index + 1)) for index in (0, 1)]
    losses = path_losses(*ends, samples=problem.train, n_fractions=5)
    between = interpolate(*ends, fractions=torch.linspace(1, 0, 5))
    assert losses == pytest.approx(evaluate(between, problem.train).loss.numpy(), rel=1e-5)
    with pytest.raises(ValueError, match="one network"):
        path_losses(runs.networks, ends[0], problem.train)
    with pytest.raises(ValueError, match="n_fractions"):
        path_losses(*ends, samples=problem.train, n_fractions=1)


X, Y = rings(20, 0)
BAD = [
    ((X, Y[:-1], X, Y), {}, "images"),
    ((X[:, 0], Y, X, Y), {}, "images"),
    ((X * np.nan, Y, X, Y), {}, "finite"),
    ((X, Y * 1.5, X, Y), {}, "whole"),
    ((X, Y - 1, X, Y), {}, "whole|0 or more"),
    ((X, Y * 0, X, Y), {}, "one class"),
    ((X, Y, X, Y + 2), {}, "class 3|class 2"),
    ((X, Y, X[:, :1], Y), {}, "shape"),
    ((X, Y, X[:0], Y[:0]), {}, "one image"),
    ((X, Y, X, Y), {"hidden": ()}, "hidden"),
    ((X, Y, X, Y), {"hidden": (0,)}, "hidden"),
    ((X, Y, X, Y), {"seed": -1}, "seed"),
]


@pytest.mark.parametrize(("arrays", "options", "named"), BAD)
def test_what_is_no_problem_is_refused(arrays, options, named):
    arrays = tuple(part.astype(int) if part.dtype == bool else part for part in arrays)
    with pytest.raises(ValueError, match=named):
        make_problem(*arrays, **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 201}, "batch_size"),
        ({"n_runs": 0}, "n_runs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": np.inf}, "learning_rate must be finite, got inf"),
        ({"batch_size": 10.5}, "batch_size must be a whole number, got 10.5"),
        ({"n_runs": "2"}, "n_runs must be a whole number, got '2'"),
        ({"thresholds": 0.1}, "thresholds must be a list, got 0.1"),
        ({"parameters": "2.weight"}, "parameters must be a list, got '2.weight'"),
        ({"recipe": 3}, "recipe must be Recipe, got int"),
        ({"learning_rate": 1e30}, r"training_time must last one step of learning_rate 1e\+30"),
        ({"training_time": 0.01}, "training_time must last one step of learning_rate 0.05"),
        ({"training_time": np.inf}, "training_time must be finite, got inf"),
        ({"training_time": np.nan}, "training_time must be finite, got nan"),
        ({"n_records": 1}, "n_records"),
        ({"thresholds": ()}, "thresholds"),
        ({"flatness_every": -1}, "flatness_every"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_trained_is_refused(problem, options, named):
    with pytest.raises(ValueError, match=named):
        train_ensemble(problem, **options)


def test_too_small_a_second_matrix_is_refused():
    with pytest.raises(ValueError, match="hidden"):
        train_ensemble(make_problem(X, Y, X, Y, hidden=(4,)), batch_size=10)


def test_a_threshold_that_was_not_watched_is_refused(problem):
    runs = train_ensemble(problem, n_runs=1, training_time=1, n_records=2)
    with pytest.raises(ValueError, match="threshold"):
        runs.freezing_time(0.3)
