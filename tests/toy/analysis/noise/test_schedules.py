"""What schedules gain, on made-up results whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis.noise import schedules as analysis
from valleys.toy.experiments.schedules import BEST, SPENDINGS
from valleys.toy.theory import schedules as theory
from valleys.toy.theory.families import MOST_NOISE

LANDSCAPE = TwoValley()
DURATIONS = [10.0, 100.0, 1000.0]
SCHEDULES = [BEST, "constant", "linear fall", "linear rise", "step"]


def found_of(odds: dict[str, list[float]]) -> xr.Dataset:
    """Ends of schedules at three durations, with one piece."""
    ends = np.array([odds[name] for name in SCHEDULES]).T
    ends = ends / (1 + ends)
    p_flat = np.stack([np.full_like(ends, 0.5), ends], axis=-1)
    best = ends[:, 0]
    return xr.Dataset(
        {
            "p_flat": (("duration", "schedule", "border"), p_flat),
            "descended": (("duration", "guess"), np.stack([best - 1e-4, best - 1e-6], axis=1)),
            "changed": (("duration", "trial"), best[:, None] + np.array([-0.1, -1e-5, 1e-5])),
            "by_rates": (("duration", "rates"), 1 - np.outer(1 - best, [1.0, 2.0])),
        },
        {"duration": DURATIONS, "schedule": SCHEDULES, "rates": ["passage", "kramers"]},
    )


@pytest.fixture
def found():
    odds = {
        BEST: [9.0, 18.0, 36.0],
        "constant": [4.0, 9.0, 35.0],
        "linear fall": [2.0, 5.0, 20.0],
        "linear rise": [8.0, 16.0, 10.0],
        "step": [4.0, 9.9, 35.0],
    }
    return found_of(odds)


def test_shapes_are_told_by_odds_and_by_the_sharp_share_over_the_best(found):
    told = analysis.shape_findings(found, DURATIONS)
    assert number(told, "rise_over_fall_short") == pytest.approx(4)
    assert number(told, "rise_over_fall_long") == pytest.approx(0.5)
    assert number(told, "rise_over_constant_middle") == pytest.approx(16 / 9)
    assert (told["worst_fall"], told["durations"]) == (3, 3)
    assert number(told, "step_gain") == pytest.approx(1.1)
    assert number(told, "constant_short") == pytest.approx((1 / 5) / (1 / 10))
    assert number(told, "kramers") == pytest.approx(2)
    assert (analysis.missed(found).sel(schedule=BEST) == 1).all()


def test_the_best_is_told_with_its_law_on_a_real_way(found):
    rates = theory.Rates.of(LANDSCAPE)
    way = theory.Way.of(LANDSCAPE, 1000.0, n_pieces=500)
    noise = theory.greedy(rates, way, largest_noise=MOST_NOISE)
    row = xr.Dataset(
        {
            "time": ("border", way.times),
            "y": ("piece", way.y),
            "opening": ("piece", way.opening),
            "noise": (("schedule", "piece"), noise[None]),
            "p_flat": (("schedule", "border"), theory.follow(rates, way, noise)[None]),
        },
        {"schedule": [BEST]},
    )
    course = analysis.course(LANDSCAPE, row)
    late = course.sel(time=slice(20, None))
    np.testing.assert_allclose(late.law, late.noise, rtol=0.04)
    np.testing.assert_allclose(late.law_odds, late.odds, rtol=0.06)
    assert float(late.aim[-1]) == pytest.approx(LANDSCAPE.flatness_ratio, rel=0.03)
    many = xr.concat([row] * 3, "duration").assign_coords(duration=DURATIONS)
    extra = found[["descended", "changed"]]
    ends = many.p_flat.isel(border=-1, schedule=0)
    shifted = extra.assign(descended=extra.descended * 0 + ends - 1e-5, changed=extra.changed * 0)
    told = analysis.best_findings(LANDSCAPE, xr.merge([many, shifted]), DURATIONS)
    assert number(told, "descent_gap") == pytest.approx(1e-5)
    assert number(told, "descent_over") == pytest.approx(-1e-5)
    assert (told["worse"], told["not_worse"], told["changes"]) == (9, 0, 9)
    assert number(told, "slope") == pytest.approx(0)
    assert number(told, "noise_growth") < number(told, "ridge_growth")
    assert 5 < number(told, "low_time") < 20


def test_changes_that_end_higher_and_powers_of_time_are_counted(found):
    ends = found.p_flat.isel(border=-1).sel(schedule=BEST)
    assert int((found.changed < ends).sum()) == 6
    grown = np.log(36 / 18) / np.log(10)
    slope = np.diff(theory.log_odds(ends.values)) / np.diff(np.log(DURATIONS))
    assert slope[-1] == pytest.approx(grown)


def test_the_limit_of_small_steps_is_that_of_a_curve_in_the_root():
    rates = np.array([0.1, 0.05, 0.02, 0.01])
    line = 3.0 - 0.8 * np.sqrt(rates) + 1.5 * rates
    ends = 1 / (1 + np.exp(-line))
    assert analysis.limit_of_small_steps(rates, ends) == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert analysis.limit_of_small_steps(rates[:1], ends[:1]) == pytest.approx(ends[0])


def test_limits_compare_runs_with_the_master_equation_at_common_rates(found):
    names = [BEST, "constant"]
    ends = found.p_flat.isel(border=-1).sel(schedule=names)
    small = xr.Dataset({"p_flat": ends + 0.002}).transpose("duration", "schedule")
    stepped = xr.DataArray(
        [[0.8, 0.85], [0.7, 0.9]],
        {"schedule": names, "learning_rate": [0.1, 0.01]},
        ("schedule", "learning_rate"),
    )
    shape = ("duration", "learning_rate", "record")
    runs = xr.Dataset(
        {
            "p_flat": (shape, np.full((3, 1, 2), 0.83)),
            "p_flat_error": (shape, np.full((3, 1, 2), 0.01)),
        },
        {"duration": DURATIONS, "learning_rate": [0.1]},
    )
    told = analysis.limit_findings(found, small, xr.Dataset({"p_flat": stepped}), runs)
    assert number(told, "small_gap") == pytest.approx(0.002)
    assert number(told, "step_gap") == pytest.approx(0.9 - 0.85)
    assert number(told, "pull") == pytest.approx(3)
    assert (told["order_kept"], told["rates"]) == (1, 2)
    assert estimate(told, "runs_long").value == pytest.approx(0.83)


def test_budgets_are_told_at_the_middle_one():
    n = [1e4, 1e5, 1e6]
    ends = np.array([[0.9, 0.8, 0.7], [0.95, 0.94, 0.9], [0.99, 0.98, 0.985]])
    pieces = np.linspace(0, 1, 201)
    noise = np.where(pieces[1:] <= 0.25, 0.02, 0.01)
    found = xr.Dataset(
        {
            "p_flat": (
                ("n_samples", "spending", "border"),
                np.repeat(ends[..., None], 201, axis=2),
            ),
            "samples": (("n_samples", "border"), np.outer(n, pieces)),
            "noise": (("n_samples", "spending", "piece"), np.tile(noise, (3, 3, 1))),
            "time": (("n_samples", "spending", "border"), np.tile(pieces, (3, 3, 1))),
            "balance": (("n_samples", "piece"), np.ones((3, 200))),
            "small_steps": (("n_samples", "spending"), ends + 0.001),
        },
        {"n_samples": n, "spending": list(SPENDINGS)},
    )
    told = analysis.budget_findings(found)
    assert number(told, "budget") == 1e5
    assert number(told, "wrong_best") == pytest.approx(0.05)
    assert number(told, "strong") == pytest.approx(0.255)
    assert number(told, "early_noise") == pytest.approx(2)
    assert number(told, "steady") == 0
    assert number(told, "constant_cost") == pytest.approx(2)
    assert number(told, "in_time_cost") == pytest.approx(1.5)
    assert number(told, "small_gap") == pytest.approx(0.001)
