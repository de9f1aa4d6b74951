"""The table of the paper's equations and panels leaves none out, and names what is there."""

import ast
import re
from functools import cache
from importlib import import_module, util

import pytest

from valleys.book.chapters import all_chapters, read_notebook
from valleys.book.pages import equations_page
from valleys.book.pages.equations_page import Entry, read_entries
from valleys.errors import BookError
from valleys.paths import book_root

PANELS = {"1": "ABCDE", "2": "ABCDEFG", "3": "ABCD", "4": "ABCDE", "5": "ABCD", "6": "ABC"}
ENTRIES = [
    pytest.param(entry, id=f"{kind}-{number}")
    for kind, entries in read_entries().items()
    for number, entry in entries.items()
]


def named(name: str):
    """What a name in `valleys` stands for, a function or a method."""
    parts = f"valleys.{name}".split(".")
    modules = [".".join(parts[:n]) for n in range(1, len(parts))]
    home = next(each for each in reversed(modules) if _is_module(each))
    found = import_module(home)
    for part in parts[home.count(".") + 1 :]:
        found = getattr(found, part)
    return found


def _is_module(name: str) -> bool:
    try:
        return util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@cache
def held_in(file: str) -> set[str]:
    tree = ast.parse((book_root() / "tests" / file).read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@cache
def labels() -> set[str]:
    """Of the figures and formulas of all chapters."""
    found = set()
    for chapter in all_chapters().values():
        for cell in read_notebook(chapter.path).cells:
            found |= set(re.findall(r"^:label: (\S+)$", cell.source, re.MULTILINE))
            found |= {cell.metadata.get("mystnb", {}).get("figure", {}).get("name")}
    return found


def test_every_equation_and_every_panel_has_a_row():
    wanted = {
        "equations": [*map(str, range(1, 27)), *(f"A{n}" for n in range(1, 38))],
        "panels": [f"{figure}{letter}" for figure, letters in PANELS.items() for letter in letters]
        + [f"S{n}" for n in range(1, 7)],
    }
    assert {kind: list(entries) for kind, entries in read_entries().items()} == wanted


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_a_row_names_is_there(entry):
    for name in entry.by:
        assert callable(named(name)), name
    for test in entry.test:
        file, _, name = test.partition("::")
        assert name in held_in(file), test
    assert set(entry.shown) <= labels()


def test_rows_hold_what_their_entries_say():
    entry = Entry(
        "a sum",
        by=("toy.a.b.add", "toy.a.Sum.add"),
        test=("a.py::test_ito_of_eq_a3",),
        shown=("eq-x",),
    )
    rows = equations_page.table("equations", {"1": entry, "A2": Entry("none", why="lost")})
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows.splitlines()[5:-1]]
    assert cells == [
        ["1", "a sum", "`add`, `Sum.add`", "Itô of Eq. A3", "{eq}`eq-x`"],
        ["A2", "none", "–", "–", "lost"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "equations: {1: {says: a, by: b}}\npanels: {}",
        "equations: {1: {says: a, by: b, test: c, shown: d, why: e}}\npanels: {}",
        "equations: {1: {says: a}}\npanels: {}",
        "equations: {1: {says: a, why: b, who: c}}\npanels: {}",
        "equations: {}",
    ],
)
def test_entries_of_another_form_are_refused(tmp_path, text):
    (tmp_path / "equations.yml").write_text(text)
    with pytest.raises(BookError):
        read_entries(tmp_path / "equations.yml")
