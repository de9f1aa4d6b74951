"""What choosing the best of several runs adds to what they are on average."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.results.estimates import Findings

OF_RANDOM = ("best_random_mean", "best_random_low", "best_random_high")
NUMBERS = ("mean", "best_full", "best_small", *OF_RANDOM)  # of each cell


def best_of_runs(row: xr.Dataset, *, n_sets: int = 1000, seed: int = 0) -> xr.Dataset:
    """Accuracy of the best converged run of each cell, on all test images, on the small test set,
    and on random test sets of that size.

    The random sets are drawn from all test images, without repeats inside a set, and are the same
    for every cell.

    Args:
        row: the cells of a sweep at one learning rate, dimension batch_size.
        n_sets: random test sets.
        seed: of the sets.

    Returns:
        Dimensions batch_size and set. `mean` and `best_full` are the mean run's and the best run's
        accuracy on all test images, `best_small` is the best on the small test set, `best_random`
        (batch_size, set) the best on each random set, and `best_random_mean`, `_low`, `_high` its
        mean and the range of its middle 95 %. NaN where no run converged.
    """
    n_full, n_small = row.sizes["full_test_image"], row.sizes["test_image"]
    sets = _random_sets(n_full, n_small, n_sets, np.random.default_rng(seed))
    cells = [_best(row.sel(batch_size=size), sets) for size in row.batch_size.values]
    return xr.concat(cells, dim="batch_size").assign_coords(batch_size=row.batch_size.values)


def _random_sets(n_images: int, size: int, n_sets: int, rng: np.random.Generator) -> np.ndarray:
    """Weight of each image in the mean over each set, (n_images, n_sets)."""
    sets = np.zeros((n_images, n_sets), np.float32)
    for index in range(n_sets):
        sets[rng.choice(n_images, size, replace=False), index] = 1 / size
    return sets


def _best(cell: xr.Dataset, sets: np.ndarray) -> xr.Dataset:
    full, small = (
        ~cell[name].values[cell.converged.values]
        for name in ("misclassified_full", "misclassified")
    )
    if not len(full):
        unknown = dict.fromkeys(NUMBERS, np.nan)
        return xr.Dataset(unknown | {"best_random": ("set", np.full(sets.shape[1], np.nan))})
    on_all, drawn = full.mean(axis=1), (full.astype(np.float32) @ sets).max(axis=0)
    best = {"best_full": on_all.max(), "best_small": small.mean(axis=1).max()}
    middle = statistics.middle(drawn)
    best |= dict(zip(OF_RANDOM, (middle.value, middle.low, middle.high), strict=True))
    return xr.Dataset({"mean": on_all.mean(), "best_random": ("set", drawn)} | best)


def probability_of_superiority(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the pairs of a value of the first group, (n,), and one of the second, (m,), in
    which the first is larger; ties count half.
    """
    first, second = np.asarray(first)[:, None], np.asarray(second)
    return float(np.mean((first > second) + 0.5 * (first == second)))


def best_findings(best: xr.Dataset, noisy: float, quiet: float) -> Findings:
    """What of the gain of one batch size over another comes from choosing the best run.

    Args:
        best: what `best_of_runs` gives.
        noisy: batch size of the one.
        quiet: batch size of the other.

    Returns:
        Differences in percentage points.
        best, best_full: of the best runs, on the small test set in use and on all test images.
        lucky, lucky_low, lucky_high: of the best runs on random test sets of the small one's size,
            mean and range of the middle 95 % of them.
        chosen: by how much the mean of these exceeds the difference of the mean runs.
    """
    apart = 100 * (best.sel(batch_size=noisy) - best.sel(batch_size=quiet))
    lucky = statistics.middle(apart.best_random.values)
    return {
        "best": float(apart.best_small),
        "best_full": float(apart.best_full),
        "lucky": lucky.value,
        "lucky_low": lucky.low,
        "lucky_high": lucky.high,
        "chosen": float(apart.best_random_mean - apart["mean"]),
    }
