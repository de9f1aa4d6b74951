"""Whoever ends a command ends all that it started: by Ctrl-C, by `kill`, by closing the
terminal, or by force.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import psutil

# Ctrl-C; kill, timeout and batch systems; a closed terminal
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# for a process to end when it is asked to; after it a notebook's kernel is killed with the rest
PATIENCE_SECONDS = 4.0
LAST_SECONDS = 8.0  # for this process to end in order
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


class Ended(SystemExit):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        """With the exit status by which a shell tells of the signal."""
        self.code: int = 128 + number
        super().__init__(self.code)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        """One line for the user."""
        return (
            f"valleys: ended by {self.signal.name}; what was finished is kept, and the same "
            "command goes on from there"
        )

    def tell(self) -> None:
        """Print the line, if there still is a terminal to print it on."""
        with contextlib.suppress(OSError, ValueError):
            print(self, file=sys.stderr, flush=True)


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Have signals end a program: the first raises `Ended` in the main thread and is told in one
    line; later ones change nothing.

    Ctrl-C counts even where a script started the program with `&`, which has it ignored; a closed
    terminal does not under `nohup`.
    """
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)
    try:
        yield
    except Ended as ended:
        ended.tell()
        raise


def _raise(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, _pass)  # one that is ignored would also be by what is started meanwhile
    last = threading.Timer(LAST_SECONDS, _end_by_force, [number])
    last.daemon = True
    last.start()
    raise Ended(number)


def _pass(number: int, frame: FrameType | None) -> None:
    """An end is under way."""


def _end_by_force(number: int) -> None:
    """Something in this process held the end up."""
    ended = Ended(number)
    _kill(psutil.Process().children(recursive=True))
    ended.tell()
    os._exit(ended.code)


def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
    """Start a program out of reach of Ctrl-C, for this process to end it by `end`; on Linux it is
    also asked to end if the thread that started it is gone.

    Args:
        command: the program and its arguments.
        options: as of `subprocess.Popen`.
    """
    bound = partial(_bind, ctypes.CDLL(None), os.getpid()) if sys.platform == "linux" else None
    before = set(psutil.Process().children())
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
            preexec_fn=bound,
            **options,
        )
    except BaseException:  # such as a signal that comes before it is known what was started
        _kill(_family(set(psutil.Process().children()) - before))
        raise


def _bind(libc: ctypes.CDLL, parent: int) -> None:
    """In the new process: be asked to end with the one that started it."""
    libc.prctl(PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
    if os.getppid() != parent:  # it was gone before it was asked for
        os._exit(1)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, or to that of this process, and return what it printed."""
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate()
    except BaseException:
        end([process])
        raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def end(processes: Iterable[subprocess.Popen[str]]) -> None:
    """Ask processes that `start` gave to end, and kill what is left of them and of all below
    them after some seconds.
    """
    asked = {process.pid for process in processes if process.poll() is None}
    family = _family(child for child in psutil.Process().children() if child.pid in asked)
    for leader in asked:  # of a group that has no kernels in it, which papermill ends
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while family and time.monotonic() < deadline:
        time.sleep(0.1)
        family = _family(family)  # a kernel may have been starting
    _kill(family)


def _family(ancestors: Iterable[psutil.Process]) -> set[psutil.Process]:
    """Those that are alive, and all below them."""
    found: set[psutil.Process] = set()
    for process in ancestors:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found |= {process, *process.children(recursive=True)}
    return found


def _kill(family: Iterable[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
