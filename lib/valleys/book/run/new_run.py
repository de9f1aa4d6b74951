"""A reader's own run of a chapter: an executed notebook and a page in the look of the book,
which tells what differs from it.
"""

import contextlib
import datetime
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat.v4 import new_markdown_cell

from valleys.book.chapters import Chapter, all_chapters, find_chapter
from valleys.book.numbers.reporting import duration
from valleys.book.run import folders, parameters, runner
from valleys.book.site import builder, repository
from valleys.errors import BookError
from valleys.paths import build_folder
from valleys.results import machine

RECORD = "run.yml"  # in each folder of a run; only a folder that has it is ever replaced
ADDED_BY_PAPERMILL = "papermill-error-cell-tag"
MAY_FAIL = "raises-exception"  # Jupyter goes on after an error in a cell of this tag
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Variation:
    """A chapter with the values of a size and some of the reader's own, checked."""

    chapter: Chapter
    size: str
    values: dict[str, Any]  # all that differ from the defaults
    changes: dict[str, tuple[Any, Any]]  # by parameter: the value of the size, and the reader's


@dataclass(frozen=True)
class Finished:
    """What came of a variation."""

    notebook: Path | None  # None where not even the first cell ran
    page: Path | None  # None where the run stopped
    broken: tuple[str, ...]  # the claim at which a cell of checks stopped, for each that did
    n_checks: int  # cells of checks
    failure: str | None  # why the run stopped, if it did


def plan(
    name: str, settings: Iterable[parameters.Assignment], size: str, root: Path | None = None
) -> Variation:
    """Choose chapter and values, and have the chapter's specs check them.

    Raises:
        BookError: the chapter, a parameter or a value is refused; the message lists the valid ones.
    """
    chapters = all_chapters(root)
    chapter = find_chapter(name, chapters)
    for setting in (settings := list(settings)):
        if setting.chapter and find_chapter(setting.chapter, chapters) != chapter:
            raise BookError(
                f"'{setting.chapter}.{setting.parameter}' is a parameter of another "
                f"chapter than {chapter.name}; run each chapter by itself"
            )
    own = [replace(setting, chapter=chapter.name) for setting in settings]
    before, after = (
        parameters.run_parameters(chapters, size, chosen, root)[chapter.name]
        for chosen in ((), own)
    )
    runner.check_before_running(chapter, after, own=[setting.parameter for setting in own])
    defaults = {name: parameter.default for name, parameter in chapter.parameters.items()}
    old, new = defaults | before, defaults | after
    return Variation(
        chapter,
        size,
        after,
        {key: (old[key], new[key]) for key in defaults if old[key] != new[key]},
    )


def check_place(out: Path, *, force: bool) -> None:
    """Refuse a folder that holds something.

    Raises:
        BookError: the folder is not empty and may not be replaced, or is no folder.
    """
    with folders.usable(out, "--out"):
        if out.exists() and not out.is_dir():
            raise BookError(f"{out} is a file; name a folder with --out")
        if not out.exists() or not any(out.iterdir()):
            return
        is_run = (out / RECORD).is_file()
    if not is_run:
        raise BookError(f"{out} holds something else than a run; name a new folder with --out")
    if not force:
        raise BookError(
            f"{out} holds an earlier run; name another folder with --out, or replace "
            "it with --force"
        )


def run(variation: Variation, out: Path) -> Finished:
    """Execute the chapter, make its page, and put both in `out`, which is replaced as a whole.

    The run goes on where cells under Checks fail; where another cell fails or the page cannot be
    built, the notebook is kept, without a page. If somebody else changes `out` meanwhile, it is
    left alone and the run is put beside it.

    Raises:
        BookError: nothing can be written at `out`; told before anything is computed.
    """
    place = out.resolve()  # chapters run in another working directory
    before = _held(place)
    with _beside(place) as scratch:
        outcome = _executed(variation, scratch)
        if not outcome.executed.exists():
            return Finished(None, None, (), 0, outcome.failure)
        record = _described(variation, outcome)
        if record["failure"] is None:
            record["failure"] = _page_failure(outcome.executed, scratch / "site", place)
        text = yaml.safe_dump(record, sort_keys=False, width=160)
        (outcome.executed.parent / RECORD).write_text(text, encoding="utf-8")
        kept = _put(outcome.executed.parent, place, before)
    return _finished(variation.chapter.name, out if kept == place else kept, record)


def _executed(variation: Variation, scratch: Path) -> runner.Outcome:
    """The run of the chapter, into a folder for the page."""
    chapter = _tolerant_copy(variation.chapter, scratch)
    work = {chapter.name: (chapter, variation.values)}
    return next(iter(runner.run_chapters(work, scratch / "page")))


def _described(variation: Variation, outcome: runner.Outcome) -> dict[str, Any]:
    """What made the page, which the executed notebook tells at its top from now on."""
    notebook = _cleaned(nbformat.read(outcome.executed, as_version=4))
    failure = outcome.failure if _stopped(notebook) else None
    record = _record(variation, outcome.seconds, _broken(notebook), failure)
    nbformat.write(_with_foreword(notebook, foreword(variation, record)), outcome.executed)
    return record


def _finished(name: str, folder: Path, record: dict[str, Any]) -> Finished:
    page = None if record["failure"] else folder / f"{name}.html"
    broken, failure = tuple(record["broken"]), record["failure"]
    return Finished(folder / f"{name}.ipynb", page, broken, record["checks"], failure)


def foreword(variation: Variation, record: dict[str, Any]) -> str:
    """What stands at the top of the page, as MyST Markdown: what differs from the book, and
    which claims do not hold.
    """
    own = " and these of a reader" if variation.changes else ""
    text = f"""This is {{doc}}`a chapter of the book <chapters/{variation.chapter.name}>`, run with the values of the size `{variation.size}`{own}.
The sentences below were written for the book's own values: numbers and figures are those of this run, the words around them may not fit.
"""  # noqa: E501
    return "\n".join(
        [
            "````{admonition} A variation, not a page of the book",
            ":class: important variation",
            "",
            text,
            *_changes(variation),
            "",
            *_claims_that_fail(record),
            "",
            _origin(record),
            "",
            "````",
        ]
    )


def _changes(variation: Variation) -> list[str]:
    """A table of the values that are the reader's own."""
    rows = [
        f"| `{name}` | `{old!r}` | `{new!r}` |" for name, (old, new) in variation.changes.items()
    ]
    head = [f"| Parameter | At size `{variation.size}` | Here |", "|---|---|---|"]
    return [*head, *rows] if rows else []


def _claims_that_fail(record: dict[str, Any]) -> list[str]:
    """How many cells of checks stopped, and a list of the claims at which they did."""
    if not record["broken"]:
        return []
    claims = [f"- `{claim}`" for claim in record["broken"]]
    return [f"**{verdict(record['broken'], record['checks'])}**", *claims]


def _origin(record: dict[str, Any]) -> str:
    """Day, version, revision and time of the run."""
    revision = f", revision {record['revision']}" if record["revision"] else ""
    return (
        f"Made on {record['finished'][:10]} with valleys "
        f"{record['versions']['valleys']}{revision}, in {duration(record['seconds'])}."
    )


def verdict(broken: Iterable[str], n_checks: int) -> str:
    """How many cells of checks stopped, in one sentence."""
    return (
        f"{len(list(broken))} of {n_checks} cells of checks stopped at a claim that does not hold "
        "for these values."
    )


def check_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """The code cells under the heading Checks."""
    inside = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (
            heading := re.search(r"^## +(.*)", cell.source, re.MULTILINE)
        ):
            inside = heading.group(1).strip() == "Checks"
        elif cell.cell_type == "code" and inside:
            yield cell


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A scratch folder on the disk of `out`, so that what is finished can be renamed."""
    with folders.usable(out, "--out"):
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent)
    with scratch as folder:
        yield Path(folder)


def _tolerant_copy(chapter: Chapter, folder: Path) -> Chapter:
    """The chapter with its checks marked as cells that may fail, under the same name."""
    notebook = nbformat.read(chapter.path, as_version=4)
    for cell in check_cells(notebook):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), MAY_FAIL]
    nbformat.write(notebook, folder / chapter.path.name)
    return replace(chapter, path=folder / chapter.path.name)


def _cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The executed notebook without what papermill and this module added for the run alone."""
    notebook.cells = [
        cell for cell in notebook.cells if ADDED_BY_PAPERMILL not in cell.metadata.get("tags", [])
    ]
    for place in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(place, None)
    return notebook


def _errors(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def _broken(notebook: nbformat.NotebookNode) -> list[str]:
    """The claim at which each cell of checks stopped."""
    return [_claim(error) for cell in check_cells(notebook) for error in _errors(cell)]


def _claim(error: nbformat.NotebookNode) -> str:
    """The line that a traceback points at, else the error itself."""
    pointed = re.findall(
        r"^-+> *\d+ +(.*\S)", ANSI.sub("", "\n".join(error.traceback)), re.MULTILINE
    )
    return pointed[0] if pointed else f"{error.ename}: {error.evalue}"


def _stopped(notebook: nbformat.NotebookNode) -> bool:
    """Whether cells were left out, after an error elsewhere than in the checks or the death of
    the kernel.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return any(
        cell.execution_count is None
        or (_errors(cell) and MAY_FAIL not in cell.metadata.get("tags", []))
        for cell in code
    )


def _with_foreword(notebook: nbformat.NotebookNode, text: str) -> nbformat.NotebookNode:
    """The notebook with a text below its title, which stands in the first cell with what opens
    the chapter.
    """
    heading, _, opening = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = heading
    added = [new_markdown_cell(text, id="variation")] + (
        [new_markdown_cell(opening.strip(), id="opening")] if opening.strip() else []
    )
    notebook.cells[1:1] = added
    for cell in check_cells(notebook):
        cell.metadata["tags"] = [tag for tag in cell.metadata.get("tags", []) if tag != MAY_FAIL]
    return notebook


def _record(
    variation: Variation, seconds: float, broken: list[str], failure: str | None
) -> dict[str, Any]:
    """What made the page: `run.yml`."""
    return {
        "chapter": variation.chapter.name,
        "size": variation.size,
        "set": {name: new for name, (_, new) in variation.changes.items()},
        "instead_of": {name: old for name, (old, _) in variation.changes.items()},
        "checks": len(list(check_cells(nbformat.read(variation.chapter.path, as_version=4)))),
        "broken": broken,
        "failure": failure,
        "seconds": round(seconds, 1),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine.description(),
        "revision": repository.revision(),
        "versions": machine.versions(),
    }


def _page_failure(executed: Path, scratch: Path, out: Path) -> str | None:
    """Why no page could be made, None if it was: a run that took long is worth keeping without
    one.
    """
    try:
        _make_page(executed, scratch, out)
    except BookError as error:
        return str(error)
    return None


def _make_page(executed: Path, scratch: Path, out: Path) -> None:
    """Build the page beside the executed notebook, with everything it needs."""
    book = build_folder() / "html"
    link = os.path.relpath(book, out) if (book / "index.html").is_file() else ""
    builder.assemble_page(executed, scratch / "source", book_site=link)
    shutil.copytree(
        builder.build(scratch / "source", scratch, strict=False),
        executed.parent,
        dirs_exist_ok=True,
    )


def _held(folder: Path) -> dict[Path, int]:
    """What a folder holds, each with the time of its last change, in ns; nothing where there is
    no folder.
    """
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def _put(made: Path, place: Path, before: dict[Path, int]) -> Path:
    """Put a finished folder in its place, or beside it where the place is not as it was before
    the run.
    """
    if _held(place) == before:
        with contextlib.suppress(OSError):  # somebody else was there in this very moment
            return folders.put(made, place)
    return folders.put(made, folders.free(place))
