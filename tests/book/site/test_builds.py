"""One build at a time, and none that trusts what a broken one left behind."""

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.book.editions.exercising import write_book
from tests.commands import refused
from valleys import cli as commands
from valleys import config
from valleys.book.editions import copies
from valleys.book.run import locks
from valleys.book.site import builder
from valleys.book.site.check import check_site
from valleys.errors import BookError
from valleys.results import shipping

EXTENSIONS = "[sphinx_exercise, sphinx-mathjax-offline, valleys.book.extensions.offline, valleys.book.extensions.icons, valleys.book.extensions.accessible]"  # noqa: E501
RAW = """<link href="_static/vendor/fontawesome/6/all.min.css" rel="stylesheet"/>
<link as="font" href="_static/vendor/fontawesome/x.woff2" rel="preload"/>"""  # with attributes in another order than the theme writes them  # noqa: E501
HOLD = (
    "import sys; from pathlib import Path; from valleys.book.run.locks import alone\n"
    "with alone(Path(sys.argv[1]), 'a build'): print('held', flush=True); input()"
)
BUILD = """import os, sys
from pathlib import Path
from valleys import cli as commands
root = Path(sys.argv[1])
os.environ["VALLEYS_BUILD"] = sys.argv[1]
commands.executed_folder = lambda size: root / "_build" / "executed" / size
commands.builder.book_root = commands.check.book_root = commands.book_root = lambda: root
sys.argv[1:] = ["build", "--size", "quick", "--repository", "none"]
commands.run_command_line()
"""


@pytest.fixture
def book(tmp_path):
    """A small book with the extensions that mend pages, and its executed notebooks of size quick."""  # noqa: E501
    root = write_book(tmp_path / "book")
    config = root / "_config.yml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("[sphinx_exercise]", EXTENSIONS),
        encoding="utf-8",
    )
    executed = root / "_build" / "executed" / "quick"
    executed.mkdir(parents=True)
    for path in (*root.glob("chapters/*.ipynb"), *root.glob("exercises/*.ipynb")):
        shutil.copy(path, executed)
    return root


@pytest.fixture
def at_home(book, monkeypatch):
    """The commands work on the small book."""
    monkeypatch.setattr(commands, "book_root", lambda: book)
    monkeypatch.setenv(config.BUILD, str(book))
    return book


def started(code: str, place: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def outcome(process: subprocess.Popen) -> tuple[int, str]:
    told, _ = process.communicate(timeout=300)
    return process.returncode, told


def test_who_comes_second_is_told_at_once_what_is_under_way_where_and_what_to_do(tmp_path):
    place = tmp_path / "html"
    with locks.alone(place, "a build"):
        with (
            pytest.raises(
                BookError, match=rf"a build.*{os.getpid()}.*under way in {place}.*wait"
            ) as caught,
            locks.alone(place, "a run"),
        ):
            pytest.fail("both are alone")
        assert len(str(caught.value).splitlines()) == 1
        with locks.alone(tmp_path / "other", "a build"):
            pass
    with locks.alone(place, "a run"):
        pass


def test_readers_share_a_place_and_keep_writers_out(tmp_path):
    with locks.alone(tmp_path / "x", "reading", reading=True):
        with locks.alone(tmp_path / "x", "reading", reading=True):
            pass
        with pytest.raises(BookError), locks.alone(tmp_path / "x", "writing"):
            pass
    with (
        locks.alone(tmp_path / "x", "writing"),
        pytest.raises(BookError),
        locks.alone(tmp_path / "x", "reading", reading=True),
    ):
        pass


def test_of_many_that_come_at_once_one_goes_on(tmp_path):
    barrier, went, stopped = threading.Barrier(8), [], []

    def come() -> None:
        barrier.wait()
        try:
            with locks.alone(tmp_path / "x", "a build"):
                went.append(1)
                while len(stopped) < 7:
                    pass
        except BookError as error:
            stopped.append(error)

    threads = [threading.Thread(target=come, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(went), len(stopped)) == (1, 7)


def test_the_lock_of_a_killed_process_is_gone_with_it(tmp_path):
    process = started(HOLD, tmp_path / "html")
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with (
        pytest.raises(BookError, match=rf"a build.*{process.pid}"),
        locks.alone(tmp_path / "html", "a build"),
    ):
        pass
    process.kill()
    process.communicate()
    assert (tmp_path / ".html.lock").exists()
    with locks.alone(tmp_path / "html", "a build"):
        pass


def test_where_there_are_no_locks_the_work_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with locks.alone(tmp_path / "file" / "html", "a build"):
        pass

    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    with locks.alone(tmp_path / "html", "a build"), locks.alone(tmp_path / "html", "a build"):
        pass


@pytest.mark.parametrize(
    ("held", "command"),
    [
        ("_build/html", ["build", "--size", "quick", "--repository", "none"]),
        ("_build/html", ["pdf", "--size", "quick", "--repository", "none"]),
        ("dist/student-site", ["build", "--size", "quick", "--student"]),
        ("dist/editions", ["editions"]),
        ("_build/executed/quick", ["run"]),
        ("_build/executed/quick", ["build", "--size", "quick", "--repository", "none"]),
        ("_build/executed/quick", ["build", "--size", "quick", "--student"]),
        ("_build/executed/paper", ["ship"]),
        ("_build/executed/paper", ["run", "--size", "paper"]),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given).replace("--", ""),
)
def test_each_command_is_refused_before_it_does_anything(held, command, at_home, monkeypatch):
    def worked(*_: object, **__: object) -> None:
        pytest.fail("work began")

    monkeypatch.setattr(commands, "checked_work", lambda *_, **__: {})
    monkeypatch.setattr("valleys.book.print.pdf.find_browser", lambda: "chromium")
    for module, name in (
        (commands, "execute"),
        (shipping, "ship"),
        (builder, "assemble"),
        (builder, "build"),
        (copies, "lay_out_student"),
    ):
        monkeypatch.setattr(module, name, worked)
    with locks.alone(at_home / held, "something long"):
        message = refused(*command)
    assert "something long" in message
    assert str(at_home / held) in message
    assert "wait" in message


def test_runs_of_other_sizes_and_readers_beside_each_other_go_on(at_home, monkeypatch):
    done = []
    monkeypatch.setattr(commands, "checked_work", lambda *_, **__: {})
    monkeypatch.setattr(commands, "execute", lambda *_, **__: done.append("run"))
    monkeypatch.setattr(builder, "build", lambda *_, **__: done.append("build") or at_home)
    with ExitStack() as held:
        held.enter_context(locks.alone(at_home / "_build" / "executed" / "paper", "a run"))
        held.enter_context(locks.alone(at_home / "dist" / "student-site", "a build"))
        held.enter_context(
            locks.alone(at_home / "_build" / "executed" / "quick", "a build", reading=True)
        )
        commands.main(["run", "--size", "smoke"], standalone_mode=False)
        monkeypatch.setattr(builder, "assemble", lambda *_, **__: None)
        commands.main(["build", "--size", "quick", "--repository", "none"], standalone_mode=False)
    assert done == ["run", "build"]


def fake_jupyter_book(source: Path, output: Path, *, strict: bool) -> Path:
    """A site whose one page tells how often it was built in the same workshop."""
    html = output / "_build" / "html"
    (html / "_sources").mkdir(parents=True, exist_ok=True)
    with open(html / "index.html", "a", encoding="utf-8") as page:
        page.write("x")
    (output / "_build" / "environment.pickle").write_text("sound")
    return html


def page(root: Path) -> str:
    return (root / "_build" / "html" / "index.html").read_text(encoding="utf-8")


def workshops(root: Path) -> list[Path]:
    return list((root / "_build").glob(f"{builder.WORKSHOP}*"))


def damage_page(workshop: Path) -> None:
    (workshop / "_build" / "html" / "index.html").write_text("y")


def delete_page(workshop: Path) -> None:
    (workshop / "_build" / "html" / "index.html").unlink()


def add_page(workshop: Path) -> None:
    (workshop / "_build" / "html" / "raw.html").touch()


def damage_cache(workshop: Path) -> None:
    (workshop / "_build" / "environment.pickle").write_text("bad")


def forget_seal(workshop: Path) -> None:
    (workshop / builder.SEAL).unlink()


@pytest.mark.parametrize("harm", [damage_page, delete_page, add_page, damage_cache, forget_seal])
def test_a_workshop_is_used_again_only_as_the_last_build_left_it(harm, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_run_jupyter_book", fake_jupyter_book)
    for times in ("x", "xx"):
        builder.build(tmp_path, tmp_path)
        assert page(tmp_path) == times
    harm(*workshops(tmp_path))
    builder.build(tmp_path, tmp_path)
    assert page(tmp_path) == "x"
    assert len(workshops(tmp_path)) == 1


@pytest.mark.parametrize("stopped", [BookError("not in order"), KeyboardInterrupt()])
def test_readers_keep_the_earlier_site_until_the_new_one_is_finished(
    stopped, tmp_path, monkeypatch
):
    monkeypatch.setattr(builder, "_run_jupyter_book", fake_jupyter_book)
    builder.build(tmp_path, tmp_path)

    def finish(html: Path) -> None:
        (html / "index.html").write_text("half")
        assert page(tmp_path) == "x"
        raise stopped

    with pytest.raises(type(stopped)):
        builder.build(tmp_path, tmp_path, finish=finish)
    assert page(tmp_path) == "x"
    (tmp_path / "_build" / f"{builder.SCRATCH}killed").mkdir()
    builder.build(tmp_path, tmp_path, finish=lambda html: (html / "book.pdf").touch())
    assert {path.name for path in (tmp_path / "_build" / "html").iterdir()} == {
        "index.html",
        "_sources",
        "book.pdf",
    }
    assert page(tmp_path) == "x", "what an interrupted build left is not gone on with"
    assert len(list((tmp_path / "_build").iterdir())) == 2


@pytest.mark.slow
def test_of_two_builds_at_once_one_is_refused_and_the_site_is_in_order(book):
    builds = [started(BUILD, book) for _ in range(2)]
    (good, _), (bad, told) = sorted(map(outcome, builds))
    assert (good, bad) == (0, 1)
    assert "build" in told
    assert "under way" in told
    assert len(told.strip().splitlines()) == 1
    assert check_site(book / "_build" / "html", book) == []
    killed = started(BUILD, book)
    while not list((book / "_build").glob(f"{builder.SCRATCH}*")):
        assert killed.poll() is None, "it ended before it was seen at work"
        time.sleep(0.05)
    killed.kill()
    assert outcome(started(BUILD, book))[0] == 0, (
        "jupyter-book of the killed build may still be at work"
    )
    assert check_site(book / "_build" / "html", book) == []


@pytest.mark.slow
def test_any_broken_tree_is_in_order_after_the_next_build(book):
    def build() -> None:
        builder.assemble(
            book / "_build" / "executed" / "quick", book / "_build" / "source", root=book
        )
        builder.build(book / "_build" / "source", book)
        assert check_site(book / "_build" / "html", book) == []
        text = (book / "_build" / "html" / "index.html").read_text(encoding="utf-8")
        assert "fontawesome" not in text
        assert 'as="font"' not in text
        assert text.rstrip().endswith("</html>")

    build()
    for folder in [
        book / "_build",
        *(path / "_build" for path in (book / "_build").glob(".workshop-*")),
    ]:
        half_mended(folder)
        truncated(folder)
    build()


def half_mended(folder: Path) -> None:
    """Pages that went through one extension and not the others, and no icons."""
    for path in (folder / "html").glob("**/*.html"):
        text = path.read_text(encoding="utf-8")
        raw = '<link href="_static/vendor/fontawesome/6/all.min.css" rel="stylesheet"/><link as="font" href="_static/vendor/fontawesome/x.woff2" rel="preload"/>'  # noqa: E501
        path.write_text(text.replace("</head>", f"{raw}</head>"), encoding="utf-8")
    (folder / "html" / "_static" / "icons.css").unlink(missing_ok=True)


def truncated(folder: Path) -> None:
    """Files cut in half, of pages, sources and the cache, and a part of the cache that is gone."""
    for path in [
        *(folder / "html").glob("*.html"),
        *(folder / ".doctrees").rglob("*"),
        *(folder / "source").glob("*.md"),
    ]:
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (folder / ".doctrees" / "index.doctree").unlink(missing_ok=True)
