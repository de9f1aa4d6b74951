import numpy as np
import pytest
import torch

from tests.nets.networks import small, trained
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.nets.measures.spectra import (
    noise_spectrum,
    sharpness_dimension,
    stretches,
    whole_spectrum,
)
from valleys.nets.measures.whole_hessian import WholeNetwork


@pytest.fixture
def networks(blobs):
    return trained(small().to(torch.float64), blobs, 20)


def test_noise_has_the_spectrum_of_the_covariance_of_gradients(networks, blobs):
    whole = WholeNetwork.of(networks, blobs)
    gradients = torch.func.jacrev(whole.losses)(whole.point).numpy()
    wanted = np.linalg.eigvalsh(np.cov(gradients.T, bias=True))[::-1]
    found = noise_spectrum(SampleSlopes.of(networks, blobs), 5)
    np.testing.assert_allclose(found, wanted[:5], rtol=1e-3)


def test_the_whole_spectrum_is_that_of_the_dense_hessian(networks, blobs):
    whole = WholeNetwork.of(networks, blobs)
    dense = torch.func.hessian(lambda theta: whole.losses(theta).mean())(whole.point)
    wanted = np.linalg.eigvalsh(dense.numpy())[::-1]
    np.testing.assert_allclose(whole_spectrum(networks, blobs), wanted, atol=1e-10)


def test_a_step_in_a_bowl_stretches_by_what_theory_says():
    curvatures = np.array([0.0, 1.0, 3.0])
    step = np.eye(3) - np.diag(0.9 * curvatures)
    wanted = np.log(np.linalg.svd(step, compute_uv=False))
    np.testing.assert_allclose(stretches(curvatures, 0.9), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [
        ([-0.1, -0.2], 0.0),  # a stable point
        ([0.5, 0.2], 2.0),  # nothing contracts
        ([np.log(2), -np.log(4)], 1.5),
        ([0.419, -1.623], 1.258),  # the Hénon map
        ([0.9, 0.0, -14.6], 2.062),  # the Lorenz system
    ],
)
def test_dimensions_of_known_systems(exponents, dimension):
    assert sharpness_dimension(np.array(exponents)) == pytest.approx(dimension, abs=1e-3)
