"""What is made once for all processes of a test run, by the one that needs it first."""

import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from valleys.paths import book_root

UNDER_WAY = ("*.pyc.*", "*.tmp.*")  # what Python and numba are just writing, and then rename


def base_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills; who comes later waits, and is told if it failed.

    Raises:
        RuntimeError: it could not be made, by this process or by another one.
    """
    done, failed = (folder.with_name(f"{folder.name}.{ending}") for ending in ("done", "failed"))
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not done.exists() and not failed.exists():
            folder.mkdir(parents=True)
            try:
                make(folder)
                done.touch()
            except BaseException:
                failed.write_text(traceback.format_exc(), encoding="utf-8")
    if failed.exists():
        raise RuntimeError(
            f"{folder.name} could not be made:\n{failed.read_text(encoding='utf-8')}"
        )
    return folder


def copied_library(folder: Path) -> Path:
    """A copy of the library, with no clone in reach, and with what is compiled of it already."""
    under_way = shutil.ignore_patterns(*UNDER_WAY)
    return shutil.copytree(book_root() / "lib", folder, ignore=under_way)
