"""What the chapter says about schedules in networks: numbers with their intervals."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.noise_schedules.contrasts import contrast, contrasts, in_tail
from valleys.nets.experiments.noise_schedules.courses import names
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

PAIRS = {  # what is asked: the schedule above, the one below; flatness at the lowest level
    "search": ("search_rising", "search_falling"),
    "rise": ("rising", "falling"),
    "early": ("early", "late"),
    "dropped_size": ("aware_size", "constant"),
    "dropped_rate": ("aware_rate", "constant"),
    "decay": ("decay_at", "decay_before"),
    "wait": ("decay_after", "decay_at"),
    "rule_cosine": ("aware_rate", "cosine"),
    "strong": ("strong", "constant"),
    "calm": ("constant", "calm"),
    "warm_up": ("warm_up", "constant"),
    "cosine": ("cosine", "constant"),
    "restarts": ("restarts", "constant"),
    "step": ("step", "constant"),
}
GAINS = {  # accuracy on all test images at the end of the schedule
    "rule_gain": ("aware_rate", "cosine"),
    "rule_gain_constant": ("aware_rate", "constant"),
    "size_gain_constant": ("aware_size", "constant"),
    "strong_gain": ("strong", "constant"),
}
SUFFIX = {"time": "", "samples": "_samples"}  # of a finding, by what the schedules have alike
ASIDE = ("constant", "strong", "calm")  # no schedule, but another amount of noise


def schedules_findings(time: xr.Dataset, samples: xr.Dataset, *, seed: int = 0) -> Findings:
    """What schedules of noise do to networks.

    Args:
        time: a grid of `noise_schedule` over start and schedule, at equal training time.
        samples: the same at equal samples.
        seed: of the resamples.

    Returns:
        Each of `PAIRS`, a factor of flatness at the lowest level, at equal time, and with
        `_samples` at equal samples; with `_high` before that at the highest level. Each of `GAINS`
        at equal samples, in percentage points. NaN where a schedule was not asked for. `flattest`
        and `flattest_by`, the schedule that is flattest at equal time, and by what factor over the
        constant one, the same with `_samples`; `tail`, the least share of runs that came to the
        lowest level in the common tail, and `lost`, how many never did. What `monitor_findings`
        gives.
    """
    found: Findings = {}
    for budget, grid in (("time", time), ("samples", samples)):
        suffix = SUFFIX[budget]
        possible = {name: pair for name, pair in PAIRS.items() if set(pair) <= set(names(budget))}
        for name, pair in possible.items():
            found[f"{name}{suffix}"] = _asked(grid, "flat", pair, seed)
            found[f"{name}_high{suffix}"] = _asked(grid, "flat", pair, seed, level=0)
        found |= {f"{name}{suffix}": each for name, each in _flattest(grid, seed).items()}
        found[f"tail{suffix}"] = float(in_tail(grid).min())
        found[f"lost{suffix}"] = int(grid.level_flatness.isel(level=-1).isnull().sum())
    found |= {name: _asked(samples, "end_gain", pair, seed) for name, pair in GAINS.items()}
    return found | cost_findings(samples, seed=seed) | monitor_findings(samples, seed=seed)


def _asked(
    found: xr.Dataset, name: str, pair: tuple[str, str], seed: int, level: int = -1
) -> Estimate:
    """A contrast, NaN where one of the schedules was not asked for."""
    if not set(pair) <= set(found.schedule.values.tolist()):
        return Estimate(np.nan, np.nan, np.nan)
    return contrast(found, name, *pair, level=level, seed=seed)


def cost_findings(samples: xr.Dataset, *, seed: int = 0) -> Findings:
    """What the rule costs and saves at equal samples: `rule_loss`, the loss at the end over that of
    the constant schedule, `rule_way`, the training time likewise, and `constant_freezes` [ηt];
    counts `starts`, `runs`, `schedules` and the levels `level_high` and `level_low`.
    """
    starts = samples.freezing_time.sel(schedule="constant").transpose("start", "run").values
    rng = np.random.default_rng(seed)
    found: Findings = {"constant_freezes": statistics.nested_mean(starts, rng)}
    counts = {"starts": "start", "runs": "run", "schedules": "schedule"}
    found |= {name: samples.sizes[dimension] for name, dimension in counts.items()}
    found |= {"level_high": float(samples.level[0]), "level_low": float(samples.level[-1])}
    if "aware_rate" in samples.schedule:
        for name, of in (("rule_loss", "end_loss"), ("rule_way", "way")):
            found[name] = contrast(samples, of, "aware_rate", "constant", seed=seed)
    return found


def monitor_findings(found: xr.Dataset, *, seed: int = 0, rule: str = "aware_rate") -> Findings:
    """How well a monitor of batch losses tells freezing.

    Returns:
        `told` and `judged`, the times at which it spoke and at which it judged the loss to have
        crossed, over the first passage of the loss on all training images, factors; `told_share`,
        the share of runs of which it spoke at all. Nothing if no schedule has this rule.
    """
    if rule not in found.schedule:
        return {}
    here, told = found.sel(schedule=rule), {}
    for name in ("told", "judged"):
        ratio = xr.ufuncs.log(here[f"{name}_time"] / here.freezing_time)
        rows = ratio.transpose("start", "run").values
        mean = statistics.nested_mean(rows, np.random.default_rng(seed))
        told[name] = statistics.exponential(mean)
    spoke = here.told_time.notnull()
    return told | {"told_share": statistics.share(int(spoke.sum()), spoke.size)}


def own_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Schedules on a network of one's own, at equal samples, against the constant one.

    Args:
        found: a grid of `noise_schedule` over start and schedule.
        seed: of the resamples.

    Returns:
        Of each schedule `own_flat_NAME` (a factor, at the lowest level), `own_end_gain_NAME`
        [percentage points] and `own_end_loss_NAME` (a factor); `own_` and what `monitor_findings`
        gives.
    """
    table = contrasts(found, seed=seed)
    told: Findings = {}
    for row in (table.sel(schedule=name) for name in table.schedule.values[1:]):
        for name in ("flat", "end_gain", "end_loss"):
            value, low, high = (float(row[f"{name}{end}"]) for end in statistics.ENDS)
            told[f"own_{name}_{row.schedule.item()}"] = Estimate(value, low, high)
    watched = monitor_findings(found, seed=seed)
    return told | {f"own_{name}": each for name, each in watched.items()}


def _flattest(found: xr.Dataset, seed: int) -> Findings:
    """The schedule that ends flattest, of those with the noise of the constant one."""
    rivals = [name for name in found.schedule.values.tolist() if name not in ASIDE]
    every = {name: contrast(found, "flat", name, "constant", seed=seed) for name in rivals}
    best = max(every, key=lambda name: every[name].value)
    return {"flattest": best, "flattest_by": every[best]}
