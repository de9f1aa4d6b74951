"""What printing needs is looked for before anything starts, and nothing is lost where it is
missing.
"""

import subprocess

import pytest

from tests.commands import refused
from valleys import cli as commands
from valleys import config
from valleys.book.print import pdf
from valleys.book.print.pdf import NAME
from valleys.errors import BookError
from valleys.paths import book_root


@pytest.fixture
def bare(monkeypatch):
    """A machine without browsers."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(config.BROWSER, raising=False)
    monkeypatch.setattr(pdf, "BROWSERS", ("chromium",))


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


def test_machine_without_chromium_is_told(bare):
    with pytest.raises(BookError, match="no Chromium is on this machine"):
        pdf.find_browser()


def test_browser_of_the_variable_goes_first(bare, monkeypatch, tmp_path):
    chromium, other = program(tmp_path / "chromium"), program(tmp_path / "other")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pdf.find_browser() == chromium
    for named in (other, "other"):
        monkeypatch.setenv(config.BROWSER, named)
        assert pdf.find_browser() == other
    monkeypatch.setenv(config.BROWSER, "missing")
    with pytest.raises(BookError, match="VALLEYS_BROWSER is 'missing', which is no program"):
        pdf.find_browser()


def test_browsers_of_macos_are_found_off_the_path(bare, monkeypatch, tmp_path):
    assert "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" in pdf.BUNDLES
    monkeypatch.setattr(
        pdf, "BROWSERS", (program(tmp_path / "Google Chrome.app" / "Google Chrome"),)
    )
    assert pdf.find_browser().endswith("/Google Chrome")


@pytest.mark.parametrize("more", [[], ["--check"]])
def test_chromium_is_looked_for_before_the_site_is_built(more, monkeypatch):
    monkeypatch.setenv(config.BROWSER, "missing")
    monkeypatch.setattr(commands, "build_book", lambda *_: pytest.fail("building"))
    assert refused("pdf", *more).startswith("VALLEYS_BROWSER is 'missing'")


def test_missing_chapters_do_not_cost_the_pdf(tmp_path, monkeypatch):
    printed = tmp_path / "_build" / "html" / NAME
    printed.parent.mkdir(parents=True)
    printed.write_text("printed yesterday")
    monkeypatch.setattr(commands, "executed_folder", lambda size: tmp_path / "executed")
    with pytest.raises(BookError, match="has no executed copy"):
        commands.build_book(tmp_path, "quick")
    assert printed.read_text(encoding="utf-8") == "printed yesterday"


def test_make_hands_the_address_on_and_looks_for_chromium_first():
    told = subprocess.run(
        ["make", "--dry-run", "pdf", "REPOSITORY=some-address"],
        cwd=book_root(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    commands_given = [
        line.partition("valleys ")[2] for line in told.splitlines() if "-m valleys" in line
    ]
    assert commands_given == [
        "pdf --check",
        "run --size paper",
        "pdf --size paper --repository some-address",
    ]
