"""Whoever ends a command ends all that it started, and nothing half done is left."""

import functools
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.book.conftest import small_chapter
from tests.sharing import copied_library
from valleys.paths import book_root
from valleys.results import store

STARTS_WITHIN, ENDS_WITHIN = 120.0, 15.0

SLOWLY = """
import os, time
from dataclasses import dataclass
from pathlib import Path

import xarray as xr


@dataclass(frozen=True)
class Spec:
    seed: int = 0


def study(spec: Spec) -> xr.Dataset:
    work()
    return xr.Dataset({"value": ("step", [float(spec.seed)])})


def work():
    if "TEST_AT_WORK" in os.environ:
        Path(os.environ["TEST_AT_WORK"]).touch()
        time.sleep(1000)


def setup(app):  # as an extension of Sphinx
    work()
"""
CHAPTER = """import slowly
from valleys.results import executors
with executors.Processes(1) as pool:
    pool.submit(slowly.work).result()"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a copy of the package, which thus belongs to the book that it is used in,
    and with what takes long.
    """
    folder = copied_library(tmp_path_factory.mktemp("package") / "lib")
    (folder / "slowly.py").write_text(SLOWLY)
    return folder


@pytest.fixture
def book(small_book, package, monkeypatch):
    """A book whose one chapter, and whose building, takes long in the innermost process."""
    small_chapter(small_book / "chapters" / "01_small.ipynb", work=CHAPTER)
    (small_book / "params" / "paper.yml").write_text("global: {}\nchapters: {}\n")
    (small_book / "_config.yml").write_text("sphinx: {extra_extensions: [slowly]}\n")
    (small_book / "index.md").write_text("# A book\n")
    (small_book / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n  - caption: All\n "
        "   chapters:\n      - file: chapters/01_small\n"
    )
    _keep_an_earlier_run(small_book)
    _store_results(small_book / "results", package, monkeypatch)
    return small_book


def _keep_an_earlier_run(book: Path) -> None:
    for size in ("quick", "paper"):
        (book / "_build" / "executed" / size).mkdir(parents=True)
        shutil.copy(book / "chapters" / "01_small.ipynb", book / "_build" / "executed" / size)


def _store_results(folder: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALLEYS_RESULTS", str(folder))
    monkeypatch.setenv("VALLEYS_SHIPPED", str(folder))
    monkeypatch.syspath_prepend(package)
    slowly = importlib.import_module("slowly")

    store.load_or_compute(slowly.study, slowly.Spec())


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def begun(
    book: Path, package: Path, *command: str, ignored: tuple[signal.Signals, ...] = ()
) -> subprocess.Popen:
    """A command once the innermost process of it is at work; some signals are ignored as by what
    a script starts with `&`, or under nohup.
    """
    mark = book.parent / f"{book.name}-at-work"
    mark.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(package), "TEST_AT_WORK": str(mark)}
    treat = functools.partial(_treat, ignored)
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=book,
        env=environment,
        stdout=-1,
        stderr=-1,
        text=True,
        preexec_fn=treat,
    )
    deadline = time.monotonic() + STARTS_WITHIN
    while not mark.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.exists(), (
        process.communicate()[1] if process.poll() is not None else "nothing began"
    )
    return process


def _treat(ignored: tuple[signal.Signals, ...]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)


def ended(process: subprocess.Popen, number: signal.Signals) -> str:
    """What a process says on a signal that it alone gets; it and all below it must be gone soon.

    Raises:
        AssertionError: something is left.
    """
    below = psutil.Process(process.pid).children(recursive=True)
    try:
        process.send_signal(number)
        errors = process.communicate(timeout=ENDS_WITHIN)[1]
        deadline = time.monotonic() + ENDS_WITHIN
        while (left := [each for each in below if alive(each)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []
        return errors
    finally:
        for each in below:
            if alive(each):
                each.kill()
        process.kill()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def told_in_one_line(process: subprocess.Popen, number: signal.Signals, errors: str) -> bool:
    return (
        process.returncode == 128 + number
        and errors.startswith("valleys: ")
        and len(errors.splitlines()) == 1
        and number.name in errors
    )


PROGRAM = """
from valleys.book.run import ending
with ending.in_order():
    ending.run(["sh", "-c", "sleep 1000 & touch $TEST_AT_WORK; wait"])
"""
# The signal comes before it is known what was started.
SLOW_TO_START = """
import subprocess, time
from valleys.book.run import ending
class Slow(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        time.sleep(1000)
subprocess.Popen = Slow
with ending.in_order():
    ending.run(["sh", "-c", "sleep 1000 & touch $TEST_AT_WORK; wait"])
"""
SWALLOWING = """
import time
from valleys.book.run import ending
ending.LAST_SECONDS = 0.5
with ending.in_order():
    try:
        ending.run(["sh", "-c", "sleep 1000 & touch $TEST_AT_WORK; wait"])
    except BaseException:
        time.sleep(1000)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_what_a_process_has_started(number, tmp_path):
    process = begun(tmp_path, book_root() / "lib", "-c", PROGRAM, ignored=(signal.SIGINT,))
    assert told_in_one_line(process, number, ended(process, number))


def test_signal_ends_what_is_just_being_started(tmp_path):
    process = begun(tmp_path, book_root() / "lib", "-c", SLOW_TO_START)
    assert told_in_one_line(process, signal.SIGTERM, ended(process, signal.SIGTERM))


def test_child_that_does_not_end_when_asked_is_killed(tmp_path):
    stubborn = PROGRAM.replace("sleep 1000 &", "trap '' TERM; sleep 1000 &")
    process = begun(tmp_path, book_root() / "lib", "-c", stubborn)
    assert told_in_one_line(process, signal.SIGTERM, ended(process, signal.SIGTERM))


def test_process_that_cannot_end_in_order_ends_by_force(tmp_path):
    process = begun(tmp_path, book_root() / "lib", "-c", SWALLOWING)
    assert told_in_one_line(process, signal.SIGTERM, ended(process, signal.SIGTERM))


def test_closed_terminal_does_not_end_what_runs_under_nohup(tmp_path):
    process = begun(tmp_path, book_root() / "lib", "-c", PROGRAM, ignored=(signal.SIGHUP,))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    ended(process, signal.SIGTERM)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_killed_process_takes_its_child_along(tmp_path):
    process = begun(
        tmp_path,
        book_root() / "lib",
        "-c",
        PROGRAM.replace(
            '"sh", "-c", "sleep 1000 & touch $TEST_AT_WORK; wait"',
            '"sh", "-c", "touch $TEST_AT_WORK; exec sleep 1000"',
        ),
    )
    ended(process, signal.SIGKILL)


COMMANDS = {
    "run": ("run", "--size", "quick"),
    "new-run": ("new-run", "--chapter", "small", "--out", "runs/mine"),
    "ship": ("ship",),
    "build": ("build", "--size", "quick", "--repository", "none"),
    "student": ("build", "--size", "quick", "--student"),
    "verify": ("verify", "results"),
}


@pytest.mark.slow
# one way for all signals, as seen above
@pytest.mark.parametrize(
    ("name", "number"), list(zip(COMMANDS, 3 * (signal.SIGTERM, signal.SIGHUP), strict=True))
)
def test_command_that_is_told_to_end_leaves_nothing_running_and_nothing_half_done(
    name, number, book, package
):
    before = contents(book)
    process = begun(book, package, "-m", "valleys", *COMMANDS[name])
    assert told_in_one_line(process, number, ended(process, number))
    # those stay, held by nobody
    new = {path for path in set(contents(book)) - set(before) if path.suffix != ".lock"}
    assert {path for path in new if "_build/source" not in path.as_posix()} == set()
    assert {path: content for path, content in contents(book).items() if path in before} == before
    assert not [
        path for path in (*book.glob("runs/.*"), *book.glob("dist/.*")) if path.suffix != ".lock"
    ]


@pytest.mark.slow
def test_run_that_a_script_started_in_the_background_heeds_an_interrupt(book, package):
    process = begun(book, package, "-m", "valleys", *COMMANDS["run"], ignored=(signal.SIGINT,))
    assert told_in_one_line(process, signal.SIGINT, ended(process, signal.SIGINT))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "verify"])
def test_killed_command_leaves_nothing_running(name, book, package):
    ended(begun(book, package, "-m", "valleys", *COMMANDS[name]), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_papermill_alone_leaves_nothing_running(number, book, package):
    ended(begun(book, package, "-m", "papermill", "chapters/01_small.ipynb", "out.ipynb"), number)
