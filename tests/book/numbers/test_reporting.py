"""Numbers as they stand in the text."""

import json

import numpy as np
import pytest
import xarray as xr

from valleys.book.numbers import reporting


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.7153, 0.0042, "0.715 ± 0.004"),
        (0.7153, 0.0017, "0.7153 ± 0.0017"),
        (123.4, 12, "123 ± 12"),
        (1234.4, 35, "1234 ± 35"),
        (5, 0.099, "5.00 ± 0.10"),
        (0.5, 0, "0.5 ± 0"),
    ],
)
def test_error_decides_the_digits(value, error, text):
    assert reporting.with_error(value, error) == text


@pytest.mark.parametrize(("value", "error"), [(np.nan, 1), (1, np.inf), (1, -1)])
def test_no_number_without_a_sound_error(value, error):
    with pytest.raises(ValueError, match="finite"):
        reporting.with_error(value, error)


def test_numpy_scalars_are_glued_as_plain_numbers(monkeypatch):
    glued = {}
    monkeypatch.setattr(reporting, "glue", lambda name, value, display: glued.update({name: value}))
    reporting.report(p=np.float64(0.5), n=np.array(3), name="digits")
    assert glued == {"p": 0.5, "n": 3, "name": "digits"}
    assert [type(value) for value in glued.values()] == [float, int, str]


def result(study: str = "phase_diagram", *, seconds: float = 21.7, day: str = "2026-11-21", machine: str = "Linux x86_64, 2 cores", **spec: int) -> xr.Dataset:
    """A dataset with the provenance that the store gives it."""
    key = json.dumps({"study": study, "code": "0", "spec": spec})
    made = {"result_key": key, "wall_time_seconds": seconds, "computed_at": f"{day}T12:00:00+00:00", "machine": machine, "valleys": "0.1.0"}
    return xr.Dataset({"p_flat": ("cell", [0.5, 0.6])}, {"cell": [0, 1]}, made)


def test_line_of_provenance():
    line = "phase_diagram · seed 0 · valleys 0.1.0 · 21.7 s on Linux x86_64, 2 cores · 2026-11-21"
    assert reporting.made_by(result(seed=0)) == line
    assert reporting.made_by(result(seed=0).sel(cell=[1]).squeeze().drop_vars("cell")) == line


def test_line_of_several_results_adds_their_times_and_names_each_thing_once():
    several = [
        result(seed=0),
        result("frozen", seconds=100.3, seed=1, day="2026-11-23"),
        result("frozen", seconds=1.0, seed=0, machine="Darwin arm64, 8 cores"),
    ]
    line = "phase_diagram and frozen · seeds 0, 1 · valleys 0.1.0 · 2.05 min on Linux x86_64, 2 cores and Darwin arm64, 8 cores · 2026-11-21 to 2026-11-23"
    assert reporting.made_by(*several) == line


def test_two_views_of_one_result_count_once():
    whole = result(seed=0)
    assert reporting.made_by(whole, whole.isel(cell=0)) == reporting.made_by(whole)


def test_result_of_a_study_without_seed_or_of_an_older_version_has_a_line():
    older = result(seconds=7300)
    del older.attrs["valleys"]
    assert reporting.made_by(older) == "phase_diagram · 2.03 h on Linux x86_64, 2 cores · 2026-11-21"


def test_line_is_refused_where_provenance_is_missing():
    with pytest.raises(ValueError, match="a dataset of p_flat carries no provenance"):
        reporting.made_by(result(seed=0), result().drop_attrs())
    with pytest.raises(ValueError, match="no dataset"):
        reporting.made_by()
