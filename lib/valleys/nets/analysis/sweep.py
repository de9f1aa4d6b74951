"""What a sweep says, cell by cell: means over its runs with 95 % intervals, and the paper's
maxima.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.specs import MAIN_THRESHOLD
from valleys.nets.measures import solutions
from valleys.nets.statistics import ENDS, Estimate

Cell = xr.Dataset
Values = dict[str, Callable[[Cell], xr.DataArray]]
OF_ALL_RUNS: Values = {
    "train_loss": lambda cell: cell.train_loss[:, -1],
    "train_accuracy": lambda cell: cell.train_accuracy[:, -1],
}
OF_SOLUTIONS: Values = {
    "test_accuracy": lambda cell: cell.test_accuracy[:, -1],
    "full_test_accuracy": lambda cell: cell.full_test_accuracy,
    "test_loss": lambda cell: cell.test_loss[:, -1],
    "flatness": lambda cell: cell.flatness[:, -1],
    "relative_flatness": lambda cell: cell.flatness[:, -1] / cell.weight_norm[:, -1] ** 2,
    "whole_network_flatness": lambda cell: cell.whole_network_flatness,
}
OF_PAIRS: dict[str, Callable[[Cell], np.ndarray]] = {
    "similarity": lambda cell: solutions.similarity_matrix(cell.misclassified.values),
    "similarity_full": lambda cell: solutions.similarity_matrix(cell.misclassified_full.values),
    "weight_cosine": lambda cell: cell.weight_cosine.values,
    "weight_distance": lambda cell: cell.weight_distance.values,
}
MAXIMA = ("test_accuracy", "full_test_accuracy", "flatness")
COURSES = ("train_loss", "flatness")
SETTLED = 0.75  # share of the runs of a cell that converge, for it to be compared with others


def summarize(sweep: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """One number per cell for each quantity of Figs. 2, 3, S2 and S3.

    Args:
        sweep: what `sweep` returns.
        seed: of the bootstrap.

    Returns:
        Dimensions batch_size, learning_rate (and threshold). `name` is a mean and `name_low`,
        `name_high` its interval: NaN where fewer than three runs give one, or copies of one run, as
        in gradient descent. `converged` is a share of runs. Means of the training set are over all
        runs that stayed finite; those of solutions are over converged runs, or over pairs of them,
        with `max_name` for the maximum, and NaN where no run converged, as is `freezing_time`, η ·
        step over the runs that reached the threshold.
    """
    rows = []
    for batch_size in sweep.batch_size.values:
        cells = [
            sweep.sel(batch_size=batch_size, learning_rate=learning_rate)
            for learning_rate in sweep.learning_rate.values
        ]
        rows.append(
            [
                _summarize_cell(cell, np.random.default_rng([seed, int(batch_size), column]))
                for column, cell in enumerate(cells)
            ]
        )
    combined = xr.combine_nested(
        rows, ["batch_size", "learning_rate"], combine_attrs="override", join="exact"
    )
    return combined.assign_coords(
        batch_size=sweep.batch_size, learning_rate=sweep.learning_rate
    ).transpose("batch_size", "learning_rate", ...)


def _summarize_cell(cell: Cell, rng: np.random.Generator) -> xr.Dataset:
    chosen, single = np.flatnonzero(cell.converged.values), is_single(cell)
    solved = cell.isel(realization=chosen, other=chosen)
    found = _measured(statistics.share(len(chosen), cell.sizes["realization"]), single).named(
        "converged"
    )
    for runs, quantities in ((cell, OF_ALL_RUNS), (solved, OF_SOLUTIONS)):
        for name, values in quantities.items():
            known = values(runs).dropna("realization").values
            found |= _mean(known, single, rng).named(name)
            if name in MAXIMA:
                found[f"max_{name}"] = known.max() if known.size else np.nan
    for name, matrix in OF_PAIRS.items():
        found |= _measured(statistics.pair_mean(matrix(solved), rng), single).named(name)
    return xr.Dataset(found | _freezing(cell, single, rng), coords={"threshold": cell.threshold})


def is_single(cell: Cell) -> bool:
    """Whether all runs of a cell end in the same weights: copies of one deterministic run, or a
    single one.
    """
    return cell.sizes["realization"] == 1 or bool((cell.weight_distance.values == 0).all())


def _freezing(cell: Cell, single: bool, rng: np.random.Generator) -> dict:
    """Time η · step at which each threshold is reached, where at least one run of the cell
    converged.
    """
    times = (
        cell.freezing_time * cell.learning_rate
        if cell.converged.any()
        else cell.freezing_time * np.nan
    )
    each = [
        _mean(times.sel(threshold=threshold).dropna("realization").values, single, rng)
        for threshold in cell.threshold.values
    ]
    parts = {
        field: ("threshold", [getattr(one, field) for one in each])
        for field in ("value", "low", "high")
    }
    return {
        "freezing_time": parts["value"],
        "freezing_time_low": parts["low"],
        "freezing_time_high": parts["high"],
    }


def _mean(values: np.ndarray, single: bool, rng: np.random.Generator) -> Estimate:
    return _measured(statistics.mean(values, rng), single)


def _measured(found: Estimate, single: bool) -> Estimate:
    """Without the interval where all runs are copies of one: a bootstrap would give it no width."""
    return dataclasses.replace(found, low=np.nan, high=np.nan) if single else found


def of_solutions(cell: Cell, name: str) -> np.ndarray:
    """A quantity of `OF_SOLUTIONS` at the end of each converged run, (n,), such as
    `of_solutions(cell, "flatness")`.
    """
    return (
        OF_SOLUTIONS[name](cell.isel(realization=np.flatnonzero(cell.converged.values)))
        .dropna("realization")
        .values
    )


def courses(row: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Mean training loss and mean flatness along training, over the runs finite at each record,
    with pointwise intervals (Figs. 3B, D).

    Args:
        row: the cells of a sweep at one learning rate, dimension batch_size.
        seed: of the bootstrap.

    Returns:
        Dimensions batch_size and record: `train_loss`, `flatness`, each with `_low` and `_high`,
            NaN where there are fewer than three
        runs, or copies of one, and where the flatness was not measured.
    """
    found = {
        f"{name}{end}": np.full((row.sizes["batch_size"], row.sizes["record"]), np.nan)
        for name in COURSES
        for end in ENDS
    }
    for index, size in enumerate(row.batch_size.values):
        cell, rng = row.sel(batch_size=size), np.random.default_rng([seed, int(size)])
        for name in COURSES:
            parts = statistics.means(cell[name].values, rng)
            for end, values in list(zip(ENDS, parts, strict=True))[: 1 if is_single(cell) else 3]:
                found[f"{name}{end}"][index] = values
    return xr.Dataset(
        {name: (("batch_size", "record"), values) for name, values in found.items()},
        row[["batch_size", "time"]].coords,
    )


def estimate(summary: xr.Dataset, name: str, **cell: float) -> Estimate:
    """A mean of one cell with its interval, such as `estimate(summary, "flatness",
    batch_size=50, learning_rate=0.05)`.
    """
    here = summary.sel(cell)
    value, low, high = (float(here[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)


def converged_cells(summary: xr.Dataset, n_train: int, *, share: float = SETTLED) -> xr.Dataset:
    """The mini-batch cells in which at least `share` of the runs converged, others NaN; with the
    freezing time at the paper's L_c.
    """
    noisy = summary.sel(threshold=MAIN_THRESHOLD).where(summary.converged >= share)
    return noisy.isel(batch_size=np.flatnonzero(summary.batch_size.values < n_train))


def noisiest_batch_size(summary: xr.Dataset, learning_rate: float, n_train: int) -> int:
    """The smallest converged mini-batch size at a learning rate.

    Raises:
        ValueError: there is none.
    """
    sizes = (
        converged_cells(summary, n_train)
        .flatness.sel(learning_rate=learning_rate)
        .dropna("batch_size")
        .batch_size.values
    )
    if not sizes.size:
        raise ValueError(
            f"at learning_rate {learning_rate} too few mini-batch runs converge in "
            "every cell; choose a smaller one or larger batch_sizes"
        )
    return int(sizes.min())


def noise_effect(summary: xr.Dataset, name: str, n_train: int) -> xr.Dataset:
    """A mean at the smallest batch size less that at the largest, among converged mini-batch cells,
    for each learning rate with two of them.

    Args:
        summary: what `summarize` returns.
        name: the mean.
        n_train: training images.

    Returns:
        Dimension learning_rate: `value`; `low`, `high`, its 95 % interval, which adds the widths of
            the two means' intervals in quadrature; `clear`,
        whether that excludes zero, False where a mean has no interval.
    """
    cells = converged_cells(summary, n_train).sortby("batch_size")
    rows = {}
    for learning_rate in cells.learning_rate.values:
        line = cells.sel(learning_rate=learning_rate)
        sizes = line[name].dropna("batch_size").batch_size.values
        if len(sizes) >= 2:
            rows[learning_rate] = _difference(
                *(estimate(line, name, batch_size=size) for size in (sizes[0], sizes[-1]))
            )
    parts = {
        field: ("learning_rate", [getattr(one, field) for one in rows.values()])
        for field in ("value", "low", "high")
    }
    found = xr.Dataset(parts, coords={"learning_rate": list(rows)})
    return found.assign(clear=(found.low > 0) | (found.high < 0))


def _difference(first: Estimate, second: Estimate) -> Estimate:
    """Of two independent estimates, with an interval from the widths of theirs."""
    value = first.value - second.value
    below, above = (
        np.hypot(first.value - first.low, second.high - second.value),
        np.hypot(first.high - first.value, second.value - second.low),
    )
    return Estimate(value, float(value - below), float(value + above))


def rising_steps(summary: xr.Dataset, name: str, n_train: int) -> tuple[int, int]:
    """In how many steps from a converged mini-batch cell to its noisier neighbour, in batch size
    or learning rate, a quantity rises, and of how many.
    """
    cells = (
        converged_cells(summary, n_train)[name]
        .sortby("batch_size", ascending=False)
        .sortby("learning_rate")
        .transpose("batch_size", "learning_rate")
    )
    steps = np.concatenate([np.diff(cells.values, axis=axis).ravel() for axis in (0, 1)])
    return int((steps > 0).sum()), int(np.isfinite(steps).sum())


def variance_explained(
    summary: xr.Dataset, name: str, by: str, n_train: int, *, seed: int = 0
) -> Estimate:
    """R² of the line through one quantity of the converged mini-batch cells against another, with
    the jackknife over cells.
    """
    cells = converged_cells(summary, n_train)
    x, y = cells[by].values.ravel(), cells[name].values.ravel()
    known = np.isfinite(x) & np.isfinite(y)
    return statistics.fit_points(x[known], y[known], np.random.default_rng(seed)).r_squared


def accuracy_gain(noisy: Cell, quiet: Cell, *, seed: int = 0) -> Estimate:
    """Mean accuracy on all test images of one cell's converged runs less that of another's,
    resampling runs and images.

    The images are resampled together for both cells, so that what is hard for both does not widen
    the interval. The one initialization is not resampled.
    """
    rng = np.random.default_rng(seed)
    right = [~cell.misclassified_full.values[cell.converged.values] for cell in (noisy, quiet)]
    if not all(len(runs) for runs in right):
        return Estimate(np.nan, np.nan, np.nan)
    n_images = right[0].shape[1]
    every = np.concatenate(right).astype(float)
    draws = (rng.integers(n_images, size=n_images) for _ in range(statistics.N_RESAMPLES))
    drawn = (
        np.stack([every @ np.bincount(draw, minlength=n_images) for draw in draws], axis=1)
        / n_images
    )
    means = [statistics.resampled_means(runs, rng) for runs in np.split(drawn, [len(right[0])])]
    return statistics.interval(right[0].mean() - right[1].mean(), means[0] - means[1])


def flatness_at_loss(cell: Cell, level: float) -> np.ndarray:
    """Flatness of each converged run where its training loss fell through a level for the last
    time, interpolated between records; NaN if it never did.

    Args:
        cell: one cell of a sweep, with the flatness followed along training.
        level: training loss.
    """
    followed = cell.isel(
        record=np.flatnonzero(np.isfinite(cell.flatness).any("realization").values),
        realization=np.flatnonzero(cell.converged.values),
    )
    return np.array(
        [
            where_loss_falls_through(level, *run)
            for run in zip(followed.train_loss.values, followed.flatness.values, strict=True)
        ]
    )


def where_loss_falls_through(level: float, losses: np.ndarray, flat: np.ndarray) -> float:
    """Flatness at a loss between two records, on logarithmic axes, at the last time that the
    loss falls through it.
    """
    above = np.flatnonzero(losses >= level)
    if not above.size:
        return np.nan
    if above[-1] + 1 == len(losses):
        return float(flat[-1]) if losses[-1] == level else np.nan
    pair = slice(above[-1], above[-1] + 2)
    return float(np.exp(np.interp(-np.log(level), -np.log(losses[pair]), np.log(flat[pair]))))
