import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, spearmanr
from valleys.nets.analysis import rescaling

FACTORS = [0.5, 1.0, 2.0]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_pooled_batch_sizes_hide_what_holds_within_one():
    """Three batch sizes far apart; in two of them both go together, in one they do not."""
    layer = np.array([[31.0, 32, 33], [21, 22, 23], [11, 12, 13], [50, np.nan, np.nan]])
    whole = np.array([[6.1, 6.2, 6.3], [5.3, 5.2, 5.1], [4.1, 4.2, 4.3], [1, np.nan, np.nan]])
    dims, coords = ("batch_size", "realization"), {"batch_size": [10, 50, 200, 1000]}
    pair = [xr.DataArray(values, coords, dims) for values in (layer, whole)]
    found = rescaling.layer_findings(*pair, n_samples=1000, rng=rng())
    expected = spearmanr(layer[:3].ravel(), whole[:3].ravel()).statistic
    assert estimate(found["layer_whole"]).value == pytest.approx(expected)
    assert estimate(found["layer_whole"]).low < expected
    assert estimate(found["layer_within"]).value == pytest.approx(1 / 3)
    assert found["probed"] == 10


@pytest.fixture
def layers() -> xr.Dataset:
    """Balancing turns the order of the layer's flatness round, and keeps that of the whole."""
    place = np.arange(9.0).reshape(3, 3) + 1
    flat = np.empty((3, 3, 2, 2))  # batch size, run, measure, scaling
    flat[:, :, 0, 0], flat[:, :, 0, 1] = place, 20 - place
    flat[:, :, 1, 0], flat[:, :, 1, 1] = place, 3 * place
    rescaled = np.empty((3, 2, 3))  # batch size, measure, factor
    rescaled[:, 0] = np.outer([2.0, 3, 4], np.square(FACTORS))
    rescaled[1, 0, 2] *= 1.001
    rescaled[:, 1] = np.outer([5.0, 6, 7], [0.4, 1, 1.8]) + np.outer([0.5, 0, -0.7], [0, 0, 1])
    runs = np.array([0.9, 1.0, 1.1])
    norms = np.full((3, 3, 2, 3), 2.0)  # batch size, run, record, layer
    norms[:, :, 1, 1] = 3.0
    norms[2, 1, 1, 1] = 13**0.5
    norms[:, :, 1, 2] = 6.0
    surplus = np.zeros((3, 3, 2, 2))  # batch size, run, record, joint
    surplus[0, :, 1, 0], surplus[2, :, 1, 0] = -2 * runs, [0.5, 0.9, 0.1]
    surplus[:, :, 1, 1] = np.outer([8.0, 16, 4], runs)
    run = ("batch_size", "realization")
    parts = {
        "flatness": ((*run, "measure", "scaling"), flat),
        "rescaled": (("batch_size", "measure", "factor"), rescaled),
        "norms": ((*run, "record", "layer"), norms),
        "surplus": ((*run, "record", "joint"), surplus),
    }
    coords = {"batch_size": [10, 50, 200], "measure": ["layer", "whole"], "factor": FACTORS}
    return xr.Dataset(parts, coords | {"scaling": ["as trained", "balanced"]})


def test_the_order_of_solutions_is_compared_with_that_of_balanced_ones(layers):
    found = rescaling.order_findings(layers, rng())
    assert estimate(found["balanced_layer"]).value == pytest.approx(-1)
    assert estimate(found["balanced_whole"]).value == pytest.approx(1)
    noise, place = -np.repeat([10.0, 50, 200], 3), np.arange(9.0)
    expected = spearmanr(noise, place).statistic  # larger batches come later
    assert estimate(found["noise_whole"]).value == pytest.approx(expected)
    assert estimate(found["noise_layer"]).value == pytest.approx(-expected)


def test_correlations_share_one_stream_of_draws(layers):
    """Batch sizes that overlap: intervals depend on the draws, values do not."""
    layers["flatness"][:, :, 0, 1] = np.array([[1.0, 5, 9], [2, 6, 7], [3, 4, 8]])
    draw = rng()
    first, again = (rescaling.order_findings(layers, draw)["noise_layer"] for _ in range(2))
    assert estimate(first).value == estimate(again).value
    assert estimate(first).low < estimate(first).value < estimate(first).high


def test_rescaling_is_held_to_its_law_in_the_layer_only(layers):
    found = rescaling.law_findings(layers)
    assert (found["a_small"], found["a"]) == (0.5, 2)
    assert found["a_worst"] == pytest.approx(1e-3)
    assert found["a_whole_small"] == pytest.approx(0.4)
    assert found["a_whole"] == pytest.approx(1.8)  # 1.9, 1.8 and 1.7


def test_what_flow_conserves_is_compared_with_what_the_layer_gains(layers):
    found = rescaling.law_findings(layers)
    assert found["unkept_noisy"] == pytest.approx(2 / 5)  # the squared norm grows from 4 to 9
    assert found["unkept_calm"] == pytest.approx((0.5 / 5 + 0.9 / 9 + 0.1 / 5) / 3)
    assert (found["unkept_b_noisy"], found["unkept_b_calm"]) == (10, 200)
    assert found["unkept_upper"] == pytest.approx(16 / 32)
    assert found["norm_spread"] == pytest.approx(13**0.5 / 3 - 1)
