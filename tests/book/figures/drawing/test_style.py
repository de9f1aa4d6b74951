"""Figures look the same on every machine, whatever the taste of who draws them."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.rcsetup import cycler
from nbformat.v4 import new_code_cell, new_notebook

from tests.book.extensions.test_accessible import luminance
from valleys.book import figures
from valleys.book.figures.drawing.style import DARK, HALO, in_the_dark

TASTE = {
    "axes.grid": "True",
    "axes.formatter.use_locale": "True",
    "axes.formatter.limits": "0, 1",
    "axes.prop_cycle": "cycler('color', ['r', 'g'])",
    "axes.unicode_minus": "False",
    "axes.xmargin": "0.3",
    "figure.dpi": "50",
    "figure.figsize": "2, 9",
    "figure.max_open_warning": "1",
    "font.family": "serif",
    "font.weight": "bold",
    "legend.loc": "lower left",
    "legend.shadow": "True",
    "lines.linestyle": "--",
    "lines.marker": "o",
    "mathtext.fontset": "cm",
    "path.simplify": "False",
    "patch.edgecolor": "red",
    "savefig.dpi": "30",
    "savefig.pad_inches": "1",
    "svg.fonttype": "none",
    "text.usetex": "True",
    "timezone": "Pacific/Kiritimati",
    "xtick.direction": "in",
    "ytick.minor.visible": "True",
}
DRAW = """
import hashlib, io
import matplotlib.pyplot as plt
import numpy as np
from valleys.book import figures
from valleys.toy import TwoValley
figures.use_style()
grid = TwoValley().on_grid(np.linspace(-0.9, 0.9, 31), np.linspace(0, 60, 13))
figure, axes = plt.subplots()
axes.plot([0, 1], [-1, 2], label="−1.5")
axes.legend()
for each in (figures.landscape(grid), figure):
    drawn = io.BytesIO()
    each.savefig(drawn, format="svg", metadata={"Date": None})
    print(hashlib.sha256(drawn.getvalue()).hexdigest())
"""


def drawn() -> bytes:
    """A figure in the house style."""
    figures.use_style()
    figure, axes = plt.subplots()
    axes.plot([0, 1], [-1, 2], label="−1.5")
    axes.legend()
    plt.close(figure)
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def test_style_leaves_nothing_of_the_taste_that_was_there_before():
    plain = drawn()
    parameters: Any = mpl.rcParams  # the stubs list all names
    parameters.update(
        {
            name: value
            for name, value in TASTE.items()
            if name not in ("axes.prop_cycle", "axes.formatter.limits", "figure.figsize")
        }
    )
    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler("color", ["r", "g"]),
            "axes.formatter.limits": (0, 1),
            "figure.figsize": (2, 9),
        }
    )
    assert drawn() == plain


def test_every_setting_of_a_figure_is_that_of_matplotlib_or_of_the_style():
    figures.use_style()
    wanted = dict(mpl.rcParams)
    for name, default in mpl.rcParamsDefault.items():
        if isinstance(default, bool) and name not in (
            "interactive",
            "backend_fallback",
            "docstring.hardcopy",
            "tk.window_focus",
            "webagg.open_in_browser",
            "figure.raise_window",
        ):
            mpl.rcParams[name] = not wanted[name]
    mpl.rcParams["figure.max_open_warning"], mpl.rcParams["timezone"] = 1, "Pacific/Kiritimati"
    figures.use_style()
    assert {name: value for name, value in mpl.rcParams.items() if value != wanted[name]} == {}


def test_fonts_are_those_that_come_with_matplotlib():
    from matplotlib.font_manager import FontProperties, findfont

    figures.use_style()
    assert mpl.rcParams["font.family"] == ["sans-serif"]
    found = Path(findfont(FontProperties(family=["sans-serif"]))).resolve()
    assert found.is_relative_to(Path(mpl.get_data_path()).resolve())


@pytest.fixture
def matplotlibrc(tmp_path):
    path = tmp_path / "matplotlibrc"
    path.write_text(
        "".join(f"{name}: {value}\n" for name, value in (TASTE | {"backend": "TkAgg"}).items())
    )
    return path


@pytest.mark.slow
def test_user_and_machine_change_no_byte_of_a_figure(matplotlibrc, tmp_path):
    (tmp_path / "draw.py").write_text(DRAW, encoding="utf-8")

    def printed(**environment: str) -> str:
        own = {
            name: value
            for name, value in os.environ.items()
            if name not in ("MPLBACKEND", "MATPLOTLIBRC")
        } | environment
        return subprocess.run(
            [sys.executable, tmp_path / "draw.py"],
            env=own,
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        ).stdout

    elsewhere = {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
        "PYTHONUTF8": "0",
        "DISPLAY": "",
    }
    plain = printed()
    assert printed(MATPLOTLIBRC=str(matplotlibrc), **elsewhere) == plain
    assert printed(MPLBACKEND="TkAgg", DISPLAY="") == plain


@pytest.mark.slow
def test_user_and_machine_change_no_byte_of_a_page(matplotlibrc, tmp_path):
    cells = [
        new_code_cell(
            "import matplotlib.pyplot as plt\nfrom valleys.book import figures\nfigures.use_style()"
        ),
        new_code_cell("_ = plt.plot([1, 2], [3, -1])"),
    ]
    nbformat.write(
        new_notebook(
            cells=cells,
            metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
        ),
        tmp_path / "in.ipynb",
    )

    def shown(name: str, **environment: str) -> list:
        own = (
            {variable: value for variable, value in os.environ.items() if variable != "MPLBACKEND"}
            | {"SOURCE_DATE_EPOCH": "0"}
            | environment
        )
        command = [
            sys.executable,
            "-m",
            "papermill",
            str(tmp_path / "in.ipynb"),
            str(tmp_path / name),
            "--no-progress-bar",
        ]
        subprocess.run(command, env=own, check=True, capture_output=True)
        return [
            output.data
            for cell in nbformat.read(tmp_path / name, 4).cells
            for output in cell.outputs
        ]

    plain = shown("plain.ipynb")
    assert [sorted(data) for data in plain] == [["image/svg+xml", "text/plain"]]
    assert (
        shown(
            "tasteful.ipynb",
            MATPLOTLIBRC=str(matplotlibrc),
            TZ="Pacific/Kiritimati",
            LC_ALL="C",
            MPLBACKEND="TkAgg",
        )
        == plain
    )


@pytest.mark.parametrize("contrast", [3.0, 4.5])
@pytest.mark.parametrize("colour", ["#000000", "#3a1f5c", "#0072b2", "#efc95e", "#ffffff"])
def test_in_the_dark_a_colour_is_whiter_only_if_it_would_not_stand_out(colour, contrast):
    def ratio(shown: str) -> float:
        return (luminance(shown) + 0.05) / (luminance(DARK[HALO]) + 0.05)

    shown = in_the_dark(colour, contrast)
    assert contrast <= ratio(shown)
    assert (shown == colour) is (ratio(colour) >= contrast)
    assert ratio(shown) < max(contrast * 1.05, ratio(colour) * 1.001)  # no whiter than needed
