"""Where the book's files lie, independent of the working directory."""

from pathlib import Path

from valleys import config


def book_root() -> Path:
    """Folder of `_config.yml`: above this file in an editable install, else above the working directory.

    Raises:
        FileNotFoundError: no such folder is found.
    """
    for start in (Path(__file__).resolve(), Path.cwd() / "_"):
        for folder in start.parents:
            if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
                return folder
    raise FileNotFoundError(f"no book (_config.yml and _toc.yml) above {Path.cwd()}; run from a clone of the repository")


def html_pages(site: Path) -> list[Path]:
    """The pages of a built site, less what merely lies among its static files."""
    return [page for page in sorted(site.rglob("*.html")) if "_static" not in page.relative_to(site).parts]


def results_folder() -> Path:
    """Folder of computed results: `$VALLEYS_RESULTS`, else `results/cache` of the book."""
    return config.place(config.RESULTS) or book_root() / "results" / "cache"


def shipped_folder() -> Path:
    """Folder of the results that come with the book: `$VALLEYS_SHIPPED`, else `results/paper` of the book."""
    return config.place(config.SHIPPED) or book_root() / "results" / "paper"


def build_folder() -> Path:
    """Folder of executed notebooks and of the site made from them: `_build`, in `$VALLEYS_BUILD` or else in the book."""
    return (config.place(config.BUILD) or book_root()) / "_build"


def dist_folder() -> Path:
    """Folder of the editions to hand out: `dist`, in `$VALLEYS_BUILD` or else in the book."""
    return (config.place(config.BUILD) or book_root()) / "dist"
