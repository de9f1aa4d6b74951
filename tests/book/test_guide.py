"""What README, guide and the house rules tell to type can be typed, and what they name is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import click
import pytest

from valleys import config
from valleys.cli import main
from valleys.paths import book_root

ROOT = book_root()
GUIDE = sorted((ROOT / "pages").glob("guide_*.md"))
TOLD = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "pages" / "status.md",
    ROOT / "pages" / "teach.md",
    *GUIDE,
]
LONGEST_README = 700  # words: it is read before anything else is
COMMAND = re.compile(r"python -m valleys ([a-z][^`\n#>]*)")
TARGET = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)(?=`| +#|$| [A-Z]+=)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
each_page = pytest.mark.parametrize("page", TOLD, ids=[page.name for page in TOLD])


def commands(page: Path) -> Iterator[list[str]]:
    """The command lines of the book that a page shows, in blocks and in sentences, from the name
    of the command on.
    """
    text = page.read_text(encoding="utf-8").replace("$TLS", "").replace("\\\n", " ")
    yield from (shlex.split(found) for found in COMMAND.findall(text))


@each_page
def test_commands_and_their_options_are_there(page):
    context = click.Context(main)
    for name, *rest in commands(page):
        command = main.get_command(context, name)
        assert command, name
        options = {
            each for option in command.params for each in (*option.opts, *option.secondary_opts)
        }
        assert {each for each in rest if each.startswith("--")} <= options, name


@each_page
def test_targets_of_make_are_there(page):
    makefiles = [
        ROOT / "Makefile",
        *([ROOT / "editions" / "student" / "Makefile"] if page.name == "teach.md" else []),
    ]
    known = {
        target
        for each in makefiles
        for target in re.findall(r"^([a-z-]+):", each.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(TARGET.findall(page.read_text(encoding="utf-8"))) <= known


@each_page
def test_files_that_are_linked_are_there(page):
    links = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if not urlparse(link).scheme
    ]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_something_is_told():
    assert sum(len(list(commands(page))) for page in TOLD) > 10
    assert TARGET.findall("`make book` and\nmake pdf     # print") == ["book", "pdf"]


def test_every_variable_that_names_a_folder_is_told():
    told = "\n".join(page.read_text(encoding="utf-8") for page in GUIDE)
    assert [name for name in config.names_of("folder") if f"| `{name}` |" not in told] == []


def test_readme_is_read_in_three_minutes():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= LONGEST_README
