"""Moments of long runs of the network of Fig. S5, from made-up ones."""

import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.generality import cifar_long as analysis
from valleys.nets.statistics import Estimate

LEVEL, NAN = 0.01, float("nan")
MOMENTS = ["early", "late", "end"]


def long_runs(n_runs=4):
    """Of batches of 20 and 50: flatness 100/B and the same again at each moment, accuracy
    0.5 + 1/B, walls of two runs twice the loss and of a run and itself half of it.
    """
    size = np.array([20.0, 50.0])[:, None, None]
    later = np.array([1.0, 2.0, 3.0])[None, :, None]
    ones = np.ones((2, 3, n_runs))
    by_run = {
        "time": 50 * later * ones,
        "train_loss": LEVEL / later * ones,
        "flatness": 100 / size * later * ones,
        "accuracy": 0.5 + ones / size,
        "own_wall": LEVEL / 2 * ones,
        "own_similarity": 0.9 * ones,
    }
    pairs = np.ones((2, 3, n_runs * (n_runs - 1) // 2))
    by_pair = {"wall": 2 * LEVEL * later * pairs, "similarity": 0.6 * pairs}
    every = {name: (("batch_size", "moment", "run"), each) for name, each in by_run.items()}
    every |= {name: (("batch_size", "moment", "pair"), each) for name, each in by_pair.items()}
    return xr.Dataset(every, {"batch_size": [20, 50], "moment": MOMENTS})


def test_means_are_in_their_units_with_intervals():
    table = analysis.moments(long_runs(), LEVEL)
    here = table.sel(batch_size=20, moment="late")
    assert float(here.accuracy) == pytest.approx(55)
    assert (float(here.wall), float(here.own_wall)) == pytest.approx((4, 0.5))
    assert float(here.wall_low) <= float(here.wall) <= float(here.wall_high)


@pytest.mark.parametrize("turned", [False, True])
def test_the_smallest_batch_is_held_against_the_largest(turned):
    found = long_runs()
    told = analysis.long_findings(found.isel(batch_size=[1, 0]) if turned else found, LEVEL)
    assert (told["noisy"], told["calm"], told["time"]) == (20, 50, 150)
    assert all(told[f"flat_{moment}"].value == pytest.approx(2.5) for moment in MOMENTS)
    assert told["gain_end"].value == pytest.approx(100 * (1 / 20 - 1 / 50))
    assert told["wall_noisy"].value == pytest.approx(6)
    assert told["wall_early_noisy"].value == pytest.approx(2)
    assert told["own_alike_calm"].value == pytest.approx(0.9)
    assert told["loss_calm"] == pytest.approx(LEVEL / 3)
    assert told["over_early_calm"].value == pytest.approx(2)
    assert told["over_end_calm"].value == pytest.approx(6 * 3)


def test_runs_that_moved_are_counted_among_those_that_came_to_the_end():
    found = long_runs()
    found["own_wall"][0, -1, 0] = 2 * LEVEL
    found["own_wall"][1, -1, 0] = np.nan
    told = analysis.long_findings(found, LEVEL)
    assert (told["moved"], told["runs"]) == (1, 7)
    assert told["own_wall_noisy"].low < told["own_wall_noisy"].high


@pytest.mark.parametrize(
    ("flatter", "moved", "end", "words"),
    [
        ((2.0, 1.5, 2.5), 0, (3.0, 2.5, 3.5), ("lasts", "stay in", "them grow")),
        ((2.0, 0.9, 2.5), 0, (0.5, 0.4, 0.6), ("undecided", "stay in", "them sink")),
        ((NAN, NAN, NAN), 0, (NAN, NAN, NAN), ("undecided", "beyond chance")),
        ((2.0, 1.5, 2.5), 3, (1.0, 0.8, 1.3), ("lasts", "(3 of them)", "beyond chance")),
    ],
)
def test_the_answer_follows_the_intervals(flatter, moved, end, words):
    told = analysis.long_answer(Estimate(*flatter), moved, Estimate(1.0, 0.9, 1.1), Estimate(*end))
    assert all(word in told for word in words)
