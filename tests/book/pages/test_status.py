"""The status of a build is read from notebooks, results and what chapters glued."""

from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from tests.book.conftest import small_chapter
from valleys.book.chapters import all_chapters
from valleys.book.numbers.reporting import duration
from valleys.book.pages import shipped, status_page
from valleys.book.run.parameters import run_parameters
from valleys.book.site import repository
from valleys.book.site.repository import Address, colab_cell
from valleys.paths import book_root
from valleys.results import store

ADDRESS = Address("some-owner", "valleys", "v1.0")


def executed(folder):
    path = small_chapter(folder / "01_small.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["papermill"] = {
        "duration": 12.5,
        "start_time": "2026-01-01T00:00:00",
        "end_time": "2026-01-01T00:00:12",
        "parameters": {"n_runs": 2},
    }
    nbformat.write(notebook, path)
    return path


def test_papermill_tells_how_a_notebook_was_run(tmp_path):
    made = status_page.execution(executed(tmp_path))
    assert made is not None
    assert (made.seconds, made.finished, made.values) == (
        12.5,
        "2026-01-01T00:00:12",
        {"n_runs": 2},
    )


def test_build_that_executes_by_itself_tells_the_same(tmp_path):
    path = small_chapter(tmp_path / "01_small.ipynb")
    assert status_page.execution(path) is None
    assert status_page.execution(path, {"mtime": 0.0, "runtime": 3.5}) == status_page.Execution(
        3.5, "1970-01-01T00:00:00+00:00", {}
    )


def test_size_is_recognised_by_its_values(small_book):
    chapters = all_chapters(small_book)
    (small_book / "params" / "paper.yml").write_text("global: {n_runs: 2000}\nchapters: {}\n")
    for values, size in [
        ({}, "quick"),
        ({"n_runs": 2, "learning_rate": 0.001}, "smoke"),
        ({"n_runs": 2000}, "paper"),
        ({"n_runs": 3}, "own values"),
    ]:
        assert status_page.size_of("01_small", values, chapters, small_book) == size
    assert status_page.size_of("01_small_exercises", {}, chapters, small_book) == ""


@pytest.mark.parametrize("size", ["smoke", "quick", "paper"])
def test_chapters_of_one_size_are_of_that_size(size, chapters):
    values = run_parameters(chapters, size)
    made = {name: status_page.Execution(1.0, "2026-01-01", values[name]) for name in chapters} | {
        "exercises": status_page.Execution(1.0, "2026-01-01", {})
    }
    assert status_page.overall_size(made) == size
    assert (
        status_page.overall_size(
            made | {"04_toy_model": status_page.Execution(1.0, "2026-01-01", {"seed": 5})}
        )
        == "different sizes"
    )


def test_provenance_is_what_chapters_glued_under_names_that_say_so():
    glued = {
        "chapters/04_toy_model": {
            "c04_map_made": "phase_diagram · seed 0",
            "c04_gamma": 1.5,
            "c04_made": "phase_diagram · seed 0",
        },
        "chapters/01_landscape": {"c01_made": "endpoints"},
        "index": {"x": 1},
    }
    assert status_page.provenance(glued) == {
        "chapters/01_landscape": ["endpoints"],
        "chapters/04_toy_model": ["phase_diagram · seed 0"],
    }


def test_shipped_results_tell_what_their_files_hold():
    results = shipped.shipped_results(book_root() / "results" / "paper")
    files = list((book_root() / "results" / "paper").glob("*/*.nc"))
    assert len(results) == len(files)
    assert sum(result.bytes for result in results) == sum(path.stat().st_size for path in files)
    assert {result.study for result in results} == {path.parent.name for path in files}
    assert sum(result.seconds for result in results) == pytest.approx(
        sum(float(store.attributes(path)["wall_time_seconds"]) for path in files)
    )


def result(hours, threads):
    return shipped.ShippedResult("walk", 1_500_000, 3600 * hours, threads, "2026-01-01", "here")


def test_two_threads_for_an_hour_are_two_hours_of_a_core():
    made = [result(5, 1), result(2, 2)]
    assert shipped.core_seconds(made) == 9 * 3600
    assert "9 h of one core" in shipped.cost(made)
    assert status_page._study_row("walk", made)[1:4] == ["2", "3,000 kB", "9 h"]
    assert "4.5 h on 2 cores" in shipped.cost(made)


@pytest.mark.parametrize(("hours", "word"), [(15, "below"), (17, "longer")])
def test_the_cost_is_held_against_what_is_granted(hours, word):
    assert word in shipped.cost([result(hours, 1)])


def test_the_cost_that_is_told_follows_from_the_files():
    files = (book_root() / "results" / "paper").glob("*/*.nc")
    read = [store.attributes(path) for path in files]
    total = sum(float(each["wall_time_seconds"]) * int(each["threads"]) for each in read)
    app: Any = None
    (told,) = status_page.recomputing(app, "")
    assert duration(total) in told.astext()


def test_folder_without_results_has_none(tmp_path):
    assert shipped.shipped_results(tmp_path) == []


def test_revision_is_told_only_of_a_clone(tmp_path):
    assert repository.revision(tmp_path) is None
    revision = repository.revision()
    if (book_root() / ".git").exists():
        assert revision is not None
        assert len(revision.partition(",")[0]) >= 7


def test_page_of_a_public_book_tells_how_to_get_ready_on_colab():
    app: Any = SimpleNamespace(config=SimpleNamespace(book_repository=str(ADDRESS)))
    assert colab_cell(ADDRESS) in [node.astext() for node in status_page.online(app, "")]
    app.config.book_repository = ""
    assert "make book REPOSITORY=" in " ".join(
        node.astext() for node in status_page.online(app, "")
    )
