"""Which rule for the noise the walk in steps follows (Eqs. A2 to A6)."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.continuous import RULES, Blurred, stationary_share
from valleys.toy.statistics import in_errors, measured

N_WIDTHS = 30  # of the curves of theory
NARROWEST = 0.005  # of them, in √Δ_S, the width of a hump of the density


def rule_curves(landscape: TwoValley, found: xr.Dataset, y: float, noise: float) -> xr.DataArray:
    """Share without sampling over (rule, width), from next to no blur up to the widest of a result
    of `rules`.
    """
    widths = np.linspace(NARROWEST * noise**0.5, float(found.width.max()), N_WIDTHS)
    shares = [
        [stationary_share(Blurred(landscape, y, noise, width), rule) for width in widths]
        for rule in RULES
    ]
    return xr.DataArray(shares, {"rule": list(RULES), "width": widths}, ("rule", "width"))


def rule_findings(found: xr.Dataset, curves: xr.DataArray, limit: Estimate) -> Findings:
    """How far the two rules lie apart, and how far each is from the limit of the walk in steps.

    Args:
        found: of `rules`, over (rule, width).
        curves: of `rule_curves`.
        limit: share of the walk for ever smaller steps.

    Returns:
        ito and end_point, simulated shares at the narrowest blur; apart, their difference; pull,
        the most that a simulated share is off the one without sampling, in standard errors;
        narrowest, the width; to_ito and to_end_point, the limit minus the share of each rule next
        to no blur.
    """
    sharpest = found.sortby("width").isel(width=0)
    ito, end_point = (measured(sharpest.sel(rule=rule)) for rule in RULES)
    error = float(np.hypot(*sharpest.p_flat_error))
    pulls = in_errors(found.p_flat, found.stationary, found.p_flat_error)
    off = {f"to_{rule}": _less(limit, float(curves.sel(rule=rule)[0])) for rule in RULES}
    return {
        "ito": ito,
        "end_point": end_point,
        "apart": Estimate.with_error(ito.value - end_point.value, error),
        "pull": float(abs(pulls).max()),
        "narrowest": float(sharpest.width),
    } | off


def _less(estimate: Estimate, exactly: float) -> Estimate:
    """An estimate less a number that is known."""
    return Estimate(estimate.value - exactly, estimate.low - exactly, estimate.high - exactly)
