"""Steps to more noise, and the share of the step in them, on cells whose answers are known."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from tests.nets.expected import estimate
from valleys.nets.analysis.cells import descent
from valleys.nets.analysis.cells.descent import Steps
from valleys.nets.analysis.sweep_findings import Swept

SIZES, RATES, N_TRAIN = [10, 100, 500, 1000], [0.1, 0.2, 0.4], 1000
CELL = ("batch_size", "learning_rate")


def summarized(half: float = 0.5, rates=RATES, **tables) -> xr.Dataset:
    """Means with intervals of one width, all cells settled but the noisiest."""
    found = {name: (CELL, np.asarray(table, float)) for name, table in tables.items()}
    for name, (_, values) in tuple(found.items()):
        if not name.startswith("max"):
            ends = {f"{name}_low": values - half, f"{name}_high": values + half}
            found |= {end: (CELL, each) for end, each in ends.items()}
    converged = np.ones((4, len(rates)))
    converged[0, -1] = 0.5
    found["converged"] = (CELL, converged)
    return xr.Dataset(found, {"batch_size": SIZES, "learning_rate": rates, "threshold": [0.1]})


def test_steps_are_counted_by_knob_and_only_where_they_are_decided():
    size, rate = np.array([3, 1, 0, 50])[:, None], np.array([0.0, 0.5, 5.0])
    summary = summarized(
        mean=size + rate, falls=-size - rate, max_tied=np.floor(size / 3) + 0 * rate
    )
    # halves of 0.5 on both sides add up to 0.71: a change of 1 is decided, one of 0.5 is not
    assert descent.steps(summary, "mean", "batch_size", N_TRAIN) == Steps(5, 0, 0)
    assert descent.steps(summary, "mean", "learning_rate", N_TRAIN) == Steps(2, 0, 3)
    assert descent.steps(summary, "falls", "batch_size", N_TRAIN) == Steps(0, 5, 0)
    assert descent.steps(summary, "max_tied", "batch_size", N_TRAIN) == Steps(2, 0, 3)
    assert descent.steps(summary, "max_tied", "learning_rate", N_TRAIN) == Steps(0, 0, 5)
    shuffled = summary.isel(batch_size=[2, 0, 3, 1], learning_rate=[2, 0, 1])
    assert descent.steps(shuffled, "mean", "batch_size", N_TRAIN) == Steps(5, 0, 0)


def test_a_step_is_decided_as_often_as_a_normal_law_decides_it():
    n, apart = 4001, 1.5
    table = np.random.default_rng(0).normal(size=(4, n))
    table[0] += apart
    summary = summarized(1.96, np.arange(n) + 1.0, mean=table).isel(batch_size=[0, 1])
    found = descent.steps(summary, "mean", "batch_size", N_TRAIN)
    # a difference of two means of error 1 is normal around 1.5 with √2, decided above 1.96 √2
    assert found.up / (n - 1) == pytest.approx(norm.sf(1.96 - apart / 2**0.5), abs=0.03)
    assert found.down / (n - 1) == pytest.approx(norm.cdf(-1.96 - apart / 2**0.5), abs=0.01)
    assert sum((found.up, found.down, found.open)) == n - 1


def swept(flatness: np.ndarray, rates: list[float]) -> Swept:
    """Runs with the given mean flatness in each cell, a little apart but for gradient descent."""
    runs = flatness[..., None] + 0.1 * np.array([-1, 0, 1, 0]) * (np.arange(4) < 3)[:, None, None]
    shape = runs.shape
    parts = {
        "flatness": ((*CELL, "realization", "record"), runs[..., None]),
        "full_test_accuracy": ((*CELL, "realization"), runs / 100),
        "freezing_time": ((*CELL, "realization", "threshold"), np.ones((*shape, 1))),
        "converged": ((*CELL, "realization"), np.ones(shape, bool)),
    }
    coords = {"batch_size": SIZES, "learning_rate": rates, "threshold": [0.1]}
    means = {"flatness": flatness, "full_test_accuracy": flatness / 100}
    times = np.asarray(rates) * np.ones((4, 1))
    summary = {name: (CELL, values) for name, values in means.items()} | {
        "freezing_time": ((*CELL, "threshold"), times[..., None]),
        "converged": (CELL, np.ones((4, len(rates)))),
    }
    summary |= {f"{name}_low": (CELL, values) for name, values in means.items()}
    return Swept(xr.Dataset(parts, coords), xr.Dataset(summary, coords), N_TRAIN)


def test_the_share_of_descent_is_its_change_over_that_of_the_cells():
    step, noise = np.array([0.0, 1, 2]), np.array([6.0, 4, 1, 0])[:, None]
    told = descent.descent_findings(swept(10 + step + noise, RATES))
    assert (told["descent_quiet_b"], told["descent_quiet_eta"]) == (500, 0.1)
    assert (told["descent_noisy_b"], told["descent_noisy_eta"]) == (10, 0.4)
    share = estimate(told["descent_flat"])
    assert share.value == pytest.approx(2 / (2 + 6 - 1))
    assert share.low < share.value < share.high
    assert told["descent_word_flat"] == "the noise"
    # time is the learning rate alone: the step does it all
    assert estimate(told["descent_late"]).value == pytest.approx(1)
    assert told["descent_word_late"] == "the step"
    assert (told["descent_fast_b"], told["descent_fast_eta"]) == (10, 0.4)


def test_the_fastest_cell_has_the_largest_rate_and_its_smallest_settled_batch():
    summary = summarized(x=np.ones((4, 3)))
    assert descent.fastest(summary, N_TRAIN) == {"batch_size": 100, "learning_rate": 0.4}
    quiet, noisy = descent.quietest_and_noisiest(summary, N_TRAIN)
    assert quiet == {"batch_size": 500, "learning_rate": 0.1}
    assert noisy == {"batch_size": 10, "learning_rate": 0.2}


def test_a_change_that_may_be_none_has_no_share():
    told = descent.descent_findings(swept(np.full((4, 3), 10.0), RATES))
    assert np.isnan(estimate(told["descent_flat"]).low)
    assert told["descent_word_flat"] not in ("the step", "the noise")


def test_without_a_settled_cell_there_is_no_answer():
    with pytest.raises(ValueError, match="smaller learning rates"):
        descent.quietest_and_noisiest(summarized(x=np.ones((4, 3))).isel(batch_size=[3]), N_TRAIN)
