"""Symmetric matrices that are known by their products with vectors, and their outermost
eigenvalues, each as often as it occurs.

From one start vector no method of products sees an eigenvalue more than once, but for rounding.
What was found is therefore tried: another random vector, orthogonal to all vectors so far, is
multiplied until it shows a further eigenvalue above the last one found, or almost surely there is
none (`_Search.misses`). Where there is one, the search goes on.
"""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import ArpackError, LinearOperator, aslinearoperator, eigsh

from valleys.nets import statistics
from valleys.nets.statistics import Estimate

# residual over eigenvalue; where the next eigenvalue is a gap apart, an eigenvalue's own error is
# the residual's square over it
TOLERANCE = 1e-5
# the same, where the eigenvectors are wanted, whose error is the residual over the gap
VECTOR_TOLERANCE = 1e-8
MOST_PRODUCTS = 1000
CHECK_EVERY = 2  # products between two looks at the residuals
# of the largest coefficient; a smaller one means that the products have filled an invariant
# subspace
BREAKDOWN = 1e-13
CHANCE = 1e-4  # at most, that an eigenvalue which is missing stays unseen
ORDINARY = 300  # powers of two; a product within them is not scaled


class SymmetricOperator(LinearOperator):
    """A symmetric matrix in float64 that is known by its products with flat vectors: `size` and
    `product` make it whole.
    """

    dtype = np.dtype(np.float64)

    @property
    def size(self) -> int:
        """Number of rows."""
        self._missing("size")

    def product(self, direction: np.ndarray) -> np.ndarray:
        """The product with a flat direction, (size,)."""
        self._missing("product")

    @property
    def shape(self) -> tuple[int, int]:
        """(size, size)."""
        return self.size, self.size

    def _missing(self, name: str) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} must define {name}")

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self.product(x)

    def _adjoint(self) -> LinearOperator:
        return self

    def _transpose(self) -> LinearOperator:
        return self


@dataclass(frozen=True)
class Eigenpairs:
    """Some eigenvalues of a symmetric matrix, each as often as it occurs, with their eigenvectors.

    Attributes:
        values: (k,).
        vectors: unit eigenvectors, one a row, (k, size).
        residuals: ‖Av − λv‖ of each, from the products themselves, (k,).
        n_products: matrix-vector products that it took.
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    n_products: int


def top_eigenpairs(
    operator: LinearOperator | np.ndarray,
    count: int,
    *,
    for_vectors: bool = False,
    tolerance: float | None = None,
) -> Eigenpairs:
    """The largest eigenvalues in falling order, with their eigenvectors, tried for what was missed.

    For the values it is the Lanczos method from a fixed random start, every vector kept orthogonal
    to all before it, never restarted: for ten eigenvalues of the 50 × 50 layer it takes 22 to 30
    products, as ARPACK does, which needs eleven more for the residuals. For the vectors, which need
    a smaller residual, it is ARPACK from the same start, or the Lanczos method where ARPACK fails
    or its residuals are larger than it says. The trial takes 7 to 14 products more, and misses an
    eigenvalue above the last one with a probability below `CHANCE`.

    Args:
        operator: a symmetric matrix, (size, size), or its products.
        count: how many eigenvalues.
        for_vectors: whether it is for the eigenvectors, and not for the eigenvalues alone.
        tolerance: residual over eigenvalue at which an eigenvector counts as found; `TOLERANCE`, or
            `VECTOR_TOLERANCE` for the vectors, if None.

    Raises:
        ValueError: more eigenvalues than there are, or a matrix that is not symmetric.
        ArithmeticError: not found after 1,000 products, or a product is not finite.

    Example:
        >>> from valleys.nets import flatness, layer_curvature, load_problem, top_eigenpairs
        >>> problem = load_problem("digits", train_per_class=10)
        >>> curvature = layer_curvature(problem.start, problem.train.images)
        >>> found = top_eigenpairs(curvature, 10)
        >>> found.values.shape, bool(flatness(found.values) > 0)
        ((10,), True)
    """
    operator = _symmetric(operator)
    allowed = tolerance if tolerance is not None else VECTOR_TOLERANCE if for_vectors else TOLERANCE
    search = _Search(operator, count, allowed)
    pairs = search.by_arpack() if for_vectors else None
    if pairs is None:
        search = _Search(operator, count, allowed)
        pairs = search.first()
    pairs = search.completed(pairs)
    return Eigenpairs(
        search.unscaled(pairs.values),
        pairs.vectors,
        search.unscaled(pairs.residuals),
        search.n_products,
    )


def _symmetric(matrix: LinearOperator | np.ndarray) -> LinearOperator:
    """A matrix, known by its entries or by its products, as the latter."""
    if isinstance(matrix, LinearOperator):
        return matrix
    entries = np.asarray(matrix, dtype=float)
    alike = entries.ndim == 2 and entries.shape[0] == entries.shape[1]
    if not alike or not np.allclose(entries, entries.T, equal_nan=True):
        raise ValueError(f"the matrix must be symmetric, got one of shape {entries.shape}")
    return aslinearoperator(entries)


def lowest_eigenpairs(
    operator: LinearOperator | np.ndarray,
    count: int,
    *,
    for_vectors: bool = False,
    tolerance: float | None = None,
) -> Eigenpairs:
    """The lowest eigenvalues in rising order, the most negative first; arguments and errors as in
    `top_eigenpairs`.

    They lie closer to the others than the largest ones of a Hessian do, and take more products: 70
    to 130 for three of a whole network on the digits.
    """
    found = top_eigenpairs(-operator, count, for_vectors=for_vectors, tolerance=tolerance)
    return Eigenpairs(-found.values, found.vectors, found.residuals, found.n_products)


def hutchinson_trace(
    operator: LinearOperator, rng: np.random.Generator, n_probes: int = 30
) -> Estimate:
    """Trace as the mean of zᵀAz over random signs z, with the interval of that mean (Hutchinson
    1990); one product a probe.

    A probe scatters by √2 times the root of the sum of squares of what lies off the diagonal.

    Args:
        operator: a symmetric matrix, (size, size).
        rng: of the probes and of the resamples.
        n_probes: how many.
    """
    probes = rng.choice([-1.0, 1.0], size=(n_probes, operator.shape[0]))
    return statistics.mean(np.array([probe @ operator.matvec(probe) for probe in probes]), rng)


@dataclass(frozen=True)
class _Pairs:
    """Eigenvalues in falling order, (k,), unit eigenvectors and what the matrix makes of them,
    one a row, (k, size).
    """

    values: np.ndarray
    vectors: np.ndarray
    images: np.ndarray

    @property
    def residuals(self) -> np.ndarray:
        """‖Av − λv‖ of each, (k,)."""
        return np.linalg.norm(self.images - self.values[:, None] * self.vectors, axis=1)


class _Search:
    """Orthonormal vectors, and what the matrix makes of them; in a chain of vectors that grow from
    one start it is tridiagonal.

    Attributes:
        vectors: one a row, (limit, size); memory is taken as they come.
        images: products with them, over 2^exponent, (limit, size).
        diagonal: of the tridiagonal matrix, (limit,).
        beside: its other diagonal, (limit,); 0 where the vectors so far span an invariant subspace
            and the next one is drawn anew.
        following: the vector that comes next, of any length.
        length: how many vectors there are.
        n_products: how many were taken in, those forgotten included.
        exponent: 0, or what keeps numbers within bounds; to scale by a power of two is exact.
    """

    def __init__(self, operator: LinearOperator, count: int, tolerance: float) -> None:
        """Refuse what cannot be, and draw the start."""
        size = operator.shape[0]
        if not 1 <= count <= size:
            raise ValueError(
                f"count must lie between 1 and the size {size} of the matrix, got {count}"
            )
        self.operator, self.size, self.count, self.tolerance = operator, size, count, tolerance
        limit, self.rng = min(size, max(MOST_PRODUCTS, 2 * count)), np.random.default_rng(0)
        self.vectors, self.images = np.empty((limit, size)), np.empty((limit, size))
        self.diagonal, self.beside = np.zeros(limit), np.zeros(limit)
        self.following, self.exponent = self.rng.standard_normal(size), None
        self.length = self.n_products = 0

    @property
    def full(self) -> bool:
        """Whether the vectors span the whole space."""
        return self.length == self.size

    @property
    def closed(self) -> bool:
        """Whether the vectors so far span an invariant subspace."""
        return self.beside[self.length - 1] == 0

    def unscaled(self, values: np.ndarray) -> np.ndarray:
        """Eigenvalues or residuals of the scaled matrix as those of the matrix itself."""
        return np.ldexp(values, self.exponent or 0)

    def allowed(self, values: np.ndarray) -> np.ndarray:
        """How large the residuals of these eigenvalues may be."""
        sizes = np.abs(values)
        return np.maximum(self.tolerance * sizes, BREAKDOWN * sizes.max())

    def image(self, vector: np.ndarray) -> np.ndarray:
        """The scaled product with a unit vector; the first one tells how large the matrix is.

        Raises:
            ArithmeticError: it is not finite.
        """
        image = np.asarray(self.operator.matvec(vector), dtype=float)
        if not np.isfinite(image).all():
            raise ArithmeticError(
                "the product of the matrix with a unit vector is not finite: the "
                "matrix holds NaN or infinity, or numbers near 1e308"
            )
        if self.exponent is None:
            power = int(np.frexp(np.abs(image).max())[1])
            self.exponent = power if abs(power) > ORDINARY else 0
        return np.ldexp(image, -self.exponent) if self.exponent else image

    def grow(self) -> None:
        """Take the following vector in, and let its product's part orthogonal to all vectors
        follow.

        Raises:
            ArithmeticError: there are too many.
        """
        if self.length == len(self.vectors):
            state = (
                f"the {self.count} largest eigenvalues were not found after {self.length} products"
            )
            raise ArithmeticError(
                f"{state}; ask for fewer or for a tolerance above {self.tolerance}"
            )
        last, self.length, self.n_products = self.length, self.length + 1, self.n_products + 1
        self.vectors[last] = self.following / np.linalg.norm(self.following)
        self.images[last] = self.image(self.vectors[last])
        self.diagonal[last] = self.vectors[last] @ self.images[last]
        self.following = self.orthogonal(self.images[last])
        size = np.linalg.norm(self.following)
        self.beside[last] = size if size > BREAKDOWN * np.abs(self.diagonal).max() else 0.0
        if self.closed:
            self.start_anew()

    def start_anew(self) -> None:
        """Let a random vector follow."""
        self.following = self.orthogonal(self.rng.standard_normal(self.size))

    def orthogonal(self, vector: np.ndarray) -> np.ndarray:
        """The vector's part orthogonal to all vectors; twice, because once leaves the rounding
        of a long vector in a short one.
        """
        known = self.vectors[: self.length]
        for _ in range(2):
            vector = vector - (known @ vector) @ known
        return vector

    def first(self) -> _Pairs:
        """Let the first chain grow until its eigenvectors are found."""
        while True:
            self.grow()
            if self.full or (self.length >= 2 * self.count and self.length % CHECK_EVERY == 0):
                values, inside = self._of_chain()
                if self.full or self._trusts(values, inside):
                    return self._pairs(values, inside)

    def _of_chain(self) -> tuple[np.ndarray, np.ndarray]:
        """Largest eigenvalues of the tridiagonal matrix, (k,), and their vectors in its terms,
        (length, k).
        """
        chosen = (self.length - self.count, self.length - 1)
        values, inside = eigh_tridiagonal(
            self.diagonal[: self.length],
            self.beside[: self.length - 1],
            select="i",
            select_range=chosen,
        )
        return values[::-1], inside[:, ::-1]

    def _trusts(self, values: np.ndarray, inside: np.ndarray) -> bool:
        """Whether all residuals are small: each is its vector's last entry times the coefficient
        that comes next.

        A closed subspace has none, and counts if the vector drawn after the last one closed it at
        once again.
        """
        last = self.length - 1
        small = (np.abs(self.beside[last] * inside[-1]) <= self.allowed(values)).all()
        return bool(small) and (not self.closed or self.beside[last - 1] == 0)

    def _pairs(self, values: np.ndarray, inside: np.ndarray) -> _Pairs:
        """Eigenvectors from their coefficients in the vectors so far, (length, k)."""
        return _Pairs(
            values, *(inside.T @ rows[: self.length] for rows in (self.vectors, self.images))
        )

    def _arpack_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues in any order, and eigenvectors, one a column."""
        shape, dtype = (self.size, self.size), np.float64
        # SciPy's stub knows another constructor
        operator = LinearOperator(shape, matvec=self.image, dtype=dtype)  # pyright: ignore[reportCallIssue]
        values, columns = eigsh(
            operator,
            self.count,
            which="LA",
            v0=self.following,
            tol=self.tolerance,  # pyright: ignore[reportArgumentType]  # the stub has int
            # where the vectors span an invariant subspace ARPACK draws another start
            rng=np.random.default_rng(0),
        )
        return values, columns

    def by_arpack(self) -> _Pairs | None:
        """What ARPACK finds, taken in as the first vectors; None where it fails: for a zero
        matrix, a very small one, or every eigenvalue.
        """
        if self.count == self.size:
            return None
        try:
            values, columns = self._arpack_pairs()
        except ArpackError:
            return None
        order = np.argsort(values)[::-1]
        values, vectors = values[order], columns.T[order]
        for vector in vectors:
            self.following = vector
            self.grow()
        pairs = _Pairs(values, vectors, self.images[: self.count].copy())
        return pairs if (pairs.residuals <= 10 * self.allowed(values)).all() else None

    def completed(self, pairs: _Pairs) -> _Pairs:
        """These pairs, or better ones as long as some are missing."""
        while not self.full and self.misses(pairs):
            pairs = self.grown()
        return pairs

    def _keep(self, pairs: _Pairs) -> None:
        """Forget all vectors but these."""
        self.length = len(pairs.values)
        for rows, kept in (
            (self.vectors, pairs.vectors),
            (self.images, pairs.images),
            (self.diagonal, pairs.values),
        ):
            rows[: self.length] = kept

    def misses(self, pairs: _Pairs) -> bool:
        """Whether an eigenvalue above the last of these is missing: its vector is orthogonal to
        theirs, and a chain from a new start shows it.

        The start is orthogonal to all vectors so far, which hold little of what is missing and much
        of the eigenvalues just below. The chain is orthogonal to the eigenvectors alone, for a part
        of what is missing may have come in by rounding.

        Let p_j be the orthonormal polynomials that belong to the chain's coefficients, and x a
        place just above the last eigenvalue. If a p_j(x) is negative, an eigenvalue lies above x.
        If not, the square of the start's part along any eigenvector above x is 1/Σ p_j(x)² at most
        (Christoffel). For a random unit vector in N dimensions it is below t with a probability of
        √(2Nt/π) at most, so that the chain may end when this is `CHANCE`.
        """
        above = pairs.values[-1] + self.allowed(pairs.values)[-1]
        enough = 2 * (self.size - self.length) / (np.pi * CHANCE**2)
        before, now, beside, total = 0.0, 1.0, 0.0, 1.0
        self.start_anew()
        self._keep(pairs)
        while total < enough:
            self.grow()
            after = (above - self.diagonal[self.length - 1]) * now - beside * before
            if after < 0 or self.full:
                return True
            if self.closed:
                return False
            beside = self.beside[self.length - 1]
            before, now = now, after / beside
            total += now**2
        return False

    def grown(self) -> _Pairs:
        """Let the last chain grow until the largest eigenvectors within all vectors are found."""
        while True:
            known = slice(self.length)
            within = self.vectors[known] @ self.images[known].T
            values, inside = np.linalg.eigh((within + within.T) / 2)
            pairs = self._pairs(values[: -self.count - 1 : -1], inside[:, : -self.count - 1 : -1])
            if self.full or (pairs.residuals <= self.allowed(pairs.values)).all():
                return pairs
            for _ in range(min(max(CHECK_EVERY, self.length // 10), self.size - self.length)):
                self.grow()
