import numpy as np
import pytest

from valleys.nets.lanczos import largest_eigenvalues


def _matrix(values, seed=0):
    """A symmetric matrix with the given eigenvalues."""
    turned = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[0]
    return turned @ np.diag(values) @ turned.T


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(1, 0, 300) ** 3,
        np.linspace(1, -1, 300),  # indefinite
        np.concatenate([[5.0, 4.0, 4.0 - 1e-6], np.geomspace(3, 1e-8, 297)]),
        np.concatenate([np.arange(6.0, 0.0, -1), np.zeros(294)]),  # rank below what is asked for
        np.concatenate([np.arange(6.0, 0.0, -1), np.zeros(1200)]),  # and larger than the most products
        np.zeros(30),
        np.ones(20),  # every vector is an eigenvector
        np.arange(10.0),  # no larger than what is asked for
    ],
)
def test_the_largest_eigenvalues_are_those_of_the_dense_matrix(values):
    matrix = _matrix(values)
    found = largest_eigenvalues(lambda vector: matrix @ vector, len(values), 10)
    np.testing.assert_allclose(found.eigenvalues, np.sort(values)[::-1][:10], rtol=1e-5, atol=1e-8)


def test_residuals_are_those_of_eigenvectors_not_yet_found():
    values = np.geomspace(1, 1e-3, 200)
    matrix, loose = _matrix(values), 1e-2
    found = largest_eigenvalues(lambda vector: matrix @ vector, 200, 5, tolerance=loose)
    assert (found.residuals <= loose * found.eigenvalues).all()
    assert (np.abs(found.eigenvalues - values[:5]) <= found.residuals + 1e-12).all()


def test_products_are_counted():
    calls = []
    matrix = _matrix(np.geomspace(1, 1e-3, 200))
    found = largest_eigenvalues(lambda vector: calls.append(0) or matrix @ vector, 200, 5)
    assert found.n_products == len(calls) < 100


def test_a_matrix_that_needs_too_many_products_is_an_error():
    values = np.linspace(0, 1, 1500)
    with pytest.raises(ArithmeticError, match="the 400 largest eigenvalues were not found after 1000 products; ask for fewer"):
        largest_eigenvalues(lambda vector: values * vector, 1500, 400, tolerance=1e-15)


def test_more_eigenvalues_than_there_are_are_refused():
    with pytest.raises(ValueError, match=r"^count must lie between 1 and the size 5 of the matrix, got 6$"):
        largest_eigenvalues(lambda vector: vector, 5, 6)
