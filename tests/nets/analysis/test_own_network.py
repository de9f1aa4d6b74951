import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis import own_network as analysis
from valleys.nets.statistics import Estimate

RNG = np.random.default_rng
LOSSES = np.array([2.0, 1.0, 0.5, 0.25])
OVER = ("start", "batch_size", "run", "record")


def asked(n_starts: int) -> xr.Dataset:
    """Runs whose noisy half is three times as flat at equal loss, and one record behind.

    Flatness is 1/loss for gradient descent and 3/loss with noise; every start has a factor of its
    own.
    """
    factor = 1 + 0.1 * np.arange(n_starts)[:, None, None]
    losses = np.full((n_starts, 2, 2, 4), np.nan)
    losses[:, 0, :1] = LOSSES / 2 * factor
    losses[:, 1] = LOSSES * factor
    flat = np.array([1, 3])[:, None, None] / losses
    accuracy = np.where(np.isnan(losses), np.nan, np.array([0.8, 0.85])[:, None, None])
    freezing = np.full((n_starts, 2, 2), np.nan)
    freezing[:, 0, 0], freezing[:, 1] = 5.0, [7.0, 9.0]
    walls = np.full((n_starts, 2, 1), np.nan)
    walls[:, 1, 0] = 0.02 * (1 + np.arange(n_starts))
    return xr.Dataset(
        {
            "train_loss": (OVER, losses),
            "flatness": (OVER, flat),
            "test_accuracy": (OVER, accuracy),
            "freezing_time": (OVER[:3], freezing),
            "sharpness": (OVER[:3], np.full((n_starts, 2, 2), 0.25)),
            "wall": ((*OVER[:2], "pair"), walls),
        },
        {"batch_size": [100, 10], "time": ("record", np.arange(4.0))},
        {"threshold": 0.1, "n_train": 100},
    )


@pytest.mark.parametrize("n_starts", [1, 3])
def test_answers_are_the_known_ones(n_starts):
    found = analysis.answers(asked(n_starts))
    expected = {"flattening": 1.5, "flattening_at_loss": 3, "delay": 3, "sharpness": 0.25}
    expected |= {"gain": 5, "wall": 0.2 * np.mean(1 + np.arange(n_starts))}
    assert {name: each.value for name, each in found.items()} == pytest.approx(expected)


def test_intervals_go_over_starts():
    three, alone = analysis.answers(asked(3)), analysis.answers(asked(1))
    assert three["wall"].low < 0.4 < three["wall"].high
    assert three["delay"].low < 3 < three["delay"].high
    assert np.isnan(alone["wall"].low)
    assert np.isnan(alone["delay"].low)


def test_the_equal_loss_is_one_that_all_runs_end_at_or_below():
    found = asked(2)
    assert analysis.equal_loss(found) == pytest.approx(1.1 * 0.25)
    found.train_loss[0, 1, 0] = [2.0, 0.1, 0.2, 0.6]  # lower on its way than at its end
    assert analysis.equal_loss(found) == 0.6
    found.train_loss[0, 1, 0, -1] = np.nan
    assert analysis.equal_loss(found) == pytest.approx(1.1 * 0.25)


def test_flatness_is_read_between_records_where_the_loss_falls_through_a_level():
    found = analysis.flatness_at(asked(1), 0.7)
    np.testing.assert_allclose(found[0, 1], 3 / 0.7)
    np.testing.assert_allclose(found[0, 0], [1 / 0.7, np.nan])
    assert analysis.flatness_at(asked(1), 0.2).isel(batch_size=1).isnull().all()


def test_walls_resample_starts_or_the_runs_of_the_only_one():
    walls = np.array([[1.0, 3.0, 5.0], [2.0, 4.0, np.nan], [9.0, 9.0, 9.0]])
    found = analysis.wall_mean(walls, RNG(0))
    assert found.value == pytest.approx((3 + 3 + 9) / 3)
    assert (found.low, found.high) == (3, 9)
    one = analysis.wall_mean(walls[0], RNG(0))
    assert one.value == 3
    assert (one.low, one.high) == (1, 5)
    assert np.isnan(analysis.wall_mean(np.full((3, 3), np.nan), RNG(0)).value)
    assert np.isnan(analysis.wall_mean(np.full(3, np.nan), RNG(0)).value)


def test_courses_are_geometric_means_with_the_ends_of_their_intervals():
    found = analysis.courses(asked(3))
    mean = np.exp(np.log(1 + 0.1 * np.arange(3)).mean())
    np.testing.assert_allclose(found.train_loss, [LOSSES / 2 * mean, LOSSES * mean])
    assert (found.train_loss_low < found.train_loss).all()
    assert (found.train_loss < found.train_loss_high).all()
    known = found.flatness.notnull()
    assert known.isel(batch_size=0).all()
    assert known.isel(batch_size=1).values.tolist() == (found.level.values >= 0.3).tolist()
    expected = xr.DataArray([1, 3], dims="batch_size") / found.level
    np.testing.assert_allclose(found.flatness.where(known, expected), expected)
    assert found.freezing_time.values.tolist() == [5, 8]
    assert found.wall.values.tolist() == pytest.approx([np.nan, 0.4], nan_ok=True)


def test_levels_fall_from_below_all_starts_to_the_lowest_end():
    levels = analysis.loss_levels(asked(2))
    assert levels[0] == pytest.approx(0.9)
    assert levels[-1] == pytest.approx(1.1 * 0.125)
    np.testing.assert_allclose(levels[1:] / levels[:-1], levels[1] / levels[0])


def test_findings_count_runs_and_read_the_answers():
    found = asked(3)
    found.train_loss[0, 1, 0, 2:] = np.nan
    findings = analysis.own_network_findings(found)
    counts = {"starts": 3, "noisy": 10, "calm": 100, "trained": 9, "finite": 8, "frozen": 9}
    assert {name: findings[name] for name in counts} == counts
    assert estimate(findings, "delay").value == 3
    words = {"flatter": "yes", "later": "yes", "walled": "no", "stable": "yes", "better": "yes"}
    assert {name: findings[name] for name in words} == words


@pytest.mark.parametrize(
    ("ends", "word"),
    [
        ((1.1, 2), "yes"),
        ((0.5, 0.9), "no"),
        ((0.5, 2), "undecided"),
        ((np.nan, np.nan), "undecided"),
    ],
)
def test_a_verdict_needs_a_whole_interval_on_one_side(ends, word):
    assert analysis.verdict(Estimate(1.5, *ends), 1) == word
