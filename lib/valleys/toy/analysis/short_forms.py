"""How far the paper's shortened formulas of the flat share are from the exact one: the last line of
Eq. 22, and Eq. 24, which is this line at the freezing point.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from valleys.results.estimates import Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import at_fixed_y, freezing

EXACT = "exact, small steps"
LAST_LINE = "Eq. 22, last line"
AT_CROSSING = "Eq. 24 at the mean last crossing"


def shares_along_y(landscape: TwoValley, y: ArrayLike, effective_noise: float) -> xr.Dataset:
    """Flat share at fixed y, over y: exact for small steps, by Eq. 22 and by its last line."""
    formulas = {
        EXACT: at_fixed_y.p_flat_exact,
        "Eq. 22": at_fixed_y.p_flat_kramers,
        LAST_LINE: at_fixed_y.p_flat_asymptotic,
    }
    shares = {name: ("y", form(landscape, y, effective_noise)) for name, form in formulas.items()}
    return xr.Dataset(shares, {"y": np.asarray(y), "effective_noise": effective_noise})


def final_shares(landscape: TwoValley, exact: xr.Dataset, epsilon: float) -> xr.Dataset:
    """Final share by Eq. 24, over effective_noise, at two freezing points.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise, which has freezing_y.
        epsilon: of Eq. 25, with which Eq. 24 is Eq. 26.
    """
    noise = exact.effective_noise.values
    places = {
        AT_CROSSING: exact.freezing_y.values,
        f"Eq. 24 at Eq. 25, ε = {epsilon:g}": freezing.freezing_y(landscape, noise, epsilon),
    }
    shares = {
        name: ("effective_noise", freezing.p_flat_at_freezing(landscape, noise, y))
        for name, y in places.items()
    }
    return xr.Dataset(shares, {"effective_noise": noise})


def short_form_findings(curves: xr.Dataset, finals: xr.Dataset, exact: xr.Dataset) -> Findings:
    """What the short forms miss.

    Args:
        curves: of `shares_along_y`.
        finals: of `final_shares`.
        exact: end of the master equation over the same noises.

    Returns:
        short_gap, the most that the last line of Eq. 22 lies below the exact share; short_odds_min
        and short_odds_max, exact odds over those of the last line; frozen_early, the most that
        Eq. 24 at the mean last crossing lies below the final share, and frozen_late, the most that
        it lies above it at Eq. 25.
    """
    odds = {name: curves[name] / (1 - curves[name]) for name in (EXACT, LAST_LINE)}
    ratio = odds[EXACT] / odds[LAST_LINE]
    off = {name: share - exact.p_flat.values for name, share in finals.items()}
    early = off.pop(AT_CROSSING)
    (late,) = off.values()
    return {
        "short_gap": float((curves[EXACT] - curves[LAST_LINE]).max()),
        "short_odds_min": float(ratio.min()),
        "short_odds_max": float(ratio.max()),
        "frozen_early": float(-early.min()),
        "frozen_late": float(late.max()),
    }
