"""The static site: sources with executed chapters put in place, then Jupyter Book."""

import contextlib
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from valleys.book.chapters import is_executed, page_names
from valleys.book.run import ending, folders
from valleys.book.site.repository import Address, commit
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import atomic

SHARED = ("references.bib", "CITATION.cff", "_static", "_extra")
LAUNCHERS = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}
PAGE_FOLDERS = (".", "chapters", "exercises", "pages")
ENDINGS = (".ipynb", ".md")  # of pages
STRICT = ("-W", "-n", "--keep-going")  # warnings fail the build, after all of them have been shown
# how folders in `_build` begin: where Jupyter Book works, and where its pages are finished
WORKSHOP, SCRATCH = ".workshop-", ".pages-"
SEAL = "finished"  # in a workshop: the hash of all that the last finished build left there


def assemble(
    executed: Path, target: Path, *, root: Path | None = None, address: Address | None = None
) -> None:
    """Lay out the book's sources in `target`, each notebook as its executed copy, with execution
    turned off.

    Notebooks that `_config.yml` leaves unexecuted, the exercises of the student edition, are taken
    as they stand.

    Args:
        executed: folder of executed notebooks.
        target: folder to fill; what it held is replaced where the content differs, and pages that
            left the table of contents are removed.
        root: folder of the edition whose pages are wanted; the book's if None.
        address: where Binder and Colab find the notebooks; pages of notebooks get buttons for both,
            none without an address.

    Raises:
        BookError: a notebook of the table of contents has no executed copy.
    """
    root = root or book_root()
    target.mkdir(parents=True, exist_ok=True)
    pages = _pages(root)
    for page in pages:
        source = executed / page.name if is_executed(page.as_posix(), root) else root / page
        if not source.exists():
            raise BookError(f"{page} has no executed copy in {executed}; run the chapters first")
        _refresh(source, target / page)
    _drop_pages(target, keep=pages)
    _refresh(root / "_toc.yml", target / "_toc.yml")
    _add_shared(
        root, target, with_launch_buttons(_config(root), address) if address else _config(root)
    )


def assemble_page(executed: Path, target: Path, *, book_site: str) -> None:
    """Lay out the sources of one executed notebook, as a book of a single page.

    Args:
        executed: the notebook.
        target: folder to fill.
        book_site: the way from the page to the book's pages, for links to them; empty if there are
            none.
    """
    target.mkdir(parents=True, exist_ok=True)
    _refresh(executed, target / executed.name)
    (target / "_toc.yml").write_text(f"format: jb-book\nroot: {executed.stem}\n", encoding="utf-8")
    config = _config(book_root())
    config["sphinx"]["extra_extensions"].append("valleys.book.site.book_links")
    config["sphinx"]["config"]["book_site"] = book_site
    _add_shared(book_root(), target, config)


def with_launch_buttons(config: dict[str, Any], address: Address) -> dict[str, Any]:
    """Settings of the book that has a public address: pages of notebooks get buttons for Binder
    and Colab, and folds of code a link to the notebook at the commit of today.
    """
    config["sphinx"]["config"]["book_repository"] = str(address)
    config["sphinx"]["config"]["book_commit"] = commit() or ""
    return config | {
        "repository": {"url": address.url, "branch": address.branch},
        "launch_buttons": LAUNCHERS,
    }


def build(
    source: Path, output: Path, *, strict: bool = True, finish: Callable[[Path], None] | None = None
) -> Path:
    """Run Jupyter Book on assembled sources and return the folder of HTML pages, `_build/html` in
    `output`.

    Readers find the earlier pages there until the new ones are finished. One build at a time, see
    `locks.alone`.

    Args:
        source: folder of the assembled sources.
        output: folder whose `_build` is filled.
        strict: whether warnings fail the build.
        finish: what is left to do with the folder of pages before anyone reads them; raises where
            they are not fit to be read.

    Raises:
        BookError: Jupyter Book failed or, if strict, warned.
    """
    with _workshop(output / "_build") as workshop:
        html = _run_jupyter_book(source, workshop, strict=strict)
        drop_stale(html, source)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=output / "_build") as scratch:
            ready = shutil.copytree(html, Path(scratch) / "html")
            if finish:
                finish(ready)
            return folders.put(ready, output / "_build" / "html")


def _run_jupyter_book(source: Path, output: Path, *, strict: bool) -> Path:
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(source),
        "--path-output",
        str(output),
    ]
    finished = ending.run([*command, *(STRICT if strict else ())])
    html = output / "_build" / "html"
    if finished.returncode or not (html / "index.html").exists():
        raise BookError(
            "the pages could not be built:\n" + _complaints(finished.stdout + finished.stderr)
        )
    return html


@contextlib.contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder in which Jupyter Book works and finds what it need not do again.

    That is the folder of the last build that succeeded, as long as it is just as that build left
    it, else a new one: pages of a build that was interrupted or disturbed are mended in part, and
    never mended again. What an orphan of a killed build may still write stays among its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sound = next((path for path in sorted(folder.glob(f"{WORKSHOP}*")) if _is_sound(path)), None)
    folders.sweep(folder, WORKSHOP, SCRATCH, folders.REPLACED, keep=sound)
    workshop = sound or Path(tempfile.mkdtemp(prefix=WORKSHOP, dir=folder))
    (workshop / SEAL).unlink(missing_ok=True)
    yield workshop
    atomic.write(workshop / SEAL, _digest(workshop).encode())


def _is_sound(workshop: Path) -> bool:
    with contextlib.suppress(OSError):
        return (workshop / SEAL).read_text(encoding="utf-8") == _digest(workshop)
    return False


def _digest(workshop: Path) -> str:
    """One hash of the names and contents of all files of a build."""
    digest = hashlib.blake2b()
    for path in sorted((workshop / "_build").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(workshop)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def drop_stale(html: Path, source: Path) -> None:
    """Remove pages of a built site that were made from a source which is gone; the site keeps a
    copy of the source of each.
    """
    for copy in sorted((html / "_sources").rglob("*")):
        page = copy.relative_to(html / "_sources")
        if page.suffix in ENDINGS and not (source / page).exists():
            copy.unlink()
            if not any((source / page.with_suffix(ending)).exists() for ending in ENDINGS):
                (html / page.with_suffix(".html")).unlink(missing_ok=True)


def _pages(root: Path) -> list[Path]:
    return [
        Path(f"{name}{ending}")
        for name in page_names(root)
        for ending in ENDINGS
        if (root / f"{name}{ending}").exists()
    ]


def _drop_pages(target: Path, *, keep: list[Path]) -> None:
    """Remove sources that an earlier table of contents named: pages in the folder itself and in
    the folders of pages.
    """
    for folder in PAGE_FOLDERS:
        for path in (target / folder).glob("*"):
            if path.suffix in ENDINGS and path.relative_to(target) not in keep:
                path.unlink()


def _config(root: Path) -> dict[str, Any]:
    """The book's settings, with execution turned off."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config | {"execute": {"execute_notebooks": "off"}}


def _add_shared(root: Path, target: Path, config: dict[str, Any]) -> None:
    """Put beside assembled pages their settings and what they share."""
    for name in SHARED:
        if (root / name).exists():
            _refresh(root / name, target / name)
    (target / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _refresh(source: Path, target: Path) -> None:
    """Copy a file or folder, leaving alone what is the same, so that unchanged pages need not be
    built again.
    """
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
