import itertools

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate
from valleys.nets.analysis import timescales

STAGES = {"early": "loss 1", "freezing": "loss 0.1", "end": "end"}
RUNS = np.array([0.8, 1.0, 1.2])
OF_STAGE = np.array([1.0, 3.0, 5.0])  # factor of what copies show over the parabola
OF_DRAW = {"reshuffled": 2.0, "independent": 7.0}
OF_WHAT = {"network_relaxation": 1.0, "network_scatter": 10.0} | {"relaxation": 1e2, "scatter": 1e3}
DRIFT = np.array([9.0, 18.0, 36.0])  # times in which the loss falls by e
MEMORY = 0.8 ** np.arange(14)  # of the parabola, by direction


@pytest.fixture
def followed() -> xr.Dataset:
    """Three runs at three stages; copies have what the parabola has times all their factors."""
    bent, runs = 0.5 ** np.arange(14), np.ones(3)
    loss, flat = np.array([1.0, 0.1, 0.01]), np.array([1.0, 2.0, 3.0])
    later_loss, later_flat = loss * np.exp(-5 / DRIFT), flat * np.exp(5 / (3 * DRIFT))
    sharp = np.multiply.outer([1, 0.5, 0.25], 40 * bent)
    by_run = ("realization", "stage")
    found = {
        "train_loss": (by_run, np.outer(runs, loss)),
        "later_loss": ((*by_run, "draw"), np.einsum("r,s,d->rsd", runs, later_loss, [1, 9])),
        "flatness": (by_run, np.outer(RUNS, flat)),
        "later_flatness": ((*by_run, "draw"), np.einsum("r,s,d->rsd", RUNS, later_flat, [1, 9])),
        "curvature": ((*by_run, "direction"), np.einsum("r,s,k->rsk", runs, [1, 1, 1], 2 * bent)),
        "network_curvature": ((*by_run, "network_direction"), np.broadcast_to(sharp, (3, 3, 14))),
    }
    for what, factor in OF_WHAT.items():
        prefix = "network_" if what.startswith("network_") else ""
        dims = (*by_run, "draw", f"{prefix}direction")
        every = np.einsum("r,s,d,k->rsdk", RUNS, OF_STAGE, list(OF_DRAW.values()), MEMORY)
        found[what] = (dims, factor * every)
        expected = f"{prefix}expected_{what.removeprefix('network_')}"
        found[expected] = (dims, np.broadcast_to(MEMORY, every.shape))
    coords = {"stage": list(STAGES.values()), "draw": list(OF_DRAW), "learning_rate": 0.05}
    return xr.Dataset(found, coords, {"window_time": 5.0})


def test_each_stage_draw_and_quantity_is_held_to_the_parabola(followed):
    found = timescales.parabola_findings(followed, STAGES)
    every = itertools.product(zip(STAGES, OF_STAGE, strict=True), OF_DRAW.items(), OF_WHAT.items())
    for (stage, a), (draw, b), (what, c) in every:
        assert estimate(found[f"held_{draw}_{what}_{stage}"]).value == pytest.approx(a * b * c)
    assert len(found) == 24
    assert all(
        estimate(one).low < estimate(one).value < estimate(one).high for one in found.values()
    )


def test_memory_and_scatter_are_those_of_the_directions_that_are_named(followed):
    followed["scatter"][:, 2, 1, 10:] *= 3  # at the end, independent, beyond ten directions
    followed["scatter"][:, 2, 1, :10] *= 99
    followed["network_relaxation"][:, 2, 1, 5:] *= 2  # beyond the five steepest
    slow = followed.assign(scatter=followed.scatter * xr.DataArray([1.0, 4.0], dims="draw"))
    found = timescales.memory_findings([followed, slow], STAGES)
    assert estimate(found["shrink_freezing"]).value == pytest.approx(3.5)
    assert estimate(found["shrink_end"]).value == pytest.approx(3.5 * 3)
    assert estimate(found["shrink_slow"]).value == pytest.approx(3.5 * 3 * 4)
    leading = MEMORY[:5].mean()
    assert estimate(found["memory_reshuffled"]).value == pytest.approx(10 * leading)
    assert estimate(found["memory_independent"]).value == pytest.approx(35 * leading)
    assert (
        estimate(found["memory_independent"]).low
        < 35 * leading
        < estimate(found["memory_independent"]).high
    )
    assert found["span_reshuffled"] == pytest.approx(0.8**13)
    assert found["span_independent"] == pytest.approx(2 * 0.8**13)
    assert found["copied_edge"] == pytest.approx(0.05 * 40)


def test_fast_times_are_set_against_slow_ones_and_the_model(followed):
    found = timescales.separation_findings(followed, STAGES)
    for part, values in {
        "drift_time": DRIFT,
        "shape_time": 3 * DRIFT,
        "layer_ratio": np.array([1, 2, 3]) / DRIFT,
        "network_ratio": 2**4.5 / 40 * np.array([1, 2, 4]) / DRIFT,
        "n_fast": [1, 2, 3],  # curvatures 2, 1, ½, … times the drift, above ten
    }.items():
        assert [estimate(found[f"{part}_{name}"]).value for name in STAGES] == pytest.approx(values)
    y = np.linspace(1e-3, 400, 400_001)
    loss = np.exp(-y / 100) + 1 - (y / (y + 20)) ** 2  # Eqs. 11 and 12 with Table S1
    flat = 0.8**2 * ((y + 20) / (y + 30)) ** 2
    model = (flat / 2 * np.gradient(loss, y) ** 2 / loss).max()
    assert found["model_ratio"] == pytest.approx(model, rel=1e-3)
    assert found["less_layer"] == pytest.approx(3 / 36 / model, rel=1e-3)
    assert found["less_network"] == pytest.approx(2**4.5 / 360 / model, rel=1e-3)
    assert found["slowest"] == pytest.approx(2**12)
