"""The figure of noise that dies and walls that rise, through the training of real networks."""

import xarray as xr
from matplotlib.figure import Figure

from valleys.book.figures.drawing.parts import (
    band,
    each_setting,
    finished,
    label_top,
    legend_below,
    new_figure,
    setting_entries,
    setting_look,
)
from valleys.book.figures.drawing.style import INK

PANELS = {  # quantity: its clock, and what it is called
    "train_loss": ("record_clock", "training loss"),
    "effective_noise": ("record_clock", "effective noise $Δ_S$"),
    "wall": ("branch_clock", "wall between two runs"),
}


@finished
def two_reasons(beside: xr.Dataset) -> Figure:
    """Loss, effective noise and walls against time over freezing time, a line a setting with its
    95 % interval; vertical: freezing.

    `beside` has train_loss and effective_noise (record) and wall (branch), each with `_low` and
    `_high`, and record_clock and branch_clock, by batch_size and learning_rate.
    """
    figure, panels = new_figure(3, 1, (7.2, 7.4), sharex=True)
    for axes, (name, (clock, label)) in zip(panels, PANELS.items(), strict=True):
        for setting in each_setting(beside):
            later = setting.isel({setting[clock].dims[0]: slice(1, None)})
            look = setting_look(beside, setting)
            axes.plot(later[clock], later[name], markersize=4, linewidth=1.4, **look)
            band(axes, later, clock, name, color=look["color"], alpha=0.18)
        axes.axvline(1, color=INK, linewidth=1)
        axes.set(xscale="log", yscale="log", ylabel=label)
    label_top(panels[0], "freezing", 1)
    panels[-1].set_xlabel("time over freezing time")
    legend_below(figure, setting_entries(beside), columns=4)
    return figure
