import numpy as np

from valleys.nets.engine.networks import initialize
from valleys.nets.engine.training import evaluate, plan, train
from valleys.nets.observers import freezing
from valleys.nets.observers.freezing import FreezingClock, freezing_checks


def _generators(count):
    return [np.random.default_rng([3, run]) for run in range(count)]


def test_freezing_is_looked_for_at_each_early_step_and_then_within_one_percent():
    steps = np.array(freezing_checks(20000))
    assert steps[:101].tolist() == list(range(101))
    assert steps[-1] == 20000
    assert (np.diff(steps) <= np.maximum(1, 0.01 * steps[:-1])).all()
    assert freezing_checks(7) == list(range(8))


def test_the_freezing_time_is_the_first_step_below_the_threshold(digits):
    clock, losses, options = (
        FreezingClock(digits, (1.0, 0.2, 1e-9)),
        [],
        {"learning_rate": 0.2, "batch_size": 100, "n_steps": 150},
    )
    train(
        initialize(64, 0).repeat(2),
        digits,
        **options,
        streams=_generators(2),
        visits=plan((freezing_checks(150), clock)),
    )
    every = plan(
        (range(151), lambda _, networks: losses.append(evaluate(networks, digits).loss.numpy()))
    )
    train(initialize(64, 0).repeat(2), digits, **options, streams=_generators(2), visits=every)
    for column, threshold in enumerate((1.0, 0.2)):
        expected = np.argmax(np.array(losses) < threshold, axis=0)
        assert (expected > 0).all()
        assert (
            (clock.steps[:, column] >= expected) & (clock.steps[:, column] <= expected * 1.01 + 1)
        ).all()
    assert (clock.steps[:, 0] < 100).all()  # so that the first column was checked step by step
    np.testing.assert_array_equal(clock.steps[:, 0], np.argmax(np.array(losses) < 1.0, axis=0))
    assert np.isnan(clock.steps[:, 2]).all()


def test_a_few_samples_decide_only_what_all_would_decide(digits, monkeypatch):
    found = []
    for hardest in (5, 1000):
        monkeypatch.setattr(freezing, "HARDEST", hardest)
        clock = FreezingClock(digits, (1.0, 0.2, 0.05))
        options = {"learning_rate": 0.2, "batch_size": 50, "n_steps": 1000}
        train(
            initialize(64, 0).repeat(3),
            digits,
            **options,
            streams=_generators(3),
            visits=plan((freezing_checks(1000), clock)),
        )
        found.append(clock.steps)
    assert np.isfinite(found[0]).all()
    np.testing.assert_array_equal(*found)
