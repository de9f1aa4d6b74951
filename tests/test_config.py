"""Environment variables have one home, and the guide tells of each that a reader may set."""

import ast
import re
from pathlib import Path

import pytest

from valleys import config
from valleys.paths import book_root

NAME = re.compile(r"VALLEYS_[A-Z_]+")


def spelled(path: Path) -> set[str]:
    """Names of variables that a module spells as strings of their own, as it would to read them."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if NAME.fullmatch(text)}


def test_no_other_module_spells_the_name_of_a_variable():
    library = book_root() / "lib" / "valleys"
    files = [path for folder in (library, book_root() / "tools") for path in folder.rglob("*.py")]
    assert [path for path in files if spelled(path)] == [library / "config.py"]


def test_every_name_is_in_the_table_once():
    names = [
        value for value in vars(config).values() if isinstance(value, str) and NAME.fullmatch(value)
    ]
    assert sorted(names) == sorted(variable.name for variable in config.VARIABLES)


def test_the_guide_shows_the_table():
    assert config.table() in (book_root() / "pages" / "guide_run.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", config.VARIABLES, ids=lambda variable: variable.name)
def test_an_empty_variable_is_as_one_that_is_not_set(variable, monkeypatch):
    monkeypatch.setenv(variable.name, "")
    assert config.text(variable.name) is None
    assert config.place(variable.name) is None
    assert variable.name not in config.settled()


def test_a_place_is_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(config.RESULTS, "some/where")
    assert config.place(config.RESULTS) == tmp_path / "some" / "where"


def test_a_home_folder_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv(config.BUILD, "~nobody-of-that-name/x")
    with pytest.raises(ValueError, match=config.BUILD):
        config.place(config.BUILD)
