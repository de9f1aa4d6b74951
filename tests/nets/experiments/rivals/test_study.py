import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from valleys.nets import load_problem
from valleys.nets.engine.plain import train
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.rivals.contenders import NAMES, contenders
from valleys.nets.experiments.rivals.specs import (
    SEARCHED,
    RivalGrid,
    RivalSpec,
    SearchGrid,
    SearchSpec,
)
from valleys.nets.experiments.rivals.study import rival_search, rivals
from valleys.nets.measures.layer_hessian import flatness
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.results.grid import computed

ALIKE: dict[str, Any] = {
    "train_per_class": 10,
    "batch_size": 10,
    "n_epochs": 12,
    "n_runs": 2,
    "seed": 5,
}
SPEC = RivalSpec(
    start=3, factor=2.0, levels=(0.1, 0.05), threshold=0.3, tail_batch_size=50, **ALIKE
)


@pytest.fixture(scope="module")
def found():
    return rivals(SPEC)


@pytest.fixture(scope="module")
def course():
    """Training losses of the reference before each step, by the plain engine, and its end."""
    problem, losses = load_problem("digits", train_per_class=10, seed=3), []
    networks = problem.start.repeat(2)

    def look(step, networks):
        losses.append(evaluate(networks, problem.train).loss.numpy())

    visits = dict.fromkeys(range(121), look)
    how = {"learning_rate": 0.1, "batch_size": 10, "n_steps": 120}
    train(networks, problem.train, **how, streams=SPEC.orders(), visits=visits)
    return problem, np.array(losses), networks


def test_the_end_of_the_budget_is_that_of_plain_training(found, course):
    problem, losses, networks = course
    np.testing.assert_allclose(found.end_loss, losses[-1], rtol=1e-3)
    right = evaluate(networks, problem.full_test).accuracy
    np.testing.assert_allclose(found.end_accuracy, right, atol=2e-3)
    curved = second_layer_eigenvalues(networks, problem.train.images.double(), 0)
    assert float(found.end_flatness[0]) == pytest.approx(flatness(curved), rel=1e-2)


def test_freezing_is_the_first_step_below_the_threshold(found, course):
    _, losses, _ = course
    for run in range(2):
        (below,) = np.nonzero(losses[:, run] < 0.3)
        assert float(found.freezing_evaluations[run]) == pytest.approx(below[0] * 10 / 100)
        assert float(found.freezing_time[run]) == pytest.approx(below[0] * 0.1)


def test_levels_are_passed_in_order_in_the_budget_or_in_the_tail(found):
    first = np.column_stack([found.freezing_evaluations, found.level_evaluations])
    assert (np.diff(first, axis=1) >= 0).all()
    assert np.isfinite(found.level_flatness).all()
    assert (found.level_flatness[:, 1] > found.level_flatness[:, 0]).all()
    assert (found.wall >= 0).all()
    assert int(found.band_wall.notnull().sum()) == 1


def test_runs_that_do_not_freeze_in_the_budget_have_no_time_and_go_on_in_the_tail():
    found = rivals(dataclasses.replace(SPEC, rival="gd", n_bands=0))
    assert found.freezing_time.isnull().all()
    assert (found.level_evaluations > SPEC.n_epochs).all()
    assert found.band_wall.isnull().all()


def test_another_method_is_another_result_and_the_reference_is_the_same_twice(found):
    again = rivals(SPEC)
    assert found.identical(again)
    other = rivals(dataclasses.replace(SPEC, rival="adam", reference_factor=2.0, n_bands=0))
    assert not np.allclose(found.end_loss, other.end_loss)
    assert float(other.learning_rate) == pytest.approx(2 * contenders()["adam"].rate)


def test_a_search_looks_at_images_that_nobody_else_sees():
    spec = SearchSpec(start=1, **ALIKE)
    found = rival_search(spec)
    assert spec.seed_of_start == SEARCHED + 1
    problem = load_problem("digits", train_per_class=10, seed=SEARCHED + 1)
    ends = contenders()["sgd"].train(
        problem.start.repeat(2), problem.train, spec.setting, spec.orders(), lambda *_: None
    )
    torch.testing.assert_close(
        torch.from_numpy(found.end_loss.values),
        evaluate(ends, problem.train).loss,
        rtol=1e-3,
        atol=1e-5,
    )
    assert ((found.held_accuracy > 0.2) & (found.held_accuracy < 1)).all()


def test_runs_that_are_not_finite_have_no_accuracy():
    found = rival_search(SearchSpec(rival="rmsprop", factor=1e40, **ALIKE))
    assert found.held_accuracy.isnull().all()


def test_grids_give_each_method_its_rate_and_keep_seconds():
    axes = {"rival": ("gd", "adam"), "start": (0, 1)}
    factors = (("gd", 4.0), ("adam", 0.5), ("sgd", 2.0))
    grid = RivalGrid.of(RivalSpec, axes, factors=factors, tail_batch_size=50, **ALIKE)
    assert [cell.factor for cell in grid.cells()] == [4.0, 4.0, 0.5, 0.5]
    assert {cell.reference_factor for cell in grid.cells()} == {2.0}
    search = SearchGrid.of(SearchSpec, {"rival": ("gd",), "factor": (1.0, 2.0)}, **ALIKE)
    cells = [
        rival_search(cell).assign_attrs(wall_time_seconds=number)
        for number, cell in enumerate(search.cells())
    ]
    assert search.assemble(cells).seconds.values.tolist() == [[0, 1]]
    assert computed(rival_search, search).seconds.isnull().all()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rival": "sdg"}, "rival"),
        ({"factor": 0.0}, "factor"),
        ({"batch_size": 30}, "batch_size"),
        ({"levels": (0.5,)}, "levels|threshold|fall"),
        ({"n_runs": 1}, "n_runs"),
        ({"tail_rate": 0.0}, "tail_rate"),
        ({"train_per_class": 170}, "training_set|train_per_class"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(SPEC, **wrong)


def test_a_grid_without_a_rate_for_a_method_is_refused():
    alike = {"factors": (("sgd", 1.0),), "tail_batch_size": 50, **ALIKE}
    with pytest.raises(ValueError, match="adam"):
        RivalGrid.of(RivalSpec, {"rival": ("adam",)}, **alike)


def test_all_names_make_a_spec():
    assert all(dataclasses.replace(SPEC, rival=name).learning_rate > 0 for name in NAMES)
