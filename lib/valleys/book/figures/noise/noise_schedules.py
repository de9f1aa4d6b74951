"""The figure of schedules of noise in networks."""

import xarray as xr
from matplotlib.figure import Figure

from valleys.book.figures.drawing import rows
from valleys.book.figures.drawing.parts import finished, legend_below, new_figure
from valleys.book.figures.drawing.style import KINDS, NEUTRAL

AROUND = 1.7  # inches above and below the rows
LEAST_GAIN = -1.5  # points; what is less accurate stands at the end of the axis
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


@finished
def noise_schedules(table: xr.Dataset) -> Figure:
    """Flatness at equal loss over that of the constant schedule at equal time and at equal samples,
    and accuracy at the end at equal samples, a row a schedule, with intervals.

    `table` is what `valleys.nets.analysis.noise_schedules.contrasts.table` gives.
    """
    schedules = table.schedule.values.tolist()
    size = (8.6, AROUND + rows.ROW * len(schedules))
    figure, panels = new_figure(1, 3, size, sharey=True)
    budgets, looks = table.budget.values.tolist(), {name: LOOKS[KIND[name]] for name in schedules}
    for axes, budget in zip(panels, [*budgets, budgets[-1]], strict=True):
        here, gain = table.sel(budget=budget), axes is panels[-1]
        axes.axvline(0 if gain else 1, **rows.BORDER)
        if gain:
            rows.large_marks(axes, here, "end_gain", "schedule", looks, least=LEAST_GAIN)
        else:
            rows.large_marks(axes, here, "flat", "schedule", looks)
            rows.small_marks(axes, here)
        what = (
            "gain in accuracy at the end\nover constant [points]"
            if gain
            else "flatness\nover constant"
        )
        axes.set(xlabel=what, title=f"equal {budget}")
    rows.name_rows(panels[0], [LABELS[name] for name in schedules])
    shown = {KIND[name] for name in schedules}
    legend_below(figure, rows.entries(shown, LOOKS, table.attrs), 2)
    return figure
