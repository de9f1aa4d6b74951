"""Noise against its twin, for one base network with one thing changed at a time."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.problem import load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import train_ensemble
from valleys.nets.experiments.generality.study import GeneralitySpec, generality
from valleys.nets.experiments.generality.variants import Variant, connected, problem_of, variant
from valleys.results.grid import Grid, computed

BASE = Variant("digits", 10, (50, 50))
SMALL = {"train_per_class": 10, "learning_rate": 0.1, "n_runs": 2, "levels": (0.5, 0.2)}


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("base", (50, 50)),
        ("width 20", (20, 20)),
        ("depth 1", (50,)),
        ("depth 4", (50,) * 4),
        ("cnn digits", ()),
    ],
)
def test_one_thing_is_changed(name, hidden):
    found = variant(name, BASE)
    assert found.hidden == hidden
    assert found.n_train == 100


@pytest.mark.parametrize(
    "name", ["", "width", "width 3", "depth 0", "width -5", "start warm", "cnn", "images 25", "x 4"]
)
def test_what_is_no_variant_is_refused(name):
    with pytest.raises(ValueError, match=r"variant|width|depth|images"):
        variant(name, BASE)


def test_more_images_than_there_are_are_refused():
    with pytest.raises(ValueError, match="digits"):
        variant("images 9000", BASE)


@pytest.mark.parametrize("name", ["start small", "start zero", "start large", "start lecun"])
def test_a_scaled_start_is_the_base_scaled_on_test_images_too(name):
    """Test images have a part outside the training images' span, which must be scaled as well."""
    chosen = variant(name, BASE)
    found, base = problem_of(chosen, 3), load_problem("digits", train_per_class=10, seed=3)
    factor = float(found.start.weights[0].flatten()[0] / base.start.weights[0].flatten()[0])
    last = float(found.start.weights[-1].flatten()[0] / base.start.weights[-1].flatten()[0])
    scores = factor**2 * last * base.start.scores(base.full_test.images, base.full_test.offset)
    own = found.start.scores(found.full_test.images, found.full_test.offset)
    torch.testing.assert_close(own, scores, rtol=1e-4, atol=1e-5)


def test_a_module_with_relu_is_the_network_in_closed_form():
    base = load_problem("digits", train_per_class=10, seed=2)
    module = load_problem(
        "digits", train_per_class=10, seed=2, model=lambda: connected(BASE, 64, 2)
    )
    own = module.start.scores(module.full_test.images)
    torch.testing.assert_close(
        own, base.start.scores(base.full_test.images, base.full_test.offset), rtol=1e-4, atol=1e-5
    )


def test_layers_are_normalised_before_the_activation():
    names = [type(each).__name__ for each in connected(variant("layers norm", BASE), 64, 0)]
    assert names[:4] == ["Flatten", "Linear", "LayerNorm", "ReLU"]
    assert names[-1] == "Linear"


def test_runs_and_twin_are_those_of_train_ensemble():
    """The twin is gradient descent, and passes its levels when the plain trainer says so."""
    found = generality(GeneralitySpec(**SMALL))
    problem = load_problem("digits", train_per_class=10, seed=0)
    twin = train_ensemble(
        problem,
        n_runs=1,
        batch_size=100,
        learning_rate=0.1,
        training_time=20,
        thresholds=(0.5, 0.2),
    )
    np.testing.assert_allclose(found.twin_passage, 0.1 * twin.records.freezing_time[0])
    assert (found.passage.diff("level") > 0).all()
    assert found.pair_wall.sizes == {"pair": 1, "level": 2}
    assert (found.wall >= 0).all()
    assert ((found.similarity >= 0) & (found.similarity <= 1)).all()


@pytest.mark.parametrize("name", ["activation tanh", "cnn digits"])
def test_networks_without_a_closed_form_are_compared_alike(name):
    found = generality(GeneralitySpec(variant=name, **SMALL))
    closed = generality(GeneralitySpec(**SMALL))
    assert set(found) == set(closed)
    assert found.flatness.notnull().all()
    assert (found.flatness > 0).all()


def test_start_sharpness_is_the_curvature_along_the_gradient():
    """Against finite differences of the gradient."""
    found = generality(GeneralitySpec(**SMALL))
    problem = load_problem("digits", train_per_class=10, seed=0)
    start, train = problem.start.to(torch.float64), problem.train
    slope = _slope(start, train)
    ahead = Networks(
        tuple(w + 1e-5 * g for w, g in zip(start.weights, slope[:3], strict=True)),
        tuple(b + 1e-5 * g for b, g in zip(start.biases, slope[3:], strict=True)),
    )
    bent = [(a - b) / 1e-5 for a, b in zip(_slope(ahead, train), slope, strict=True)]
    sharp = sum(float((a * b).sum()) for a, b in zip(bent, slope, strict=True))
    sharp /= sum(float((g**2).sum()) for g in slope)
    assert float(found.start_sharpness) == pytest.approx(sharp * 0.1 / 2, rel=1e-3)


def _slope(networks, samples):
    leaves = [part.clone().requires_grad_() for part in networks.weights + networks.biases]
    value = samples.images.double().T[None]
    for place in range(3):
        value = leaves[place] @ (value.relu() if place else value) + leaves[3 + place]
    return torch.autograd.grad(cross_entropy(value[0].T, samples.labels), leaves)


def test_a_level_that_nobody_reaches_has_no_numbers():
    found = generality(GeneralitySpec(**SMALL | {"longest": 1.0, "levels": (1.9, 1e-4)}))
    assert np.isnan(found.flatness.isel(level=-1)).all()
    assert np.isnan(found.wall.isel(level=-1)).all()


def test_orders_differ_between_starts_and_a_grid_is_its_cells():
    grid = Grid.of(GeneralitySpec, {"variant": ("base", "width 20"), "start": (0, 1)}, **SMALL)
    found = computed(generality, grid)
    alone = generality(GeneralitySpec(start=1, **SMALL))
    np.testing.assert_array_equal(found.passage.isel(variant=0, start=1), alone.passage)
    assert not np.allclose(found.passage.isel(start=0), found.passage.isel(start=1))


@pytest.mark.parametrize(
    "bad",
    [
        {"n_runs": 1},
        {"levels": (0.03, 0.1)},
        {"batch_size": 100, "train_per_class": 10},
        {"variant": "images 20", "batch_size": 20},
        {"longest": 0.0},
        {"variant": "huge"},
    ],
)
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=r"\S"):
        GeneralitySpec(**bad)


def test_zero_output_layer_starts_at_chance():
    problem = problem_of(variant("start zero", BASE), 0)
    assert float(evaluate(problem.start, problem.train).loss[0]) == pytest.approx(np.log(10))
