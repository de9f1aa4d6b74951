import numpy as np
import pytest
import torch
from torch import nn

from valleys.nets import load, load_problem, make_problem, train_ensemble
from valleys.nets.engine.problem import streams
from valleys.nets.engine.training import evaluate
from valleys.nets.measures.curvature import curvature
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import flatness
from valleys.nets.optimizers.methods import method
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedules import stairs
from valleys.nets.optimizers.training import optimize


def small_cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


@pytest.fixture(scope="module")
def problem():
    return load_problem("digits", train_per_class=10, model=small_cnn)


def test_a_module_is_trained_and_measured_like_any_network(problem):
    runs = train_ensemble(
        problem, n_runs=2, batch_size=20, learning_rate=0.1, training_time=20, n_records=3
    )
    assert (runs.records.train_accuracy[:, -1] > 0.9).all()
    end = evaluate(runs.networks, problem.train)
    assert np.allclose(runs.records.train_loss[:, -1], end.loss)
    operator = curvature(runs.networks, problem.train, 1, ["3.weight"])
    own = flatness(top_eigenpairs(operator, 10).values)
    assert runs.flatness[1] == pytest.approx(own, rel=1e-6)
    assert runs.similarity.shape == (2, 2)
    assert not torch.equal(*runs.networks.parameters["3.weight"])


def test_a_start_follows_from_its_seed_and_nothing_else():
    torch.manual_seed(5)
    starts = [load_problem("digits", train_per_class=5, model=small_cnn, seed=s) for s in (0, 0, 1)]
    first, same, other = (each.start.parameters["0.weight"] for each in starts)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))


def test_training_sets_share_no_image_and_tests_are_of_others():
    """Of digits no two images are equal, so that each can be known again."""
    sets = [load("digits", train_per_class=20, training_set=index) for index in range(3)]
    trained = [{row.tobytes() for row in each.train_images} for each in sets]
    assert [len(images) for images in trained] == [200] * 3
    assert len(set.union(*trained)) == 600
    for own, each in zip(trained, sets, strict=True):
        assert not own & {row.tobytes() for row in each.full_test_images}
    assert len(load_problem("digits", train_per_class=20, training_set=2).train) == 200


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_a_training_set_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=r"training_set of .* must lie between 0 and"):
        load_problem(name, train_per_class=100, training_set=1000)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(0.01, 20, method("adam")),
        Recipe(0.1, 20, radius=0.05),
        Recipe(stairs([0.1, 0.05], ends=[5], unit="time"), 20),
    ],
    ids=["Adam", "SAM", "schedule"],
)
def test_fully_connected_networks_take_any_recipe(recipe):
    digits = load_problem("digits", train_per_class=10)
    runs = train_ensemble(digits, n_runs=2, recipe=recipe, training_time=10, n_records=3)
    assert (runs.records.train_loss[:, -1] < runs.records.train_loss[:, 0] / 2).all()
    assert runs.records.time[-1] == pytest.approx(10, abs=0.1)


def test_time_adds_up_along_a_schedule():
    digits = load_problem("digits", train_per_class=5)
    recipe = Recipe(stairs([0.2, 0.1], ends=[2.0], unit="time"), 10)
    runs = train_ensemble(digits, n_runs=1, recipe=recipe, training_time=4, n_records=4)
    assert runs.records.step.values.tolist() == [0, 10, 20, 30]
    assert runs.records.time.values == pytest.approx([0, 2, 3, 4])


@pytest.mark.parametrize(
    ("model", "word"),
    [
        (
            lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 10)),
            "does not take",
        ),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), "scores of 10 classes"),
        (lambda: nn.Conv2d(1, 10, 3), "scores of 10 classes"),
        (3, "must be a torch.nn.Module or make one"),
    ],
)
def test_a_model_that_does_not_fit_the_images_is_refused(model, word):
    with pytest.raises(ValueError, match=word):
        load_problem("digits", train_per_class=5, model=model)


def test_arrays_keep_their_shape_for_a_model():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(40, 1, 8, 8)), np.arange(40) % 2
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
    problem = make_problem(images[:20], labels[:20], images[20:], labels[20:], model=model)
    assert problem.train.images.shape == (20, 1, 8, 8)
    with pytest.raises(ValueError, match="parameter is named"):
        train_ensemble(problem, batch_size=5, parameters=["head"])


def test_freezing_of_a_module_is_looked_at_at_every_step(problem):
    losses = []

    def look(step, networks):
        losses.append(evaluate(networks, problem.train).loss.numpy().copy())

    options = {"batch_size": 20, "learning_rate": 0.1}
    runs = train_ensemble(problem, n_runs=2, training_time=12, n_records=3, **options)
    networks = problem.start.repeat(2)
    optimize(
        networks,
        problem.train,
        Recipe(0.1, 20),
        n_steps=120,
        streams=streams(0, 20, 0.1, 2),
        visits=dict.fromkeys(range(121), look),
    )
    below = np.array(losses) < 0.2
    assert below.any(axis=0).all()
    assert runs.records.freezing_time.sel(threshold=0.2).values.tolist() == below.argmax(0).tolist()
