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

    For ten eigenvalues of the 50 × 50 layer it takes 25 to 31 products, as ARPACK does, which needs eleven more for the residuals.

    Args:
        product: v ↦ A v for a flat vector, (size,).
        size: of the matrix.
        count: how many eigenvalues.
        tolerance: residual over eigenvalue at which an eigenvector counts as found.

    Raises:
        ValueError: more eigenvalues than there are.
        ArithmeticError: not found after 1,000 products.
    """
    if not 1 <= count <= size:
        raise ValueError(f"count must lie between 1 and the size {size} of the matrix, got {count}")
    rng, limit = np.random.default_rng(0), min(size, MOST_PRODUCTS)
    krylov, vector = _Krylov.empty(limit, size), rng.standard_normal(size)
    for _ in range(limit):
        vector = krylov.extend(vector, product)
        if krylov.closed:
            vector = krylov.orthogonal(rng.standard_normal(size))
        if krylov.length == size or (krylov.length >= 2 * count and krylov.length % CHECK_EVERY == 0):
            found = krylov.spectrum(count)
            if krylov.length == size or krylov.trusts(found, tolerance):
                return found
    raise ArithmeticError(f"the {count} largest eigenvalues were not found after {limit} products; ask for fewer or for a tolerance above {tolerance}")


@dataclass
class _Krylov:
    """Orthonormal vectors in which the matrix is tridiagonal.

    Attributes:
        vectors: one a row, (limit, size); memory is taken as they come.
        diagonal: of the tridiagonal matrix, (limit,).
        beside: its other diagonal, (limit,); 0 where the vectors so far span an invariant subspace and the next one is drawn anew.
        length: how many vectors there are.
    """

    vectors: np.ndarray
    diagonal: np.ndarray
    beside: np.ndarray
    length: int = 0

    @classmethod
    def empty(cls, limit: int, size: int) -> "_Krylov":
        return cls(np.empty((limit, size)), np.zeros(limit), np.zeros(limit))

    @property
    def closed(self) -> bool:
        """Whether the vectors so far span an invariant subspace."""
        return self.beside[self.length - 1] == 0

    def extend(self, vector: np.ndarray, product: Product) -> np.ndarray:
        """Take a vector in; what comes back is its product's part orthogonal to all vectors."""
        last, self.length = self.length, self.length + 1
        self.vectors[last] = vector / np.linalg.norm(vector)
        image = product(self.vectors[last])
        self.diagonal[last] = self.vectors[last] @ image
        rest = self.orthogonal(image)
        size = np.linalg.norm(rest)
        self.beside[last] = size if size > BREAKDOWN * np.abs(self.diagonal).max() else 0.0
        return rest

    def orthogonal(self, vector: np.ndarray) -> np.ndarray:
        """The vector's part orthogonal to all vectors; twice, because once leaves the rounding of a long vector in a short one."""
        known = self.vectors[: self.length]
        for _ in range(2):
            vector = vector - (known @ vector) @ known
        return vector

    def spectrum(self, count: int) -> Spectrum:
        """Largest eigenvalues of the tridiagonal matrix; the residual of each is its vector's last entry times the coefficient that comes next."""
        chosen = (self.length - count, self.length - 1)
        values, vectors = eigh_tridiagonal(self.diagonal[: self.length], self.beside[: self.length - 1], select="i", select_range=chosen)
        return Spectrum(values[::-1], np.abs(self.beside[self.length - 1] * vectors[-1, ::-1]), self.length)

    def trusts(self, found: Spectrum, tolerance: float) -> bool:
        """Whether all residuals are small; a closed subspace has none, and counts if the vector drawn after the last one closed it at once again."""
        sizes = np.abs(found.eigenvalues)
        small = (found.residuals <= np.maximum(tolerance * sizes, BREAKDOWN * sizes.max())).all()
        return bool(small) and (not self.closed or self.beside[self.length - 2] == 0)
