"""How much of the flat share noise buys in a window of y, before, across and after freezing."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.statistics import in_errors
from valleys.toy.theory.schedules import log_odds

CURVED, UNIFORM = "hessian", "isotropic"


def bought(found: xr.Dataset) -> xr.DataArray:
    """Gain in log odds of each window over that of noise throughout, by exact rates and for noise
    that follows the curvature, (window).
    """
    gain = log_odds(found.by_rates.sel(noise=CURVED).values)
    return xr.DataArray(gain, {"window": found.window}, ("window",)) / gain[0]


def window_findings(found: xr.Dataset) -> Findings:
    """When noise works in the model.

    Args:
        found: of `windows_of_y`.

    Returns:
        freezing_y and noise; bought_W, see `bought`, and share_W, the flat share by exact rates,
        for W of before, first, second, across, after, until, from, all; runs_W and uniform_runs_W,
        those of runs; uniform, the flat share of uniform noise throughout by rates; forgotten, what
        is left at the end of the window before freezing of what was at its beginning, and
        remembered, the same after freezing; small_gap, the largest distance between rates and the
        limit of small steps; late_best and late_best_noise, the highest flat share that another
        noise in the last window leaves to runs that begin it with half, and that noise over the
        first; late_strong, what the strongest noise leaves to runs that begin it flat, and
        late_uniform, the same of uniform noise.
    """
    shares = found.by_rates.sel(noise=CURVED)
    told: Findings = {
        "freezing_y": float(found.freezing_y),
        "noise": float(found.late_noise[0]),
        "uniform": float(found.by_rates.sel(noise=UNIFORM)[0]),
        "small_gap": float(np.abs(found.small_steps - shares).max()),
    }
    for window, part in zip(found.window.values, bought(found).values, strict=True):
        name = "all" if window == "throughout" else str(window).split()[0]
        told[f"bought_{name}"] = float(part)
        told[f"share_{name}"] = float(shares.sel(window=window))
        for noise, prefix in ((CURVED, "runs"), (UNIFORM, "uniform_runs")):
            cell = found.sel(noise=noise, window=window)
            told[f"{prefix}_{name}"] = Estimate.with_error(cell.p_flat, cell.p_flat_error)
    kept = found.kept.sel(noise=CURVED)
    told["forgotten"] = float(kept.sel(window="before"))
    told["remembered"] = float(kept.sel(window="after"))
    return told | _late(found)


def _late(found: xr.Dataset) -> Findings:
    curved, uniform = (found.sel(noise=noise) for noise in (CURVED, UNIFORM))
    top = int(curved.late_from_half.values.argmax())
    return {
        "late_best": float(curved.late_from_half[top]),
        "late_best_noise": float(curved.late_noise[top] / curved.late_noise[0]),
        "late_strong": float(curved.late_from_flat[-1]),
        "late_uniform": float(uniform.late_from_flat[-1]),
    }


def pulls(found: xr.Dataset) -> xr.DataArray:
    """Distance of the runs from the exact rates in standard errors, (noise, window)."""
    return in_errors(found.p_flat, found.by_rates, found.p_flat_error)
