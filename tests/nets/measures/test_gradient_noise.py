import numpy as np
import pytest
import torch

from tests.nets.expected import second_layer
from tests.nets.networks import small, trained
from valleys.nets.engine import reference
from valleys.nets.measures import gradient_noise, layer_hessian
from valleys.nets.measures.lanczos import top_eigenpairs


@pytest.fixture
def networks(blobs):
    return trained(small().to(torch.float64), blobs, 60)


@pytest.fixture
def gradients(networks, blobs):
    """Second-layer gradient of each sample by autograd, (30, 8 · 6), in the order of (n_in,
    n_out).
    """
    module, found = reference.as_module(networks), []
    for image, label in zip(blobs.images, blobs.labels, strict=True):
        loss = torch.nn.functional.cross_entropy(module(image[None]), label[None])
        found.append(torch.autograd.grad(loss, second_layer(module))[0].T.reshape(-1).numpy())
    return np.array(found)


@pytest.fixture
def layer(networks, blobs):
    return gradient_noise.layer_noise(
        layer_hessian.layer_curvature(networks, blobs.images), blobs.labels.numpy()
    )


def test_the_noise_is_the_covariance_of_autograd_gradients(layer, gradients):
    expected = np.cov(gradients.T, bias=True)
    directions = np.linalg.qr(np.random.default_rng(0).standard_normal((48, 5)))[0].T
    products = [layer.product(direction) for direction in directions]
    np.testing.assert_allclose(products, directions @ expected, atol=1e-12)
    np.testing.assert_allclose(
        layer.variance(directions), np.diag(directions @ expected @ directions.T), atol=1e-12
    )
    assert layer.trace() == pytest.approx(np.trace(expected))
    np.testing.assert_allclose(layer.mean_gradient, gradients.mean(axis=0), atol=1e-12)


def test_its_largest_eigenvalues_are_those_of_the_dense_matrix(layer, gradients):
    found = top_eigenpairs(layer, 10)
    np.testing.assert_allclose(
        found.values, np.linalg.eigvalsh(np.cov(gradients.T, bias=True))[::-1][:10], rtol=1e-5
    )


@pytest.mark.parametrize("batch_size", [1, 7, 30])
def test_the_mean_of_a_batch_scatters_by_the_batch_factor(gradients, batch_size):
    rng = np.random.default_rng(1)
    drawn = np.array(
        [gradients[rng.permutation(30)[:batch_size]].mean(axis=0) for _ in range(20_000)]
    )
    single, batch = gradients.var(axis=0).sum(), drawn.var(axis=0).sum()
    assert batch == pytest.approx(
        single * gradient_noise.batch_factor(batch_size, 30), rel=0.05, abs=1e-12
    )
