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
    meaning: str
    default: str
    kind: Literal["text", "folder", "file"] = "text"  # folders and files are places
    is_internal: bool = False  # one process of the book sets it for another


VARIABLES = (
    Variable(
        RESULTS,
        "folder of computed results, which is looked into first",
        "`results/cache`",
        kind="folder",
    ),
    Variable(
        SHIPPED,
        "folder of results that are only read, except by `make results`",
        "`results/paper`",
        kind="folder",
    ),
    Variable(BUILD, "folder that gets `_build` and `dist`", "the clone", kind="folder"),
    Variable(DATA, "folder of the image files", "`data`", kind="folder"),
    Variable(BROWSER, "a Chromium, by name or path", "one in a usual place"),
    Variable(WORKERS, "worker processes for the cells of a sweep", "one for each core"),
    Variable(SCHEDULER, "a Dask scheduler that computes the cells instead", "none"),
    Variable(
        TLS_CA,
        "certificate of the authority, for a scheduler that speaks TLS",
        "that of Dask's own settings",
        kind="file",
    ),
    Variable(TLS_CERT, "your own certificate for it", "that of Dask's own settings", kind="file"),
    Variable(TLS_KEY, "the key to that certificate", "that of Dask's own settings", kind="file"),
    Variable(REPOSITORY, "public address of the notebooks", "the remote `origin`"),
    Variable(
        ASKED,
        "file to which the name of every result that is asked for is added",
        "none",
        kind="file",
        is_internal=True,
    ),
    Variable(
        PROGRESS,
        "file to which progress is added, a line a finished cell",
        "none",
        kind="file",
        is_internal=True,
    ),
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
    must be told.

    Raises:
        ValueError: as of `place`.
    """
    places = {name: place(name) for name in names_of("folder", "file")}
    return {name: str(found) for name, found in places.items() if found}


def table() -> str:
    """The variables that a reader may set, as the table of the guide."""
    rows = [
        f"| `{variable.name}` | {variable.meaning} | {variable.default} |"
        for variable in VARIABLES
        if not variable.is_internal
    ]
    return "\n".join(["| Variable | What | Without it |", "|---|---|---|", *rows])
