"""Numbers as they stand in the text."""

import json

import numpy as np
import pytest
import xarray as xr
from IPython.core.formatters import DisplayFormatter

from valleys.book.numbers import reporting
from valleys.results.estimates import Estimate, of_json


def reported(monkeypatch, **values) -> dict[str, dict]:
    """What `report` puts into a notebook, by name and by kind of output."""
    bundles = {}
    monkeypatch.setattr(
        reporting,
        "glue",
        lambda name, value, display: bundles.update({name: value._repr_mimebundle_(include=None)}),
    )
    reporting.report(**values)
    return bundles


def test_values_are_reported_unrounded_beside_a_text_for_the_notebook(monkeypatch):
    bundles = reported(
        monkeypatch,
        p=np.float64(1 / 3),
        gain=Estimate(1 / 3, 0.25, 0.5),
        share=reporting.with_error(0.7153, 0.0042),
        word="clear",
    )
    assert {name: bundle["text/plain"] for name, bundle in bundles.items()} == {
        "p": str(1 / 3),
        "gain": f"{1 / 3} (0.25 to 0.5)",
        "share": "0.715 ± 0.004",
        "word": "clear",
    }
    assert of_json(bundles["gain"][reporting.VALUE]) == Estimate(1 / 3, 0.25, 0.5)
    assert of_json(bundles["share"][reporting.VALUE]).error == 0.0042


def test_jupyter_keeps_both(monkeypatch):
    given = []
    monkeypatch.setattr(reporting, "glue", lambda name, value, display: given.append(value))
    reporting.report(n=np.array(3))
    data, _ = DisplayFormatter().format(given[0])
    assert data == {reporting.VALUE: {"value": 3}, "text/plain": "3"}


def test_what_is_no_value_is_refused_by_name(monkeypatch):
    with pytest.raises(TypeError, match="'curve' cannot be reported"):
        reported(monkeypatch, curve=object())


def test_findings_are_reported_each_under_the_name_of_the_chapter_and_its_own(monkeypatch):
    bundles = reported(
        monkeypatch, c02={"gain": Estimate(0.5, 0.25, 0.75), "made": {"first": "today"}}, c02_runs=6
    )
    assert list(bundles) == ["c02_gain", "c02_made_first", "c02_runs"]
    assert of_json(bundles["c02_gain"][reporting.VALUE]) == Estimate(0.5, 0.25, 0.75)
    with pytest.raises(TypeError, match="'c02_curve' cannot be reported"):
        reported(monkeypatch, c02={"curve": object()})


def result(
    study: str = "phase_diagram",
    *,
    seconds: float = 21.7,
    day: str = "2026-11-21",
    machine: str = "Linux x86_64, 2 cores",
    **spec: int,
) -> xr.Dataset:
    """A dataset with the provenance that the store gives it."""
    key = json.dumps({"study": study, "code": "0", "spec": spec})
    made = {
        "result_key": key,
        "wall_time_seconds": seconds,
        "computed_at": f"{day}T12:00:00+00:00",
        "machine": machine,
        "valleys": "0.1.0",
    }
    return xr.Dataset({"p_flat": ("cell", [0.5, 0.6])}, {"cell": [0, 1]}, made)


def test_line_of_provenance():
    line = "phase_diagram · seed 0 · valleys 0.1.0 · 22 s on Linux x86_64, 2 cores · 2026-11-21"
    assert reporting.made_by(result(seed=0)) == line
    assert reporting.made_by(result(seed=0).sel(cell=[1]).squeeze().drop_vars("cell")) == line


def test_line_of_several_results_adds_their_times_and_names_each_thing_once():
    several = [
        result(seed=0),
        result("frozen", seconds=100.3, seed=1, day="2026-11-23"),
        result("frozen", seconds=1.0, seed=0, machine="Darwin arm64, 8 cores"),
    ]
    line = (
        "phase_diagram and frozen · seeds 0, 1 · valleys 0.1.0 · 2 min on Linux x86_64, 2 cores "
        "and Darwin arm64, 8 cores · 2026-11-21 to 2026-11-23"
    )
    assert reporting.made_by(*several) == line


def test_two_views_of_one_result_count_once():
    whole = result(seed=0)
    assert reporting.made_by(whole, whole.isel(cell=0)) == reporting.made_by(whole)


def test_result_of_a_study_without_seed_or_of_an_older_version_has_a_line():
    older = result(seconds=7300)
    del older.attrs["valleys"]
    assert reporting.made_by(older) == "phase_diagram · 2 h on Linux x86_64, 2 cores · 2026-11-21"


def test_line_is_refused_where_provenance_is_missing():
    with pytest.raises(ValueError, match="a dataset of p_flat carries no provenance"):
        reporting.made_by(result(seed=0), result().drop_attrs())
    with pytest.raises(ValueError, match="no dataset"):
        reporting.made_by()
