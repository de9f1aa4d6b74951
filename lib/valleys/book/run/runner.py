"""Execute chapters with papermill: everything is checked first, then each chapter runs in a
process of its own.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from valleys import config
from valleys.book.chapters import Chapter
from valleys.book.run import ending
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import machine
from valleys.results.progress import Watch


@dataclass(frozen=True)
class Outcome:
    """How the run of a chapter ended."""

    chapter: str
    seconds: float
    executed: Path
    failure: str | None  # the last line of the error, None if it went well

    def line(self) -> str:
        """One summary line: name, state, time, and what went wrong or where the copy lies."""
        state, remark = (
            ("failed", self.failure) if self.failure else ("ok", _relative(self.executed))
        )
        return f"{self.chapter:<32} {state:<6} {self.seconds:7.1f} s  {remark}"


def check_before_running(
    chapter: Chapter, values: Mapping[str, Any], *, own: Iterable[str] = ()
) -> None:
    """Build the chapter's specs from the values, which refuse what does not go together, and run
    nothing else of it.

    Args:
        chapter: the chapter.
        values: of its parameters, each of its kind and within its bounds.
        own: names of those that the reader gave, told where a refusal speaks of others.

    Raises:
        BookError: a value is refused.
    """
    namespace: dict[str, Any] = {}
    try:
        for source, tags in chapter.opening():
            exec(compile(source, chapter.name, "exec"), namespace)
            if "parameters" in tags:
                namespace.update(values)
    except (
        Exception
    ) as error:  # whatever it is: a value that breaks the specs must not be computed with
        told = " ".join(str(error).split()) or type(error).__name__
        others = [f"{name}={values[name]!r}" for name in own if name in values and name not in told]
        remark = f" (with {', '.join(others)})" if others else ""
        raise BookError(f"{chapter.name}: {told}{remark}") from error


def run_chapters(
    work: Mapping[str, tuple[Chapter, dict[str, Any]]],
    output: Path,
    *,
    jobs: int | None = None,
    workers: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Generator[Outcome, None, None]:
    """Execute chapters, some at once, and yield each outcome as it comes.

    Args:
        work: chapter and parameter values by chapter name, already checked.
        output: folder for the executed copies.
        jobs: chapters at once; the cores are shared out between them. At most two if None, fewer
            where the workers need the cores.
        workers: worker processes that each chapter asks for; as many as its share of the cores if
            None.
        environment: variables to set for the chapters, over those of this process.
    """
    output.mkdir(parents=True, exist_ok=True)
    jobs, threads = shares(len(work), jobs, workers)
    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(work), unit="chapter", disable=None) as bar,
        _sweeps_shown() as progress,
    ):
        runs = _Runs(threads, workers, {**progress, **(environment or {})})
        try:
            futures = [pool.submit(runs.run, *pair, output) for pair in work.values()]
            for future in as_completed(futures):
                bar.update()
                yield future.result()
        except BaseException:  # a signal above all: no process may be left behind
            pool.shutdown(wait=False, cancel_futures=True)
            runs.stop()
            raise


def shares(n_chapters: int, jobs: int | None, workers: int | None) -> tuple[int, int]:
    """How many chapters run at once, and how many cores each may use.

    Raises:
        BookError: the workers of the chapters need more cores than there are.
    """
    cores = machine.granted()
    chosen = max(1, min(jobs or min(2, cores // (workers or 1)), cores, n_chapters))
    if workers and chosen * workers > cores:
        raise BookError(
            f"{chosen} chapters at once with {workers} workers each need "
            f"{chosen * workers} cores, and there are {cores}: choose fewer"
        )
    return chosen, max(1, cores // chosen)


@contextlib.contextmanager
def _sweeps_shown() -> Iterator[dict[str, str]]:
    """Variables by which chapters tell the progress of their sweeps, shown meanwhile; none where
    there is no terminal.
    """
    if not sys.stderr.isatty():
        yield {}
        return
    with tempfile.TemporaryDirectory() as scratch, Watch(Path(scratch) / "progress") as watch:
        yield {config.PROGRESS: str(watch.path)}


class _Runs:
    """Papermill processes under way, so that they can be stopped together."""

    def __init__(self, threads: int, workers: int | None, environment: dict[str, str]) -> None:
        self.environment = (
            os.environ
            | config.settled()
            | {variable: str(threads) for variable in machine.THREAD_VARIABLES}
            | ({config.WORKERS: str(workers)} if workers else {})
            | environment
        )
        self.processes: list[subprocess.Popen[str]] = []
        self.stopping, self.lock = False, threading.Lock()

    def run(self, chapter: Chapter, values: Mapping[str, Any], output: Path) -> Outcome:
        executed, under_way = output / f"{chapter.name}.ipynb", output / f".{chapter.name}.ipynb"
        started = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "papermill",
            str(chapter.path),
            str(under_way),
            "--kernel",
            "python3",
            "--no-progress-bar",
            # the copy is written once, at the end or at an error: to write it after each cell, with
            # all its figures, takes a seventh of the time
            "--no-request-save-on-cell-execute",
            "--autosave-cell-every=0",
        ]
        command += ["--parameters_yaml", yaml.safe_dump(dict(values))] if values else []
        failure = self._execute(command)
        if failure and self.stopping:
            under_way.unlink(missing_ok=True)
            return Outcome(chapter.name, time.perf_counter() - started, executed, failure)
        with contextlib.suppress(FileNotFoundError):  # papermill itself failed
            under_way.replace(executed)
        return Outcome(chapter.name, time.perf_counter() - started, executed, failure)

    def _execute(self, command: list[str]) -> str | None:
        """The last line of the error, None if all went well."""
        with self.lock:  # or a process might be started after all others were ended
            if self.stopping:
                return "stopped"
            process = ending.start(
                command,
                cwd=book_root(),
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            self.processes.append(process)
        _, errors = process.communicate()
        return None if process.returncode == 0 else _last_line(errors)

    def stop(self) -> None:
        """End every process and what it has started, and start no more."""
        with self.lock:
            self.stopping = True
        ending.end(self.processes)


def _last_line(errors: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", errors)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return lines[-1] if lines else "no error message"


def _relative(path: Path) -> str:
    return os.path.relpath(path)
