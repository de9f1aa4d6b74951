"""Execute chapters with papermill: everything is checked first, then each chapter runs in a process of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from valleys.book.chapters import BookError, Chapter
from valleys.book.machine import THREAD_VARIABLES
from valleys.book.paths import book_root

PATIENCE_SECONDS = 10.0  # for a notebook to shut its kernel down after an interrupt


@dataclass(frozen=True)
class Outcome:
    """How the run of a chapter ended."""

    chapter: str
    seconds: float
    executed: Path
    failure: str | None  # the last line of the error, None if it went well

    def line(self) -> str:
        """One summary line: name, state, time, and what went wrong or where the copy lies."""
        state, remark = ("failed", self.failure) if self.failure else ("ok", _relative(self.executed))
        return f"{self.chapter:<24} {state:<6} {self.seconds:7.1f} s  {remark}"


def check_before_running(chapter: Chapter, values: Mapping[str, Any]) -> None:
    """Build the chapter's specs from the values, which refuse what is out of range, and run nothing else of it.

    Raises:
        BookError: a spec refuses its values.
    """
    namespace: dict[str, Any] = {}
    try:
        for source, tags in chapter.opening():
            exec(compile(source, chapter.name, "exec"), namespace)
            if "parameters" in tags:
                namespace.update(values)
    except (ValueError, TypeError) as error:
        raise BookError(f"{chapter.name}: {error}") from error


def run_chapters(
    work: Mapping[str, tuple[Chapter, dict[str, Any]]], output: Path, *, jobs: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterable[Outcome]:
    """Execute chapters, some at once, and yield each outcome as it comes.

    Args:
        work: chapter and parameter values by chapter name, already checked.
        output: folder for the executed copies.
        jobs: chapters at once; the cores are shared out between them. At most two if None.
        environment: variables to set for the chapters, over those of this process.
    """
    output.mkdir(parents=True, exist_ok=True)
    cores = os.cpu_count() or 1
    jobs = max(1, min(jobs or 2, cores, len(work)))
    runs = _Runs(threads=max(1, cores // jobs), environment=environment or {})
    with ThreadPoolExecutor(jobs) as pool, tqdm(total=len(work), unit="chapter", disable=None) as bar:
        futures = [pool.submit(runs.run, chapter, values, output) for chapter, values in work.values()]
        try:
            for future in as_completed(futures):
                bar.update()
                yield future.result()
        except BaseException:  # Ctrl-C above all: no process may be left behind
            pool.shutdown(wait=False, cancel_futures=True)
            runs.stop()
            raise


class _Runs:
    """Papermill processes under way, so that they can be stopped together."""

    def __init__(self, *, threads: int, environment: Mapping[str, str]) -> None:
        self.environment = os.environ | {variable: str(threads) for variable in THREAD_VARIABLES} | environment
        self.processes: list[subprocess.Popen[str]] = []
        self.stopping = False

    def run(self, chapter: Chapter, values: Mapping[str, Any], output: Path) -> Outcome:
        executed = output / f"{chapter.name}.ipynb"
        started = time.perf_counter()
        if self.stopping:
            return Outcome(chapter.name, 0.0, executed, "stopped")
        command = [sys.executable, "-m", "papermill", str(chapter.path), str(executed), "--kernel", "python3", "--no-progress-bar"]
        command += ["--parameters_yaml", yaml.safe_dump(dict(values))] if values else []
        process = self._start(command)
        _, errors = process.communicate()
        failure = None if process.returncode == 0 else _last_line(errors)
        return Outcome(chapter.name, time.perf_counter() - started, executed, failure)

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=book_root(), env=self.environment, start_new_session=True, text=True, **pipes)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """Interrupt every process, which shuts its kernel down, and kill what does not end in time."""
        self.stopping = True
        alive = [process for process in self.processes if process.poll() is None]
        for process in alive:
            process.send_signal(signal.SIGINT)
        for process in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", errors)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return lines[-1] if lines else "no error message"


def _relative(path: Path) -> str:
    return os.path.relpath(path)
