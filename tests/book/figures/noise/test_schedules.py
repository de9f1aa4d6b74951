"""Figures of schedules and of windows of y show what they are given."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.book.figures.drawn import drawn_axes, error_bars, lines, points, x_of, xy_of
from valleys.book import figures

TIMES = [1.0, 10.0, 100.0]


@pytest.fixture(autouse=True)
def style():
    figures.use_style()


def test_the_best_schedule_stands_between_law_and_ridge():
    names = {"ridge": [1.0, 2, 9], "noise": [0.5, 0.6, 0.9], "law": [0.4, 0.6, 0.9]}
    names |= {"odds": [2.0, 6, 20], "law_odds": [1.0, 5, 20]}
    way = xr.Dataset({name: ("time", value) for name, value in names.items()}, {"time": TIMES})
    left, right = drawn_axes(figures.best_schedule(way), 2)
    np.testing.assert_allclose(lines(left)["best noise"][:2], [TIMES, way.noise])
    np.testing.assert_allclose(lines(left)["law"][:2], [TIMES, way.law])
    np.testing.assert_allclose(lines(right)["under the best noise"][:2], [TIMES, way.odds])


def test_each_schedule_has_its_noise_and_its_place_over_the_best():
    names = ["best", "constant"]
    shown = xr.Dataset(
        {
            "noise": (("schedule", "piece"), [[0.1, 0.2], [0.3, 0.3]]),
            "time": ("border", [0.0, 5.0, 10.0]),
        },
        {"schedule": names},
    )
    over = xr.DataArray(
        [[1.0, 2.0], [1.0, 1.5]],
        {"duration": [10.0, 100.0], "schedule": names},
        ("duration", "schedule"),
    )
    left, right = drawn_axes(figures.schedules_compared(shown, over), 2)
    np.testing.assert_allclose([xy_of(line)[:, 1] for line in left.lines], shown.noise)
    np.testing.assert_allclose([xy_of(line)[:, 1] for line in right.lines], over.T)


def test_steps_come_with_their_limit_and_runs():
    names, rates = ["best", "constant"], [0.04, 0.01]
    stepped = xr.Dataset(
        {"p_flat": (("schedule", "learning_rate"), [[0.9, 0.95], [0.8, 0.85]])},
        {"schedule": names, "learning_rate": rates},
    )
    small = xr.DataArray([0.97, 0.9], {"schedule": names}, ("schedule",))
    ends = {"p_flat": [0.91, 0.94], "p_flat_error": [0.01, 0.02]}
    runs = xr.Dataset(
        {name: ("learning_rate", value) for name, value in ends.items()}, {"learning_rate": rates}
    )
    (axes,) = drawn_axes(figures.steps_of_schedules(stepped, small, runs), 1)
    np.testing.assert_allclose(lines(axes)["best"][:2], [[0.2, 0.1], [0.1, 0.05]])
    assert points(axes)[0].shows([0.2, 0.1], [0.09, 0.06], [0.01, 0.02])
    ends = [xy_of(line) for line in axes.lines if len(xy_of(line)) == 1]
    np.testing.assert_allclose(np.array(ends)[:, 0], [[0, 0.03], [0, 0.1]], atol=1e-9)


def test_budgets_show_spendings_and_what_they_leave():
    names = ["best", "constant", "best in time"]
    shown = xr.Dataset(
        {
            "noise": (("spending", "piece"), [[2.0, 1.0], [1.5, 1.5], [0.1, 0.2]]),
            "samples": ("border", [0.0, 5.0, 10.0]),
        },
        {"spending": names},
    )
    wrong = xr.DataArray(
        [[0.1, 0.2, 0.3], [0.01, 0.02, 0.03]],
        {"n_samples": [1e4, 1e5], "spending": names},
        ("n_samples", "spending"),
    )
    left, right = drawn_axes(figures.budgets(shown, wrong), 2)
    np.testing.assert_allclose([xy_of(line)[:, 0] for line in left.lines], [[0.5, 1.0]] * 3)
    np.testing.assert_allclose([xy_of(line)[:, 1] for line in right.lines], wrong.T)


def test_windows_have_runs_beside_rates_and_late_noise_two_starts():
    dims, late = ("noise", "window"), ("noise", "late_noise")
    found = xr.Dataset(
        {
            "p_flat": (dims, [[0.9, 0.5], [0.6, 0.5]]),
            "p_flat_error": (dims, [[0.01, 0.02], [0.03, 0.04]]),
            "by_rates": (dims, [[0.92, 0.5], [0.55, 0.5]]),
            "late_from_half": (late, [[0.5, 0.9], [0.5, 0.55]]),
            "late_from_flat": (late, [[0.97, 0.9], [0.97, 0.55]]),
            "first_y": ("window", [1.0, 16.0]),
            "last_y": ("window", [8.0, 24.0]),
            "freezing_y": ((), 10.0),
        },
        {
            "noise": ["hessian", "isotropic"],
            "window": ["before", "after"],
            "late_noise": [0.003, 0.01],
        },
    )
    when, left, right = drawn_axes(figures.windows_of_y(found), 3)
    bars: list[Any] = list(when.patches)
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    np.testing.assert_allclose(spans, [[0.1, 0.8], [1.6, 2.4]])
    assert [tick.get_text() for tick in when.get_yticklabels()] == ["before", "after"]
    for place, drawn in enumerate(error_bars(left)):
        np.testing.assert_allclose(x_of(drawn.lines[0]), found.p_flat[place])
        reach = [np.ptp(each[:, 0]) / 2 for each in drawn.lines[2][0].get_segments()]
        np.testing.assert_allclose(reach, found.p_flat_error[place])
    drawn = [xy_of(line)[:, 1] for line in right.lines if len(xy_of(line)) == 2]
    np.testing.assert_allclose(drawn[:2], [[0.97, 0.9], [0.5, 0.9]])
