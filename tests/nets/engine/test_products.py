"""Matrix products of our own against NumPy's."""

import numpy as np
import pytest

from valleys.nets.engine.kernels import blas, products

# samples, outputs, inputs: less than a vector or a block, whole ones, and what is left of each
SHAPES = [
    *((1, 1, 1), (4, 4, 4), (5, 5, 16), (3, 6, 7), (10, 50, 33), (13, 10, 50), (8, 6, 588)),
    *((64, 16, 32), (65, 17, 36), (130, 11, 48), (129, 5, 49), (6, 100, 100), (5, 9, 65)),
]


def drawn(shape, kind):
    """Values, slopes and weights of so many samples, outputs and inputs."""
    n_samples, n_out, n_in = shape
    rng = np.random.default_rng(0)
    sizes = (n_samples, n_in), (n_samples, n_out), (n_out, n_in)
    return [rng.standard_normal(size).astype(kind) for size in sizes]


def fenced(array):
    """A copy, and the memory it lies in, which is 7 before and behind it."""
    room = np.full(array.size + 200, 7, array.dtype)
    inner = room[100:-100].reshape(array.shape)
    inner[:] = array
    return inner, room


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("kind", "error"), [("float32", 2e-4), ("float64", 1e-12)])
def test_products_are_those_of_numpy(shape, kind, error):
    values, deltas, weight = drawn(shape, kind)
    received, back = np.full_like(deltas, np.nan), np.full_like(values, np.nan)
    products.receive(values, weight, received)
    np.testing.assert_allclose(received, values @ weight.T, atol=error)
    products.carry_back(deltas, weight, back)
    np.testing.assert_allclose(back, deltas @ weight, atol=error)
    moved = weight.copy()
    products.move(values, deltas, values.dtype.type(-0.5), moved)
    np.testing.assert_allclose(moved, weight - 0.5 * deltas.T @ values, atol=error)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nothing_is_written_beside_a_result(shape):
    values, deltas, weight = drawn(shape, "float32")
    for product, given, result in (
        (products.receive, (values, weight), deltas),
        (products.carry_back, (deltas, weight), values),
        (products.move, (values, deltas, np.float32(0.5)), weight),
    ):
        inner, room = fenced(result)
        product(*given, inner)
        assert (room[:100] == 7).all()
        assert (room[-100:] == 7).all()


@pytest.mark.parametrize("n_in", [3, 20], ids=["turned weights", "sums within vectors"])
def test_what_is_no_number_stays_in_its_sample(n_in):
    values, _, weight = drawn((9, 6, n_in), "float32")
    values[5, 2] = np.nan
    received = np.empty((9, 6), np.float32)
    products.receive(values, weight, received)
    assert np.isnan(received).all(axis=1).tolist() == [row == 5 for row in range(9)]
    assert np.isfinite(np.delete(received, 5, axis=0)).all()


def test_rows_of_a_larger_matrix_are_taken_by_their_stride():
    values, deltas, weight = drawn((12, 7, 40), "float32")
    wide = np.zeros((12, 64), np.float32)
    wide[:, :40] = values
    moved, expected = weight.copy(), weight.copy()
    products.move(wide[:, :40], deltas, np.float32(1), moved)
    products.move(values, deltas, np.float32(1), expected)
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize(
    ("features", "way"),
    [("+avx2,+avx512f,+fma", blas.OWN), ("+avx2,-avx512f,+fma", blas.BLAS), ("", blas.BLAS)],
)
def test_the_way_follows_from_the_processor(monkeypatch, features, way):
    monkeypatch.setattr(blas, "get_host_cpu_features", lambda: features)
    assert blas.product_way.__wrapped__() == way
