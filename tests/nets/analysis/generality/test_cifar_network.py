"""Maps of the network of Fig. S5, from made-up cells."""

import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.generality import cifar_network as analysis

LEVEL = 0.01


def grid(rate, sizes, n_runs=4):
    """Flatness 100/B, freezing at 10/η, accuracy 0.5 + 1/B, walls of twice the loss."""
    size = np.array(sizes, dtype=float)[:, None]
    ones = np.ones((len(sizes), n_runs))
    found = {
        "flatness": 100 / size * ones,
        "freezing_time": (10 + 1 / size) * ones,
        "end_time": 20 * ones,
        "accuracy": 0.5 + ones / size,
    }
    pairs = np.ones((len(sizes), n_runs * (n_runs - 1) // 2))
    whole = {name: (("batch_size", "run"), each) for name, each in found.items()}
    whole |= {"wall": (("batch_size", "pair"), 2 * LEVEL * pairs)}
    whole |= {"similarity": (("batch_size", "pair"), 0.6 * pairs)}
    return xr.Dataset(whole, {"batch_size": list(sizes)}, {"n_train": 100})


@pytest.fixture
def found():
    return analysis.together({0.01: grid(0.01, [20]), 0.05: grid(0.05, [20, 50, 200])})


def test_cheapest_cells_come_first():
    cells = analysis.cells_within([0.05, 0.01, 0.001], [20, 50, 200], 4000)
    assert cells == {0.01: (20,), 0.05: (20, 50, 200)}
    with pytest.raises(ValueError, match="s5_most"):
        analysis.cells_within([0.05], [20, 50], 500)


def test_cells_that_were_not_computed_are_empty(found):
    table = analysis.maps(found, LEVEL)
    assert table.sizes == {"learning_rate": 2, "batch_size": 3}
    assert int(np.isfinite(table.flatness).sum()) == 4
    assert float(table.flatness.sel(learning_rate=0.05, batch_size=20)) == pytest.approx(5)
    assert float(table.accuracy.sel(learning_rate=0.05, batch_size=50)) == pytest.approx(52)
    assert float(table.wall.sel(learning_rate=0.01, batch_size=20)) == pytest.approx(2)
    assert float(table.wall_low.sel(learning_rate=0.01, batch_size=20)) == pytest.approx(2)
    assert float(table.converged.sel(learning_rate=0.01, batch_size=50)) == 0


def test_findings_hold_noise_against_calm(found):
    told = analysis.map_findings(found, LEVEL, (20, 200))
    assert (told["rate"], told["noisy"], told["calm"]) == (0.05, 20, 200)
    assert told["flat"].value == pytest.approx(10)
    assert told["gain"].value == pytest.approx(100 * (1 / 20 - 1 / 200))
    assert told["wall_noisy"].value == pytest.approx(2)
    assert (told["steps"], told["flat_up"], told["better"]) == (2, 2, 2)
    assert (told["walled"], told["cells"]) == (4, 4)


def test_other_starts_are_compared_as_well_and_widen_the_interval(found):
    others = [grid(0.05, [20, 200]) for _ in "abc"]
    others[0]["flatness"] = others[0].flatness * xr.DataArray([8, 1], dims="batch_size")
    told = analysis.map_findings(found, LEVEL, (20, 200), others=xr.concat(others, "start"))
    assert told["starts"] == 4
    assert told["flat"].value == pytest.approx(10 * 8 ** (1 / 4))
    assert told["flat"].low < 12 < told["flat"].high
    assert told["delay"].low == pytest.approx(told["delay"].high)
    assert (told["wall_calm"].low, told["wall_calm"].value) == pytest.approx((2, 2))
    assert told["cells"] == 4  # of the map


def test_the_cost_of_the_same_grid_is_what_it_took():
    found = analysis.together({0.05: grid(0.05, [20, 50])})
    same = {"rates": [0.05], "sizes": [20, 50], "look_time": 1.0}
    assert analysis.full_cost(found, 7200.0, n_runs=4, **same) == pytest.approx(2)
    assert analysis.full_cost(found, 7200.0, n_runs=8, **same) == pytest.approx(4)
