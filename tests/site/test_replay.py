"""The films of the chapters play stored runs when a reader asks, and show the numbers of their
results.
"""

import re

import pytest
import xarray as xr
from bs4 import BeautifulSoup

from tests.site.browsing import needs_chromium
from tests.site.replaying import KEYS
from valleys.book.chapters import page_names
from valleys.nets.analysis.endpoints import ends_with_wall
from valleys.paths import book_root

BRANCHES, RUNS = "chapters/03_continuation", "chapters/01_landscape"
FILMS = {BRANCHES: "continuation", RUNS: "endpoints"}  # their studies, which name the scripts
TWO_DIGITS = 0.051  # relative

films = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in FILMS]
)


@pytest.fixture(scope="module")
def shipped():
    def found(name: str) -> xr.Dataset:
        folder = book_root() / "results" / "paper" / FILMS[name]
        return xr.load_dataset(sorted(folder.glob("*.nc"))[0])

    return found


def test_a_page_loads_what_its_film_needs_and_no_other_page_does(html):
    for name in page_names():
        page = (html / f"{name}.html").read_text(encoding="utf-8")
        wanted = {"replay.css", "stage.js", f"{FILMS[name]}.js"} if name in FILMS else set()
        assert set(re.findall(r"/replay/(\w+\.(?:css|js))", page)) == wanted


@films
def test_without_scripts_a_sentence_stands_there(html, name):
    page = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    assert len(page.select_one(".replay .replay-still").get_text().split()) > 10
    assert page.select(".replay canvas") == []


@needs_chromium
@films
def test_a_film_stands_still_until_it_is_asked_and_is_played_by_keyboard(visits, name):
    film = visits(name).film
    assert film.opened == "still"
    assert film.played >= 2
    assert film.mode == "still"
    assert film.status
    assert film.stepped == 1


@needs_chromium
@films
def test_each_moment_has_a_picture_and_numbers_of_its_own_and_the_dark_has_colours(visits, name):
    film = visits(name).film
    first, next_one, last = (film.pictures[key] for key in KEYS)
    assert all(before != after for before, after in zip(first, last, strict=True))
    assert next_one != first
    assert film.numbers["Home"] != film.numbers["End"]
    assert all(light != dark for light, dark in zip(last, film.pictures["dark"], strict=True))


@needs_chromium
@films
def test_on_a_phone_a_finger_moves_the_film_and_its_words_can_be_read(visits, name):
    film = visits(name).film
    assert film.tapped == pytest.approx(0.5, abs=0.1)
    assert min(film.fonts) >= 12


@needs_chromium
@pytest.mark.xdist_group(BRANCHES)
def test_branches_end_where_the_result_says(visits, shipped):
    found, numbers = shipped(BRANCHES).isel(reference=0), visits(BRANCHES).film.numbers
    for key, k in zip(KEYS, (0, 1, -1), strict=True):
        shown = {name: float(text) for name, text in numbers[key].items()}
        end = found.isel(branch=k, record=-1, other=-1)
        assert shown["stop"] == end.branch_step
        for name, value in (
            ("loss", end.branch_train_loss),
            ("flatness", end.branch_flatness),
            ("likeness", end.similarity_full),
        ):
            assert shown[name] == pytest.approx(float(value), rel=TWO_DIGITS)


@needs_chromium
@pytest.mark.xdist_group(RUNS)
def test_walls_of_the_last_moment_are_those_that_the_chapter_counts(visits, shipped):
    found, last = shipped(RUNS), visits(RUNS).film.numbers["End"]
    n_walls = int(ends_with_wall(found).sum() // 2)
    n_pairs = found.sizes["solution"] * (found.sizes["solution"] - 1) // 2
    assert last["walls"] == f"{n_walls} of {n_pairs}"
    assert visits(RUNS).film.numbers["Home"]["walls"] == f"0 of {n_pairs}"
    loss = float(found.train_loss.isel(record=-1).mean())
    assert float(last["loss"]) == pytest.approx(loss, rel=TWO_DIGITS)
