"""The figure of schedules of noise draws what its table says."""

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import colour_of, drawn_axes, error_bars, marks, written, x_of
from valleys.book import figures
from valleys.book.figures.noise.noise_schedules import KIND, LABELS, LEAST_GAIN, LOOKS

BUDGETS = ["time", "samples"]


@pytest.fixture
def table():
    rng, shape = np.random.default_rng(0), (2, len(LABELS))
    parts = {}
    for name in ("flat", "flat_0", "end_gain"):
        value = 1 + rng.random(shape)
        parts |= {name: value, f"{name}_low": value - 0.1, f"{name}_high": value + 0.2}
    dims = ("budget", "schedule")
    found = xr.Dataset({name: (dims, values) for name, values in parts.items()})
    found = found.assign_coords(budget=BUDGETS, schedule=list(LABELS))
    unknown = (found.budget == "samples") & (found.schedule == "late")
    return found.where(~unknown).assign_attrs(lowest=0.01, highest=0.03)


def test_every_schedule_has_its_row_value_interval_and_kind(table):
    panels = drawn_axes(figures.noise_schedules(table), 3)
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert names == list(LABELS.values())
    wanted = [("time", "flat"), ("samples", "flat"), ("samples", "end_gain")]
    for axes, (budget, name) in zip(panels, wanted, strict=True):
        here = table.sel(budget=budget)
        for place, value, colour, ends in marks(axes):
            row = here.isel(schedule=round(place))
            assert value == pytest.approx(float(row[name]))
            np.testing.assert_allclose(ends, [row[f"{name}_low"], row[f"{name}_high"]])
            kind = LOOKS[KIND[row.schedule.item()]]
            assert colour_of(colour) == colour_of(kind["color"])
        assert len(marks(axes)) == len(LABELS) - (budget == "samples")


def test_small_marks_are_of_the_higher_loss(table):
    first, second, gain = drawn_axes(figures.noise_schedules(table), 3)
    for axes, budget in ((first, "time"), (second, "samples")):
        (faint,) = [each.lines[0] for each in error_bars(axes) if len(x_of(each.lines[0])) > 1]
        np.testing.assert_array_equal(x_of(faint), table.flat_0.sel(budget=budget))
    assert all(len(x_of(each.lines[0])) == 1 for each in error_bars(gain))


def test_the_legend_names_the_kinds_that_are_there(table):
    (drawn,) = figures.noise_schedules(table.sel(schedule=["cosine", "aware_rate"])).legends
    labels = [text.get_text() for text in drawn.get_texts()]
    assert labels == [
        "learning rate",
        "rule that looks",
        "large: at a loss of 0.01",
        "small: at 0.03",
    ]


def test_what_is_far_less_accurate_stands_at_the_end_of_the_axis_with_its_number(table):
    far = (table.budget == "samples") & (table.schedule == "late")
    ends = {
        f"end_gain{end}": (table[f"end_gain{end}"]).fillna(0.5) for end in ("", "_low", "_high")
    }
    ends["end_gain"] = ends["end_gain"].where(~far, 2 * LEAST_GAIN)
    gain = drawn_axes(figures.noise_schedules(table.assign(ends).assign_attrs(table.attrs)), 3)[2]
    assert written(gain) == [f"−{-2 * LEAST_GAIN:.1f}"]
    assert gain.get_xlim()[0] == LEAST_GAIN
    assert len(marks(gain)) == len(LABELS) - 1


def test_every_schedule_of_the_study_has_a_label_and_a_kind():
    from valleys.nets.experiments.noise_schedules.courses import names

    assert set(names("time")) - {"constant"} == set(LABELS) == set(KIND)


def test_results_without_intervals_are_drawn(table):
    bare = table.assign(
        {name: table[name] * np.nan for name in table if str(name).endswith(("_low", "_high"))}
    )
    assert len(figures.noise_schedules(bare.assign_attrs(table.attrs)).axes) == 3
