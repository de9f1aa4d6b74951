"""Sphinx extension: each figure of matplotlib and each drawing of the book gets a twin for the
dark theme, in which its neutral colours are light.

Both are files: a browser fetches the one that the theme shows, when the reader comes near it, and
reads its alt text once.
"""

import copy
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from valleys.book.extensions.accessible import EMBEDDED, drawing, size
from valleys.book.extensions.written import PARSED, add_class, has_class
from valleys.book.figures.drawing import style
from valleys.results import atomic

IMAGES = "_images"
ENDING = ".dark.svg"
LIGHT, DARK = "only-light", "only-dark"  # classes of the theme
# marks of what is drawn in the colours of the book: by matplotlib, and by hand
OURS = ("<dc:title>Matplotlib", '<svg xmlns="http://www.w3.org/2000/svg" class="drawing"')
BLACK = "#000000"  # which matplotlib leaves out, since it is what an SVG has by itself
# a colour, behind what begins a word of matplotlib if it is that of one
COLOUR = re.compile(r'(<g style="fill: )?(#[0-9a-f]{6})\b')
LINE = re.compile(r'fill: none;[^"]*stroke: (#[0-9a-f]{6})')


def pair_figures(page: BeautifulSoup, path: Path, images: Path, colours: Mapping[str, str]) -> None:
    """Let the figures and drawings of a page be shown in the light theme, and give each a twin for
    the dark one.

    Args:
        page: the tree of the page.
        path: where it stands; figures are looked up from there.
        images: the folder for figures that the page carries in itself.
        colours: what becomes of a colour in the dark, `#rrggbb` to `#rrggbb`.
    """
    for image in page.select(f"article img[src]:not(.{DARK})"):
        drawn = drawing(str(image["src"]), path.parent)
        if any(mark in drawn for mark in OURS):
            take_out(image, drawn, path, images)
            pair(page, image, darkened(drawn, colours), path)


def take_out(image: Tag, drawn: str, path: Path, images: Path) -> None:
    """Let an image whose drawing is embedded in the page show a file instead."""
    if str(image["src"]).startswith(EMBEDDED):
        file = images / f"{hashlib.sha256(drawn.encode()).hexdigest()}.svg"
        atomic.write(file, drawn.encode())
        image["src"] = "/".join(
            [*[".."] * (len(path.parts) - len(images.parts)), IMAGES, file.name]
        )


def pair(page: BeautifulSoup, image: Tag, dark: str, path: Path) -> None:
    """Write the twin of a figure beside it, and put it behind the figure unless it stands there
    already.
    """
    file = path.parent / unquote(str(image["src"]))
    atomic.write(file.with_name(file.stem + ENDING), dark.encode())
    if has_class(image, LIGHT):
        return
    twin = copy.copy(image)
    for each, theme in ((image, LIGHT), (twin, DARK)):
        add_class(each, theme)
        each["loading"] = "lazy"
        each["width"], each["height"] = map(str, size(dark))
    twin["src"] = f"{str(image['src']).removesuffix('.svg')}{ENDING}"
    del twin["id"]
    image.insert_after(twin)
    # the theme hides a caption beside an image of the other theme
    if image.parent and image.parent.name == "figure":
        frame = image.wrap(page.new_tag("span"))
        frame.append(twin)


def darkened(drawn: str, colours: Mapping[str, str]) -> str:
    """An SVG with other colours; those of its lines and words stand out from a dark page, wherever
    they are.
    """
    table = {old.lower(): new.lower() for old, new in colours.items()}
    table |= {each.lower(): each.lower() for each in (style.ON_LIGHT, style.ON_DARK)}
    words = {colour for word, colour in COLOUR.findall(drawn) if word}
    of_words = _standing_out(words, style.WORD) | table
    of_others = _standing_out(LINE.findall(drawn), style.LINE) | table

    def other(found: re.Match[str]) -> str:
        """What stands in its place."""
        word, colour = found[1] or "", found[2]
        return word + (of_words if word else of_others).get(colour, colour)

    changed = COLOUR.sub(other, drawn)
    return changed.replace("<svg ", f'<svg fill="{table.get(BLACK, BLACK)}" ', 1)


def _standing_out(colours: Iterable[str], contrast: float) -> dict[str, str]:
    """What becomes of each of these colours."""
    return {colour: style.in_the_dark(colour, contrast) for colour in set(colours)}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; behind what else mends pages, when each figure has its frame."""
    app.setup_extension("valleys.book.extensions.written")
    colours = style.DARK | {BLACK: style.DARK[style.INK]}
    app.connect(
        PARSED,
        lambda _, page, path: pair_figures(page, path, Path(app.outdir) / IMAGES, colours),
        priority=600,
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
