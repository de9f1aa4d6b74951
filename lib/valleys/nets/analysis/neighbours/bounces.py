"""Whether the bounce makes flat: a walker on the floor of its lines against one that bounces."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.neighbours import contrasts
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings


def kept(found: xr.Dataset, *, seed: int = 0) -> Estimate:
    """Share of the flattening of bouncing over gradient descent that a walker on the floor keeps,
    by the logarithm of flatness.
    """
    hows = ("floor", "bouncing", "calm")
    every = [contrasts.rows(contrasts.log(found.flatness.sel(how=how))) for how in hows]
    value, drawn = statistics.nested_means(every, np.random.default_rng(seed))
    floor, bouncing, calm = (np.concatenate([[v], d]) for v, d in zip(value, drawn, strict=True))
    both = np.stack([floor - calm, bouncing - calm])
    return contrasts.quotient(both[:, 0], both[:, 1:], found.sizes["start"])


def bounce_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What the bounce does.

    Args:
        found: a grid of `bounces` over start.
        seed: of the resamples.

    Returns:
        `floor_flat` and `floor_far`, flatness and distance from the start at the level, and
        `floor_loss`, the loss after as many updates, of the walker on the floor over those of the
        one that bounces; `floor_kept`, the share of the flattening that it keeps, and
        `floor_noise`, flatness after bouncing over that after gradient descent.
    """
    floor, bouncing, calm = (found.sel(how=how) for how in ("floor", "bouncing", "calm"))
    return {
        "floor_flat": contrasts.factor(floor.flatness, bouncing.flatness, seed=seed),
        "floor_far": contrasts.factor(floor.distance, bouncing.distance, seed=seed),
        "floor_loss": contrasts.factor(floor.left_loss, bouncing.left_loss, seed=seed),
        "floor_noise": contrasts.factor(bouncing.flatness, calm.flatness, seed=seed),
        "floor_kept": kept(found, seed=seed),
    }


def against_calm(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Flatness of both walkers over that of gradient descent.

    Returns:
        Dimension how: `flat`, `flat_low` and `flat_high`.
    """
    calm = found.flatness.sel(how="calm")
    hows = ["bouncing", "floor"]
    every = [contrasts.factor(found.flatness.sel(how=how), calm, seed=seed) for how in hows]
    named = [each.named("flat") for each in every]
    parts = {name: ("how", [each[name] for each in named]) for name in named[0]}
    return xr.Dataset(parts, {"how": hows})
