"""Reads off figures what they show."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from valleys.book.figures.parts import LETTER


def colour_of(colour) -> str:
    """As the style writes it."""
    return to_hex(colour).upper()


@dataclass(frozen=True)
class Points:
    """What an error-bar plot shows."""

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    colour: str
    label: str

    def shows(self, x, y, error) -> bool:
        return all(
            np.allclose(drawn, given)
            for drawn, given in ((self.x, x), (self.y, y), (self.error, error))
        )


def points(axes: Axes) -> list[Points]:
    found = []
    for container in axes.containers:
        line, _, (bars,) = container.lines
        half = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
        found.append(
            Points(
                line.get_xdata(),
                line.get_ydata(),
                np.array(half),
                colour_of(line.get_color()),
                container.get_label(),
            )
        )
    return found


def lines(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray, str]]:
    """x, y and colour of each labelled line."""
    named = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    return {
        line.get_label(): (
            np.array(line.get_xdata()),
            np.array(line.get_ydata()),
            colour_of(line.get_color()),
        )
        for line in named
    }


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def drawn_axes(figure: Figure, n: int) -> list[Axes]:
    """The first n axes, with labels, of a figure that a browser could be given."""
    figure.canvas.draw()
    for axes in figure.axes[:n]:
        assert axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes) != [axes]
        assert axes.get_ylabel() or axes.get_shared_y_axes().get_siblings(axes) != [axes]
    return figure.axes[:n]


def title(axes: Axes) -> str:
    """The title wherever the style puts it."""
    return "".join(axes.get_title(loc=place) for place in ("left", "center"))


def written(axes: Axes) -> list[str]:
    """Everything written on a panel but its letter."""
    return [text.get_text() for text in axes.texts if not (text.get_gid() or "").startswith(LETTER)]


def letters(figure: Figure) -> list[str]:
    """The letters of the panels, in the order in which the panels were made; an empty one where
    there is none.
    """
    return [
        "".join(text.get_text() for text in axes.texts if (text.get_gid() or "").startswith(LETTER))
        for axes in figure.axes
    ]


def hatched(axes: Axes) -> list[tuple[float, float]]:
    """Corners of the rectangles that are hatched."""
    return [
        patch.get_xy()
        for patch in axes.patches
        if isinstance(patch, Rectangle) and patch.get_hatch()
    ]


def dashed(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_linestyle() == "--"]


def bands(axes: Axes) -> list[PolyCollection]:
    return [part for part in axes.collections if isinstance(part, PolyCollection)]


def band_ends(band: PolyCollection, x) -> np.ndarray:
    """Lower and upper end of a band at each x, (n, 2)."""
    vertices = band.get_paths()[0].vertices
    heights = [vertices[vertices[:, 0] == float(place), 1] for place in x]
    return np.array([[height.min(), height.max()] for height in heights])


def segments(bars: LineCollection) -> list[np.ndarray]:
    """The bars that have a length."""
    return [segment for segment in bars.get_segments() if len(segment)]


def colour_bar(axes: Axes) -> tuple[str, list[float]]:
    """Label and ends of a colour bar."""
    return axes.get_ylabel(), list(axes.get_ylim())
