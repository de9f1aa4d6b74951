"""Sphinx extension: the directive `{parameters}`, a box that tells how to run a chapter with other
values, and `{chapter-times}`.

The argument of the first is an example, `name=value`; its text, if any, opens the box.
"""

import shlex
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from valleys.book.chapters import Chapter, Parameter, all_chapters, read_parameters
from valleys.book.numbers.reporting import duration
from valleys.book.run import times, values
from valleys.book.run.parameters import Assignment, run_parameters
from valleys.book.run.times import KINDS, Times
from valleys.book.site.repository import Address, colab_cell
from valleys.paths import book_root

NEXT_LINE = " \\\n    "  # of a command in the shell, so that it fits the page


class Parameters(SphinxDirective):
    """The box of a chapter, formed from its parameters cell, `params/paper.yml` and
    `params/times.yml`.
    """

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Form the box as text of the page and have it read."""
        path = Path(self.env.doc2path(self.env.docname))
        chapter = Chapter(path.stem, path, read_parameters(path))
        chapters = all_chapters() | {chapter.name: chapter}
        for used in (times.times_file(), book_root() / "params" / "paper.yml"):
            self.env.note_dependency(str(used))
        paper = run_parameters(chapters, "paper")[chapter.name]
        public = Address.parse(self.config.book_repository) if self.config.book_repository else None
        text = box(
            chapter,
            paper,
            Assignment.parse(self.arguments[0]),
            times.read(times.times_file()),
            opening="\n".join(self.content),
            address=public,
        )
        holder = nodes.Element()
        self.state.nested_parse(
            StringList(text.splitlines(), self.env.docname), self.content_offset, holder
        )
        return holder.children


class ChapterTimes(SphinxDirective):
    """`{chapter-times}`: how long each chapter takes, for pages that speak of all of them."""

    def run(self) -> list[nodes.Node]:
        """Form the table as text of the page and have it read."""
        self.env.note_dependency(str(times.times_file()))
        text = times_table(list(all_chapters()), times.read(times.times_file()))
        holder = nodes.Element()
        self.state.nested_parse(
            StringList(text.splitlines(), self.env.docname), self.content_offset, holder
        )
        return holder.children


def times_table(chapters: list[str], measured: Times) -> str:
    """A row for each chapter, a column for each kind of run that was measured, and where; a
    sentence if nothing was.
    """
    kinds = [kind for kind in KINDS if any(measured.of(chapter, kind) for chapter in chapters)]
    if not kinds:
        return "No times were measured for this copy; `make times` does it."
    head = [
        "| Chapter | " + " | ".join(KINDS[kind] for kind in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    rows = [
        f"| {{doc}}`/chapters/{chapter}` | "
        + " | ".join(_time(measured.of(chapter, kind)) for kind in kinds)
        + " |"
        for chapter in chapters
    ]
    return "\n".join([*head, *rows, "", f"Each alone on {measured.machine}, {measured.measured}."])


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)


def box(
    chapter: Chapter,
    paper: dict[str, Any],
    example: Assignment,
    measured: Times,
    *,
    opening: str = "",
    address: Address | None = None,
) -> str:
    """The box as MyST Markdown.

    Args:
        chapter: whose parameters are told.
        paper: its values at the published size that differ from the defaults.
        example: one changed parameter for the commands.
        measured: how long the chapter takes.
        opening: text to begin with.
        address: where Binder and Colab find the notebook, if anywhere.
    """
    parts = [
        opening,
        _table(chapter, paper),
        _commands(chapter, example),
        _times(chapter.name, measured),
        _online(address),
    ]
    return "\n\n".join(
        [
            "`````{admonition} Run this chapter with other values\n:class: run-box",
            *filter(None, parts),
            "`````",
        ]
    )


def papermill_command(chapter: str, example: Assignment) -> str:
    """What one types in the root of a clone to run the notebook with one changed parameter."""
    given = ["-p", example.parameter, str(example.value)]
    if isinstance(example.value, list):
        given = ["-y", values.written({example.parameter: example.value})[1:-1]]
    return NEXT_LINE.join(
        [f".venv/bin/papermill chapters/{chapter}.ipynb out.ipynb", shlex.join(given)]
    )


def new_run_command(chapter: str, example: Assignment) -> str:
    """What one types to get a page of the chapter with one changed parameter."""
    given = ["--set", f"{example.parameter}={example.value}", "--out", "my-run/"]
    return NEXT_LINE.join(
        [
            f".venv/bin/python -m valleys new-run --chapter {chapter.partition('_')[2]}",
            shlex.join(given),
        ]
    )


def _table(chapter: Chapter, paper: dict[str, Any]) -> str:
    head = (
        "````{table}\n:class: parameters\n\n| Parameter | Meaning | Unit | Default | Published "
        "|\n|---|---|---|---|---|"
    )
    return "\n".join(
        [head, *(_row(parameter, paper) for parameter in chapter.parameters.values()), "````"]
    )


def _row(parameter: Parameter, paper: dict[str, Any]) -> str:
    words, unit = parameter.words_and_unit()
    published = f"`{paper[parameter.name]!r}`" if parameter.name in paper else "same"
    return f"| `{parameter.name}` | {words} | {unit} | `{parameter.default!r}` | {published} |"


def _commands(chapter: Chapter, example: Assignment) -> str:
    return f"""The default is the size `quick`.
In the root of a clone, after `make install`, this runs the notebook with one value of your own; what it found is in `out.ipynb`:

```sh
{papermill_command(chapter.name, example)}
```

This checks the value first and makes a page of it, `my-run/{chapter.name}.html`, that tells what differs from the book:

```sh
{new_run_command(chapter.name, example)}
```

This runs the whole chapter with the published values:

```sh
.venv/bin/python -m valleys run --size paper --only {chapter.short_name}
```"""  # noqa: E501


def _times(chapter: str, measured: Times) -> str:
    rows = [
        f"| {kind} | {duration(seconds)} |"
        for name, kind in KINDS.items()
        if (seconds := measured.of(chapter, name)) is not None
    ]
    if not rows:
        return ""
    head = "````{table}\n:class: run-times\n\n| Run | Time |\n|---|---|"
    where = (
        f"Measured as one run of this chapter alone on {measured.machine}, {measured.measured}, "
        "without any computed result at hand."
    )
    return "\n".join([head, *rows, "````", "", where])


def _online(address: Address | None) -> str:
    if address is None:
        return ""
    return f"""The rocket at the top of the page opens this notebook online, at the size `quick`.
Binder brings everything; on Colab, run this in a cell before the first:

```
{colab_cell(address)}
```"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; `book_repository` is the public address of the notebooks, empty if
    there is none.
    """
    app.add_config_value("book_repository", "", "env", [str])
    app.add_directive("parameters", Parameters)
    app.add_directive("chapter-times", ChapterTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
