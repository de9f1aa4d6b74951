"""Traces and eigenvectors of noise and curvature against dense matrices by autograd."""

import numpy as np
import pytest
import torch

from tests.nets.expected import hessian, second_layer
from tests.nets.networks import small, trained
from valleys.nets.engine import reference
from valleys.nets.measures import gradient_noise, layer_hessian, noise_alignment
from valleys.nets.measures.lanczos import top_eigenpairs


@pytest.fixture(params=[0, 60, 1500], ids=["at the start", "in between", "fitted"])
def networks(request, blobs):
    return trained(small().to(torch.float64), blobs, request.param)


@pytest.fixture
def layer(networks, blobs):
    return layer_hessian.layer_curvature(networks, blobs.images)


@pytest.fixture
def dense_noise(networks, blobs):
    """Covariance of the second-layer gradients of single samples by autograd."""
    module, found = reference.as_module(networks), []
    for image, label in zip(blobs.images, blobs.labels, strict=True):
        loss = torch.nn.functional.cross_entropy(module(image[None]), label[None])
        found.append(torch.autograd.grad(loss, second_layer(module))[0].T.reshape(-1).numpy())
    return np.cov(np.array(found).T, bias=True)


@pytest.fixture
def dense_hessian(networks, blobs):
    """Second-layer Hessian by autograd, in the order of (n_in, n_out)."""
    weights, biases = [w[0].T for w in networks.weights], [b[0].T for b in networks.biases]

    def loss(matrix):
        hidden = torch.relu(torch.relu(blobs.images @ weights[0] + biases[0]) @ matrix + biases[1])
        return torch.nn.functional.cross_entropy(hidden @ weights[2] + biases[2], blobs.labels)

    return hessian(loss, weights[1]).reshape(48, 48).numpy()


def test_traces_are_those_of_the_dense_matrices(layer, blobs, dense_noise, dense_hessian):
    found = noise_alignment.traces(layer, gradient_noise.layer_noise(layer, blobs.labels.numpy()))
    expected = [
        np.trace(each)
        for each in (
            dense_hessian,
            dense_noise,
            dense_noise @ dense_hessian,
            dense_hessian @ dense_hessian,
            dense_noise @ dense_noise,
        )
    ]
    got = [found.hessian, found.noise, found.product, found.hessian_squared, found.noise_squared]
    np.testing.assert_allclose(got, expected, rtol=1e-8)
    angle = (
        (dense_noise * dense_hessian).sum()
        / np.linalg.norm(dense_noise)
        / np.linalg.norm(dense_hessian)
    )
    assert found.cosine == pytest.approx(angle, rel=1e-8)
    everywhere = np.eye(48)
    assert found.isotropic_cosine == pytest.approx(
        (everywhere * dense_hessian).sum()
        / np.linalg.norm(everywhere)
        / np.linalg.norm(dense_hessian),
        rel=1e-8,
    )


def test_the_prefactor_is_that_of_the_nearest_multiple_of_the_hessian(
    layer, blobs, dense_noise, dense_hessian
):
    found = noise_alignment.traces(
        layer, gradient_noise.layer_noise(layer, blobs.labels.numpy())
    ).noise_per_curvature
    nearest = np.linalg.lstsq(dense_hessian.reshape(-1, 1), dense_noise.ravel(), rcond=None)[0][0]
    assert found == pytest.approx(nearest, rel=1e-8)


def test_isotropic_noise_has_no_preference():
    # Σ = 1, H = diag(1, 2, 3, 0)
    isotropic = noise_alignment.Traces(
        hessian=6.0, noise=4.0, product=6.0, hessian_squared=14.0, noise_squared=4.0, size=4
    )
    assert isotropic.over_isotropic == pytest.approx(1)
    assert isotropic.cosine == pytest.approx(isotropic.isotropic_cosine)
    # Σ = 2H
    proportional = noise_alignment.Traces(
        hessian=6.0, noise=12.0, product=28.0, hessian_squared=14.0, noise_squared=56.0, size=4
    )
    assert proportional.cosine == pytest.approx(1)
    assert proportional.noise_per_curvature == pytest.approx(2)


def test_with_labels_drawn_from_the_network_the_mean_square_gradient_is_the_hessian(
    layer, dense_hessian
):
    """Why the two align at all: averaged over labels with the network's own probabilities, Σ +
    ḡḡᵀ = H.
    """
    total = np.zeros((48, 48))
    for label in range(3):
        errors = layer.probabilities - np.eye(3)[label]
        gradients = np.einsum("na,nb->nab", layer.inputs, layer.carry_back(errors)).reshape(30, 48)
        total += (layer.probabilities[:, label, None] * gradients).T @ gradients / 30
    np.testing.assert_allclose(total, dense_hessian, atol=1e-12)


def test_eigenpairs_are_those_of_the_dense_matrix(layer, dense_hessian):
    found = top_eigenpairs(layer, 10, for_vectors=True)
    values, vectors = found.values, found.vectors
    np.testing.assert_allclose(
        values, np.linalg.eigvalsh(dense_hessian)[::-1][:10], rtol=1e-6, atol=1e-10
    )
    np.testing.assert_allclose(
        vectors @ dense_hessian, values[:, None] * vectors, atol=1e-6 * values[0]
    )
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(10), atol=1e-8)


def test_the_shared_part_of_random_spaces_is_their_share_of_all_directions():
    rng = np.random.default_rng(0)
    spaces = [np.linalg.qr(rng.standard_normal((40, 4)))[0].T for _ in range(400)]
    found = np.array(
        [noise_alignment.shared(*pair) for pair in zip(spaces[::2], spaces[1::2], strict=True)]
    )
    assert found.mean() == pytest.approx(0.1, abs=4 * found.std() / len(found) ** 0.5)
    assert noise_alignment.shared(spaces[0][:2], spaces[0]) == pytest.approx(1)


def test_the_exponent_is_that_of_a_power_law_and_skips_what_is_zero():
    rng = np.random.default_rng(1)
    bent = np.geomspace(1e-3, 1, 200)
    noisy = 5 * bent**1.7 * np.exp(0.1 * rng.standard_normal(200))
    assert noise_alignment.exponent(bent, noisy) == pytest.approx(1.7, abs=0.02)
    assert noise_alignment.exponent(
        np.array([1.0, 2.0, 4.0, 0.0]), np.array([1.0, 4.0, 16.0, 3.0])
    ) == pytest.approx(2)
    assert np.isnan(noise_alignment.exponent(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
