"""The pages and chapters of the book, and the parameters that each declares in its notebook."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
import yaml

from valleys.book.paths import book_root

KINDS = {"int": int, "float": float, "str": str, "bool": bool, "list": list}


class BookError(Exception):
    """Something a user of the book can mend; the message says what and how, in one line."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `name: kind = default  # meaning [unit]`."""

    name: str
    kind: str
    default: Any
    meaning: str

    def words_and_unit(self) -> tuple[str, str]:
        """The meaning without its unit, and the unit; a pure number, `[1]`, has the unit ""."""
        words, _, unit = self.meaning.rpartition(" [")
        return words or self.meaning, unit.rstrip("]") if words and unit != "1]" else ""


@dataclass(frozen=True)
class Chapter:
    """A notebook of the book that is executed: a chapter, or the exercises of one."""

    name: str  # file name without ending, such as 04_toy_model
    path: Path
    parameters: dict[str, Parameter]

    def opening(self) -> Iterator[tuple[str, list[str]]]:
        """Source and tags of each code cell up to the last one tagged `derived`: imports, parameters, specs."""
        cells = [(cell.source, cell.metadata.get("tags", [])) for cell in _code_cells(self.path)]
        last = max((place for place, (_, tags) in enumerate(cells) if "derived" in tags), default=len(cells))
        yield from cells[: last + 1]


def page_names(root: Path | None = None) -> list[str]:
    """Every page of `_toc.yml` in reading order, without ending, such as chapters/04_toy_model."""
    return [name for _, names in book_parts(root) for name in names]


def book_parts(root: Path | None = None) -> list[tuple[str, list[str]]]:
    """Caption and pages of each part of `_toc.yml`; the first part has no caption and holds the landing page."""
    toc = yaml.safe_load(((root or book_root()) / "_toc.yml").read_text(encoding="utf-8"))
    parts = [(part.get("caption", ""), part["chapters"]) for part in toc.get("parts", [])]
    named = [(caption, [each["file"] for entry in entries for each in (entry, *entry.get("sections", []))]) for caption, entries in parts]
    return [("", [toc["root"]]), *named]


def all_chapters(root: Path | None = None) -> dict[str, Chapter]:
    """Every chapter of `_toc.yml` in reading order, by name."""
    return {path.stem: Chapter(path.stem, path, read_parameters(path)) for path in _notebooks("chapters", root)}


def all_exercises(root: Path | None = None) -> dict[str, Chapter]:
    """Every notebook of exercises of `_toc.yml` in reading order, by name; they have no parameters."""
    return {path.stem: Chapter(path.stem, path, {}) for path in _notebooks("exercises", root)}


def unexecuted_patterns(root: Path | None = None) -> list[str]:
    """Patterns of the notebooks that `_config.yml` leaves unexecuted: the exercises of the student edition, none in the full book."""
    config = yaml.safe_load(((root or book_root()) / "_config.yml").read_text(encoding="utf-8"))
    return config.get("execute", {}).get("exclude_patterns", [])


def is_executed(page: str, root: Path | None = None) -> bool:
    """Whether a page, such as exercises/04_toy_model_exercises.ipynb, is a notebook that the book executes."""
    return page.endswith(".ipynb") and not any(PurePosixPath(page).match(pattern) for pattern in unexecuted_patterns(root))


def find_chapter(name: str, chapters: dict[str, Chapter]) -> Chapter:
    """The chapter of that name, with or without its number.

    Raises:
        BookError: no chapter has that name; the message lists them.
    """
    for chapter in chapters.values():
        if name in (chapter.name, chapter.name.partition("_")[2]):
            return chapter
    raise BookError(f"no chapter is named '{name}'; the chapters are {', '.join(chapters)}")


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The parameters of a notebook, by name.

    Raises:
        BookError: the notebook has no parameters cell, or a line of it is not of the agreed form.
    """
    tagged = [cell.source for cell in _code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise BookError(f"{path.name} has {len(tagged)} cells tagged 'parameters'; it needs exactly one")
    comments = _comments(tagged[0])
    return {p.name: p for p in (_parameter(statement, comments, path.name) for statement in ast.parse(tagged[0]).body)}


def _notebooks(folder: str, root: Path | None) -> list[Path]:
    root = root or book_root()
    paths = [root / f"{name}.ipynb" for name in page_names(root) if name.startswith(f"{folder}/")]
    return [path for path in paths if path.exists()]


def _code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def _parameter(statement: ast.stmt, comments: dict[int, str], where: str) -> Parameter:
    meaning = comments.get(statement.lineno, "")
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value):
            if kind in KINDS and meaning and "=" not in meaning:
                return Parameter(name, kind, ast.literal_eval(value), meaning)
    form = f"'name: kind = default  # meaning [unit]', of kind {', '.join(KINDS)}, without a second '='"
    raise BookError(f"{where}: '{ast.unparse(statement)}' must read {form}")
