"""What noise did to a network of one's own: answers with intervals."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.spatial.distance import squareform

from valleys.nets import statistics
from valleys.nets.analysis.sweep import where_loss_falls_through
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

N_LEVELS = 12  # training losses at which the flatness is compared
BORDERS = {  # of a verdict: the answer that it reads, and what lies below where it is "no"
    "flatter": ("flattening_at_loss", 1.0),
    "later": ("delay", 0.0),
    "walled": ("wall", 1.0),
    "better": ("gain", 0.0),
}
OPPOSITE = {"yes": "no", "no": "yes", "undecided": "undecided"}
Mean = Callable[[np.ndarray, np.random.Generator], Estimate]


def equal_loss(found: xr.Dataset) -> float:
    """The lowest training loss that every run which is finite ends at or below; NaN without any."""
    return float(found.train_loss.isel(record=-1).max())


def flatness_at(found: xr.Dataset, level: float) -> xr.DataArray:
    """Flatness of each run where its training loss fell through a level for the last time.

    Args:
        found: what `ask` returns.
        level: training loss.

    Returns:
        Dimensions start, batch_size, run; NaN for a run that did not.
    """
    return xr.apply_ufunc(
        lambda losses, flat: where_loss_falls_through(level, losses, flat),
        found.train_loss,
        found.flatness,
        input_core_dims=[["record"], ["record"]],
        vectorize=True,
    )


def answers(found: xr.Dataset, *, seed: int = 0) -> dict[str, Estimate]:
    """What the smallest batch size did, held against the largest.

    Intervals go over starts and runs, or over runs where there is one start.

    Args:
        found: what `ask` returns.
        seed: of the resamples.

    Returns:
        flattening: ratio of flatness at the end.
        flattening_at_loss: the same where the training loss is equal, at the lowest that all runs
            end below.
        delay: difference of freezing times [η · step], of runs that froze.
        wall: mean rise of the training loss between two noisy ends, in units of L_c.
        sharpness: of the noisy ends, in units of 2/η; above 1 a step of gradient descent climbs.
        gain: difference of test accuracy at the end, per cent.
    """
    rng = np.random.default_rng(seed)
    end = found.isel(record=-1)
    level = equal_loss(found)
    noisy = found.isel(batch_size=-1)

    def contrast(values: xr.DataArray) -> Estimate:
        one, two = (_by_start(values.isel(batch_size=which)) for which in (-1, 0))
        return statistics.nested_difference(one, two, rng)

    def factor(values: xr.DataArray) -> Estimate:
        return statistics.exponential(contrast(xr.ufuncs.log(values)))

    return {
        "flattening": statistics.exponential(contrast(xr.ufuncs.log(end.flatness))),
        "flattening_at_loss": statistics.exponential(
            contrast(xr.ufuncs.log(flatness_at(found, level)))
        ),
        "delay": contrast(found.freezing_time),
        "wall": wall_mean(_by_start(noisy.wall / found.attrs["threshold"]), rng),
        "sharpness": statistics.nested_mean(_by_start(noisy.sharpness), rng),
        "gain": contrast(100 * end.test_accuracy),
    }


def wall_mean(walls: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean over starts of the mean wall between two runs, with starts resampled, or runs where
    there is one start: pairs are not independent of one another.

    Args:
        walls: one number a pair, in the order of `numpy.triu_indices`, (n_pairs,) of one start, or
            (n_starts, n_pairs); NaN where there is none.
        rng: of the resamples.
    """
    if walls.ndim == 1:
        matrix = squareform(walls)
        return statistics.pair_mean(matrix, rng, np.isfinite(matrix))
    known = walls[np.isfinite(walls).any(axis=1)]
    return statistics.mean(np.nanmean(known, axis=1) if len(known) else known[:, 0], rng)


def courses(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """What each batch size did, as means with the ends of their intervals, `NAME_low` and
    `NAME_high`.

    Args:
        found: what `ask` returns.
        seed: of the resamples.

    Returns:
        `train_loss` over (batch_size, record) and `flatness` over (batch_size, level), geometric
        means; at a level that not all runs of a batch size fall through NaN. `freezing_time` of
        runs that froze, and `wall` in units of L_c, over batch_size.
    """
    levels = loss_levels(found)
    flat = xr.concat([flatness_at(found, level) for level in levels], "level")
    ended = found.train_loss.isel(record=-1, drop=True).notnull()
    complete = (flat.notnull() | ~ended).all(["start", "run"])
    means = {
        "train_loss": np.exp(_means(xr.ufuncs.log(found.train_loss), statistics.nested_mean, seed)),
        "flatness": np.exp(
            _means(xr.ufuncs.log(flat.where(complete)), statistics.nested_mean, seed)
        ),
        "freezing_time": _means(found.freezing_time, statistics.nested_mean, seed),
        "wall": _means(found.wall / found.attrs["threshold"], wall_mean, seed),
    }
    parts = {
        f"{name}{end}": values.isel(end=place, drop=True)
        for name, values in means.items()
        for place, end in enumerate(statistics.ENDS)
    }
    return xr.Dataset(parts, {"level": levels}, found.attrs).transpose("batch_size", ...)


def loss_levels(found: xr.Dataset) -> np.ndarray:
    """Training losses that fall by equal factors, from below all starts to where the batch size
    that gets lowest ends, (N_LEVELS,).
    """
    highest = 0.9 * float(found.train_loss.isel(record=0).min())
    ends = found.train_loss.isel(record=-1).max(["start", "run"])
    return np.geomspace(highest, min(highest, float(ends.min())), N_LEVELS)


def own_network_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """The answers, how many runs they rest on, and how each answer reads.

    Args:
        found: what `own_network` returns.
        seed: of the resamples.

    Returns:
        What `answers` does; `starts`, `noisy` and `calm` (batch sizes), `trained`, `finite` and
        `frozen` (runs), `level`, the equal loss; `flatter`, `later`, `walled`, `better` and
        `stable`, each "yes", "no" or "undecided".
    """
    given = answers(found, seed=seed)
    sizes, losses = found.batch_size.values, found.train_loss
    return {
        **given,
        **{name: verdict(given[of], border) for name, (of, border) in BORDERS.items()},
        "stable": OPPOSITE[verdict(given["sharpness"], 1)],
        "starts": found.sizes["start"],
        "noisy": int(sizes[-1]),
        "calm": int(sizes[0]),
        "level": equal_loss(found),
        "trained": int(losses.isel(record=0).notnull().sum()),
        "finite": int(losses.isel(record=-1).notnull().sum()),
        "frozen": int(found.freezing_time.notnull().sum()),
    }


def verdict(estimate: Estimate, border: float) -> str:
    """Whether a number lies above a border by its interval: yes, no, or undecided."""
    if estimate.low > border:
        return "yes"
    return "no" if estimate.high < border else "undecided"


def _means(values: xr.DataArray, mean: Mean, seed: int) -> xr.DataArray:
    """Value, low and high of a mean over starts and runs, or pairs, along a new dimension `end`."""

    def three(rows: np.ndarray) -> np.ndarray:
        estimate = mean(rows[0] if len(rows) == 1 else rows, np.random.default_rng(seed))
        return np.array([estimate.value, estimate.low, estimate.high])

    return xr.apply_ufunc(
        three,
        values,
        input_core_dims=[["start", _inner(values)]],
        output_core_dims=[["end"]],
        vectorize=True,
    )


def _by_start(values: xr.DataArray) -> np.ndarray:
    """One number a run or pair, (n_starts, n), or (n,) of a single start."""
    rows = values.transpose("start", _inner(values)).values
    return rows[0] if len(rows) == 1 else rows


def _inner(values: xr.DataArray) -> str:
    """What there are several of from each start."""
    return "pair" if "pair" in values.dims else "run"
