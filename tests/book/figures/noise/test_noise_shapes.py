"""Every kind of noise has its row, with marks and intervals where they are."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import colour_of, error_bars, x_of, y_of
from valleys.book import figures
from valleys.book.figures.noise.noise_shapes import GROUPS, PANELS, ROWS, colour
from valleys.nets.experiments.noise.noise_shapes import KINDS

NAMES = (*PANELS, "flat_high")


@pytest.fixture
def table():
    values = np.linspace(0.5, 2.5, len(ROWS))
    parts = {
        f"{name}{end}": ("kind", values + shift + place)
        for place, name in enumerate(NAMES)
        for end, shift in {"": 0.0, "_low": -0.1, "_high": 0.2}.items()
    }
    found = xr.Dataset(parts, {"kind": list(ROWS)[::-1]})
    lost = found.kind == "equal_lift"
    frozen = xr.where(lost, 0.0, 1.0)
    return found.where(~lost).assign(frozen=frozen)


@pytest.fixture
def panels(table):
    return figures.noise_shapes(table).axes


def test_every_kind_but_none_has_a_row_and_one_colour():
    assert set(ROWS) == set(KINDS) - {"none"}
    named = " ".join(kinds for _, kinds in GROUPS.values()).split()
    assert sorted(named) == sorted(ROWS)


def test_marks_stand_where_the_values_are(panels, table):
    for axes, name in zip(panels, PANELS, strict=True):
        drawn = {
            round(float(y_of(bar.lines[0])[0]), 3): bar
            for bar in error_bars(axes)
            if float(y_of(bar.lines[0])[0]) % 1 == 0
        }
        kinds = [kind for kind in ROWS if kind != "equal_lift"]
        assert set(drawn) == {list(ROWS).index(kind) for kind in kinds}
        for kind in kinds:
            bar, row = drawn[list(ROWS).index(kind)], table.sel(kind=kind)
            assert x_of(bar.lines[0]) == pytest.approx([float(row[name])])
            ends = bar.lines[2][0].get_segments()[0][:, 0]
            assert ends == pytest.approx([float(row[f"{name}_low"]), float(row[f"{name}_high"])])
            assert colour_of(bar.lines[0].get_color()) == colour_of(colour(kind))


def test_open_marks_are_the_flatness_at_the_highest_level(panels, table):
    marks = [bar.lines[0] for bar in error_bars(panels[0])]
    open_marks = [mark for mark in marks if float(y_of(mark)[0]) % 1]
    assert len(open_marks) == len(ROWS) - 1
    first = table.sel(kind="reshuffled")
    assert float(x_of(open_marks[0])[0]) == pytest.approx(float(first.flat_high))


def test_what_never_freezes_is_told(panels):
    words = {text.get_text(): text.get_position() for text in panels[0].texts}
    assert words["never freezes"][1] == list(ROWS).index("equal_lift")
    assert [label.get_text() for label in panels[0].get_yticklabels()] == list(ROWS.values())
