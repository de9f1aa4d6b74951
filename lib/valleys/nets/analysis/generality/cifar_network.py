"""Maps over batch size and learning rate of the convolutional network of Fig. S5."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.generality.effects import DOUBLED
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings
from valleys.results.spec import require

RUNS = ("freezing_time", "flatness", "accuracy")
PAIRS = ("wall", "similarity")
HOUR = 3600.0
BACKWARD = 2.0  # products of a step that go back, over those that go forward


def together(by_rate: Mapping[float, xr.Dataset]) -> xr.Dataset:
    """Grids over batch size, one a learning rate, as one map; NaN where a cell was not computed."""
    sizes = sorted({int(size) for grid in by_rate.values() for size in grid.batch_size.values})
    rows = [grid.reindex(batch_size=sizes) for grid in by_rate.values()]
    found = xr.concat(rows, "learning_rate", combine_attrs="drop_conflicts")
    return found.assign_coords(learning_rate=list(by_rate))


def cells_within(
    rates: Iterable[float], sizes: Iterable[int], most: float
) -> dict[float, tuple[int, ...]]:
    """Batch sizes of each learning rate whose B/η, to which the cost of a run is about in
    proportion, is at most so large; learning rates without one are left out.

    Raises:
        ValueError: fewer than two batch sizes are left at the largest learning rate, where they are
            compared.
    """
    chosen = {
        rate: tuple(size for size in sorted(sizes) if size / rate <= most * (1 + 1e-9))
        for rate in sorted(rates)
    }
    require(
        len(chosen[max(chosen)]) >= 2,
        "s5_most must leave two or more of s5_batch_sizes at the largest of s5_learning_rates, "
        f"{max(chosen):g}, to be compared; got {most:g}",
    )
    return {rate: own for rate, own in chosen.items() if own}


def maps(found: xr.Dataset, level: float, *, seed: int = 0) -> xr.Dataset:
    """Each quantity as its mean over runs or pairs of runs.

    Args:
        found: from `together`.
        level: training loss at which runs ended, over which walls are given.
        seed: of the resamples.

    Returns:
        Dimensions learning_rate and batch_size. `freezing_time`, `flatness`, `accuracy` [per cent],
        `wall` [of the loss] and `similarity`, with `NAME_low` and `NAME_high`; `converged`, the
        share of runs that came to the level.
    """
    values = found.assign(accuracy=100 * found.accuracy, wall=found.wall / level)
    parts = [statistics.run_means(values[name], "run", name, seed=seed) for name in RUNS]
    parts += [pair_means(values[name], name, seed=seed) for name in PAIRS]
    return xr.merge(parts).assign(converged=np.isfinite(found.end_time).mean("run"))


def pair_means(values: xr.DataArray, name: str, *, seed: int) -> xr.Dataset:
    """Mean along `pair`, of which runs are resampled, as `name`, `name_low` and `name_high`."""
    rows = values.transpose(..., "pair")
    told = [
        mean_of_pairs(row, np.random.default_rng(seed))
        for row in rows.values.reshape(-1, rows.sizes["pair"])
    ]
    shape, dims = rows.shape[:-1], rows.dims[:-1]
    ends = {end: [getattr(one, end.lstrip("_") or "value") for one in told] for end in ENDS}
    parts = {f"{name}{end}": (dims, np.reshape(column, shape)) for end, column in ends.items()}
    return xr.Dataset(parts, {dim: values[dim] for dim in dims})


def mean_of_pairs(row: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Of pairs in the order of `numpy.triu_indices`; no interval where one is not known."""
    if not np.isfinite(row).all():
        known = row[np.isfinite(row)]
        return Estimate(float(known.mean()) if known.size else np.nan, np.nan, np.nan)
    count = int((1 + (1 + 8 * len(row)) ** 0.5) / 2)
    matrix = np.zeros((count, count))
    matrix[np.triu_indices(count, 1)] = row
    return statistics.pair_mean(matrix + matrix.T, rng)


def map_findings(
    found: xr.Dataset,
    level: float,
    compared: tuple[int, int],
    *,
    others: xr.Dataset | None = None,
    seed: int = 0,
) -> Findings:
    """Two batch sizes at the largest learning rate, and what all cells say.

    Args:
        found: from `together`.
        level: training loss at which runs ended.
        compared: the two batch sizes, the smaller one first.
        others: the same two settings from other starts, over start, batch_size and run or pair;
            the two are compared over all starts.
        seed: of the resamples.

    Returns:
        `rate`, `noisy` and `calm`, the setting, and how many `starts` it has; `flat` and `delay`,
        factors of noisy over calm; `gain` in accuracy [points]; `wall_noisy` and `wall_calm`, over
        the loss, `alike_noisy` and `alike_calm`. `steps`, pairs of neighbouring batch sizes at one
        learning rate, and `flat_up`, `later` and `better`, how many of them have more flatness, a
        later freezing and more accuracy at the smaller one; `walled`, cells with walls above the
        loss, of `cells`.
    """
    here = found.isel(learning_rate=int(np.argmax(found.learning_rate.values)))
    here = here.sel(batch_size=list(compared)).expand_dims("start")
    if others is not None:
        parts = [here.drop_vars("learning_rate"), others.sel(batch_size=here.batch_size)]
        here = xr.concat([part.drop_vars("start", errors="ignore") for part in parts], "start")
    noisy, calm = here.isel(batch_size=0), here.isel(batch_size=-1)
    told: Findings = {"rate": float(found.learning_rate.max()), "starts": here.sizes["start"]}
    told |= {"noisy": int(noisy.batch_size), "calm": int(calm.batch_size)}
    for name, of in {"flat": "flatness", "delay": "freezing_time"}.items():
        above, below = (xr.ufuncs.log(cell[of]) for cell in (noisy, calm))
        told[name] = statistics.exponential(less(above, below, seed))
    told["gain"] = less(100 * noisy.accuracy, 100 * calm.accuracy, seed)
    for word, cell in (("noisy", noisy), ("calm", calm)):
        told[f"wall_{word}"] = _over_starts(cell.wall / level, seed)
        told[f"alike_{word}"] = _over_starts(cell.similarity, seed)
    return told | _steps(maps(found, level, seed=seed))


def less(first: xr.DataArray, second: xr.DataArray, seed: int) -> Estimate:
    """What one setting has more than the other, over start and run; starts are resampled and runs
    within them.
    """
    rng = np.random.default_rng(seed)
    above, below = (cell.transpose("start", "run").values for cell in (first, second))
    if len(above) == 1:
        above, below = above[0], below[0]
    return statistics.nested_difference(above, below, rng)


def _over_starts(values: xr.DataArray, seed: int) -> Estimate:
    """Mean over pairs of runs of one start, and over starts, which are resampled; runs if there is
    one start alone.
    """
    rng = np.random.default_rng(seed)
    each = [mean_of_pairs(row, rng) for row in values.transpose("start", "pair").values]
    if len(each) == 1:
        return each[0]
    return statistics.mean(np.array([one.value for one in each]), rng)


def _steps(table: xr.Dataset) -> Findings:
    """What steps to the next smaller batch do, counted by means."""
    ordered = table.sortby("batch_size").transpose("learning_rate", "batch_size")
    counts: Findings = {}
    for word, name in {
        "flat_up": "flatness",
        "later": "freezing_time",
        "better": "accuracy",
    }.items():
        rise = -np.diff(ordered[name].values, axis=1)
        counts[word] = int((rise > 0).sum())
        counts["steps"] = int(np.isfinite(rise).sum())
    walls = ordered.wall.values
    counts |= {"walled": int((walls > DOUBLED).sum()), "cells": int(np.isfinite(walls).sum())}
    return counts


def full_cost(
    found: xr.Dataset,
    seconds: float,
    *,
    rates: Iterable[float],
    sizes: Iterable[int],
    n_runs: int,
    look_time: float,
) -> float:
    """Hours of one core for a grid, from what the cells of a smaller one took, in proportion to
    the samples that go through the network.

    Args:
        found: from `together`.
        seconds: that all its cells took.
        rates: learning rates of the grid.
        sizes: batch sizes of the grid.
        n_runs: runs of each of its cells.
        look_time: ηt between looks at all training images.
    """
    looks = found.attrs["n_train"] / look_time / (1 + BACKWARD)
    ends = found.end_time.transpose("learning_rate", "batch_size", "run")
    ratio = found.batch_size / found.learning_rate
    done = float((ends * (ratio + looks)).sum())
    middle = float(ends.mean())
    whole = sum(size / rate + looks for rate in rates for size in sizes) * middle * n_runs
    return seconds * whole / done / HOUR
