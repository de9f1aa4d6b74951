"""What happens to walls and to flattening as layers grow wider."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.generality.effects import measures
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

FALLEN = 0.5  # of a wall at the smallest width, for it to count as vanishing
COUNTS = (1.0, 0.1, 0.01)  # of the loss, from which a rise is called a wall
WORDS = ("", "_tenth", "_cent")


def in_order(found: xr.Dataset, base_width: int) -> xr.Dataset:
    """The networks that differ in width alone, narrowest first, with their `width`.

    Args:
        found: a grid of `valleys.nets.experiments.generality.study.generality` over variant and
            start.
        base_width: of the base network.
    """
    names = found.variant.values.tolist()
    widths = {name: int(name.split()[1]) for name in names if name.startswith("width ")}
    widths |= {"base": base_width} if "base" in names else {}
    chosen = sorted(widths, key=lambda name: widths[name])
    here = found.sel(variant=chosen)
    return here.assign_coords(width=("variant", [widths[name] for name in chosen]))


def width_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Whether walls vanish while the flattening stays, as layers grow wider.

    Args:
        found: from `in_order`, two widths or more.
        seed: of the resamples.

    Returns:
        `narrow` and `wide`, the widths at the ends; at both, as `NAME_narrow` and `NAME_wide`:
        `gain`, mean ln F over the twin at the lowest level, `wall` to the twin and `pair` wall
        between two runs, over the loss. `kept`, gain at the largest width over that at the
        smallest; `wall_left` and `pair_left`, the same of the walls. `walled`, `walled_tenth` and
        `walled_cent`: share of runs at the largest width with a wall to the twin of more than the
        loss, a tenth and a hundredth of it; Wilson's interval over starts where all or none have.
        `runs`, how many there are, and `walled_runs`, `walled_runs_tenth` and `walled_runs_cent`,
        how many of them.
    """
    values = measures(found).isel(level=-1)
    rows = {
        "gain": values.flat.transpose("variant", "start", "run").values,
        "wall": values.wall.transpose("variant", "start", "run").values,
        "pair": values.pair_wall.transpose("variant", "start").values,
    }
    told: Findings = {"narrow": int(found.width[0]), "wide": int(found.width[-1])}
    for name, each in rows.items():
        rng = np.random.default_rng(seed)
        told[f"{name}_narrow"] = statistics.nested_mean(each[0], rng)
        told[f"{name}_wide"] = statistics.nested_mean(each[-1], rng)
        left = {"gain": "kept"}.get(name, f"{name}_left")
        told[left] = _over(each[-1], each[0], np.random.default_rng(seed))
    return told | _walled(rows["wall"][-1], seed)


def width_answer(told: Findings) -> str:
    """In words what `width_findings` says of walls and flattening."""
    left, kept = told["pair_left"], told["kept"]
    if not (isinstance(left, Estimate) and isinstance(kept, Estimate)):
        raise TypeError("pair_left and kept must be estimates")
    walls = _word(left, "walls stay", "walls shrink", "what walls do is undecided")
    flat = _word(kept, "flattening stays", "flattening fades", "what flattening does is undecided")
    return f"{walls}, and {flat}"


def _word(told: Estimate, stays: str, goes: str, unknown: str) -> str:
    """Whether at least half is left: the whole interval must lie on one side."""
    if told.low > FALLEN:
        return stays
    return goes if told.high < FALLEN else unknown


def _over(above: np.ndarray, below: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of one network over that of another on the same starts, which are drawn for both."""
    value, drawn = statistics.nested_means([above, below], rng)
    with np.errstate(divide="ignore", invalid="ignore"):  # none at all, over none
        return statistics.interval(value[0] / value[1], drawn[0] / drawn[1], [len(above)])


def _walled(walls: np.ndarray, seed: int) -> Findings:
    """How many runs of one network stand behind a wall, (n_starts, n_runs), by each count."""
    told: Findings = {"runs": int(np.isfinite(walls).sum())}
    for count, word in zip(COUNTS, WORDS, strict=True):
        told[f"walled{word}"] = _share(walls, count, seed)
        told[f"walled_runs{word}"] = int((walls > count).sum())
    return told


def _share(walls: np.ndarray, count: float, seed: int) -> Estimate:
    """Of runs behind a wall higher than so many times the loss, (n_starts, n_runs)."""
    beyond = np.where(np.isfinite(walls), walls > count, np.nan)
    told = statistics.nested_mean(beyond, np.random.default_rng(seed))
    if told.low == told.high:  # all or none: the starts are the sample
        n_starts = int(np.isfinite(beyond).any(axis=1).sum())
        return statistics.share(round(told.value * n_starts), n_starts)
    return told
