"""The convolutional network of Fig. S5 past the loss at which its other runs end."""

import numpy as np
import pytest

from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.generality.cifar_long import CifarLongSpec, LongRuns, cifar_long
from valleys.nets.experiments.generality.cifar_network import (
    CifarNetworkSpec,
    cifar_network,
    problem_of,
)
from valleys.nets.measures.solutions import jaccard

SMALL = {"dataset": "digits", "train_per_class": 5, "learning_rate": 0.1, "batch_size": 20}
SMALL |= {"n_runs": 2, "look_time": 1.0}


@pytest.fixture(scope="module")
def found():
    return cifar_long(CifarLongSpec(levels=(0.3, 0.03), longest=20.0, **SMALL))


def test_the_first_moment_is_the_end_of_the_short_runs(found):
    short = cifar_network(CifarNetworkSpec(levels=(1.0, 0.3), **SMALL))
    early = found.sel(moment="early")
    np.testing.assert_array_equal(early.time, short.end_time)
    for name in ("train_loss", "flatness", "accuracy", "wall", "similarity"):
        np.testing.assert_allclose(early[name], short[name], rtol=1e-5, err_msg=name)


def test_runs_go_on_to_the_end_and_below_each_level(found):
    assert (found.time.sel(moment="end") == 20).all()
    assert (found.time.diff("moment") > 0).all()
    assert (found.train_loss.sel(moment="late") < 0.03).all()
    assert (found.train_loss.diff("moment") < 0).all()


def test_the_end_is_that_of_runs_without_moments(found):
    """Looks and moments change nothing."""
    spec = CifarLongSpec(levels=(0.3, 1e-9), longest=20.0, **SMALL | {"look_time": 10.0})
    problem = problem_of(spec)
    runs = LongRuns(problem.start.repeat(2), spec.orders())
    runs.advance(problem, spec, 200)
    losses = evaluate(runs.networks, problem.train).loss
    np.testing.assert_allclose(found.train_loss.sel(moment="end"), losses, rtol=1e-4)


def test_a_run_at_its_first_moment_is_itself(found):
    early = found.sel(moment="early")
    assert not early.own_wall.any()
    assert (early.own_similarity == 1).all()


def test_later_moments_are_compared_with_the_first_of_the_same_run():
    """Against networks that are kept here by hand."""
    spec = CifarLongSpec(levels=(0.3, 0.03), longest=20.0, **SMALL)
    problem = problem_of(spec)
    runs = LongRuns(problem.start.repeat(2), spec.orders())
    kept = {}
    for look in range(1, 21):
        runs.advance(problem, spec, 10)
        runs.look(problem, spec, float(look))
        for run in range(2):
            if run not in kept and runs.losses[run] < 0.3:
                kept[run] = evaluate(runs.networks, problem.full_test).misclassified[run].numpy()
    last = evaluate(runs.networks, problem.full_test).misclassified.numpy()
    alike = cifar_long(spec).own_similarity.sel(moment="end")
    for run in range(2):
        assert float(alike[run]) == pytest.approx(jaccard(last[run], kept[run]))


def test_a_level_that_was_not_reached_is_not_known():
    told = cifar_long(CifarLongSpec(levels=(0.3, 1e-9), longest=8.0, **SMALL))
    late = told.sel(moment="late").drop_vars("moment")
    assert all(np.isnan(late[name]).all() for name in late.data_vars)
    assert np.isfinite(told.own_wall.sel(moment="end")).all()


def test_runs_that_are_lost_have_no_end():
    told = cifar_long(CifarLongSpec(**SMALL | {"learning_rate": 50.0, "longest": 500.0}))
    assert np.isnan(told.time).all()
    assert np.isnan(told.flatness).all()


@pytest.mark.parametrize(
    "bad", [{"levels": (0.1,)}, {"levels": (0.01, 0.1)}, {"longest": 0.0}, {"longest": 0.5}]
)
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=r"\S"):
        CifarLongSpec(**SMALL | bad)
