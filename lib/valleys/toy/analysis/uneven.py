"""What becomes of freezing where the ridge rises and falls: the balance of hops (Eq. A26) against
runs.
"""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.experiments.uneven import UnevenSpec
from valleys.toy.statistics import measured
from valleys.toy.theory import at_fixed_y, freezing

N_PLACES = 600  # along y, for the balance
N_DIP = 41  # across a dip


def courses(spec: UnevenSpec, found: xr.Dataset) -> xr.Dataset:
    """Over (ripple, y), to the end of the runs: height, ΔL/D of the sharp valley, and p_flat by
    Eq. A26 with exact rates.

    Args:
        spec: of the runs.
        found: of `uneven` with this spec.
    """
    y = np.linspace(spec.start_y, float(found.end_y.min()), N_PLACES)
    heights, shares = [], []
    for ripple in found.ripple.values:
        landscape = spec.uneven(float(ripple))
        heights.append(at_fixed_y.reduced_barriers(landscape, y, spec.effective_noise)[1] ** 2)
        shares.append(freezing.p_flat_balance(landscape, spec.effective_noise, y))
    dims = ("ripple", "y")
    return xr.Dataset(
        {"height": (dims, np.array(heights)), "p_flat": (dims, np.array(shares))},
        {"ripple": found.ripple.values, "y": y},
    )


def uneven_findings(spec: UnevenSpec, found: xr.Dataset, balanced: xr.Dataset) -> Findings:
    """Does an uneven ridge change how often runs freeze, and where they end?

    Args:
        spec: of the runs.
        found: of `uneven`, the ripple rising from 0.
        balanced: of `courses`.

    Returns:
        even and uneven, final shares without a ripple and with the largest, ripple; gain, their
        difference; freezings_even and freezings_uneven; gap, the most that Eq. A26 is off a final
        share; low_y, the last y with a lowest ridge at which a run still leaves the sharp valley
        with more than an even chance in the half ripple around it, and low_share, the share of a
        steady state there.
    """
    first, last = found.isel(ripple=0), found.isel(ripple=-1)
    even, uneven = measured(first), measured(last)
    error = float(np.hypot(first.p_flat_error, last.p_flat_error))
    low_y = last_low_ridge(spec, float(last.ripple), balanced.y.values)
    steady = at_fixed_y.p_flat_exact(spec.uneven(float(last.ripple)), low_y, spec.effective_noise)
    return {
        "even": even,
        "uneven": uneven,
        "ripple": float(last.ripple),
        "gain": Estimate.with_error(uneven.value - even.value, error),
        "freezings_even": measured(first, "freezings"),
        "freezings_uneven": measured(last, "freezings"),
        "gap": float(abs(balanced.p_flat.isel(y=-1) - found.p_flat).max()),
        "low_y": low_y,
        "low_share": float(steady),
    }


def last_low_ridge(spec: UnevenSpec, ripple: float, y: np.ndarray) -> float:
    """The last y of y at which the ridge is lowest, sin(qy) = −1, and a run leaves the sharp valley
    with more than an even chance in the half ripple around it; NaN if there is none.
    """
    q = spec.wave_number
    lows = np.arange(1.5 * np.pi, q * y[-1], 2 * np.pi) / q
    hot = [low for low in lows if low > y[0] and _hops(spec, ripple, low) > np.log(2)]
    return float(hot[-1]) if hot else float("nan")


def _hops(spec: UnevenSpec, ripple: float, low: float) -> float:
    """Escapes from the sharp valley while y moves through the half ripple around a dip."""
    half, landscape = np.pi / (2 * spec.wave_number), spec.uneven(ripple)
    y = np.linspace(low - half, low + half, N_DIP)
    rates = 1 / at_fixed_y.escape_times_exact(landscape, y, spec.effective_noise)[1]
    return float(np.trapezoid(rates * freezing.drift_time(landscape, y), y))
