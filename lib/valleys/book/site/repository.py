"""The clone of the repository that the book is made in: its revision, its public address if it has
one, and what a reader has to know to run its notebooks from there.
"""

import contextlib
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from valleys import config
from valleys.errors import BookError
from valleys.paths import book_root

NONE = "none"  # given in place of an address: there shall be none
GITHUB = re.compile(
    r"(?:https://github\.com/|(?:ssh://)?git@github\.com[:/])([\w.-]+)/([\w.-]+?)(?:\.git)?/?(?:/tree/([\w.-]+))?/?"
)


# what the chapters import and a fresh notebook on Colab may lack
MISSING_ON_COLAB = ("h5netcdf", "myst-nb")


@dataclass(frozen=True)
class Address:
    """A public repository on GitHub, where Binder and Colab find the notebooks."""

    owner: str
    name: str
    branch: str = "main"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `https://github.com/OWNER/NAME`, with `/tree/BRANCH` for another branch than main,
        or an address that git uses.

        Raises:
            BookError: the text is no such address; branches with a slash are not taken, because
                Binder and Colab write them differently.
        """
        found = GITHUB.fullmatch(text.strip())
        if not found:
            raise BookError(
                f"'{text}' must read https://github.com/OWNER/NAME or "
                f"https://github.com/OWNER/NAME/tree/BRANCH, the branch without a slash, or {NONE}"
            )
        return cls(found.group(1), found.group(2), found.group(3) or cls.branch)

    @property
    def url(self) -> str:
        """Where a browser finds it, and git clones it from."""
        return f"https://github.com/{self.owner}/{self.name}"

    def file(self, path: str, commit: str = "") -> str:
        """Where a browser shows a file of a commit, or of the branch if none is named."""
        return f"{self.url}/blob/{commit or self.branch}/{path}"

    def __str__(self) -> str:
        """The address with its branch, which `parse` reads."""
        return f"{self.url}/tree/{self.branch}"


def address(given: str | None = None, root: Path | None = None) -> Address | None:
    """The public address: the one given, else `$VALLEYS_REPOSITORY`, else the remote `origin` where
    that is on GitHub; None if there is none.

    Raises:
        BookError: what was given is neither an address nor `none`.
    """
    if text := given or config.text(config.REPOSITORY):
        return None if text == NONE else Address.parse(text)
    # nobody asked for it: a remote elsewhere, or a branch that has no address
    with contextlib.suppress(BookError):
        remote = Address.parse(git("remote", "get-url", "origin", root=root) or "")
        head = git("rev-parse", "--abbrev-ref", "origin/HEAD", root=root) or "origin/main"
        return Address.parse(str(replace(remote, branch=head.partition("/")[2])))
    return None


def colab_cell(address: Address) -> str:
    """What a first cell on Colab has to hold: the bare notebook comes without the package and
    the results.
    """
    return f"""!git clone --quiet --depth 1 --branch {address.branch} {address.url} book
%cd book
%pip install --quiet --no-deps .
%pip install --quiet {" ".join(MISSING_ON_COLAB)}"""


def commit(root: Path | None = None) -> str | None:
    """Full hash of the commit, by which a file of it is addressed; None where there is no clone."""
    return git("rev-parse", "HEAD", root=root)


def revision(root: Path | None = None) -> str | None:
    """Short hash of the commit, with a word where files were changed since; None where there is
    no clone.
    """
    commit = git("rev-parse", "--short", "HEAD", root=root)
    changed = git("status", "--porcelain", "--untracked-files=no", root=root)
    return f"{commit}, with changes" if commit and changed else commit


def git(*arguments: str, root: Path | None = None) -> str | None:
    """What a git command prints about the book's clone; None without git, without a clone or
    where the command fails.
    """
    root = root or book_root()
    if not (root / ".git").exists():  # a folder above may be the clone of something else
        return None
    try:
        finished = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None
