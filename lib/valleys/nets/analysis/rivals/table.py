"""The table of methods: each against plain stochastic gradient descent from the same starts, with
intervals over starts and runs.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.rivals.contenders import REFERENCE
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

FACTORS = {  # what is compared as a ratio of geometric means: the variable, and whether at a level
    "flat": ("level_flatness", True),
    "end_flat": ("end_flatness", False),
    "end_loss": ("end_loss", False),
    "delay": ("freezing_evaluations", False),
}
POINTS = {"gain": ("end_accuracy", False), "level_gain": ("level_accuracy", True)}  # a difference
MEANS = {  # what is told as it is: the variable, and a factor
    "accuracy": ("end_accuracy", 100.0),
    "freezing": ("freezing_evaluations", 1.0),
    "freezing_time": ("freezing_time", 1.0),
    "loss": ("end_loss", 1.0),
}


def contrast(
    found: xr.Dataset, name: str, method: str, *, level: int = -1, seed: int = 0
) -> Estimate:
    """A method against the reference: starts are drawn for both at once, runs for each.

    Args:
        found: a grid of `rivals` over rival and start.
        name: of `FACTORS`, or of `POINTS`, a difference in percentage points.
        method: the one above.
        level: place of the loss at which flatness and accuracy are compared.
        seed: of the resamples.
    """
    variable, at_level = (FACTORS | POINTS)[name]
    values = found[variable].isel(level=level) if at_level else found[variable]
    values = 100 * values if name in POINTS else xr.ufuncs.log(values)
    above, below = (rows(values.sel(rival=each)) for each in (method, REFERENCE))
    difference = statistics.nested_difference(above, below, np.random.default_rng(seed))
    return difference if name in POINTS else statistics.exponential(difference)


def wall(found: xr.Dataset, method: str, *, level: int = -1, seed: int = 0) -> Estimate:
    """Rise on the line from runs of a method to runs of the reference with another batch order,
    over that between two runs of the reference; a ratio of means, as single walls may be none.
    """
    values = found.wall.isel(level=level)
    return _over_line(found, values.sel(rival=method), level, seed)


def path(found: xr.Dataset, method: str, *, seed: int = 0) -> Estimate:
    """Rise on a path of low loss from runs of a method to runs of the reference, at the lowest
    level, over that on the line between two runs of the reference, as `wall`; what it keeps of it
    may be of the path that was found.
    """
    return _over_line(found, found.band_wall.sel(rival=method), -1, seed)


def _over_line(found: xr.Dataset, rises: xr.DataArray, level: int, seed: int) -> Estimate:
    """Rises, over the wall on the line between two runs of the reference."""
    between = found.wall.isel(level=level).sel(rival=REFERENCE)
    parts = [rows(rises), rows(between)]
    value, drawn = statistics.nested_means(parts, np.random.default_rng(seed))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, ratios = value[0] / value[1], drawn[0] / drawn[1]
    return statistics.interval(ratio, ratios[np.isfinite(ratios)], [len(parts[0])])


def mean(found: xr.Dataset, name: str, method: str, *, seed: int = 0) -> Estimate:
    """One of `MEANS`, over starts and runs."""
    variable, factor = MEANS[name]
    values = factor * rows(found[variable].sel(rival=method))
    return statistics.nested_mean(values, np.random.default_rng(seed))


def frozen(found: xr.Dataset) -> xr.DataArray:
    """Share of the runs of each method that freeze within the budget."""
    return found.freezing_evaluations.notnull().mean(["start", "run"])


def in_tail(found: xr.Dataset) -> xr.DataArray:
    """Share of the runs of each method that came to the lowest level after the budget."""
    last = found.level_evaluations.isel(level=-1)
    return (last > found.attrs["n_epochs"]).mean(["start", "run"])


def came(found: xr.Dataset) -> xr.DataArray:
    """Share of the runs of each method that came to the lowest level at all."""
    return found.level_evaluations.isel(level=-1).notnull().mean(["start", "run"])


def table(found: xr.Dataset, seconds: Mapping[str, float], *, seed: int = 0) -> xr.Dataset:
    """All that is told of each method.

    Args:
        found: a grid of `rivals` over rival and start.
        seconds: of each method, over those of the reference.
        seed: of the resamples.

    Returns:
        Dimension rival; each number with `_low` and `_high`. Factors over the reference: `flat_0`,
        … at each level and `flat` at the lowest, `end_flat` and `end_loss` when the budget is
        spent, `delay` of freezing in gradient evaluations, and at the lowest level `wall` on the
        line and `path` on one of low loss, both over the reference's on the line. Percentage
        points: `gain` in accuracy when the budget is spent, `level_gain` at the lowest level. As
        they are: `accuracy` [%], `freezing` [epochs], `freezing_time` [ηt], `loss`. Without
        intervals: `frozen` and `in_tail`, shares of runs, `seconds` over the reference.
    """
    wanted = {f"flat_{level}": ("flat", level) for level in range(found.sizes["level"])}
    wanted |= {name: (name, -1) for name in FACTORS | POINTS}
    methods, parts = found.rival.values.tolist(), {}
    for told, (name, level) in wanted.items():
        every = [contrast(found, name, each, level=level, seed=seed) for each in methods]
        parts |= _ends(told, every)
    for name, rise in (("wall", wall), ("path", path)):
        parts |= _ends(name, [rise(found, each, seed=seed) for each in methods])
    for name in MEANS:
        parts |= _ends(name, [mean(found, name, each, seed=seed) for each in methods])
    shares = {"frozen": frozen(found).values, "in_tail": in_tail(found).values}
    shares |= {"seconds": [seconds[name] for name in methods]}
    parts |= {name: ("rival", each) for name, each in shares.items()}
    levels = {"lowest": float(found.level[-1]), "highest": float(found.level[0])}
    return xr.Dataset(parts, {"rival": methods}, levels)


def rows(values: xr.DataArray) -> np.ndarray:
    """One number a run, (n_starts, n_runs)."""
    return values.transpose("start", "run").values


def _ends(name: str, every: list[Estimate]) -> dict[str, tuple]:
    """The estimates of all methods as three variables."""
    return {
        f"{name}{end}": ("rival", [getattr(each, end.lstrip("_") or "value") for each in every])
        for end in ENDS
    }


def told(table: xr.Dataset) -> Findings:
    """The numbers of the table, each as `row_NAME_METHOD`: `flat`, `wall`, `path` and `seconds`
    over the reference, `accuracy` [%], `freezing` [epochs], `freezing_time` [ηt] and `loss`.
    """
    with_ends = ("flat", "wall", "path", "accuracy", "freezing", "freezing_time", "loss")
    found: Findings = {}
    for name in table.rival.values.tolist():
        row = table.sel(rival=name)
        for what in with_ends:
            value, low, high = (float(row[f"{what}{end}"]) for end in ENDS)
            found[f"row_{what}_{name}"] = Estimate(value, low, high)
        found[f"row_seconds_{name}"] = float(row.seconds)
    return found
