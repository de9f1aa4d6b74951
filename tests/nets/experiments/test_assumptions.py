"""Conditions along runs, against other studies of the same runs and against what defines their
stages.
"""

import dataclasses

import numpy as np
import pytest

from valleys.nets.engine.networks import initialize
from valleys.nets.engine.training import Samples
from valleys.nets.experiments import sweep
from valleys.nets.experiments.assumptions import ConditionsSpec, conditions, measure
from valleys.nets.experiments.specs import SweepSpec
from valleys.nets.measures import noise_alignment
from valleys.nets.measures.gradient_noise import batch_factor, layer_noise
from valleys.nets.measures.layer_hessian import layer_curvature
from valleys.results.grid import Grid

LEVELS = (1.0, 0.3)
SPEC = ConditionsSpec(
    "digits",
    train_per_class=20,
    batch_size=20,
    learning_rate=0.1,
    training_time=20.0,
    n_realizations=2,
    n_records=5,
    n_directions=12,
    levels=LEVELS,
)
FULL = dataclasses.replace(SPEC, batch_size=200)


@pytest.fixture(scope="module")
def found():
    return conditions(SPEC)


@pytest.fixture(scope="module")
def cell():
    """The same runs by the study of sweeps."""
    shared = {
        "train_per_class": 20,
        "batch_size": 20,
        "learning_rate": 0.1,
        "training_time": 20.0,
        "n_realizations": 2,
    }
    return sweep.sweep(
        SweepSpec("digits", **shared, n_records=2, flatness_every=1, thresholds=LEVELS)
    )


@pytest.mark.slow
def test_the_runs_are_those_of_a_sweep(found, cell):
    np.testing.assert_allclose(found.stage_time[:, :2], 0.1 * cell.freezing_time, rtol=1e-12)
    np.testing.assert_allclose(found.train_loss[:, [0, -1]], cell.train_loss, rtol=1e-5)
    np.testing.assert_allclose(found.flatness[:, [0, -1]], cell.flatness, rtol=1e-4)


@pytest.mark.slow
def test_the_last_stage_is_the_last_record(found):
    assert list(found.stage.values) == ["loss 1", "loss 0.3", "end"]
    np.testing.assert_allclose(found.stage_time[:, -1], 20.0)
    for name in (
        "cosine",
        "exponent",
        "noise_per_curvature",
        "network_sharpness",
        "shared",
        "bulk_noise",
    ):
        np.testing.assert_allclose(found[f"{name}_at"][:, -1], found[name][:, -1], rtol=1e-9)
    np.testing.assert_allclose(found.curvature[:, -1, 0], found.sharpness[:, -1], rtol=1e-5)


@pytest.mark.slow
def test_stages_begin_where_the_loss_falls_below_their_levels(found):
    assert (found.train_loss_at.values[:, :2] < LEVELS).all()
    # looked for at nearly each step
    assert (found.train_loss_at.values[:, :2] > 0.7 * np.array(LEVELS)).all()


def test_leading_directions_and_the_bulk_add_up_to_all_noise_and_curvature(digits):
    small = Samples(digits.images[:200], digits.labels[:200])
    start = initialize(64, 0)
    measured = measure(start, 0, small, 40)
    one = {name: np.asarray(value) for name, value in measured.items()}
    layer = layer_curvature(start, small.images)
    exact = noise_alignment.traces(layer, layer_noise(layer, small.labels.numpy()))
    assert one["curvature"].sum() + 2460 * one["bulk_curvature"] == pytest.approx(exact.hessian)
    assert one["noise"].sum() + 2460 * one["bulk_noise"] == pytest.approx(exact.noise)
    assert one["bulk_noise"] < one["noise"].min()


@pytest.mark.slow
def test_gradient_descent_is_one_run_without_batch_noise():
    found = conditions(FULL)
    assert np.isfinite(found.cosine[0]).all()
    assert np.isnan(found.cosine[1]).all()
    assert found.batch_factor == 0
    alone = dataclasses.replace(FULL, n_realizations=1, n_records=3)
    assert conditions(alone).batch_factor == batch_factor(200, 200)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": (0.1, 1.0)}, "falling order"),
        ({"levels": ()}, "falling order"),
        ({"n_directions": 5}, "n_directions must lie between 10 and 2499"),
        ({"n_records": 2}, "n_records must be 3 or more"),
        ({"learning_rate": 2.0, "n_records": 40}, "do not fit the 10 steps"),
        ({"batch_size": 201}, "batch_size must lie between"),
        ({"training_time": 0.0}, "training_time must be positive"),
        ({"n_realizations": 0}, "n_realizations must be 1 or more"),
    ],
)
def test_specs_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SPEC, **change)


def test_a_grid_refuses_what_any_of_its_cells_refuses():
    with pytest.raises(ValueError, match="batch_size must lie between"):
        Grid.of(ConditionsSpec, {"batch_size": (20, 500)}, dataset="digits", train_per_class=20)
