"""Files are there whole or not at all, and what killed writers leave is removed after a day."""

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


def test_writer_killed_while_it_writes_leaves_no_result_and_disturbs_no_other(folder):
    code = (
        "import os, pathlib, sys; from valleys.results import atomic; "
        "os.fsync = lambda _: os.kill(os.getpid(), 9); atomic.write(pathlib.Path(sys.argv[1]), "
        "b'half')"
    )
    assert (
        subprocess.run([sys.executable, "-c", code, str(folder / "a.nc")], check=False).returncode
        == -signal.SIGKILL
    )
    (left,) = files(folder)
    assert left.startswith(".a.nc.")
    assert left.endswith(".partial")
    atomic.write(folder / "a.nc", b"whole")
    assert (folder / "a.nc").read_bytes() == b"whole"
    assert files(folder) == {"a.nc", left}


def test_reader_sees_whole_files_while_others_write_them_again(folder):
    path, contents = folder / "study" / "a.nc", [bytes([number]) * 300_000 for number in range(4)]
    code = (
        "import sys, pathlib; from valleys.results import atomic\nfor n in range(100): "
        "atomic.write(pathlib.Path(sys.argv[1]), bytes([n % 4]) * 300_000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            assert path.read_bytes() in contents
            seen += 1
    assert seen > 10
    assert [writer.returncode for writer in writers] == [0, 0]
    assert files(folder) == {"study/a.nc"}


def test_leftovers_go_with_the_next_write_after_a_day_at_rest(folder):
    folder.mkdir()
    for name, age in ((".a.nc.0123.partial", 3600), (".b.partial", 100_000)):
        (folder / name).touch()
        then = time.time() - age
        os.utime(folder / name, (then, then))
    atomic.write(folder / "c.nc", b"whole")
    assert files(folder) == {".a.nc.0123.partial", "c.nc"}
