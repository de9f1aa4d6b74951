"""What is put in the place of something else goes there whole, or that stays."""

import pytest

from valleys.book.run import folders
from valleys.errors import BookError


def test_what_stood_there_is_replaced_and_put_back_if_that_fails(tmp_path):
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"from_{name}").touch()
    with pytest.raises(FileNotFoundError):
        folders.put(tmp_path / "missing", tmp_path / "place")
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["from_place"]
    folders.put(tmp_path / "new", tmp_path / "place")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "place",
        "place/from_new",
    ]


def test_a_free_name_is_one_that_nothing_has(tmp_path):
    assert folders.free(tmp_path / "run") == tmp_path / "run-2"
    (tmp_path / "run-2").mkdir()
    (tmp_path / "run-3").touch()
    assert folders.free(tmp_path / "run") == tmp_path / "run-4"


def test_a_place_that_is_refused_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "x"
    with (
        pytest.raises(
            BookError,
            match=r"file/x cannot be used: Not a directory; name another "
            r"folder with --out",
        ),
        folders.usable(place, "--out"),
    ):
        place.mkdir()
