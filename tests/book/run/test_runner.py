"""Chapters are checked before anything runs, executed in processes of their own, and stopped
without leftovers.
"""

import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from click.testing import CliRunner

from tests.book.conftest import small_chapter
from tests.commands import refused
from valleys.book.chapters import Chapter, read_parameters
from valleys.book.run import runner
from valleys.book.run.parameters import SIZES
from valleys.cli import main
from valleys.errors import BookError
from valleys.paths import book_root


def chapter(path) -> Chapter:
    return Chapter(path.stem, path, read_parameters(path))


def outcome(path, output, values=None):
    made = chapter(path)
    return next(iter(runner.run_chapters({made.name: (made, values or {})}, output)))


def printed(path) -> str:
    return "".join(
        output.get("text", "")
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", [])
    )


def test_chapter_is_executed_with_its_values_and_the_source_stays_bare(tmp_path):
    source = small_chapter(tmp_path / "01_small.ipynb")
    result = outcome(source, tmp_path / "executed", {"n_runs": 7})
    assert result.failure is None
    assert printed(result.executed) == "7\n"
    assert printed(source) == ""
    assert result.line().startswith("01_small")


def test_failure_is_told_in_one_line(tmp_path):
    source = small_chapter(
        tmp_path / "01_small.ipynb", work="raise RuntimeError('the valley is gone')"
    )
    result = outcome(source, tmp_path / "executed")
    assert result.failure == "RuntimeError: the valley is gone"
    assert "failed" in result.line()


def test_values_out_of_range_are_refused_before_the_work_cells(tmp_path):
    ran = tmp_path / "ran"
    made = chapter(small_chapter(tmp_path / "01_small.ipynb", work=f"open({str(ran)!r}, 'w')"))
    with pytest.raises(BookError, match="01_small: learning_rate must be positive, got -1"):
        runner.check_before_running(made, {"learning_rate": -1.0})
    runner.check_before_running(made, {"learning_rate": 1.0})
    assert not ran.exists()


@pytest.mark.parametrize(
    ("n_chapters", "jobs", "workers", "shared"),
    [
        (6, None, None, (2, 4)),
        (1, None, None, (1, 8)),
        (6, 4, None, (4, 2)),
        (6, None, 8, (1, 8)),
        (6, None, 3, (2, 4)),
        (6, 2, 4, (2, 4)),
        (6, 99, None, (6, 1)),
    ],
)
def test_cores_are_shared_out(monkeypatch, n_chapters, jobs, workers, shared):
    monkeypatch.setattr(runner.machine, "granted", lambda: 8)
    assert runner.shares(n_chapters, jobs, workers) == shared


def test_more_workers_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr(runner.machine, "granted", lambda: 8)
    with pytest.raises(
        BookError, match="2 chapters at once with 5 workers each need 10 cores, and there are 8"
    ):
        runner.shares(6, 2, 5)


@pytest.mark.slow
def test_chapter_is_told_its_workers_and_its_share_of_the_cores(tmp_path):
    work = (
        "import os\nprint([os.environ.get(name) for name in ('VALLEYS_WORKERS', 'OMP_NUM_THREADS', "
        "'VALLEYS_SCHEDULER')])"
    )
    made = chapter(small_chapter(tmp_path / "01_small.ipynb", work=work))
    environment = {"VALLEYS_SCHEDULER": "tcp://10.0.0.1:8786"}
    done = next(
        iter(
            runner.run_chapters(
                {made.name: (made, {})}, tmp_path / "executed", workers=1, environment=environment
            )
        )
    )
    assert printed(done.executed) == f"['1', '{runner.machine.granted()}', 'tcp://10.0.0.1:8786']\n"


@pytest.mark.slow
def test_workers_of_a_killed_chapter_end_with_it(tmp_path):
    noted = tmp_path / "process"
    work = f"""import os, pathlib, signal, time
from valleys.results import executors
pool = executors.Processes(1)
pool.submit(time.sleep, 100)
time.sleep(2)
pathlib.Path({str(noted)!r}).write_text(str(*pool.pool._processes))
os.kill(os.getpid(), signal.SIGKILL)"""
    source = small_chapter(tmp_path / "01_small.ipynb", work=work)
    assert outcome(source, tmp_path / "executed").failure is not None
    pid = int(noted.read_text())
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _alive(pid)


def command(*arguments, **options):
    environment = (
        os.environ | {"VALLEYS_RESULTS": str(options.pop("results"))}
        if "results" in options
        else os.environ
    )
    pipes = {"text": True, "stdout": -1, "stderr": -1, "preexec_fn": _as_in_a_terminal}
    return subprocess.Popen(
        [sys.executable, "-m", "valleys", *arguments],
        cwd=book_root(),
        env=environment,
        **pipes,
        **options,
    )


def _as_in_a_terminal():
    """A shell that starts tests in the background has them ignore Ctrl-C, and what they start as
    well.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "08_nothing"], "the chapters are 01_landscape"),
        (["--set", "n_rums=3"], "there are"),
        (["--set", "toy_model.n_runs=many"], "must be of kind int"),
        (["--set", "toy_model.n_runs=-4", "--only", "toy_model"], "n_runs"),
        (["--set", "training_sweeps.batch_sizes=[5000]", "--only", "training_sweeps"], "5000"),
        (["--set", "training_sweeps.learning_rates=[-0.1]", "--only", "training_sweeps"], "-0.1"),
        (["--set", "dataset=emnist", "--only", "training_sweeps"], "digits"),
        (["--scheduler", "10.0.0.1", "--only", "toy_model"], "reads tcp://HOST:PORT"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "1", "--only", "toy_model"], "not both"),
        (["--jobs", "1", "--workers", "5000", "--only", "toy_model"], "need 5000 cores"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(arguments, message, monkeypatch):
    monkeypatch.setattr(runner.subprocess, "Popen", None)  # whoever starts a chapter fails
    assert message in refused("run", *arguments)


def test_size_that_does_not_exist_is_refused_with_those_that_do():
    result = CliRunner().invoke(main, ["run", "--size", "huge"])
    assert result.exit_code == 2
    assert all(size in result.output for size in SIZES)


@pytest.mark.slow
def test_refusal_is_one_line_without_traceback_and_a_status(tmp_path):
    process = command("run", "--set", "n_rums=3", results=tmp_path)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "n_rums" in errors
    assert len(errors.splitlines()) == 1
    assert output == ""
    assert list(tmp_path.rglob("*.nc")) == []


@pytest.mark.slow
def test_interrupt_stops_every_process(tmp_path):
    process = command(
        "run",
        "--size",
        "smoke",
        "--only",
        "toy_model",
        "--set",
        "toy_model.n_steps=10000000",
        results=tmp_path,
    )
    deadline = time.monotonic() + 60
    while not _kernels(process.pid) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    started = _kernels(process.pid)
    assert started, (
        process.communicate()[1] if process.poll() is not None else "no notebook kernel was started"
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    assert "ended by SIGINT; what was finished is kept" in errors
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(_alive(pid) for pid in started)


def _kernels(ancestor: int) -> list[int]:
    """Notebook kernels among the descendants of a process."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [
        (int(pid), int(parent), arguments)
        for pid, parent, arguments in (line.split(None, 2) for line in listed)
    ]
    family = {ancestor}
    for _ in range(4):
        family |= {pid for pid, parent, _ in rows if parent in family}
    return [
        pid for pid, _, arguments in rows if pid in family and "ipykernel_launcher" in arguments
    ]


def _alive(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_every_chapter_of_the_table_of_contents_exists(chapters):
    assert list(chapters) == sorted(
        path.stem for path in (book_root() / "chapters").glob("*.ipynb")
    )
