"""What a sweep finds, on a hand-made one: flatness 1000 η/B plus the number of the run."""

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, linregress
from valleys.nets.analysis import sweep_findings
from valleys.nets.analysis.sweep_findings import Swept

SIZES, RATES, RUNS, N_TRAIN = [10, 100, 1000], [0.1, 0.2], 4, 1000
SHAPE = (len(SIZES), len(RATES), RUNS)
CELL = ("batch_size", "learning_rate", "realization")
WRONG = np.array([[5, 3], [10, 8], [10, 10]])  # images that all runs of a cell get wrong
SMALL_ACCURACY = np.array([[0.9, 0.7], [0.8, 0.95], [0.6, 0.5]])
NOISY, QUIET = ({"batch_size": size, "learning_rate": 0.1} for size in (10, 1000))
NOISY_WAY, QUIET_WAY = ({"batch_size": size, "learning_rate": 0.2} for size in (10, 1000))


def by_cell(values) -> np.ndarray:
    """A number of each cell for all of its runs."""
    return np.asarray(values, float)[..., None] + np.zeros(SHAPE)


def of_records(*values) -> tuple[tuple[str, ...], np.ndarray]:
    return (*CELL, "record"), np.stack(values, axis=-1)


def likeness() -> dict:
    """Runs i and j lie |i - j| times the noise apart; each gets an image of its own wrong."""
    numbers = np.arange(RUNS)
    apart = abs(numbers[:, None] - numbers)
    noise = by_cell(10 * np.array(RATES) * 100 / np.array(SIZES)[:, None])
    noise[2] = 0  # gradient descent
    wrong = np.arange(50) < by_cell(WRONG)[..., None]
    for run in range(RUNS):
        wrong[:2, :, run, 20 + run] = True
    wrong[2, :, :, 20] = True
    pairs = (*CELL, "other")
    return {
        "weight_distance": (pairs, noise[..., None] * apart),
        "weight_cosine": (pairs, 1 - apart / 10 + np.zeros((*SHAPE, RUNS))),
        "misclassified": ((*CELL, "test_image"), wrong[..., :15]),
        "misclassified_full": ((*CELL, "full_test_image"), wrong),
        "full_test_accuracy": (CELL, 1 - wrong.mean(axis=-1)),
    }


@pytest.fixture
def found() -> xr.Dataset:
    """Runs are half as flat at a loss of 0.1 as at the end.

    The time in which they freeze is their flatness, by a loss of 0.01 one over it.
    """
    flat = by_cell(10 * np.array(RATES) * 100 / np.array(SIZES)[:, None])
    flat[:2] += np.arange(RUNS)
    last = by_cell(np.array([0.01, 0.02, 0.005])[:, None] + np.zeros((3, 2)))
    trained = by_cell([[1, 0.9], [1, 1], [1, 1]])
    times = np.stack([flat, 1 / flat], axis=-1) / np.array(RATES)[:, None, None]
    parts = {
        "train_loss": of_records(0 * flat + 1, 0 * flat + 0.1, last),
        "train_accuracy": of_records(0 * flat, 0 * flat, trained),
        "test_loss": of_records(0 * flat, 0 * flat, last),
        "test_accuracy": of_records(0 * flat, 0 * flat, by_cell(SMALL_ACCURACY)),
        "flatness": of_records(flat / 4, flat / 2, flat),
        "weight_norm": of_records(*[by_cell([[2, 2], [2, 2], [1, 1]])] * 3),
        "whole_network_flatness": (CELL, np.where(np.arange(RUNS) < 2, flat, np.nan)),
        "converged": (CELL, np.ones(SHAPE, bool)),
        "freezing_time": ((*CELL, "threshold"), times),
    }
    coords = {"batch_size": SIZES, "learning_rate": RATES, "threshold": [0.1, 0.01]}
    return xr.Dataset(parts | likeness(), coords)


@pytest.fixture
def swept(found) -> Swept:
    return Swept.of(found, N_TRAIN)


def test_the_ends_of_a_sweep_are_its_noisiest_solutions_and_its_largest_batch(found, swept):
    assert swept.ends(0.1) == (NOISY, QUIET)
    found.converged[0, 0] = False
    assert Swept.of(found, N_TRAIN).ends(0.1)[0]["batch_size"] == 100


def test_the_maps_are_counted_and_their_losses_are_those_of_mini_batches(found, swept):
    told = sweep_findings.cell_findings(swept)
    assert (told["n_small"], told["n_full"], told["cells"], told["lost"]) == (15, 50, 6, 0)
    assert (told["worst"], told["worst_b"], told["worst_eta"]) == (pytest.approx(0.9), 10, 0.2)
    assert (told["loss_min"], told["loss_max"]) == pytest.approx((0.01, 0.02))
    found.converged[0, 1] = False
    assert sweep_findings.cell_findings(Swept.of(found, N_TRAIN))["lost"] == 1


def test_a_run_is_read_at_the_first_record_after_it_freezes():
    parts = {
        "step": ("record", [0, 10, 20, 30]),
        "train_accuracy": ("record", [0.1, 0.5, 0.8, 1.0]),
        "test_accuracy": ("record", [0.1, 0.4, 0.6, 0.7]),
        "freezing_time": ("threshold", [15.0, 30.0]),
    }
    run = xr.Dataset(parts, {"threshold": [0.1, 0.01]})
    assert list(sweep_findings.run_findings(run, 0.1).values()) == [15, 0.8, 0.6, 0.7]
    assert list(sweep_findings.run_findings(run, 0.01).values()) == [30, 1.0, 0.7, 0.7]


def test_runs_end_farther_apart_and_less_alike_with_noise(swept):
    ends = np.array([[[1.0, 0], [-1, 0], [0, 1], [0, -1]], [[3, 4], [-3, -4], [5, 0], [-5, 0]]])
    moved = np.stack([0 * ends, ends + 7], axis=2)
    plane = xr.Dataset({"position": (("cell", "realization", "record", "component"), moved)})
    low = {"batch_size": 100, "learning_rate": 0.1}
    told = sweep_findings.spread_findings(swept, plane, low, NOISY)
    assert (told["width_low"], told["width_high"]) == pytest.approx((1, 5))
    assert (
        estimate(told["similarity_low"]).value == 1
    )  # on the small set none has a mistake of its own
    assert estimate(told["similarity_full_low"]).value == pytest.approx(10 / 12)
    assert estimate(told["similarity_full_high"]).value == pytest.approx(5 / 7)
    assert estimate(told["weight_cosine_high"]).value == pytest.approx(1 - 1 / 6)
    assert estimate(told["weight_distance_low"]).value == pytest.approx(5 / 3)
    assert estimate(told["weight_distance_high"]).value == pytest.approx(50 / 3)
    assert (told["steps"], told["sim_falling"], told["farther"]) == (4, 4, 4)


def test_accuracy_on_the_small_set_is_held_against_that_on_all_images(swept):
    told = sweep_findings.accuracy_findings(swept)
    on_all = 1 - (WRONG + 1) / 50
    line = linregress(on_all[:2].ravel(), SMALL_ACCURACY[:2].ravel())
    assert estimate(told["told"]).value == pytest.approx(line.rvalue**2)
    assert told["easier"] == pytest.approx(100 * (SMALL_ACCURACY - on_all).mean())
    assert told["rising_full_test_accuracy"] == 4
    assert told["rising_max_test_accuracy"] == 2  # 0.8 to 0.9 and to 0.95


def test_a_gain_is_in_percentage_points_and_clear_only_where_there_is_one(swept):
    told = sweep_findings.gain_findings(swept, NOISY, QUIET)
    assert estimate(told["gain"]).value == told["mean_gain"] == pytest.approx(100 * 5 / 50)
    assert estimate(told["gain"]).low > 0
    assert told["error"] == pytest.approx(100 * (0.88 * 0.12 / 15) ** 0.5)
    same = sweep_findings.gain_findings(swept, {**NOISY, "batch_size": 100}, QUIET)
    assert same["mean_gain"] == pytest.approx(0)
    assert estimate(same["gain"]).low <= 0 <= estimate(same["gain"]).high
    weak = sweep_findings.weak_findings(swept, 0.2, 0.1)
    noisy, quiet = swept.ends(0.2)
    assert estimate(weak["delay_weak"]) == swept.delay(noisy, quiet, 0.1)
    assert estimate(weak["gain_weak"]).value == pytest.approx(100 * 7 / 50)
    assert (weak["weakest"], weak["weak_b"]) == (0.2, 10)


def test_flatness_is_compared_between_the_ends_and_over_all_steps(found, swept):
    told = sweep_findings.flatness_findings(swept, NOISY, QUIET)
    assert estimate(told["flat_noisy"]).value == pytest.approx(11.5)
    assert told["flat_quiet"] == pytest.approx(0.1)
    assert estimate(told["flat_ratio"]).value == pytest.approx(115)
    assert told["max_ratio"] == pytest.approx(130)
    assert (told["flatter"], told["flatter_max"]) == (4, 4)
    assert estimate(told["told_flat"]).value == pytest.approx(1)  # the maximum is the mean and 1.5
    assert (told["ahead"], told["ahead_accuracy"]) == (1, 1)
    found["flatness"][2, 0] = 11.5  # between the noisy runs
    tied = sweep_findings.flatness_findings(Swept.of(found, N_TRAIN), NOISY, QUIET)
    assert (tied["ahead"], estimate(tied["flat_ratio"]).value) == pytest.approx((0.5, 1))


def test_flatness_is_compared_at_equal_loss_by_scale_and_in_the_whole_network(swept):
    told = sweep_findings.control_findings(swept, NOISY_WAY, QUIET_WAY, 0.1)
    assert estimate(told["level_noisy"]).value == pytest.approx(21.5 / 2)
    assert told["level_quiet"] == pytest.approx(0.2 / 2)
    assert estimate(told["ratio_way"]).value == pytest.approx(21.5 / 0.2)
    assert estimate(told["relative"]).value == pytest.approx(21.5 / 0.2 / 4)
    assert estimate(told["whole"]).value == pytest.approx(20.5 / 0.2)
    assert told["probed"] == 2


def test_growth_is_counted_from_a_tenth_of_training_on_where_flatness_was_measured():
    flat = np.stack([np.arange(41.0), -np.arange(41.0)])
    flat[:, 1::2] = np.nan  # measured at every other record
    flat[0, 40] = np.nan  # no run of this batch size is finite at the last one
    flat[1, :4:2] = -100  # before a tenth of training nothing counts
    loss = np.geomspace(1, 0.01, 41) * np.array([1, 4])[:, None]
    dims = ("batch_size", "record")
    told = sweep_findings.transient_findings(
        xr.Dataset({"flatness": (dims, flat), "train_loss": (dims, loss)})
    )
    assert (told["growing"], told["tenths"]) == (9, 18)
    assert (told["end_loss_low"], told["end_loss_high"]) == pytest.approx((0.01, 0.04))
    assert told["end_loss_ratio"] == pytest.approx(4)


def test_freezing_is_later_with_noise_in_units_of_time(swept):
    told = sweep_findings.freezing_findings(swept, NOISY_WAY, QUIET_WAY, 0.1)
    assert estimate(told["freeze_noisy"]).value == pytest.approx(21.5)
    assert told["freeze_quiet"] == pytest.approx(0.2)
    assert (told["soonest"], told["latest"]) == pytest.approx((0.1, 21.5))
    assert (told["later"], told["clear"], told["rates"], told["lowest"]) == (4, 2, 2, 0.01)
    assert estimate(told["delay"]).value == pytest.approx(21.5 / 0.2)
    inverse = np.mean([1 / 20, 1 / 21, 1 / 22, 1 / 23])
    assert estimate(told["delay_lowest"]).value == pytest.approx(inverse / (1 / 0.2))


def test_runs_that_reach_the_lowest_threshold_are_counted(found):
    found["freezing_time"].loc[{"threshold": 0.01}] = found.freezing_time.sel(threshold=0.1)
    found["freezing_time"][0, 1, 3, 1] = np.nan
    told = sweep_findings.lowest_threshold_findings(Swept.of(found, N_TRAIN), NOISY_WAY)
    assert told["reached"] == 3


def test_losses_that_come_back_are_counted_and_how_much_later_they_stay_below(found):
    first = np.full((*SHAPE, 1), 100.0)
    last = np.full((*SHAPE, 1), np.nan)
    last[0, 0, :2], last[0, 1, 0] = 150.0, 300.0
    last[2] = 900.0  # gradient descent is no mini-batch
    first[1, 1, 3] = np.nan  # a run that never froze
    dims = (*CELL, "threshold")
    parts = {"freezing_time": (dims, first), "last_return": (dims, last)}
    found = found.drop_vars(["freezing_time"]).drop_dims("threshold").assign(parts)
    found = found.assign_coords(threshold=[0.1])
    swept = Swept.of(found, N_TRAIN)
    told = sweep_findings.return_findings(swept, NOISY, QUIET, 0.1)
    assert estimate(told["back"]).value == pytest.approx((2 / 4 + 1 / 4 + 0 + 0) / 4)
    assert estimate(told["back_noisy"]).value == pytest.approx(2 / 4)
    assert (told["back_most"], told["back_b"], told["back_eta"]) == (0.5, 10, 0.1)
    good = ((1.5 + 1.5 + 1 + 1) / 4 + (3 + 1 + 1 + 1) / 4 + 1 + 1) / 4
    assert estimate(told["good"]).value == pytest.approx(good)
    assert str(told["good_word"]).startswith("we cannot say whether")
    for factor, word in ((3, "crossing does not mark"), (1.01, "crossing marks")):
        found["last_return"] = found.freezing_time * factor
        told_all = sweep_findings.return_findings(Swept.of(found, N_TRAIN), NOISY, QUIET, 0.1)
        assert word in str(told_all["good_word"])
    assert estimate(told["good_noisy"]).value == pytest.approx(1.25)
    assert estimate(told["delay_good"]).value == pytest.approx(125 / 900)
