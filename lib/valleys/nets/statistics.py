"""Means, fits and their bootstrap intervals, with care for pairs that share a member."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.stats import rankdata

N_RESAMPLES = 2000
LEVEL = 0.95
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval, NaN where it has none; formats as `0.64 (0.32 to 0.84)`.

    Example:
        >>> from valleys.nets import Estimate
        >>> f"{Estimate(0.641, 0.318, 0.842):.2f}"
        '0.64 (0.32 to 0.84)'
    """

    value: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        """The value, then the interval, each in the given form."""
        if np.isnan(self.low):
            return f"{self.value:{form}} (no interval)"
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"

    def named(self, name: str) -> dict[str, float]:
        """The three numbers as `name`, `name_low` and `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


@dataclass(frozen=True)
class LinearFit:
    """Least-squares line y = slope · x + intercept, with the intervals of its R² and of its slope."""

    slope: float
    intercept: float
    r_squared: Estimate
    slope_estimate: Estimate


def mean(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of independent values, (n,), resampled with replacement; NaN without values, no interval for a single one.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import mean
        >>> found = mean([1.0, 2.0, 3.0, 4.0], np.random.default_rng(0))
        >>> found.value, bool(found.low < 2.5 < found.high)
        (2.5, True)
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        return Estimate(float(values[0]) if values.size else np.nan, np.nan, np.nan)
    drawn = counts(len(values), rng) @ values / len(values)
    return interval(values.mean(), drawn)


def row_means(values: np.ndarray, *, seed: int) -> np.ndarray:
    """`mean` over the finite values of each row, (..., n), as value, low and high, (..., 3); rows of equally many are resampled by the same draws."""
    rows, known = values.reshape(-1, values.shape[-1]), np.isfinite(values).reshape(-1, values.shape[-1])
    found = np.full((len(rows), 3), np.nan)
    n_known = known.sum(axis=1)
    for n in np.unique(n_known[n_known > 0]):
        chosen = n_known == n
        equal = rows[chosen][known[chosen]].reshape(-1, n)
        found[chosen, 0] = equal.mean(axis=1)
        if n >= 2:
            drawn = counts(n, np.random.default_rng(seed)) @ equal.T / n
            found[chosen, 1:] = np.quantile(drawn, _TAILS, axis=0).T
    return found.reshape(*values.shape[:-1], 3)


def ratio(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of one group of independent values, (n,), over that of another, (m,), both resampled; NaN where a group is empty.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import ratio
        >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], np.random.default_rng(0)).value
        2.0
    """
    groups = [np.asarray(values, dtype=float) for values in (first, second)]
    if not all(values.size for values in groups):
        return Estimate(np.nan, np.nan, np.nan)
    above, below = (counts(len(values), rng) @ values / len(values) for values in groups)
    return interval(groups[0].mean() / groups[1].mean(), above / below)


def pair_mean(matrix: np.ndarray, rng: np.random.Generator, where: np.ndarray | None = None) -> Estimate:
    """Mean over the pairs i < j of a symmetric matrix, (n, n), resampling the n members: pairs are not independent of one another.

    Args:
        matrix: value of each pair.
        rng: of the resamples.
        where: which pairs count, bool, (n, n); all if None. NaN without any.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import pair_mean
        >>> alike = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.75], [0.25, 0.75, 1.0]])
        >>> pair_mean(alike, np.random.default_rng(0)).value
        0.5
    """
    first, second = np.triu_indices(len(matrix), 1)
    chosen = np.ones(len(first), bool) if where is None else np.asarray(where)[first, second]
    if not chosen.any():
        return Estimate(np.nan, np.nan, np.nan)
    values, weights = matrix[first, second][chosen], _pair_weights(len(matrix), rng)[:, chosen]
    weights = weights[weights.sum(axis=1) > 0]
    return interval(values.mean(), weights @ values / weights.sum(axis=1))


def means(values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each column of (n, m) over its finite values, with the ends of its pointwise interval when rows are resampled, (m,) each."""
    known = np.isfinite(values)
    weights, filled = counts(len(values), rng), np.where(known, values, 0)
    with np.errstate(invalid="ignore"):
        drawn = weights @ filled / (weights @ known)
        value = filled.sum(axis=0) / known.sum(axis=0)
    some = known.any(axis=0)
    ends = np.full((2, values.shape[1]), np.nan)
    ends[:, some] = np.nanquantile(drawn[:, some], _TAILS, axis=0)
    return value, *ends


def share(count: int, n: int) -> Estimate:
    """Share of successes in n tries with Wilson's interval, which keeps a width where all or none succeed; NaN without tries.

    Example:
        >>> from valleys.nets import share
        >>> f"{share(10, 10):.2f}"
        '1.00 (0.72 to 1.00)'
    """
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    z, p = NormalDist().inv_cdf((1 + LEVEL) / 2), count / n
    middle, half = p + z**2 / (2 * n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    return Estimate(p, *(min(1.0, max(0.0, (middle + sign * half) / (1 + z**2 / n))) for sign in (-1, 1)))


def middle(values: np.ndarray) -> Estimate:
    """Mean of draws, (n,), with the range that holds the middle 95 % of them."""
    return interval(np.mean(values), values)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation of pairs, (n,) each, a tenth of the time of SciPy's, which also tests it; NaN where one of them is constant."""
    if not (np.ptp(x) and np.ptp(y)):  # one run drawn again and again has no order
        return float("nan")
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def fit_points(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> LinearFit:
    """Least-squares line through points, (n,) each, resampling points.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import fit_points
        >>> line = fit_points([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0], np.random.default_rng(0))
        >>> round(line.slope, 6), round(line.intercept, 6)
        (2.0, 1.0)
    """
    return _fit(np.asarray(x, dtype=float), np.asarray(y, dtype=float), counts(len(x), rng))


def fit_pairs(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> LinearFit:
    """Least-squares line through the pairs i < j of two symmetric matrices, (n, n) each, resampling the n members."""
    pairs = np.triu_indices(len(x), 1)
    return _fit(np.asarray(x)[pairs], np.asarray(y)[pairs], _pair_weights(len(x), rng))


def r_squared_without(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """R² of the line through the pairs i < j of two symmetric matrices, (n, n) each, with each of the n members left out in turn, (n,)."""
    first, second = np.triu_indices(len(x), 1)
    left = np.arange(len(x))[:, None]
    kept = ((first != left) & (second != left)).astype(float)
    return _weighted_line(np.asarray(x, dtype=float)[first, second], np.asarray(y, dtype=float)[first, second], kept)[2]


def _fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> LinearFit:
    weights = weights[(weights > 0).sum(axis=1) >= 3]  # two points lie on a line whatever they are
    slope, intercept, r_squared = (value[0] for value in _weighted_line(x, y, np.ones((1, len(x)))))
    slopes, _, shares = _weighted_line(x, y, weights)
    return LinearFit(float(slope), float(intercept), interval(r_squared, shares), interval(slope, slopes))


def _weighted_line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope, intercept and R² for each row of weights, (m, n)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = share @ x, share @ y
    var_x, var_y = share @ x**2 - mean_x**2, share @ y**2 - mean_y**2
    covariance = share @ (x * y) - mean_x * mean_y
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of equal points has no line
        slope = covariance / var_x
        return slope, mean_y - slope * mean_x, covariance**2 / (var_x * var_y)


def resampled_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean of each column of (n, m) over rows drawn anew with replacement for each column, (m,)."""
    n, m = values.shape
    return np.take_along_axis(values, rng.integers(n, size=(n, m)), axis=0).mean(axis=0)


def counts(n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n members is drawn in each resample, (N_RESAMPLES, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES).astype(float)


def _pair_weights(n: int, rng: np.random.Generator) -> np.ndarray:
    """Weight of each pair i < j in each resample of the n members; resamples of a single member are left out."""
    drawn = counts(n, rng)
    first, second = np.triu_indices(n, 1)
    weights = drawn[:, first] * drawn[:, second]
    return weights[weights.sum(axis=1) > 0]


def interval(value: float, resampled: np.ndarray) -> Estimate:
    """A value with the 95 % interval of its resamples, (m,); those that are not known are left out."""
    if np.isnan(resampled).all():
        return Estimate(float(value), np.nan, np.nan)
    low, high = np.nanquantile(resampled, _TAILS)
    return Estimate(float(value), float(low), float(high))
