"""Progress of sweeps: bars on a terminal, also for chapters that run in processes without one;
silence elsewhere.
"""

import json
import os
import pty
import re
import subprocess
import sys
import termios

import pytest

from tests.book.conftest import small_chapter
from tests.results import sweeping
from valleys.paths import book_root
from valleys.results import progress, store

SWEEP = """from tests.results import sweeping
from valleys.results import store
for count in (4, 10):
    store.load_or_compute_all(sweeping.cell, sweeping.specs(count, seconds=0.3))"""


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "cache"))
    monkeypatch.setenv("VALLEYS_SHIPPED", str(tmp_path / "shipped"))


def on_terminal(code: str) -> str:
    """What a program writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=book_root(), stderr=theirs, stdout=subprocess.DEVNULL
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    assert process.wait(timeout=60) == 0, shown.decode()
    return shown.decode()


@pytest.mark.slow
def test_sweep_on_a_terminal_shows_cells_rate_and_time_left():
    shown = on_terminal(SWEEP)
    assert re.search(r"cell: +0%.* 0/4 ", shown)
    assert re.search(r"cell: +40%.* 4/10 ", shown), "cells that were there count as done"
    first = re.search(r" 5/10 \[00:00<00:0(\d), +([\d.]+)(s/cell|cell/s)\]", shown)
    assert first, shown
    assert 1 <= int(first[1]) <= 9, (
        "they do not count for the rate, so the time left is not that of four cells in no time"
    )


@pytest.mark.slow
def test_chapter_of_a_run_shows_its_sweeps_on_the_terminal_of_the_run(tmp_path):
    chapter = small_chapter(tmp_path / "01_small.ipynb", work=SWEEP.replace("0.3", "0.6"))
    code = f"""
from pathlib import Path
from valleys.book.run import runner
from valleys.book.chapters import Chapter, read_parameters
path = Path({str(chapter)!r})
chapter = Chapter(path.stem, path, read_parameters(path))
for outcome in runner.run_chapters({{path.stem: (chapter, {{}})}}, Path({str(tmp_path / "executed")!r})):
    assert outcome.failure is None, outcome.line()
"""  # noqa: E501
    shown = on_terminal(code)
    assert re.search(r"cell: +\d+%.* [1-4]/4 ", shown), shown
    assert re.search(r"cell: +\d+%.* [5-9]/10 ", shown), shown
    assert "1/1" in shown


def test_sweep_without_a_terminal_is_silent(capfd):
    store.load_or_compute_all(sweeping.cell, sweeping.specs(3))
    assert capfd.readouterr() == ("", "")


def test_half_a_line_waits_for_its_other_half(tmp_path):
    told = tmp_path / "told"
    with progress.Watch(told) as watch:
        told.write_text(
            '{"name": "cell", "process": 1, "total": 4, "initial": 1, "done": 1}\n{"name": "ce'
        )
        watch.show()
        assert list(watch.bars) == [("cell", 1)]
        told.write_text(
            told.read_text() + 'll", "process": 2, "total": 4, "initial": 0, "done": 0}\n'
        )
        watch.show()
        assert list(watch.bars) == [("cell", 1), ("cell", 2)]


def test_what_is_under_way_is_shown(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("VALLEYS_PROGRESS", str(tmp_path / "told"))
    with progress.progress("networks", total=2, unit="setting", hidden=False) as advance:
        advance(0, "start 1")
        advance()
    here = capfd.readouterr().err
    assert "start 1" in here
    assert "1/2" in here
    with progress.Watch(tmp_path / "told") as watch:
        watch.show()
        assert [name for name, _ in watch.bars] == ["networks"]
    lines = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [line.get("under_way") for line in lines] == [None, "start 1", None]
    with progress.progress("networks", total=1, hidden=True):
        assert capfd.readouterr().err == ""
