"""Films hold the numbers of their results, to four digits, and light pages load what plays them."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document

from valleys.book import replay
from valleys.book.pages.replay_scripts import films
from valleys.book.replay.continuation import MOST_BRANCHES
from valleys.book.replay.film import MOST_RECORDS, film, rounded, thinned
from valleys.paths import book_root

DIGITS = 5e-4  # relative: four significant digits
THRESHOLD = 0.1


def shipped(study: str) -> xr.Dataset:
    """A result of a study that comes with the book."""
    return xr.load_dataset(sorted((book_root() / "results" / "paper" / study).glob("*.nc"))[0])


def played(html) -> dict:
    """The numbers that a film holds."""
    section = BeautifulSoup(html.data, "html.parser").find("section", class_="replay")
    return json.loads(section.find("script", type="application/json").string)


def same(found, expected) -> None:
    np.testing.assert_allclose(np.array(found, float), np.asarray(expected), rtol=DIGITS)


@pytest.fixture(scope="module")
def continued() -> xr.Dataset:
    return shipped("continuation")


@pytest.fixture(scope="module")
def ends() -> xr.Dataset:
    return shipped("endpoints")


def test_branches_are_those_of_the_first_reference_run(continued):
    shown, one = played(replay.branches(continued, THRESHOLD)), continued.isel(reference=0)
    same(shown["steps"], one.step)
    same(shown["stops"], one.branch_step)
    same(shown["frozen"], one.freezing_time.sel(threshold=THRESHOLD))
    same(shown["likeness"], one.similarity_full.isel(other=-1))
    assert len(shown["branches"]) == len(set(shown["colours"])) == one.sizes["branch"]
    for name in ("train_loss", "flatness"):
        same(shown["run"][name], one[f"reference_{name}"])
        for branch, values in zip(shown["branches"], one[f"branch_{name}"].values, strict=True):
            assert np.isnan(values[: branch["first"]]).all()
            same(branch[name], values[branch["first"] :])


def test_runs_and_walls_are_those_of_the_result(ends):
    shown = played(replay.runs(ends))
    kept = np.searchsorted(ends.time.values, np.array(shown["times"]) * (1 - DIGITS))
    one, pairs = ends.isel(record=kept), np.triu_indices(ends.sizes["solution"], 1)
    assert kept[0] == 0
    assert kept[-1] == ends.sizes["record"] - 1
    same(shown["rates"], one.learning_rate)
    same(shown["sizes"], one.batch_size)
    same(shown["places"], one.position)
    same(shown["losses"], one.train_loss)
    same(shown["rises"], one.rise.values[pairs])


def test_a_film_is_light(continued, ends):
    assert len(replay.branches(continued, THRESHOLD).data) < 80_000
    assert len(replay.runs(ends).data) < 100_000


def test_a_long_run_of_many_branches_is_thinned_and_keeps_its_ends(continued):
    n_branches, n_records = 3 * MOST_BRANCHES, 4 * MOST_RECORDS
    places = {"branch": n_branches, "record": n_records, "other": n_branches}
    long = continued.isel(
        {name: np.arange(n) * continued.sizes[name] // n for name, n in places.items()}
    )
    shown = played(replay.branches(long, THRESHOLD))
    assert (len(shown["stops"]), len(shown["steps"])) == (MOST_BRANCHES, MOST_RECORDS)
    same([shown["stops"][-1], shown["steps"][-1]], [long.branch_step[-1], long.step[-1]])
    assert shown["likeness"][-1] == 1


def test_a_run_that_never_froze_and_what_was_not_measured_are_null(continued):
    gaps = continued.copy(deep=True)
    gaps["freezing_time"][:] = np.nan
    gaps["reference_flatness"][:, 1] = np.nan
    shown = played(replay.branches(gaps, THRESHOLD))
    assert shown["frozen"] is None
    assert shown["run"]["flatness"][1] is None


def test_numbers_are_rounded_and_none_is_infinite():
    assert rounded([1.23456, 2.0, np.nan, np.inf]) == [1.235, 2, None, None]
    assert rounded(np.float32(1e-9)) == 1e-9


def test_thinned_places_are_even_and_hold_both_ends():
    assert thinned(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert thinned(101, 3).tolist() == [0, 50, 100]


def test_a_text_does_not_end_the_script_that_holds_it():
    made = film("name", "A < B", "still", {"text": "</script>"})
    assert played(made) == {"text": "</script>"}
    assert re.search("A &lt; B", made.data)


def test_the_films_of_a_page_are_found_by_name(continued):
    page = new_document("page")
    page += nodes.raw("", replay.branches(continued, THRESHOLD).data, format="html")
    page += nodes.raw("", "<p>no film</p>", format="html")
    assert films(page) == ["continuation"]
    assert (book_root() / "_extra" / "replay" / "continuation.js").is_file()
