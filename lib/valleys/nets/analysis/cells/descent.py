"""Does the step do it, or the noise?

Stated on 2026-11-29, before a number was seen. Along the learning rate gradient descent changes,
too, without any noise. Its share of a change from the quietest settled cell to the noisiest is
compared with one half: above it the step does the larger part, below it the noise. Of the steps to
a smaller batch, which change the noise alone, three in four of those that are decided have to go
the way of the claim, the border for what is called systematic; a step is decided where its 95 %
interval leaves out zero.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis import sweep
from valleys.nets.analysis.sweep_findings import Swept, Where
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

MEANS = {  # by the name of their findings
    "flat": "flatness",
    "late": "freezing_time",
    "accurate": "full_test_accuracy",
}
PAIRS = {"alike": "similarity_full", "apart": "weight_distance"}
MAXIMA = {"max_flat": "max_flatness", "max_accurate": "max_test_accuracy"}
KNOBS = {"b": "batch_size", "eta": "learning_rate"}  # by what a step to more noise changes


@dataclass(frozen=True)
class Steps:
    """Steps from settled mini-batch cells to their noisier neighbours.

    Attributes:
        up, down: steps in which a quantity rises, and falls, ties left out; of a mean only those
            whose interval leaves out zero.
        open: of a mean, steps whose interval holds zero or that have none; of a maximum, ties.
    """

    up: int
    down: int
    open: int

    def named(self, name: str) -> Findings:
        """Both numbers, how many are decided, and how many are not."""
        decided = self.up + self.down
        counts = {"up": self.up, "down": self.down, "decided": decided, "open": self.open}
        return {f"{name}_{key}": value for key, value in counts.items()}


def steps(summary: xr.Dataset, name: str, knob: str, n_train: int) -> Steps:
    """Which way a quantity goes with more noise, by one knob alone.

    Args:
        summary: what `summarize` returns.
        name: a mean, with `name_low` and `name_high`, or a maximum without them.
        knob: "batch_size" or "learning_rate".
        n_train: training images.
    """
    cells = sweep.converged_cells(summary, n_train).sortby("learning_rate")
    cells = cells.sortby("batch_size", ascending=False)
    before, after = (
        cells.isel({knob: part}).drop_vars(knob) for part in (slice(None, -1), slice(1, None))
    )
    change = after[name] - before[name]
    low, high = _ends_of_change(before, after, name) if f"{name}_low" in cells else (change, change)
    up, down = int((low > 0).sum()), int((high < 0).sum())
    return Steps(up, down, int(change.notnull().sum()) - up - down)


def _ends_of_change(
    before: xr.Dataset, after: xr.Dataset, name: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """The interval of a difference of independent means, from the widths of theirs."""
    change = after[name] - before[name]
    below = np.hypot(after[name] - after[f"{name}_low"], before[f"{name}_high"] - before[name])
    above = np.hypot(after[f"{name}_high"] - after[name], before[name] - before[f"{name}_low"])
    return change - below, change + above


def quietest_and_noisiest(summary: xr.Dataset, n_train: int) -> tuple[Where, Where]:
    """The settled mini-batch cells with the smallest and the largest η/B; of several the one with
    the smaller learning rate is the quietest, that with the larger one the noisiest.

    Raises:
        ValueError: no cell is settled.
    """
    if not (cells := _settled(summary, n_train)):
        raise ValueError("no mini-batch cell is settled; choose smaller learning rates")
    ranked = sorted(cells, key=lambda cell: (_rate(cell) / cell["batch_size"], _rate(cell)))
    return ranked[0], ranked[-1]


def fastest(summary: xr.Dataset, n_train: int) -> Where:
    """The noisiest of the settled mini-batch cells with the largest learning rate."""
    return max(_settled(summary, n_train), key=lambda cell: (_rate(cell), -cell["batch_size"]))


def _rate(cell: Where) -> float:
    return cell["learning_rate"]


def _settled(summary: xr.Dataset, n_train: int) -> list[Where]:
    settled = sweep.converged_cells(summary, n_train).converged.notnull()
    return [
        {"batch_size": size, "learning_rate": rate}
        for size in settled.batch_size.values.tolist()
        for rate in settled.learning_rate.values.tolist()
        if settled.sel(batch_size=size, learning_rate=rate)
    ]


def share_of_descent(swept: Swept, name: str, quiet: Where, noisy: Where) -> Estimate:
    """Change of a mean of gradient descent between the learning rates of two cells, over the change
    between these cells, whose runs are resampled.

    It has no interval where that change may be none.

    Gradient descent has one run a learning rate, so that its change is taken as exact; beyond the
    step at which it is stable, that run depends on rounding.

    Args:
        swept: the sweep, with a batch of all images.
        name: one of the values of `MEANS`.
        quiet: a mini-batch cell.
        noisy: another one.
    """
    means = swept.summary.sel(threshold=sweep.MAIN_THRESHOLD)[name]
    of_descent = means.sel(batch_size=swept.n_train)
    step = float(
        of_descent.sel(learning_rate=noisy["learning_rate"])
        - of_descent.sel(learning_rate=quiet["learning_rate"])
    )
    first, last = (_values(swept, name, where) for where in (quiet, noisy))
    if not (first.size and last.size):
        return Estimate(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(swept.seed)
    drawn = [statistics.drawn_means([values], rng)[0] for values in (first, last)]
    change, changes = last.mean() - first.mean(), drawn[1] - drawn[0]
    if np.quantile(changes, 0.025) <= 0 <= np.quantile(changes, 0.975):
        return Estimate(step / change if change else np.nan, np.nan, np.nan)
    return statistics.interval(step / change, step / changes, [len(first), len(last)])


def _values(swept: Swept, name: str, where: Where) -> np.ndarray:
    """A quantity of each run of a cell, as `summarize` averages it."""
    cell = swept.found.sel(where)
    if name == "freezing_time":
        times = cell.freezing_time.sel(threshold=sweep.MAIN_THRESHOLD) * cell.learning_rate
        return times.dropna("realization").values
    return sweep.of_solutions(cell, name)


def along_learning_rate(swept: Swept) -> xr.Dataset:
    """Each of `MEANS` with its interval over (batch_size, learning_rate): of settled cells, and of
    gradient descent where it converges.
    """
    rows = swept.summary.sel(threshold=sweep.MAIN_THRESHOLD)
    names = [f"{name}{end}" for name in MEANS.values() for end in statistics.ENDS]
    return rows[names].where(rows.converged >= sweep.SETTLED)


def step_findings(swept: Swept) -> Findings:
    """Which way means and maxima go with smaller batches, and with larger learning rates.

    Returns:
        steps_NAME_b_up, _down, _decided, _open, and the same with eta: see `Steps`, for each of
        `MEANS`, `PAIRS` and `MAXIMA`; as late_lowest the freezing time by the lowest threshold.
    """
    findings: Findings = {}
    asked = [(key, name, swept.summary) for key, name in (MEANS | PAIRS | MAXIMA).items()]
    asked.append(("late_lowest", "freezing_time", _by_lowest_threshold(swept.summary)))
    for key, name, summary in asked:
        for short, knob in KNOBS.items():
            counted = steps(summary, name, knob, swept.n_train)
            findings |= counted.named(f"steps_{key}_{short}")
    return findings


def _by_lowest_threshold(summary: xr.Dataset) -> xr.Dataset:
    """The summary with the lowest threshold in the place of the paper's."""
    lowest = summary.sel(threshold=[float(summary.threshold.min())])
    return lowest.assign_coords(threshold=[sweep.MAIN_THRESHOLD])


def descent_findings(swept: Swept) -> Findings:
    """How much of each change from the quietest settled cell to the noisiest gradient descent shows
    between the same two learning rates.

    Returns:
        descent_NAME: `share_of_descent` for each of `MEANS`; descent_word_NAME, who does the larger
        part: "the step", "the noise", or that these runs cannot tell.
        descent_fast_NAME: the same share up to the cell that is `fastest`, which was asked for
        after the first numbers were seen.
        descent_quiet_b, descent_quiet_eta, and with noisy and fast: the cells.
    """
    quiet, noisy = quietest_and_noisiest(swept.summary, swept.n_train)
    fast = fastest(swept.summary, swept.n_train)
    findings: Findings = {
        f"descent_{cell}_{short}": where[knob]
        for cell, where in (("quiet", quiet), ("noisy", noisy), ("fast", fast))
        for short, knob in KNOBS.items()
    }
    for key, name in MEANS.items():
        share = share_of_descent(swept, name, quiet, noisy)
        findings |= {f"descent_{key}": share, f"descent_word_{key}": _larger(share)}
        findings[f"descent_fast_{key}"] = share_of_descent(swept, name, quiet, fast)
    return findings


def _larger(share: Estimate) -> str:
    if share.low > 0.5:
        return "the step"
    return "the noise" if share.high < 0.5 else "one of the two, which these runs cannot tell"
