"""Whether the dimension of the attractor orders what networks are worth on new images."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.neighbours import contrasts
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings


def order(first: xr.DataArray, second: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Spearman's rank correlation over settings of means over starts and runs; starts are drawn,
    and the runs of each.

    Args:
        first: over setting, start and run.
        second: likewise.
        seed: of the resamples.
    """
    count = first.sizes["setting"]
    every = [
        contrasts.rows(each) for of in (first, second) for each in of.transpose("setting", ...)
    ]
    value, drawn = statistics.nested_means(every, np.random.default_rng(seed))
    spread = statistics.spearman_rows(drawn[:count].T, drawn[count:].T)
    correlation = statistics.spearman(value[:count], value[count:])
    return statistics.interval(correlation, spread, [first.sizes["start"]])


def attractor_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What the sharpness dimension tells.

    Args:
        found: a grid of `attractors` over start, learning_rate and batch_size.
        seed: of the resamples.

    Returns:
        `dimension_order`, the rank correlation over settings of dimension with accuracy.
    """
    flat = found.stack(setting=["learning_rate", "batch_size"])
    return {"dimension_order": order(flat.dimension, flat.accuracy, seed=seed)}
