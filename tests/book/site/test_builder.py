"""Pages that left the table of contents leave the sources and the site, and nothing else does."""

import pytest

from tests.book.editions.exercising import write_book
from valleys.book.site import builder

STAY = ("_static/notes.md", "_extra/explorer.md", "data.csv", "pages/picture.svg")


@pytest.fixture
def assembled(tmp_path):
    """A book, its executed chapters and the sources laid out from them, with pages of an earlier
    table of contents.
    """
    book = write_book(tmp_path / "book")
    executed, target = tmp_path / "executed", tmp_path / "source"
    executed.mkdir()
    for path in (*book.glob("chapters/*.ipynb"), *book.glob("exercises/*.ipynb")):
        (executed / path.name).write_bytes(path.read_bytes())
    for name in (
        "notation.md",
        "pages/old.md",
        "chapters/00_old.ipynb",
        "exercises/00_old_exercises.ipynb",
        *STAY,
    ):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("old")
    builder.assemble(executed, target, root=book)
    return target


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_sources_of_pages_that_are_gone_go_and_all_else_stays(assembled):
    pages = {
        "index.md",
        "chapters/91_ridge.ipynb",
        "exercises/91_ridge_exercises.ipynb",
        "pages/teach.md",
    }
    assert names(assembled) == {"_config.yml", "_toc.yml", *pages, *STAY}


def test_built_pages_without_a_source_go_and_all_else_stays(assembled, tmp_path):
    html = tmp_path / "html"
    stay = {
        "index.html",
        "_sources/index.md",
        "pages/teach.html",
        "_sources/pages/teach.md",
        "search.html",
        "genindex.html",
        "_static/a.html",
        "book.pdf",
    }
    gone = {
        "notation.html",
        "_sources/notation.md",
        "chapters/00_old.html",
        "_sources/chapters/00_old.ipynb",
    }
    moved = {"chapters/91_ridge.html", "_sources/chapters/91_ridge.ipynb"}
    for name in stay | gone | moved | {"_sources/chapters/91_ridge.md"}:
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / name).touch()
    builder.drop_stale(html, assembled)
    assert names(html) == stay | moved
