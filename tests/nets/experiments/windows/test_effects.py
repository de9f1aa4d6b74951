import dataclasses

import numpy as np
import pytest
import xarray as xr

from valleys.nets import load_problem
from valleys.nets.engine.descents import descend
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.ensemble import train_ensemble
from valleys.nets.experiments.windows.effects import windows
from valleys.nets.experiments.windows.specs import WindowsSpec, steps_of

SPEC = WindowsSpec(
    train_per_class=10,
    start=3,
    batch_size=10,
    learning_rate=0.2,
    windows=((0.0, 0.5), (0.0, 1.0), (1.0, 1.5)),
    shams=((0.5, 1.0),),
    sham_batch_size=100,
    n_runs=3,
    n_sham_runs=2,
    levels=(0.05, 0.03),
    n_looks=9,
    band_steps=5,
)
LEVELS = (SPEC.threshold, *SPEC.levels)


@pytest.fixture(scope="module")
def found():
    return windows(SPEC)


@pytest.fixture(scope="module")
def problem():
    return load_problem("digits", train_per_class=10, seed=3)


def test_a_window_without_noise_is_the_twin_to_the_last_bit(found):
    sham = found.isel(window=-1, run=slice(SPEC.n_sham_runs))
    for name in ("flatness", "accuracy", "passage"):
        for run in range(SPEC.n_sham_runs):
            np.testing.assert_array_equal(sham[name][run], found[f"twin_{name}"])
    for name in ("wall", "early_wall", "distance"):
        assert (sham[name] == 0).all()
    np.testing.assert_array_equal(sham.freezing_time, [found.twin_freezing_time] * 2)
    np.testing.assert_array_equal(sham.course, [found.twin_course[-1]] * 2)
    assert np.isnan(found.flatness[-1, 2]).all()  # a run that the sham does not have


def test_the_twin_is_plain_gradient_descent(found, problem):
    calm = train_ensemble(
        problem,
        n_runs=1,
        batch_size=100,
        learning_rate=0.2,
        training_time=60.0,
        thresholds=LEVELS,
    )
    np.testing.assert_allclose(found.twin_freezing_time, calm.freezing_time(0.1)[0])
    for place, level in enumerate(SPEC.levels):
        np.testing.assert_allclose(found.twin_passage[place], calm.freezing_time(level)[0])


def test_a_window_from_the_start_is_stochastic_gradient_descent_and_then_gradient_descent(
    found, problem
):
    frozen = round(float(found.twin_freezing_time) / 0.2)
    networks = problem.start.repeat(3)
    losses = []
    train(
        networks,
        problem.train,
        learning_rate=0.2,
        batch_size=10,
        n_steps=frozen,
        streams=SPEC.orders(10, 0.0, 3),
        visits=dict.fromkeys(
            record_steps(frozen, 9).tolist(),
            lambda _, now: losses.append(evaluate(now, problem.train).loss.numpy()),
        ),
    )
    np.testing.assert_array_equal(found.course[1], np.stack(losses, axis=1))
    for step in range(10_000):
        if (evaluate(networks, problem.train).loss < 0.03).all():
            break
        each = evaluate(networks, problem.train).loss.numpy() < 0.03
        done = found.passage[1, :, 1] <= 0.2 * (frozen + step) + 1e-9
        np.testing.assert_array_equal(done, done | each)
        train(
            networks,
            problem.train,
            learning_rate=0.2,
            batch_size=100,
            n_steps=1,
            streams=[],
            visits={},
        )
    assert float(found.passage[1, :, 1].max()) == pytest.approx(0.2 * (frozen + step))


def test_a_longer_window_begins_as_a_shorter_one_and_no_window_changes_what_was_before(found):
    short, long = found.course[0], found.course[1]
    np.testing.assert_array_equal(short[:, -1], long[:, 4])  # half way
    assert len(np.unique(long[:, -1])) == SPEC.n_runs
    assert (found.course[2, :, 0] == found.twin_course[2, 0]).all()
    after = found.isel(window=2)
    np.testing.assert_array_equal(after.freezing_time, [found.twin_freezing_time] * SPEC.n_runs)


def test_noise_leads_elsewhere(found):
    noisy = found.isel(window=1)
    assert (noisy.distance > 0).all()
    assert (noisy.similarity < 1).all()
    assert (noisy.straight_wall[0] >= 0) & np.isnan(noisy.straight_wall[1:]).all()
    assert (noisy.path_wall[0] <= noisy.straight_wall[0] + 1e-6) & (noisy.early_loss > 0).all()
    assert np.isfinite(noisy.batch_sharpness[0]).all()
    assert np.isnan(noisy.batch_sharpness[1:]).all()


def test_levels_passed_inside_the_window_are_left_out():
    late = dataclasses.replace(SPEC, windows=((1.0, 4.0),), n_runs=2)
    found = windows(late).isel(window=0)
    passed = found.course[:, -1] < xr.DataArray(list(SPEC.levels), dims="level")
    assert passed.any()
    np.testing.assert_array_equal(np.isnan(found.flatness), passed.transpose("run", "level"))


def test_descents_stop_at_the_lowest_level_whatever_their_pieces(problem):
    networks = problem.start.repeat(2)
    how = {"learning_rate": 0.2, "levels": (0.03, 0.3), "longest": 400}
    pieces, whole = (descend(networks, problem.train, piece=piece, **how) for piece in (7, 400))
    np.testing.assert_array_equal(pieces.first, whole.first)
    for one, other, level in zip(pieces.copies, whole.copies, (0.03, 0.3), strict=True):
        assert (one.flat() == other.flat()).all()
        assert (evaluate(one, problem.train).loss < level).all()
    assert (evaluate(pieces.early, problem.train).loss > 0.3).all()
    assert (networks.flat() == problem.start.flat()).all()


@pytest.mark.parametrize("n_looks", [3, 9])
def test_the_twin_is_looked_at_where_its_runs_are_whatever_rounding_does(n_looks):
    """Half a step is rounded to an even one, and a window may begin at an odd one."""
    for closes in (1.2, 1.37, 1.6):
        short = {"windows": ((1.0, closes),), "shams": (), "band_steps": 0, "n_runs": 2}
        spec = dataclasses.replace(SPEC, **short, n_sham_runs=1, n_looks=n_looks)
        assert windows(spec).twin_course.sizes["look"] == n_looks


def test_steps_of_a_window():
    assert steps_of((0.5, 1.5), 10) == (5, 15)
    assert steps_of((0.5, 0.51), 10) == (5, 6)  # one step at least


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_size": 100}, "gradient descent has no noise"),
        ({"windows": ((1.0, 1.0),)}, r"0 <= from < to, got \(1.0, 1.0\)"),
        ({"windows": ((0.0, 1.0), (0.0, 1.0))}, "each once"),
        ({"windows": ()}, "one value or more"),
        ({"sham_batch_size": 101}, "batch_size must lie between 1 and the 100"),
        ({"levels": (0.2, 0.1)}, "falling order"),
        ({"levels": (0.01, 0.02)}, "falling order"),
        ({"n_paths": 4}, "n_paths must lie between 1 and n_runs"),
        ({"n_sham_runs": 0}, "n_sham_runs must lie between 1 and n_runs"),
        ({"band_rate": 0.0}, "band_rate must be positive"),
        ({"n_runs": 1}, "n_runs must be 2 or more"),
        ({"training_set": 99}, "training_set"),
        ({"relaxing_time": 0.0}, "relaxing_time must be positive"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        dataclasses.replace(SPEC, **values)
    assert "\n" not in str(refused.value)


def test_a_descent_that_never_comes_down_is_named():
    with pytest.raises(ValueError, match=r"does not pass all levels .* raise longest"):
        windows(dataclasses.replace(SPEC, longest=3.0))
