"""The written-out step against an eigendecomposition, and the compiled kernel's statistics
against it.
"""

import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.simulation import reference
from valleys.toy.simulation.kernels import JITTER, NOISES
from valleys.toy.simulation.langevin import flat_probability

LANDSCAPE = TwoValley()


@pytest.mark.parametrize("noise", NOISES)
def test_covariance_is_that_of_the_eigenvectors(noise):
    x, y = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 60, 31))
    values, vectors = np.linalg.eigh(LANDSCAPE.hessian(x, y))
    even = 2 / np.sqrt(np.prod(LANDSCAPE.flatness(y), axis=0))[..., None] * np.ones(2)
    values = {"hessian": np.maximum(values, 0), "hessian_squared": values**2, "isotropic": even}[
        noise
    ]
    expected = 0.6 * (vectors * values[..., None, :]) @ np.swapaxes(
        vectors, -1, -2
    ) + JITTER * np.eye(2)
    np.testing.assert_allclose(
        reference.covariance(LANDSCAPE, x, y, 0.3, noise), expected, atol=1e-12
    )


@pytest.mark.parametrize("noise", NOISES)
def test_the_kernel_has_the_statistics_of_the_written_out_step(noise):
    generator, n_runs = np.random.default_rng(4), 4000
    x, y = np.where(np.arange(n_runs) % 2, 0.01, -0.01), np.full(n_runs, 5.0)
    for _ in range(100):
        x, y = reference.step(LANDSCAPE, x, y, 0.05, 0.05, noise, generator)
    compiled = flat_probability(LANDSCAPE, 0.05, 0.05, n_runs, 100, 5.0, 100, noise, seed=5).isel(
        step=-1
    )
    assert abs(compiled.p_flat - np.mean(x > 0)) < 4.5 * np.sqrt(2) * compiled.p_flat_error
    assert abs(compiled.mean_y - y.mean()) < 4.5 * np.sqrt(2) * compiled.mean_y_error
