"""Relations within settings and between them, on runs whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, spearmanr
from valleys.nets.analysis.cells import within
from valleys.nets.analysis.sweep_findings import Swept

N_CELLS, N_RUNS = 30, 20
MAP = {"batch_size": np.repeat(np.arange(1, 6), 6), "learning_rate": np.tile(np.arange(6), 5)}


@pytest.fixture
def runs() -> xr.Dataset:
    """Cells whose means of freezing time and flatness rise together, and whose runs end less flat
    the later they freeze; accuracy is noise.
    """
    rng = np.random.default_rng(1)
    means, shape = np.arange(N_CELLS)[:, None], (N_CELLS, N_RUNS)
    common = rng.normal(size=shape)
    values = {
        "freezing_time": 10 * means + common,
        "flatness": 10 * means - common + rng.normal(size=shape),
        "flatness_at_loss": np.full(shape, np.nan),
        "full_test_accuracy": rng.normal(size=shape),
    }
    parts = {name: (("cell", "realization"), each) for name, each in values.items()}
    return xr.Dataset(parts, {name: ("cell", each) for name, each in MAP.items()})


def test_the_signs_within_and_between_may_differ(runs):
    found = within.relations(runs)
    told = within.within_findings(found, runs)
    assert (told["within_cells"], told["within_runs"]) == (N_CELLS, N_CELLS * N_RUNS)
    inside = estimate(told["within_late_flat"])
    assert inside.high < 0
    assert told["word_late_flat"] == "negative"
    assert inside.value == pytest.approx(
        np.mean(
            [spearmanr(*pair)[0] for pair in zip(runs.freezing_time, runs.flatness, strict=True)]
        )
    )
    assert estimate(told["between_late_flat"]).low > 0.9
    assert told["word_between_late_flat"] == "positive"
    assert told["word_between_late_accurate"] == "indistinguishable from zero"
    assert told["positive_late_flat"] == 0
    nothing = estimate(told["within_late_accurate"])
    assert nothing.low < 0 < nothing.high
    assert told["word_late_accurate"] == "indistinguishable from zero"
    assert np.isnan(estimate(told["within_late_level"]).value)


def test_deviations_are_in_units_of_each_cell_and_tenths_follow_what_is_true_within(runs):
    apart = within.deviations(runs)
    assert apart.freezing_time.mean("realization").values == pytest.approx(np.zeros(N_CELLS))
    assert (apart.freezing_time**2).mean("realization").values == pytest.approx(np.ones(N_CELLS))
    assert np.isnan(apart.flatness_at_loss).all()
    assert apart.learning_rate.values.tolist() == MAP["learning_rate"].tolist()
    late = within.tenths(runs).sel(relation="late_flat")
    assert (np.diff(late.x) > 0).all()
    assert late.y[0] > 0.5 > -0.5 > late.y[-1]
    assert np.isnan(within.tenths(runs).sel(relation="late_level")).all().to_array().all()


def test_tenths_of_fewer_than_ten_runs_are_not_known(runs):
    few = within.tenths(runs.isel(cell=[0], realization=slice(9)))
    assert np.isnan(few.sel(relation="late_flat").y).all()


def test_runs_are_the_solutions_of_settled_mini_batch_cells():
    sizes, rates = [10, 100, 1000], [0.1, 0.2]
    shape, cell = (3, 2, 4), ("batch_size", "learning_rate", "realization")
    converged = np.ones(shape, bool)
    converged[0, 1], converged[1, 0, 3] = False, False
    along = np.stack([np.full(shape, 0.5), np.full(shape, 0.01)], axis=-1)
    parts = {
        "converged": (cell, converged),
        "train_loss": ((*cell, "record"), along),
        "flatness": ((*cell, "record"), 1 / along),
        "full_test_accuracy": (cell, np.arange(24.0).reshape(shape)),
        "freezing_time": ((*cell, "threshold"), np.arange(24.0).reshape(*shape, 1)),
    }
    coords = {"batch_size": sizes, "learning_rate": rates, "threshold": [0.1]}
    settled = ("batch_size", "learning_rate")
    shares = xr.DataArray(converged.mean(axis=2), {"batch_size": sizes, "learning_rate": rates})
    summary = xr.Dataset({"converged": (settled, shares.values)}, coords)
    found = within.runs_of_settled(Swept(xr.Dataset(parts, coords), summary, 1000), 0.05, 0.1)
    assert found.sizes == {"cell": 3, "realization": 4}
    # at 0.05 on logarithmic axes from (0.5, 2) to (0.01, 100)
    assert found.flatness_at_loss.values[0] == pytest.approx(20)
    assert found.freezing_time.values[0] == pytest.approx(0.1 * np.arange(4))
    assert list(zip(found.batch_size.values, found.learning_rate.values, strict=True)) == [
        (10, 0.1),
        (100, 0.1),
        (100, 0.2),
    ]
    assert np.isnan(found.flatness.values[1]).tolist() == [False] * 3 + [True]
