"""The drift along a floor as a power of learning rate and batch size, sparse features, and decays
of the learning rate.
"""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.neighbours import contrasts
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings


def gains(found: xr.Dataset) -> xr.DataArray:
    """ln of flatness at equal loss over that after gradient descent, by setting, start and run."""
    return contrasts.log(found.flatness / found.calm_flatness)


def log_power(noises: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Slope of ln means, (k, …), against ln noises, (k,), least squares; NaN where a mean is not
    above zero.
    """
    x = np.log(noises) - np.log(noises).mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log(np.where(means > 0, means, np.nan))
    return np.tensordot(x, y, axes=1) / (x @ x)


def noise_power(found: xr.Dataset, along: str, *, seed: int = 0) -> Estimate:
    """Power of the noise with which the gain grows, along the learning rate or one over the batch
    size, the other at its noisy end.

    Args:
        found: a grid of `floors` over start.
        along: `rate` or `size`.
        seed: of the resamples.
    """
    rate, size = found.rate.values, found["size"].values
    held = size == size.min() if along == "rate" else rate == rate.max()
    chosen = np.flatnonzero(held)
    every = [contrasts.rows(gains(found).isel(setting=place)) for place in chosen]
    noises = found[along].values[chosen].astype(float) ** (1 if along == "rate" else -1)
    value, drawn = statistics.nested_means(every, np.random.default_rng(seed))
    powers = log_power(noises, drawn)
    return statistics.interval(
        float(log_power(noises, value)), powers[np.isfinite(powers)], [found.sizes["start"]]
    )


def floor_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What noise does to frozen networks.

    Args:
        found: a grid of `floors` over start.
        seed: of the resamples.

    Returns:
        `drift_gain`, flatness after the strongest noise over that after gradient descent, and
        `drift_wall` over the loss between the two; `drift_rate_power` and `drift_size_power`;
        `sparse_long`, active units after the strongest noise over those after gradient descent;
        `decay_sharp`, sharpness after the lowest rate over that after the highest, smallest batch;
        `harvest_loss`.
    """
    strong, weak = found.isel(setting=0), found.isel(setting=-1)
    level = found.attrs["level"]
    return {
        "drift_gain": contrasts.factor(strong.flatness, strong.calm_flatness, seed=seed),
        "drift_rate_power": noise_power(found, "rate", seed=seed),
        "drift_size_power": noise_power(found, "size", seed=seed),
        "drift_wall": contrasts.mean(strong.wall / level, seed=seed),
        "sparse_long": contrasts.factor(strong.active, strong.calm_active, seed=seed),
        "decay_sharp": contrasts.factor(weak.sharpness, strong.sharpness, seed=seed),
        "harvest_loss": statistics.exponential(
            contrasts.mean(contrasts.log(found.harvest), seed=seed)
        ),
    }


def drift(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Mean gain of each setting, with its interval.

    Returns:
        Dimension setting: `gain`, `gain_low`, `gain_high`, with `rate` and `size`, and `noise`,
        the learning rate over the batch size.
    """
    every = [contrasts.mean(each, seed=seed) for each in gains(found).transpose("setting", ...)]
    parts = {
        f"gain{end}": ("setting", [getattr(each, end.lstrip("_") or "value") for each in every])
        for end in ENDS
    }
    whole = xr.Dataset(parts).assign_coords(rate=found.rate, size=found["size"])
    return whole.assign(noise=whole.rate / whole["size"])
