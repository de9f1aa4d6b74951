"""What noise with another power p of the Hessian prefers, at fixed y and in runs that freeze."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import mean_with_error, measured
from valleys.toy.theory import at_fixed_y, chain

WAY = np.geomspace(1.0, 60.0, 200)  # along y, from where runs begin to where none hops
EARLY_TO_LATE = ("early", "middle", "late")
FIXED = {"none": 0.0, "one": 1.0, "two": 2.0, "less": -1.0}  # powers that are told at fixed y
FREE = {"none": 0.0, "half": 0.5, "one": 1.0, "two": 2.0}  # and of runs that move


def law_findings(
    landscape: TwoValley,
    fixed: xr.Dataset,
    lines: xr.DataArray,
    noise: float,
) -> Findings:
    """The share of the flat valley at fixed y for each power, and where preference turns round.

    Args:
        landscape: of the runs.
        fixed: of `fixed_powers`, over (learning_rate, y, power), three y, all rising.
        lines: shares of small steps over (y, power), for interpolation.
        noise: effective noise.

    Returns:
        For early, middle and late y: `_none`, `_one`, `_two`, `_less`, shares for p = 0, 1, 2, −1
        at the smallest learning rate; `_large`, for p = 0 at the largest; turn_early and so on, the
        p at which both valleys hold one half; boltzmann, √γ/(1 + √γ); fixed_off, |share − line| at
        the smallest learning rate, mean, and fixed_lowest, the smallest share there for p ≥ 0.
    """
    small, large = fixed.isel(learning_rate=0), fixed.isel(learning_rate=-1)
    off = small.p_flat - lines.interp(power=small.power)
    findings: Findings = {
        "boltzmann": float(at_fixed_y.p_flat_boltzmann(landscape)),
        "fixed_off": float(abs(off).mean()),
        "fixed_lowest": float(small.sel(power=slice(0, None)).p_flat.min()),
    }
    for place, label in enumerate(EARLY_TO_LATE):
        here = small.isel(y=place)
        shares = {name: measured(here.sel(power=power)) for name, power in FIXED.items()}
        shares["large"] = measured(large.isel(y=place).sel(power=0.0))
        findings |= {f"{label}_{name}": share for name, share in shares.items()}
        findings[f"turn_{label}"] = float(chain.reversal(landscape, float(here.y), noise))
    return findings


def final_shares(landscape: TwoValley, noises: list[float], powers: np.ndarray) -> xr.DataArray:
    """Final shares of the flat valley by the balance of hops, over (effective_noise, power)."""
    shares = [[_final(landscape, noise, power) for power in powers] for noise in noises]
    return xr.DataArray(shares, {"effective_noise": noises, "power": powers})


def _final(
    landscape: TwoValley,
    noise: float,
    power: float,
    start: list[float] | None = None,
) -> float:
    return float(chain.balance(landscape, noise, WAY, start, power)[1, -1])


def final_findings(moving: xr.Dataset, lines: xr.DataArray) -> Findings:
    """The final share of the flat valley for each power, and what noise adds to it.

    Args:
        moving: of `powers`, over (learning_rate, effective_noise, power), all rising, three noises.
        lines: of `final_shares`.

    Returns:
        diverged, the largest share of runs that left; least, the smallest share of the flat valley;
        coarse_low, the smallest one for the lowest power at the largest learning rate. At the
        smallest learning rate: end_none, the share for the lowest power, mean over the noises;
        end_one and end_two, that for p = 1 and 2 at the middle noise; gain_none, gain_half,
        gain_one, gain_two: the strongest minus the weakest noise for the power next to 0, ½, 1, 2;
        final_gap and final_worst, |share − line|, mean and largest; steps from one power to the
        next, over all noises, and rising, how many do not lower the share by two standard errors.
    """
    quiet = moving.isel(learning_rate=0)
    lowest = quiet.isel(power=0)
    middle = quiet.isel(effective_noise=1)
    gap = quiet.p_flat - lines.interp(power=quiet.power)
    return (
        _steps(quiet)
        | _gains(quiet)
        | {
            "diverged": moving.diverged.max().item(),
            "least": float(moving.p_flat.min()),
            "coarse_low": float(moving.isel(learning_rate=-1, power=0).p_flat.min()),
            "end_none": Estimate.with_error(*mean_with_error(lowest.p_flat, lowest.p_flat_error)),
            "end_one": measured(middle.sel(power=1.0)),
            "end_two": measured(middle.sel(power=2.0)),
            "final_gap": float(abs(gap).mean()),
            "final_worst": float(abs(gap).max()),
        }
    )


def _steps(quiet: xr.Dataset) -> Findings:
    errors = quiet.p_flat_error.values
    steps, jumps = np.diff(quiet.p_flat.values), np.hypot(errors[:, 1:], errors[:, :-1])
    return {"steps": steps.size, "rising": int((steps > -2 * jumps).sum())}


def gains(quiet: xr.Dataset) -> xr.Dataset:
    """p_flat at the strongest minus that at the weakest noise, with p_flat_error, over power."""
    weak, strong = quiet.isel(effective_noise=0), quiet.isel(effective_noise=-1)
    error = np.hypot(weak.p_flat_error, strong.p_flat_error)
    return xr.Dataset({"p_flat": strong.p_flat - weak.p_flat, "p_flat_error": error})


def _gains(quiet: xr.Dataset) -> Findings:
    gain = gains(quiet)
    places = {name: int(abs(quiet.power.values - power).argmin()) for name, power in FREE.items()}
    return {f"gain_{name}": measured(gain.isel(power=place)) for name, place in places.items()}


def memory_findings(landscape: TwoValley, noise: float) -> Findings:
    """What a final share still owes to the start: memory, the largest difference that it makes by
    the balance of hops in which valley runs begin, for p = 0, 1 and 2.
    """
    sides = ([1.0, 0.0], [0.0, 1.0])
    ends = [[_final(landscape, noise, p, side) for side in sides] for p in (0.0, 1.0, 2.0)]
    return {"memory": float(np.ptp(ends, axis=1).max())}
