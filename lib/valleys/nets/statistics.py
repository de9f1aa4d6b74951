"""Means, ratios, ranks and fits with their intervals, of runs in groups, of pairs that share a
member, and of runs within starts: bootstraps, and the jackknife for R² and over pairs.

One rule says when there is an interval (`FEWEST_RUNS`), and one number how often is resampled
(`N_RESAMPLES`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate as Estimate

N_RESAMPLES = 2000
# resampled, for an interval: a bootstrap of two numbers ends at them; one that is alone in its
# group stands as it is
FEWEST_RUNS = 3
FEWEST_POINTS = 3  # for an order: two are ordered alike or not, whatever they are
LEVEL = 0.95
ENDS = ("", "_low", "_high")  # what the names of a value and of the ends of its interval end in
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class LinearFit:
    """Least-squares line y = slope · x + intercept, with the intervals of its R² and of its
    slope.
    """

    slope: float
    intercept: float
    r_squared: Estimate
    slope_estimate: Estimate


def have_interval(sizes: Sequence[int]) -> bool:
    """Whether what is resampled in groups of these sizes has an interval: `FEWEST_RUNS` values
    or more in groups of more than one.
    """
    return sum(size for size in sizes if size > 1) >= FEWEST_RUNS


def mean(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of independent values, (n,), resampled with replacement; NaN without values.

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
    return interval(values.mean(), drawn, [len(values)])


def stratified_mean(
    values: xr.DataArray,
    rng: np.random.Generator,
    *,
    by: Sequence[str],
    fewest: int = 1,
    runs_count_alike: bool = False,
) -> Estimate:
    """Mean over strata, such as settings, of the means of their finite values, which are resampled
    within each stratum.

    Args:
        values: one number a run.
        rng: of the resamples.
        by: the dimensions that make a stratum; along all others are the runs within it.
        fewest: a stratum of fewer finite values is left out.
        runs_count_alike: whether a stratum counts as often as it has values, and not once.

    Returns:
        NaN where no stratum is left.
    """
    rows = values.transpose(*by, ...).values
    rows = rows.reshape(int(np.prod(rows.shape[: len(by)])), -1)
    groups = [known for row in rows if (known := row[np.isfinite(row)]).size >= fewest]
    if not groups:
        return Estimate(np.nan, np.nan, np.nan)
    sizes = [len(group) for group in groups]
    weights = np.array(sizes if runs_count_alike else [1] * len(groups), dtype=float)
    drawn = weights @ drawn_means(groups, rng) / weights.sum()
    value = weights @ np.array([group.mean() for group in groups]) / weights.sum()
    return interval(value, drawn, sizes)


def drawn_means(groups: Sequence[np.ndarray] | np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean of each of k groups of independent values, (n, …) each, in each resample, (k,
    N_RESAMPLES, …); every group is resampled on its own.
    """
    return np.stack([counts(len(group), rng) @ group / len(group) for group in groups])


def run_means(values: xr.DataArray, runs: str, name: str, *, seed: int) -> xr.Dataset:
    """Mean over the finite values along the dimension of runs, as `name`, `name_low` and
    `name_high`; equally many runs are resampled alike.
    """
    means = partial(row_means, seed=seed)
    found = xr.apply_ufunc(means, values, input_core_dims=[[runs]], output_core_dims=[["end"]])
    return xr.Dataset({f"{name}{end}": found.isel(end=index) for index, end in enumerate(ENDS)})


def row_means(values: np.ndarray, *, seed: int) -> np.ndarray:
    """`mean` over the finite values of each row, (..., n), as value, low and high, (..., 3);
    rows of equally many are resampled by the same draws.
    """
    rows, known = (
        values.reshape(-1, values.shape[-1]),
        np.isfinite(values).reshape(-1, values.shape[-1]),
    )
    found = np.full((len(rows), 3), np.nan)
    n_known = known.sum(axis=1)
    for n in np.unique(n_known[n_known > 0]):
        chosen = n_known == n
        equal = rows[chosen][known[chosen]].reshape(-1, n)
        found[chosen, 0] = equal.mean(axis=1)
        if have_interval([n]):
            drawn = counts(n, np.random.default_rng(seed)) @ equal.T / n
            found[chosen, 1:] = np.quantile(drawn, _TAILS, axis=0).T
    return found.reshape(*values.shape[:-1], 3)


def ratio(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator, *, paired: bool = False
) -> Estimate:
    """Mean of one group of independent values, (n,), over that of another, (m,), both resampled;
    NaN where a group is empty.

    Args:
        first: values.
        second: values.
        rng: of the resamples.
        paired: whether both are of the same runs, in the same order, which are then drawn together.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import ratio
        >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], np.random.default_rng(0)).value
        2.0
    """
    above, below = (np.asarray(values, dtype=float) for values in (first, second))
    if not (above.size and below.size):
        return Estimate(np.nan, np.nan, np.nan)
    value = above.mean() / below.mean()
    if paired:
        drawn = counts(len(above), rng)
        return interval(value, (drawn @ above) / (drawn @ below), [len(above)])
    drawn = [counts(len(values), rng) @ values / len(values) for values in (above, below)]
    return interval(value, drawn[0] / drawn[1], [len(above), len(below)])


def pair_mean(
    matrix: np.ndarray, rng: np.random.Generator, where: np.ndarray | None = None
) -> Estimate:
    """Mean over the pairs i < j of a symmetric matrix, (n, n), resampling the n members: pairs are
    not independent of one another.

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
    members = np.unique([first[chosen], second[chosen]])
    return interval(values.mean(), weights @ values / weights.sum(axis=1), [len(members)])


def means(
    values: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each column of (n, m) over its finite values, with the ends of its pointwise
    interval when rows are resampled, (m,) each.
    """
    known = np.isfinite(values)
    weights, filled = counts(len(values), rng), np.where(known, values, 0)
    with np.errstate(invalid="ignore"):
        drawn = weights @ filled / (weights @ known)
        value = filled.sum(axis=0) / known.sum(axis=0)
    some = np.array([have_interval([n]) for n in known.sum(axis=0)], dtype=bool)
    ends = np.full((2, values.shape[1]), np.nan)
    ends[:, some] = np.nanquantile(drawn[:, some], _TAILS, axis=0)
    return value, ends[0], ends[1]


def share(count: int, n: int) -> Estimate:
    """Share of successes in n tries with Wilson's interval, which keeps a width where all or none
    succeed; NaN without tries.

    Example:
        >>> from valleys.nets.statistics import share
        >>> f"{share(10, 10):.2f}"
        '1.00 (0.72 to 1.00)'
    """
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    from scipy.stats import binomtest  # takes a second to load, and few want it

    found = binomtest(int(count), int(n)).proportion_ci(LEVEL, method="wilson")
    return Estimate(count / n, max(0.0, float(found.low)), min(1.0, float(found.high)))


def middle(values: np.ndarray) -> Estimate:
    """Mean of draws, (n,), with the range that holds the middle 95 % of them."""
    return interval(float(np.mean(values)), values)


def since(times: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """The first of rising times from which on something holds for good, (…); NaN where it does not
    hold at the last.

    Args:
        times: (n,), or (…, n).
        holds: whether it holds at each, (…, n).
    """
    forever = np.logical_and.accumulate(np.asarray(holds, dtype=bool)[..., ::-1], axis=-1)[
        ..., ::-1
    ]
    return np.fmin.reduce(np.where(forever, times, np.nan), axis=-1)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation of pairs, (n,) each, a tenth of the time of SciPy's, which also
    tests it.

    NaN for fewer than `FEWEST_POINTS`, and where one of them is constant.
    """
    # one run drawn again and again has no order
    if len(x) < FEWEST_POINTS or not (np.ptp(x) and np.ptp(y)):
        return float("nan")
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, from 1 on; equal values share their mean."""
    from scipy.stats import rankdata  # takes a second to load, and few want it

    return rankdata(values, axis=-1)


def rank_correlation(
    first: np.ndarray,
    second: np.ndarray,
    rng: np.random.Generator,
    *,
    strata: np.ndarray | None = None,
) -> Estimate:
    """Spearman's rank correlation of pairs, which are resampled within strata; NaN for fewer than
    `FEWEST_POINTS`.

    Args:
        first: one number of each pair, any shape; pairs with one that is not finite are left out.
        second: the other, in the same shape.
        rng: of the resamples.
        strata: the stratum of each pair, in a shape that broadcasts to theirs; one for all if None.
    """
    pairs = np.stack([np.ravel(first), np.ravel(second)]).astype(float)
    labels = np.broadcast_to(0 if strata is None else strata, np.shape(first)).ravel()
    known = np.isfinite(pairs).all(axis=0)
    pairs, labels = pairs[:, known], labels[known]
    value = spearman(*pairs)
    if np.isnan(value):
        return Estimate(np.nan, np.nan, np.nan)
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    drawn = [group[rng.integers(len(group), size=(N_RESAMPLES, len(group)))] for group in groups]
    return interval(
        value,
        spearman_rows(*pairs[:, np.concatenate(drawn, axis=1)]),
        [len(group) for group in groups],
    )


def rank_correlation_of_means(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> Estimate:
    """Spearman's rank correlation over k groups of the means of two numbers of their runs, (k,
    n) each, drawn together within each group.
    """
    both = np.stack([first, second], axis=-1)
    drawn = drawn_means(both, rng) if len(both) else np.empty((0, N_RESAMPLES, 2))
    return interval(
        spearman(*both.mean(axis=1).T),
        spearman_rows(*drawn.transpose(2, 1, 0)),
        [both.shape[1]] * len(both),
    )


def grouped_rank_correlation(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> Estimate:
    """Spearman's rank correlation within groups, its mean over them; groups are resampled, and the
    members of each group drawn.

    Args:
        first: one number of each member, (n_groups, n_members); NaN where there is none.
        second: the other, in the same shape; a group without any member that knows both is left
            out.
        rng: of the resamples.
    """
    pairs = np.stack([first, second]).astype(float)
    pairs[:, ~np.isfinite(pairs).all(axis=0)] = np.nan
    pairs = pairs[:, np.isfinite(pairs[0]).any(axis=1)]
    n_groups, n_members = pairs.shape[1:]
    if not n_groups:
        return Estimate(np.nan, np.nan, np.nan)
    groups = rng.integers(n_groups, size=(N_RESAMPLES, n_groups, 1))
    members = rng.integers(n_members, size=(N_RESAMPLES, n_groups, n_members))
    drawn = _known_mean(spearman_rows(*pairs[:, groups, members]))
    sizes = np.isfinite(pairs[0]).sum(axis=1).tolist()
    return interval(float(_known_mean(spearman_rows(*pairs))), drawn, sizes)


def lattice_rank_correlation(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Spearman's rank correlation over the cells of a map, (n_rows, n_columns) each, with the wider
    of two jackknives: of whole rows, and of whole columns.

    Neighbours on a map are alike, so that its cells are no sample of independent ones.

    Args:
        first: one number of each cell; NaN where there is none.
        second: the other.
    """
    both = np.stack([first, second]).astype(float)
    known = np.isfinite(both).all(axis=0)
    both = both[:, known.any(axis=-1)][:, :, known.any(axis=0)]
    value = _known_spearman(*both)
    ends = [
        jackknifed(value, np.array([_known_spearman(*np.delete(both, i, axis)) for i in range(n)]))
        for axis, n in ((1, both.shape[1]), (2, both.shape[2]))
    ]
    if any(np.isnan(each.low) for each in ends):
        return Estimate(value, np.nan, np.nan)
    return max(ends, key=lambda each: each.high - each.low)


def _known_spearman(first: np.ndarray, second: np.ndarray) -> float:
    known = np.isfinite(first) & np.isfinite(second)
    return spearman(first[known], second[known])


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Mean of the finite values along the last axis, NaN without any."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=-1) / known.sum(axis=-1)


def spearman_rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`spearman` of each row of two arrays, (…), from (…, n) each; pairs with one that is not
    finite are left out of their row.
    """
    known = np.isfinite(x) & np.isfinite(y)
    n = known.sum(axis=-1, keepdims=True)
    # what is unknown ranks behind all others
    last = (np.where(known, values, np.inf) for values in (x, y))
    ranks = [np.where(known, _ranks(values) - (n + 1) / 2, 0) for values in last]
    sizes = [(values**2).sum(axis=-1) for values in ranks]
    with np.errstate(invalid="ignore"):  # where all are equal there is no order
        found = (ranks[0] * ranks[1]).sum(axis=-1) / np.sqrt(sizes[0] * sizes[1])
    return np.where(n[..., 0] < FEWEST_POINTS, np.nan, found)


def nested_mean(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of runs within training sets within starts, or other levels, with all levels resampled,
    the outermost first; see `nested_means`.

    Args:
        values: one number a run, (n_starts, n_training_sets, …, n_runs); NaN where there is none.
        rng: of the resamples.
    """
    value, drawn = nested_means([values], rng)
    return interval(value[0], drawn[0], [_first_drawn([values])])


def nested_difference(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> Estimate:
    """`nested_mean` of one setting less that of another on the same starts and training sets, which
    are drawn for both at once, runs for each.

    Args:
        first: one number a run of the one setting, (n_starts, n_training_sets, …, n_runs).
        second: the same of the other, with as many starts and training sets, and any number of
            runs.
        rng: of the resamples.
    """
    value, drawn = nested_means([first, second], rng)
    return interval(value[0] - value[1], drawn[0] - drawn[1], [_first_drawn([first, second])])


def nested_means(
    settings: Sequence[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each of several settings, and in each resample; means of means, level by level.

    Starts are drawn, then training sets for each start drawn, then runs for each training set
    drawn. Of S · T · R values the resampled means have the variance V_S/S + V_T/(S T) + V_R/(S T
    R), with V_S the variance of the means of starts, V_T that of the means of training sets within
    a start, and V_R that of runs within a training set, each over its number and not its number
    less one. Runs scatter the means of training sets and of starts, too, so that the interval is
    too wide rather than too narrow where runs scatter most.

    Args:
        settings: one number a run, (n_starts, n_training_sets, …, n_runs) each; all but the last
            level are the same for all settings. NaN where there is none; a start or training set
            counts if every setting knows a run of it.
        rng: of the resamples.

    Returns:
        Of each setting, (n_settings,), and in each resample, (n_settings, N_RESAMPLES); NaN where
        nothing is known.

    Raises:
        ValueError: the settings differ in their outer levels.
    """
    every = [np.asarray(values, dtype=float) for values in settings]
    if len({values.shape[:-1] for values in every}) != 1:
        raise ValueError(
            "settings must have the same levels but for the last, the runs, got "
            f"shapes {[values.shape for values in every]}"
        )
    once = np.ones(1, dtype=np.int64)
    value = _nested_sums(every, once, None)[:, 0]
    return value, _nested_sums(every, np.full(N_RESAMPLES, 1), rng)


def _nested_sums(
    settings: list[np.ndarray], copies: np.ndarray, rng: np.random.Generator | None
) -> np.ndarray:
    """Sum over copies of the mean of each setting, (n_settings, m), from how many copies there are
    in each resample, (m,).

    Draws for several copies are added up: k draws of n members, copy by copy, are as one draw of k
    · n. Without a generator each member is drawn once.
    """
    if settings[0].ndim == 1:
        return np.stack(
            [_sum_over_copies(values[np.isfinite(values)], copies, rng) for values in settings]
        )
    parts = _known_parts(settings)
    drawn = _draws(len(parts), copies, rng)
    total = np.full((len(settings), len(copies)), 0.0 if parts else np.nan)
    for index, part in enumerate(parts):
        total += _nested_sums(part, drawn[:, index], rng) / len(parts)
    return total


def _known_parts(settings: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """What lies within each member of the outermost level of which every setting knows a run."""
    return [
        list(part)
        for part in zip(*settings, strict=True)
        if all(np.isfinite(values).any() for values in part)
    ]


def _sum_over_copies(
    values: np.ndarray, copies: np.ndarray, rng: np.random.Generator | None
) -> np.ndarray:
    if not values.size:
        return np.full(len(copies), np.nan)
    return _draws(len(values), copies, rng) @ values / len(values)


def _draws(n: int, copies: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """How often each of n members is drawn if as many are drawn from them for each copy, (m, n)."""
    if rng is None or not n:
        return np.repeat(copies[:, None], n, axis=1)
    return rng.multinomial(copies * n, np.full(n, 1 / n))


def _first_drawn(settings: Sequence[np.ndarray]) -> int:
    """How many known members the outermost level has that has more than one: those inside it
    scatter its members, too.
    """
    if np.ndim(settings[0]) == 1:
        return min(int(np.isfinite(values).sum()) for values in settings)
    parts = _known_parts(settings)
    return _first_drawn(parts[0]) if len(parts) == 1 else len(parts)


def fit_points(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> LinearFit:
    """Least-squares line through points, (n,) each; points are resampled for the slope, and left
    out one by one for R².

    Example:
        >>> import numpy as np
        >>> from valleys.nets.statistics import fit_points
        >>> line = fit_points([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0], np.random.default_rng(0))
        >>> round(line.slope, 6), round(line.intercept, 6)
        (2.0, 1.0)
    """
    points = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return _fit(*points, counts(len(x), rng), 1 - np.eye(len(x)))


def fit_pairs(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> LinearFit:
    """Least-squares line through the pairs i < j of two symmetric matrices, (n, n) each; the n
    members are resampled for the slope, and left out one by one for R².
    """
    pairs = np.triu_indices(len(x), 1)
    points = np.asarray(x, dtype=float)[pairs], np.asarray(y, dtype=float)[pairs]
    return _fit(*points, _pair_weights(len(x), rng), _pairs_without(len(x)))


def r_squared_without(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """R² of the line through the pairs i < j of two symmetric matrices, (n, n) each, with each
    of the n members left out in turn, (n,).
    """
    pairs = np.triu_indices(len(x), 1)
    points = np.asarray(x, dtype=float)[pairs], np.asarray(y, dtype=float)[pairs]
    return _weighted_line(*points, _pairs_without(len(x)))[2]


def pair_rank_correlation(x: np.ndarray, y: np.ndarray) -> Estimate:
    """Spearman's rank correlation over the pairs i < j of two symmetric matrices, (n, n) each, with
    the jackknife of the n members: pairs are not independent of one another.

    Example:
        >>> import numpy as np
        >>> from valleys.nets.statistics import pair_rank_correlation
        >>> places = np.array([0.0, 1.0, 3.0, 7.0])
        >>> apart = abs(places[:, None] - places)
        >>> pair_rank_correlation(apart, -(apart**3)).value
        -1.0
    """
    pairs = np.triu_indices(len(x), 1)
    values = np.asarray(x)[pairs], np.asarray(y)[pairs]
    kept = _pairs_without(len(x)) > 0
    without = [spearman(*(each[row] for each in values)) for row in kept]
    return jackknifed(spearman(*values), np.array(without))


def jackknifed(value: float, without: np.ndarray) -> Estimate:
    """A correlation with the interval of Tukey's jackknife, from those with each of n members left
    out in turn, (n,): Student's t around Fisher's z.

    Without an interval where one of them is not known.
    """
    n = len(without)
    if n < FEWEST_RUNS or not np.isfinite(without).all():
        return Estimate(float(value), np.nan, np.nan)
    from scipy.stats import t as student  # takes a second to load, and few want it

    inside = 1 - 1e-12  # Fisher's z of one is infinite
    middle, each = (np.arctanh(np.clip(v, -inside, inside)) for v in (value, without))
    error = np.sqrt((n - 1) * each.var())
    half = student.ppf(_TAILS[1], n - 1) * error
    return Estimate(float(value), float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def mantel(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    """Probability of a rank correlation over pairs that is as far from zero if the members of one
    of two symmetric matrices, (n, n) each, are shuffled (Mantel 1967).

    Never below one over `N_RESAMPLES` + 1; NaN where one of them is constant.
    """
    first, second = np.triu_indices(len(x), 1)
    ranks = [_ranks(np.asarray(each)[first, second]) for each in (x, y)]
    if not all(np.ptp(each) for each in ranks):
        return float("nan")
    fixed, moved = ranks[0] - ranks[0].mean(), np.zeros(np.shape(y))
    moved[first, second] = moved[second, first] = ranks[1] - ranks[1].mean()
    orders = (rng.permutation(len(x)) for _ in range(N_RESAMPLES))
    sums = np.array([fixed @ moved[order[first], order[second]] for order in orders])
    as_far = abs(sums) >= abs(fixed @ moved[first, second]) * (1 - 1e-12)
    return float((as_far.sum() + 1) / (N_RESAMPLES + 1))


def _pairs_without(n: int) -> np.ndarray:
    """Weight of each pair i < j with each of n members left out in turn, (n, pairs)."""
    first, second = np.triu_indices(n, 1)
    left = np.arange(n)[:, None]
    return ((first != left) & (second != left)).astype(float)


def _fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray, without: np.ndarray) -> LinearFit:
    weights = weights[(weights > 0).sum(axis=1) >= 3]  # two points lie on a line whatever they are
    slope, intercept, r_squared = (value[0] for value in _weighted_line(x, y, np.ones((1, len(x)))))
    slopes, fewer = _weighted_line(x, y, weights)[0], _weighted_line(x, y, without)
    whole, parts = float(np.sign(slope) * np.sqrt(r_squared)), np.sign(fewer[0]) * np.sqrt(fewer[2])
    strength = _squared(jackknifed(whole, parts))
    return LinearFit(float(slope), float(intercept), strength, interval(slope, slopes))


def _squared(correlation: Estimate) -> Estimate:
    """R² from a correlation with its sign."""
    ends = np.array([correlation.low, correlation.high])
    low = 0.0 if ends[0] < 0 < ends[1] else (ends**2).min()
    return Estimate(correlation.value**2, float(low), float((ends**2).max()))


def _weighted_line(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope, intercept and R² for each row of weights, (m, n)."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of equal points has no line
        share = weights / weights.sum(axis=1, keepdims=True)
        mean_x, mean_y = share @ x, share @ y
        var_x, var_y = share @ x**2 - mean_x**2, share @ y**2 - mean_y**2
        covariance = share @ (x * y) - mean_x * mean_y
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
    """Weight of each pair i < j in each resample of the n members; resamples of a single member
    are left out.
    """
    drawn = counts(n, rng)
    first, second = np.triu_indices(n, 1)
    weights = drawn[:, first] * drawn[:, second]
    return weights[weights.sum(axis=1) > 0]


def interval(value: float, resampled: np.ndarray, sizes: Sequence[int] | None = None) -> Estimate:
    """A value with the 95 % interval of its resamples, (m,); those that are not known are left out.

    Args:
        value: the value.
        resampled: the same of each resample.
        sizes: of the groups that were resampled, for `have_interval`; None if it is known that
            there is an interval.
    """
    if (sizes is not None and not have_interval(sizes)) or np.isnan(resampled).all():
        return Estimate(float(value), np.nan, np.nan)
    low, high = np.nanquantile(resampled, _TAILS)
    return Estimate(float(value), float(low), float(high))


def exponential(estimate: Estimate) -> Estimate:
    """A factor from a difference of logarithms.

    Example:
        >>> from valleys.nets.statistics import Estimate, exponential
        >>> exponential(Estimate(0.0, 0.0, 0.0)).value
        1.0
    """
    return Estimate(*np.exp([estimate.value, estimate.low, estimate.high]).tolist())
