"""The pages and chapters of the book, and the parameters that each declares in its notebook."""

import ast
import io
import json
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
import yaml

from valleys.errors import BookError
from valleys.paths import book_root

KINDS = {"int": int, "float": float, "str": str, "bool": bool, "list": list}
FORM = (
    f"'name: kind = default  # meaning [unit]', of kind {', '.join(KINDS)}, without a second '=', "
    "the default a literal"
)
NOTEBOOK_FORMAT = 4


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

    @property
    def short_name(self) -> str:
        """The name without its number, if it has one, such as toy_model."""
        number, _, rest = self.name.partition("_")
        return rest if number.isdigit() else self.name

    def opening(self) -> Iterator[tuple[str, list[str]]]:
        """Source and tags of each code cell up to the last one tagged `derived`: imports,
        parameters, specs.
        """
        cells = [(cell.source, cell.metadata.get("tags", [])) for cell in _code_cells(self.path)]
        last = max(
            (place for place, (_, tags) in enumerate(cells) if "derived" in tags),
            default=len(cells),
        )
        yield from cells[: last + 1]


def page_names(root: Path | None = None) -> list[str]:
    """Every page of `_toc.yml` in reading order, without ending, such as chapters/04_toy_model."""
    return [name for _, names in book_parts(root) for name in names]


def book_parts(root: Path | None = None) -> list[tuple[str, list[str]]]:
    """Caption and pages of each part of `_toc.yml`; the first part has no caption and holds the
    landing page.
    """
    toc = yaml.safe_load(((root or book_root()) / "_toc.yml").read_text(encoding="utf-8"))
    parts = [(part.get("caption", ""), part["chapters"]) for part in toc.get("parts", [])]
    named = [
        (
            caption,
            [each["file"] for entry in entries for each in (entry, *entry.get("sections", []))],
        )
        for caption, entries in parts
    ]
    return [("", [toc["root"]]), *named]


def all_chapters(root: Path | None = None) -> dict[str, Chapter]:
    """Every chapter of `_toc.yml` in reading order, by name."""
    return {
        path.stem: Chapter(path.stem, path, read_parameters(path))
        for path in _notebooks("chapters", root)
    }


def all_exercises(root: Path | None = None) -> dict[str, Chapter]:
    """Every notebook of exercises of `_toc.yml` in reading order, by name; they have no parameters.

    Raises:
        BookError: one of them is no notebook.
    """
    found = _notebooks("exercises", root)
    for path in found:
        read_notebook(path)
    return {path.stem: Chapter(path.stem, path, {}) for path in found}


def check_notebooks(root: Path | None = None) -> None:
    """See that every chapter and every notebook of exercises can be read.

    Raises:
        BookError: one cannot, or a parameters cell is not of the agreed form.
    """
    all_chapters(root)
    all_exercises(root)


def unexecuted_patterns(root: Path | None = None) -> list[str]:
    """Patterns of the notebooks that `_config.yml` leaves unexecuted: the exercises of the
    student edition, none in the full book.
    """
    config = yaml.safe_load(((root or book_root()) / "_config.yml").read_text(encoding="utf-8"))
    return config.get("execute", {}).get("exclude_patterns", [])


def is_executed(page: str, root: Path | None = None) -> bool:
    """Whether a page, such as exercises/04_toy_model_exercises.ipynb, is a notebook that the
    book executes.
    """
    return page.endswith(".ipynb") and not any(
        PurePosixPath(page).match(pattern) for pattern in unexecuted_patterns(root)
    )


def root_above(notebook: Path) -> Path | None:
    """Root of the book in whose folder `chapters` or `exercises` a notebook lies, if it does."""
    folder = notebook.resolve().parent
    is_book = folder.name in ("chapters", "exercises") and all(
        (folder.parent / part).exists() for part in ("_config.yml", "_toc.yml", "lib/valleys")
    )
    return folder.parent if is_book else None


def chapter_at(path: Path) -> Chapter:
    """The chapter or the exercises that a notebook of a book holds.

    Raises:
        BookError: it is no notebook, or its parameters are not of the agreed form.
    """
    read_notebook(path)
    return Chapter(
        path.stem, path, read_parameters(path) if path.resolve().parent.name == "chapters" else {}
    )


def find_chapter(name: str, chapters: dict[str, Chapter]) -> Chapter:
    """The chapter of that name, with or without its number.

    Raises:
        BookError: no chapter has that name; the message lists them.
    """
    for chapter in chapters.values():
        if name in (chapter.name, chapter.short_name):
            return chapter
    raise BookError(f"no chapter is named '{name}'; the chapters are {', '.join(chapters)}")


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook.

    Raises:
        BookError: the file cannot be read, or is no notebook of today's format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content.get("nbformat")
        if version != NOTEBOOK_FORMAT:
            raise BookError(
                f"{path.name} is of notebook format {version}, not {NOTEBOOK_FORMAT}; "
                "open it in Jupyter and save it"
            )
        nbformat.validate(content)
    except (
        OSError,
        ValueError,
        AttributeError,
        TypeError,
        LookupError,
        nbformat.ValidationError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise BookError(
            f"{path.name} is no notebook that can be read ({reason}); take it from the repository"
        ) from None
    return nbformat.v4.to_notebook(content)


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The parameters of a notebook, by name.

    Raises:
        BookError: the notebook has no parameters cell, or a line of it is not of the agreed form.
    """
    tagged = [
        cell.source for cell in _code_cells(path) if "parameters" in cell.metadata.get("tags", [])
    ]
    if len(tagged) != 1:
        raise BookError(
            f"{path.name} has {len(tagged)} cells tagged 'parameters'; it needs exactly one"
        )
    parameters: dict[str, Parameter] = {}
    for statement, where, meaning in _statements(tagged[0], path.name):
        parameter = _parameter(statement, meaning, where)
        if parameter.name in parameters:
            raise BookError(
                f"{where}: {parameter.name} is there twice; each parameter must have one line"
            )
        parameters[parameter.name] = parameter
    return parameters


def _notebooks(folder: str, root: Path | None) -> list[Path]:
    root = root or book_root()
    paths = [root / f"{name}.ipynb" for name in page_names(root) if name.startswith(f"{folder}/")]
    return [path for path in paths if path.exists()]


def _code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]


def _statements(source: str, name: str) -> Iterator[tuple[ast.stmt, str, str]]:
    """Each statement of a parameters cell, where it stands, and its comment."""
    cell = f"{name}, parameters cell"
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise BookError(
            f"{cell}, line {getattr(error, 'lineno', None) or 1}: "
            f"{getattr(error, 'msg', error)}; each line must read {FORM}"
        ) from None
    comments = _comments(source)
    for statement in statements:
        yield statement, f"{cell}, line {statement.lineno}", comments.get(statement.lineno, "")


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _parameter(statement: ast.stmt, meaning: str, where: str) -> Parameter:
    match statement:
        case ast.AnnAssign(
            target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value
        ):
            if (
                kind in KINDS
                and meaning
                and "=" not in meaning
                and _is_of(kind, default := _default(value))
            ):
                return Parameter(name, kind, default, meaning)
    raise BookError(f"{where}: '{' '.join(ast.unparse(statement).split())}' must read {FORM}")


def _is_of(kind: str, value: Any) -> bool:
    return type(value) is KINDS[kind] or (kind == "float" and type(value) is int)


def _default(expression: ast.expr) -> Any:
    """The value of a literal; None for any other expression, such as a calculation."""
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, RecursionError):
        return None
