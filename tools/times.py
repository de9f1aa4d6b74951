"""Measure how long each chapter takes at each size, into `params/times.yml`: `make times`.

Every run starts without computed results, one chapter at a time, with all cores of this machine,
which should have nothing else to do. What was measured is kept after each run; the same command
goes on from there, and measures what is named by `--only` again.
"""

import dataclasses
import datetime
import tempfile
from pathlib import Path

import click

from valleys import config
from valleys.book.chapters import Chapter, all_chapters, find_chapter
from valleys.book.numbers.reporting import duration
from valleys.book.run import ending, runner, times
from valleys.book.run.parameters import run_parameters
from valleys.errors import BookError
from valleys.results import machine

USUAL = ("smoke", "quick", "paper")


@click.command()
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(list(times.KINDS)),
    default=USUAL,
    show_default=True,
    help="What to measure.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Measure only this chapter; may be given several times.",
)
def main(kinds: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Measure the chapters; `anew`, the published sizes without any stored result, takes hours
    and the MNIST files.
    """
    chapters, path = all_chapters(), times.times_file()
    chosen = [find_chapter(name, chapters) for name in only] or list(chapters.values())
    check_machine(times.read(path))
    for kind in kinds:
        for chapter in chosen:
            if only or times.read(path).of(chapter.name, kind) is None:
                keep(path, chapter.name, kind, measured(chapter, kind))


def this_machine() -> str:
    """The line that names this machine, with all cores that may be used, as the runner uses
    them.
    """
    return f"{machine.system()}, {machine.granted()} cores ({machine.processor()})"


def check_machine(known: times.Times) -> None:
    """See that times of two machines do not meet in one table.

    Raises:
        BookError: those that are there were measured on another machine.
    """
    if known.chapters and known.machine != this_machine():
        raise BookError(
            f"params/times.yml was measured on {known.machine}, this is "
            f"{this_machine()}; delete it to measure on this machine"
        )


def keep(path: Path, chapter: str, kind: str, seconds: float) -> None:
    """Add a time to the file, with the line of this machine and the day."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with_it = times.read(path).with_run(chapter, kind, seconds)
    times.write(path, dataclasses.replace(with_it, machine=this_machine(), measured=today))


def measured(chapter: Chapter, kind: str) -> float:
    """Seconds of one run of a chapter without computed results.

    Raises:
        BookError: the chapter failed.
    """
    size = "paper" if kind == "anew" else kind
    values = run_parameters(all_chapters(), size)[chapter.name]
    work = {chapter.name: (chapter, values)}
    with tempfile.TemporaryDirectory() as scratch:
        empty = {config.RESULTS: f"{scratch}/results"}
        empty |= {} if kind == "paper" else {config.SHIPPED: f"{scratch}/shipped"}
        (outcome,) = runner.run_chapters(work, Path(scratch), environment=empty)
    if outcome.failure:
        raise BookError(f"{chapter.name}, {kind}: {outcome.failure}")
    click.echo(f"{chapter.name:<32} {kind:<6} {duration(outcome.seconds)}")
    return outcome.seconds


if __name__ == "__main__":
    try:
        with ending.in_order():
            main()
    except BookError as error:
        raise SystemExit(f"times: {error}") from None
