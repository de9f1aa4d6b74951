import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.noise_schedules import contrasts as analysis
from valleys.nets.analysis.noise_schedules import findings
from valleys.nets.experiments.noise_schedules.courses import names

LEVELS = (0.03, 0.02, 0.01)
RUN = ("start", "schedule", "run")


def made_up(budget="time", *, n_starts=5, n_runs=4, spread=0.0, seed=0, **factors):
    """Flatness 1/level times a factor of the schedule and one of the start."""
    rng, schedules = np.random.default_rng(seed), names(budget)
    shape = (n_starts, len(schedules), n_runs)
    own = np.exp(spread * rng.standard_normal((n_starts, 1, 1)))
    times = np.array([factors.get(name, 1.0) for name in schedules])[:, None] * np.ones(shape) * own
    flat = times[..., None] / np.array(LEVELS)
    right = 0.8 + 0.01 * times / own
    by_rule = np.char.startswith(schedules, "aware")[:, None]
    told = np.where(by_rule, 12.0, np.nan) * np.ones(shape)
    every = {
        "end_flatness": times,
        "end_loss": 0.02 / times * own,
        "end_accuracy": right,
        "freezing_time": np.full(shape, 10.0),
        "told_time": told,
        "judged_time": told - 1,
        "samples": np.full(shape, 1000.0),
        "time": np.full(shape, 30.0),
        "dose": np.full(shape, 2.0),
    }
    found = {name: (RUN, values) for name, values in every.items()}
    late = np.broadcast_to([20.0, 31.0, 40.0], (*shape, 3))
    levels = {"level_flatness": flat, "level_accuracy": np.repeat(right[..., None], 3, axis=-1)}
    found |= {
        name: ((*RUN, "level"), values) for name, values in (levels | {"level_time": late}).items()
    }
    return xr.Dataset(found, {"schedule": list(schedules), "level": list(LEVELS)})


def test_a_contrast_is_the_known_one_and_starts_cancel():
    found = made_up(spread=1.0, rising=1.5, falling=0.5)
    told = analysis.contrast(found, "flat", "rising", "falling")
    assert told.value == pytest.approx(3)
    assert told.low == pytest.approx(3)  # each start is held against itself
    gain = analysis.contrast(found, "end_gain", "rising", "falling")
    assert gain.value == pytest.approx(1.0)


def test_intervals_go_over_starts_and_not_over_runs_alone():
    """Where starts differ in what a schedule does to them, an interval covers the mean."""
    covered = 0
    for seed in range(30):
        found, rng = made_up(n_starts=8), np.random.default_rng(seed)
        place = names("time").index("rising")
        effect = np.exp(
            0.5 * rng.standard_normal((8, 1, 1)) + 0.05 * rng.standard_normal((8, 4, 1))
        )
        found.level_flatness[:, place] = found.level_flatness[:, place] * effect
        told = analysis.contrast(found, "flat", "rising", "constant", seed=seed)
        covered += told.low < 1 < told.high
    assert covered >= 24


def test_the_table_holds_every_schedule_against_the_constant_one():
    table = analysis.contrasts(made_up(cosine=1.2))
    assert table.schedule.values.tolist() == list(names("time"))
    assert float(table.flat.sel(schedule="constant")) == 1
    expected = {"flat": 1.2, "flat_0": 1.2, "flat_low": 1.2, "end_loss": 1 / 1.2, "gain": 0.2}
    row = table.sel(schedule="cosine")
    assert {name: float(row[name]) for name in expected} == pytest.approx(expected)
    assert "cost_low" not in table


def test_the_level_that_is_compared_is_the_lowest_unless_said():
    found = made_up()
    place = names("time").index("step")
    found.level_flatness[:, place, :, 0] *= 7
    assert analysis.contrast(found, "flat", "step", "constant").value == pytest.approx(1)
    assert analysis.contrast(found, "flat", "step", "constant", level=0).value == pytest.approx(7)


def test_findings_are_named_by_what_is_asked():
    time = made_up(search_rising=1.3, early=1.4, late=1.6, decay_at=1.1, decay_after=1.21, strong=9)
    samples = made_up("samples", search_falling=2.0, cosine=1.7, strong=9, aware_rate=1.1)
    told = findings.schedules_findings(time, samples)
    values = {
        "search": 1.3,
        "search_samples": 0.5,
        "early": 1.4 / 1.6,
        "decay": 1.1,
        "wait": 1.1,
        "decay_samples": 1.0,
        "rule_gain": -0.6,
        "rule_gain_constant": 0.1,
        "rule_loss": 1 / 1.1,
        "told": 1.2,
        "judged": 1.1,
        "constant_freezes": 10,
    }
    assert {name: told[name].value for name in values} == pytest.approx(values)
    assert (told["flattest"], told["flattest_samples"]) == ("late", "search_falling")
    assert told["flattest_by"].value == pytest.approx(1.6)
    assert "early_samples" not in told
    assert told["told_share"].value == 1
    assert (told["starts"], told["runs"], told["tail"]) == (5, 4, 1)


def test_some_schedules_are_enough():
    some = ["constant", "cosine", "rising", "falling"]
    parts = (made_up(budget).sel(schedule=some) for budget in ("time", "samples"))
    told = findings.schedules_findings(*parts)
    assert told["rise"].value == 1
    assert np.isnan([told[name].value for name in ("search", "early", "rule_gain")]).all()
    assert not {"told", "rule_loss"} & set(told)


def test_a_run_of_which_the_monitor_never_spoke_is_counted_as_such():
    found = made_up("samples")
    found.told_time[0, :, 0] = np.nan
    told = findings.monitor_findings(found)
    assert told["told_share"].value == pytest.approx(19 / 20)
    assert told["told"].value == pytest.approx(1.2)


def test_own_network_is_held_against_its_constant_schedule():
    some = ["constant", "step", "aware_rate"]
    told = findings.own_findings(made_up("samples", step=0.5).sel(schedule=some))
    assert told["own_flat_step"].value == pytest.approx(0.5)
    assert told["own_end_loss_step"].value == pytest.approx(2)
    assert told["own_judged"].value == pytest.approx(1.1)
    assert not any("constant" in name for name in told)


def test_a_table_of_both_budgets_knows_what_each_has():
    grids = {budget: made_up(budget, cosine=1.2) for budget in ("time", "samples")}
    both = analysis.table(grids)
    assert both.flat.dims == ("budget", "schedule")
    assert "constant" not in both.schedule
    np.testing.assert_allclose(both.flat.sel(schedule="cosine"), 1.2)
    assert np.isnan(both.flat.sel(schedule="late")).values.tolist() == [False, True]
    assert (both.attrs["lowest"], both.attrs["highest"]) == (0.01, 0.03)
