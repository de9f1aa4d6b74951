"""Walks: what the study finds is what the runs of a sweep do, seen step by step."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import SECOND_LAYER, descend
from valleys.nets.engine.problem import Problem, streams
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments import sweep
from valleys.nets.experiments.specs import SweepSpec
from valleys.nets.experiments.walk import DESCRIPTIONS, WalkSpec, walk
from valleys.results.grid import Grid, computed

RATE, SIZE = 0.2, 100
SMALL: dict[str, Any] = {
    "train_per_class": 50,
    "training_time": 40.0,
    "n_windows": 5,
    "steps_per_window": 4,
    "n_fractions": 5,
    "threshold": 0.3,
    "n_realizations": 2,
}
MULTIPLES = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def spec():
    return WalkSpec(batch_size=SIZE, learning_rate=RATE, multiples=MULTIPLES, **SMALL)


@pytest.fixture(scope="module")
def found(spec):
    return walk(spec)


@pytest.fixture(scope="module")
def points(spec):
    """The second run step by step, with its own loop over mini-batches, as weights after each
    step.
    """
    problem = Problem.of(spec)
    network, (_, stream), kept = problem.start.copy(), streams(spec.seed, SIZE, RATE, 2), []
    while len(kept) <= spec.n_steps:
        for chosen in torch.from_numpy(stream.permutation(spec.n_train)).split(SIZE):
            kept.append(network.copy())
            descend(network, problem.train.images[chosen], problem.train.labels[chosen], RATE)
    return problem, kept


def test_windows_begin_at_the_start_and_then_at_equal_ratios_of_time_and_fit(spec):
    steps = spec.window_steps
    assert steps[0] == 0
    assert steps[-1] == spec.n_steps - spec.steps_per_window
    ratios = spec.window_times[2:] / spec.window_times[1:-1]
    np.testing.assert_allclose(ratios, ratios[0])


def test_distances_lengths_and_cosines_are_those_of_the_run(spec, found, points):
    problem, kept = points
    start = torch.cat(
        [part.flatten() for part in problem.start.weights + problem.start.biases]
    ).double()
    for window, first in enumerate(spec.window_steps):
        flat = [
            torch.cat([part.flatten() for part in each.weights + each.biases]).double()
            for each in kept[first : first + 5]
        ]
        updates = [two - one for one, two in itertools.pairwise(flat)]
        cosines = [
            float(one @ two / one.norm() / two.norm()) for one, two in itertools.pairwise(updates)
        ]
        row = found.isel(realization=1, window=window)
        assert float(row.distance) == pytest.approx(
            float((flat[0] - start).norm()), rel=1e-4, abs=1e-6
        )
        assert float(row.step_length) == pytest.approx(
            np.mean([float(each.norm()) for each in updates]), rel=1e-3
        )
        assert float(row.cosine) == pytest.approx(np.mean(cosines), abs=2e-3)
        second = kept[first].weights[SECOND_LAYER] - problem.start.weights[SECOND_LAYER]
        assert float(row.distance_second) == pytest.approx(float(second.norm()), rel=1e-4, abs=1e-6)


def test_the_mean_line_is_that_of_the_losses_of_the_run(spec, found, points):
    problem, kept = points
    for window, first in enumerate(spec.window_steps):
        losses = np.array(
            [float(evaluate(each, problem.train).loss) for each in kept[first : first + 5]]
        )
        row = found.isel(realization=1, window=window)
        np.testing.assert_allclose(
            row.profile[[0, -1]], [losses[:-1].mean(), losses[1:].mean()], rtol=1e-4
        )
        assert float(row.loss) == pytest.approx((losses[:-1] + losses[1:]).mean() / 2, rel=1e-4)
        assert float(row.floor_loss) <= losses.min() * (1 + 1e-5)


def test_the_curvature_is_the_change_of_slope_over_the_length(spec, found):
    """For lines that are parabolas the sag is an eighth of curvature times length squared; late
    in training they are.
    """
    late = found.isel(window=-1)
    sag = (late.profile[:, 0] + late.profile[:, -1]) / 2 - late.profile[:, 2]
    np.testing.assert_allclose(sag, late.curvature * late.step_length**2 / 8, rtol=0.2)


def test_runs_freeze_as_those_of_a_sweep(spec, found):
    own = {
        "n_records": 2,
        "thresholds": (0.3,),
        "training_time": 40.0,
        "n_realizations": 2,
        "train_per_class": 50,
    }
    cell = sweep.sweep(SweepSpec(batch_size=SIZE, learning_rate=RATE, **own))
    np.testing.assert_array_equal(found.freezing_time, RATE * cell.freezing_time[:, 0])
    assert np.isfinite(found.freezing_time).all()


def test_windows_around_freezing_have_their_middle_there(spec, found, points):
    problem, kept = points
    frozen = float(found.freezing_time[1]) / RATE
    for index, multiple in enumerate(MULTIPLES):
        first = round(multiple * frozen - 2)
        if first + 4 > spec.n_steps:
            continue
        losses = [float(evaluate(each, problem.train).loss) for each in kept[first : first + 5]]
        assert float(found.near_profile[1, index, 0]) == pytest.approx(
            np.mean(losses[:-1]), rel=1e-4
        )
    assert np.isfinite(found.near_loss[1, :2]).all()


def test_floors_are_scanned_to_the_last_one_and_to_other_runs(found):
    np.testing.assert_allclose(found.along[:, :, 0], found.floor_loss, rtol=1e-9)
    np.testing.assert_allclose(
        found.along[:, :, -1], found.floor_loss.values[:, [-1]].repeat(5, axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(found.across[0, :, 0], found.floor_loss[0], rtol=1e-9)
    np.testing.assert_allclose(found.across[0, :, -1], found.floor_loss[1], rtol=1e-9)
    np.testing.assert_array_equal(found.across_hill[0, 1], found.across_hill[1, 0])
    assert (found.along_hill.values >= 0).all()


def test_gradient_descent_walks_once_and_a_run_that_diverges_is_unknown():
    once = walk(WalkSpec(batch_size=500, learning_rate=RATE, **SMALL))
    assert once.sizes["realization"] == once.sizes["partner"] == 2
    assert np.isfinite(once.distance[0]).all()
    assert np.isnan(once.distance[1]).all()
    assert np.isnan(once.across_hill).all()
    lost = walk(
        WalkSpec(
            batch_size=SIZE,
            learning_rate=1e12,
            multiples=MULTIPLES,
            **{**SMALL, "training_time": 2e14},
        )
    )
    for name in DESCRIPTIONS:
        assert np.isnan(lost[name][:, 1:]).all(), name
        assert np.isnan(lost["near_" + name]).all(), name
    assert np.isnan(lost.along[:, 1:-1]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_windows": 1}, "n_windows must be 2 or more"),
        ({"steps_per_window": 1}, "steps_per_window must lie between 2 and"),
        ({"n_fractions": 10}, "n_fractions must be odd and 5 or more"),
        ({"threshold": 0.0}, "threshold must be a positive loss"),
        ({"multiples": (0.5, -1.0)}, "multiples must be positive"),
        ({"learning_rate": 2.0, "n_windows": 12}, "n_windows 12 do not fit into 50 steps"),
        ({"batch_size": 0}, "batch_size must lie between"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message):
        WalkSpec(**values)
    if "learning_rate" not in values and "batch_size" not in values:
        with pytest.raises(ValueError, match=message):
            Grid.of(WalkSpec, {"batch_size": (20, 200), "learning_rate": (0.02, 0.2)}, **values)


def test_a_grid_of_walks_has_room_for_gradient_descent():
    grid = Grid.of(
        WalkSpec,
        {"batch_size": (100, 500), "learning_rate": (0.1,)},
        multiples=MULTIPLES,
        **SMALL | {"training_time": 20.0},
    )
    whole = computed(walk, grid)
    assert whole.freezing_time.dims == ("batch_size", "learning_rate", "realization")
    assert dict(whole.sizes)["realization"] == dict(whole.sizes)["partner"] == 2
    assert np.isnan(whole.sel(batch_size=500).distance[:, 1]).all()
    assert np.isfinite(whole.sel(batch_size=500).distance[:, 0]).all()
