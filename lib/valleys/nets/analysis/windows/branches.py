"""By which way noise flattens inside a window: along a floor, over walls, or thrown up."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.windows.effects import DOUBLED, WINDOWS
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

HUNDREDTH = 0.01  # the other common measure of a wall
TALL = {"": DOUBLED, "_tenth": 0.1, "_cent": HUNDREDTH}  # from what on there is one, by name
# peak over the loss at the beginning of a part, from which the run was thrown up: mini-batches
# alone let the loss fluctuate by a factor of two or three
THROWN = 5.0
WAYS = ("drift", "jump", "thrown")


def links(found: xr.Dataset, tall: float = DOUBLED) -> xr.Dataset:
    """What happens in each part of a window, over (start, window, run, link).

    Args:
        found: a grid of `window_branches` over start.
        tall: wall over the loss, from which there is one.

    Returns:
        `gain`, change of ln F between the ends of the two branches that leave at both ends of the
        part; `wall` between them over the loss; `rise`, largest loss in the part over that at its
        beginning; `way`: 2 where the rise is `THROWN` or more, else 1 where there is a wall, else
        0; all NaN where one branch is not known.
    """
    wall = found.wall.values / found.attrs["level"]
    flat = np.log(found.flatness)
    last = np.arange(found.sizes["moment"] - 1)
    dims = (*found.flatness.dims[:-1], "link")
    rise = found.peak / found.loss.isel(moment=slice(None, -1)).values
    gain = xr.DataArray(np.diff(flat.values, axis=-1), dims=dims)
    next_wall = xr.DataArray(wall[..., last, last + 1], dims=dims)
    way = xr.where(rise >= THROWN, 2.0, xr.where(next_wall > tall, 1.0, 0.0))
    known = np.isfinite(gain)
    both = {"gain": gain, "wall": next_wall, "rise": rise.drop_attrs(), "way": way}
    return xr.Dataset({name: each.where(known) for name, each in both.items()})


def shares(found: xr.Dataset, tall: float = DOUBLED, *, seed: int = 0) -> xr.Dataset:
    """How much of the gain in ln F of each window comes by each way.

    Returns:
        Dimensions window and way (`WAYS`), each with `NAME_low` and `NAME_high`, intervals over
        starts and runs: `gain`, sum of the gains of the parts of that way, mean over runs; `parts`,
        share of the parts.
    """
    told, rng = links(found, tall), np.random.default_rng(seed)
    parts: dict[str, list[list[float]]] = {f"{n}{e}": [] for n in ("gain", "parts") for e in ENDS}
    for window in range(found.sizes["window"]):
        here = told.isel(window=window).transpose("start", "run", "link")
        known = np.isfinite(here.gain.values)
        for way in range(len(WAYS)):
            mine = here.way.values == way
            gains = np.where(mine, here.gain.values, 0).sum(axis=-1)
            often = mine.sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
            for name, rows in {"gain": gains, "parts": often}.items():
                rows = np.where(known.any(axis=-1), rows, np.nan)
                one = statistics.nested_mean(rows, rng)
                for end in ENDS:
                    parts[f"{name}{end}"].append(getattr(one, end.lstrip("_") or "value"))
    shape = (found.sizes["window"], len(WAYS))
    values = {name: (("window", "way"), np.reshape(each, shape)) for name, each in parts.items()}
    coords = {"way": list(WAYS), "opens": found.opens, "closes": found.closes}
    return xr.Dataset(values, coords, found.attrs)


def growth(found: xr.Dataset) -> xr.Dataset:
    """Walls between branches of one run against the time between them, over (window, apart).

    Returns:
        `wall` over the loss, geometric means are left to the figure: median over starts, runs and
        pairs; `doubled`, share of the pairs with a wall that doubles the loss. Coordinate `apart`,
        parts of the window between the two.
    """
    wall = (found.wall / found.attrs["level"]).transpose("window", "start", "run", ...).values
    n_moments = wall.shape[-1]
    columns = [
        np.diagonal(wall, offset=apart, axis1=-2, axis2=-1).reshape(len(wall), -1)
        for apart in range(1, n_moments)
    ]
    middle = np.stack([np.nanmedian(each, axis=1) for each in columns], axis=1)
    often = [np.nanmean(np.where(np.isfinite(e), e > DOUBLED, np.nan), axis=1) for e in columns]
    values = {
        "wall": (("window", "apart"), middle),
        "doubled": (("window", "apart"), np.stack(often, axis=1)),
    }
    coords = {"apart": np.arange(1, n_moments), "opens": found.opens, "closes": found.closes}
    return xr.Dataset(values, coords, found.attrs)


def window_branches_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """By which way the flatness of one setting came.

    Args:
        found: a grid of `window_branches` over start.
        seed: of the resamples.

    Returns:
        For each window of `WINDOWS` that is there, by its name, here NAME: `NAME_drift`,
        `NAME_jump` and `NAME_thrown`, gain in ln F by that way, and `NAME_drift_share`, the first
        over all, and the same with `_tenth` or `_cent` where a tenth or a hundredth of the loss
        counts as a wall; with `_parts` at their end the share of the parts; `NAME_gain`, all three;
        `NAME_smooth`, share of the parts without a wall of a hundredth of the loss;
        `NAME_end_wall`, from the first branch to the last, over the loss, `NAME_first_wall`, across
        the first part, and `NAME_later_wall`, the highest across any later one. `n_links`,
        `n_starts`, `n_runs`, `level`.
    """
    table, findings = shares(found, seed=seed), dict[str, Estimate | float | int | str]()
    for name, where in _places(found, WINDOWS).items():
        for way in WAYS:
            row = table.isel(window=where).sel(way=way)
            findings[f"{name}_{way}"] = _read(row, "gain")
            findings[f"{name}_{way}_parts"] = _read(row, "parts")
        findings |= _of_window(found.isel(window=[where]), name, seed)
    names = {"n_starts": "start", "n_runs": "run"}
    findings |= {name: found.sizes[dimension] for name, dimension in names.items()}
    return findings | {"n_links": found.sizes["link"], "level": found.attrs["level"]}


def _places(found: xr.Dataset, named: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    pairs = list(zip(found.opens.values.tolist(), found.closes.values.tolist(), strict=True))
    return {name: pairs.index(window) for name, window in named.items() if window in pairs}


def _of_window(found: xr.Dataset, name: str, seed: int) -> Findings:
    """What is asked of one window as a whole."""
    rng, told = np.random.default_rng(seed), links(found).isel(window=0)
    low = told.wall.transpose("start", "run", "link")
    smooth = (low < HUNDREDTH).where(np.isfinite(low)).mean("link")
    ends = found.wall.isel(window=0, moment=0, other=-1) / found.attrs["level"]
    later = low.isel(link=slice(1, None)).max("link")
    walls = {"end_wall": ends, "first_wall": low.isel(link=0), "later_wall": later}
    means = walls | {"gain": told.gain.sum("link", min_count=1), "smooth": smooth}
    shares_of: Findings = {
        f"{name}_drift_share{word}": _drift_share(found, tall, rng) for word, tall in TALL.items()
    }
    return shares_of | {
        f"{name}_{kind}": statistics.nested_mean(rows.transpose("start", "run").values, rng)
        for kind, rows in means.items()
    }


def _drift_share(found: xr.Dataset, tall: float, rng: np.random.Generator) -> Estimate:
    """Share of the gain of the only window that comes by drift."""
    told = links(found, tall).isel(window=0).transpose("start", "run", "link")
    drift = told.gain.where(told.way == 0, 0).where(np.isfinite(told.gain))
    rows = [each.sum("link", min_count=1).values for each in (drift, told.gain)]
    value, drawn = statistics.nested_means(rows, rng)
    return statistics.interval(value[0] / value[1], drawn[0] / drawn[1], [len(rows[0])])


def _read(row: xr.Dataset, name: str) -> Estimate:
    value, low, high = (float(row[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)
