"""What a command takes from the machine it runs on: places that variables name, a home folder,
and no tastes in figures.
"""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from valleys import config
from valleys.errors import BookError


class Place(click.Path):
    """A path among the words of a command; `~` is a home folder also where the shell leaves it
    alone, as in `--out=~/my-run`.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, checked as `click.Path` does."""
        try:
            value = Path(value).expanduser()
        except RuntimeError:
            self.fail(
                f"'{value}' lies in a home folder that is not there; name the place in full",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """The environment of a command and of all that it starts, put back afterwards.

    Variables that name places are absolute, text is UTF-8, no preference in matplotlib or IPython
    of whoever gives the command reaches a page, and what a tool would keep in a home folder that
    cannot be written lies in a temporary one.

    Raises:
        BookError: a variable names a place that cannot be what it is for.
    """
    _write_what_can_be_written()
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="valleys-", ignore_cleanup_errors=True) as scratch:
        try:
            os.environ.update(_named() | _neutral(Path(scratch)))
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _write_what_can_be_written() -> None:
    """A terminal that cannot show a Greek letter shows its number, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _named() -> dict[str, str]:
    try:
        named = config.settled()
    except ValueError as error:
        raise BookError(str(error)) from None
    for variable, place in named.items():
        if (
            variable in config.names_of("folder")
            and Path(place).exists()
            and not Path(place).is_dir()
        ):
            raise BookError(
                f"{variable} is '{place}', which is a file; name a folder, or leave it unset"
            )
    return named


def _neutral(scratch: Path) -> dict[str, str]:
    style = str(Path(__file__).parents[1] / "figures" / "drawing" / "valleys.mplstyle")
    neutral = {
        "PYTHONUTF8": "1",
        "MPLBACKEND": "agg",
        "MATPLOTLIBRC": style,
        "IPYTHONDIR": str(scratch / "ipython"),
    }
    return (
        neutral
        if "MPLCONFIGDIR" in os.environ or _has_home()
        else neutral | {"MPLCONFIGDIR": str(scratch / "matplotlib")}
    )


def _has_home() -> bool:
    """Whether settings and fonts found can be kept where matplotlib keeps them."""
    kept = [
        os.environ.get(variable) or os.path.expanduser(usual)
        for variable, usual in (("XDG_CONFIG_HOME", "~/.config"), ("XDG_CACHE_HOME", "~/.cache"))
    ]
    return all(is_writable(Path(place)) for place in kept)


def check_writable(place: Path, way_out: str) -> None:
    """Refuse a place where nothing can be written, before there is anything to write.

    Args:
        place: a folder, which need not be there.
        way_out: what names another one.

    Raises:
        BookError: the file system refused.
    """
    if not is_writable(place):
        raise BookError(f"nothing can be written to {place}; name another folder with {way_out}")


def is_writable(place: Path) -> bool:
    """Whether a file could be put into a folder, or into one that is to be made there; nothing
    is left of the attempt.
    """
    place = place.absolute()
    existing = next(folder for folder in (place, *place.parents) if os.path.exists(folder))
    try:
        with tempfile.TemporaryDirectory(prefix=".valleys-", dir=existing):
            return True
    except OSError:
        return False
