"""Reads off figures what they show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from valleys.book.figures.drawing.parts import LETTER


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


def error_bars(axes: Axes) -> list[ErrorbarContainer]:
    return [each for each in axes.containers if isinstance(each, ErrorbarContainer)]


def points(axes: Axes) -> list[Points]:
    found = []
    for container in error_bars(axes):
        line, _, (bars,) = container.lines
        half = np.array([np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()])
        colour, label = colour_of(line.get_color()), str(container.get_label())
        found.append(Points(x_of(line), y_of(line), half, colour, label))
    return found


def x_of(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_xdata(orig=False))


def y_of(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_ydata(orig=False))


def xy_of(drawn: Line2D | Collection) -> np.ndarray:
    """Places of the points, (n, 2)."""
    return np.asarray(drawn.get_xydata() if isinstance(drawn, Line2D) else drawn.get_offsets())


def cells_of(image: ScalarMappable) -> np.ma.MaskedArray:
    """The values that a map shows, masked where it shows none."""
    values: Any = image.get_array()
    return np.ma.asarray(values)


def lines(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray, str]]:
    """x, y and colour of each labelled line."""
    named = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    return {
        str(line.get_label()): (x_of(line), y_of(line), colour_of(line.get_color()))
        for line in named
    }


def legend(axes: Axes) -> list[str]:
    drawn = axes.get_legend()
    assert drawn is not None
    return [text.get_text() for text in drawn.get_texts()]


def drawn_axes(figure: Figure, n: int) -> list[Axes]:
    """The first n axes, with labels, of a figure that a browser could be given."""
    figure.canvas.draw()
    for axes in figure.axes[:n]:
        assert axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes) != [axes]
        shares = axes.get_shared_y_axes().get_siblings(axes) != [axes]
        assert axes.get_ylabel() or shares or _is_named_beside(axes)
    return figure.axes[:n]


def _is_named_beside(axes: Axes) -> bool:
    """Whether this is a map beside another one, on whose left side the axis of both is named."""
    place = axes.get_subplotspec()
    return bool(axes.images) and place is not None and not place.is_first_col()


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
    vertices = np.asarray(band.get_paths()[0].vertices)
    heights = [vertices[vertices[:, 0] == float(place), 1] for place in x]
    return np.array([[height.min(), height.max()] for height in heights])


def bars_of(axes: Axes) -> list[LineCollection]:
    return [part for part in axes.collections if isinstance(part, LineCollection)]


def segments(bars: LineCollection) -> list[np.ndarray]:
    """The bars that have a length."""
    return [segment for segment in bars.get_segments() if len(segment)]


def colour_bar(axes: Axes) -> tuple[str, list[float]]:
    """Label and ends of a colour bar."""
    return axes.get_ylabel(), list(axes.get_ylim())


def marks(axes: Axes) -> list[tuple[float, float, Any, np.ndarray]]:
    """Place, value, colour and interval of each mark that is drawn alone."""
    found = []
    for each in error_bars(axes):
        line, _, (bars,) = each.lines
        if len(x_of(line)) == 1:
            ends = bars.get_segments()[0][:, 0]
            found.append((float(y_of(line)[0]), float(x_of(line)[0]), line.get_color(), ends))
    return found
