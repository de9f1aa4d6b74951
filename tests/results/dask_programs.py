"""A Dask scheduler and a worker as programs, as on a cluster."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from valleys.paths import book_root


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _start(program: str, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", f"distributed.cli.{program}", *options, "--no-dashboard"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=book_root(), stdout=quiet, stderr=quiet)


@contextlib.contextmanager
def scheduler_and_worker(
    protocol: str, folder: Path, options: Sequence[str] = ()
) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a scheduler that has one worker, and its process; both are killed at last."""
    port = str(free_port())
    address = f"{protocol}://127.0.0.1:{port}"
    place = ["--host", "127.0.0.1", "--port", port, "--protocol", protocol]
    single = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    scheduler = _start("dask_scheduler", *place, *options)
    worker = _start("dask_worker", address, *single, *options)
    try:
        yield address, scheduler
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
