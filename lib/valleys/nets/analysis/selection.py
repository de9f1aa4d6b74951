"""What choosing the best of several runs adds to what they are on average."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.results.estimates import Findings

NUMBERS = ("mean", "best_full", "best_small")  # of each cell


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
        accuracy on all test images, `best_small` is the best on the small test set, and
        `best_random` (batch_size, set) the best on each random set. NaN where no run converged.
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
    best = dict(zip(NUMBERS, (on_all.mean(), on_all.max(), small.mean(axis=1).max()), strict=True))
    return xr.Dataset(best | {"best_random": ("set", drawn)})


def probability_of_superiority(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the pairs of a value of the first group, (n,), and one of the second, (m,), in
    which the first is larger; ties count half.
    """
    first, second = np.asarray(first)[:, None], np.asarray(second)
    return float(np.mean((first > second) + 0.5 * (first == second)))


def gains(best: xr.Dataset) -> xr.Dataset:
    """By how much accuracies exceed those of the largest batch, percentage points.

    Args:
        best: what `best_of_runs` gives.

    Returns:
        Dimension batch_size: `mean`, `best_full` and `best_small`, and `lucky`, `lucky_low`,
        `lucky_high` of the best on random sets, mean over sets and range of their middle 95 %.
    """
    apart = 100 * (best - best.sel(batch_size=best.batch_size.max(), drop=True))
    drawn = apart.best_random.transpose("batch_size", "set").values
    middle = [statistics.middle(values) for values in drawn]
    ends = {"lucky": "value", "lucky_low": "low", "lucky_high": "high"}
    parts = {
        name: ("batch_size", [getattr(one, end) for one in middle]) for name, end in ends.items()
    }
    return apart[list(NUMBERS)].assign(parts)


def best_findings(gained: xr.Dataset, batch_size: float) -> Findings:
    """What of the gain of a batch size over the largest comes from choosing the best run.

    Args:
        gained: what `gains` gives.
        batch_size: the one.

    Returns:
        Differences in percentage points.
        best, best_full: of the best runs, on the small test set in use and on all test images.
        lucky, lucky_low, lucky_high: of the best runs on random test sets of the small one's size,
            mean and range of the middle 95 % of them.
        chosen: by how much the mean of these exceeds the difference of the mean runs.
    """
    cell = gained.sel(batch_size=batch_size)
    findings: Findings = {name: float(cell[name]) for name in ("lucky", "lucky_low", "lucky_high")}
    return findings | {
        "best": float(cell.best_small),
        "best_full": float(cell.best_full),
        "chosen": float(cell.lucky - cell["mean"]),
    }
