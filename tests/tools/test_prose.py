"""The tool that measures how chapters read counts what a reader reads, and nothing else."""

import importlib.util
import json
import sys

import pytest

from valleys.paths import book_root


@pytest.fixture(scope="module")
def tool():
    names = ("figure_look", "prose")  # the one is imported by the other
    for name in names:
        spec = importlib.util.spec_from_file_location(name, book_root() / "tools" / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    yield sys.modules["prose"]
    for name in names:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Of {number}`c01_runs` runs {number}`c01_gain:.2f` end at 3.5, and 1,000 do not.", [4]),
        ("One thing. Another 2 {number}`x:.0%` things!", [0, 2]),
        ("Chapter 2 and Figs. 3 and 4 of Yang (2026), by Eq. 7 and {numref}`fig-c02-map`.", [0]),
        ("Formulas $x=3$ and code `n = 4` are apart, as is\n$$\n5\n$$\nthis.", [0, 0]),
        ("## Section 3\n\n1. First of them.\n2. Second of 2.", [0, 1]),
        ("Above.\n\n```{table} Of 3\n| 4 | 5 |\n|---|---|\n```\n\nBelow.", [0, 0]),
        ("{.provenance}\n{number}`c01_made`\n\nA text.", [0]),
    ],
)
def test_numbers_are_counted_by_sentence(tool, text, numbers):
    sentences = tool.sentences(tool.prose_of(text))
    assert [len(tool.NUMBER.findall(sentence)) for sentence in sentences] == numbers


def test_a_row_has_words_numbers_and_what_is_shown(tool, tmp_path, capsys):
    figure = {"mystnb": {"figure": {"name": "fig-one", "caption": "Seen. 1 2 3 4."}}}
    cells = [
        ("markdown", {}, "Four words are here.\nAnd 1 and 2 and 3 more."),
        ("markdown", {}, "```{figure} ../_static/drawings/kick.svg\n:alt: a kick\n```"),
        ("code", figure, "figures.one(found)"),
        ("code", {}, "replay.runs(found)"),
    ]
    notebook = {
        "cells": [
            {"cell_type": kind, "metadata": meta, "source": source.splitlines(keepends=True)}
            for kind, meta, source in cells
        ]
    }
    (tmp_path / "one.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert tool.main([str(tmp_path)]) == 0
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["one", "8", "1.50", "3", "1", "-", "1", "1", "1"]


def test_a_folder_without_chapters_is_no_success(tool, tmp_path):
    assert tool.main([str(tmp_path)]) == 1
