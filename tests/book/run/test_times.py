"""Times of chapters are kept run by run, read back as medians, and never mixed between machines."""

import dataclasses
import importlib.util

import pytest
from click.testing import CliRunner

from valleys.book.run import times
from valleys.book.run.times import Times
from valleys.errors import BookError
from valleys.paths import book_root


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location("tool_times", book_root() / "tools" / "times.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_median_of_the_runs_survives_the_file(tmp_path):
    measured = Times()
    for seconds in (3.0, 1.0, 50.0):
        measured = measured.with_run("04_toy_model", "quick", seconds)
    times.write(tmp_path / "times.yml", measured)
    assert times.read(tmp_path / "times.yml") == measured
    assert measured.median("04_toy_model", "quick") == 3.0
    assert measured.median("04_toy_model", "smoke") is None
    assert times.read(tmp_path / "nothing.yml").chapters == {}


def test_times_of_another_machine_are_not_mixed_in():
    elsewhere = dataclasses.replace(Times().with_run("04_toy_model", "quick", 1.0), machine="Plan 9 vax, 1 cores")
    with pytest.raises(BookError, match="delete it to measure on this machine"):
        elsewhere.with_run("04_toy_model", "quick", 1.0)


def test_unknown_kinds_of_run_are_refused():
    with pytest.raises(BookError, match="the kinds are smoke, quick, paper, anew"):
        Times(chapters={"04_toy_model": {"huge": [1.0]}})


def test_tool_goes_on_where_it_stopped_and_keeps_each_run(tool, tmp_path, monkeypatch):
    path, done = tmp_path / "times.yml", []

    def measured(chapter, kind):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((chapter.name, kind))
        return 2.0

    monkeypatch.setattr(tool.times, "times_file", lambda: path)
    monkeypatch.setattr(tool, "measured", measured)
    arguments = ["--kind", "smoke", "--kind", "paper", "--only", "toy_model", "--runs", "2"]
    assert CliRunner().invoke(tool.main, arguments).exit_code == 1
    assert times.read(path).chapters == {"04_toy_model": {"smoke": [2.0, 2.0], "paper": [2.0]}}
    monkeypatch.setattr(tool, "measured", lambda chapter, kind: 4.0)
    assert CliRunner().invoke(tool.main, arguments).exit_code == 0
    assert times.read(path).chapters == {"04_toy_model": {"smoke": [2.0, 2.0], "paper": [2.0, 4.0]}}


def test_committed_times_tell_of_every_chapter_at_every_size(chapters):
    measured = times.read(times.times_file())
    assert set(measured.chapters) == set(chapters)
    for chapter in chapters:
        for kind in ("smoke", "quick", "paper"):
            assert measured.of(chapter, kind), f"{chapter} was not measured: {kind}"
