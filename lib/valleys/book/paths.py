"""Where the book's files lie, independent of the working directory."""

import os
from pathlib import Path

RESULTS_VARIABLE = "VALLEYS_RESULTS"


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


def results_folder() -> Path:
    """Folder of computed results: `$VALLEYS_RESULTS`, else `results/cache` of the book."""
    named = os.environ.get(RESULTS_VARIABLE)
    return Path(named).resolve() if named else book_root() / "results" / "cache"
