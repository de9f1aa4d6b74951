import numpy as np
import pytest
import torch

from tests.nets.networks import small, trained
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.stack import flat
from valleys.nets.measures.curvature import batch_sharpness, curvature
from valleys.nets.measures.sample_slopes import SampleSlopes


@pytest.fixture
def network(blobs):
    """One small network on its way, float64."""
    start = initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)
    return trained(start, blobs, 20)


@pytest.fixture
def slopes(network, blobs):
    return SampleSlopes.of(network, blobs)


@pytest.fixture
def gradients(network, blobs):
    """Gradient of each sample by automatic differentiation, (N, n)."""
    found = []
    for sample in range(len(blobs)):
        here = curvature(network, blobs.pick(torch.tensor([sample])))
        slope = torch.func.grad(here.loss)(here.point)
        found.append(torch.cat([part.flatten() for part in slope.values()]))
    return torch.stack(found)


@pytest.fixture
def hessian(network, blobs):
    """H by automatic differentiation, (n, n)."""
    here = curvature(network, blobs)
    return torch.from_numpy(np.stack([here.product(unit) for unit in np.eye(here.size)]))


def covariance(gradients):
    away = gradients - gradients.mean(dim=0)
    return away.T @ away / len(away)


def test_gradients_of_samples_are_those_of_automatic_differentiation(
    network, blobs, slopes, gradients
):
    shares = torch.linspace(-1, 2, len(blobs), dtype=torch.float64)
    torch.testing.assert_close(slopes.combined(shares), shares @ gradients)
    mean = flat(network.gradients(blobs.images, blobs.labels))[0]
    torch.testing.assert_close(slopes.mean_gradient(), mean)
    chosen = torch.tensor([3, 3, 8])
    torch.testing.assert_close(slopes.pick(chosen).mean_gradient(), gradients[chosen].mean(dim=0))


def test_the_trace_of_the_noise_is_that_of_the_dense_covariance(slopes, gradients):
    expected = float(torch.trace(covariance(gradients)))
    assert slopes.noise_trace() == pytest.approx(expected, rel=1e-9)


def test_products_and_trace_are_those_of_the_dense_hessian(slopes, hessian):
    for direction in np.random.default_rng(0).standard_normal((3, slopes.size)):
        expected = hessian @ torch.from_numpy(direction)
        np.testing.assert_allclose(slopes.product(direction), expected, rtol=1e-7, atol=1e-9)
    assert slopes.trace() == pytest.approx(float(torch.trace(hessian)), rel=1e-9)


def test_the_leading_eigenvectors_are_those_of_the_dense_hessian(slopes, hessian):
    values, vectors = slopes.top(3)
    expected = torch.linalg.eigvalsh(hessian).flip(0)[:3]
    torch.testing.assert_close(values, expected, rtol=1e-3, atol=0)
    torch.testing.assert_close(vectors @ hessian @ vectors.T, expected.diag(), rtol=0.02, atol=0.02)


def test_the_lift_is_the_trace_of_the_dense_product(slopes, gradients, hessian):
    expected = float(torch.trace(covariance(gradients) @ hessian))
    assert slopes.lift(np.random.default_rng(0), 4000) == pytest.approx(expected, rel=5e-3)
    few = [slopes.lift(np.random.default_rng(seed), 4) for seed in range(300)]
    assert abs(np.mean(few) - expected) < 5 * np.std(few) / len(few) ** 0.5
    assert np.std(few) < 0.3 * expected


def test_the_lift_of_another_place_has_the_curvature_of_this_one(blobs, slopes, hessian):
    start = SampleSlopes.of(initialize(5, 3, hidden=(7, 6), n_classes=3).to(torch.float64), blobs)
    mean, every = start.mean_gradient(), torch.eye(len(blobs), dtype=torch.float64)
    away = torch.stack([start.combined(one) for one in every]) - mean
    expected = float(torch.trace(away.T @ away @ hessian)) / len(blobs)
    found = slopes.lift(np.random.default_rng(0), 4000, start)
    assert found == pytest.approx(expected, rel=1e-2)


def test_batch_sharpness_is_that_of_automatic_differentiation(network, blobs, slopes):
    expected = batch_sharpness(network, blobs, 6, np.random.default_rng(0), 400)
    found = slopes.batch_sharpness(np.random.default_rng(1), 6, 400)
    assert found == pytest.approx(float(expected[0]), rel=0.05)
    whole = slopes.batch_sharpness(np.random.default_rng(0), len(blobs), 1)
    exact = batch_sharpness(network, blobs, len(blobs), np.random.default_rng(0), 1)
    assert whole == pytest.approx(float(exact[0]), rel=1e-6)


def test_the_loss_is_that_of_the_network(blobs):
    network = small().to(torch.float64)
    slopes = SampleSlopes.of(network, blobs)
    assert slopes.loss == pytest.approx(
        float(curvature(network, blobs).loss(network_point(network)))
    )


def network_point(network):
    return {name: part[0] for name, part in network.parameters.items()}
