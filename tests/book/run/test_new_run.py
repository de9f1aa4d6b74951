"""A reader's own run is checked before it starts, goes on past checks that fail, and leaves
sources and earlier runs alone.
"""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.book.conftest import small_chapter
from valleys.book.chapters import Chapter, read_parameters
from valleys.book.run import new_run, runner
from valleys.book.run.parameters import Assignment
from valleys.book.site import book_links
from valleys.errors import BookError
from valleys.paths import book_root


def there(place: Path | None) -> Path:
    """A place that a run must have."""
    assert place is not None
    return place


def small_variation(
    folder, *, work: str = "print(n_runs)", checks: tuple[str, ...] = ("assert n_runs < 10",)
) -> new_run.Variation:
    """A small chapter with checks, run with seven instead of twenty runs."""
    path = small_chapter(folder / "01_small.ipynb", work=work)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "# Small\n\nOf things."
    notebook.cells += [
        new_markdown_cell("## Checks"),
        *(new_code_cell(source) for source in checks),
        new_markdown_cell("## Summary"),
        new_code_cell("1"),
    ]
    nbformat.write(notebook, path)
    return new_run.Variation(
        Chapter("01_small", path, read_parameters(path)),
        "quick",
        {"n_runs": 7},
        {"n_runs": (20, 7)},
    )


@pytest.fixture
def without_page(monkeypatch):
    monkeypatch.setattr(
        new_run,
        "_make_page",
        lambda executed, scratch, out: executed.with_suffix(".html").write_text("page"),
    )


@pytest.fixture(scope="module")
def executed_once(tmp_path_factory) -> runner.Outcome:
    """The small chapter, run by a kernel once for all tests that are about what becomes of it."""
    folder = tmp_path_factory.mktemp("once")
    variation = small_variation(folder)
    (outcome,) = runner.run_chapters(
        {"01_small": (variation.chapter, variation.values)}, folder / "executed"
    )
    return outcome


@pytest.fixture
def instant(executed_once, monkeypatch):
    """A runner that has the executed chapter ready."""

    def run_chapters(work, output):
        output.mkdir(parents=True)
        yield replace(executed_once, executed=Path(shutil.copy(executed_once.executed, output)))

    monkeypatch.setattr(new_run.runner, "run_chapters", run_chapters)


def test_values_are_those_of_the_size_and_the_readers(small_book):
    planned = new_run.plan(
        "small",
        [Assignment.parse("sizes=[3, 4]"), Assignment.parse("n_runs=2")],
        "smoke",
        small_book,
    )
    assert planned.values == {"n_runs": 2, "learning_rate": 0.001, "sizes": [3.0, 4.0]}
    assert planned.changes == {"sizes": ([1.0, 2.0], [3.0, 4.0])}, (
        "n_runs is 2 at size smoke anyway"
    )


@pytest.mark.parametrize(
    ("chapter", "setting", "message"),
    [
        ("large", "n_runs=7", "the chapters are 01_small"),
        ("small", "n_rums=7", "there are learning_rate, n_runs, pair, sizes"),
        ("small", "n_runs=many", "must be of kind int"),
        ("small", "learning_rate=-1", "learning_rate must be .* from"),
        ("small", "large.n_runs=7", "the chapters are 01_small"),
    ],
)
def test_wrong_values_are_refused_with_the_valid_ones(small_book, chapter, setting, message):
    with pytest.raises(BookError, match=message):
        new_run.plan(chapter, [Assignment.parse(setting)], "quick", small_book)


def test_parameter_of_another_chapter_is_refused():
    with pytest.raises(BookError, match="a parameter of another chapter than 04_toy_model"):
        new_run.plan("toy_model", [Assignment.parse("landscape.n_records=11")], "quick")


def test_only_an_earlier_run_is_replaced_and_only_by_force(tmp_path):
    new_run.check_place(tmp_path / "new", force=False)
    new_run.check_place(tmp_path, force=False)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(BookError, match="holds something else than a run"):
        new_run.check_place(tmp_path, force=True)
    with pytest.raises(BookError, match="is a file"):
        new_run.check_place(tmp_path / "letter.txt", force=False)
    (tmp_path / new_run.RECORD).write_text("chapter: 01_small")
    with pytest.raises(BookError, match="replace it with --force"):
        new_run.check_place(tmp_path, force=False)
    new_run.check_place(tmp_path, force=True)


def test_run_leaves_notebook_page_and_record_and_no_trace_in_the_source(tmp_path, without_page):
    variation, out = small_variation(tmp_path), tmp_path / "runs" / "mine"
    before = hashlib.sha256(variation.chapter.path.read_bytes()).digest()
    finished = new_run.run(variation, out)
    assert (finished.failure, finished.broken, finished.n_checks) == (None, (), 1)
    assert sorted(path.name for path in out.iterdir()) == [
        "01_small.html",
        "01_small.ipynb",
        "run.yml",
    ]
    assert [path.name for path in out.parent.iterdir()] == ["mine"], "scratch folders are gone"
    assert hashlib.sha256(variation.chapter.path.read_bytes()).digest() == before
    record = yaml.safe_load((out / "run.yml").read_text(encoding="utf-8"))
    assert (record["set"], record["instead_of"], record["size"]) == (
        {"n_runs": 7},
        {"n_runs": 20},
        "quick",
    )
    notebook = nbformat.read(there(finished.notebook), as_version=4)
    assert [cell.source.partition("\n")[0] for cell in notebook.cells[:3]] == [
        "# Small",
        "````{admonition} A variation, not a page of the book",
        "Of things.",
    ]
    assert "| `n_runs` | `20` | `7` |" in notebook.cells[1].source
    assert str(tmp_path) not in there(finished.notebook).read_text(encoding="utf-8")
    assert new_run.MAY_FAIL not in there(finished.notebook).read_text(encoding="utf-8")


def test_run_goes_on_past_checks_that_fail_and_names_them(tmp_path, without_page):
    checks = ("x = 1\nassert n_runs > 10", "assert n_runs == 7", "assert x == 2")
    finished = new_run.run(small_variation(tmp_path, checks=checks), tmp_path / "mine")
    assert there(finished.page).exists()
    assert finished.failure is None
    assert finished.broken == ("assert n_runs > 10", "assert x == 2")
    assert new_run.verdict(finished.broken, finished.n_checks).startswith(
        "2 of 3 cells of checks stopped"
    )
    notebook = nbformat.read(there(finished.notebook), as_version=4)
    assert "- `assert x == 2`" in notebook.cells[1].source
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "1", "what follows the checks ran"
    assert "papermill-error" not in there(finished.notebook).read_text(encoding="utf-8")


@pytest.mark.slow
def test_crash_keeps_what_ran_without_a_page(tmp_path, without_page):
    finished = new_run.run(
        small_variation(tmp_path, work="raise RuntimeError('the valley is gone')"),
        tmp_path / "mine",
    )
    assert finished.page is None
    assert finished.failure == "RuntimeError: the valley is gone"
    assert sorted(path.name for path in there(finished.notebook).parent.iterdir()) == [
        "01_small.ipynb",
        "run.yml",
    ]


@pytest.mark.slow
def test_crash_is_told_even_where_checks_fail_before_it(tmp_path, without_page):
    variation = small_variation(tmp_path, checks=("assert n_runs > 10", "import os\nos._exit(3)"))
    finished = new_run.run(variation, tmp_path / "mine")
    assert finished.page is None
    assert finished.failure


@pytest.mark.slow
def test_run_whose_page_cannot_be_built_is_kept(tmp_path, instant, monkeypatch):
    def refuse(executed, scratch, out):
        raise BookError("the pages could not be built")

    monkeypatch.setattr(new_run, "_make_page", refuse)
    finished = new_run.run(small_variation(tmp_path), tmp_path / "mine")
    assert (finished.page, finished.failure) == (None, "the pages could not be built")
    assert there(finished.notebook).exists()
    assert (
        yaml.safe_load((tmp_path / "mine" / "run.yml").read_text(encoding="utf-8"))["failure"]
        == finished.failure
    )


def test_folder_is_meant_from_where_the_command_is_given(
    tmp_path, instant, without_page, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    finished = new_run.run(small_variation(tmp_path), Path("mine"))
    assert finished.page == Path("mine") / "01_small.html"
    assert (tmp_path / "elsewhere" / "mine" / "01_small.html").exists()


@pytest.mark.slow
def test_earlier_run_is_replaced_as_a_whole(tmp_path, instant, without_page):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "run.yml").write_text("old")
    (out / "_images").mkdir()
    new_run.run(small_variation(tmp_path), out)
    assert not (out / "_images").exists()
    assert (out / "01_small.html").exists()


@pytest.mark.parametrize("held", [(), ("run.yml",)])
@pytest.mark.parametrize("name", ["letter.txt", "run.yml"])
def test_what_comes_meanwhile_is_left_alone_and_the_run_kept_beside_it(
    tmp_path, instant, monkeypatch, held, name
):
    out = tmp_path / "mine"
    for each in held:
        out.mkdir()
        (out / each).write_text("an earlier run")

    def meanwhile(executed, scratch, place):
        out.mkdir(exist_ok=True)
        (out / name).write_text("theirs")
        executed.with_suffix(".html").write_text("page")

    monkeypatch.setattr(new_run, "_make_page", meanwhile)
    finished = new_run.run(small_variation(tmp_path), out)
    assert (out / name).read_text(encoding="utf-8") == "theirs"
    assert {path.name for path in out.iterdir()} == {name, *held}
    assert finished.page == tmp_path / "mine-2" / "01_small.html"
    assert there(finished.page).read_text(encoding="utf-8") == "page"
    assert there(finished.notebook).exists()


def test_folder_that_cannot_be_replaced_is_put_back_and_the_run_kept(
    tmp_path, instant, without_page, monkeypatch
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.yml").write_text("old")
    rename = Path.rename

    def fail_once(made, place):
        return rename(
            made / "missing" if (made.name, place.name) == ("page", "mine") else made, place
        )

    monkeypatch.setattr(Path, "rename", fail_once)
    finished = new_run.run(small_variation(tmp_path), tmp_path / "mine")
    assert (tmp_path / "mine" / "run.yml").read_text(encoding="utf-8") == "old"
    assert finished.page == tmp_path / "mine-2" / "01_small.html"


@pytest.mark.parametrize("out", ["01_small.ipynb/x", "/dev/null/x", "/proc/x/y"])
def test_folder_that_cannot_be_made_is_told_in_one_line_before_anything_runs(
    tmp_path, monkeypatch, out
):
    monkeypatch.setattr(new_run.runner, "run_chapters", lambda work, page: pytest.fail("computing"))
    variation = small_variation(tmp_path)
    with pytest.raises(BookError, match=r"cannot be used.*--out") as caught:
        new_run.run(variation, tmp_path / out)
    assert "\n" not in str(caught.value)


def test_titles_of_pages_are_read_from_their_sources():
    assert book_links.title("pages/notation") == "Notation"
    first = (
        nbformat.read(book_root() / "chapters" / "01_landscape.ipynb", as_version=4).cells[0].source
    )
    assert first.startswith(f"# {book_links.title('chapters/01_landscape')}\n")
