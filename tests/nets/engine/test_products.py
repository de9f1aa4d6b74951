"""Matrix products of our own against NumPy's."""

import numpy as np
import pytest

from valleys.nets.engine import blas, products

SHAPES = [(1, 1, 1), (4, 4, 4), (3, 5, 7), (10, 50, 33), (13, 10, 50), (8, 6, 588)]


def drawn(shape, kind):
    """Values, slopes and weights of so many samples, outputs and inputs."""
    n_samples, n_out, n_in = shape
    rng = np.random.default_rng(0)
    sizes = (n_samples, n_in), (n_samples, n_out), (n_out, n_in)
    return [rng.standard_normal(size).astype(kind) for size in sizes]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "error"), [("float32", 2e-4), ("float64", 1e-12)])
def test_products_are_those_of_numpy(shape, kind, error):
    values, deltas, weight = drawn(shape, kind)
    received, back = np.full_like(deltas, 7), np.full_like(values, 7)
    products.receive(values, weight, received)
    np.testing.assert_allclose(received, values @ weight.T, atol=error)
    products.carry_back(deltas, weight, back)
    np.testing.assert_allclose(back, deltas @ weight, atol=error)
    moved = weight.copy()
    products.move(values, deltas, values.dtype.type(-0.5), moved)
    np.testing.assert_allclose(moved, weight - 0.5 * deltas.T @ values, atol=error)


def test_what_is_no_number_stays_in_its_sample():
    values, _, weight = drawn((9, 6, 20), "float32")
    values[5, 3] = np.nan
    received = np.empty((9, 6), np.float32)
    products.receive(values, weight, received)
    assert np.isnan(received).all(axis=1).tolist() == [row == 5 for row in range(9)]


@pytest.mark.parametrize(
    ("kernel", "wide", "way"),
    [
        ("SkylakeX", True, blas.SLICED),
        ("Haswell", True, blas.OWN),
        ("Haswell", False, blas.WHOLE),
        ("Zen", False, blas.WHOLE),
    ],
)
def test_the_way_follows_from_processor_and_blas(monkeypatch, kernel, wide, way):
    known = {"internal_api": "openblas", "filepath": "scipy.libs/x.so", "architecture": kernel}
    monkeypatch.setattr(blas, "threadpool_info", lambda: [known])
    monkeypatch.setattr(blas.binding, "get_host_cpu_features", lambda: {"avx512f": wide})
    assert blas.product_way.__wrapped__() == way
