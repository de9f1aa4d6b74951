"""How far apart solutions of a grid of runs end, how alike they are, and when walls rise."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.measures import solutions
from valleys.nets.statistics import Estimate, LinearFit
from valleys.results.estimates import Findings

TEST_SETS = {"small": "similarity", "full": "similarity_full"}  # where likeness on it is kept
LEVEL = 1e-3  # of the largest eigenvalue: directions that are flatter count as level
MEASURES = ("barrier", "rise")  # above the mean of both ends (Eq. 5), above the higher of them


def walls(found: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """How high the walls are at each record, and since when they have stood.

    A pair ends with a wall where the loss more than doubles on the way: its last rise is larger
    than the loss at its higher end.

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        Dimensions solution, other, measure, record: `walled`, which pairs end with a wall; `since`,
            the time from which on the measure
        has not fallen below half its last value, NaN for the other pairs; `height` and `standing`,
        mean of the measure and share of those walls that stand for good, with `_low` and `_high`;
        `fitted`, the time from which on a run has had every training image right.
    """
    times, walled = found.time.values, ends_with_wall(found)
    since = np.stack(
        [
            np.where(walled, solutions.emergence(found[name].values, times), np.nan)
            for name in MEASURES
        ]
    )
    parts: dict[str, tuple] = {
        "walled": (("solution", "other"), walled),
        "since": (("measure", "solution", "other"), since),
    }
    heights = [found[name].transpose("record", ...).values for name in MEASURES]
    stands = [one[None] <= times[:, None, None] for one in since]
    for name, series in (("height", heights), ("standing", stands)):
        means = np.array([_means_of_walls(matrices, walled, rng) for matrices in series])
        for index, end in enumerate(statistics.ENDS):
            parts[name + end] = (("measure", "record"), means[..., index])
    fitted = solutions.emergence(found.train_accuracy.values, times, share=1.0)
    parts["fitted"] = ("solution", fitted)
    return xr.Dataset(parts, coords={"measure": list(MEASURES), "time": found.time})


def _means_of_walls(
    matrices: np.ndarray, walled: np.ndarray, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Mean over the pairs with a wall at each record, with the ends of its interval."""
    means = [statistics.pair_mean(matrix.astype(float), rng, walled) for matrix in matrices]
    return [(mean.value, mean.low, mean.high) for mean in means]


def ends_with_wall(found: xr.Dataset) -> np.ndarray:
    """Whether the last rise of each pair is larger than the loss at its higher end, bool, (S,
    S).
    """
    loss = found.train_loss.values[:, -1]
    return found.rise.values[..., -1] > np.maximum(loss[:, None], loss)


def quiet_and_noisy(found: xr.Dataset) -> dict[str, np.ndarray]:
    """The half of the solutions with the lowest, and that with the highest η/B, by place.

    A middle one is in both.

    Args:
        found: what `endpoints` gives.
    """
    ranked = np.argsort((found.learning_rate / found.batch_size).values, kind="stable")
    half = (len(ranked) + 1) // 2
    return {"quiet": ranked[:half], "noisy": ranked[-half:]}


def solution_findings(found: xr.Dataset) -> Findings:
    """What the other findings rest on: the data, and how many runs became solutions.

    Args:
        found: what `endpoints` gives.

    Returns:
        `dataset`; `runs` of the grid and `solutions` among them, with `loss` the highest of their
        training losses; `n_small` and `n_full`, images of both test sets.
    """
    return {
        "dataset": found.dataset,
        "runs": found.n_runs,
        "solutions": found.sizes["solution"],
        "n_small": found.sizes["test_image"],
        "n_full": found.sizes["full_test_image"],
        "loss": float(found.train_loss.isel(record=-1).max()),
    }


def trajectory_findings(found: xr.Dataset, rng: np.random.Generator) -> Findings:
    """How far runs go, and how far apart they end, in the plane of two components (Fig. 1A).

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        `explained`, the share of the variance in the plane; `reach`, mean distance of an end from
        its start; `spread_quiet` and `spread_noisy`, mean distance of the ends of each half of the
        runs from their middle.
    """
    ends = found.position.values[:, -1]
    spread = {
        f"spread_{name}": statistics.mean(_from_middle(ends[chosen]), rng)
        for name, chosen in quiet_and_noisy(found).items()
    }
    gone = np.linalg.norm(ends - found.position.values[:, 0], axis=1)
    return {
        "explained": float(found.explained.sum()),
        "reach": statistics.mean(gone, rng),
        **spread,
    }


def _from_middle(points: np.ndarray) -> np.ndarray:
    """Distance of each point from the mean of all, (n,), of (n, d)."""
    return np.linalg.norm(points - points.mean(axis=0), axis=1)


def similarity_findings(found: xr.Dataset, rng: np.random.Generator) -> Findings:
    """How alike the mistakes of two solutions are, Sim_J of Eq. 4, on both test sets (Fig. 1B).

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        `errors_small` and `errors_full`, mean number of mistakes; `one_image`, what one image of
        the small set weighs in them; the range of Sim_J over the pairs, `small_min` to `small_max`
        and `full_min` to `full_max`; `alike_quiet` and `alike_noisy`, its mean over the pairs
        within each half of the runs, on all test images.
    """
    of_small, of_full = (
        statistics.mean(found[name].values.sum(axis=1), rng)
        for name in ("misclassified", "misclassified_full")
    )
    alike = {
        f"alike_{name}": statistics.pair_mean(
            found.similarity_full.values[np.ix_(chosen, chosen)], rng
        )
        for name, chosen in quiet_and_noisy(found).items()
    }
    errors = {"errors_small": of_small, "errors_full": of_full, "one_image": 1 / of_small.value}
    return errors | _similarity_ranges(found) | alike


def _similarity_ranges(found: xr.Dataset) -> Findings:
    pairs = _pairs(found)
    each = {name: found[variable].values[pairs] for name, variable in TEST_SETS.items()}
    lowest: Findings = {f"{name}_min": float(values.min()) for name, values in each.items()}
    return lowest | {f"{name}_max": float(values.max()) for name, values in each.items()}


def _pairs(found: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Both members of each pair of solutions, in the order of all arrays over pairs."""
    return np.triu_indices(found.sizes["solution"], 1)


def path_findings(found: xr.Dataset, published: Mapping[str, float]) -> Findings:
    """How high the loss rises between two solutions at the end, ΔL of Eq. 5 (Figs. 1C, D).

    Args:
        found: what `endpoints` gives.
        published: similarities of pairs that the paper shows, by name.

    Returns:
        Sim_J and barrier of the pair that is most and of the one that is least alike, `most` and
        `barrier_most`, `least` and `barrier_least`. Of the tenth of the pairs that lie nearest to
        each published similarity, `near` in number: under its name their mean Sim_J, and as
        `NAME_barrier` their mean barrier with the range of all of them.
    """
    barriers = solutions.barrier(found.path_loss.values)[:, -1]
    likeness = [found.similarity.values[tuple(each)] for each in found.pair_member.values]
    findings: Findings = {"near": _a_tenth(len(_pairs(found)[0]))}
    for index, name in enumerate(("most", "least")):
        findings |= {name: float(likeness[index]), f"barrier_{name}": float(barriers[index])}
    for name, similarity in published.items():
        findings |= _near(found, name, similarity)
    return findings


def _near(found: xr.Dataset, name: str, similarity: float) -> Findings:
    pairs = _pairs(found)
    likeness, barriers = found.similarity.values[pairs], found.barrier.values[pairs][:, -1]
    nearest = np.argsort(abs(likeness - similarity), kind="stable")[: _a_tenth(len(likeness))]
    heights = barriers[nearest]
    whole = Estimate(float(heights.mean()), float(heights.min()), float(heights.max()))
    return {name: float(likeness[nearest].mean()), f"{name}_barrier": whole}


def _a_tenth(n_pairs: int) -> int:
    return max(1, n_pairs // 10)


def wall_findings(standing: xr.Dataset, rng: np.random.Generator) -> Findings:
    """How many pairs end with a wall, and whether it stands before all images are learned.

    Args:
        standing: what `walls` gives.
        rng: of the resamples of solutions.

    Returns:
        `walls` of `pairs`; mean times, η · step, from which on the wall stands, `since` above the
        higher end and `since_barrier` above the mean of both, and from which on a run is `fitted`;
        `order`, "before" if the walls stand first and "after" if not; `step`, time between records.
    """
    walled, pairs = standing.walled.values, _pairs(standing)
    since = {
        name: statistics.pair_mean(standing.since.sel(measure=name).values, rng, walled)
        for name in MEASURES
    }
    fitted = statistics.mean(standing.fitted.values, rng)
    return {
        "walls": int(walled[pairs].sum()),
        "pairs": len(pairs[0]),
        "since": since["rise"],
        "since_barrier": since["barrier"],
        "fitted": fitted,
        "order": "before" if since["rise"].value < fitted.value else "after",
        "step": float(standing.time[1] - standing.time[0]),
    }


def barrier_fits(found: xr.Dataset, rng: np.random.Generator) -> dict[str, LinearFit]:
    """Lines through the final barrier of all pairs against their similarity, by test set (Fig. 1E).

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        The line of `small` and of `full`.
    """
    heights = found.barrier.values[..., -1]
    return {
        name: statistics.fit_pairs(found[variable].values, heights, rng)
        for name, variable in TEST_SETS.items()
    }


def barrier_findings(
    found: xr.Dataset,
    fits: Mapping[str, LinearFit],
    published: float,
    rng: np.random.Generator,
) -> Findings:
    """How far similarity tells the barrier between two solutions (Fig. 1E).

    Args:
        found: what `endpoints` gives.
        fits: what `barrier_fits` gives.
        published: R² of the paper.
        rng: of the resamples of pairs.

    Returns:
        By test set, with `_small` and `_full` behind: `r2` and `slope` of the line; `sign`, whether
        the slope differs from zero by its interval, "yes" or "no"; `published`, in the same words
        whether the paper's R² lies in the interval of R²; `without_low` and `without_high`, the
        range of R² with one solution left out in turn. Besides, `naive`, R² on the small test set
        if the pairs are resampled as if they were independent, and `highest`, the share of the sum
        of all barriers in the highest tenth of them.
    """
    findings: Findings = {}
    for name, fit in fits.items():
        findings |= _fit_findings(name, fit, published) | _without_one(found, name)
    pairs = _pairs(found)
    heights = found.barrier.values[pairs][:, -1]
    naive = statistics.fit_points(found.similarity.values[pairs], heights, rng).r_squared
    highest = np.sort(heights)[-_a_tenth(len(heights)) :].sum() / heights.sum()
    return findings | {"naive": naive, "highest": float(highest)}


def _fit_findings(name: str, fit: LinearFit, published: float) -> Findings:
    strength, slope = fit.r_squared, fit.slope_estimate
    return {
        f"r2_{name}": strength,
        f"slope_{name}": slope,
        f"sign_{name}": "yes" if slope.high < 0 or slope.low > 0 else "no",
        f"published_{name}": "yes" if strength.low <= published <= strength.high else "no",
    }


def _without_one(found: xr.Dataset, name: str) -> Findings:
    likeness, heights = found[TEST_SETS[name]].values, found.barrier.values[..., -1]
    values = statistics.r_squared_without(likeness, heights)
    return {
        f"without_low_{name}": float(values.min()),
        f"without_high_{name}": float(values.max()),
    }


def rank_findings(
    found: xr.Dataset,
    again: xr.Dataset,
    lines: xr.Dataset,
    published: float,
    rng: np.random.Generator,
) -> Findings:
    """How far similarity orders the barriers, whatever the curve, and whether it does so from other
    starts (Fig. 1E).

    Stated on 2026-11-29, before a number was seen: a relation is there if the rank correlation lies
    below 0, and as strong as printed if it lies below minus the square root of the paper's R².

    Args:
        found: what `endpoints` gives.
        again: what a grid of `restart` gives.
        lines: what `restart_fits` makes of it.
        published: R² of the paper.
        rng: of the shuffles, and of the resamples of starts.

    Returns:
        By test set, with `_small` and `_full` behind: `rank`, over pairs, with the solutions left
        out in turn; `mantel`, the probability of one as far from zero without any relation;
        `rank_again`, its mean over the other starts, `rank_low` and `rank_high` their range,
        `rank_falling` in how many it is negative and `rank_above` in how many as strong as printed;
        `log_r2` and `log_again`, R² of the line through the logarithm of the barrier, of this start
        and the mean over the others. Besides, `rank_printed`, the correlation that the paper's R²
        stands for.
    """
    printed = -(published**0.5)
    findings: Findings = {"rank_printed": printed}
    heights = found.barrier.values[..., -1]
    for name, variable in TEST_SETS.items():
        likeness = found[variable].values
        both = zip(again[variable].values, again.barrier.values, strict=True)
        others = [_converged(*pair) for pair in both]
        ranks = np.array([statistics.pair_rank_correlation(*pair).value for pair in others])
        findings |= {
            f"rank_{name}": statistics.pair_rank_correlation(likeness, heights),
            f"mantel_{name}": statistics.mantel(likeness, heights, rng),
            f"rank_again_{name}": statistics.mean(ranks, rng),
            f"rank_low_{name}": float(ranks.min()),
            f"rank_high_{name}": float(ranks.max()),
            f"rank_falling_{name}": int((ranks < 0).sum()),
            f"rank_above_{name}": int((ranks <= printed).sum()),
            f"log_r2_{name}": _log_share(likeness, heights, rng),
            f"log_again_{name}": statistics.mean(
                lines.log_r_squared.sel(test_set=name).values, rng
            ),
        }
    return findings


def _log_shares(likeness: xr.DataArray, heights: xr.DataArray, seed: int) -> list[float]:
    """R² of the logarithm of the barrier from each start."""
    rng = np.random.default_rng(seed)
    both = zip(likeness.values, heights.values, strict=True)
    return [_log_share(*_converged(*pair), rng).value for pair in both]


def _log_share(likeness: np.ndarray, heights: np.ndarray, rng: np.random.Generator) -> Estimate:
    """R² of the logarithm of the barrier; one of nothing counts as the lowest of the others."""
    lowest = heights[heights > 0].min() if (heights > 0).any() else 1.0
    return statistics.fit_pairs(likeness, np.log(np.maximum(heights, lowest)), rng).r_squared


def _converged(similarity: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both matrices without the runs that did not converge."""
    kept = np.isfinite(np.diagonal(similarity))
    chosen = np.ix_(kept, kept)
    return similarity[chosen], heights[chosen]


def restart_fits(again: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """The same lines for whole grids of runs from other starts, each through its own solutions.

    Args:
        again: what a grid of `restart` gives, one `similarity`, `similarity_full` and `barrier`
            for each two runs of a start, (restart, run, other); NaN where a run did not converge.
        seed: of the resamples.

    Returns:
        Dimensions test_set, small and full, and restart: `r_squared` and `slope`, and
        `log_r_squared` of the line through the logarithm of the barrier.
    """
    each = [
        [
            _line(*matrices, seed)
            for matrices in zip(again[name].values, again.barrier.values, strict=True)
        ]
        for name in TEST_SETS.values()
    ]
    parts = {
        "r_squared": [[line.r_squared.value for line in row] for row in each],
        "slope": [[line.slope for line in row] for row in each],
        "log_r_squared": [
            _log_shares(again[name], again.barrier, seed) for name in TEST_SETS.values()
        ],
    }
    dims = ("test_set", "restart")
    return xr.Dataset(
        {name: (dims, values) for name, values in parts.items()}, {"test_set": list(TEST_SETS)}
    )


def _line(similarity: np.ndarray, heights: np.ndarray, seed: int) -> LinearFit:
    return statistics.fit_pairs(*_converged(similarity, heights), np.random.default_rng(seed))


def restart_findings(lines: xr.Dataset, published: float, rng: np.random.Generator) -> Findings:
    """Whether the line between similarity and barrier is the same from other starts.

    Args:
        lines: what `restart_fits` gives.
        published: R² of the paper.
        rng: of the resamples of starts.

    Returns:
        By test set, with `_small` and `_full` behind: `again`, mean R² over the starts, `again_low`
        and `again_high`, their range; in how many of them the line is `again_falling`, and in how
        many it is so with an R² as high as the paper's, `again_above`.
    """
    findings: Findings = {}
    for name in lines.test_set.values.tolist():
        row = lines.sel(test_set=name)
        values, falling = row.r_squared.values, row.slope.values < 0
        findings |= {
            f"again_{name}": statistics.mean(values, rng),
            f"again_low_{name}": float(values.min()),
            f"again_high_{name}": float(values.max()),
            f"again_above_{name}": int((falling & (values >= published)).sum()),
            f"again_falling_{name}": int(falling.sum()),
        }
    return findings


def spectrum_findings(found: xr.Dataset, rng: np.random.Generator) -> Findings:
    """How much of the curvature of the second layer lies in few directions (Fig. S1).

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        Full `spectra` of those `asked` for, the others did not converge; in them, `flat`, the share
        of eigenvalues below a thousandth of the largest, and `sharpest`, the largest of all. The
        share of the trace in the ten largest eigenvalues of a solution: `top_mean` of all, and
        `top_quiet` and `top_noisy` of each half; `top`, what none is below, in whole per cent.
    """
    solved = np.isfinite(found.eigenvalue.values).all(axis=1)
    curvatures = found.eigenvalue.values[solved]
    in_top = (found.top_eigenvalue.sum("top") / found["trace"]).values
    halves = {
        f"top_{name}": statistics.mean(in_top[chosen], rng)
        for name, chosen in quiet_and_noisy(found).items()
    }
    return {
        "spectra": int(solved.sum()),
        "asked": len(solved),
        "top": float(np.floor(100 * in_top.min()) / 100),
        "top_mean": statistics.mean(in_top, rng),
        **halves,
        "flat": float((curvatures < LEVEL * curvatures[:, :1]).mean()),
        "sharpest": float(curvatures.max()),
    }
