"""Each figure of matplotlib and each drawing gets a twin for the dark theme, once, and other images
stay as they are.
"""

import base64
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from valleys.book.extensions.twins import pair_figures
from valleys.book.figures.drawing.style import LINE, ON_LIGHT, WORD, in_the_dark
from valleys.paths import book_root

DEEP = "#3a1f5c"
COLOURS = {"#000000": "#eeeeee", "#333333": "#dddddd"}
PAGE = """<article><figure><span class="figure-frame"><img id="one" alt="a" src="../_images/figure.svg"></span><figcaption>What</figcaption></figure>
<figure><img alt="b" src="data:image/svg+xml;base64,{embedded}"><figcaption>What</figcaption></figure><img alt="c" src="logo.png"></article>"""  # noqa: E501


@pytest.fixture
def place(tmp_path) -> Path:
    figure = Figure(figsize=(4, 2))
    figure.text(0.5, 0.5, "black")
    figure.text(0.5, 0.8, "grey", color="#333333")
    figure.text(0.5, 0.2, "blue", color="#0072B2")
    figure.text(0.2, 0.2, "on a cell", color=ON_LIGHT)
    figure.add_axes((0.5, 0.5, 0.2, 0.2)).plot([0, 1], color=DEEP, marker="o")
    figure.axes[0].bar([0, 1], [1, 1], color="#2f3588")
    (tmp_path / "_images").mkdir()
    (tmp_path / "chapters").mkdir()
    figure.savefig(tmp_path / "_images" / "figure.svg", metadata={"Date": None})
    return tmp_path


def pair(place: Path, text: str | None = None) -> str:
    embedded = base64.b64encode((place / "_images" / "figure.svg").read_bytes()).decode()
    page = BeautifulSoup(text or PAGE.format(embedded=embedded), "html.parser")
    pair_figures(page, place / "chapters" / "page.html", place / "_images", COLOURS)
    return str(page)


def images(place: Path) -> list[dict[str, Any]]:
    return [dict(image.attrs) for image in BeautifulSoup(pair(place), "html.parser").select("img")]


def test_a_figure_is_followed_by_its_twin_and_each_theme_shows_one(place):
    light, dark, *_ = images(place)
    assert (light["class"], dark["class"]) == (["only-light"], ["only-dark"])
    assert light["alt"] == dark["alt"] == "a"  # of two images one is shown and read
    assert {light["loading"], dark["loading"]} == {"lazy"}
    assert "id" not in dark


def test_twin_has_the_colours_of_the_dark_and_keeps_those_that_mean_something(place):
    twin = place / "chapters" / images(place)[1]["src"]
    drawn, dark = (
        path.read_text(encoding="utf-8") for path in (place / "_images" / "figure.svg", twin)
    )
    assert "#333333" in drawn
    assert "#333333" not in dark
    assert "#dddddd" in dark
    assert drawn.count("#0072b2") == dark.count(in_the_dark("#0072b2", WORD)) == 1
    assert 'fill="#eeeeee"' in dark  # the text for which matplotlib names no colour


def test_lines_and_their_marks_stand_out_from_a_dark_page_and_areas_keep_their_colour(place):
    dark = (place / "chapters" / images(place)[1]["src"]).read_text(encoding="utf-8")
    assert DEEP not in dark
    assert f"stroke: {in_the_dark(DEEP, LINE)}" in dark
    assert f"fill: {in_the_dark(DEEP, LINE)}" in dark
    assert "fill: #2f3588" in dark
    assert ON_LIGHT in dark


def test_a_figure_inside_the_page_becomes_a_file(place):
    _, _, light, dark, _ = images(place)
    for image in (light, dark):
        assert (place / "chapters" / image["src"]).is_file()
    assert (place / "chapters" / light["src"]).read_text() == (
        place / "_images" / "figure.svg"
    ).read_text()


def test_the_place_of_a_figure_is_held_until_it_is_there(place):
    light = images(place)[0]
    assert int(light["width"]) == pytest.approx(4 * 96, abs=1)
    assert int(light["height"]) == pytest.approx(2 * 96, abs=1)


def test_other_images_and_captions_stay(place):
    page = BeautifulSoup(pair(place), "html.parser")
    assert page.select("img[alt=c]")[0].attrs == {"alt": "c", "src": "logo.png"}
    # the theme would hide it with that image
    assert all(
        caption.find_previous_sibling("img") is None for caption in page.select("figcaption")
    )


def test_a_second_time_changes_nothing(place):
    once = pair(place)
    assert pair(place, once) == once


def test_a_drawing_gets_a_twin_that_can_be_drawn(place):
    (place / "_images" / "kicks.svg").write_text(
        (book_root() / "_static" / "drawings" / "kicks.svg").read_text(encoding="utf-8")
    )
    page = pair(place, '<article><img alt="a" src="../_images/kicks.svg"></article>')
    light, dark = BeautifulSoup(page, "html.parser").select("img")
    assert (light["class"], dark["class"]) == (["only-light"], ["only-dark"])
    ElementTree.parse(place / "chapters" / dark["src"])  # well-formed
