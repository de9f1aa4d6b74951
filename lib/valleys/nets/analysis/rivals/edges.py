"""Curvature against the edges of stability: means over the second half of the search, in time, with
intervals over starts.
"""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

FROM = 0.5  # share of the way to freezing from which looks count


def over_edge(found: xr.Dataset, name: str, edge: str) -> xr.DataArray:
    """A curvature over an edge of stability, mean over the looks that count, by start, batch size
    and momentum.

    Args:
        found: a grid of `valleys.nets.experiments.rivals.edges.edges` over these three.
        name: `sharpness` or `batch_sharpness`.
        edge: `lower_edge`, 2(1 − β)/η, or `upper_edge`, 2(1 + β)/η.
    """
    late = found[name].where(found.time >= FROM * found.freezing_time)
    return late.mean("look") / found[edge]


def edge_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Where runs live.

    Args:
        found: a grid of `edges` over start, batch_size (with all samples) and momentum (with 0).
        seed: of the resamples.

    Returns:
        Over the lower edge, without momentum: `edge_full`, sharpness with all samples, `edge_small`
        with the smallest batches, `edge_gap`, the first less the second, and `edge_batch`, batch
        sharpness with the smallest batches; with the largest momentum `edge_momentum_batch`, that
        batch sharpness, and `edge_momentum_full`, sharpness with all samples over the upper edge;
        `edge_small_size` and `edge_momentum`, the smallest batch size and the largest momentum.
    """
    sharp = over_edge(found, "sharpness", "lower_edge").sel(momentum=0)
    batch = over_edge(found, "batch_sharpness", "lower_edge")
    upper = over_edge(found, "sharpness", "upper_edge")
    small, full = (int(each) for each in (found.batch_size.min(), found.batch_size.max()))
    most = float(found.momentum.max())
    means = {
        "edge_full": sharp.sel(batch_size=full),
        "edge_small": sharp.sel(batch_size=small),
        "edge_batch": batch.sel(momentum=0, batch_size=small),
        "edge_momentum_batch": batch.sel(momentum=most, batch_size=small),
        "edge_momentum_full": upper.sel(momentum=most, batch_size=full),
    }
    told: Findings = {name: _mean(each, seed) for name, each in means.items()}
    told["edge_gap"] = _mean(means["edge_full"] - means["edge_small"], seed)
    return told | {"edge_small_size": small, "edge_momentum": most}


def _mean(values: xr.DataArray, seed: int) -> Estimate:
    """Mean over starts."""
    return statistics.mean(np.asarray(values.values), np.random.default_rng(seed))
