from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate, number
from valleys.nets.analysis.noise import noise_shapes as analysis
from valleys.nets.experiments.noise.noise_shapes import KINDS

LEVELS = [0.1, 0.05, 0.02]
TIME = 2.0  # between looks
LOSSES = np.array([2.0, 0.5, 0.2, 0.09, 0.04, 0.015])
# factor in flatness, freezing time, wall [loss], power and lift over the loss; NaN: no run froze
KNOWN = {
    "none": (1.0, 10.0, 0.0, 0.0, 0.0),
    "reshuffled": (2.0, 12.0, 0.5, 1.0, 10.0),
    "independent": (2.2, 15.0, 1.0, 1.0, 10.0),
    "isotropic": (1.0, 10.0, 0.1, 1.0, 0.01),
    "equal_lift": (np.nan, np.nan, np.nan, np.nan, np.nan),
    "equal_freezing": (0.5, 12.0, 2.0, 50.0, 0.5),
    "top_0": (2.0, 14.0, 5.0, 1.0, 12.0),
    "top_1": (2.2, 14.0, 5.0, 1.0, 15.0),
    "top_2": (3.0, 13.0, 4.0, 1.0, 20.0),
    "kept": (2.42, 15.0, 1.0, 3.0, 30.0),
    "reshuffled_before": (2.0**0.75, 12.0, 0.5, np.nan, np.nan),
    "top_1_before": (2.2**0.5, 14.0, 1.0, np.nan, np.nan),
}
N_STARTS, N_RUNS = 5, 4


def found(*, spread=0.0, seed=0, n_starts=N_STARTS):
    """Flatness is 1/loss of gradient descent times what is known of each kind, and times a factor
    of each start.
    """
    rng = np.random.default_rng(seed)
    own = np.exp(spread * rng.standard_normal(n_starts))[None, :, None, None]
    flat, frozen, wall, power, lift = (np.array(part) for part in zip(*KNOWN.values(), strict=True))
    over = ("kind", "start", "run")
    single = np.ones((len(KNOWN), n_starts, N_RUNS))
    single[0, :, 1:] = np.nan
    there = single * np.where(np.isnan(flat), np.nan, 1.0)[:, None, None]
    levels = np.array(LEVELS)
    values = {
        "flatness": own * flat[:, None, None, None] / levels * there[..., None],
        "trace": levels / own / flat[:, None, None, None] * there[..., None],
        "time": frozen[:, None, None, None] * np.array([1.0, 1.5, 2.0]) * there[..., None],
        "full_accuracy": 0.8 + 0.01 * flat[:, None, None, None] * there[..., None] * levels**0,
        "wall": wall[:, None, None, None] * levels * there[..., None],
    }
    records = {
        "train_loss": np.where(np.isnan(flat), 3.0, 1.0)[:, None, None, None] * LOSSES,
        "power": power[:, None, None, None] * LOSSES,
        "lift": lift[:, None, None, None] * LOSSES,
        "sharpness": np.full((len(KNOWN), 1, 1, 1), 60.0) * LOSSES**0,
    }
    data: dict[str, Any] = {name: ((*over, "level"), each) for name, each in values.items()}
    data |= {name: ((*over, "record"), each * single[..., None]) for name, each in records.items()}
    data["factor"] = (over[:2], np.full((len(KNOWN), n_starts), 50.0))
    coords = {"kind": list(KNOWN), "start": np.arange(n_starts), "level": LEVELS}
    coords["record_time"] = ("record", TIME * np.arange(len(LOSSES)))
    return xr.Dataset(data, coords, {"learning_rate": 0.02})


@pytest.fixture(scope="module")
def told():
    return analysis.noise_shapes_findings(found(spread=1.0))


def test_every_kind_of_the_experiment_is_known_here():
    assert set(KNOWN) == set(KINDS)


def test_contrasts_are_the_known_ones_start_by_start(told):
    for kind, (flat, frozen, wall, _, _) in KNOWN.items():
        if kind in ("none", "equal_lift"):
            continue
        for word in ("flat", "flat_high", "flat_middle", "calm"):
            assert estimate(told, f"{word}_{kind}").value == pytest.approx(flat)
        assert estimate(told, f"delay_{kind}").value == pytest.approx(frozen / 10)
        assert estimate(told, f"wall_{kind}").value == pytest.approx(wall)
        assert estimate(told, f"gain_{kind}").value == pytest.approx(flat - 1)
    # each start is held against itself, so that what starts scatter does not count
    assert estimate(told, "flat_reshuffled").low == pytest.approx(2)


def test_pairs_and_shares_are_the_known_ones(told):
    expected = {"steeper": 1.5, "gaussian": 1.0, "order_flat": 1.1, "kept": 1.1, "delayed": 0.25}
    expected |= {"order_delay": 1.25, "match": 1.0, "before": 0.75, "before_top": 0.5}
    for name, value in expected.items():
        assert estimate(told, name).value == pytest.approx(value), name


def test_a_kind_that_never_freezes_has_no_numbers(told):
    assert np.isnan(estimate(told, "flat_equal_lift").value)
    assert number(told, "lift_frozen") == 0
    assert number(told, "lift_runs") == N_STARTS * N_RUNS


def test_strengths_are_compared_at_equal_loss(told):
    assert estimate(told, "power_isotropic").value == pytest.approx(1)
    assert estimate(told, "power_equal_freezing").value == pytest.approx(50)
    assert estimate(told, "lift_top_2").value == pytest.approx(2)
    assert "power_reshuffled_before" not in told
    slower = found()
    later = slower.train_loss.where(slower.kind != "isotropic", 1.3 * slower.train_loss)
    noise = slower.power.where(slower.kind != "isotropic", 1.3 * slower.power)
    again = analysis.strengths(slower.assign(train_loss=later, power=noise))
    assert float(again.power.sel(kind="isotropic")) == pytest.approx(1, rel=1e-6)


def test_strength_is_read_where_the_lowest_loss_falls_through_a_level():
    data = found(n_starts=1).sel(kind=["reshuffled"])
    wavy = np.array([2.0, 0.2, 0.8, 0.1, 0.3, 0.025])  # 0.05 lies halfway from 0.1 to 0.025
    data["train_loss"] = data.train_loss * 0 + wavy
    data["power"] = data.power * 0 + np.array([9, 9, 9, 4.0, 9, 1.0])
    read = np.exp(analysis._at_level(data, "power", 0.05))
    np.testing.assert_allclose(read, 2.0)


def test_work_is_the_rise_in_loss_from_the_second_look_on():
    lift = KNOWN["reshuffled"][4] * LOSSES[1:]
    expected = 0.01 * TIME * (lift[:-1] + lift[1:]).sum() / 2
    expected += 0.01 * TIME * lift[-1] / 2  # from the last look on, half an interval
    assert float(analysis.work(found()).sel(kind="reshuffled").max()) == pytest.approx(expected)


def test_flatness_per_work_is_their_ratio(told):
    raised = float(analysis.work(found()).sel(kind="top_2").max())
    assert estimate(told, "per_work_top_2").value == pytest.approx(np.log(3) / raised)
    assert estimate(told, "per_work_equal_freezing").value < 0
    assert "per_work_equal_lift" not in told


def test_sharpness_comes_in_units_of_two_over_the_learning_rate(told):
    assert estimate(told, "sharpness_none").value == pytest.approx(0.6)


@pytest.mark.slow
def test_the_interval_covers_what_starts_do():
    """Mini-batches flatten by twice e to the normal of each start: an interval covers the mean as
    often as it says.
    """
    covered = 0
    for seed in range(40):
        rng, data = np.random.default_rng(seed), found(n_starts=10, seed=seed)
        data = data.sel(kind=["none", "reshuffled"])
        gain, place = np.ones((2, 10, N_RUNS, 1)), 1
        gain[place] = np.exp(rng.standard_normal((10, 1, 1)))
        gain[place] *= np.exp(0.2 * rng.standard_normal((10, N_RUNS, 1)))
        row = analysis.contrasts(data.assign(flatness=data.flatness * gain), seed=seed)
        row = row.sel(kind="reshuffled")
        covered += bool(row.flat_low_low < 2 < row.flat_low_high)
    assert covered >= 32


def test_one_start_has_an_interval_over_runs():
    table = analysis.contrasts(found(n_starts=1)).sel(kind="top_1")
    assert float(table.flat_low) == pytest.approx(2.2)
    assert float(table.flat_low_low) == pytest.approx(2.2)
