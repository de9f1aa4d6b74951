import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import initialize
from valleys.nets.engine.problem import Problem, samples_within, span, within
from valleys.nets.engine.training import Samples, evaluate, train
from valleys.nets.experiments.specs import SweepSpec

N_PIXELS, RANK = 40, 17


@pytest.fixture
def images():
    """Training images that span 17 of 40 dimensions, and test images that span them all."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    centres = rng.standard_normal((10, RANK))
    train_images = (
        (centres[labels] + rng.standard_normal((200, RANK)))
        @ rng.standard_normal((RANK, N_PIXELS))
        / 4
    )
    return train_images, train_images + 0.5 * rng.standard_normal((200, N_PIXELS)), labels


def _generators():
    return [np.random.default_rng([7, run]) for run in range(3)]


def test_a_basis_spans_the_images_and_nothing_else(images):
    basis = span(images[0])
    assert basis.shape == (N_PIXELS, RANK)
    np.testing.assert_allclose(basis.T @ basis, np.eye(RANK), atol=1e-12)
    np.testing.assert_allclose(images[0] @ basis @ basis.T, images[0], atol=1e-12)


@pytest.mark.parametrize(("learning_rate", "batch_size"), [(0.05, 10), (0.1, 50), (0.2, 200)])
def test_training_in_the_basis_is_training_in_pixels(images, learning_rate, batch_size):
    train_images, test_images, labels = images
    start, basis = initialize(N_PIXELS, 0).to(torch.float64), span(train_images)
    turned = [samples_within(basis, each, labels, start) for each in (train_images, test_images)]
    plain = [Samples.of(each, labels, dtype=torch.float64) for each in (train_images, test_images)]
    runs = []
    for networks, (training, testing) in (
        (within(basis, start).repeat(3), turned),
        (start.repeat(3), plain),
    ):
        train(
            networks,
            training,
            learning_rate=learning_rate,
            batch_size=batch_size,
            n_steps=200,
            streams=_generators(),
            visits={},
        )
        runs.append((networks, evaluate(networks, training), evaluate(networks, testing)))
    (first, *first_found), (second, *second_found) = runs
    for one, other in zip(
        (*first.weights[1:], *first.biases), (*second.weights[1:], *second.biases), strict=True
    ):
        assert (one - other).abs().max() < 1e-9
    for one, other in zip(first_found, second_found, strict=True):
        assert (one.loss - other.loss).abs().max() < 1e-9
        assert torch.equal(one.misclassified, other.misclassified)
    assert second_found[1].misclassified.any()


def test_the_offset_is_what_lies_outside(images):
    start, basis = initialize(N_PIXELS, 0).to(torch.float64), span(images[0])
    inside, outside = (samples_within(basis, each, images[2], start).offset for each in images[:2])
    assert inside is not None
    assert outside is not None
    assert inside.abs().max() < 1e-12
    assert outside.abs().max() > 0.1


def test_a_setting_is_the_data_as_they_are_loaded():
    from valleys.nets import datasets

    problem, data = Problem.of(SweepSpec(seed=3)), datasets.load("digits")
    start = initialize(64, 3)
    for samples, images, labels in (
        (problem.train, data.train_images, data.train_labels),
        (problem.test, data.test_images, data.test_labels),
        (problem.full_test, data.full_test_images, data.full_test_labels),
    ):
        expected = evaluate(start, Samples.of(images, labels))
        found = evaluate(problem.start, samples)
        torch.testing.assert_close(found.loss, expected.loss, rtol=1e-5, atol=1e-6)
        assert torch.equal(found.misclassified, expected.misclassified)
