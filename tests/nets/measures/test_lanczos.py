import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

from tests.nets.expected import operator
from valleys.nets.measures import lanczos
from valleys.nets.measures.lanczos import hutchinson_trace, lowest_eigenpairs, top_eigenpairs


def _matrix(values, seed=0):
    """A symmetric matrix with the given eigenvalues."""
    turned = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[
        0
    ]
    return turned @ np.diag(values) @ turned.T


def _diagonal(values):
    """A diagonal matrix, known by its products."""
    return operator(len(values), lambda vector: values * vector)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(1, 0, 300) ** 3,
        np.linspace(1, -1, 300),  # indefinite
        np.concatenate([[5.0, 4.0, 4.0 - 1e-6], np.geomspace(3, 1e-8, 297)]),
        np.concatenate([np.arange(6.0, 0.0, -1), np.zeros(294)]),  # rank below what is asked for
        # and larger than the most products
        np.concatenate([np.arange(6.0, 0.0, -1), np.zeros(1200)]),
        np.zeros(30),
        np.ones(20),  # every vector is an eigenvector
        np.arange(10.0),  # no larger than what is asked for
        # many equal ones above all others
        np.repeat([2.0, *np.linspace(1.9, 0, 290)], [10] + [1] * 290),
        # and more of them than are asked for
        np.repeat([2.0, *np.linspace(1.9, 0, 288)], [12] + [1] * 288),
        np.repeat([1.35, 0.16, 0.11, *np.geomspace(0.08, 1e-4, 50)], [9, 9, 9] + [1] * 50),
        np.repeat([-1.0, *-np.linspace(1.1, 2, 100)], [12] + [1] * 100),  # all negative
        np.repeat([3.0, 1.0, 0.0], [9, 191, 1000]),  # in a space larger than the most products
        -np.ones(40),
    ],
)
def test_the_largest_eigenvalues_are_those_of_the_dense_matrix(values):
    matrix = _matrix(values)
    found = top_eigenpairs(aslinearoperator(matrix), 10)
    np.testing.assert_allclose(found.values, np.sort(values)[::-1][:10], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("size", [1e-200, 1e-80, 1e200])
def test_eigenvalues_of_a_multiple_are_the_multiples(size):
    matrix = _matrix(np.repeat([2.0, *np.linspace(1.9, -1, 60)], [4] + [1] * 60))
    found, of_multiple = (top_eigenpairs(aslinearoperator(a * matrix), 10) for a in (1.0, size))
    np.testing.assert_allclose(of_multiple.values / size, found.values, rtol=1e-9)
    np.testing.assert_allclose(of_multiple.residuals / size, found.residuals, atol=2e-5)
    exactly = 2.0**-900
    power = top_eigenpairs(operator(64, lambda vector: exactly * (matrix @ vector)), 10)
    assert (power.values / exactly == found.values).all()


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-1, 1).map(lambda value: round(value, 2)), min_size=1, max_size=12),
    times=st.lists(st.integers(1, 13), min_size=12, max_size=12),
    bulk=st.integers(0, 40),
    scale=st.sampled_from([1.0, 1e-200, 1e-9, 1e200]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_multiplicities_are_found_at_any_scale(values, times, bulk, scale, seed):
    rng = np.random.default_rng(seed)
    every = np.concatenate(
        [np.repeat(values, times[: len(values)]), rng.uniform(-1, min(values), bulk)]
    )
    matrix, count = _matrix(every, seed), min(10, len(every))
    expected = np.linalg.eigvalsh(matrix)[::-1][:count]
    for for_vectors in (False, True):
        found = top_eigenpairs(aslinearoperator(scale * matrix), count, for_vectors=for_vectors)
        np.testing.assert_allclose(found.values / scale, expected, rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("gap", [2e-5, 1e-9, 1e-13])
def test_nearly_equal_pairs_are_two(gap):
    """One chain alone gets a fifth of these wrong for a gap of 1e-9, by several percent."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = np.sort(rng.exponential(size=300))[::-1]
        values[1:12:2] = values[0:11:2] * (1 - gap)
        values = np.sort(values)[::-1]
        found = top_eigenpairs(_diagonal(values), 10)
        np.testing.assert_allclose(found.values, values[:10], rtol=2e-5, err_msg=f"seed {seed}")


def test_residuals_are_those_of_the_eigenvectors_themselves():
    matrix = _matrix(np.repeat([2.0, *np.linspace(1.9, 0, 100)], [6] + [1] * 100))
    for for_vectors, allowed in ((True, 1e-7), (False, 1e-5)):
        found = top_eigenpairs(aslinearoperator(matrix), 10, for_vectors=for_vectors)
        np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(10), atol=1e-10)
        residuals = np.linalg.norm(
            found.vectors @ matrix - found.values[:, None] * found.vectors, axis=1
        )
        np.testing.assert_allclose(residuals, found.residuals, atol=1e-12)
        assert (residuals <= allowed * found.values).all()
    # not symmetric: no eigenvector of the symmetric part is one of it
    crooked = matrix + np.triu(0.1 * np.ones((106, 106)))
    assert top_eigenpairs(aslinearoperator(crooked), 10).residuals.max() > 0.01


@pytest.mark.parametrize("for_vectors", [False, True])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_product_that_is_not_finite_is_named(for_vectors, wrong):
    def product(vector):
        return np.where(np.arange(30) == 7, wrong, vector)

    with pytest.raises(
        ArithmeticError, match="the product of the matrix with a unit vector is not finite"
    ):
        top_eigenpairs(operator(30, product), 3, for_vectors=for_vectors)


def test_residuals_are_those_of_eigenvectors_not_yet_found():
    values = np.geomspace(1, 1e-3, 200)
    matrix, loose = _matrix(values), 1e-2
    found = top_eigenpairs(aslinearoperator(matrix), 5, tolerance=loose)
    assert (found.residuals <= loose * found.values).all()
    assert (np.abs(found.values - values[:5]) <= found.residuals + 1e-12).all()


def test_products_are_counted():
    calls = []
    matrix = _matrix(np.geomspace(1, 1e-3, 200))
    found = top_eigenpairs(
        operator(200, lambda vector: calls.append(0) or matrix @ vector),
        5,
    )
    assert found.n_products == len(calls) < 100


def test_a_matrix_that_needs_too_many_products_is_an_error(monkeypatch):
    monkeypatch.setattr(lanczos, "MOST_PRODUCTS", 90)
    values = np.linspace(0, 1, 150)
    with pytest.raises(
        ArithmeticError,
        match="the 40 largest eigenvalues were not found after 90 products; ask for fewer",
    ):
        top_eigenpairs(_diagonal(values), 40, tolerance=1e-15)


def test_pairs_of_a_matrix_that_arpack_refuses_are_found():
    for values in (np.zeros(30), np.arange(10.0), 1e-30 * np.arange(30.0), np.array([3.0])):
        count = min(10, len(values))
        found = top_eigenpairs(_diagonal(values), count, for_vectors=True)
        np.testing.assert_allclose(
            found.values, np.sort(values)[::-1][:count], rtol=1e-9, atol=1e-13 * values.max()
        )
        np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(count), atol=1e-9)


def test_what_arpack_draws_anew_in_an_invariant_subspace_is_the_same_each_time():
    matrix = _diagonal(np.concatenate([np.geomspace(1, 1e-12, 12), np.zeros(400)]))
    first, second = (top_eigenpairs(matrix, 20, for_vectors=True) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.vectors, second.vectors)


def test_being_sure_costs_few_products():
    values = np.concatenate([np.geomspace(10, 0.7, 10), np.geomspace(0.6, 1e-6, 2490)])
    assert top_eigenpairs(_diagonal(values), 10).n_products <= 60


def test_more_eigenvalues_than_there_are_are_refused():
    with pytest.raises(
        ValueError,
        match=r"^count must lie between 1 and the size 5 of the matrix, "
        r"got 6$",
    ):
        top_eigenpairs(_diagonal(np.ones(5)), 6)


@pytest.mark.parametrize("for_vectors", [False, True])
def test_the_lowest_eigenvalues_are_those_of_the_dense_matrix_each_as_often_as_it_occurs(
    for_vectors,
):
    values = np.concatenate([[-3.0, -3.0, -3.0, -1.0], np.linspace(-0.2, 0.2, 60), [50.0] * 5])
    matrix = _matrix(values)
    found = lowest_eigenpairs(aslinearoperator(matrix), 5, for_vectors=for_vectors)
    np.testing.assert_allclose(found.values, values[:5], rtol=1e-5)
    np.testing.assert_allclose(
        found.vectors @ matrix, found.values[:, None] * found.vectors, atol=1e-4
    )


def test_the_trace_from_random_signs_has_the_error_it_says():
    values = np.linspace(-1, 3, 80)
    matrix = _matrix(values)
    found = [
        hutchinson_trace(aslinearoperator(matrix), np.random.default_rng(seed), 40)
        for seed in range(60)
    ]
    expected = 1.96 * (2 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / 40) ** 0.5
    assert np.mean([one.high - one.low for one in found]) / 2 == pytest.approx(expected, rel=0.1)
    assert np.mean([one.low <= 80 <= one.high for one in found]) >= 0.85
    exact = hutchinson_trace(_diagonal(values), np.random.default_rng(0), 3)
    assert (exact.value, exact.low) == (pytest.approx(80), pytest.approx(80))
