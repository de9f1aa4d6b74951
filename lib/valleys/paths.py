"""Where the book's files lie, independent of the working directory."""

import os
import sys
from pathlib import Path

from valleys import config


def book_root() -> Path:
    """Folder of `_config.yml`: above this file in an editable install, else above the working
    directory.

    Raises:
        FileNotFoundError: no such folder is found.
    """
    for start in (Path(__file__).resolve(), Path.cwd() / "_"):
        for folder in start.parents:
            if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
                return folder
    raise FileNotFoundError(
        f"no book (_config.yml and _toc.yml) above {Path.cwd()}; run from a clone of the repository"
    )


def html_pages(site: Path) -> list[Path]:
    """The pages of a built site, less what merely lies among its static files."""
    return [
        page
        for page in sorted(site.rglob("*.html"))
        if "_static" not in page.relative_to(site).parts
    ]


def results_folder() -> Path:
    """Folder of computed results: `$VALLEYS_RESULTS`, else `results/cache` of the book; outside a
    clone `valleys/results` in the user's cache.

    Example:
        >>> from valleys.results import results_folder
        >>> results_folder().is_absolute()
        True
    """
    if own := config.place(config.RESULTS):
        return own
    try:
        return book_root() / "results" / "cache"
    except FileNotFoundError:
        return user_cache() / "valleys" / "results"


def shipped_folder() -> Path | None:
    """Folder of the results that come with the book, as `book_results` has it; None outside a
    clone, where none come along.
    """
    try:
        return book_results()
    except FileNotFoundError:
        return None


def book_results() -> Path:
    """Folder of the results that come with the book: `$VALLEYS_SHIPPED`, else `results/paper` of
    the book.

    Raises:
        FileNotFoundError: there is no book.
    """
    return config.place(config.SHIPPED) or book_root() / "results" / "paper"


def user_cache() -> Path:
    """Where the platform keeps what programs can make again: `$XDG_CACHE_HOME`, else `~/.cache`, on
    macOS `~/Library/Caches`.

    Without a home it is a place where nothing can be written.
    """
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if chosen.is_absolute():  # as the XDG convention has it, a relative one counts as none
        return chosen
    try:
        home = Path.home()
    except RuntimeError:
        return Path(os.devnull)
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"


def build_folder() -> Path:
    """Folder of executed notebooks and of the site made from them: `_build`, in `$VALLEYS_BUILD`
    or else in the book.
    """
    return (config.place(config.BUILD) or book_root()) / "_build"


def dist_folder() -> Path:
    """Folder of the editions to hand out: `dist`, in `$VALLEYS_BUILD` or else in the book."""
    return (config.place(config.BUILD) or book_root()) / "dist"
