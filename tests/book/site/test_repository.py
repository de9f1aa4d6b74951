"""The public address comes from one place and is well formed; what Binder and Colab need is
there.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.commands import refused
from valleys import config
from valleys.book.chapters import all_chapters, find_chapter
from valleys.book.site import builder, repository
from valleys.book.site.repository import MISSING_ON_COLAB, Address, colab_cell
from valleys.errors import BookError
from valleys.paths import book_root


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty clone, and no address in the environment."""
    monkeypatch.delenv(config.REPOSITORY, raising=False)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def origin(clone, url):
    subprocess.run(["git", "-C", str(clone), "remote", "add", "origin", url], check=True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://github.com/owner/name", Address("owner", "name")),
        ("https://github.com/owner/name.git", Address("owner", "name")),
        ("https://github.com/owner/name.x/", Address("owner", "name.x")),
        ("https://github.com/owner/name/tree/v1.0", Address("owner", "name", "v1.0")),
        ("git@github.com:owner/name.git", Address("owner", "name")),
        ("ssh://git@github.com/owner/name.git", Address("owner", "name")),
    ],
)
def test_address_is_read_in_the_forms_of_git_and_of_browsers(text, read):
    assert Address.parse(text) == read
    assert Address.parse(str(read)) == read


@pytest.mark.parametrize(
    "text",
    [
        "owner/name",
        "https://example.org/owner/name",
        "https://github.com/owner",
        "https://github.com/o/n/tree/a/b",
        "git@github.com:o",
    ],
)
def test_what_is_no_address_is_refused_with_the_form(text):
    with pytest.raises(BookError, match="must read"):
        Address.parse(text)


def test_given_goes_over_the_environment_goes_over_the_remote(clone, monkeypatch):
    assert repository.address(root=clone) is None
    origin(clone, "git@github.com:remote/name.git")
    assert repository.address(root=clone) == Address("remote", "name")
    monkeypatch.setenv(config.REPOSITORY, "https://github.com/environment/name")
    assert repository.address(root=clone) == Address("environment", "name")
    assert repository.address("https://github.com/given/name", root=clone) == Address(
        "given", "name"
    )


def test_none_gives_no_address_over_what_would_be_found(clone, monkeypatch):
    origin(clone, "git@github.com:remote/name.git")
    assert repository.address("none", root=clone) is None
    monkeypatch.setenv(config.REPOSITORY, "none")
    assert repository.address(root=clone) is None
    assert repository.address("https://github.com/given/name", root=clone) == Address(
        "given", "name"
    )


def show_first(clone, branch):
    """Let the remote of a clone show a branch first."""
    commit = [
        "git",
        "-C",
        str(clone),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.c",
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        "x",
    ]
    subprocess.run(commit, check=True)
    for command in (
        ["update-ref", f"refs/remotes/origin/{branch}", "HEAD"],
        ["symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{branch}"],
    ):
        subprocess.run(["git", "-C", str(clone), *command], check=True)


def test_branch_is_the_one_that_the_remote_shows_first(clone):
    origin(clone, "https://github.com/remote/name")
    show_first(clone, "trunk")
    assert repository.address(root=clone) == Address("remote", "name", "trunk")


def test_branch_without_an_address_gives_none_and_no_error(clone):
    origin(clone, "https://github.com/remote/name")
    show_first(clone, "release/1.0")
    assert repository.address(root=clone) is None


def test_site_for_students_has_no_address_to_give():
    assert "no buttons" in refused(
        "build", "--student", "--repository", "https://github.com/owner/name"
    )


@pytest.mark.parametrize("url", ["/disk/book.git", "https://gitlab.com/owner/name.git"])
def test_remote_elsewhere_gives_no_address(clone, url):
    origin(clone, url)
    assert repository.address(root=clone) is None


def test_command_refuses_a_bad_address_in_one_line():
    assert "https://github.com/OWNER/NAME" in refused("build", "--repository", "here")


def test_sources_carry_no_address():
    config = yaml.safe_load((book_root() / "_config.yml").read_text(encoding="utf-8"))
    assert "repository" not in config
    assert "launch_buttons" not in config
    assert (
        builder.with_launch_buttons(config, Address("owner", "name"))["repository"]["url"]
        == "https://github.com/owner/name"
    )


def test_binder_finds_the_package_and_what_to_run_after_it():
    root = book_root()
    assert not (root / "binder").exists(), (
        "Binder would look there, and not at environment.yml and postBuild"
    )
    assert not (root / ".binder").exists()
    conda = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    assert (
        next(item["pip"] for item in conda["dependencies"] if isinstance(item, dict))[-1] == "-e ."
    )
    script = root / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    named = re.findall(r"--only (\w+)", script.read_text(encoding="utf-8"))
    assert [find_chapter(name, all_chapters()).name for name in named] == [
        "04_toy_model",
        "05_effective_potential",
        "06_freezing_theory",
    ]


def test_cell_for_colab_gets_the_branch_and_what_is_missing_there():
    lines = colab_cell(Address("owner", "name", "dev")).splitlines()
    assert lines[0].split()[-5:] == [
        "1",
        "--branch",
        "dev",
        "https://github.com/owner/name",
        "book",
    ]
    assert lines[1] == "%cd book"
    locked = (book_root() / "requirements.lock").read_text(encoding="utf-8")
    assert all(f"\n{name}==" in locked for name in MISSING_ON_COLAB)


def test_package_that_is_copied_as_on_colab_finds_the_clone_it_is_started_in(tmp_path):
    shutil.copytree(book_root() / "lib" / "valleys", tmp_path / "valleys")
    source = (
        "import valleys; from valleys.paths import book_root; print(valleys.__file__); "
        "print(book_root())"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    printed = subprocess.run(
        [sys.executable, "-c", source],
        cwd=book_root(),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.splitlines() == [str(tmp_path / "valleys" / "__init__.py"), str(book_root())]
