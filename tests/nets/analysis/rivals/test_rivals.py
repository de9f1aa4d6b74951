from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.rivals import findings, search, table
from valleys.nets.experiments.rivals.contenders import NAMES

LEVELS = (0.05, 0.02, 0.005)
RUN = ("rival", "start", "run")


def made_up(*, n_starts=5, n_runs=4, spread=0.0, noise=0.0, seed=0, **factors: Any):
    """Flatness 1/level times a factor of the method and one of the start; accuracy, freezing and
    walls follow the factor.
    """
    rng, shape = np.random.default_rng(seed), (len(NAMES), n_starts, n_runs)
    own = np.exp(spread * rng.standard_normal((1, n_starts, 1)))
    of = np.array([factors.get(name, 1.0) for name in NAMES])[:, None, None]
    times = of * own * np.exp(noise * rng.standard_normal(shape))
    flat = times[..., None] / np.array(LEVELS)
    every = {
        "end_flatness": times,
        "end_loss": 0.01 * of * own * np.ones(shape),
        "end_accuracy": 0.8 + 0.01 * times / own,
        "freezing_evaluations": 20 * times,
        "freezing_time": 10 * times,
        "band_wall": 0.01 * np.ones(shape),
    }
    found = {name: (RUN, values) for name, values in every.items()}
    walls = 0.1 * of[..., None] * own[..., None] * np.ones((*shape, 3))
    levels = {
        "level_flatness": flat,
        "level_accuracy": np.repeat((0.8 + 0.02 * times / own)[..., None], 3, axis=-1),
        "level_evaluations": np.broadcast_to([30.0, 50.0, 100.0], (*shape, 3)),
        "wall": walls,
    }
    found |= {name: ((*RUN, "level"), values) for name, values in levels.items()}
    coords = {"rival": list(NAMES), "level": list(LEVELS)}
    return xr.Dataset(found, coords, {"n_epochs": 60})


def test_a_contrast_is_the_known_one_and_starts_cancel():
    found = made_up(spread=1.0, adam=2.0, sam=3.0)
    told = table.contrast(found, "flat", "adam")
    assert (told.value, told.low, told.high) == pytest.approx((2, 2, 2))
    assert table.contrast(found, "gain", "sam").value == pytest.approx(2.0)
    assert table.contrast(found, "level_gain", "sam", level=0).value == pytest.approx(4.0)
    assert table.contrast(found, "delay", "sam").value == pytest.approx(3.0)


def test_a_wall_is_a_ratio_of_means_with_starts_drawn_for_both():
    told = table.wall(made_up(spread=1.0, swa=0.5), "swa")
    assert (told.value, told.low, told.high) == pytest.approx((0.5, 0.5, 0.5))
    none = made_up(sgd=0.0)
    assert not np.isfinite(table.wall(none, "adam").low)


def test_a_path_is_held_against_the_line_between_two_runs_of_the_reference():
    found = made_up(spread=1.0, adam=2.0)
    found["band_wall"] = 0.2 * found.wall.isel(level=-1)
    told = table.path(found, "adam")
    assert (told.value, told.low, told.high) == pytest.approx((0.4, 0.4, 0.4))
    found["band_wall"][..., 1:] = np.nan  # one run a start
    assert table.path(found, "adam").value == pytest.approx(0.4)
    highest = findings.rivals_findings(found)
    assert highest["highest"] == "adam"
    assert estimate(highest, "highest_by").value == pytest.approx(0.4)
    found["band_wall"] = np.nan * found.band_wall
    assert np.isnan(table.path(found, "adam").value)


def test_intervals_cover_the_mean_of_all_starts():
    """Nineteen in twenty intervals hold the true factor, were there enough starts."""
    inside = 0
    for seed in range(40):
        found = made_up(n_starts=10, noise=0.3, seed=seed, adam=1.5)
        told = table.contrast(found, "flat", "adam", seed=seed)
        inside += told.low < 1.5 < told.high
    assert inside >= 32


def test_the_table_has_every_method_and_what_it_says_is_that_of_the_contrasts():
    found = made_up(adam=2.0, gd=0.5)
    found["freezing_evaluations"][NAMES.index("gd"), :, 0] = np.nan
    told = table.table(found, dict.fromkeys(NAMES, 1.5))
    assert told.rival.values.tolist() == list(NAMES)
    assert float(told.flat.sel(rival="adam")) == pytest.approx(2)
    assert float(told.flat_0.sel(rival="adam")) == pytest.approx(2)
    assert float(told.accuracy.sel(rival="adam")) == pytest.approx(82)
    assert float(told.freezing.sel(rival="gd")) == pytest.approx(10)
    assert float(told.frozen.sel(rival="gd")) == pytest.approx(3 / 4)
    assert (told.in_tail.values == 1).all()
    assert (told.seconds.values == 1.5).all()
    assert (told.attrs["lowest"], told.attrs["highest"]) == (0.005, 0.05)


def test_the_numbers_of_the_table_have_names():
    found = made_up(adam=2.0)
    told = table.told(table.table(found, dict.fromkeys(NAMES, 1.5)))
    assert estimate(told, "row_flat_adam").value == pytest.approx(2)
    assert estimate(told, "row_freezing_time_sgd").value == pytest.approx(10)
    assert told["row_seconds_sam"] == 1.5
    assert len(told) == 8 * len(NAMES)


def test_findings_name_the_flattest_and_the_most_accurate():
    told = findings.rivals_findings(made_up(adam=2.0, sam=4.0, sam_late=3.0))
    assert told["flattest"] == told["best"] == "sam"
    assert estimate(told, "flattest_by").value == pytest.approx(4)
    assert estimate(told, "late_flat").value == pytest.approx(0.75)
    assert estimate(told, "own_wall").value == pytest.approx(20)
    assert estimate(told, "band_wall").value == pytest.approx(2)
    assert (told["starts"], told["runs"], told["unfrozen"]) == (5, 4, 0)
    assert told["epochs"] == 60


def test_relations_go_over_methods():
    factors: dict[str, Any] = {name: 1 + 0.1 * place for place, name in enumerate(NAMES)}
    told = findings.relations(made_up(**factors))
    assert estimate(told, "flat_accuracy").value == pytest.approx(1)
    assert estimate(told, "freezing_flat").value == pytest.approx(1)
    against = made_up(**factors)
    against["end_accuracy"] = -against.end_accuracy
    assert estimate(findings.relations(against), "flat_accuracy").value == pytest.approx(-1)


def test_relations_of_methods_that_do_not_differ_are_not_told_from_none():
    told = estimate(findings.relations(made_up(n_starts=8, noise=0.5)), "freezing_flat")
    assert told.low < 1


def test_few_methods_have_no_relation_and_no_late_steps():
    told = findings.rivals_findings(made_up().sel(rival=["sgd", "adam"]))
    assert np.isnan(estimate(told, "flat_accuracy").value)
    assert np.isnan(estimate(told, "late_flat").value)


def searched():
    """Accuracy highest at another factor than that of the lowest loss; one factor diverges."""
    accuracy = np.array([[0.8, 0.9, 0.85], [0.9, 0.9, 0.8], [0.7, 0.8, np.nan]])
    loss = np.array([[0.3, 0.2, 0.1], [0.3, 0.2, 0.1], [0.3, 0.2, np.nan]])
    dims, ones = ("rival", "factor", "start", "run"), np.ones((1, 1, 2, 3))
    values = {"held_accuracy": accuracy, "end_loss": loss}
    found = xr.Dataset({n: (dims, each[..., None, None] * ones) for n, each in values.items()})
    coords = {"rival": ["sgd", "adam", "sam"], "factor": [0.5, 1.0, 2.0]}
    took = np.array([1.0, 2.0, 4.0])[:, None, None] * np.ones((3, 3, 2))
    return found.assign_coords(coords).assign(seconds=(dims[:3], took))


def test_the_best_learning_rate_is_the_most_accurate_the_smaller_of_equal_ones():
    assert search.best(searched()) == {"sgd": 1.0, "adam": 0.5, "sam": 1.0}
    assert search.best(searched(), "end_loss") == {"sgd": 2.0, "adam": 2.0, "sam": 1.0}
    backwards = searched().isel(factor=slice(None, None, -1))
    assert search.best(backwards) == {"sgd": 1.0, "adam": 0.5, "sam": 1.0}


def test_a_learning_rate_at_which_one_run_diverges_is_not_chosen():
    found = searched()
    found["held_accuracy"][0, 1, 0, 0] = np.nan
    assert search.best(found)["sgd"] == 2.0
    found["held_accuracy"][0] = np.nan
    with pytest.raises(ValueError, match="sgd diverge"):
        search.best(found)


def test_the_search_tells_how_it_went():
    told = search.search_findings(searched())
    assert told == {
        "methods": 3, "factors": 3, "search_runs": 6, "edges": 1, "other_choice": 2,
    }  # fmt: skip
    assert search.seconds(searched()) == {"sgd": 1, "adam": 2, "sam": 4}
