"""What a sweep says, cell by cell: means over its converged runs with 95 % bootstrap intervals, and the paper's maxima."""

import dataclasses
from collections.abc import Callable

import numpy as np
import xarray as xr

from valleys.nets import solutions, statistics
from valleys.nets.specs import MAIN_THRESHOLD
from valleys.nets.statistics import Estimate

Cell = xr.Dataset
MEANS: dict[str, Callable[[Cell], xr.DataArray]] = {
    "test_accuracy": lambda cell: cell.test_accuracy[:, -1],
    "full_test_accuracy": lambda cell: cell.full_test_accuracy,
    "train_loss": lambda cell: cell.train_loss[:, -1],
    "flatness": lambda cell: cell.flatness[:, -1],
    "relative_flatness": lambda cell: cell.flatness[:, -1] / cell.weight_norm[:, -1] ** 2,
    "whole_network_flatness": lambda cell: cell.whole_network_flatness,
}
MAXIMA = ("test_accuracy", "full_test_accuracy", "flatness")


def summarize(sweep: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """One number per cell for each quantity of Figs. 2 and 3.

    Args:
        sweep: what `sweep` returns.
        seed: of the bootstrap.

    Returns:
        Dimensions batch_size, learning_rate (and threshold). `name`, `name_low`, `name_high` are a mean over the converged runs and its
        interval, `max_name` their maximum; `similarity` and `similarity_full` are means over pairs of converged runs; `freezing_time` is
        η · step, over the runs that reached the threshold. All are NaN where no run converged.
    """
    rows = []
    for batch_size in sweep.batch_size.values:
        cells = [sweep.sel(batch_size=batch_size, learning_rate=learning_rate) for learning_rate in sweep.learning_rate.values]
        rows.append([_summarize_cell(cell, np.random.default_rng([seed, int(batch_size), column])) for column, cell in enumerate(cells)])
    combined = xr.combine_nested(rows, ["batch_size", "learning_rate"], combine_attrs="override", join="exact")
    return combined.assign_coords(batch_size=sweep.batch_size, learning_rate=sweep.learning_rate).transpose("batch_size", "learning_rate", ...)


def _summarize_cell(cell: Cell, rng: np.random.Generator) -> xr.Dataset:
    converged = cell.isel(realization=np.flatnonzero(cell.converged.values))
    found: dict = {"converged": float(cell.converged.mean())}
    for name, values in MEANS.items():
        known = values(converged).dropna("realization").values
        found |= _with_ends(name, statistics.mean(known, rng))
        if name in MAXIMA:
            found[f"max_{name}"] = known.max() if known.size else np.nan
    for name, errors in (("similarity", converged.misclassified), ("similarity_full", converged.misclassified_full)):
        found |= _with_ends(name, statistics.pair_mean(solutions.similarity_matrix(errors.values), rng))
    return xr.Dataset(found | _freezing(cell, rng), coords={"threshold": cell.threshold})


def _freezing(cell: Cell, rng: np.random.Generator) -> dict:
    """Time η · step at which each threshold is reached, where at least one run of the cell converged."""
    times = cell.freezing_time * cell.learning_rate if cell.converged.any() else cell.freezing_time * np.nan
    each = [statistics.mean(times.sel(threshold=threshold).dropna("realization").values, rng) for threshold in cell.threshold.values]
    parts = {field: ("threshold", [getattr(one, field) for one in each]) for field in ("value", "low", "high")}
    return {"freezing_time": parts["value"], "freezing_time_low": parts["low"], "freezing_time_high": parts["high"]}


def _with_ends(name: str, found: Estimate) -> dict[str, float]:
    value, low, high = dataclasses.astuple(found)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def estimate(summary: xr.Dataset, name: str, **cell: float) -> Estimate:
    """A mean of one cell with its interval, such as `estimate(summary, "flatness", batch_size=50, learning_rate=0.05)`."""
    here = summary.sel(cell)
    return Estimate(*(float(here[f"{name}{end}"]) for end in ("", "_low", "_high")))


def settled(summary: xr.Dataset, n_train: int, *, share: float = 0.75) -> xr.Dataset:
    """The mini-batch cells in which at least `share` of the runs converged, others NaN; with the freezing time at the paper's L_c."""
    noisy = summary.sel(threshold=MAIN_THRESHOLD).where(summary.converged >= share)
    return noisy.isel(batch_size=np.flatnonzero(summary.batch_size.values < n_train))


def noisiest_batch_size(summary: xr.Dataset, learning_rate: float, n_train: int) -> int:
    """The smallest settled mini-batch size at a learning rate.

    Raises:
        ValueError: there is none.
    """
    sizes = settled(summary, n_train).flatness.sel(learning_rate=learning_rate).dropna("batch_size").batch_size.values
    if not sizes.size:
        raise ValueError(f"at learning_rate {learning_rate} too few mini-batch runs converge in every cell; choose a smaller one or larger batch_sizes")
    return int(sizes.min())


def noise_effect(summary: xr.Dataset, name: str, n_train: int) -> xr.DataArray:
    """A quantity at the smallest batch size less that at the largest, among settled mini-batch cells, for each learning rate with two of them."""
    cells = settled(summary, n_train)[name].sortby("batch_size")
    effects = {}
    for learning_rate in cells.learning_rate.values:
        known = cells.sel(learning_rate=learning_rate).dropna("batch_size").values
        if len(known) >= 2:
            effects[learning_rate] = known[0] - known[-1]
    return xr.DataArray(list(effects.values()), coords={"learning_rate": list(effects)}, name=name)


def accuracy_gain(noisy: Cell, quiet: Cell, *, seed: int = 0) -> Estimate:
    """Mean accuracy on all test images of one cell's converged runs less that of another's, resampling runs and images.

    The images are resampled together for both cells, so that what is hard for both does not widen the interval. The one initialization
    is not resampled.
    """
    rng = np.random.default_rng(seed)
    right = [~cell.misclassified_full.values[cell.converged.values] for cell in (noisy, quiet)]
    if not all(len(runs) for runs in right):
        return Estimate(np.nan, np.nan, np.nan)
    n_images = right[0].shape[1]
    drawn = rng.multinomial(n_images, np.full(n_images, 1 / n_images), size=500) / n_images
    means = [statistics.resampled_means(runs @ drawn.T, rng) for runs in right]
    low, high = np.quantile(means[0] - means[1], [(1 - statistics.LEVEL) / 2, (1 + statistics.LEVEL) / 2])
    return Estimate(float(right[0].mean() - right[1].mean()), float(low), float(high))


def flatness_at_loss(cell: Cell, level: float) -> np.ndarray:
    """Flatness of each converged run where its training loss fell through a level for the last time, interpolated between records; NaN if it never did.

    Args:
        cell: one cell of a sweep, with the flatness followed along training.
        level: training loss.
    """
    followed = cell.isel(record=np.flatnonzero(np.isfinite(cell.flatness).any("realization").values), realization=np.flatnonzero(cell.converged.values))
    return np.array([where_loss_falls_through(level, *run) for run in zip(followed.train_loss.values, followed.flatness.values, strict=True)])


def where_loss_falls_through(level: float, losses: np.ndarray, flat: np.ndarray) -> float:
    """Flatness at a loss between two records, on logarithmic axes, at the last time that the loss falls through it."""
    above = np.flatnonzero(losses >= level)
    if not above.size:
        return np.nan
    if above[-1] + 1 == len(losses):
        return float(flat[-1]) if losses[-1] == level else np.nan
    pair = slice(above[-1], above[-1] + 2)
    return float(np.exp(np.interp(-np.log(level), -np.log(losses[pair]), np.log(flat[pair]))))
