import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import initialize
from valleys.nets.engine.stack import flat
from valleys.nets.measures.curvature import curvature
from valleys.nets.optimizers.noise import (
    AlongCurvature,
    Anticorrelated,
    Isotropic,
    OfKeptWeights,
    drawn,
)
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize


def generators(count, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


@pytest.fixture
def start():
    """One small fully connected network, float64."""
    return initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)


def noise_of(kind, stack, samples, n_steps, seed=3):
    """What a kind of noise adds to the gradients at each step, (n_steps, R, n)."""
    disturb = kind.start(samples, generators(len(stack), seed))
    calm = stack.gradients(samples.images, samples.labels)
    found = [flat(disturb(step, stack, calm)) - flat(calm) for step in range(n_steps)]
    return torch.stack(found)


def assert_mean(values, expected, spread=5):
    """The mean of independent values is the expected one, within standard errors."""
    values = np.asarray(values)
    error = values.std(ddof=1) / len(values) ** 0.5
    assert abs(values.mean() - expected) < spread * error


def test_isotropic_noise_has_its_power_and_no_direction(blobs, start):
    noise = noise_of(Isotropic(0.5), start.repeat(2), blobs, 400)
    assert_mean((noise**2).sum(dim=2).flatten(), 0.5)
    per_number = (noise**2).mean(dim=(0, 1))
    assert per_number.max() < 2 * per_number.mean()
    runs = (noise[:, 0] * noise[:, 1]).sum(dim=1)
    assert_mean(runs, 0.0)


def test_anticorrelated_noise_takes_back_what_it_added(blobs, start):
    noise = noise_of(Anticorrelated(0.5), start, blobs, 400)[:, 0]
    assert_mean((noise[1:] ** 2).sum(dim=1), 0.5)
    assert_mean((noise[1:] * noise[:-1]).sum(dim=1), -0.25)
    total = noise.sum(dim=0)  # all that is left is the last draw
    assert float(total @ total) < 1.0


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_along_curvature_follows_a_power_of_the_eigenvalues(blobs, start, exponent):
    kind = AlongCurvature(0.5, exponent, n_directions=4)
    noise = noise_of(kind, start, blobs, 600)[:, 0].numpy()
    bent = curvature(start, blobs)
    dense = np.stack([bent.product(unit) for unit in np.eye(bent.size)])
    values, vectors = np.linalg.eigh((dense + dense.T) / 2)
    values, vectors = values[::-1][:4], vectors.T[::-1][:4]
    shares = values**exponent / (values**exponent).sum()
    for share, vector in zip(shares, vectors, strict=True):
        assert_mean((noise @ vector) ** 2, 0.5 * share)
    outside = noise - noise @ vectors.T @ vectors
    assert np.abs(outside).max() < 1e-6


def test_eigenvectors_are_renewed_when_asked(blobs, start):
    kind = AlongCurvature(1.0, n_directions=2, renew_every=3)
    disturb = kind.start(blobs, generators(1))
    spans = []
    for step in range(6):
        start.weights[0].add_(0.1)
        calm = start.gradients(blobs.images, blobs.labels)
        spans.append(flat(disturb(step, start, calm)) - flat(calm))
    same = [torch.linalg.matrix_rank(torch.cat(part), tol=1e-9) for part in (spans[:3], spans)]
    assert [int(rank) for rank in same] == [2, 4]


def test_kept_noise_is_that_of_mini_batches_at_the_weights_kept(blobs, start):
    stack = start.repeat(2)
    disturb = OfKeptWeights(4, kept_at=1).start(blobs, generators(2))
    calm = stack.gradients(blobs.images, blobs.labels)
    assert disturb(0, stack, calm) is calm
    chosen = drawn(len(blobs), 4, generators(2))
    expected = flat(stack.gradients(*blobs.batch(chosen)))
    torch.testing.assert_close(flat(disturb(1, stack, calm)), expected)
    moved = start.repeat(2)
    moved.weights[0].add_(1.0)  # the noise stays that of the weights kept
    there = moved.gradients(blobs.images, blobs.labels)
    streams = generators(2)
    drawn(len(blobs), 4, streams)
    again = flat(stack.gradients(*blobs.batch(drawn(len(blobs), 4, streams)))) - flat(calm)
    torch.testing.assert_close(flat(disturb(2, moved, there)) - flat(there), again)


def test_a_recipe_adds_its_noise_to_full_batches(blobs, start):
    calm, noisy = start.repeat(2), start.repeat(2)
    settings = {"n_steps": 1, "visits": {}}
    optimize(calm, blobs, Recipe(0.1, 30), streams=generators(2), **settings)
    recipe = Recipe(0.1, 30, noise=Isotropic(4.0))
    optimize(noisy, blobs, recipe, streams=generators(2), **settings)
    apart = flat(noisy.parameters) - flat(calm.parameters)
    lengths = torch.linalg.vector_norm(apart, dim=1) / 0.1
    assert torch.all((lengths > 1) & (lengths < 3))
    assert not torch.allclose(apart[0], apart[1])


def test_a_quiet_network_has_no_noise(blobs, start):
    noisy, calm = start.repeat(2), start.repeat(2)
    settings = {"n_steps": 4, "visits": {}}
    recipe = Recipe(0.1, 30, noise=Isotropic(4.0), quiet_below=100.0)
    optimize(noisy, blobs, recipe, streams=generators(2), **settings)
    optimize(calm, blobs, Recipe(0.1, 30), streams=generators(2), **settings)
    assert torch.equal(flat(noisy.parameters), flat(calm.parameters))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Isotropic(-1.0), "power"),
        (lambda: Anticorrelated(-1.0), "power"),
        (lambda: AlongCurvature(1.0, n_directions=0), "n_directions"),
        (lambda: AlongCurvature(1.0, renew_every=0), "renew_every"),
        (lambda: OfKeptWeights(0), "batch_size"),
        (lambda: OfKeptWeights(1, kept_at=-1), "kept_at"),
    ],
)
def test_what_makes_no_sense_is_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make()
