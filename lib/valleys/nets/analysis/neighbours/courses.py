"""The break-even point and sparse features: what a larger learning rate or a smaller batch does to
the highest curvature along training, to the scatter of gradients, and to features at equal loss.
"""

import xarray as xr

from valleys.nets.analysis.neighbours import contrasts
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

LATER = 0.5  # ηt after which the steep start is behind
NEAR = 0.9  # share of the highest sharpness at which its rise counts as over
OTHER = {"learning_rate": "batch_size", "batch_size": "learning_rate"}


def rise_ends(found: xr.Dataset) -> xr.DataArray:
    """Time ηt at which sharpness is first near its highest of the run."""
    near = found.sharpness >= NEAR * found.sharpness.max("look")
    return found.time.isel(look=near.argmax("look"))


def noisy_over_calm(
    values: xr.DataArray, along: str, *, seed: int = 0, by_means: bool = False
) -> Estimate:
    """A factor from the quiet end of an axis to the noisy one: the largest over the smallest
    learning rate, or the smallest over the largest batch; geometric means over the other axis.

    Args:
        values: over start, run, learning_rate and batch_size.
        along: `learning_rate` or `batch_size`.
        seed: of the resamples.
        by_means: whether means are compared, as values may be nothing, and not geometric means.
    """
    ends = [float(values[along].min()), float(values[along].max())]
    noisy, quiet = ends[::-1] if along == "learning_rate" else ends
    both = [values.sel({along: end}) for end in (noisy, quiet)]
    if by_means:
        return contrasts.ratio(*(each.mean(OTHER[along]) for each in both), seed=seed)
    means = (contrasts.geometric_mean(each, OTHER[along]) for each in both)
    return contrasts.factor(*means, seed=seed)


def course_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What the learning rate and the batch size do to runs on their way.

    Args:
        found: a grid of `courses` over start, learning_rate and batch_size.
        seed: of the resamples.

    Returns:
        Factors, the largest over the smallest rate as `rate` and the smallest over the largest
        batch as `size`: `break_rate_sharp` and `break_size_sharp` of the highest sharpness,
        `break_rate_later` and `break_size_later` of the highest after the steep start,
        `break_rate_noise` and `break_size_noise` of the highest noise, `break_rate_early` and
        `break_size_early` of the time at which the rise of sharpness ends; by rate alone
        `break_rate_even` of the evenness, `sparse_active` and `sparse_rank` at the level.
    """
    peaks = {"sharp": found.sharpness.max("look"), "noise": found.noise.max("look")}
    told: Findings = {}
    later = found.sharpness.where(found.time >= LATER).max("look")
    for short, along in (("rate", "learning_rate"), ("size", "batch_size")):
        for name, each in peaks.items():
            told[f"break_{short}_{name}"] = noisy_over_calm(each, along, seed=seed)
        ends = rise_ends(found)
        told[f"break_{short}_early"] = noisy_over_calm(ends, along, seed=seed, by_means=True)
        told[f"break_{short}_later"] = noisy_over_calm(later, along, seed=seed)
    even = contrasts.geometric_mean(found.evenness, "look")
    by_rate = {"break_rate_even": even, "sparse_active": found.active, "sparse_rank": found["rank"]}
    for name, each in by_rate.items():
        told[name] = noisy_over_calm(each, "learning_rate", seed=seed)
    return told


def sharpness_courses(found: xr.Dataset) -> xr.Dataset:
    """Sharpness along time, geometric mean over starts, runs and batch sizes, by learning rate.

    Returns:
        Dimensions learning_rate and look: `sharpness`, and `time` [ηt].
    """
    over = ["start", "run", "batch_size"]
    sharp = contrasts.geometric_mean(found.sharpness, over)
    return xr.Dataset({"sharpness": sharp, "time": found.time.mean(over[::2])})
