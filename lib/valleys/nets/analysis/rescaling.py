"""One layer or all: whether flatness of the second layer stands for that of the whole network."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.rescaling import moved_share, solution_rank_correlation
from valleys.results.estimates import Findings


def layer_findings(
    layer: xr.DataArray,
    whole: xr.DataArray,
    n_samples: int,
    rng: np.random.Generator,
) -> Findings:
    """How flatness of the layer goes with that of the whole network, over solutions.

    Args:
        layer: flatness of the second layer, dimensions batch_size and realization; NaN where that
            of the whole network is not known.
        whole: of the whole network, the same dimensions.
        n_samples: training images; gradient descent is left out of the correlations.
        rng: of the resamples.

    Returns:
        layer_whole: rank correlation over all solutions with mini-batches.
        layer_within: that within one batch size, mean over the batch sizes.
        probed: number of solutions, those of gradient descent included.
    """
    mini = layer.batch_size.values < n_samples
    pairs = layer.values[mini], whole.values[mini]
    both = solution_rank_correlation(*pairs, rng)
    rows = zip(*(values[:, None] for values in pairs), strict=True)
    within = np.array([solution_rank_correlation(*row, rng=rng).value for row in rows])
    return {
        "layer_whole": both,
        "layer_within": statistics.mean(within[np.isfinite(within)], rng),
        "probed": int(np.isfinite(layer).sum()),
    }


def order_findings(layers: xr.Dataset, rng: np.random.Generator) -> Findings:
    """Whether solutions keep their order when their layers get equal norms.

    Args:
        layers: what `rescaling` gives.
        rng: of the resamples.

    Returns:
        balanced_layer, balanced_whole: rank correlation of flatness before and after, of the layer
            and of the whole network.
        noise_layer, noise_whole: rank correlation of minus the batch size and balanced flatness.
    """
    before, after = (layers.flatness.sel(scaling=name) for name in ("as trained", "balanced"))
    noise = xr.broadcast(-layers.batch_size.astype(float), after.isel(measure=0))[0].values
    findings: Findings = {}
    for name in ("layer", "whole"):
        pair = (values.sel(measure=name).values for values in (before, after))
        findings[f"balanced_{name}"] = solution_rank_correlation(*pair, rng=rng)
    for name in ("layer", "whole"):
        flat = after.sel(measure=name).values
        findings[f"noise_{name}"] = solution_rank_correlation(noise, flat, rng)
    return findings


def law_findings(layers: xr.Dataset) -> Findings:
    """What rescaling does to flatness, F(a) = a² F(1) in the layer, and how far training rescales.

    Args:
        layers: what `rescaling` gives, factors rising and batch sizes too.

    Returns:
        a_small, a: the first factor and the last.
        a_worst: largest relative deviation of the layer from a².
        a_whole_small, a_whole: factor by which flatness of the whole network changes at each.
        unkept_noisy, unkept_calm: change of what gradient flow conserves of the first two layers,
            over what the squared norm of the second gains, see `moved_share`; at the first batch
            size, `unkept_b_noisy`, and at the last, `unkept_b_calm`.
        unkept_upper: the largest such share of the next two layers.
        norm_spread: largest over smallest norm of the second layer at the end, less one.
    """
    factors = layers.rescaled / layers.rescaled.sel(factor=1.0)
    whole = factors.sel(measure="whole").mean("batch_size")
    moved = moved_share(layers).mean("realization")
    norms = layers.norms.isel(record=-1, layer=1)
    findings: Findings = {
        "a_small": factors.factor[0].item(),
        "a": factors.factor[-1].item(),
        "a_worst": float(abs(factors.sel(measure="layer") / layers.factor**2 - 1).max()),
        "a_whole_small": float(whole.isel(factor=0)),
        "a_whole": float(whole.isel(factor=-1)),
        "unkept_upper": float(moved.isel(joint=1).max()),
        "norm_spread": float(norms.max() / norms.min() - 1),
    }
    for name, place in (("noisy", 0), ("calm", -1)):
        findings[f"unkept_{name}"] = float(moved.isel(batch_size=place, joint=0))
        findings[f"unkept_b_{name}"] = layers.batch_size[place].item()
    return findings
