"""The figure of schedules of noise in networks."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import Look, bars, finished, legend_below, new_figure
from valleys.book.figures.drawing.style import INK, KINDS, NEUTRAL

LEVEL = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": ":"}
APART = 0.16  # of the marks of the two losses
ROW = 0.27  # inches
AROUND = 1.7  # inches above and below the rows
# how schedules are called, and of what kind they are
LABELS = {
    "rising": "noise rises",
    "falling": "noise falls",
    "search_rising": "rises in the search",
    "search_falling": "falls in the search",
    "early": "noise before freezing",
    "late": "noise after freezing",
    "calm": "hardly any noise",
    "strong": "more noise",
    "cosine": "cosine",
    "step": "step",
    "warm_up": "warm-up",
    "decay_before": "decay before freezing",
    "decay_at": "decay at freezing",
    "decay_after": "decay after freezing",
    "restarts": "restarts",
    "aware_rate": "frozen: lower rate",
    "aware_size": "frozen: larger batch",
}
LOOKS: dict[str, dict[str, str]] = {  # of each kind
    "noise by batch size, one dose": {"color": KINDS[0], "marker": "o"},
    "another amount of noise": {"color": NEUTRAL, "marker": "s"},
    "learning rate": {"color": KINDS[1], "marker": "D"},
    "rule that looks": {"color": KINDS[3], "marker": "^"},
}
KIND = dict.fromkeys(LABELS, "noise by batch size, one dose")
KIND |= dict.fromkeys(("calm", "strong"), "another amount of noise")
KIND |= dict.fromkeys(("aware_rate", "aware_size"), "rule that looks")
KIND |= dict.fromkeys(
    ("cosine", "step", "warm_up", "decay_before", "decay_at", "decay_after", "restarts"),
    "learning rate",
)
FAINT = {"color": NEUTRAL, "marker": ".", "markersize": 4, "linestyle": "none"}


@finished
def noise_schedules(table: xr.Dataset) -> Figure:
    """Flatness at equal loss over that of the constant schedule at equal time and at equal samples,
    and accuracy at the end at equal samples, a row a schedule, with intervals.

    `table` is what `valleys.nets.analysis.noise_schedules.contrasts.table` gives.
    """
    schedules = table.schedule.values.tolist()
    size = (8.6, AROUND + ROW * len(schedules))
    figure, panels = new_figure(1, 3, size, sharey=True)
    budgets = table.budget.values.tolist()
    for axes, budget in zip(panels, [*budgets, budgets[-1]], strict=True):
        here, gain = table.sel(budget=budget), axes is panels[-1]
        axes.axvline(0 if gain else 1, **LEVEL)
        _rows(axes, here, "end_gain" if gain else "flat")
        if not gain:
            _faint(axes, here)
        what = "accuracy at the end\nless constant [points]" if gain else "flatness\nover constant"
        axes.set(xlabel=what, title=f"equal {budget}")
    panels[0].set_yticks(range(len(schedules)), [LABELS[name] for name in schedules])
    panels[0].set_ylim(len(schedules) - 0.5, -0.5)
    legend_below(figure, _entries(schedules, table.attrs), 2)
    return figure


def _rows(axes: Axes, here: xr.Dataset, name: str) -> None:
    """A mark with its interval for each schedule that is there."""
    for place, row in enumerate(
        here.isel(schedule=[each]) for each in range(here.sizes["schedule"])
    ):
        value, low, high = (row[f"{name}{end}"].values for end in ("", "_low", "_high"))
        if np.isfinite(value).all():
            look: dict[str, object] = {**LOOKS[KIND[str(row.schedule.values[0])]], "capsize": 2}
            axes.errorbar(value, [place + APART], xerr=bars(value, low, high), **look)  # pyright: ignore[reportArgumentType]  # the look is matplotlib's


def _faint(axes: Axes, here: xr.Dataset) -> None:
    """Small marks at the highest loss that is compared."""
    value, low, high = (here[f"flat_0{end}"].values for end in ("", "_low", "_high"))
    places = np.arange(len(value)) - APART
    axes.errorbar(value, places, xerr=bars(value, low, high), linewidth=0.8, **FAINT)  # pyright: ignore[reportArgumentType]


def _entries(schedules: list[str], attrs: dict[str, float]) -> Mapping[str, Look]:
    """Kinds that are there, and which mark is at which loss."""
    known = {KIND[name] for name in schedules}
    kinds = {name: {**look, "linestyle": "none"} for name, look in LOOKS.items() if name in known}
    large = {"color": INK, "marker": "o", "linestyle": "none"}
    losses = {f"at a loss of {attrs['lowest']:g}": large, f"at {attrs['highest']:g}": FAINT}
    return kinds | losses
