"""What a sweep finds, section by section: likeness, accuracy, flatness and freezing with noise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis import sweep
from valleys.nets.analysis.selection import probability_of_superiority
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

Where = Mapping[str, float]  # batch_size and learning_rate of a cell
LATE = 1.1  # last return over first passage from which on the two are told apart
LIKENESS = ("similarity", "similarity_full", "weight_cosine", "weight_distance")
CONTROLS = {
    "ratio_way": "flatness",
    "relative": "relative_flatness",
    "whole": "whole_network_flatness",
}


@dataclass(frozen=True)
class Swept:
    """A sweep with its summary, and how findings are resampled.

    Attributes:
        found: what `sweep` returns, with the flatness followed where it is compared along training.
        summary: what `summarize` makes of it.
        n_train: training images; a batch of all of them is gradient descent.
        seed: of the bootstrap.
    """

    found: xr.Dataset
    summary: xr.Dataset
    n_train: int
    seed: int = 0

    @classmethod
    def of(cls, found: xr.Dataset, n_train: int, *, seed: int = 0) -> "Swept":
        """A sweep, summarized."""
        return cls(found, sweep.summarize(found, seed=seed), n_train, seed)

    def ends(self, learning_rate: float) -> tuple[Where, Where]:
        """The noisiest and the quietest cell at a learning rate.

        These are the smallest converged mini-batch, and the largest batch of the sweep.

        Raises:
            ValueError: too few mini-batch runs converge in every cell at this learning rate.
        """
        smallest = sweep.noisiest_batch_size(self.summary, learning_rate, self.n_train)
        sizes = (smallest, int(self.summary.batch_size.max()))
        noisy, quiet = ({"batch_size": size, "learning_rate": learning_rate} for size in sizes)
        return noisy, quiet

    def estimate(self, name: str, where: Where) -> Estimate:
        """A mean of one cell with its interval."""
        return sweep.estimate(self.summary, name, **where)

    def rising(self, name: str) -> int:
        """In how many steps to a noisier neighbour a mean rises."""
        return sweep.rising_steps(self.summary, name, self.n_train)[0]

    def steps(self, name: str) -> int:
        """How many steps to a noisier neighbour there are."""
        return sweep.rising_steps(self.summary, name, self.n_train)[1]

    def explained(self, name: str, by: str) -> Estimate:
        """Share of the variance of one quantity of the converged cells that another explains."""
        return sweep.variance_explained(self.summary, name, by, self.n_train, seed=self.seed)

    def ratio(self, name: str, noisy: Where, quiet: Where) -> Estimate:
        """Mean of a quantity over the solutions of one cell, over that of another."""
        cells = (self.found.sel(where) for where in (noisy, quiet))
        groups = (sweep.of_solutions(cell, name) for cell in cells)
        return statistics.ratio(*groups, rng=np.random.default_rng(self.seed))

    def delay(self, noisy: Where, quiet: Where, threshold: float) -> Estimate:
        """Mean step at which the runs of one cell reach a threshold, over that of another."""
        times = self.found.freezing_time.sel(threshold=threshold)
        groups = (times.sel(where).dropna("realization") for where in (noisy, quiet))
        return statistics.ratio(*groups, rng=np.random.default_rng(self.seed))


def cell_findings(swept: Swept) -> Findings:
    """What the maps of the sweep hold, and how well its runs are trained.

    Returns:
        n_small, n_full: images of both test sets.
        cells, lost: cells of a map, and those in which no run converged.
        worst, worst_b, worst_eta: lowest mean training accuracy, and where.
        loss_min, loss_max: range of the final training loss over the converged mini-batch cells.
    """
    summary = swept.summary
    losses = sweep.converged_cells(summary, swept.n_train).train_loss
    worst = summary.isel(summary.train_accuracy.fillna(0).argmin(...))
    return {
        "n_small": swept.found.sizes["test_image"],
        "n_full": swept.found.sizes["full_test_image"],
        "cells": summary.converged.size,
        "lost": int((summary.converged == 0).sum()),
        "worst": float(worst.train_accuracy),
        "worst_b": worst.batch_size.item(),
        "worst_eta": worst.learning_rate.item(),
        "loss_min": float(losses.min()),
        "loss_max": float(losses.max()),
    }


def run_findings(run: xr.Dataset, threshold: float) -> Findings:
    """One run when it freezes, and at its end (Fig. 3A).

    Args:
        run: one realization of one cell.
        threshold: L_c of the freezing time.

    Returns:
        freeze: step at which it freezes.
        after_train, after_test: accuracies at the first record from then on.
        end_test: test accuracy at the last record.
    """
    freeze = float(run.freezing_time.sel(threshold=threshold))
    after = run.isel(record=int(np.searchsorted(run.step, freeze)))
    return {
        "freeze": freeze,
        "after_train": float(after.train_accuracy),
        "after_test": float(after.test_accuracy),
        "end_test": float(run.test_accuracy[-1]),
    }


def spread_findings(swept: Swept, plane: xr.Dataset, low: Where, high: Where) -> Findings:
    """How far runs of one cell end apart, with little and with much noise (Figs. 2A to 2C).

    Args:
        swept: the sweep.
        plane: what a `Plane` of both cells gives, in this order.
        low: the cell with little noise.
        high: the cell with much noise.

    Returns:
        NAME_low, NAME_high: each mean of `LIKENESS` over pairs of runs.
        width_low, width_high: root mean square distance of the ends from their middle in the plane.
        steps: from a converged mini-batch cell to its noisier neighbour; in `sim_falling` of them
            runs share fewer of their mistakes on all test images, in `farther` they end farther
            apart.
    """
    ends = plane.position.isel(record=-1)
    squares = ((ends - ends.mean("realization")) ** 2).sum("component").mean("realization")
    findings: Findings = {}
    for index, (end, where) in enumerate({"low": low, "high": high}.items()):
        findings |= {f"{name}_{end}": swept.estimate(name, where) for name in LIKENESS}
        findings[f"width_{end}"] = float(np.sqrt(squares)[index])
    steps = swept.steps("similarity_full")
    return findings | {
        "steps": steps,
        "sim_falling": steps - swept.rising("similarity_full"),
        "farther": swept.rising("weight_distance"),
    }


def accuracy_findings(swept: Swept) -> Findings:
    """Whether the best run on the small test set tells how well a cell generalizes (Fig. 2D).

    Returns:
        told: share of the variance of the maximum on the small set that the mean on all explains.
        easier: mean accuracy on the small set less that on all images, percentage points.
        rising_max_test_accuracy, rising_full_test_accuracy: in how many steps to a noisier
            neighbour each rises.
    """
    names = ("max_test_accuracy", "full_test_accuracy")
    easier = (swept.summary.test_accuracy - swept.summary.full_test_accuracy).mean()
    findings: Findings = {"told": swept.explained(*names), "easier": 100 * float(easier)}
    return findings | {f"rising_{name}": swept.rising(name) for name in names}


def gain_findings(swept: Swept, noisy: Where, quiet: Where) -> Findings:
    """How much better one cell generalizes than another, in percentage points (Fig. 2E).

    Returns:
        gain, mean_gain: difference of the means on all test images, with its interval and without.
        error: standard error of one accuracy from the number of images of the small test set.
    """
    gain = _gain(swept, noisy, quiet)
    share = float(swept.summary.full_test_accuracy.sel(noisy))
    error = 100 * np.sqrt(share * (1 - share) / swept.found.sizes["test_image"])
    return {
        "gain": gain.scaled(100),
        "mean_gain": 100 * gain.value,
        "error": float(error),
    }


def weak_findings(swept: Swept, learning_rate: float, threshold: float) -> Findings:
    """What noise does where it is weakest.

    Args:
        swept: the sweep.
        learning_rate: its smallest.
        threshold: L_c.

    Returns:
        gain_weak: gain of the noisiest over the quietest cell, percentage points.
        delay_weak: freezing time of the noisiest over that of the quietest cell.
        weakest, weak_b: the learning rate, and the batch size of the noisiest cell.
    """
    noisy, quiet = swept.ends(learning_rate)
    return {
        "gain_weak": _gain(swept, noisy, quiet).scaled(100),
        "delay_weak": swept.delay(noisy, quiet, threshold),
        "weakest": learning_rate,
        "weak_b": noisy["batch_size"],
    }


def _gain(swept: Swept, noisy: Where, quiet: Where) -> Estimate:
    cells = (swept.found.sel(where) for where in (noisy, quiet))
    return sweep.accuracy_gain(*cells, seed=swept.seed)


def flatness_findings(swept: Swept, noisy: Where, quiet: Where) -> Findings:
    """Whether noisier cells end in flatter valleys, and whether these generalize (Figs. 2F, G).

    Returns:
        flat_noisy, flat_quiet, flat_ratio: mean flatness of both cells, and their ratio.
        max_ratio: ratio of the flattest runs.
        flatter, flatter_max: in how many steps to a noisier neighbour mean and maximum rise.
        told_flat: share of the variance of the maximum that the mean explains.
        ahead, ahead_accuracy: share of the pairs of a noisy and a quiet run in which the noisy one
            is flatter, and in which it is more accurate on all test images.
    """
    flattest = swept.summary.max_flatness
    return {
        "flat_noisy": swept.estimate("flatness", noisy),
        "flat_quiet": float(swept.summary.flatness.sel(quiet)),
        "flat_ratio": swept.ratio("flatness", noisy, quiet),
        "max_ratio": float(flattest.sel(noisy) / flattest.sel(quiet)),
        "flatter": swept.rising("flatness"),
        "flatter_max": swept.rising("max_flatness"),
        "told_flat": swept.explained("max_flatness", "flatness"),
        "ahead": _ahead(swept, "flatness", noisy, quiet),
        "ahead_accuracy": _ahead(swept, "full_test_accuracy", noisy, quiet),
    }


def _ahead(swept: Swept, name: str, noisy: Where, quiet: Where) -> float:
    cells = (swept.found.sel(where) for where in (noisy, quiet))
    return probability_of_superiority(*(sweep.of_solutions(cell, name) for cell in cells))


def control_findings(swept: Swept, noisy: Where, quiet: Where, level: float) -> Findings:
    """Whether noisy solutions are flatter at equal loss, by scale and in the whole network, too.

    Args:
        swept: the sweep.
        noisy: the noisier cell.
        quiet: the other one.
        level: training loss at which flatness is compared.

    Returns:
        level_noisy, level_quiet: mean flatness where the training loss falls through the level.
        ratio_way, relative, whole: flatness of the noisier cell over that of the other at the end;
            of the second layer, over the square of its weights, and of the whole network.
        probed: noisy solutions whose whole network was probed.
    """
    cells = [swept.found.sel(where) for where in (noisy, quiet)]
    at_level = [
        statistics.mean(sweep.flatness_at_loss(cell, level), np.random.default_rng(swept.seed))
        for cell in cells
    ]
    ratios = {key: swept.ratio(name, noisy, quiet) for key, name in CONTROLS.items()}
    return {
        "level_noisy": at_level[0],
        "level_quiet": at_level[1].value,
        **ratios,
        "probed": len(sweep.of_solutions(cells[0], CONTROLS["whole"])),
    }


def transient_findings(course: xr.Dataset) -> Findings:
    """Whether flatness goes on growing until the end of training (Fig. 3B).

    Args:
        course: what `courses` gives.

    Returns:
        end_loss_low, end_loss_high, end_loss_ratio: range of the mean final training losses.
        growing, tenths: of the intervals between ten moments from a tenth of training on, over all
            batch sizes, in how many the mean flatness grows, and how many there are.
    """
    followed = course.flatness.dropna("record", how="any")
    n = followed.sizes["record"]
    moments = np.unique(np.linspace(n // 10, n - 1, 10).astype(int))
    tenths = followed.isel(record=moments).diff("record")
    losses = course.train_loss.isel(record=-1)
    return {
        "end_loss_low": float(losses.min()),
        "end_loss_high": float(losses.max()),
        "end_loss_ratio": float(losses.max() / losses.min()),
        "growing": int((tenths > 0).sum()),
        "tenths": tenths.size,
    }


def freezing_findings(swept: Swept, noisy: Where, quiet: Where, threshold: float) -> Findings:
    """Whether noise delays freezing, in units of training time, η · step (Fig. 3C).

    Args:
        swept: the sweep.
        noisy: the noisier of two cells of one learning rate.
        quiet: the other one.
        threshold: L_c of the paper.

    Returns:
        freeze_noisy, freeze_quiet: mean freezing times of both cells.
        soonest, latest: range of the means over all cells.
        later: in how many steps to a noisier neighbour freezing comes later.
        clear, rates: at how many learning rates the smallest mini-batches freeze later than the
            largest with an interval that excludes zero, and of how many.
        delay, delay_lowest: freezing time of the noisier cell over that of the other, by the
            threshold of the paper and by the lowest one, `lowest`.
    """
    times = swept.summary.sel(threshold=threshold)
    effects = sweep.noise_effect(swept.summary, "freezing_time", swept.n_train)
    return {
        "freeze_noisy": sweep.estimate(times, "freezing_time", **noisy),
        "freeze_quiet": float(times.freezing_time.sel(quiet)),
        "soonest": float(times.freezing_time.min()),
        "latest": float(times.freezing_time.max()),
        "later": swept.rising("freezing_time"),
        "clear": int((effects.clear & (effects.value > 0)).sum()),
        "rates": effects.clear.size,
        "delay": swept.delay(noisy, quiet, threshold),
        "delay_lowest": swept.delay(noisy, quiet, _lowest(swept)),
        "lowest": _lowest(swept),
    }


def return_findings(swept: Swept, noisy: Where, quiet: Where, threshold: float) -> Findings:
    """How often the loss comes back above the threshold after it froze, and how much later it stays
    below for good.

    Stated on 2026-11-29, before a number was seen: the first passage stands for the end of the
    search where the last return comes less than a tenth later, a border below what is called a
    delay here.

    Args:
        swept: the sweep.
        noisy: the noisier of two cells of one learning rate.
        quiet: the other one.
        threshold: L_c.

    Returns:
        back, back_noisy: share of the runs that come back, of settled mini-batch cells and of the
            noisier cell.
        back_most, back_b, back_eta: the largest share of a settled cell, and where it is.
        good, good_noisy: step of the last return over that of the first passage, one for a run that
            never comes back, mean over runs.
        good_word: a clause, whether the first passage marks the end of the search.
        delay_good: last return of the noisier cell over that of the other one.
    """
    first = swept.found.freezing_time.sel(threshold=threshold)
    last = swept.found.last_return.sel(threshold=threshold).fillna(first)
    settled = sweep.converged_cells(swept.summary, swept.n_train).converged.notnull()
    back, later = (
        values.where(first.notnull() & settled).sel(batch_size=settled.batch_size)
        for values in (last > first, last / first)
    )
    shares = back.mean("realization")
    most = shares.isel(shares.fillna(-1).argmax(...))
    good = _over_cells(later, swept.seed)
    groups = [last.sel(where).dropna("realization").values for where in (noisy, quiet)]
    of_noisy = last.sel(noisy).dropna("realization") > first.sel(noisy).dropna("realization")
    return {
        "back": _over_cells(back, swept.seed),
        "back_noisy": statistics.share(int(of_noisy.sum()), of_noisy.size),
        "back_most": float(most),
        "back_b": most.batch_size.item(),
        "back_eta": most.learning_rate.item(),
        "good": good,
        "good_noisy": _over_cells(later.sel({k: [v] for k, v in noisy.items()}), swept.seed),
        "good_word": _marks(good),
        "delay_good": statistics.ratio(*groups, rng=np.random.default_rng(swept.seed)),
    }


def _marks(later: Estimate) -> str:
    """The first passage, the end of the search, by the whole interval."""
    if later.low > LATE:
        return "the first crossing does not mark the end of the search"
    if later.high > LATE:
        return "we cannot say whether the first crossing marks the end of the search"
    return "the first crossing marks the end of the search"


def _over_cells(values: xr.DataArray, seed: int) -> Estimate:
    """Mean over cells of means over their runs, which are resampled."""
    by = ("batch_size", "learning_rate")
    return statistics.stratified_mean(values, np.random.default_rng(seed), by=by)


def lowest_threshold_findings(swept: Swept, noisy: Where) -> Findings:
    """How many runs fall to the lowest threshold (Figs. 3D and S3).

    Args:
        swept: the sweep.
        noisy: a cell.

    Returns:
        reached: its runs that reach the lowest threshold.
    """
    reached = swept.found.freezing_time.sel(noisy).sel(threshold=_lowest(swept)).notnull()
    return {"reached": int(reached.sum())}


def _lowest(swept: Swept) -> float:
    return float(swept.summary.threshold.min())
