"""The figure of the convolutional network of Fig. S5."""

import xarray as xr
from matplotlib.figure import Figure

from valleys.book.figures.drawing.heat_maps import heat_map, map_panels
from valleys.book.figures.drawing.parts import finished

PANELS = {  # title and form of a value
    "freezing_time": ("freezing time ηt", "{:.0f}"),
    "flatness": ("flatness F", "{:.2f}"),
    "accuracy": ("test accuracy [%]", "{:.1f}"),
    "wall": ("wall between runs over loss", "{:.1f}"),
}


@finished
def cifar_network(table: xr.Dataset) -> Figure:
    """Four maps over batch size and learning rate; cells that were not computed are hatched.

    `table` is what `valleys.nets.analysis.generality.cifar_network.maps` gives.
    """
    figure, panels = map_panels(2)
    for axes, (name, (title, form)) in zip(panels, PANELS.items(), strict=True):
        heat_map(axes, table, name, title, form)
    return figure
