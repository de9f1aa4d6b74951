"""What the network of Fig. S5 is where its loss is low, and where published runs end."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.generality.cifar_network import less, mean_of_pairs, pair_means
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

RUNS = ("time", "train_loss", "flatness", "accuracy", "own_wall", "own_similarity")
PAIRS = ("wall", "similarity")
EARLY, END = 0, -1


def moments(found: xr.Dataset, level: float, *, seed: int = 0) -> xr.Dataset:
    """Each quantity as its mean over runs or pairs of runs.

    Args:
        found: what `cifar_long` gives, over batch_size.
        level: training loss of the first moment, over which walls are given.
        seed: of the resamples.

    Returns:
        Dimensions batch_size and moment. The variables of `cifar_long`, accuracy in per cent and
        walls over the loss, with `NAME_low` and `NAME_high`.
    """
    values = _in_units(found, level)
    parts = [statistics.run_means(values[name], "run", name, seed=seed) for name in RUNS]
    parts += [pair_means(values[name], name, seed=seed) for name in PAIRS]
    return xr.merge(parts)


def _in_units(found: xr.Dataset, level: float) -> xr.Dataset:
    """Accuracy in per cent, and walls over a loss."""
    walls = {name: found[name] / level for name in ("wall", "own_wall")}
    return found.assign({"accuracy": 100 * found.accuracy} | walls)


def long_findings(found: xr.Dataset, level: float, *, seed: int = 0) -> Findings:
    """The smallest batch size held against the largest at each moment, and the way to the end.

    Args:
        found: what `cifar_long` gives, over batch_size.
        level: training loss of the first moment, over which walls are given.
        seed: of the resamples.

    Returns:
        `noisy` and `calm`, the batch sizes; `time` of the end; `flat_MOMENT`, factor of noisy over
        calm, and `gain_MOMENT` in accuracy [points]; of either, by its word, `loss_WORD` at the
        end, `own_wall_WORD` and `own_alike_WORD` between the ends of the way, and `wall_WORD`,
        `alike_WORD`, `wall_early_WORD` and `alike_early_WORD` between two runs at the end and at
        the first moment, and `over_end_WORD` and `over_early_WORD` the walls over the loss at the
        same moment; `moved`, of all `runs`, those with a wall above the loss on their way.
    """
    values = _in_units(found, level).sortby("batch_size")
    noisy, calm = values.isel(batch_size=0), values.isel(batch_size=-1)
    told: Findings = {"noisy": int(noisy.batch_size), "calm": int(calm.batch_size)}
    told |= {"time": float(values.time.isel(moment=END).max())}
    for moment in values.moment.values.tolist():
        above, below = (cell.sel(moment=moment).expand_dims("start") for cell in (noisy, calm))
        logs = xr.ufuncs.log(above.flatness), xr.ufuncs.log(below.flatness)
        told[f"flat_{moment}"] = statistics.exponential(less(*logs, seed))
        told[f"gain_{moment}"] = less(above.accuracy, below.accuracy, seed)
    for word, cell in (("noisy", noisy), ("calm", calm)):
        told |= {f"{name}_{word}": number for name, number in _way(cell, level, seed).items()}
    ways = values.own_wall.isel(moment=END).values
    known = int(np.isfinite(ways).sum())
    return told | {"moved": int((ways > 1).sum()), "runs": known}


def _way(cell: xr.Dataset, level: float, seed: int) -> Findings:
    """From the first moment to the end, of the runs of one setting."""
    rng = np.random.default_rng(seed)
    early, end = cell.isel(moment=EARLY), cell.isel(moment=END)
    over = (cell.wall * level / cell.train_loss.mean("run")).values
    return {
        "loss": float(end.train_loss.mean()),
        "own_wall": statistics.mean(end.own_wall.values, rng),
        "own_alike": statistics.mean(end.own_similarity.values, rng),
        "wall": mean_of_pairs(end.wall.values, rng),
        "alike": mean_of_pairs(end.similarity.values, rng),
        "wall_early": mean_of_pairs(early.wall.values, rng),
        "alike_early": mean_of_pairs(early.similarity.values, rng),
        "over_end": mean_of_pairs(over[END], rng),
        "over_early": mean_of_pairs(over[EARLY], rng),
    }


def long_answer(flatter: Estimate, moved: int, early: Estimate, end: Estimate) -> str:
    """What the way to the end changes, in words.

    Args:
        flatter: factor of noisy over calm at equal loss.
        moved: runs with a wall above the loss on their way.
        early: wall between two runs at the first moment.
        end: the same at the end.
    """
    lasts = "what noise has done lasts" if flatter.low > 1 else "whether noise shows is undecided"
    stay = "stay in their valleys" if not moved else f"leave their valleys ({moved} of them)"
    sinks = "sink" if end.high < early.low else "neither grow nor sink beyond chance"
    return (
        f"{lasts}, runs {stay}, and walls between them {'grow' if end.low > early.high else sinks}"
    )
