"""The clone of the repository that the book is made in: its revision."""

import subprocess
from pathlib import Path

from valleys.book.paths import book_root


def git(*arguments: str, root: Path | None = None) -> str | None:
    """What a git command prints about the book's clone; None without git, without a clone or where the command fails."""
    root = root or book_root()
    if not (root / ".git").exists():  # a folder above may be the clone of something else
        return None
    try:
        finished = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


def revision(root: Path | None = None) -> str | None:
    """Short hash of the commit, with a word where files were changed since; None where there is no clone."""
    commit = git("rev-parse", "--short", "HEAD", root=root)
    changed = git("status", "--porcelain", "--untracked-files=no", root=root)
    return f"{commit}, with changes" if commit and changed else commit
