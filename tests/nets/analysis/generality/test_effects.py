"""Effects of noise over networks, from made-up runs with known ones."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.generality import effects, widths

VARIANTS = ("base", "width 20", "width 200")


def made_up(*, n_starts=5, n_runs=4, spread=0.0, factors=(2.0, 3.0, 1.0), walls=(1.0, 4.0, 0.2)):
    rng = np.random.default_rng(0)
    shape = (len(VARIANTS), n_starts, n_runs, 2)
    n_pairs = n_runs * (n_runs - 1) // 2
    level = np.array([0.1, 0.03])
    own = np.exp(spread * rng.standard_normal(shape[:2]))
    twin = own[..., None] / level
    factor = np.array(factors)[:, None, None, None]
    wall = np.array(walls)[:, None, None, None] * level
    run, pair = ("variant", "start", "run", "level"), ("variant", "start", "pair", "level")
    calm = ("variant", "start", "level")
    found = {
        "flatness": (run, np.broadcast_to(twin[:, :, None] * factor, shape)),
        "twin_flatness": (calm, twin),
        "passage": (run, np.full(shape, 15.0)),
        "twin_passage": (calm, np.full(twin.shape, 10.0)),
        "accuracy": (run, np.broadcast_to(0.8 + 0.01 * factor, shape)),
        "twin_accuracy": (calm, np.full(twin.shape, 0.81)),
        "wall": (run, np.broadcast_to(wall, shape)),
        "pair_wall": (pair, np.broadcast_to(wall, (*shape[:2], n_pairs, 2))),
        "similarity": (run, np.full(shape, 0.7)),
        "pair_similarity": (pair, np.full((*shape[:2], n_pairs, 2), 0.6)),
        "sharpness": (run[:3], np.full(shape[:3], 0.5)),
        "twin_sharpness": (calm, np.full(twin.shape, 0.1)),
        "start_sharpness": (run[:2], np.array([0.5, 0.5, 1.5])[:, None] * np.ones(shape[:2])),
    }
    coords = {"variant": list(VARIANTS), "start": range(n_starts), "level": level}
    return xr.Dataset(found, coords)


def test_effects_are_the_known_ones_and_starts_cancel():
    table = effects.contrasts(made_up(spread=1.0))
    for name, factor in zip(VARIANTS, (2, 3, 1), strict=True):
        told = effects.effect(table, "flat", name)
        assert (told.value, told.low, told.high) == pytest.approx((factor,) * 3)
        assert effects.effect(table, "gain", name).value == pytest.approx(factor - 1)
    assert effects.effect(table, "delay", "base").value == pytest.approx(1.5)
    assert effects.effect(table, "pair_wall", "width 20").value == pytest.approx(4)
    assert effects.effect(table, "pair_alike", "base").value == pytest.approx(0.6)


def test_a_claim_holds_where_the_whole_interval_does():
    assert effects.verdict(effects.Estimate(1.2, 1.1, 1.3), 1) == "holds"
    assert effects.verdict(effects.Estimate(1.2, 0.9, 1.3), 1) == "undecided"
    assert effects.verdict(effects.Estimate(0.8, 0.7, 0.9), 1) == "fails"
    assert effects.verdict(effects.Estimate(2.0, np.nan, np.nan), 1) == "undecided"


def test_findings_count_networks():
    table = effects.contrasts(made_up(factors=(2.0, 3.0, 0.5), walls=(2.0, 4.0, 0.2)))
    told = effects.generality_findings(table)
    assert (told["flat_holds"], told["flat_fails"], told["networks"]) == (2, 1, 3)
    assert (told["wall_holds"], told["wall_fails"]) == (2, 1)
    assert told["flat_most"].value == pytest.approx(3)
    assert (told["flat_most_of"], told["flat_least_of"]) == ("width 20", "width 200")
    assert told["delay_share"].value == 1
    assert (told["calm"], told["settled"]) == (3, 2)


def test_flatter_networks_that_are_better_have_an_order_of_one():
    told = effects.gain_findings(made_up(factors=(2.0, 3.0, 4.0)))
    assert told["order"].value > 0.5
    assert told["flat_flat"].value == pytest.approx((2 * 3 * 4) ** (1 / 3))
    assert told["flat_gain"].value == pytest.approx(2.0)


def test_walls_that_vanish_with_width_and_flattening_that_stays():
    here = widths.in_order(made_up(factors=(2.0, 3.0, 3.0)), 50)
    assert here.width.values.tolist() == [20, 50, 200]
    told = widths.width_findings(here)
    assert (told["narrow"], told["wide"]) == (20, 200)
    assert told["kept"].value == pytest.approx(1)
    assert told["wall_left"].value == pytest.approx(0.05)
    assert told["pair_left"].value == pytest.approx(0.05)
    assert told["walled"].value == 0
    assert told["walled"].high > 0  # none of five starts is not none
    assert told["walled_tenth"].value == 1
    assert (told["walled_runs"], told["walled_runs_tenth"]) == (0, told["runs"])
    assert widths.width_answer(told) == "walls shrink, and flattening stays"
    few = widths.width_findings(here.isel(start=[0, 1]))
    assert "undecided" in widths.width_answer(few)


def test_the_table_has_a_row_for_each_network():
    rows = effects.sizes(effects.contrasts(made_up()))
    assert [row["network"] for row in rows] == [effects.name_of(each) for each in VARIANTS]
    assert estimate(rows[1], "flatness").value == pytest.approx(3)
