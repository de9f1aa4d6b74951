"""Drawings of the book can be drawn, read aloud, read on a phone and in the dark, and are used."""

import importlib.util
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from valleys.book.chapters import page_names
from valleys.book.figures.drawing import style
from valleys.paths import book_root

FOLDER = book_root() / "_static" / "drawings"
SVG = "{http://www.w3.org/2000/svg}"
ON_PAGE, ON_PHONE = 480, 350  # CSS pixels that a drawing is wide
LARGEST = 8_000  # bytes
KNOWN = {colour.lower() for colour in (style.FLAT, style.SHARP, *style.DARK)}

each_drawing = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem
)


def type_sizes(root: ElementTree.Element, inherited: float = 0.0) -> list[float]:
    """Size of each text, in the units of its drawing."""
    size = float(root.get("font-size", inherited))
    own = [size] if root.tag == f"{SVG}text" else []
    return [*own, *(each for child in root for each in type_sizes(child, size))]


@each_drawing
def test_drawing_says_what_it_shows(path):
    root = ElementTree.parse(path).getroot()
    for part in ("title", "desc"):
        assert (root.findtext(f"{SVG}{part}") or "").strip()
    assert path.stat().st_size <= LARGEST


@each_drawing
def test_text_of_a_drawing_can_be_read(path):
    root = ElementTree.parse(path).getroot()
    width = float(root.get("viewBox", "").split()[2])
    smallest = min(type_sizes(root)) / width
    assert smallest * ON_PAGE >= 12
    assert smallest * ON_PHONE >= 11


@each_drawing
def test_the_dark_theme_knows_each_colour_of_a_drawing(path):
    assert set(re.findall(r"#\w{6}\b", path.read_text(encoding="utf-8"))) <= KNOWN


@each_drawing
def test_drawing_is_used(path):
    pages = (
        book_root() / f"{name}{ending}" for name in page_names() for ending in (".md", ".ipynb")
    )
    users = [
        page
        for page in pages
        if page.exists() and f"drawings/{path.name}" in page.read_text(encoding="utf-8")
    ]
    assert users


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("misread", book_root() / "tools" / "misread.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_digit_is_chosen_from_each_part_of_the_mistakes(tool):
    labels = np.array([1, 2, 3, 4, 5])
    read = np.array([[1, 7, 3, 8, 6], [1, 7, 9, 4, 5]])
    assert tool.chosen(labels, read) == [3, 1, 2]
    assert [tool.readings(labels[at], read[:, at]) for at in (3, 1, 2)] == [
        ["read as 8"],
        ["read as 7"],
        ["read as 9"],
    ]
    assert tool.readings(1, np.array([7, 8])) == ["read as 7", "and as 8"]


def test_a_tile_holds_the_pixels_of_its_image(tool):
    image = np.zeros((8, 8))
    image[2, 5], image[7, 0] = 1.0, 0.5
    found = ElementTree.fromstring(tool.tile(image, 10))
    told = {float(path.get("fill-opacity")): path.get("d") for path in found if path.get("d")}
    assert told == {1.0: "M5 2h1v1h-1z", 0.5: "M0 7h1v1h-1z"}
