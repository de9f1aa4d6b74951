"""The figure of methods draws what its table says."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import colour_of, drawn_axes, error_bars, marks, x_of
from valleys.book import figures
from valleys.book.figures.rivals.table import KIND, LABELS, LOOKS, PANELS


@pytest.fixture
def table():
    rng, parts = np.random.default_rng(0), {}
    for name in ("flat", "flat_0", "gain", "wall", "path"):
        value = 1 + rng.random(len(LABELS) + 1)
        parts |= {name: value, f"{name}_low": value - 0.1, f"{name}_high": value + 0.2}
    found = xr.Dataset({name: ("rival", values) for name, values in parts.items()})
    found = found.assign_coords(rival=["sgd", *LABELS])
    found["wall"] = found.wall.where(found.rival != "gd")
    return found.assign_attrs(lowest=0.005, highest=0.05)


def test_every_method_has_its_row_value_interval_and_kind(table):
    panels = drawn_axes(figures.rivals(table), 3)
    assert [label.get_text() for label in panels[0].get_yticklabels()] == list(LABELS.values())
    for axes, name in zip(panels, PANELS, strict=True):
        for place, value, colour, ends in marks(axes):
            method = list(LABELS)[round(place)]
            row = table.sel(rival=method)
            assert value == pytest.approx(float(row[name]))
            np.testing.assert_allclose(ends, [row[f"{name}_low"], row[f"{name}_high"]])
            assert colour_of(colour) == colour_of(LOOKS[KIND[method]]["color"])
        assert len(marks(axes)) == len(LABELS) - (name == "wall")


def test_small_marks_are_of_the_higher_loss_and_of_the_path(table):
    panels = drawn_axes(figures.rivals(table), 3)
    for axes, name in zip(panels, ("flat_0", None, "path"), strict=True):
        small = [each.lines[0] for each in error_bars(axes) if len(x_of(each.lines[0])) > 1]
        assert len(small) == (name is not None)
        for line in small:
            np.testing.assert_array_equal(x_of(line), table[name].sel(rival=list(LABELS)))


def test_every_method_of_the_study_but_the_reference_has_a_label_and_a_kind():
    from valleys.nets.experiments.rivals.contenders import NAMES, REFERENCE

    assert set(NAMES) - {REFERENCE} == set(LABELS) == set(KIND)


def test_a_few_methods_without_intervals_are_drawn(table):
    ends = [name for name in table if str(name).endswith(("_low", "_high"))]
    few = table.assign({name: table[name] * np.nan for name in ends})
    few = few.sel(rival=["sgd", "adam", "sam"]).assign_attrs(table.attrs)
    panels = drawn_axes(figures.rivals(few), 3)
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["Adam", "SAM"]


def test_a_path_without_a_wall_is_drawn(table):
    table["path"], table["path_low"] = 0 * table.path, 0 * table.path
    axes = drawn_axes(figures.rivals(table), 3)[2]
    assert axes.get_xlim()[0] == 0
    assert np.isfinite(axes.transData.transform([(0.0, 0.0)])).all()
