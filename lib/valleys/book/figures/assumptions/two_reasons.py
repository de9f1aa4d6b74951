"""The figure of noise that dies and walls that rise, through the training of real networks."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    Look,
    band,
    decimals,
    each_setting,
    finished,
    label_top,
    legend_below,
    new_figure,
    setting_entries,
    setting_look,
)
from valleys.book.figures.drawing.style import INK, NEUTRAL

FIRST = 0.03  # of the freezing time: before that there is hardly a wall

PANELS = {  # quantity: its clock, and what it is called
    "train_loss": ("record_clock", "training loss"),
    "effective_noise": ("record_clock", "effective noise $Δ_S$"),
    "wall": ("branch_clock", "wall between runs"),
}


@finished
def two_reasons(beside: xr.Dataset) -> Figure:
    """Loss, effective noise and walls against time over freezing time, a line a setting with its
    95 % interval; shaded: after freezing.

    `beside` has train_loss and effective_noise (record) and wall (branch), each with `_low` and
    `_high`, and record_clock and branch_clock, by batch_size and learning_rate.
    """
    figure, panels = new_figure(3, 1, (7.2, 6.6), sharex=True, height_ratios=(4, 5, 5))
    last = float(beside.record_clock.max())
    for axes, (name, (clock, label)) in zip(panels, PANELS.items(), strict=True):
        for setting in each_setting(beside):
            _course(axes, setting, clock, name, setting_look(beside, setting))
        axes.axvspan(1, 1.1 * last, color=NEUTRAL, alpha=0.12, linewidth=0)
        axes.axvline(1, color=INK, linewidth=1)
        axes.set(xscale="log", yscale="log", xlim=(FIRST, 1.1 * last), ylabel=label)
    label_top(panels[0], "frozen", 1)
    panels[-1].set_xlabel("time over freezing time")
    panels[-1].xaxis.set_major_formatter(decimals())
    legend_below(figure, setting_entries(beside), columns=4)
    return figure


def _course(axes: Axes, setting: xr.Dataset, clock: str, name: str, look: Look) -> None:
    """A quantity of one setting from the first place after the start on, with its interval where
    that has a logarithm.
    """
    later = setting.isel({setting[clock].dims[0]: slice(1, None)})
    axes.plot(later[clock], later[name], markersize=4, linewidth=1.4, **look)
    low = later[f"{name}_low"]
    shown = later.assign({low.name: low.where(low > 0)})
    band(axes, shown, clock, name, color=look["color"], alpha=0.15)
