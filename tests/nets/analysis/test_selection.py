import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import number
from valleys.nets.analysis.selection import (
    best_findings,
    best_of_runs,
    gains,
    probability_of_superiority,
)

N_FULL, N_SMALL, RUNS, RIGHT = 4000, 100, 8, 0.9


@pytest.fixture(scope="module")
def best():
    """Runs that are wrong on images of their own choice, all equally often (B = 10); copies of
    one run (1000); nothing that converged (5).
    """
    rng = np.random.default_rng(0)
    wrong = np.zeros((3, RUNS, N_FULL), bool)
    for cell, runs in ((0, RUNS), (1, 1)):
        for run in range(runs):
            wrong[cell, run, rng.choice(N_FULL, round((1 - RIGHT) * N_FULL), replace=False)] = True
    wrong[1] = wrong[1, 0]
    found = {
        "misclassified_full": (("batch_size", "realization", "full_test_image"), wrong),
        "misclassified": (("batch_size", "realization", "test_image"), wrong[..., :N_SMALL]),
        "converged": (
            ("batch_size", "realization"),
            np.array([[True] * RUNS, [True] * RUNS, [False] * RUNS]),
        ),
    }
    return best_of_runs(
        xr.Dataset(found, coords={"batch_size": [10, 1000, 5]}), n_sets=2000, seed=1
    )


def test_the_best_of_equal_runs_exceeds_them_by_the_expected_maximum(best):
    cell = best.sel(batch_size=10)
    rng = np.random.default_rng(2)
    # of independent runs
    maximum = rng.binomial(N_SMALL, RIGHT, size=(20000, RUNS)).max(axis=1).mean() / N_SMALL
    error = 3 * float(cell.best_random.std()) / 2000**0.5
    assert cell["mean"] == pytest.approx(RIGHT)
    # on all images they are equal: choosing adds nothing
    assert cell.best_full == pytest.approx(RIGHT)
    assert cell.best_random.mean() == pytest.approx(maximum, abs=error + 0.001)
    assert cell.best_random.mean() > RIGHT + 0.03


def test_choosing_among_copies_adds_nothing(best):
    cell = best.sel(batch_size=1000)
    error = (RIGHT * (1 - RIGHT) / N_SMALL) ** 0.5
    assert cell.best_random.mean() == pytest.approx(RIGHT, abs=4 * error / 2000**0.5)
    assert cell.best_random.std() == pytest.approx(error, rel=0.1)


def test_every_cell_is_measured_on_the_same_random_sets():
    wrong = np.arange(N_FULL) < 400
    worse, better = (
        best_of_runs(_one_cell(wrong_ones), n_sets=200, seed=1).best_random
        for wrong_ones in (np.arange(N_FULL) < 800, wrong)
    )
    other = best_of_runs(_one_cell(wrong), n_sets=200, seed=2).best_random
    assert (better >= worse).all()
    assert not (other >= worse).all()


def _one_cell(wrong):
    runs = wrong[None, None]
    found = {
        "misclassified_full": (("batch_size", "realization", "full_test_image"), runs),
        "converged": (("batch_size", "realization"), [[True]]),
    }
    return xr.Dataset(
        found
        | {"misclassified": (("batch_size", "realization", "test_image"), runs[..., :N_SMALL])},
        coords={"batch_size": [10]},
    )


def test_a_cell_without_a_solution_is_unknown(best):
    cell = best.sel(batch_size=5)
    for name in ("mean", "best_full", "best_small"):
        assert np.isnan(cell[name]), name
    assert np.isnan(cell.best_random).all()
    gained = gains(best).sel(batch_size=5)
    assert np.isnan([gained[name].item() for name in gained]).all()


def test_gains_are_over_the_largest_batch_on_the_same_sets(best):
    gained = gains(best)
    assert [gained[name].sel(batch_size=1000).item() for name in gained] == [0] * len(gained)
    apart = best.best_random.sel(batch_size=10) - best.best_random.sel(batch_size=1000)
    cell = gained.sel(batch_size=10)
    assert cell.lucky == pytest.approx(100 * float(apart.mean()))
    assert [cell.lucky_low, cell.lucky_high] == pytest.approx(
        list(100 * np.quantile(apart, [0.025, 0.975])), abs=0.2
    )


def test_the_share_of_pairs_ahead_is_that_of_mann_and_whitney():
    from scipy.stats import mannwhitneyu

    first, second = (
        np.random.default_rng(3).integers(0, 5, 20),
        np.random.default_rng(4).integers(0, 4, 9),
    )
    assert probability_of_superiority(first, second) == pytest.approx(
        mannwhitneyu(first, second).statistic / (20 * 9)
    )
    assert probability_of_superiority(np.array([2, 3]), np.array([1])) == 1


def test_what_choosing_adds_is_the_difference_to_that_of_the_mean_runs():
    parts = {
        "mean": ("batch_size", [0.80, 0.78]),
        "best_small": ("batch_size", [0.90, 0.80]),
        "best_full": ("batch_size", [0.85, 0.82]),
        "best_random": (("batch_size", "set"), [[0.9, 0.8, 0.85], [0.8, 0.8, 0.8]]),
    }
    best = xr.Dataset(parts, {"batch_size": [10, 1000]})
    told = best_findings(gains(best), 10)
    assert (told["best"], told["best_full"]) == pytest.approx((10, 3))
    assert told["chosen"] == pytest.approx(5 - 2)
    assert told["lucky"] == pytest.approx(5)
    assert 0 <= number(told["lucky_low"]) < 1
    assert 9 < number(told["lucky_high"]) <= 10
