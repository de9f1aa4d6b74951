"""Effect sizes of noise for each network, and where the paper's four claims hold among them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

LOGARITHMS = ("delay", "flat")  # of which factors are made
AT_LEVELS = ("flat", "wall", "pair_wall", "gain", "alike", "pair_alike")
DOUBLED = 1.0  # wall over loss from which a wall doubles the loss


class Claim(NamedTuple):
    """What must be seen, for a claim of the paper to hold for a network.

    Attributes:
        effect: one of `measures`, at the lowest level.
        border: which it must lie above.
    """

    effect: str
    border: float


CLAIMS: Mapping[str, Claim] = {
    "delay": Claim("delay", 1.0),
    "flat": Claim("flat", 1.0),
    "wall": Claim("pair_wall", DOUBLED),
    "gain": Claim("gain", 0.0),
}
VERDICTS = ("holds", "undecided", "fails")
NAMES = {
    "base": "base network",
    "cnn digits": "CNN, digits",
    "data digits": "digits",
    "layers norm": "layer norm",
    "start zero": "zero output layer",
    "start lecun": "LeCun start",
    "start small": "half-size start",
    "start large": "double-size start",
    "activation tanh": "tanh",
    "activation gelu": "GELU",
}


def name_of(variant: str) -> str:
    """What a network is called on a page."""
    word, _, value = variant.partition(" ")
    layers = "hidden layer" if value == "1" else "hidden layers"
    plain = {"images": f"{value} images", "depth": f"{value} {layers}"}
    return NAMES.get(variant, plain.get(word, variant))


def measures(found: xr.Dataset) -> xr.Dataset:
    """What is compared, one number a run or a start, NaN where there is none.

    Args:
        found: a grid of `valleys.nets.experiments.generality.study.generality` over variant and
            start.

    Returns:
        Logarithms of factors over the twin: `flat` (… run, level), `delay` (… run). Besides
        `gain` (accuracy less the twin's, percentage points), `wall` to the twin over the loss and
        `alike` (Jaccard) over (… run, level); `pair_wall` and `pair_alike`, the same between two
        runs, means over all pairs of a start (… level), as pairs share their runs; `sharp`, batch
        sharpness of runs at freezing (… run), `start_sharp` and `twin_sharp`, that of gradient
        descent at the start and at freezing, all over 2/η.
    """
    flat = np.log(found.flatness / found.twin_flatness)
    late = np.log(found.passage / found.twin_passage).isel(level=0)
    values = {
        "flat": flat,
        "delay": late,
        "gain": 100 * (found.accuracy - found.twin_accuracy),
        "wall": found.wall / found.level,
        "pair_wall": (found.pair_wall / found.level).mean("pair"),
        "alike": found.similarity,
        "pair_alike": found.pair_similarity.mean("pair"),
        "sharp": found.sharpness,
        "twin_sharp": found.twin_sharpness.isel(level=0),
        "start_sharp": found.start_sharpness,
    }
    return xr.Dataset({name: each.drop_attrs() for name, each in values.items()})


def contrasts(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Each of `measures` as its mean over starts and runs, which are resampled in that order.

    Args:
        found: as in `measures`.
        seed: of the resamples.

    Returns:
        Dimensions variant and level. Every name with `NAME_low` and `NAME_high`; logarithms have
        become factors. `reached`, the share of runs that came to the lowest level;
        `named` (variant), what networks are called on a page.
    """
    values, parts = measures(found), {}
    for name, each in values.items():
        over = [dim for dim in ("variant", "level") if dim in each.dims]
        within = [dim for dim in ("start", "run") if dim in each.dims]
        rows = each.transpose(*over, *within).values
        flat = rows.reshape(-1, *rows.shape[len(over) :])
        told = [_estimate(str(name), one, seed) for one in flat]
        for end in ENDS:
            column = [getattr(one, end.lstrip("_") or "value") for one in told]
            parts[f"{name}{end}"] = (over, np.reshape(column, rows.shape[: len(over)]))
    parts["reached"] = np.isfinite(found.passage.isel(level=-1)).mean(["start", "run"])
    named = ("variant", [name_of(each) for each in found.variant.values.tolist()])
    axes = {"variant": found.variant, "level": found.level, "named": named}
    return xr.Dataset(parts, axes, found.attrs)


def _estimate(name: str, rows: np.ndarray, seed: int) -> Estimate:
    told = statistics.nested_mean(rows, np.random.default_rng(seed))
    return statistics.exponential(told) if name in LOGARITHMS else told


def effect(table: xr.Dataset, name: str, variant: str, level: int = -1) -> Estimate:
    """One number of `contrasts`.

    Args:
        table: from `contrasts`.
        name: of the effect.
        variant: of the network.
        level: place of the loss, where the effect is taken at each.
    """
    row = table.sel(variant=variant)
    row = row.isel(level=level) if name in AT_LEVELS else row
    value, low, high = (float(row[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)


def verdict(told: Estimate, border: float) -> str:
    """One of `VERDICTS`: on which side of the border the whole interval lies."""
    if told.low > border:
        return VERDICTS[0]
    return VERDICTS[2] if told.high < border else VERDICTS[1]


def verdicts(table: xr.Dataset) -> xr.DataArray:
    """Of each of `CLAIMS` for each network, at the lowest level, over (variant, claim)."""
    names = table.variant.values.tolist()
    rows = [
        [verdict(effect(table, claim.effect, name), claim.border) for claim in CLAIMS.values()]
        for name in names
    ]
    return xr.DataArray(
        rows, {"variant": names, "claim": list(CLAIMS)}, ("variant", "claim"), "verdict"
    )


def generality_findings(table: xr.Dataset) -> Findings:
    """Where the four claims hold.

    Args:
        table: from `contrasts`.

    Returns:
        `networks`; for each of `CLAIMS`, here NAME: `NAME_holds` and `NAME_fails`, numbers of
        networks, `NAME_share`, the share of networks for which it holds, with Wilson's interval
        over them, `NAME_least` and `NAME_most`, the smallest and the largest effect, and
        `NAME_least_of` and `NAME_most_of`, whose these are. What the base network does: `base_`
        and each effect at the lowest level. `calm`, networks with less than 2/η of batch sharpness
        at freezing, and `settled`, those of them that also begin below it.
    """
    judged, n_networks = verdicts(table), table.sizes["variant"]
    found: Findings = {"networks": n_networks}
    for name, claim in CLAIMS.items():
        column = judged.sel(claim=name)
        holds = int((column == VERDICTS[0]).sum())
        found |= {f"{name}_holds": holds, f"{name}_fails": int((column == VERDICTS[2]).sum())}
        found[f"{name}_share"] = statistics.share(holds, n_networks)
        found |= {f"{name}_{key}": each for key, each in _ends(table, claim.effect).items()}
    names = (*AT_LEVELS, "delay", "sharp", "start_sharp") if "base" in table.variant else ()
    found |= {f"base_{name}": effect(table, name, "base") for name in names}
    calm = table.sharp_high < 1
    settled = calm & (table.start_sharp_high < 1)
    return found | {"calm": int(calm.sum()), "settled": int(settled.sum())}


def _ends(table: xr.Dataset, name: str) -> Findings:
    """The smallest and the largest effect, and of which networks."""
    told = {each: effect(table, name, each) for each in table.variant.values.tolist()}
    known = {each: one for each, one in told.items() if np.isfinite(one.value)}
    found: Findings = {}
    for word, pick in (("least", min), ("most", max)):
        chosen = pick(known, key=lambda each: known[each].value, default="none")
        found[word] = known.get(chosen, Estimate(np.nan, np.nan, np.nan))
        found[f"{word}_of"] = name_of(chosen)
    return found


def sizes(table: xr.Dataset) -> list[dict[str, str | Estimate]]:
    """One row a network: its effects at the lowest level, with their intervals."""
    shown = {
        "delay": "freezing",
        "flat": "flatness",
        "pair_wall": "wall",
        "wall": "wall to twin",
        "gain": "accuracy",
        "pair_alike": "similarity",
        "sharp": "sharpness",
        "start_sharp": "at start",
    }
    return [
        {"network": name_of(name)} | {word: effect(table, key, name) for key, word in shown.items()}
        for name in table.variant.values.tolist()
    ]


def gain_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Whether flatter ends are more accurate at equal loss, over all networks.

    Returns:
        `flat_gain`, mean gain in accuracy of runs over their twins at the lowest level, percentage
        points, and `flat_delay` and `flat_flat`, factors, with networks resampled before starts
        before runs; `order`, rank correlation of flatness and accuracy among runs and twin of one
        start, mean over networks and starts, networks resampled before starts.
    """
    values, rng = measures(found).isel(level=-1), np.random.default_rng(seed)
    rows = values.transpose("variant", "start", "run", ...)
    told: Findings = {"flat_gain": statistics.nested_mean(rows.gain.values, rng)}
    for name in LOGARITHMS:
        mean = statistics.nested_mean(rows[name].values, rng)
        told[f"flat_{name}"] = statistics.exponential(mean)
    order = statistics.spearman_rows(
        *(_with_twin(found, each) for each in ("flatness", "accuracy"))
    )
    return told | {"order": statistics.nested_mean(order, rng)}


def _with_twin(found: xr.Dataset, name: str) -> np.ndarray:
    """A number of all runs of a start and of their twin, (n_variants, n_starts, n_runs + 1)."""
    last = found.isel(level=-1)
    runs = last[name].transpose("variant", "start", "run").values
    twin = last[f"twin_{name}"].transpose("variant", "start").values
    return np.concatenate([runs, twin[..., None]], axis=-1)
