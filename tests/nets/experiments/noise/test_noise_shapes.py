import dataclasses

import numpy as np
import pytest
import torch

from valleys.nets import load_problem
from valleys.nets.engine import plain
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.stack import flat
from valleys.nets.experiments.noise import noise_shapes as experiment
from valleys.nets.experiments.noise.following import LOST, Phase, follow
from valleys.nets.experiments.noise.noise_shapes import (
    KINDS,
    NoiseShapesSpec,
    matched,
    noise_shapes,
    phase,
)
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.nets.optimizers.following_noise import BatchesHere, IsotropicLike

SPEC = NoiseShapesSpec(
    train_per_class=10,
    start=3,
    batch_size=5,
    learning_rate=0.1,
    training_time=40.0,
    levels=(0.2, 0.1, 0.05),
    n_runs=3,
    n_descents=2,
    look_every=20,
    n_directions=3,
)


def cell(kind, **values):
    return noise_shapes(dataclasses.replace(SPEC, kind=kind, **values))


@pytest.fixture(scope="module")
def problem():
    return load_problem("digits", train_per_class=10, seed=3)


@pytest.fixture(scope="module")
def calm():
    return cell("none")


@pytest.fixture(scope="module")
def noisy():
    return cell("reshuffled")


def run(problem, phases, levels=SPEC.levels, seed=0, look_every=20):
    streams = tuple(np.random.default_rng([seed, each]) for each in range(2))
    return follow(
        problem.start.copy(),
        problem.train,
        learning_rate=0.1,
        batch_size=5,
        look_every=look_every,
        n_looks=400 // look_every,
        levels=levels,
        phases=phases,
        streams=streams,
    )


def weights(course, level):
    """Of a run where it passed a level."""
    assert course.passed[level] is not None
    return course.passed[level].flat()


def test_without_noise_it_is_gradient_descent_to_the_last_bit(problem, calm):
    network, passages = problem.start.copy(), Passages(SPEC.levels, keep=True)
    plain.train(
        network,
        problem.train,
        learning_rate=0.1,
        batch_size=100,
        n_steps=400,
        streams=[],
        visits={},
        passages=passages,
    )
    np.testing.assert_array_equal(calm.time[0], 0.1 * passages.first[0])
    course = run(problem, (Phase(), Phase()))
    for level in range(3):
        assert torch.equal(weights(course, level), passages.kept(level).flat())
    assert np.isnan(calm.time[1:]).all()
    assert (calm.power.values[0, : len(course.records)] == 0).all()


def test_batches_are_those_of_plain_training(problem):
    whole = phase(SPEC, "reshuffled")
    course = run(problem, (whole, whole))
    network, passages = problem.start.copy(), Passages(SPEC.levels, keep=True)
    plain.train(
        network,
        problem.train,
        learning_rate=0.1,
        batch_size=5,
        n_steps=400,
        streams=[np.random.default_rng([0, 0])],
        visits={},
        passages=passages,
    )
    np.testing.assert_allclose(course.times, 0.1 * passages.first[0])


def test_noise_beside_all_samples_is_as_strong_as_it_says(problem):
    strong = Phase(IsotropicLike(BatchesHere(5), factor=4.0))
    noisy = run(problem, (strong, strong), levels=(1e-9,), look_every=1)
    start = SampleSlopes.of(problem.start, problem.train)
    assert noisy.records[0][2] == pytest.approx(4 / 5 * start.noise_trace())
    n_steps, network = 1, problem.start.copy()
    calm = network.gradients(problem.train.images, problem.train.labels)
    streams = tuple(np.random.default_rng([0, each]) for each in range(2))
    settings = {"learning_rate": 0.1, "batch_size": 5, "levels": (1e-9,)}
    settings |= {"look_every": n_steps, "n_looks": 1}
    follow(network, problem.train, phases=(strong, strong), streams=streams, **settings)
    moved = flat(network.parameters) - flat(problem.start.parameters)
    noise = -moved / 0.1 - flat(calm)
    assert float(noise.square().sum()) == pytest.approx(noisy.records[0][2], rel=0.1)


def test_a_second_phase_begins_at_the_step_of_freezing(problem):
    before = phase(SPEC, "independent")
    course, alone = run(problem, (before, Phase())), run(problem, (before, before))
    assert course.times[0] == alone.times[0]
    assert torch.equal(weights(course, 0), weights(alone, 0))
    network = alone.passed[0].copy()  # pyright: ignore[reportOptionalMemberAccess]
    n_steps = round((course.times[1] - course.times[0]) / 0.1)
    plain.train(
        network,
        problem.train,
        learning_rate=0.1,
        batch_size=100,
        n_steps=n_steps,
        streams=[],
        visits={},
    )
    assert torch.equal(network.flat(), weights(course, 1))


def test_kept_noise_does_not_fade_and_batches_do():
    kept, fading = cell("kept"), cell("independent")
    after = kept.power.values[0][np.isfinite(kept.power.values[0])][-3:]
    assert np.ptp(after) == 0
    assert after[-1] > 0
    last = fading.power.values[0][np.isfinite(fading.power.values[0])][-1]
    assert last < after[-1]


def test_levels_are_passed_in_turn_and_measured_where_they_are(noisy, calm):
    assert (np.diff(noisy.time.values, axis=1) > 0).all()
    assert (noisy.loss.values < np.array(SPEC.levels)).all()
    assert (noisy.loss.values > 0.5 * np.array(SPEC.levels)).all()
    for name in ("flatness", "trace", "distance"):
        assert (noisy[name].values > 0).all()
    assert (noisy.wall.values >= 0).all()
    assert float(calm.distance[0, 0]) == 0
    assert ((noisy.full_accuracy.values > 0.5) & (noisy.full_accuracy.values < 1)).all()


def test_runs_differ_and_starts_and_seeds_do(noisy):
    times = noisy.time.values[:, 1]
    assert len(set(times.tolist())) == len(times)
    others = [cell("reshuffled", start=4), cell("reshuffled", seed=1)]
    assert all(not np.array_equal(other.time, noisy.time) for other in others)
    assert cell("reshuffled", start=4).train_loss[0, 0] != noisy.train_loss[0, 0]
    assert cell("reshuffled", seed=1).train_loss[0, 0] == noisy.train_loss[0, 0]


def test_every_kind_gives_the_same_variables(calm):
    for kind in KINDS:
        short = cell(kind, training_time=2.0, n_runs=2, n_descents=1, levels=(2.5, 2.2))
        assert set(short.data_vars) == set(calm.data_vars), kind
        assert dict(short.sizes) == {"run": 2, "level": 2, "record": 2}


def test_the_factor_is_found_where_freezing_rises_with_it(problem, monkeypatch):
    spec = dataclasses.replace(SPEC, kind="equal_freezing")
    target = matched(problem, spec).target_time

    def pilot(problem, spec, factor, target):
        return target * (factor / 37) ** 0.2

    monkeypatch.setattr(experiment, "_pilot", pilot)
    found = matched(problem, spec)
    assert found.factor == pytest.approx(37, rel=4 ** (1 / 16) - 1)
    assert found.matched_time == pytest.approx(target, rel=0.02)


def test_pilots_freeze_no_further_from_batches_than_without_a_factor(problem, noisy):
    spec = dataclasses.replace(SPEC, kind="equal_freezing")
    found = matched(problem, spec)
    assert found.target_time == pytest.approx(float(noisy.time[:, 0].mean()))
    plain_time = experiment._pilot(problem, spec, 1.0, found.target_time)
    assert abs(found.matched_time - found.target_time) <= abs(plain_time - found.target_time)


def test_runs_that_are_thrown_out_are_given_up(problem):
    wild = Phase(IsotropicLike(BatchesHere(5), factor=1e7))
    course = run(problem, (wild, wild))
    assert len(course.records) < 20
    assert not course.records[-1][0] <= LOST * course.records[0][0]
    assert np.isnan(course.times).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "loud"}, "kind must be one of none, reshuffled"),
        ({"batch_size": 100}, "batch_size"),
        ({"look_every": 30}, "whole epochs of 20 steps"),
        ({"levels": (0.1, 0.2)}, "levels"),
        ({"n_descents": 4}, "n_descents"),
        ({"n_probes": 0}, "n_probes"),
        ({"start": -1}, "start"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        dataclasses.replace(SPEC, **values)
    assert "\n" not in str(refused.value)
