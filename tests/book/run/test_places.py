"""Places are those of the person who names them, and a machine that gives no room to write is
told in one line or does not matter.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import nbformat
import pytest

from tests.book.conftest import small_chapter
from valleys import cli as commands
from valleys import config, paths
from valleys.book.chapters import Chapter, read_parameters
from valleys.book.print import pdf
from valleys.book.run import places, runner
from valleys.errors import BookError
from valleys.paths import book_root

FOLDERS = {
    "VALLEYS_RESULTS": paths.results_folder,
    "VALLEYS_SHIPPED": paths.book_results,
    "VALLEYS_BUILD": lambda: paths.build_folder().parent,
}


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """The person stands in `here`, and has a home."""
    for variable in config.names_of("folder", "file"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def refusal(*arguments: str) -> str:
    """The one line in which a command ends."""
    with pytest.raises((BookError, click.ClickException)) as caught:
        commands.main(arguments, standalone_mode=False)
    message = getattr(caught.value, "message", str(caught.value))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("variable", FOLDERS)
@pytest.mark.parametrize(
    ("text", "place"),
    [("mine", "here/mine"), ("../mine/x", "mine/x"), ("~/mine", "home/mine"), ("~", "home")],
)
def test_variables_name_places_as_a_shell_would(somewhere, monkeypatch, variable, text, place):
    monkeypatch.setenv(variable, text)
    assert FOLDERS[variable]() == somewhere / place
    assert config.settled()[variable] == str(somewhere / place)


@pytest.mark.parametrize("variable", FOLDERS)
def test_empty_variable_is_none(monkeypatch, variable):
    monkeypatch.setenv(variable, "")
    assert FOLDERS[variable]().is_relative_to(book_root())
    assert variable not in config.settled()


def test_command_hands_absolute_places_on_and_leaves_the_environment_as_it_was(
    somewhere, monkeypatch
):
    seen = {}
    monkeypatch.setattr(commands, "execute", lambda *_, **__: seen.update(os.environ))
    monkeypatch.setattr(commands, "checked_work", lambda *_, **__: {})
    monkeypatch.setenv("VALLEYS_RESULTS", "mine")
    monkeypatch.setenv("VALLEYS_DATA", "~/data")
    monkeypatch.setenv("MPLBACKEND", "TkAgg")
    before = dict(os.environ)
    commands.main(["run"], standalone_mode=False)
    assert (seen["VALLEYS_RESULTS"], seen["VALLEYS_DATA"]) == (
        str(somewhere / "here" / "mine"),
        str(somewhere / "home" / "data"),
    )
    assert seen["MPLBACKEND"] != "TkAgg"
    assert dict(os.environ) == before
    assert list((somewhere / "here").iterdir()) == [], "nothing is left of the attempt to write"


def test_options_know_the_home_folder_where_the_shell_leaves_it_alone(somewhere):
    site = somewhere / "home" / "site"
    site.mkdir()
    assert f"{site} holds no site" in refusal("check", "~/site")
    assert str(somewhere / "home" / "none") in refusal("verify", "~/none")
    (somewhere / "home" / "file").touch()
    assert str(somewhere / "home" / "file") in refusal("editions", "--target=~/file")
    assert "nobody-of-this-name" in refusal("verify", "~nobody-of-this-name/x")


@pytest.mark.parametrize("variable", ["VALLEYS_RESULTS", "VALLEYS_DATA"])
def test_home_of_nobody_is_refused(monkeypatch, variable):
    monkeypatch.setenv(variable, "~nobody-of-this-name/x")
    message = refusal("run", "--only", "toy_model")
    assert variable in message
    assert "~nobody-of-this-name" in message


@pytest.mark.parametrize("variable", config.names_of("folder"))
def test_file_in_place_of_a_folder_is_refused(somewhere, monkeypatch, variable):
    (somewhere / "here" / "file").touch()
    monkeypatch.setenv(variable, "file")
    message = refusal("run", "--only", "toy_model")
    assert f"{variable} is '{somewhere / 'here' / 'file'}', which is a file" in message


@pytest.mark.parametrize(
    ("variable", "arguments"),
    [
        ("VALLEYS_RESULTS", ["run"]),
        ("VALLEYS_RESULTS", ["new-run", "--chapter", "toy_model", "--out", "out"]),
        ("VALLEYS_BUILD", ["run"]),
        ("VALLEYS_BUILD", ["build"]),
        ("VALLEYS_BUILD", ["build", "--student"]),
        ("VALLEYS_BUILD", ["ship"]),
        ("VALLEYS_SHIPPED", ["ship"]),
    ],
)
def test_place_that_cannot_be_written_is_refused_before_any_work(
    somewhere, monkeypatch, variable, arguments
):
    (somewhere / "file").touch()
    monkeypatch.setattr(commands, "checked_work", lambda *_, **__: pytest.fail("work began"))
    monkeypatch.setattr(commands.new_run, "plan", lambda *_, **__: pytest.fail("work began"))
    monkeypatch.setenv("VALLEYS_BUILD", str(somewhere))
    monkeypatch.setenv(variable, str(somewhere / "file" / "below"))
    message = refusal(*arguments)
    assert str(somewhere / "file" / "below") in message
    assert variable in message


def test_browser_may_lie_in_the_home_folder_or_here(somewhere, monkeypatch):
    for place, text in (("home", "~/browser"), ("here", "./browser")):
        program = somewhere / place / "browser"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setenv("VALLEYS_BROWSER", text)
        assert pdf.find_browser() == str(program)


def test_home_that_cannot_be_written_is_replaced_for_as_long_as_a_command_runs(
    somewhere, monkeypatch
):
    (somewhere / "file").touch()
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    with places.settled():
        assert "MPLCONFIGDIR" not in os.environ
    monkeypatch.setenv("HOME", str(somewhere / "file" / "home"))
    with places.settled():
        kept = Path(os.environ["MPLCONFIGDIR"])
        assert places.is_writable(kept)
    assert not places.is_writable(somewhere / "file" / "home")
    assert "MPLCONFIGDIR" not in os.environ
    assert not kept.parent.exists()


# As with clone and home read-only.
NOWHERE_TO_KEEP = """
from numba.core import caching
caching.CacheImpl._locator_classes = []
from valleys.toy.simulation import kernels; from valleys.toy.exact import master_equation
assert kernels.fill_normals.py_func
"""


def test_compiled_code_is_kept_only_where_there_is_a_place_for_it(monkeypatch):
    from numba.core import caching

    from valleys import compiling

    assert compiling._can_keep()
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert not compiling._can_keep()


@pytest.mark.slow
def test_loops_compile_where_nothing_can_be_kept():
    finished = subprocess.run(
        [sys.executable, "-c", NOWHERE_TO_KEEP], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-500:]


def read_only(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    """A command with the clone mounted read-only."""
    clone = shlex.quote(str(book_root()))
    mounted = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        f"mount -o bind {clone} {clone} && mount -o "
        f"remount,bind,ro {clone} && cd {clone} && exec "
        '"$@"',
        "_",
    ]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("nothing can be mounted read-only here")
    return subprocess.run(
        [*mounted, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_read_only_clone_names_the_way_out():
    told = read_only(
        [sys.executable, "-m", "valleys", "run", "--size", "smoke", "--only", "toy_model"]
    )
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "VALLEYS_BUILD" in told.stderr
    assert read_only([sys.executable, "tools/install.py"]).stderr.count("\n") <= 1


AS_A_COMMAND = """
import sys
from pathlib import Path
from valleys.book.run import places, runner
from valleys.book.chapters import Chapter, read_parameters
source = Path(sys.argv[1])
with places.settled():
    done = next(iter(runner.run_chapters({source.stem: (Chapter(source.stem, source, read_parameters(source)), {})}, Path(sys.argv[2]))))
print(done.failure)
"""  # noqa: E501
COMPILES = """import numpy as np
from valleys.book import figures
from valleys.toy.simulation import kernels
figures.use_style()
kernels.fill_normals(np.ones((kernels.WORDS, kernels.LANES), np.uint64), np.empty(kernels.LANES), np.empty(kernels.LANES))
assert not kernels.COMPILE["cache"]"""  # noqa: E501


@pytest.mark.slow
def test_chapter_runs_from_a_read_only_clone_without_a_home_and_without_a_complaint(somewhere):
    (somewhere / "file").touch()
    source = small_chapter(somewhere / "01_small.ipynb", work=COMPILES)
    done = read_only(
        [sys.executable, "-c", AS_A_COMMAND, str(source), str(somewhere / "executed")],
        HOME=str(somewhere / "file" / "home"),
    )
    assert done.stdout == "None\n", done.stdout + done.stderr
    executed = nbformat.read(somewhere / "executed" / "01_small.ipynb", 4)
    assert [output for cell in executed.cells for output in cell.get("outputs", [])] == []


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, "file/home"])
def test_notebook_finds_the_places_of_whoever_started_it_and_needs_no_home(
    somewhere, monkeypatch, home
):
    (somewhere / "file").touch()
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", str(somewhere / home))
    monkeypatch.setenv("VALLEYS_RESULTS", "mine")
    source = small_chapter(
        somewhere / "01_small.ipynb",
        work="import os\nfrom valleys.paths import results_folder\nprint(results_folder(), end='')",
    )
    done = next(
        iter(
            runner.run_chapters(
                {"01_small": (Chapter("01_small", source, read_parameters(source)), {})},
                somewhere / "executed",
            )
        )
    )
    assert done.failure is None
    printed = [
        output.text
        for cell in nbformat.read(done.executed, 4).cells
        for output in cell.get("outputs", [])
    ]
    assert printed == [str(somewhere / "here" / "mine")]
