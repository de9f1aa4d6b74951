"""Papermill's command line takes values for a notebook of the book as `--set` does, and runs it in
the kernel of the book.

Papermill asks for `engine`, an entry point in its group `papermill.engine`, while it is itself
imported, before its command line takes the functions that are replaced here. For notebooks outside
the folders `chapters` and `exercises` of a book they do what they did.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from nbformat import NotebookNode, from_dict

from valleys.book.chapters import Chapter, all_chapters, chapter_at, root_above
from valleys.book.run import values
from valleys.book.run.parameters import PARTS, typed, values_for
from valleys.errors import BookError

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
# what its option --inject-paths adds
OF_PAPERMILL = {"PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"}


def __getattr__(name: str) -> type:
    """`engine`, which is papermill's own; whoever asks for it has the functions replaced."""
    if name != "engine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from papermill import engines, iorw, parameterize

    iorw.NoDatesSafeLoader = _loader(iorw.NoDatesSafeLoader)
    iorw.read_yaml_file = _yaml_file(iorw.read_yaml_file)
    iorw.load_notebook_node = _notebook(iorw.load_notebook_node)
    parameterize.add_builtin_parameters = _checked(parameterize.add_builtin_parameters)
    return engines.NBClientEngine


@dataclass(frozen=True)
class _Parameters:
    """What `yaml.load` takes for a loader: reads parameters for a chapter, of a file like those
    in `params/` the part of this chapter.
    """

    text: str | bytes
    chapter: Chapter

    def get_single_data(self) -> dict[str, Any]:
        with _refusals_in_one_line():
            content = values.read(self.text, "what was given as parameters") or {}
            if not isinstance(content, dict):
                raise BookError(f"parameters are given as 'name: value', not as {content!r}")
            if not content.keys() & PARTS:
                return content
            root = root_above(self.chapter.path)
            return values_for(self.chapter, content, all_chapters(root))

    def dispose(self) -> None:
        pass


def _loader(original: type) -> Callable[[Any], Any]:
    def load(stream: Any) -> Any:
        chapter = _chapter_asked_for()
        return _Parameters(stream, chapter) if chapter else original(stream)

    return load


def _yaml_file(original: Callable[[str], Any]) -> Callable[[str], Any]:
    def read_yaml_file(path: str) -> Any:
        try:
            return original(path)
        except (OSError, UnicodeDecodeError) as error:
            if _chapter_asked_for():
                raise click.ClickException(f"{path} cannot be read: {error}") from None
            raise

    return read_yaml_file


def _notebook(original: Callable[[Any], NotebookNode]) -> Callable[[Any], NotebookNode]:
    def load_notebook_node(notebook_path: Any) -> NotebookNode:
        notebook = original(notebook_path)
        if isinstance(notebook_path, str) and root_above(Path(notebook_path)):
            # an editor may have saved it with another name, or none
            notebook.metadata.kernelspec = from_dict(KERNEL)
        return notebook

    return load_notebook_node


def _checked(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Papermill calls this with all values that were given, before it does anything."""

    def add_builtin_parameters(parameters: Any) -> dict[str, Any]:
        if chapter := _chapter_asked_for():
            with _refusals_in_one_line():
                parameters.update(
                    {
                        name: typed(chapter, name, value)
                        for name, value in parameters.items()
                        if name not in OF_PAPERMILL
                    }
                )
        return original(parameters)

    return add_builtin_parameters


def _chapter_asked_for() -> Chapter | None:
    """The notebook on papermill's command line, if it is one of a book; None where papermill is
    used otherwise.
    """
    context = click.get_current_context(silent=True)
    path = (
        context.params.get("notebook_path")
        if context and context.command.name == "papermill"
        else None
    )
    with _refusals_in_one_line():
        return chapter_at(Path(path)) if path and root_above(Path(path)) else None


@contextlib.contextmanager
def _refusals_in_one_line() -> Iterator[None]:
    try:
        yield
    except BookError as error:
        raise click.ClickException(str(error)) from None
