"""Files are there whole or not at all, and what killed writers leave is removed when that is safe."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from valleys.results import atomic


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_writer_killed_while_it_writes_leaves_no_result_and_nothing_for_long(folder):
    code = (
        "import os, pathlib, sys; from valleys.results import atomic; "
        "os.fsync = lambda _: os.kill(os.getpid(), 9); atomic.write(pathlib.Path(sys.argv[1]), b'half')"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder / "a.nc")], check=False).returncode == -signal.SIGKILL
    (left,) = files(folder)
    assert left.startswith(".a.nc.")
    assert left.endswith(".partial")
    atomic.write(folder / "b.nc", b"whole")
    assert files(folder) == {"b.nc"}


def test_reader_sees_whole_files_while_others_write_them_again(folder):
    path, contents = folder / "study" / "a.nc", [bytes([number]) * 300_000 for number in range(4)]
    code = "import sys, pathlib; from valleys.results import atomic\nfor n in range(100): atomic.write(pathlib.Path(sys.argv[1]), bytes([n % 4]) * 300_000)"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            assert path.read_bytes() in contents
            seen += 1
    assert seen > 10
    assert [writer.returncode for writer in writers] == [0, 0]
    assert files(folder) == {"study/a.nc"}


@pytest.fixture
def partial(folder):
    """A function that leaves a partial file of a writer, as old as told, and returns whether the next write leaves it alone."""

    def survives(process: int | str, *, host: str = "", age: float = 0.0) -> bool:
        folder.mkdir(exist_ok=True)
        left = folder / f".a.nc.{host or atomic._host()}.{process}.0123.partial"
        left.write_bytes(b"half")
        os.utime(left, (time.time() - age,) * 2)
        atomic.write(folder / "b.nc", b"whole")
        return left.exists()

    return survives


def test_leftovers_go_when_their_writer_is_dead(partial):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not partial(ended.pid)


@pytest.mark.parametrize("age", [0.0, 1e6])
def test_file_of_a_living_writer_is_never_removed(partial, age):
    assert partial(os.getpid(), age=age)


def test_file_of_a_writer_elsewhere_goes_after_a_day_at_rest(partial):
    assert partial(1, host="elsewhere", age=3600)
    assert not partial(1, host="elsewhere", age=100_000)


def test_leftover_of_an_earlier_form_goes_after_a_day(folder):
    folder.mkdir()
    for name, age in ((".a.nc.0123.partial", 0), (".b.partial", 100_000)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    atomic.remove_leftovers(folder)
    assert files(folder) == {".a.nc.0123.partial"}
