"""What counted escapes at fixed y say about the rates of theory, and about how many hops remain."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import at_fixed_y, freezing


def rate_ratios(landscape: TwoValley, hops: xr.Dataset) -> xr.Dataset:
    """Counted over predicted rate of escape: kramers (Eq. 21) and exact, over (valley, y) [1].

    Args:
        landscape: of the runs.
        hops: of `frozen`, over (y, valley), at one learning rate and effective noise, which are its
            scalar coordinates.
    """
    rates = _rates(landscape, hops)
    ratios = {name: hops.escape_rate / rates[name] for name in ("kramers", "exact")}
    return xr.Dataset(ratios).sel(valley=["sharp", "flat"])


def _rates(landscape: TwoValley, hops: xr.Dataset) -> xr.Dataset:
    setting = float(hops.effective_noise), float(hops.learning_rate)
    return at_fixed_y.rates_by_valley(landscape, hops.y.values, *setting)


def rate_findings(landscape: TwoValley, hops: xr.Dataset) -> Findings:
    """How the rates of escape to the other bottom, and of touching the ridge, fit theory.

    Args:
        landscape: of the runs.
        hops: as for `rate_ratios`, y rising.

    Returns:
        exact_worst and exact_mean, |counted/exact − 1|; kramers_sharp and kramers_flat, counted
        over Eq. 21 at the last y; factor_sharp and factor_flat, the shares √γ/(1 + √γ) and its
        complement of walkers on the ridge that go over; touch and touch_steps, |counted/predicted
        − 1| of touches by Eqs. A19 and A20, and with the overshoot of a step, which is
        overshoot_kicks in standard deviations of a kick; touch_first, the latter over the first
        three y, and touch_last, at the last y in per cent.
    """
    ratios = rate_ratios(landscape, hops)
    root = landscape.flatness_ratio**0.5
    return _touch_findings(hops, _rates(landscape, hops)) | {
        "exact_worst": float(abs(ratios.exact - 1).max()),
        "exact_mean": float(abs(ratios.exact - 1).mean()),
        "kramers_sharp": _last_ratio(hops, ratios.kramers, "sharp"),
        "kramers_flat": _last_ratio(hops, ratios.kramers, "flat"),
        "factor_sharp": root / (1 + root),
        "factor_flat": 1 / (1 + root),
        "overshoot_kicks": at_fixed_y.OVERSHOOT,
    }


def _last_ratio(hops: xr.Dataset, ratios: xr.DataArray, valley: str) -> Estimate:
    last = ratios.isel(y=-1).sel(valley=valley)
    relative = (hops.escape_rate_error / hops.escape_rate).isel(y=-1).sel(valley=valley)
    return Estimate.with_error(last, last * relative)


def _touch_findings(hops: xr.Dataset, rates: xr.Dataset) -> Findings:
    smooth = abs(hops.top_rate / rates.ridge - 1).mean("valley")
    stepwise = abs(hops.top_rate / rates.ridge_in_steps - 1).mean("valley")
    missed = 100 * stepwise.isel(y=-1)
    relative = (hops.top_rate_error / rates.ridge_in_steps).isel(y=-1)
    missed_error = 50 * (relative**2).sum() ** 0.5  # of the mean of two valleys, in per cent
    return {
        "touch": float(smooth.mean()),
        "touch_steps": float(stepwise.mean()),
        "touch_first": float(stepwise.isel(y=slice(3)).mean()),
        "touch_last": Estimate.with_error(missed, missed_error),
    }


def traffic_findings(landscape: TwoValley, hops: xr.Dataset, exact: xr.Dataset) -> Findings:
    """How many hops a run makes while y moves by one, and what odds remain.

    Args:
        landscape: of the runs.
        hops: as for `rate_ratios`, y rising.
        exact: end of the master equation over effective_noise, which rises.

    Returns:
        tau_y, the shortest time in which y moves by one; hops_first, hops in that time at the
        first y, the harmonic mean of both ways; hops_last, those out of the flat valley at the
        last y; odds_low and odds_high, P/(1 − P) at the weakest and the strongest noise.
    """
    slowest = float(freezing.drift_time(landscape, np.linspace(0, 500, 5001)).min())
    pace = hops.escape_rate * slowest
    odds = exact.p_flat / (1 - exact.p_flat)
    return {
        "tau_y": slowest,
        "hops_first": float(2 / (1 / pace.isel(y=0)).sum()),
        "hops_last": float(pace.sel(valley="flat").isel(y=-1)),
        "odds_low": float(odds[0]),
        "odds_high": float(odds[-1]),
    }
