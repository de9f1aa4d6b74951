"""Do the steps of a walk bounce, at what height, and how far do they lead?"""

from functools import partial

import numpy as np
import xarray as xr

from valleys.nets.analysis.walk.compared import (
    Compared,
    Place,
    mean_before_freezing,
    places_of,
    ratio_before_freezing,
)
from valleys.nets.analysis.walk.courses import estimate_of, ratio_of, until_freezing
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

HALF = 0.5  # of the steps or lines: more than these are most
FIRST, JUST_BEFORE, LAST = 0, 2, 5  # places among the six multiples of the freezing time


def line_findings(found: xr.Dataset, example: Place, *, seed: int = 0) -> Findings:
    """How deep the line of a step sags in the middle.

    Returns:
        sag_noisy: sag over the mean loss of the steps, before freezing, in the example [%].
    """
    sag = 100 * until_freezing(found.sel(example), "relative_sag")
    return {"sag_noisy": estimate_of(sag, seed=seed)}


def bouncing_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """How many steps have a floor on their line, with noise and without (Xing et al. 2018).

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        share_noisy, share_by_time: share of the steps before freezing in the noisy example, where
            windows count alike, and by their time.
        share_late: the same share in its last window.
        share_lowest: the lowest share before freezing of all settings with mini-batches.
        most: settings whose share lies above one half with its interval.
        gd_fast, gd_slow: share before freezing of gradient descent, one run, at the largest and
            the smallest learning rate.
        gd_cosine_fast, gd_cosine_slow, gd_cosine_by_time: cosine of its successive updates; the
            last one at the largest learning rate, where windows count by their time.
    """
    share = partial(mean_before_freezing, found, "slope_share", seed=seed)
    every = [share(place) for place in places_of(found)]
    late = found.slope_share.sel(compared.example).isel(window=-1)
    noisy: Findings = {
        "most": sum(one.value > HALF and not one.low <= HALF for one in every),
        "share_noisy": share(compared.example),
        "share_by_time": share(compared.example, by_time=True),
        "share_late": estimate_of(late, seed=seed),
        "share_lowest": min(map(share, compared.mini_batches(found)), key=lambda one: one.value),
    }
    return noisy | _without_noise(found, compared)


def _without_noise(found: xr.Dataset, compared: Compared) -> Findings:
    mean = partial(mean_before_freezing, found)
    findings: Findings = {}
    for name, place in (("fast", compared.descent), ("slow", compared.crawl)):
        findings[f"gd_{name}"] = mean("slope_share", place).value
        findings[f"gd_cosine_{name}"] = mean("cosine", place).value
    findings["gd_cosine_by_time"] = mean("cosine", compared.descent, by_time=True).value
    return findings


def convexity_findings(found: xr.Dataset, example: Place, *, seed: int = 0) -> Findings:
    """How many lines between steps are convex, before freezing.

    Returns:
        convex: share of the lines in the example.
        convex_most: settings in which it is above one half.
        convex_low: the lowest share of all settings, and `convex_b` and `convex_eta`, where it is.
    """
    share = partial(mean_before_freezing, found, "convex_share", seed=seed)
    places = places_of(found)
    values = [share(place).value for place in places]
    lowest = int(np.argmin(values))
    return {
        "convex": share(example),
        "convex_most": sum(value > HALF for value in values),
        "convex_low": values[lowest],
        "convex_b": places[lowest]["batch_size"],
        "convex_eta": places[lowest]["learning_rate"],
    }


def cosine_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """Which parts of the cosine of successive updates the landscape and the sampling make.

    At fixed weights batches drawn without replacement give the cosine −B/(M − B) to their
    deviations from the full gradient, whatever the landscape.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        cosine, landscape: the cosine before freezing in the noisy example, and the landscape's
            part.
        sampling: the part of sampling, with the largest mini-batch at the same learning rate.
        deviating: share of the deviations in u² there, 1 − landscape's part + 2 · bowl's cosine.
        sampling_fixed: what the part of sampling would be at fixed weights.
    """
    mean = partial(mean_before_freezing, found, seed=seed)
    calm = {**compared.example, "batch_size": compared.calm}
    deviating = 1 - mean("landscape_cosine", calm).value + 2 * mean("bowl_cosine", calm).value
    return {
        "cosine": mean("cosine", compared.example),
        "landscape": mean("landscape_cosine", compared.example),
        "sampling": mean("sampling_cosine", calm),
        "deviating": deviating,
        "sampling_fixed": -deviating * compared.calm / (compared.whole - compared.calm),
    }


def law_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """The landscape's cosine over −ηκ/2, that of a walk that has settled in a bowl.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        law, law_by_time: ratio of the means before freezing in the noisy example, where windows
            count alike, and by their time.
        law_low, law_high: ends of the first over all settings with mini-batches.
        batches: number of these.
    """
    noisy = compared.mini_batches(found)
    laws = [_law(found, place).value for place in noisy]
    return {
        "law": _law(found, compared.example, seed=seed),
        "law_by_time": _law(found, compared.example, by_time=True, seed=seed),
        "law_low": min(laws),
        "law_high": max(laws),
        "batches": len(noisy),
    }


def _law(found: xr.Dataset, place: Place, *, by_time: bool = False, seed: int = 0) -> Estimate:
    one, names = found.sel(place), ("landscape_cosine", "bowl_cosine")
    return ratio_of(*(until_freezing(one, name, by_time=by_time) for name in names), seed=seed)


def height_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """By which factor the height of the mean step changes with the learning rate and batch size.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        sag_rate, sag_size: of the sag before freezing, the largest learning rate over the smallest
            at the largest mini-batch, and the smallest batch over the largest mini-batch at the
            learning rate of the example.
        relative_sag_rate, relative_sag_size: of its share of the loss.
        by_time_rate, by_time_size: of that share where windows count by their time.
    """
    ratio = partial(ratio_before_freezing, found, seed=seed)
    pairs = {"rate": compared.rates, "size": compared.sizes(compared.example["learning_rate"])}
    findings: Findings = {}
    for kind, pair in pairs.items():
        findings[f"sag_{kind}"] = ratio("sag", pair)
        findings[f"relative_sag_{kind}"] = ratio("relative_sag", pair)
        findings[f"by_time_{kind}"] = ratio("relative_sag", pair, by_time=True)
    return findings


def size_factors(
    found: xr.Dataset, name: str, compared: Compared, *, seed: int = 0
) -> list[Estimate]:
    """A mean before freezing, smallest over largest mini-batch, at each learning rate, rising."""
    rates = sorted(found.learning_rate.values.tolist())
    return [ratio_before_freezing(found, name, compared.sizes(rate), seed=seed) for rate in rates]


def role_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """What the batch size does to the bounce; the factors are those of `size_factors`.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        roles_slow, roles_fast: of the sag over the loss, at the smallest and the largest learning
            rate.
        roles_within: learning rates at which that factor lies between ½ and 2.
        turns_slow, turns_fast: of the landscape's part of the cosine.
        curved_slow, curved_fast: of the curvature along the steps.
    """
    factors = partial(size_factors, found, compared=compared, seed=seed)
    roles, turns, curved = map(factors, ("relative_sag", "landscape_cosine", "curvature"))
    return {
        "roles_slow": roles[0],
        "roles_fast": roles[-1],
        "roles_within": sum(0.5 <= one.value <= 2 for one in roles),
        "turns_slow": turns[0],
        "turns_fast": turns[-1],
        "curved_slow": curved[0],
        "curved_fast": curved[-1],
    }


def kept_findings(found: xr.Dataset, example: Place, *, seed: int = 0) -> Findings:
    """Whether a setting keeps its height as it freezes, and how much of its loss is bounce.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate, at six multiples of the
            freezing time.
        example: the setting.
        seed: of the bootstrap.

    Returns:
        held, kept: sag over the loss just before freezing over that at the first multiple, and at
            the last multiple over that just before freezing.
        fallen: loss at the first multiple over that just before freezing.
        bounced, bounced_by_time: loss above the bottom of a bowl, sag over minus the landscape's
            cosine, before freezing [% of the loss].
    """
    one = found.sel(example)
    early, just = one.isel(multiple=FIRST), one.isel(multiple=JUST_BEFORE)
    late = one.isel(multiple=LAST)
    return {
        "held": ratio_of(just.near_relative_sag, early.near_relative_sag, seed=seed),
        "kept": ratio_of(late.near_relative_sag, just.near_relative_sag, seed=seed),
        "fallen": ratio_of(early.near_loss, just.near_loss, seed=seed),
        "bounced": _bounced(one, by_time=False, seed=seed),
        "bounced_by_time": _bounced(one, by_time=True, seed=seed),
    }


def _bounced(one: xr.Dataset, *, by_time: bool, seed: int) -> Estimate:
    names = ("relative_sag", "landscape_cosine")
    sag, cosine = (until_freezing(one, name, by_time=by_time) for name in names)
    return estimate_of(100 * sag / -cosine, seed=seed)


def distance_findings(found: xr.Dataset, compared: Compared, *, seed: int = 0) -> Findings:
    """How far from their start runs end.

    Args:
        found: what `with_sags` gives, by batch_size and learning_rate.
        compared: the settings.
        seed: of the bootstrap.

    Returns:
        far, crawled: distance of the noisy example and of gradient descent with the smallest steps.
        far_rate: largest over smallest learning rate, at the largest mini-batch.
        far_size: smallest batch over gradient descent, at the learning rate of the example.
        grown: end of the example over its distance just before it froze.
    """
    end, example = found.distance.isel(window=-1), compared.example
    wild, descent = ({**example, "batch_size": size} for size in (compared.wild, compared.whole))
    fast, slow = compared.rates
    frozen = found.near_distance.sel(example).isel(multiple=JUST_BEFORE)
    return {
        "far": estimate_of(end.sel(example), seed=seed),
        "crawled": float(end.sel(compared.crawl).isel(realization=0)),
        "far_rate": ratio_of(end.sel(fast), end.sel(slow), seed=seed),
        "far_size": ratio_of(end.sel(wild), end.sel(descent), seed=seed),
        "grown": ratio_of(end.sel(example), frozen, seed=seed),
    }
