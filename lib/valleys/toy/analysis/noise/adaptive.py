"""What dividing by the size of the gradient does to the choice between two valleys."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley

USUAL = 1000.0  # memory of Adam's default, β₂ = 0.999, in steps


def adaptive_findings(found: xr.Dataset, landscape: TwoValley) -> Findings:
    """Theory, operators and walkers side by side.

    Args:
        found: what `valleys.toy.experiments.adaptive.adaptive` gives.
        landscape: its valleys.

    Returns:
        `gamma` and `root`, γ and √γ; `power` and `plain_power`, the contrast of the exponents of
        both valleys by the operators, from the two highest ridges, with division and without;
        `power_off` and `plain_power_off`, their distance from √γ and γ;
        `gap`, the largest distance of the operator's log odds from theory; `at_once` and `always`,
        the operators' log odds where walkers were looked at, at the ridge `height`; `sign`, `short`
        and `usual`, those of walkers with the shortest memory, the shortest of ten steps or more,
        and the usual one (the longest, where that is shorter), over `at_once` for `short_over` and
        `usual_over`; `momentum`, as `usual`, with momentum; `short_memory`, `usual_memory`;
        `half_memory`, that at which the log odds are half way between both operators.
    """
    memories = found.memory.values
    gamma = landscape.flatness_ratio
    short = float(memories[memories >= 10].min(initial=memories.max()))
    usual = float(min(USUAL, memories.max()))
    told: Findings = {
        "gamma": gamma,
        "root": gamma**0.5,
        "power": _power(found, "operator"),
        "plain_power": _power(found, "plain"),
        "gap": float(abs(found.operator - found.theory).max()),
        "height": float(found.attrs["exponent"]),
        "at_once": float(found.at_once),
        "always": float(found.always),
        "short_memory": short,
        "usual_memory": usual,
        "half_memory": half_memory(found),
    }
    told |= {"power_off": abs(_power(found, "operator") - gamma**0.5)}
    told |= {"plain_power_off": abs(_power(found, "plain") - gamma)}
    told |= {"sign": walked(found, "walk", float(memories.min()))}
    told |= {"short": walked(found, "walk", short), "usual": walked(found, "walk", usual)}
    told |= {"momentum": walked(found, "walk_momentum", usual)}
    for name, memory in (("short", short), ("usual", usual)):
        told[f"{name}_over"] = walked(found, "walk", memory).scaled(1 / float(found.at_once))
    return told


def walked(found: xr.Dataset, name: str, memory: float) -> Estimate:
    """Log odds of walkers with one memory."""
    here = found.sel(memory=memory)
    return Estimate.with_error(here[name], here[f"{name}_error"])


def half_memory(found: xr.Dataset) -> float:
    """Memory at which the log odds of walkers are half way from those of a memory that knows the
    valley at once to those of a long one, in its logarithm; NaN where they are not seen to pass.
    """
    way = (found.walk.values - float(found.at_once)) / float(found.always - found.at_once)
    above = np.flatnonzero(way >= 0.5)
    if not above.size or above[0] == 0:
        return float("nan")
    place = slice(above[0] - 1, above[0] + 1)
    return float(np.exp(np.interp(0.5, way[place], np.log(found.memory.values[place]))))


def _power(found: xr.Dataset, name: str) -> float:
    """One and the slope of the log odds in E of the sharp valley: E of the flat one over it."""
    last = found[name].isel(exponent=slice(-2, None))
    return 1 + float(last.diff("exponent").item() / last.exponent.diff("exponent").item())
