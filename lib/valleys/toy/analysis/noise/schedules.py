"""What the best noise schedule of the two-valley model is, how much it gains, and whether runs bear
it out.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.polynomial import Polynomial

from valleys.results.estimates import Estimate, Findings
from valleys.toy.experiments.schedules import BEST
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import in_errors
from valleys.toy.theory.exchange import stationary_share
from valleys.toy.theory.schedules import log_odds

PLACES = ("short", "middle", "long")  # of the durations that are looked at closely
EARLY = 1.0  # time up to which the start decides
SETTLED = 2.0  # time from which the best noise has a smooth course
ORDER = 2  # of the polynomial in √η that goes to small steps


def odds(p_flat: xr.DataArray) -> xr.DataArray:
    """P/(1 − P)."""
    return p_flat / (1 - p_flat)


def course(landscape: TwoValley, found: xr.Dataset) -> xr.Dataset:
    """The best schedule of one duration, and the law for high ridges.

    The right side of the theorem is largest where the ridge stands at z² = ln O/(γ − 1) over the
    noise in the sharp valley, with O the present odds: there the stationary odds are γ times O.
    Along it O = [2 γ^{−½}/(√π (1 + √γ)) ∫ z dt/f2]^{γ−1}.

    Args:
        landscape: of the study.
        found: of `schedules`, one duration.

    Returns:
        Over time: noise and law, Δ_S; y; ridge, ΔL f2/2, at which Δ_S the ridge is as high as the
        noise; odds and law_odds; aim, stationary odds over the present ones, for high ridges γ.
    """
    best, gamma = found.sel(schedule=BEST), landscape.flatness_ratio
    time, borders = best.time.values, odds(best.p_flat).values
    middle = np.sqrt(borders[1:] * borders[:-1])
    sharp = landscape.flatness(best.y.values)[1]
    height = landscape.x2**2 * best.opening.values / 2
    law_z = np.sqrt(np.log(middle) / (gamma - 1))
    rate = 2 * gamma**-0.5 / (np.pi**0.5 * (1 + gamma**0.5))
    z = np.sqrt(height / best.noise.values)
    share = stationary_log_odds(landscape, z)
    values = {
        "noise": best.noise.values,
        "law": height / law_z**2,
        "y": best.y.values,
        "ridge": height,
        "odds": middle,
        "law_odds": (rate * np.cumsum(law_z * np.diff(time) / sharp)) ** (gamma - 1),
        "aim": np.exp(share) / middle,
    }
    middles = (time[1:] + time[:-1]) / 2
    over_time = {name: ("time", each) for name, each in values.items()}
    return xr.Dataset(over_time, {"time": middles}).sel(time=slice(EARLY, None))


def stationary_log_odds(landscape: TwoValley, z: np.ndarray) -> np.ndarray:
    """ln of the odds of the Itô process at fixed y, at z = √(ΔL/D) of the sharp valley."""
    gamma = landscape.flatness_ratio
    return log_odds(stationary_share(gamma, np.sqrt(gamma) * z, 1.0, z))


def best_findings(landscape: TwoValley, found: xr.Dataset, checked: Sequence[float]) -> Findings:
    """The best schedule, by four ways to look for a better one, and its law.

    Args:
        landscape: of the study.
        found: of `schedules` over duration, rising.
        checked: three of the durations, rising.

    Returns:
        For each of the checked durations, by the names in `PLACES`: `time_short`; `best_short`,
        P_flat at its end; `odds_short`; `descent_short`, P_flat by the best descent.
        descent_gap, the largest distance of the best descent from the best, over all durations, and
        descent_over, by how much one ends above it at most, below 0 where none does; changes, worse
        and not_worse, how many random changes there are, and how many end lower or do not;
        slope, of ln odds by ln T between the last two durations, power, γ − 1, which theory has for
        high ridges, and slope_off, their distance. Of the longest: law_gap, the largest distance of
        the noise from its law, as a part, from `SETTLED` on, and odds_law_gap, that of the odds at
        the end; low and low_time, the smallest noise and when; high, the noise at the end;
        ridge_growth and noise_growth, by which factors ridge and noise grow from there to the end;
        aim_end, see `course`.
    """
    ends = found.p_flat.sel(schedule=BEST).isel(border=-1)
    descended = found.descended - ends
    grown = np.diff(log_odds(ends.values)) / np.diff(np.log(ends.duration.values))
    told: Findings = {
        "descent_gap": float(np.abs(descended.max("guess")).max()),
        "descent_over": float(descended.max()),
        "changes": int(found.changed.size),
        "worse": int((found.changed < ends).sum()),
        "not_worse": int((found.changed >= ends).sum()),
        "power": landscape.flatness_ratio - 1,
        "slope": float(grown[-1]),
        "slope_off": abs(float(grown[-1]) - (landscape.flatness_ratio - 1)),
    }
    for place, duration in zip(PLACES, checked, strict=True):
        end = ends.sel(duration=duration)
        told[f"time_{place}"] = float(duration)
        told[f"best_{place}"] = float(end)
        told[f"odds_{place}"] = float(odds(end))
        told[f"descent_{place}"] = float(found.descended.sel(duration=duration).max())
    return told | _law(course(landscape, found.isel(duration=-1)))


def _law(way: xr.Dataset) -> Findings:
    settled = way.sel(time=slice(SETTLED, None))
    low, end = settled.isel(time=int(settled.noise.values.argmin())), settled.isel(time=-1)
    return {
        "law_gap": float(np.abs(settled.law / settled.noise - 1).max()),
        "odds_law_gap": float(np.abs(end.law_odds / end.odds - 1)),
        "low": float(low.noise),
        "low_time": float(low.time),
        "high": float(end.noise),
        "ridge_growth": float(end.ridge / low.ridge),
        "noise_growth": float(end.noise / low.noise),
        "aim_end": float(end.aim),
    }


def missed(found: xr.Dataset) -> xr.DataArray:
    """Share of the sharp valley at the end over that of the best schedule, (duration, schedule)."""
    wrong = 1 - found.p_flat.isel(border=-1)
    return (wrong / wrong.sel(schedule=BEST)).transpose("duration", "schedule")


def shape_findings(found: xr.Dataset, checked: Sequence[float]) -> Findings:
    """How schedules of one line do, each at its best amplitude.

    Args:
        found: of `schedules` over duration, rising.
        checked: three of the durations, rising.

    Returns:
        For each checked duration, by the names in `PLACES`: the share of the sharp valley over that
        of the best schedule, `constant_short` and so on for each schedule, by the last word of its
        name; rise_over_fall_short, odds of the linear rise over those of the linear fall, and
        rise_over_constant_short. worst_fall, in how many durations a linear fall ends below a
        constant noise, of `durations`; step_gain, the largest factor in odds by which a step down
        is better than a constant noise; kramers, the factor in the share of the sharp valley at the
        shortest where the best noise is sought with Eq. 21, and passage, with passage times.
    """
    over, ends = missed(found), odds(found.p_flat.isel(border=-1))
    of = {str(name): ends.sel(schedule=name) for name in ends.schedule.values}
    told: Findings = {
        "durations": found.sizes["duration"],
        "worst_fall": int((of["linear fall"] < of["constant"]).sum()),
        "step_gain": float((of["step"] / of["constant"]).max()),
    }
    for place, duration in zip(PLACES, checked, strict=True):
        here = {name: each.sel(duration=duration) for name, each in of.items()}
        rise = here["linear rise"]
        told[f"rise_over_fall_{place}"] = float(rise / here["linear fall"])
        told[f"rise_over_constant_{place}"] = float(rise / here["constant"])
        for name in list(of)[1:]:
            factor = over.sel(duration=duration, schedule=name)
            told[f"{name.split()[-1]}_{place}"] = float(factor)
    first = found.sel(duration=checked[0])
    wrong = (1 - first.by_rates) / (1 - first.p_flat.sel(schedule=BEST).isel(border=-1))
    return told | {str(name): float(wrong.sel(rates=name)) for name in wrong.rates.values}


def limit_of_small_steps(rates: np.ndarray, ends: np.ndarray) -> float:
    """A share at step 0, of a polynomial of order `ORDER` or less in √η through all rates."""
    order = min(ORDER, rates.size - 1)
    line = Polynomial.fit(np.sqrt(rates), log_odds(ends), order)
    return float(1 / (1 + np.exp(-line(0.0))))


def limit_findings(
    found: xr.Dataset, small: xr.Dataset, stepped: xr.Dataset, runs: xr.Dataset
) -> Findings:
    """Whether the best schedule is as good without rates, and in steps.

    Args:
        found: of `schedules` over duration.
        small: of `small_steps` over (duration, schedule).
        stepped: of the master equation over (schedule, learning_rate), falling rates, of the
            shortest duration of `small`.
        runs: over (duration, learning_rate), falling rates, and record.

    Returns:
        For each duration of `small`, by the names in `PLACES`: `small_short`, P_flat of the best
        schedule without rates, and `runs_short`, that of runs at the smallest rate; small_gap, the
        largest distance of the first from theory over schedules and durations; step_gap, of the
        master equation at the smallest rate from theory, and step_limit, its share where the step
        goes to 0; pull, the largest distance of runs of the shortest duration from the master
        equation, in standard errors; order_kept, at how many rates the best schedule ends highest
        of all schedules in steps, of `rates`; wrong_small and wrong_large, the share of the sharp
        valley at the smallest and the largest step.
    """
    theory = found.p_flat.isel(border=-1).sel(duration=small.duration, schedule=small.schedule)
    shortest = float(small.duration[0])
    best, ends = stepped.p_flat.sel(schedule=BEST), runs.isel(record=-1)
    common = [rate for rate in ends.learning_rate.values if rate in best.learning_rate.values]
    row = ends.sel(duration=shortest, learning_rate=common)
    pulls = in_errors(row.p_flat, best.sel(learning_rate=common), row.p_flat_error)
    tops = stepped.schedule[stepped.p_flat.argmax("schedule")]
    told: Findings = {
        "small_gap": float(np.abs(small.p_flat - theory).max()),
        "step_gap": float(abs(best[-1] - theory.sel(duration=shortest, schedule=BEST))),
        "step_limit": limit_of_small_steps(best.learning_rate.values, best.values),
        "pull": float(np.abs(pulls).max()),
        "order_kept": int((tops == BEST).sum()),
        "rates": stepped.sizes["learning_rate"],
        "wrong_small": float(1 - best[-1]),
        "wrong_large": float(1 - best[0]),
    }
    for place, duration in zip(PLACES, small.duration.values, strict=True):
        end = ends.sel(duration=duration).isel(learning_rate=-1)
        told[f"small_{place}"] = float(small.p_flat.sel(duration=duration, schedule=BEST))
        told[f"runs_{place}"] = Estimate.with_error(end.p_flat, end.p_flat_error)
    return told


def budget_findings(found: xr.Dataset) -> Findings:
    """What changes where samples are paid for, and not time.

    Args:
        found: of `budgets` over n_samples, rising.

    Returns:
        At the budget in the middle, `budget`: wrong_best, wrong_constant and wrong_in_time, shares
        of the sharp valley by each spending; strong, the part of the samples before the noise first
        leaves its upper end; time_best and time_in_time, how far the samples last; early_noise, of
        the best in the first hundredth of the samples over that at the end; steady, the largest
        change of Pontryagin's constant over the last half of the samples, as a part; at all of
        them: constant_cost and constant_cost_last, the largest factor in the share of the sharp
        valley of a constant noise and that at the largest budget; in_time_cost and in_time_worst,
        the smallest and the largest of the schedule that is best in time; small_gap, the largest
        distance of the end without rates.
    """
    wrong = 1 - found.p_flat.isel(border=-1)
    middle = found.isel(n_samples=found.sizes["n_samples"] // 2)
    best = middle.sel(spending=BEST)
    spent = best.samples.values[1:] / best.samples.values[-1]
    late = best.balance.values[spent > 0.5]
    noise, over = best.noise.values, wrong / wrong.sel(spending=BEST)
    ends = 1 - wrong.sel(n_samples=middle.n_samples)
    return {
        "budget": float(middle.n_samples),
        "wrong_best": float(1 - ends.sel(spending=BEST)),
        "wrong_constant": float(1 - ends.sel(spending="constant")),
        "wrong_in_time": float(1 - ends.sel(spending="best in time")),
        "strong": float(spent[int(np.argmax(noise < 0.99 * noise[0]))]),
        "time_best": float(best.time[-1]),
        "time_in_time": float(middle.sel(spending="best in time").time[-1]),
        "early_noise": float(noise[spent < 0.01].mean() / noise[-1]),
        "steady": float(np.ptp(late) / late.mean()),
        "constant_cost": float(over.sel(spending="constant").max()),
        "constant_cost_last": float(over.sel(spending="constant")[-1]),
        "in_time_cost": float(over.sel(spending="best in time").min()),
        "in_time_worst": float(over.sel(spending="best in time").max()),
        "small_gap": float(np.abs(found.small_steps - (1 - wrong)).max()),
    }
