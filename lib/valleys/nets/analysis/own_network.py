"""What noise did to a network of one's own: answers with intervals."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.sweep import where_loss_falls_through
from valleys.nets.statistics import Estimate


def equal_loss(found: xr.Dataset) -> float:
    """The lowest training loss that every run which is finite went through."""
    return float(found.train_loss.min("record").max())


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
            went through.
        delay: difference of freezing times [η · step].
        wall: mean rise of the training loss between two noisy ends, in units of L_c.
        sharpness: of the noisy ends, in units of 2/η; above 1 a step of gradient descent climbs.
        gain: difference of test accuracy at the end, per cent.
    """
    rng = np.random.default_rng(seed)
    end = found.isel(record=-1)
    level = equal_loss(found)
    small, large = found.sizes["batch_size"] - 1, 0

    def contrast(values: xr.DataArray) -> Estimate:
        one, two = (_runs(values, which) for which in (small, large))
        return statistics.nested_difference(one, two, rng)

    noisy = {name: _runs(found[name], small) for name in ("wall", "sharpness")}
    return {
        "flattening": _exponential(contrast(xr.ufuncs.log(end.flatness))),
        "flattening_at_loss": _exponential(contrast(xr.ufuncs.log(flatness_at(found, level)))),
        "delay": contrast(found.freezing_time),
        "wall": statistics.nested_mean(noisy["wall"] / found.attrs["threshold"], rng),
        "sharpness": statistics.nested_mean(noisy["sharpness"], rng),
        "gain": contrast(100 * end.test_accuracy),
    }


def _runs(values: xr.DataArray, setting: int) -> np.ndarray:
    """One number a run or pair of one batch size, (n_starts, n), or (n,) of a single start."""
    chosen = values.isel(batch_size=setting)
    other = "pair" if "pair" in chosen.dims else "run"
    found = chosen.transpose("start", other).values
    return found[0] if len(found) == 1 else found


def _exponential(estimate: Estimate) -> Estimate:
    """A ratio from a difference of logarithms."""
    return Estimate(*np.exp([estimate.value, estimate.low, estimate.high]).tolist())
