"""Figures of noise that follows a schedule in the two-valley model."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    WIDE,
    dots,
    each,
    finished,
    legend,
    legend_below,
    log_log,
    new_figure,
    points,
)
from valleys.book.figures.drawing.style import FREE, INK, KINDS, NEUTRAL, THEORY

NOISE_LABEL = "effective noise $Δ_S$"
TIME_LABEL = "time ηt"
WRONG = "share of the sharp valley at the end"
LOOKS = {  # of each schedule
    "best": {"color": FREE, "linewidth": 2.4},
    "with the ridge": {"color": KINDS[5], "linestyle": (0, (4, 1))},
    "linear rise": {"color": KINDS[1]},
    "constant": {"color": INK, "linestyle": "--"},
    "step": {"color": KINDS[4], "linestyle": ":"},
    "cosine": {"color": KINDS[2], "linestyle": "-."},
    "linear fall": {"color": NEUTRAL},
    "best in time": {"color": KINDS[5], "linestyle": (0, (4, 1))},
}


@finished
def best_schedule(way: xr.Dataset) -> Figure:
    """The best noise, its law and the ridge over time, and the odds of the flat valley with theirs;
    `way` is of `analysis.schedules.course`.
    """
    figure, (left, right) = new_figure(1, 2, WIDE)
    left.plot(way.time, way.ridge, color=NEUTRAL, label="ridge, $ΔL\\,f_2/2$")
    left.plot(way.time, way.noise, label="best noise", **LOOKS["best"])
    left.plot(way.time, way.law, color=THEORY, linestyle="--", linewidth=1, label="law")
    log_log(left, TIME_LABEL, NOISE_LABEL)
    right.plot(way.time, way.odds, label="under the best noise", **LOOKS["best"])
    right.plot(way.time, way.law_odds, color=THEORY, linestyle="--", linewidth=1, label="law")
    log_log(right, TIME_LABEL, "odds of the flat valley")
    for axes in (left, right):
        axes.legend(loc="upper left")
    return figure


@finished
def schedules_compared(shown: xr.Dataset, over: xr.DataArray) -> Figure:
    """Schedules of one duration, and how much more of the sharp valley each leaves than the best,
    against the duration.

    `shown` has noise (schedule, piece) and time (border); `over` is (duration, schedule).
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.4))
    middles = (shown.time.values[1:] + shown.time.values[:-1]) / 2
    settled = middles > 0.001 * float(shown.time[-1])
    for name in over.schedule.values:
        look = LOOKS[str(name)]
        left.plot(middles[settled], shown.noise.sel(schedule=name)[settled], **look)
        right.plot(over.duration, over.sel(schedule=name), **look)
    left.set(xscale="log", yscale="log", xlabel=TIME_LABEL, ylabel=NOISE_LABEL)
    left.set_ylim(float(shown.noise.max()) / 1000, 1.5 * float(shown.noise.max()))
    right.set(xscale="log", yscale="log", xlabel="duration ηT", ylabel="sharp share over the best")
    _plain_ticks(right)
    names = [str(name) for name in over.schedule.values]
    legend_below(figure, {name: LOOKS[name] for name in names}, 4)
    return figure


def _plain_ticks(axes: Axes) -> None:
    axes.set_yticks([1, 1.5, 2, 3, 5], ["1", "1.5", "2", "3", "5"])
    axes.minorticks_off()


@finished
def steps_of_schedules(stepped: xr.Dataset, small: xr.DataArray, runs: xr.Dataset) -> Figure:
    """The share of the sharp valley at the end against the root of the learning rate: master
    equation (lines), small steps (open diamonds at 0), and runs of the best schedule.

    `stepped` has p_flat (schedule, learning_rate), `small` the share over schedule, `runs` p_flat
    and its error over learning_rate.
    """
    figure, axes = new_figure(1, 1, (7.2, 4.2))
    for row in each(stepped.p_flat, "schedule"):
        name = str(row.schedule.item())
        look = LOOKS[name]
        axes.plot(np.sqrt(row.learning_rate), 1 - row, label=name, marker=".", **look)
        place = dots(marker="D", color=look["color"], fillstyle="none", clip_on=False)
        axes.plot(0, 1 - float(small.sel(schedule=name)), **place)
    look = dots(color=FREE, markersize=7, label="runs, best")
    points(axes, np.sqrt(runs.learning_rate), 1 - runs.p_flat, runs.p_flat_error, **look)
    axes.set(xlabel="root of the learning rate, $\\sqrt{η}$", ylabel=WRONG)
    axes.set_xlim(0, None)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@finished
def budgets(shown: xr.Dataset, wrong: xr.DataArray) -> Figure:
    """How samples are spent, and the share of the sharp valley that each spending leaves.

    `shown` has noise (spending, piece) and samples (border) of one budget; `wrong` is (n_samples,
    spending).
    """
    figure, (left, right) = new_figure(1, 2, (8.6, 4.1))
    spent = shown.samples.values[1:] / float(shown.samples[-1])
    entries = {}
    for name in map(str, wrong.spending.values):
        label = "best in samples" if name == "best" else name
        entries[label] = LOOKS[name]
        left.plot(spent, shown.noise.sel(spending=name), **LOOKS[name])
        right.plot(wrong.n_samples, wrong.sel(spending=name), marker=".", **LOOKS[name])
    left.set(yscale="log", xlabel="part of the samples", ylabel=NOISE_LABEL)
    log_log(right, "samples", WRONG)
    legend(right, entries, loc="lower left")
    return figure
