"""Anomalous diffusion: with which power of the time copies move away and apart; and what averages
of weights are worth before freezing and after.
"""

import numpy as np
import xarray as xr

from valleys.nets.analysis.neighbours import contrasts
from valleys.results.estimates import Findings

WHEN = ("before", "after")  # the first moment, and the last


def exponent(lags: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Power of the lag with which mean squares grow, (…), least squares in logarithms, from (…, k)
    each: 2 along a straight line, 1 of a random walk, 0 where it stays within bounds.
    """
    x = np.log(lags) - np.log(lags).mean(axis=-1, keepdims=True)
    return (x * np.log(squares)).sum(axis=-1) / (x**2).sum(axis=-1)


def exponents(found: xr.Dataset, name: str) -> xr.DataArray:
    """The power of `moved` or `apart`, over start, moment and run."""
    return xr.apply_ufunc(
        exponent, found.lag.astype(float), found[name], input_core_dims=[["look"], ["look"]]
    )


def cloud_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How copies of a network spread from the first moment and from the last, `before` and
    `after`.

    Args:
        found: a grid of `clouds` over start.
        seed: of the resamples.

    Returns:
        `msd_before`, `cloud_before` and so on, powers of the mean square displacement and of the
        mean square distance from the mean of the copies; of averages over last weights
        `average_loss_before`, a factor, `average_gain_before` [percentage points] and
        `average_flat_before`, a factor at equal loss.
    """
    told: Findings = {}
    for place, when in ((0, WHEN[0]), (-1, WHEN[1])):
        here = found.isel(moment=place)
        for short, name in (("msd", "moved"), ("cloud", "apart")):
            told[f"{short}_{when}"] = contrasts.mean(exponents(here, name), seed=seed)
        for short, name in (("loss", "loss"), ("flat", "flatness")):
            both = (here[f"{kind}_{name}"] for kind in ("average", "last"))
            told[f"average_{short}_{when}"] = contrasts.factor(*both, seed=seed)
        right = (100 * here[f"{kind}_accuracy"] for kind in ("average", "last"))
        told[f"average_gain_{when}"] = contrasts.difference(*right, seed=seed)
    return told


def spreading(found: xr.Dataset) -> xr.Dataset:
    """Mean squares against the lag, both over those of the first look, geometric means over starts
    and runs.

    Returns:
        Dimensions moment and look: `moved` and `apart`; `lag` over look, as a share of the window.
    """
    over = ["start", "run"]
    parts = {
        name: contrasts.geometric_mean(found[name] / found[name].isel(look=0), over)
        for name in ("moved", "apart")
    }
    return xr.Dataset(parts).assign(lag=contrasts.geometric_mean(found.lag, "start"))
