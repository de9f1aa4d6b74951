"""Command line of the book: `python -m valleys --help`."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from valleys import config
from valleys.book.chapters import (
    Chapter,
    all_chapters,
    all_exercises,
    check_notebooks,
    find_chapter,
    is_executed,
)
from valleys.book.editions import copies
from valleys.book.numbers.claims import CLAIMS, read_claims
from valleys.book.numbers.record import RECORD, write_record
from valleys.book.run import ending, folders, locks, new_run, parameters, places, runner
from valleys.book.site import builder, check
from valleys.book.site.repository import NONE, Address, address
from valleys.errors import BookError
from valleys.paths import book_results, book_root, build_folder, dist_folder, results_folder
from valleys.results import executors, rekey, shipping, verify

Command = TypeVar("Command", bound=Callable[..., Any])
Work = Mapping[str, tuple[Chapter, dict[str, Any]]]
STUDENT_SCRATCH = ".site-"  # how the folders begin in which the student site is made
READING = "a build that copies the executed chapters"
size_option = click.option(
    "--size",
    type=click.Choice(parameters.SIZES),
    default="quick",
    show_default=True,
    help="How much to compute.",
)
workers_option = click.option(
    "--workers",
    envvar=config.WORKERS,
    type=click.IntRange(min=1),
    help="Processes for the cells of a sweep, in each chapter. [default: its share of the cores]",
)
_scheduler = click.option(
    "--scheduler",
    envvar=config.SCHEDULER,
    metavar="tls://HOST:PORT",
    help="Dask scheduler whose workers compute the cells of sweeps instead.",
)


def _tls_options(command: Command) -> Command:
    """Options for the files of a scheduler that speaks TLS; each sets its variable, which is
    read where the connection is made.
    """
    for field, meaning in (
        ("tls_client_key", "Key to the certificate."),
        ("tls_client_cert", "Your own certificate."),
        ("tls_ca_file", "Certificate of the authority."),
    ):
        variable, option = executors.TLS[field]
        command = click.option(
            option,
            type=places.Place(path_type=Path),
            metavar="FILE",
            expose_value=False,
            callback=_setting(variable),
            help=f"{meaning} For tls://; sets {variable}.",
        )(command)
    return command


def _setting(variable: str) -> Callable[[click.Context, click.Parameter, Path | None], None]:
    def set_variable(
        _context: click.Context, _parameter: click.Parameter, value: Path | None
    ) -> None:
        if value is not None:
            # of this command alone: `places.settled` puts the environment back
            os.environ[variable] = str(value.resolve())

    return set_variable


FOLDER = places.Place(exists=True, file_okay=False, path_type=Path)
chapter_option = click.option(
    "--chapter", required=True, metavar="NAME", help="The chapter, such as toy_model."
)


def _only_option(meaning: str) -> Callable[[Command], Command]:
    """Names of some chapters."""
    return click.option("--only", multiple=True, metavar="NAME", help=meaning)


def _settings_option(metavar: str, meaning: str) -> Callable[[Command], Command]:
    """Values of parameters."""
    return click.option("--set", "settings", multiple=True, metavar=metavar, help=meaning)


def _cells_option(default: int, meaning: str) -> Callable[[Command], Command]:
    """How much is computed again."""
    return click.option(
        "--cells",
        "count",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help=meaning,
    )


def _limit_option(default: float, meaning: str) -> Callable[[Command], Command]:
    """How long computing again may take."""
    return click.option(
        "--limit",
        type=click.FloatRange(min=0),
        default=default,
        show_default=True,
        help=f"Seconds that {meaning} may take, by its stored time.",
    )


def scheduler_option(command: Command) -> Command:
    """A Dask scheduler, and what it takes to speak to it."""
    return _scheduler(_tls_options(command))


repository_option = click.option(
    "--repository",
    envvar=config.REPOSITORY,
    metavar="https://github.com/OWNER/NAME[/tree/BRANCH]|none",
    help="Public address of the notebooks, for the buttons of Binder and Colab; none for no "
    "buttons. [default: the remote origin, where it is on GitHub]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Run the chapters, build the site, check the site."""
    context.with_resource(places.settled())


@main.command()
@size_option
@_only_option("Run only this chapter, or the exercises NAME_exercises; may be given several times.")
@click.option(
    "--exercises/--no-exercises", default=True, help="Run the exercises, too. [default: yes]"
)
@_settings_option("[NAME.]PARAMETER=VALUE", "Set a parameter, everywhere or in one chapter.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Chapters at once. [default: 2, or the number of cores if smaller]",
)
@workers_option
@scheduler_option
def run(
    size: str,
    only: tuple[str, ...],
    exercises: bool,
    settings: tuple[str, ...],
    jobs: int | None,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Execute chapters; the executed copies go to _build/executed/SIZE."""
    check_places(build=True)
    work, where = (
        checked_work(size, only, settings, exercises=exercises),
        where_to_compute(workers, scheduler),
    )
    with locks.alone(executed_folder(size), f"a run of size {size}"):
        execute(work, size, jobs=jobs, workers=workers, environment=where)


@main.command("new-run")
@chapter_option
@_settings_option("PARAMETER=VALUE", "Set a parameter; may be given several times.")
@size_option
@click.option(
    "--out",
    required=True,
    type=places.Place(path_type=Path),
    help="Folder for the page and the notebook; it must be empty or new.",
)
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
def new_run_command(
    chapter: str, settings: tuple[str, ...], size: str, out: Path, force: bool
) -> None:
    """Run a chapter with values of your own, as a notebook and a page beside the book.

    The exit status is 0 if all checks of the chapter hold for these values, 3 if the page is there
    and some do not hold, and 1 if there is no page.
    """
    check_places()
    variation = new_run.plan(
        chapter, [parameters.Assignment.parse(text) for text in settings], size
    )
    new_run.check_place(out, force=force)
    finished = new_run.run(variation, out)
    if finished.failure or finished.notebook is None:
        raise BookError(
            f"{variation.chapter.name} stopped: {finished.failure}"
            + (f"; what ran is in {finished.notebook}" if finished.notebook else "")
        )
    if finished.notebook.parent != out:
        click.echo(
            f"valleys: {out} was changed by somebody else meanwhile and is left alone; the "
            f"run is in {finished.notebook.parent}",
            err=True,
        )
    click.echo(f"the page is {finished.page}, the notebook {finished.notebook}")
    if finished.broken:
        click.echo(f"valleys: {new_run.verdict(finished.broken, finished.n_checks)}", err=True)
        raise SystemExit(3)


@main.command("values")
@chapter_option
@size_option
def values_command(chapter: str, size: str) -> None:
    """Print the parameters of a chapter at a size, as a file for papermill's option -f."""
    chapters = all_chapters()
    found = find_chapter(chapter, chapters)
    click.echo(
        parameters.parameter_file(found, parameters.run_parameters(chapters, size)[found.name])
    )


@main.command()
@_only_option(
    "Ship the results of this chapter; may be given several times. [default: all chapters]"
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Chapters at once."
)
@workers_option
@scheduler_option
def ship(only: tuple[str, ...], jobs: int, workers: int | None, scheduler: str | None) -> None:
    """Make results/paper hold what these chapters show at size paper, and nothing else."""
    check_places(build=True)
    places.check_writable(book_results(), config.SHIPPED)
    work, folder, where = (
        checked_work("paper", only, exercises=False),
        book_results(),
        where_to_compute(workers, scheduler),
    )

    def compute() -> set[str]:
        with tempfile.TemporaryDirectory() as scratch:
            asked = Path(scratch) / "asked"
            asked.touch()
            execute(
                work,
                "paper",
                jobs=jobs,
                workers=workers,
                environment=where | {config.ASKED: str(asked)},
            )
            return set(asked.read_text(encoding="utf-8").split())

    with locks.alone(executed_folder("paper"), "`valleys ship`, a run of size paper,"):
        click.echo(shipping.ship(folder, results_folder(), compute).lines())


@main.command()
@size_option
@click.option(
    "--student",
    is_flag=True,
    help="Build the student edition instead, into "
    "dist/student-site: exercises without solutions, not "
    "executed.",
)
@repository_option
@click.pass_context
def build(context: click.Context, size: str, student: bool, repository: str | None) -> None:
    """Build the site in _build/html from the executed chapters of a size, and check it."""
    root = book_root()
    places.check_writable(dist_folder() if student else build_folder(), config.BUILD)
    if (
        student
        and repository != NONE
        and context.get_parameter_source("repository") is click.core.ParameterSource.COMMANDLINE
    ):
        raise BookError(
            "the site for students has no buttons for Binder and Colab, which would "
            "open the solutions; leave out --repository or --student"
        )
    html = (
        build_student(root, size)
        if student
        else build_book(build_folder().parent, size, address(repository))
    )
    click.echo(f"the book is in {html / 'index.html'}")


@main.command()
@size_option
@repository_option
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Only see whether there is a Chromium to print with.",
)
def pdf(size: str, repository: str | None, only_check: bool) -> None:
    """Build the site from the executed chapters of a size, and print it: a PDF of the whole
    book, linked from its pages.
    """
    try:
        from valleys.book.print.pdf import NAME, find_browser, make_pdf
    except ImportError as error:
        raise BookError(
            f"printing needs {error.name}, which is not installed; install the book "
            "with `make install`, or `pip install -e '.[book]'`"
        ) from None
    find_browser()  # before the minutes that the site takes
    places.check_writable(build_folder(), config.BUILD)
    if only_check:
        return
    html = build_book(
        build_folder().parent,
        size,
        address(repository),
        more=lambda pages: make_pdf(pages, pages.with_name("print")),
    )
    click.echo(f"the book in print is {html / NAME}")


@main.command("editions")
@click.option(
    "--target",
    type=places.Place(file_okay=False, path_type=Path),
    help="Folder to write them into. [default: dist]",
)
def editions_command(target: Path | None) -> None:
    """Write a student edition, without solutions, and an instructor edition, with a course for
    nbgrader: each a folder and a zip file.
    """
    root = book_root()
    for path in copies.write_editions(root, (target or dist_folder()).resolve()):
        click.echo(path)


@main.command("check")
@click.argument("html", type=FOLDER, required=False)
def check_command(html: Path | None) -> None:
    """Check a built site: pages, alt texts, links, nothing from elsewhere. [default:
    _build/html]
    """
    html = html or build_folder() / "html"
    if not (html / "index.html").is_file():
        raise BookError(f"{html} holds no site; build it with `make book`")
    _report(check.check_site(html))
    click.echo(f"{html} is in order")


@main.command("verify")
@_cells_option(5, "How many results or cells of them to compute again.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draw."
)
@_limit_option(60.0, "one of them")
@click.argument("folder", type=FOLDER, required=False)
def verify_command(count: int, seed: int, limit: float, folder: Path | None) -> None:
    """Compute stored results, drawn at random, again and compare. [default: results/paper, those
    that come with the book]

    On the processor that made a result, simulated values must be equal to the last bit; on another,
    those with an error must agree within it, and the others are left out. What is computed without
    random numbers must agree within 1e-6 of its size.
    """
    folder = (folder or book_results()).resolve()
    verdicts = []
    for verdict in verify.verify(folder, count=count, seed=seed, limit=limit):
        click.echo(verdict.line())
        verdicts.append(verdict)
    if not any(verdict.state in ("equal", "agrees", "differs") for verdict in verdicts):
        click.echo(f"nothing in {folder} could be computed again")
    if n_bad := sum(verdict.is_bad for verdict in verdicts):
        raise BookError(f"{n_bad} of {len(verdicts)} results did not come out again")


def _names(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, str]:
    """Names of studies today, by the names that they had."""
    if wrong := [pair for pair in pairs if len([part for part in pair.split("=") if part]) != 2]:
        raise click.BadParameter(f"'{wrong[0]}' is not of the form OLD=NEW, such as grid=sweep")
    return dict(pair.split("=") for pair in pairs)


@main.command("borders")
def borders_command() -> None:
    """Record the borders of the ledger, so that none moves without a new date.

    Refuses one that changed in pages/claims.yml without a new entry under `changed`, and a question
    that is gone without one under `dropped`.
    """
    write_record(book_root() / RECORD, read_claims(book_root() / CLAIMS))
    click.echo(f"recorded in {RECORD}")


@main.command("rekey")
@_cells_option(1, "How many cells of each file to compute again.")
@_limit_option(180.0, "a file")
@click.option(
    "--earlier",
    type=FOLDER,
    help="Checkout of the code that made the results, to compute the same with, where the "
    "processor is another one than theirs.",
)
@click.option(
    "--runs",
    nargs=2,
    type=FOLDER,
    metavar="EARLIER TODAY",
    help="Two folders of results that the chapters left at a small size on this machine, with that "
    "code and with today's: compare these instead.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    callback=_names,
    metavar="OLD=NEW",
    help="A study that was renamed and edited, and its name today.",
)
def rekey_command(
    count: int,
    limit: float,
    earlier: Path | None,
    runs: tuple[Path, Path] | None,
    names: dict[str, str],
) -> None:
    """Keep results/paper current after an edit of the code behind it that changes no value.

    Layout, comments, names and order of definitions are no part of a result's key, so most tidying
    needs nothing. A study with another name is found by its code, and its files are renamed without
    computing. Of any other outdated file drawn cells, or the whole where its study offers none, are
    computed again: where all of a study are equal to the last bit to what is stored, its files get
    the key of today's code. It says which, and may be stopped.
    """
    evidence = rekey.Evidence(rekey.Extent(count, limit), earlier, runs, names)
    outcomes = []
    for outcome in rekey.rekey(book_results(), evidence):
        click.echo(outcome.line())
        outcomes.append(outcome)
    if not outcomes:
        click.echo("nothing is outdated")
    if n_refused := sum(outcome.state == "refused" for outcome in outcomes):
        raise BookError(
            f"{n_refused} of {len(outcomes)} studies keep outdated results; `make "
            "results` computes them anew"
        )


def build_book(
    root: Path,
    size: str,
    repository: Address | None = None,
    *,
    more: Callable[[Path], object] | None = None,
) -> Path:
    """The site of the book, checked, in `_build` of a folder; pages of notebooks have buttons for
    Binder and Colab if it has a public address.

    Args:
        root: folder that gets `_build`.
        size: of the executed chapters.
        repository: the public address.
        more: adds to the built pages, in the folder that it is given, before they are checked.

    Raises:
        BookError: another build is under way, a page cannot be built, or the site is not in order;
            then the earlier site stays.
    """
    check_notebooks()  # before the minutes that the site takes

    def finish(html: Path) -> None:
        if more:
            more(html)
        _report(check.check_site(html))

    source = root / "_build" / "source"
    with locks.alone(root / "_build" / "html", "another build"):
        with locks.alone(executed_folder(size), READING, reading=True):
            builder.assemble(executed_folder(size), source, address=repository)
        return builder.build(source, root, finish=finish)


def build_student(root: Path, size: str) -> Path:
    """The site of the student edition, checked, in dist/student-site.

    Raises:
        BookError: as for the book, or an exercise breaks the contract of its cells.
    """
    check_notebooks(root)
    place = dist_folder() / "student-site"
    with locks.alone(place, "another build of the student site"):
        place.parent.mkdir(parents=True, exist_ok=True)
        folders.sweep(place.parent, STUDENT_SCRATCH)
        # fresh, so that nothing of an older page stays in it
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=STUDENT_SCRATCH) as scratch:
            edition, source = Path(scratch) / "student", Path(scratch) / "source"
            with locks.alone(executed_folder(size), READING, reading=True):
                copies.lay_out_student(root, edition)
                builder.assemble(executed_folder(size), source, root=edition)
            html = builder.build(
                source,
                Path(scratch),
                finish=lambda pages: _report(check.check_site(pages, edition)),
            )
            return folders.put(html, place)


def check_places(*, build: bool = False) -> None:
    """Refuse to compute where what is computed could not be put: the results folder, if one is
    named, and if wanted the folder of executed notebooks.

    Raises:
        BookError: nothing can be written there.
    """
    if config.place(config.RESULTS):
        places.check_writable(
            results_folder(),
            f"{config.RESULTS}; one that is only to be read can be {config.SHIPPED}",
        )
    if build:
        places.check_writable(build_folder(), config.BUILD)


def checked_work(
    size: str, only: tuple[str, ...], settings: tuple[str, ...] = (), *, exercises: bool = True
) -> Work:
    """The chosen notebooks, each with its parameter values; if none is named all chapters and, if
    wanted, their exercises.

    Raises:
        BookError: a chapter or parameter is unknown, or a value is refused.
    """
    chapters = all_chapters()
    own = [parameters.Assignment.parse(text) for text in settings]
    values = parameters.run_parameters(chapters, size, own)
    solved = {
        name: each
        for name, each in all_exercises().items()
        if is_executed(f"exercises/{name}.ipynb")
    }
    # exercises first: one of them takes longest of all, and is not to be left over for one core
    notebooks = (solved if exercises else {}) | chapters
    chosen = [find_chapter(name, notebooks) for name in only] or list(notebooks.values())
    for chapter in chosen:
        # exercises are the same at every size and have nothing to refuse
        if chapter.name in chapters:
            runner.check_before_running(
                chapter, values[chapter.name], own=[setting.parameter for setting in own]
            )
    return {chapter.name: (chapter, values.get(chapter.name, {})) for chapter in chosen}


def where_to_compute(workers: int | None, scheduler: str | None) -> dict[str, str]:
    """The variables that tell chapters of a scheduler, once it has answered.

    Raises:
        BookError: both are given, or the scheduler cannot be used.
    """
    if scheduler is None:
        return {}
    if workers is not None:
        raise BookError(
            "give --workers for processes of this machine or --scheduler for a Dask "
            "cluster, not both"
        )
    if executors.lets_strangers_in(scheduler):
        click.echo(
            f"valleys: warning: who reaches {scheduler} on its network can run code there "
            "and on your machine: use tls:// with certificates",
            err=True,
        )
    try:
        return executors.variables_for(scheduler)
    except ValueError as error:
        raise BookError(str(error)) from None


def execute(
    work: Work,
    size: str,
    *,
    jobs: int | None,
    workers: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run chapters and tell how each went.

    Raises:
        BookError: a chapter failed.
    """
    failures = 0
    with contextlib.closing(
        runner.run_chapters(
            work, executed_folder(size), jobs=jobs, workers=workers, environment=environment
        )
    ) as outcomes:
        for outcome in outcomes:
            click.echo(outcome.line())
            failures += outcome.failure is not None
    if failures:
        raise BookError(f"{failures} of {len(work)} chapters failed")


def executed_folder(size: str) -> Path:
    """Where the executed copies of a size lie."""
    return build_folder() / "executed" / size


def _report(problems: list[str]) -> None:
    if problems:
        raise BookError("\n".join([*problems, f"{len(problems)} problems"]))


def run_command_line() -> None:
    """The commands, with what a user can mend told in one line, without a traceback."""
    try:
        with ending.in_order():
            main(standalone_mode=False)
    except (BookError, FileNotFoundError) as error:
        sys.exit(f"valleys: {error}")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
