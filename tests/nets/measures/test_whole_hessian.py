"""Curvature and noise in all weights against autograd, sample by sample."""

import numpy as np
import pytest
import torch

from tests.nets.expected import hessian
from tests.nets.networks import small, trained
from valleys.nets.engine import reference
from valleys.nets.engine.training import evaluate
from valleys.nets.measures import whole_hessian
from valleys.nets.measures.lanczos import hutchinson_trace, lowest_eigenpairs, top_eigenpairs


@pytest.fixture
def networks(blobs):
    return trained(small(2).to(torch.float64), blobs, 60)


@pytest.mark.parametrize("index", [0, 1])
def test_the_losses_are_those_of_the_network_at_its_flat_point(networks, blobs, index):
    found = whole_hessian.WholeNetwork.of(networks, blobs, index)
    torch.testing.assert_close(found.point, networks.flat()[index])
    assert found.losses(found.point).mean().item() == pytest.approx(
        evaluate(networks, blobs).loss[index].item()
    )


def test_eigenpairs_are_those_of_the_autograd_hessian(networks, blobs):
    found = whole_hessian.WholeNetwork.of(networks, blobs, 1)
    expected = hessian(lambda theta: found.losses(theta).mean(), found.point).numpy()
    pairs = top_eigenpairs(found, 5, for_vectors=True)
    values, vectors = pairs.values, pairs.vectors
    np.testing.assert_allclose(values, np.linalg.eigvalsh(expected)[::-1][:5], rtol=1e-6)
    np.testing.assert_allclose(vectors @ expected, values[:, None] * vectors, atol=1e-6 * values[0])
    np.testing.assert_allclose(top_eigenpairs(found, 5).values, values, rtol=1e-5)


def test_the_most_negative_eigenvalues_and_the_trace_are_those_of_the_autograd_hessian(
    networks, blobs
):
    found = whole_hessian.WholeNetwork.of(networks, blobs, 1)
    expected = hessian(lambda theta: found.losses(theta).mean(), found.point).numpy()
    below = np.linalg.eigvalsh(expected)[:4]
    assert below[0] < -1e-4  # the whole network is no sum of squares, as one layer is
    np.testing.assert_allclose(lowest_eigenpairs(found, 4).values, below, rtol=1e-5)
    trace = hutchinson_trace(found, np.random.default_rng(0), 200)
    assert trace.low <= np.trace(expected) <= trace.high


def test_the_noise_is_the_scatter_of_the_samples_gradients(networks, blobs):
    found, module = whole_hessian.WholeNetwork.of(networks, blobs), reference.as_module(networks)
    rows = []
    for image, label in zip(blobs.images, blobs.labels, strict=True):
        loss = torch.nn.functional.cross_entropy(module(image[None]), label[None])
        parts = torch.autograd.grad(loss, list(module.parameters()))
        rows.append(torch.cat([part.reshape(-1) for part in parts[::2] + parts[1::2]]).numpy())
    directions = np.linalg.qr(np.random.default_rng(0).standard_normal((len(rows[0]), 3)))[0].T
    np.testing.assert_allclose(
        found.noise.variance(directions), (np.array(rows) @ directions.T).var(axis=0), rtol=1e-8
    )
    expected = np.cov(np.array(rows).T, bias=True)
    np.testing.assert_allclose(
        [found.noise.product(direction) for direction in directions],
        directions @ expected,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        top_eigenpairs(found.noise, 3).values, np.linalg.eigvalsh(expected)[::-1][:3], rtol=1e-5
    )
