"""Measure how the figures of the book look: the smallest text, and the colour that stands for each
value.

`python tools/figure_look.py [PATH ...]` reads executed notebooks, SVG files, and folders of either,
`_build/executed/paper` if none is named. It prints a line for each figure and one for each value,
and ends with 1 where text is too small, a value has two colours, or a grey is used that the dark
theme does not know.

The colour helpers of `valleys.book.figures.drawing.style` give out colours that know their value,
and lines that wear them carry it into the file as an id such as `shade:learning_rate:0.05:1`.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from valleys.book.figures.drawing.style import DARK, ON_DARK, ON_LIGHT
from valleys.paths import book_root

WIDTH = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) [\d.]+"')
# matplotlib draws glyphs 100 units high; subscripts are scaled again inside
TEXT = re.compile(r"scale\((0\.\d+) -\1\)")
# CSS pixels: the width at which a figure is read, and the least height of its text
PAGE, SMALLEST = 700, 11.0
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
SHADE = re.compile(r"shade:(\w+):([\d.e+-]+):\d+")
KNOWN = {colour.lower() for colour in (*DARK, ON_DARK, ON_LIGHT)}
GREY = 6  # levels between the channels of a colour that the eye takes for grey


@dataclass(frozen=True)
class Look:
    """What was measured of one figure."""

    name: str
    width: float  # points
    text: float  # the smallest, in pixels; infinite where there is none
    shades: frozenset[tuple[str, float, str]]  # quantity, value, colour
    strays: frozenset[str]  # greys that the dark theme would leave as they are

    def line(self) -> str:
        """A row of the table."""
        quantities = defaultdict(set)
        for quantity, value, _ in self.shades:
            quantities[quantity].add(value)
        known = "; ".join(
            f"{name.replace('_', ' ')} {', '.join(f'{value:g}' for value in sorted(values))}"
            for name, values in sorted(quantities.items())
        )
        stray = f"  STRAY {', '.join(sorted(self.strays))}" if self.strays else ""
        return f"{self.name:44} {self.width:6.0f} pt {self.text:6.1f} px  {known}{stray}"


def main(arguments: list[str]) -> int:
    """Print the table; 1 where something is wrong."""
    paths = [Path(each) for each in arguments] or [book_root() / "_build" / "executed" / "paper"]
    looks = [look_of(name, svg) for path in paths for name, svg in drawings(path)]
    print(*(look.line() for look in looks), sep="\n")
    for (quantity, value), colours in sorted(colours_of(looks).items()):
        print(f"{quantity.replace('_', ' '):16} {value:<8g} {' '.join(sorted(colours))}")
    wrong = faults(looks)
    print(f"{len(looks)} figures, {len(wrong)} faults", *wrong, sep="\n")
    return 1 if wrong or not looks else 0


def drawings(path: Path) -> Iterator[tuple[str, str]]:
    """Name and SVG text of every figure in a file or folder."""
    if path.is_dir():
        for inside in sorted([*path.rglob("*.ipynb"), *path.rglob("*.svg")]):
            yield from drawings(inside)
    elif path.suffix == ".svg":
        yield path.name, path.read_text(encoding="utf-8")
    else:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells):
            figure = cell["metadata"].get("mystnb", {}).get("figure", {})
            name = figure.get("name", f"{path.stem}, cell {number}")
            for output in cell.get("outputs", ()):
                yield from ((name, svg) for svg in _svgs(output.get("data", {})))


def _svgs(data: dict[str, str | list[str]]) -> Iterator[str]:
    """The drawings among what a cell put out, shown or glued."""
    yield from (
        "".join(content) for kind, content in data.items() if kind.endswith("image/svg+xml")
    )


def look_of(name: str, svg: str) -> Look:
    """Measure one drawing."""
    width = float(found[1]) if (found := WIDTH.search(svg)) else float("nan")
    text = min((100 * float(scale) for scale in TEXT.findall(svg)), default=float("inf"))
    greys = {colour.lower() for colour in COLOUR.findall(svg) if _is_grey(colour)}
    return Look(name, width, text * PAGE / width, frozenset(_shades(svg)), frozenset(greys - KNOWN))


def _is_grey(colour: str) -> bool:
    channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return max(channels) - min(channels) <= GREY


def _shades(svg: str) -> Iterator[tuple[str, float, str]]:
    for part in ElementTree.fromstring(svg).iter():
        if value := SHADE.fullmatch(part.get("id", "")):
            styles = " ".join(inside.get("style", "") for inside in part.iter())
            worn = {colour.lower() for colour in COLOUR.findall(styles)} - KNOWN
            yield from ((value[1], float(value[2]), colour) for colour in worn)


def colours_of(looks: Iterable[Look]) -> dict[tuple[str, float], set[str]]:
    """The colours that each value of a quantity has in any figure."""
    colours = defaultdict(set)
    for quantity, value, colour in (shade for look in looks for shade in look.shades):
        colours[quantity, value].add(colour)
    return dict(colours)


def faults(looks: Iterable[Look]) -> list[str]:
    """What is wrong, a line each."""
    looks = list(looks)
    small = [
        f"{look.name}: text of {look.text:.1f} px, {SMALLEST:g} are needed"
        for look in looks
        if look.text < SMALLEST
    ]
    stray = [
        f"{look.name}: {', '.join(sorted(look.strays))} would stay on a dark page"
        for look in looks
        if look.strays
    ]
    torn = [
        f"{quantity} {value:g} has {len(colours)} colours"
        for (quantity, value), colours in colours_of(looks).items()
        if len(colours) > 1
    ]
    return small + stray + torn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
