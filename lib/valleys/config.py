"""The environment variables of the book: what each means, and what holds without it. All code reads
them through this module.

The names stand alone, and what is said of them in one table, so that results rest on a name and not
on a sentence about it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RESULTS = "VALLEYS_RESULTS"
SHIPPED = "VALLEYS_SHIPPED"
BUILD = "VALLEYS_BUILD"
DATA = "VALLEYS_DATA"
BROWSER = "VALLEYS_BROWSER"
WORKERS = "VALLEYS_WORKERS"
SCHEDULER = "VALLEYS_SCHEDULER"
TLS_CA = "VALLEYS_TLS_CA"
TLS_CERT = "VALLEYS_TLS_CERT"
TLS_KEY = "VALLEYS_TLS_KEY"
REPOSITORY = "VALLEYS_REPOSITORY"
ASKED = "VALLEYS_ASKED"
PROGRESS = "VALLEYS_PROGRESS"


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, what it means, what holds where it is empty or not
    set.
    """

    name: str
    kind: Literal["text", "folder", "file"]  # folders and files are places
    meaning: str
    default: str = "none"
    is_internal: bool = False  # one process of the book sets it for another


OF_DASK = "that of Dask's own settings"
VARIABLES = (
    Variable(RESULTS, "folder", "folder of computed results, looked into first", "`results/cache`"),
    Variable(
        SHIPPED,
        "folder",
        "folder of results that are only read, except by `make results`",
        "`results/paper`",
    ),
    Variable(BUILD, "folder", "folder that gets `_build` and `dist`", "the clone"),
    Variable(DATA, "folder", "folder of the image files", "`data`"),
    Variable(BROWSER, "text", "a Chromium, by name or path", "one in a usual place"),
    Variable(WORKERS, "text", "worker processes for the cells of a sweep", "one for each core"),
    Variable(SCHEDULER, "text", "a Dask scheduler that computes the cells instead"),
    Variable(
        TLS_CA,
        "file",
        "certificate of the authority, for a scheduler that speaks TLS",
        OF_DASK,
    ),
    Variable(TLS_CERT, "file", "your own certificate for it", OF_DASK),
    Variable(TLS_KEY, "file", "the key to that certificate", OF_DASK),
    Variable(REPOSITORY, "text", "public address of the notebooks", "the remote `origin`"),
    Variable(ASKED, "file", "gets the name of every result that is asked for", is_internal=True),
    Variable(PROGRESS, "file", "gets a line for each finished cell", is_internal=True),
)


def text(name: str) -> str | None:
    """The value of a variable; None where it is empty or not set."""
    return os.environ.get(name) or None


def place(name: str) -> Path | None:
    """The place that a variable names, absolute: relative to the working directory, `~` and `~user`
    a home folder.

    Raises:
        ValueError: there is no such home folder.
    """
    value = text(name)
    if value is None:
        return None
    try:
        return Path(value).expanduser().resolve()
    except RuntimeError:
        missing = f"there is no home folder {Path(value).parts[0]}"
        raise ValueError(f"{name} is '{value}', and {missing}; name the folder in full") from None


def names_of(*kinds: str) -> tuple[str, ...]:
    """Names of the variables of these kinds."""
    return tuple(variable.name for variable in VARIABLES if variable.kind in kinds)


def settled() -> dict[str, str]:
    """The variables that name places, made absolute: what a process with another working directory
    is given.

    Raises:
        ValueError: as of `place`.
    """
    places = {name: place(name) for name in names_of("folder", "file")}
    return {name: str(path) for name, path in places.items() if path}


def table() -> str:
    """The variables that a reader may set, as the table of the guide."""
    rows = [
        f"| `{variable.name}` | {variable.meaning} | {variable.default} |"
        for variable in VARIABLES
        if not variable.is_internal
    ]
    return "\n".join(["| Variable | What | Without it |", "|---|---|---|", *rows])
