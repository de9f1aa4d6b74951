"""Measure how long each chapter takes at each size, into `params/times.yml`: `make times`.

Every run starts without computed results, one chapter at a time, with all cores of this machine, which should have nothing else to do.
What was measured is kept after each run; the same command goes on from there.
"""

import tempfile
from pathlib import Path

import click

from valleys import config
from valleys.book.chapters import Chapter, all_chapters, find_chapter
from valleys.book.numbers.reporting import duration
from valleys.book.run import ending, runner, times
from valleys.book.run.parameters import run_parameters
from valleys.errors import BookError

USUAL = ("smoke", "quick", "paper")


@click.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(times.KINDS)), default=USUAL, show_default=True, help="What to measure.")
@click.option("--only", multiple=True, metavar="NAME", help="Measure only this chapter; may be given several times.")
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each chapter, with those measured before.")
def main(kinds: tuple[str, ...], only: tuple[str, ...], runs: int) -> None:
    """Measure the chapters; `anew`, the published sizes without any stored result, takes hours and the MNIST files."""
    chapters, path = all_chapters(), times.times_file()
    chosen = [find_chapter(name, chapters) for name in only] or list(chapters.values())
    for _ in range(runs):
        for kind in kinds:
            for chapter in chosen:
                if len(times.read(path).of(chapter.name, kind)) < runs:
                    times.write(path, times.read(path).with_run(chapter.name, kind, measured(chapter, kind)))


def measured(chapter: Chapter, kind: str) -> float:
    """Seconds of one run of a chapter without computed results.

    Raises:
        BookError: the chapter failed.
    """
    size = "paper" if kind == "anew" else kind
    values = run_parameters(all_chapters(), size)[chapter.name]
    with tempfile.TemporaryDirectory() as scratch:
        empty = {config.RESULTS: f"{scratch}/results"} | ({} if kind == "paper" else {config.SHIPPED: f"{scratch}/shipped"})
        outcome = next(iter(runner.run_chapters({chapter.name: (chapter, values)}, Path(scratch), environment=empty)))
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
