"""Sweeps survive what befalls them: killed processes, full disks, damaged files, company on the
same store, workers that die.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor as ThreadPool
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.results import sweeping
from tests.results.dask_programs import scheduler_and_worker
from tests.results.here import Here
from valleys.paths import book_root
from valleys.results import executors, naming, store

distributed = pytest.importorskip("distributed")
COUNT = 16


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "cache"))
    monkeypatch.setenv("VALLEYS_SHIPPED", str(tmp_path / "shipped"))
    return tmp_path / "cache"


def start(
    folder: Path,
    log: Path,
    *,
    count: int = COUNT,
    seconds: float = 0.0,
    length: int = 10,
    workers: int = 0,
    preexec_fn: Callable[[], object] | None = None,
) -> subprocess.Popen[str]:
    """A sweep in a process of its own."""
    arguments = [str(value) for value in (count, seconds, length, log, workers)]
    environment = os.environ | {"VALLEYS_RESULTS": str(folder)}
    command = [sys.executable, "-m", "tests.results.sweeping", *arguments]
    return subprocess.Popen(
        command,
        cwd=book_root(),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=preexec_fn,
    )


def finish(process: subprocess.Popen) -> str:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return errors


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def logged(log: Path) -> list[int]:
    """Seeds of the cells in the order in which their computation ended."""
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


def values_by_seed(folder: Path) -> dict[int, np.ndarray]:
    loaded = [store.load(path) for path in folder.rglob("*.nc")]
    return {result.attrs["seed"]: result.value.values for result in loaded}


def assert_as_undisturbed(folder: Path, count: int = COUNT, length: int = 10) -> None:
    found = values_by_seed(folder)
    assert sorted(found) == list(range(count))
    for seed, value in found.items():
        np.testing.assert_array_equal(value, np.random.default_rng(seed).normal(size=length))


def wait_for(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def family(ancestor: int) -> set[int]:
    """Living descendants of a process."""
    command = ["ps", "-eo", "pid=,ppid=,stat="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    alive = [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]
    members = {ancestor}
    while more := {pid for pid, parent in alive if parent in members} - members:
        members |= more
    return members - {ancestor}


def is_alive(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def kill_after(progress: Callable[[], int], process: subprocess.Popen, pause: float) -> bool:
    """Kill a sweep, and wait for its workers to end, a moment after it has made progress; whether
    it still ran.
    """
    before = progress()
    while process.poll() is None and progress() == before:
        time.sleep(0.002)
    time.sleep(pause)
    children = family(process.pid)
    process.kill()
    is_killed = process.wait() == -signal.SIGKILL
    wait_for(lambda: not any(is_alive(pid) for pid in children))
    return is_killed


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_sweep_loses_nothing_that_was_finished(folder, tmp_path, workers):
    log, draw = tmp_path / "log", random.Random(workers)
    sweep = partial(start, folder, log, seconds=0.05, length=30_000, workers=workers)
    # between computing and writing, or after writing
    moments = lambda: len(logged(log)), lambda: len(list(folder.rglob("*.nc")))
    killed = [kill_after(moment, sweep(), draw.uniform(0, 0.1)) for moment in moments]
    assert any(killed)
    kept, computed = set(values_by_seed(folder)), len(logged(log))
    assert len(kept) == len(list(folder.rglob("*.nc"))), "every file is whole"
    assert 1 <= len(kept) < COUNT
    finish(sweep())
    again = sorted(logged(log)[computed:])
    assert again == sorted(set(range(COUNT)) - kept), "what is missing, and nothing else"
    assert_as_undisturbed(folder, length=30_000)
    assert {Path(name).suffix for name in files(folder)} <= {".nc", ".partial"}


@pytest.mark.slow
def test_full_disk_costs_the_file_and_not_the_result(folder, tmp_path):
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    errors = finish(start(folder, tmp_path / "log", count=2, length=100_000, preexec_fn=limited))
    assert errors.count("the result is used but not kept") == 2
    assert "File too large" in errors
    assert files(folder) == set()
    finish(start(folder, tmp_path / "log", count=2, length=100_000))
    assert_as_undisturbed(folder, 2, 100_000)


IN_SMALL_FOLDER = """
import os, sys, pathlib
from tests.results import sweeping
from valleys.results import store
assert store.load_or_compute(sweeping.cell, sweeping.Spec(length=100_000)).value.size == 100_000
store.load_or_compute(sweeping.cell, sweeping.Spec(length=10))
print(sorted(path.suffix for path in pathlib.Path(os.environ["VALLEYS_RESULTS"]).rglob("*") if path.is_file()))
"""  # noqa: E501


@pytest.mark.slow
def test_disk_that_is_really_full(folder):
    mount = 'mount -t tmpfs -o size=128k none "$0" && exec "$@"'
    small = ["unshare", "-rm", "sh", "-c", mount, str(folder)]
    run = partial(subprocess.run, cwd=book_root(), capture_output=True, text=True, check=False)
    folder.mkdir()
    if shutil.which("unshare") is None or run([*small, "true"]).returncode:
        pytest.skip("no small disk can be mounted here")
    done = run([*small, sys.executable, "-c", IN_SMALL_FOLDER])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("No space left on device); the result is used but not kept") == 1
    assert done.stdout == "['.nc']\n", "the large one left nothing, the small one is kept"


def test_damaged_cells_of_a_sweep_are_computed_again_and_the_others_not(folder, tmp_path):
    specs = sweeping.specs(5, log=str(tmp_path / "log"))
    store.load_or_compute_all(sweeping.cell, specs)
    cut, other, sound, empty, _ = (store.result_path(sweeping.cell, spec) for spec in specs)
    cut.write_bytes(cut.read_bytes()[:-100])
    other.write_bytes(sound.read_bytes())
    empty.write_bytes(b"")
    with pytest.warns(store.StoreWarning) as caught:
        results = store.load_or_compute_all(sweeping.cell, specs)
    kinds = ("cannot be read", "was made by something else", "cannot be read")
    messages = [str(warning.message) for warning in caught]
    assert all(kind in text for kind, text in zip(kinds, messages, strict=True))
    assert sorted(logged(tmp_path / "log")[5:]) == [0, 1, 3]
    assert [result.attrs["seed"] for result in results] == list(range(5))
    assert_as_undisturbed(folder, 5)


@pytest.mark.slow
def test_two_processes_on_one_store_end_with_the_same_files(folder, tmp_path):
    processes = [start(folder, tmp_path / "log", seconds=0.02, length=50_000) for _ in range(2)]
    assert [finish(process) for process in processes] == ["", ""]
    assert_as_undisturbed(folder, length=50_000)
    assert len(files(folder)) == COUNT


def test_changed_spec_is_another_file(folder, tmp_path):
    for length in (10, 20, 10):
        store.load_or_compute_all(
            sweeping.cell, sweeping.specs(2, length=length, log=str(tmp_path / "log"))
        )
    assert len(files(folder)) == 4
    assert logged(tmp_path / "log") == [0, 1, 0, 1]


@pytest.fixture
def processes():
    with executors.Processes(2) as executor:
        yield executor


@pytest.mark.slow
def test_workers_give_the_serial_results_in_order_with_one_thread_each(
    folder, tmp_path, processes, monkeypatch
):
    log = tmp_path / "log"
    specs = [*reversed(sweeping.specs(COUNT, log=str(log))), sweeping.Spec(seed=3, log=str(log))]
    found = store.load_or_compute_all(sweeping.cell, specs, executor=processes)
    assert [result.attrs["seed"] for result in found] == [spec.seed for spec in specs]
    assert {line.split()[2] for line in log.read_text().splitlines()} == {"1"}
    assert sorted(logged(log)) == list(range(COUNT)), "a cell that is named twice is computed once"
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "serial"))
    for one, other in zip(found, store.load_or_compute_all(sweeping.cell, specs), strict=True):
        assert one.equals(other)
    assert files(folder) == files(tmp_path / "serial")


def test_no_process_is_started_for_what_is_there(processes):
    store.load_or_compute_all(sweeping.cell, sweeping.specs(3))
    store.load_or_compute_all(sweeping.cell, sweeping.specs(3), executor=processes)
    assert not processes.pool._processes


@pytest.mark.slow
def test_dead_worker_costs_one_more_attempt(folder, tmp_path, processes):
    log = tmp_path / "log"
    specs = [
        sweeping.Spec(seed, log=str(log), deadly=str(tmp_path / "deadly") if seed == 3 else "")
        for seed in range(6)
    ]
    message = "a worker process died .* of 6 cells of cell are missing and are tried once more"
    with pytest.warns(store.StoreWarning, match=message):
        found = store.load_or_compute_all(sweeping.cell, specs, executor=processes)
    assert [result.attrs["seed"] for result in found] == list(range(6))
    assert_as_undisturbed(folder, 6)
    assert len(set(logged(log))) == 6


@pytest.mark.slow
def test_worker_that_dies_again_ends_the_sweep_in_one_line_and_the_rest_is_kept(folder, processes):
    message = "after a second attempt; the finished ones are kept"
    with (
        pytest.warns(store.StoreWarning, match="once more"),
        pytest.raises(RuntimeError, match=message) as caught,
    ):
        store.load_or_compute_all(sweeping.always_deadly, sweeping.specs(4), executor=processes)
    assert "\n" not in str(caught.value)
    kept = set(values_by_seed(folder))
    assert kept
    assert kept <= {0, 1, 2}
    results = store.load_or_compute_all(sweeping.cell, sweeping.specs(2), executor=processes)
    assert [result.attrs["seed"] for result in results] == [0, 1]


@pytest.mark.slow
def test_failing_cell_is_told_and_the_finished_ones_are_kept(folder, processes):
    specs = [*sweeping.specs(3), sweeping.Spec(length=-1), *sweeping.specs(60, seconds=0.2)]
    with pytest.raises(ValueError, match="negative"):
        store.load_or_compute_all(sweeping.cell, specs, executor=processes)
    processes.shutdown()
    assert {0, 1, 2} <= set(values_by_seed(folder))
    assert len(values_by_seed(folder)) < 40, "cells that wait are given up"


def test_worker_that_cannot_see_the_folder_leaves_the_writing_to_who_asked(folder, monkeypatch):
    spec, executor = sweeping.Spec(seed=5), Here()
    submit = executor.submit
    monkeypatch.setattr(executor, "submit", lambda *given: submit(*given[:-1], "/proc/nowhere"))
    with pytest.warns(store.StoreWarning, match="/proc/nowhere.*could not be written"):
        store.load_or_compute_all(sweeping.cell, [spec], executor=executor)
    assert store.load(store.result_path(sweeping.cell, spec)).attrs["seed"] == 5


def test_worker_with_other_code_is_refused():
    made = naming.made_by(sweeping.cell, sweeping.Spec(seed=5))
    with pytest.raises(RuntimeError, match="has other code behind cell"):
        store.compute_elsewhere(sweeping.cell, sweeping.Spec(seed=6), made, "unused")


@pytest.mark.slow
def test_stop_ends_the_workers_at_once():
    workers = []

    def interrupted() -> None:
        with executors.Processes(1) as executor:
            executor.submit(time.sleep, 60)
            wait_for(lambda: executor.pool._processes)
            workers.extend(process.pid for process in executor.pool._processes.values())
            time.sleep(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    wait_for(lambda: not any(is_alive(pid) for pid in workers), 10)


@pytest.mark.parametrize(
    ("threads", "asked", "given"), [("1", None, None), ("2", None, 2), ("2", "1", 1), ("2", "2", 2)]
)
def test_workers_are_as_many_as_the_threads_that_may_be_used(monkeypatch, threads, asked, given):
    monkeypatch.setattr(executors.machine, "threads", lambda: int(threads))
    monkeypatch.setenv("VALLEYS_WORKERS", asked or "")
    with executors.workers() as executor:
        assert getattr(executor, "count", None) == given


def test_more_workers_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr(executors.machine, "threads", lambda: 2)
    with (
        pytest.raises(
            ValueError, match="between 1 and 2, the cores that this computation may use, got 3"
        ),
        executors.workers(3),
    ):
        pass
    monkeypatch.setenv("VALLEYS_WORKERS", "many")
    with (
        pytest.raises(ValueError, match="VALLEYS_WORKERS must be a whole number, got 'many'"),
        executors.workers(),
    ):
        pass


@pytest.fixture
def cluster():
    """Two worker processes of a Dask cluster, with the working directory of the book."""
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
        "silence_logs": 50,
    }
    with distributed.LocalCluster(**options) as cluster:
        yield cluster


@pytest.mark.slow
def test_dask_worker_that_is_killed_costs_nothing(cluster, folder, tmp_path, monkeypatch):
    log = tmp_path / "log"
    specs = [
        sweeping.Spec(
            seed, seconds=0.1, log=str(log), deadly=str(tmp_path / "deadly") if seed == 3 else ""
        )
        for seed in range(COUNT)
    ]
    monkeypatch.setenv("VALLEYS_SCHEDULER", cluster.scheduler_address)
    with executors.workers() as executor:
        found = store.load_or_compute_all(sweeping.cell, specs, executor=executor)
    assert (tmp_path / "deadly").exists(), "no worker was killed"
    assert sorted(set(logged(log))) == list(range(COUNT))
    assert os.getpid() not in {int(line.split()[1]) for line in log.read_text().splitlines()}
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "serial"))
    for one, other in zip(found, store.load_or_compute_all(sweeping.cell, specs), strict=True):
        xr.testing.assert_equal(one, other)
    assert files(folder) == files(tmp_path / "serial")


@pytest.mark.slow
def test_lost_scheduler_ends_the_sweep_in_one_line_and_the_rest_is_kept(folder, tmp_path):
    log = tmp_path / "log"
    specs = sweeping.specs(40, seconds=0.2, log=str(log))
    message = "the scheduler was lost; .* of 40 cells of cell are missing; the finished ones are"
    with scheduler_and_worker("tcp", tmp_path) as (address, scheduler), ThreadPool() as threads:
        threads.submit(lambda: wait_for(lambda: len(logged(log)) >= 2) or scheduler.kill())
        with pytest.raises(RuntimeError, match=message):
            sweep_on(address, specs)
    assert values_by_seed(folder)


def sweep_on(address: str, specs: list[sweeping.Spec]) -> None:
    with executors.workers(scheduler=address) as executor:
        store.load_or_compute_all(sweeping.cell, specs, executor=executor)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:9", "no scheduler answers at tcp://127.0.0.1:9"),
        ("here", "reads tcp://HOST:PORT"),
    ],
)
def test_scheduler_that_cannot_be_used_is_told_in_one_line(address, message, monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", "1s")
    with pytest.raises(ValueError, match=message), executors.workers(scheduler=address):
        pass
