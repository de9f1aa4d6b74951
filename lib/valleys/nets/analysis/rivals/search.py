"""The learning rate of each method, chosen on images that neither train nor test.

Stated on 2026-11-30, before a method was compared with another: the best learning rate is that of
the highest mean accuracy on held-out images when the budget is spent, over starts that are used for
nothing else. One at which a run is not finite is not chosen; of equal ones the smaller is.
"""

import numpy as np
import xarray as xr

from valleys.nets.experiments.rivals.contenders import REFERENCE
from valleys.results.estimates import Findings

CRITERIA = {"held_accuracy": 1.0, "end_loss": -1.0}  # whether more of it is better


def best(search: xr.Dataset, criterion: str = "held_accuracy") -> dict[str, float]:
    """The factor of the learning rate of each method.

    Args:
        search: a grid of `rival_search` over rival, factor and start.
        criterion: what is best of: `held_accuracy`, the highest, or `end_loss`, the lowest.

    Raises:
        ValueError: every learning rate of a method has a run that is not finite.
    """
    sorted_up = search.sortby("factor")
    merit = CRITERIA[criterion] * sorted_up[criterion].mean(["start", "run"], skipna=False)
    lost = merit.isnull().all("factor")
    if lost.any():
        names = ", ".join(search.rival.values[lost.values])
        raise ValueError(f"runs by {names} diverge at every learning rate; try smaller factors")
    places = merit.fillna(-np.inf).argmax("factor")
    factors = sorted_up.factor.values[places.values]
    return dict(zip(search.rival.values.tolist(), factors.tolist(), strict=True))


def search_findings(search: xr.Dataset) -> Findings:
    """What the search came to.

    Returns:
        `methods`, `factors` and `search_runs` of each, counts; `edges`, of how many methods the
        best is the largest or the smallest learning rate; `other_choice`, for how many the lowest
        training loss would have chosen another one.
    """
    chosen, other = best(search), best(search, "end_loss")
    ends = (float(search.factor.min()), float(search.factor.max()))
    return {
        "methods": search.sizes["rival"],
        "factors": search.sizes["factor"],
        "search_runs": search.sizes["start"] * search.sizes["run"],
        "edges": sum(factor in ends for factor in chosen.values()),
        "other_choice": sum(other[name] != factor for name, factor in chosen.items()),
    }


def seconds(search: xr.Dataset) -> dict[str, float]:
    """Seconds that training by each method takes, over those of the reference, at its median
    learning rate and start; NaN where cells were not stored.
    """
    middle = search.seconds.median(["factor", "start"])
    over = middle / middle.sel(rival=REFERENCE)
    return dict(zip(search.rival.values.tolist(), over.values.tolist(), strict=True))
