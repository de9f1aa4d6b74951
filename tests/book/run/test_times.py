"""Times of chapters are kept run by run, read back, and never mixed between machines."""

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
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_times_survive_the_file_and_a_later_one_replaces_the_earlier(tmp_path):
    measured = Times("Plan 9 vax, 1 cores (VAX)", "1979-11-01")
    for kind, seconds in (("quick", 3.0), ("quick", 2.04), ("smoke", 1.0)):
        measured = measured.with_run("04_toy_model", kind, seconds)
    times.write(tmp_path / "times.yml", measured)
    assert times.read(tmp_path / "times.yml") == measured
    assert measured.of("04_toy_model", "quick") == 2.0
    assert measured.of("04_toy_model", "paper") is None
    assert times.read(tmp_path / "nothing.yml").chapters == {}


def test_times_of_another_machine_are_not_mixed_in(tool):
    tool.check_machine(Times())
    tool.check_machine(Times(tool.this_machine()).with_run("04_toy_model", "quick", 1.0))
    elsewhere = Times("Plan 9 vax, 1 cores (VAX)").with_run("04_toy_model", "quick", 1.0)
    with pytest.raises(BookError, match="delete it to measure on this machine"):
        tool.check_machine(elsewhere)


def test_unknown_kinds_of_run_are_refused():
    with pytest.raises(BookError, match="the kinds are smoke, quick, paper, anew"):
        Times(chapters={"04_toy_model": {"huge": 1.0}})


def test_tool_goes_on_where_it_stopped_and_measures_named_chapters_again(
    tool, tmp_path, monkeypatch
):
    path, done, names = tmp_path / "times.yml", [], ["04_toy_model", "05_effective_potential"]

    def measured(chapter, kind):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((chapter.name, kind))
        return 2.0

    chapters = {name: chapter for name, chapter in tool.all_chapters().items() if name in names}
    monkeypatch.setattr(tool, "all_chapters", lambda: chapters)
    monkeypatch.setattr(tool.times, "times_file", lambda: path)
    monkeypatch.setattr(tool, "measured", measured)
    arguments = ["--kind", "smoke", "--kind", "paper"]
    assert CliRunner().invoke(tool.main, arguments).exit_code == 1
    assert times.read(path).chapters == {
        names[0]: {"smoke": 2.0, "paper": 2.0},
        names[1]: {"smoke": 2.0},
    }
    monkeypatch.setattr(tool, "measured", lambda chapter, kind: 4.0)
    assert CliRunner().invoke(tool.main, arguments).exit_code == 0
    assert times.read(path).chapters == {
        names[0]: {"smoke": 2.0, "paper": 2.0},
        names[1]: {"smoke": 2.0, "paper": 4.0},
    }
    assert CliRunner().invoke(tool.main, [*arguments, "--only", "toy_model"]).exit_code == 0
    assert times.read(path).chapters[names[0]] == {"smoke": 4.0, "paper": 4.0}
    assert times.read(path).machine == tool.this_machine()


def test_committed_times_tell_of_every_chapter_at_every_size(chapters):
    measured = times.read(times.times_file())
    assert set(measured.chapters) == set(chapters)
    for chapter in chapters:
        for kind in ("smoke", "quick", "paper"):
            assert measured.of(chapter, kind), f"{chapter} was not measured: {kind}"
