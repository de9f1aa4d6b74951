"""The static site: sources with executed chapters put in place, then Jupyter Book."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from valleys.book.chapters import BookError, is_executed, page_names
from valleys.book.paths import book_root

COPIED = ("_toc.yml", "references.bib", "CITATION.cff", "_static", "_extra")
STRICT = ("-W", "-n", "--keep-going")  # warnings fail the build, after all of them have been shown


def assemble(executed: Path, target: Path, *, root: Path | None = None) -> None:
    """Lay out the book's sources in `target`, each notebook as its executed copy, with execution turned off.

    Notebooks that `_config.yml` leaves unexecuted, the exercises of the student edition, are taken as they stand.

    Args:
        executed: folder of executed notebooks.
        target: folder to fill; what it held is replaced where the content differs.
        root: folder of the edition whose pages are wanted; the book's if None.

    Raises:
        BookError: a notebook of the table of contents has no executed copy.
    """
    root = root or book_root()
    target.mkdir(parents=True, exist_ok=True)
    for page in _pages(root):
        source = executed / page.name if is_executed(page.as_posix(), root) else root / page
        if not source.exists():
            raise BookError(f"{page} has no executed copy in {executed}; run the chapters first")
        _refresh(source, target / page)
    for name in COPIED:
        if (root / name).exists():
            _refresh(root / name, target / name)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    (target / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def build(source: Path, output: Path) -> Path:
    """Run Jupyter Book on assembled sources and return the folder of HTML pages.

    Raises:
        BookError: Jupyter Book failed or warned.
    """
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source), "--path-output", str(output), *STRICT]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    html = output / "_build" / "html"
    if finished.returncode or not (html / "index.html").exists():
        raise BookError("the pages could not be built:\n" + _complaints(finished.stdout + finished.stderr))
    return html


def _pages(root: Path) -> list[Path]:
    return [Path(f"{name}{ending}") for name in page_names(root) for ending in (".ipynb", ".md") if (root / f"{name}{ending}").exists()]


def _refresh(source: Path, target: Path) -> None:
    """Copy a file or folder, leaving alone what is the same, so that unchanged pages need not be built again."""
    if source.is_dir():
        for item in source.rglob("*"):
            if item.is_file():
                _refresh(item, target / item.relative_to(source))
    elif not target.exists() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _complaints(output: str) -> str:
    """The lines of a build that tell what is wrong, or its end if none does."""
    lines = output.splitlines()
    telling = [line for line in lines if "WARNING" in line or "ERROR" in line or "rror:" in line]
    return "\n".join(telling or lines[-15:])
