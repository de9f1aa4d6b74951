"""The tool that measures figures finds small text, values of two colours and greys that the dark
theme does not know.
"""

import importlib.util
import io
import json
import sys

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valleys.book import figures
from valleys.book.figures.drawing.parts import finished, new_figure
from valleys.book.figures.drawing.style import DARK, INK, learning_rate_colours
from valleys.paths import book_root
from valleys.toy import TwoValley


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location(
        "figure_look", book_root() / "tools" / "figure_look.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["figure_look"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["figure_look"]


def drawn(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return text.getvalue()


def plain(axes: Axes) -> None:
    """A line of one learning rate, markers of another."""
    colours = learning_rate_colours([0.1, 0.02])
    axes.plot([0, 1], [1, 2], color=colours[0.1])
    axes.plot([0, 1], [2, 1], "o", color=colours[0.02])


@finished
def example(size: float = 10) -> Figure:
    """A figure like those of the book, with a note of some size."""
    figure, axes = new_figure(1, 1, (7.2, 4.0))
    plain(axes)
    axes.annotate("note", (0.5, 1.5), fontsize=size)
    return figure


@pytest.fixture(autouse=True)
def _style() -> None:
    figures.use_style()


def test_text_is_measured_on_a_page_of_700_pixels_without_subscripts(tool):
    look = tool.look_of("example", drawn(example(6)))
    assert look.text == pytest.approx(6 * 700 / look.width)
    sub = example()
    sub.axes[0].set_xlabel("$x_{small}$")
    assert tool.look_of("sub", drawn(sub)).text == pytest.approx(10 * 700 / look.width, rel=0.02)


def test_a_line_tells_the_value_of_its_colour(tool):
    expected = {
        ("learning_rate", rate, str(colour).lower())
        for rate, colour in learning_rate_colours([0.02, 0.1]).items()
    }
    assert tool.look_of("example", drawn(example())).shades == expected


def test_small_text_torn_values_and_unknown_greys_are_faults(tool, tmp_path, capsys):
    good, other = drawn(example()), learning_rate_colours([0.02])[0.02]
    spoilt = {
        "good": (good, []),
        "small": (drawn(example(6)), ["text of"]),
        "torn": (good.replace(other, "#123456"), ["2 colours"]),
        "grey": (good.replace(INK, "#303030"), ["#303030 would stay"]),
    }
    for name, (svg, found) in spoilt.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.svg").write_text(good, encoding="utf-8")
        (folder / "b.svg").write_text(svg, encoding="utf-8")
        assert tool.main([str(folder)]) == int(bool(found))
        lines = capsys.readouterr().out.splitlines()
        assert f"2 figures, {len(found)} faults" in lines
        assert [part for part in found if part in lines[-1]] == found


def test_figures_of_executed_notebooks_are_found_shown_or_glued(tool, tmp_path):
    svg = drawn(example())
    cells = [
        {
            "metadata": {"mystnb": {"figure": {"name": "fig-one"}}},
            "outputs": [{"data": {"image/svg+xml": svg.splitlines(keepends=True)}}],
        },
        {
            "metadata": {},
            "outputs": [
                {"data": {"application/papermill.record/image/svg+xml": svg, "text/plain": ""}}
            ],
        },
        {"metadata": {}, "source": "text"},
    ]
    (tmp_path / "chapter.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert list(tool.drawings(tmp_path)) == [("fig-one", svg), ("chapter, cell 1", svg)]


def test_nothing_to_measure_is_no_success(tool, tmp_path):
    assert tool.main([str(tmp_path)]) == 1


def test_the_landscape_is_known_to_the_dark_theme(tool):
    svg = drawn(
        figures.landscape(TwoValley().on_grid(np.linspace(-0.9, 0.9, 31), np.linspace(0, 60, 13)))
    )
    assert tool.look_of("landscape", svg).strays == frozenset()
    assert INK in svg
    assert len(set(DARK.values()) & set(DARK)) == 0
