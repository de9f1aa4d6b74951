"""The figure of what neighbouring work claims of stochastic gradient descent."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    bars,
    dots,
    each,
    finished,
    legend,
    log_log,
    new_figure,
    readable_log,
)
from valleys.book.figures.drawing.style import KINDS, NEUTRAL, THEORY, learning_rate_colours

DASHED = {"color": THEORY, "linestyle": "--", "linewidth": 1.2}
BY = {  # of the noise that is varied: which settings, and their look
    "batch size": dots(color=KINDS[3]),
    "learning rate": dots(color=KINDS[4], marker="^"),
}
WHEN = {"before freezing": KINDS[1], "after": KINDS[2]}
STYLES = {"moved": "-", "apart": ":"}
HOWS = {"bouncing": "bouncing", "floor": "on the floor"}


@finished
def neighbours(
    courses: xr.Dataset, drift: xr.Dataset, spreading: xr.Dataset, walkers: xr.Dataset
) -> Figure:
    """Sharpness along training, the gain by noise on a floor, mean square displacements, and
    flatness with and without the bounce.

    Args:
        courses: what `sharpness_courses` of `valleys.nets.analysis.neighbours.courses` gives.
        drift: what `drift` of the module `floors` beside it gives.
        spreading: what `spreading` of `clouds` gives.
        walkers: what `against_calm` of `bounces` gives.
    """
    figure, ((first, second), (third, fourth)) = new_figure(2, 2, (8.4, 6.6))
    for rate, colour in learning_rate_colours(courses.learning_rate.values).items():
        course = courses.sel(learning_rate=rate)
        first.plot(course.time[1:], course.sharpness[1:], color=colour, label=f"η = {rate:g}")
    log_log(first, "training time ηt", "sharpness λ₁")
    first.legend()
    _gains(second, drift)
    _squares(third, spreading)
    _walkers(fourth, walkers)
    return figure


def _gains(axes: Axes, drift: xr.Dataset) -> None:
    """Gains against the noise, and a line of slope one through the strongest."""
    of_size, of_rate = drift.rate == drift.rate.max(), drift["size"] == drift["size"].min()
    for look, chosen in zip(BY.values(), (of_size, of_rate), strict=True):
        some = drift.isel(setting=np.flatnonzero(chosen & (drift.gain > 0)))
        ends = bars(some.gain, some.gain_low.clip(min=some.gain / 30), some.gain_high)
        axes.errorbar(some.noise, some.gain, yerr=ends, **look, capsize=2)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's
    strongest = drift.isel(setting=int(drift.noise.argmax("setting")))
    reach = np.array([drift.noise.min(), drift.noise.max()])
    axes.plot(reach, float(strongest.gain) * reach / float(strongest.noise), **DASHED)
    log_log(axes, "noise η/B", "gain in ln of flatness")
    readable_log(axes, across=True)
    legend(axes, {f"by {name}": look for name, look in BY.items()} | {"∝ η/B": DASHED})


def _squares(axes: Axes, spreading: xr.Dataset) -> None:
    """Mean squares against the lag, and a random walk."""
    for colour, here in zip(WHEN.values(), each(spreading, "moment"), strict=False):
        for name, style in STYLES.items():
            axes.plot(spreading.lag, here[name], color=colour, linestyle=style)
    axes.plot(spreading.lag, spreading.lag / spreading.lag[0], **DASHED)
    log_log(axes, "updates since the window began", "mean square, over the first")
    looks = {when: {"color": colour} for when, colour in WHEN.items()}
    looks |= {"from the mean of copies": {"color": NEUTRAL, "linestyle": ":"}}
    legend(axes, looks | {"random walk": DASHED})


def _walkers(axes: Axes, walkers: xr.Dataset) -> None:
    """Flatness of both walkers over that of gradient descent."""
    for place, how in enumerate(HOWS):
        row = walkers.sel(how=[how])
        ends = bars(row.flat, row.flat_low, row.flat_high)
        axes.errorbar([place], row.flat, yerr=ends, color=KINDS[0], marker="s", capsize=3)
    axes.axhline(1, color=NEUTRAL, linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(HOWS)), list(HOWS.values()))
    axes.set(xlim=(-0.6, 1.6), xlabel="walker", ylabel="flatness over\ngradient descent")
