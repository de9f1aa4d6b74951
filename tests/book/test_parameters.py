"""Parameters: read from notebooks, laid over by sizes and users, refused when wrong."""

import pytest

from tests.book.conftest import small_chapter
from valleys.book.chapters import BookError, all_chapters, find_chapter, read_parameters
from valleys.book.sizes import Setting, run_parameters


def test_parameters_cell_is_read(small_book):
    parameters = all_chapters(small_book)["01_small"].parameters
    assert parameters["learning_rate"].kind == "float"
    assert parameters["learning_rate"].default == 0.1
    assert parameters["n_runs"].meaning == "simulated runs [runs]"


@pytest.mark.parametrize("line", ["n = 3  # runs [runs]", "n: int = 3", "n: int | None = 3  # runs [runs]", "n: int = 3  # n = runs [runs]"])
def test_lines_that_papermill_would_misread_are_refused(tmp_path, line):
    path = small_chapter(tmp_path / "bad.ipynb", parameters=line)
    with pytest.raises(BookError, match="name: kind = default"):
        read_parameters(path)


def test_chapter_is_found_with_and_without_number(small_book):
    chapters = all_chapters(small_book)
    assert find_chapter("small", chapters) is find_chapter("01_small", chapters)
    with pytest.raises(BookError, match="01_small"):
        find_chapter("large", chapters)


def test_user_goes_over_chapter_goes_over_size(small_book):
    chapters = all_chapters(small_book)
    assert run_parameters(chapters, "smoke", root=small_book) == {"01_small": {"n_runs": 2, "learning_rate": 0.001}}
    settings = [Setting.parse("n_runs=7"), Setting.parse("small.learning_rate=0.1")]
    assert run_parameters(chapters, "smoke", settings, root=small_book) == {"01_small": {"n_runs": 7}}, "a default is not set again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_rums=7", "there are learning_rate, n_runs, pair, sizes"),
        ("large.n_runs=7", "the chapters are 01_small"),
        ("small.n_rums=7", "01_small has no parameter"),
        ("n_runs=2.5", "must be of kind int"),
        ("n_runs=true", "must be of kind int"),
        ("learning_rate=fast", "must be of kind float"),
        ("sizes=3", "must be of kind list"),
        ("n_runs", "must read"),
        ("n_runs=[", "not valid YAML"),
    ],
)
def test_wrong_settings_are_refused_by_name(small_book, text, message):
    with pytest.raises(BookError, match=message):
        run_parameters(all_chapters(small_book), "quick", [Setting.parse(text)], root=small_book)


@pytest.mark.parametrize(
    ("text", "value"), [("learning_rate=1", 1.0), ("learning_rate=1e-3", 0.001), ("sizes=[1e-3, 2]", [0.001, 2.0]), ("pair=[20, 1e-2]", [20, 0.01])]
)
def test_numbers_are_taken_as_people_write_them(small_book, text, value):
    values = run_parameters(all_chapters(small_book), "quick", [Setting.parse(text)], root=small_book)["01_small"]
    assert repr(list(values.values())) == repr([value])


def test_unknown_size_is_refused(small_book):
    with pytest.raises(BookError, match="smoke, quick, paper"):
        run_parameters(all_chapters(small_book), "huge", root=small_book)
