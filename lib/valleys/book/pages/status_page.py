"""Sphinx extension: the directive `{status}`, whose argument says what of the build it tells: runs
(how each notebook was run), versions, figures (where each comes from), shipped (results that came
with the clone), cost (of computing them again) or online.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.sphinx_ import NbMetadataCollector, SphinxEnvType
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from valleys.book.chapters import Chapter, all_chapters, page_names
from valleys.book.numbers.glued import glued
from valleys.book.numbers.reporting import duration
from valleys.book.pages.shipped import ShippedResult, core_seconds, cost, shipped_results
from valleys.book.run.parameters import SIZES, run_parameters
from valleys.book.site import repository
from valleys.book.site.repository import Address, colab_cell
from valleys.results import machine

Cell = str | nodes.Node
MARK = "tells_status"  # in the metadata of a page, which is then written anew in each build


@dataclass(frozen=True)
class Execution:
    """How a notebook was run."""

    seconds: float | None
    finished: str  # ISO time
    values: Mapping[str, Any]  # parameters that were set, over the defaults


class Place(nodes.General, nodes.Element):
    """Stands for what is only known when all pages have been read."""


class Status(SphinxDirective):
    """A part of the status of the build."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a mark; `fill` puts the content there."""
        part = directives.choice(self.arguments[0], tuple(PARTS))
        self.env.metadata[self.env.docname][MARK] = True
        return [Place(part=part)]


def fill(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the content in place of the marks, when all pages have been read."""
    for mark in list(doctree.findall(Place)):
        mark.replace_self(PARTS[mark["part"]](app, page))


def written_anew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages that tell the status: they depend on all others."""
    return [page for page, metadata in env.metadata.items() if MARK in metadata]


def executions(app: Sphinx) -> dict[str, Execution]:
    """How each notebook of the book was run, by page name."""
    env = cast(SphinxEnvType, app.env)  # MyST-NB keeps its settings there
    notebooks = {
        page: Path(app.env.doc2path(page)) for page in page_names() if page in app.env.found_docs
    }
    tracked = {page: NbMetadataCollector.get_exec_data(env, page) for page in notebooks}
    found = {
        page: execution(path, tracked[page])
        for page, path in notebooks.items()
        if path.suffix == ".ipynb"
    }
    return {page: made for page, made in found.items() if made is not None}


def runs(app: Sphinx, here: str) -> list[nodes.Node]:
    """The size of the build, and a table of its notebooks."""
    found, chapters = executions(app), all_chapters()
    size = overall_size({_name(page): made for page, made in found.items()})
    rows = [
        [
            _link(app, here, page),
            size_of(_name(page), made.values, chapters),
            duration(made.seconds or 0.0),
            _moment(made.finished),
        ]
        for page, made in found.items()
    ]
    total = sum(made.seconds or 0.0 for made in found.values())
    summary = (
        "The chapters of this build were run at "
        f"{'' if size == 'different sizes' else 'the size '}{size}; its notebooks took "
        f"{duration(total)} in all."
    )
    return [
        nodes.paragraph("", summary),
        table(("Notebook", "Size", "Time to run", "Finished (UTC)"), rows),
    ]


def installed(app: Sphinx, here: str) -> list[nodes.Node]:
    """Machine and revision, and a table of versions."""
    revision = repository.revision()
    clone = (
        f"from the repository at revision {revision}"
        if revision
        else "outside a clone of the repository"
    )
    summary = (
        f"The pages were built {clone}, on {machine.system()} with {machine.granted()} cores "
        f"({machine.processor()}) and these versions:"
    )
    return [
        nodes.paragraph("", summary),
        table(
            ("Package", "Version"),
            ([name, version] for name, version in machine.versions().items()),
        ),
    ]


def figures(app: Sphinx, here: str) -> list[nodes.Node]:
    """A table of where the figures of each chapter come from."""
    rows = [
        [_link(app, here, page) if n == 0 else "", nodes.inline("", text, classes=["prose"])]
        for page, found in provenance(glued(app)).items()
        for n, text in enumerate(found)
    ]
    return [table(("Chapter", "Study, seed, version, time and machine, day"), rows)]


def shipped(app: Sphinx, here: str) -> list[nodes.Node]:
    """How much came with the clone, and a table of it."""
    results = shipped_results()
    if not results:
        text = "No results came with the clone that this book was built from."
        return [nodes.paragraph("", text)]
    megabytes = sum(result.bytes for result in results) / 1e6
    summary = (
        f"{len(results)} results, {megabytes:.0f} MB in all, came with the clone that this book "
        "was built from. The time is that of one core, summed over all files of a study."
    )
    studies = groupby(results, key=lambda result: result.study)
    head = ("Study", "Files", "Size", "Time", "Days", "Machine")
    rows = [_study_row(study, list(found)) for study, found in studies]
    return [nodes.paragraph("", summary), table(head, rows)]


def recomputing(app: Sphinx, here: str) -> list[nodes.Node]:
    """What it takes to compute again all that came with the clone."""
    results = shipped_results()
    return [nodes.paragraph("", cost(results))] if results else []


def _study_row(study: str, results: list[ShippedResult]) -> list[Cell]:
    days = sorted({result.computed_at[:10] for result in results})
    return [
        study,
        str(len(results)),
        f"{sum(result.bytes for result in results) / 1e3:,.0f} kB",
        duration(core_seconds(results)),
        " to ".join(dict.fromkeys((days[0], days[-1]))),
        ", ".join(sorted({result.machine for result in results})),
    ]


def online(app: Sphinx, here: str) -> list[nodes.Node]:
    """How to run a notebook without installing anything, or what is missing for that."""
    if not app.config.book_repository:
        text = (
            "These pages have no buttons for Binder and Colab, because their builder named no "
            "public repository. This builds them with buttons:"
        )
        command = "make book REPOSITORY=https://github.com/OWNER/NAME"
        return [nodes.paragraph("", text), nodes.literal_block("", command, language="sh")]
    return _buttons(Address.parse(app.config.book_repository))


def _buttons(address: Address) -> list[nodes.Node]:
    """What the buttons of Binder and Colab do, and what Colab wants besides."""
    text = (
        "The rocket at the top of each chapter and of its exercises opens the notebook, at the "
        "size quick, on Binder or Colab, from "
    )
    colab = (
        "Binder installs everything when it starts. Colab opens the bare notebook; there, run this "
        "in a cell before the first:"
    )
    source = nodes.reference("", address.url, refuri=str(address), internal=False)
    return [
        nodes.paragraph("", text, source, nodes.Text(".")),
        nodes.paragraph("", colab),
        nodes.literal_block("", colab_cell(address), language="none"),
    ]


def execution(notebook: Path, tracked: Mapping[str, Any] | None = None) -> Execution | None:
    """How an executed notebook was made: told by papermill in the notebook itself, else by
    MyST-NB, which ran it for this build; None if by neither.
    """
    papermill = nbformat.read(notebook, as_version=4).metadata.get("papermill")
    if papermill:
        return Execution(
            papermill["duration"],
            papermill["end_time"] or papermill["start_time"],
            papermill["parameters"],
        )
    if tracked:
        finished = datetime.datetime.fromtimestamp(tracked["mtime"], datetime.UTC)
        return Execution(tracked["runtime"], finished.isoformat(timespec="seconds"), {})
    return None


def size_of(
    chapter: str,
    values: Mapping[str, Any],
    chapters: Mapping[str, Chapter],
    root: Path | None = None,
) -> str:
    """The size that sets exactly these values in a chapter, or `own values`; exercises are the
    same at every size and have none.
    """
    if chapter not in chapters:
        return ""
    found = [
        size for size in SIZES if run_parameters(chapters, size, root=root)[chapter] == dict(values)
    ]
    return found[0] if found else "own values"


def overall_size(executions: Mapping[str, Execution]) -> str:
    """The size of all chapters together, by chapter name; `different sizes` where they do not
    agree.
    """
    chapters = all_chapters()
    found = {
        size for name, made in executions.items() if (size := size_of(name, made.values, chapters))
    }
    return found.pop() if len(found) == 1 else "different sizes"


def provenance(glued: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """For each page that tells where its figures come from: the lines that say so, each once, in
    the order of the page.
    """
    lines = {
        page: [*dict.fromkeys(str(values[name]) for name in values if name.endswith("_made"))]
        for page, values in sorted(glued.items())
    }
    return {page: found for page, found in lines.items() if found}


def table(head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> nodes.table:
    """A table of texts and of inline nodes."""
    head = list(head)
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += [nodes.thead("", _row(head)), nodes.tbody("", *map(_row, rows))]
    return nodes.table("", group, classes=["status"])


def _row(cells: Iterable[Cell]) -> nodes.row:
    return nodes.row(
        "",
        *(
            nodes.entry(
                "", nodes.paragraph("", "", nodes.Text(cell) if isinstance(cell, str) else cell)
            )
            for cell in cells
        ),
    )


def _link(app: Sphinx, here: str, page: str) -> nodes.reference:
    return make_refnode(
        app.builder, here, page, None, nodes.inline("", app.env.titles[page].astext())
    )


def _name(page: str) -> str:
    return page.rpartition("/")[2]


def _moment(iso: str) -> str:
    """`2026-11-21 21:26` of an ISO time."""
    return iso[:16].replace("T", " ")


PARTS: dict[str, Callable[[Sphinx, str], list[nodes.Node]]] = {
    "runs": runs,
    "versions": installed,
    "figures": figures,
    "shipped": shipped,
    "cost": recomputing,
    "online": online,
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("status", Status)
    app.connect("doctree-resolved", fill)
    app.connect("env-updated", written_anew)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
