"""The book as a reader builds it, made once for all tests: `python -m tests.site.making FOLDER
[whole]` begins before the first test asks for it.

Where only quick tests run, exercises but those of one chapter are not executed: they stand in the
site as students get them.
"""

import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path

import nbformat
import yaml

from tests.sharing import made_once
from tests.site.executing import execute_all
from valleys import config
from valleys.book.chapters import all_chapters, all_exercises, read_notebook
from valleys.book.editions.student import student_notebook
from valleys.book.run.parameters import run_parameters
from valleys.book.site import builder
from valleys.paths import book_root
from valleys.results import shipping, store

# those that stand for all where only quick tests run
EXERCISES = "exercises/04_toy_model_exercises"
SIZE = "paper"  # what `make book` builds
SHIPPED = book_root() / "results" / "paper"


def run_from_shipped(shared: Path, *, whole: bool) -> Path:
    """Where the notebooks were run: `notebooks`, and `results` and `data` if anything was
    computed or wanted.
    """
    return made_once(shared / "executed", partial(_execute, whole=whole))


def site_of(shared: Path, *, whole: bool) -> Path:
    """Pages of the book."""
    notebooks = run_from_shipped(shared, whole=whole) / "notebooks"
    return made_once(shared / "site", lambda folder: build(notebooks, folder)) / "_build" / "html"


def build(notebooks: Path, folder: Path, *, strict: bool = True, **options: object) -> None:
    """The pages of executed notebooks, with warnings as errors if `strict`."""
    builder.assemble(notebooks, folder / "source", **options)
    builder.build(folder / "source", folder, strict=strict)


def shorten(toc: Path, kept: Collection[str]) -> None:
    """Leave only these pages, and the first, in a table of contents.

    Raises:
        AssertionError: it has not all of them.
    """
    book = yaml.safe_load(toc.read_text(encoding="utf-8"))
    left = set(kept)
    for part in book["parts"]:
        part["chapters"] = [each for each in part["chapters"] if each["file"] in kept]
        for chapter in part["chapters"]:
            sections = [each for each in chapter.get("sections", []) if each["file"] in kept]
            left -= {chapter["file"], *(each["file"] for each in sections)}
            assert len(sections) == len(chapter.get("sections", []))
    book["parts"] = [part for part in book["parts"] if part["chapters"]]
    assert not left, f"no pages of the book: {', '.join(sorted(left))}"
    toc.write_text(yaml.safe_dump(book, sort_keys=False), encoding="utf-8")


def _execute(folder: Path, *, whole: bool) -> None:
    """Run the notebooks; chapters find nothing but the results that come with the book, no data
    and no folder of earlier results.
    """
    outdated = [
        name for name in sorted(shipping.names(SHIPPED)) if not store.is_current(SHIPPED / name)
    ]
    assert not outdated, (
        f"the code behind {outdated[0]} and {len(outdated) - 1} others has changed since: run "
        "`make results`"
    )
    values = run_parameters(all_chapters(), SIZE)
    assert len(all_exercises()) == len(all_chapters())  # each chapter has its exercises
    exercises = [name for name in all_exercises() if whole or f"exercises/{name}" == EXERCISES]
    assert exercises
    work = {f"chapters/{name}.ipynb": values[name] for name in all_chapters()} | {
        f"exercises/{name}.ipynb": {} for name in exercises
    }
    own = {
        config.DATA: str(folder / "data"),
        config.RESULTS: str(folder / "results"),
        config.SHIPPED: str(SHIPPED),
    }
    execute_all(work, folder / "notebooks", own)
    for name in set(all_exercises()) - set(exercises):
        bare = student_notebook(read_notebook(book_root() / "exercises" / f"{name}.ipynb"), name)
        (folder / "notebooks" / f"{name}.ipynb").write_text(nbformat.writes(bare), encoding="utf-8")


if __name__ == "__main__":
    site_of(Path(sys.argv[1]), whole="whole" in sys.argv[2:])
