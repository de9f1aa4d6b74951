"""The book as a reader builds it, made once for all tests: `python -m tests.site.making FOLDER` begins before the first test asks for it."""

import sys
from pathlib import Path

from tests.sharing import made_once
from tests.site.executing import execute_all
from valleys.book import shipping, site, store
from valleys.book.chapters import all_chapters, all_exercises
from valleys.book.paths import RESULTS_VARIABLE, SHIPPED_VARIABLE, book_root
from valleys.book.sizes import run_parameters
from valleys.nets.datasets import DATA_VARIABLE

SIZE = "paper"  # what `make book` builds
SHIPPED = book_root() / "results" / "paper"


def run_from_shipped(shared: Path) -> Path:
    """Where every notebook was run: `notebooks`, and `results` and `data` if anything was computed or wanted."""
    return made_once(shared / "executed", _execute)


def site_of(shared: Path) -> Path:
    """Pages of the book."""
    notebooks = run_from_shipped(shared) / "notebooks"
    return made_once(shared / "site", lambda folder: build(notebooks, folder)) / "_build" / "html"


def build(notebooks: Path, folder: Path, **options: object) -> None:
    """The pages of executed notebooks, with warnings as errors."""
    site.assemble(notebooks, folder / "source", **options)
    site.build(folder / "source", folder)


def _execute(folder: Path) -> None:
    """Run every notebook; chapters find nothing but the results that come with the book, no data and no folder of earlier results."""
    outdated = [name for name in sorted(shipping.names(SHIPPED)) if not store.is_current(store.key_of(SHIPPED / name))]
    assert not outdated, f"the code behind {outdated[0]} and {len(outdated) - 1} others has changed since: run `make results`"
    values = run_parameters(all_chapters(), SIZE)
    work = {f"chapters/{name}.ipynb": values[name] for name in all_chapters()} | {f"exercises/{name}.ipynb": {} for name in all_exercises()}
    assert len(work) == 2 * len(all_chapters())  # each chapter has its exercises
    own = {DATA_VARIABLE: str(folder / "data"), RESULTS_VARIABLE: str(folder / "results"), SHIPPED_VARIABLE: str(SHIPPED)}
    execute_all(work, folder / "notebooks", own)


if __name__ == "__main__":
    site_of(Path(sys.argv[1]))
