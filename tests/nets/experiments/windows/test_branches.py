import dataclasses

import numpy as np
import pytest

from valleys.nets import load_problem
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.windows.branches import WindowBranchesSpec, window_branches
from valleys.nets.experiments.windows.effects import windows
from valleys.nets.experiments.windows.specs import WindowsSpec

SPEC = WindowBranchesSpec(
    train_per_class=10,
    start=3,
    learning_rate=0.2,
    windows=((0.0, 0.5), (1.0, 1.5)),
    n_runs=2,
    n_links=4,
    level=0.03,
    n_looks=3,
)


@pytest.fixture(scope="module")
def found():
    return window_branches(SPEC)


@pytest.fixture(scope="module")
def whole():
    """The same runs, looked at at the end of their windows alone."""
    shared = {name: getattr(SPEC, name) for name in ("train_per_class", "start", "learning_rate")}
    how = {"windows": SPEC.windows, "shams": (), "sham_batch_size": 50, "n_runs": 2}
    return windows(WindowsSpec(**shared, **how, levels=(0.03,), band_steps=2))


def test_first_and_last_branch_are_the_twin_and_the_run_of_the_window(found, whole):
    assert float(found.freezing_time) == float(whole.twin_freezing_time)
    twin = np.full((2, 2), whole.twin_flatness.values)
    np.testing.assert_array_equal(found.flatness[..., 0], twin)
    np.testing.assert_array_equal(found.flatness[..., -1], whole.flatness[:2, :, 0])
    np.testing.assert_array_equal(found.accuracy[..., -1], whole.accuracy[:2, :, 0])
    np.testing.assert_allclose(found.wall[..., 0, -1], whole.wall[:2, :, 0], atol=1e-6)
    np.testing.assert_allclose(found.distance[..., 0, -1], whole.distance[:2], rtol=1e-5)
    np.testing.assert_array_equal(found.loss[..., -1], whole.course[:2, :, -1])


def test_walls_and_distances_are_between_two(found):
    for name in ("wall", "distance"):
        values = found[name].values
        np.testing.assert_array_equal(values, values.swapaxes(-1, -2))
        assert (np.diagonal(values, axis1=-2, axis2=-1) == 0).all()
    assert (found.distance.values[..., 0, 1] > 0).all()


def test_a_branch_in_the_middle_is_gradient_descent_from_there(found):
    problem = load_problem("digits", train_per_class=10, seed=3)
    how = {"learning_rate": 0.2, "visits": {}}
    n_noisy = round(round(0.5 * float(found.freezing_time) / 0.2) / 2)
    network = problem.start.repeat(2)
    noisy = {"batch_size": 10, "n_steps": n_noisy, "streams": SPEC.orders(0.0)}
    train(network, problem.train, **how, **noisy)
    loss = evaluate(network, problem.train).loss.numpy()
    np.testing.assert_array_equal(found.loss[0, :, 2], loss)
    one = network.one(1).copy()
    while evaluate(one, problem.train).loss[0] >= 0.03:
        train(one, problem.train, **how, batch_size=100, n_steps=1, streams=[])
    right = float(evaluate(one, problem.full_test).accuracy[0])
    assert float(found.accuracy[0, 1, 2]) == pytest.approx(right)


def test_the_peak_is_the_largest_loss_of_a_part(found):
    assert (found.peak.values >= found.loss.values[..., :-1]).all()
    assert (found.peak.values >= found.loss.values[..., 1:]).all()


def test_moments_below_the_level_have_no_branch():
    late = dataclasses.replace(SPEC, windows=((1.0, 4.0),))
    found = window_branches(late).isel(window=0)
    low = found.loss < 0.03
    assert low.any()
    np.testing.assert_array_equal(np.isnan(found.flatness), low)
    np.testing.assert_array_equal(np.isnan(found.wall.isel(other=0)), low)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_size": 100}, "gradient descent has no noise"),
        ({"windows": ((1.0, 0.5),)}, r"0 <= from < to, got \(1.0, 0.5\)"),
        ({"windows": ()}, "one value or more"),
        ({"level": 0.2}, "falling order"),
        ({"n_links": 1}, "n_links must be 2 or more"),
        ({"n_runs": 0}, "n_runs must be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        dataclasses.replace(SPEC, **values)
    assert "\n" not in str(refused.value)


def test_a_descent_that_never_comes_down_is_named():
    with pytest.raises(ValueError, match=r"does not come down to the level .* raise longest"):
        window_branches(dataclasses.replace(SPEC, longest=3.0))
