"""How copies of a run scatter and forget, against the parabola and against what defines the
copies.
"""

import dataclasses

import numpy as np
import pytest

from valleys.nets.experiments.assumptions import ConditionsSpec, conditions
from valleys.nets.experiments.timescales import (
    TimescalesSpec,
    correlations,
    independent,
    timescales,
)

SPEC = TimescalesSpec(
    "digits",
    train_per_class=20,
    batch_size=20,
    learning_rate=0.02,
    training_time=60.0,
    n_realizations=2,
    n_replicas=24,
    window_time=2.0,
    n_directions=12,
    n_network_directions=6,
    levels=(0.3,),
)


@pytest.fixture(scope="module")
def found():
    return timescales(SPEC)


@pytest.mark.slow
def test_the_stages_are_those_of_the_conditions(found):
    shared = {
        name: getattr(SPEC, name)
        for name in (
            "train_per_class",
            "batch_size",
            "learning_rate",
            "training_time",
            "n_realizations",
            "levels",
        )
    }
    expected = conditions(ConditionsSpec("digits", **shared, n_records=3, n_directions=12))
    np.testing.assert_allclose(found.stage_time, expected.stage_time)
    np.testing.assert_allclose(found.train_loss, expected.train_loss_at, rtol=1e-5)
    np.testing.assert_allclose(found.flatness, expected.flatness_at, rtol=1e-4)
    np.testing.assert_allclose(found.curvature, expected.curvature, rtol=1e-4)
    np.testing.assert_allclose(
        found.network_curvature[..., 0], expected.network_sharpness_at, rtol=1e-4
    )


@pytest.mark.slow
def test_in_the_whole_network_copies_forget_and_scatter_as_in_a_parabola(found):
    """Late, along the steepest directions, where the loss is a parabola for as long as the
    copies are followed.
    """
    late = found.sel(stage="end").isel(network_direction=slice(3))
    for measured, expected, within in (
        ("network_relaxation", "network_expected_relaxation", 0.3),
        ("network_scatter", "network_expected_scatter", 0.5),
    ):
        ratio = (late[measured] / late[expected]).mean(("realization", "network_direction"))
        np.testing.assert_allclose(ratio, 1, atol=within)


@pytest.mark.slow
def test_reshuffled_batches_forget_within_an_epoch_and_independent_ones_do_not(found):
    late = found.sel(stage="end").isel(direction=-1).mean("realization")
    assert (
        late.relaxation.sel(draw="reshuffled") < 200 / 20 < late.relaxation.sel(draw="independent")
    )
    assert late.scatter.sel(draw="reshuffled") < 0.5 * late.scatter.sel(draw="independent")


def test_correlations_are_regressions_on_the_past():
    rng = np.random.default_rng(0)
    places = np.zeros((200, 300, 1))
    for step in range(1, 200):
        places[step] = 0.9 * places[step - 1] + rng.standard_normal((300, 1))
    expected = 0.9 ** np.arange(1, 6)
    np.testing.assert_allclose(correlations(places)[:5, 0], expected, atol=0.02)


def test_independent_batches_hold_every_sample_alike_and_may_repeat():
    drawn = np.concatenate(
        [next(independent(10, 5, [np.random.default_rng(3)])).numpy() for _ in range(1)]
    )
    assert drawn.shape == (1, 5)
    orders = independent(10, 5, [np.random.default_rng(run) for run in range(4)])
    every = np.array([next(orders).numpy() for _ in range(500)])
    shares = np.bincount(every.ravel(), minlength=10) / every.size
    np.testing.assert_allclose(shares, 0.1, atol=5 * (0.09 / every.size) ** 0.5)
    assert (np.diff(np.sort(every, axis=-1)) == 0).any()


def test_a_run_that_never_comes_to_a_stage_is_not_known():
    found = timescales(
        dataclasses.replace(SPEC, training_time=1.0, window_time=0.4, levels=(1e-6,), n_replicas=2)
    )
    assert found.relaxation.sel(stage="loss 1e-06").isnull().all()
    assert found.network_scatter.sel(stage="end").notnull().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 200}, "gradient descent has no noise"),
        ({"n_replicas": 1}, "n_replicas must be 2 or more"),
        ({"window_time": 0.1}, "it must be 10 or more"),
        ({"n_directions": 0}, "n_directions must lie between"),
        ({"n_network_directions": 2500}, "n_network_directions must lie between"),
        ({"levels": (0.1, 0.2)}, "falling order"),
    ],
)
def test_specs_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SPEC, **change)
