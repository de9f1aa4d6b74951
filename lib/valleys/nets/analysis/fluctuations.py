"""Do sharp directions fluctuate less: exponents of variance against flatness, over runs."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.fluctuations import variance_exponents
from valleys.results.estimates import Findings

FOUND = ("measured", "steady", "window", "surrogate")  # ways to find ψ, see `variance_exponents`
EPOCHS, REDRAWN = 0, 1  # places of the two samplings


def exponent_means(psi: xr.Dataset, name: str, *, seed: int = 0) -> xr.Dataset:
    """ψ found in one way, mean over runs as `value`, `low` and `high`, by sampling and window.

    Args:
        psi: what `variance_exponents` gives.
        name: of the way.
        seed: of the bootstrap.
    """
    places = psi[name].transpose("sampling", "window", "realization")
    found = np.empty((3, *places.shape[:2]))
    for i, j in np.ndindex(places.shape[:2]):
        one = statistics.mean(places[i, j].values, np.random.default_rng(seed))
        found[:, i, j] = one.value, one.low, one.high
    parts = zip(("value", "low", "high"), found, strict=True)
    ends = {part: (("sampling", "window"), each) for part, each in parts}
    return xr.Dataset(ends, {"sampling": psi.sampling})


def variance_findings(windows: xr.Dataset, *, seed: int = 0) -> Findings:
    """ψ of σ² ∝ F^(−ψ) in the first and the last window (Feng and Tu 2021); 0 by Eq. 15.

    Args:
        windows: what `fluctuations` gives.
        seed: of the bootstrap.

    Returns:
        psi_WAY_early, psi_WAY_late: in the first window and in the last; the ways are measured,
            steady, window and surrogate, see `variance_exponents`.
        psi_WAY_redrawn: in the last window, batches drawn anew.
        psi_bent: in the last window, against curvature instead of flatness.
        drifting: components of a window that are mostly drift, mean over all windows.
        trend: share of the variance of the first component of the last window that is drift.
    """
    psi = variance_exponents(windows)
    findings: Findings = {"drifting": float(psi.drifting.mean())}
    asked = {"early": (EPOCHS, 0), "late": (EPOCHS, -1), "redrawn": (REDRAWN, -1)}
    for name in FOUND:
        for key, (sampling, window) in asked.items():
            values = psi[name].isel(sampling=sampling, window=window).values
            findings[f"psi_{name}_{key}"] = statistics.mean(values, np.random.default_rng(seed))
    last = {"sampling": EPOCHS, "window": -1}
    first_component = windows.trend.isel(last).isel(component=0)
    findings["psi_bent"] = statistics.mean(psi.bent.isel(last).values, np.random.default_rng(seed))
    findings["trend"] = statistics.mean(first_component.values, np.random.default_rng(seed))
    return findings
