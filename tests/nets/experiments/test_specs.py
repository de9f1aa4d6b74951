import dataclasses
import json

import pytest

from valleys.nets import datasets
from valleys.nets.experiments.specs import (
    BasinsSpec,
    ContinuationSpec,
    EndpointsSpec,
    RestartSpec,
    SweepGrid,
    SweepSpec,
    restarts,
)
from valleys.results.grid import Grid


def sweeps(batch_sizes=(50, 200), learning_rates=(0.05, 0.1), **values) -> SweepGrid:
    return SweepGrid.of(
        SweepSpec, {"batch_size": batch_sizes, "learning_rate": learning_rates}, **values
    )


def basins(**values) -> Grid[BasinsSpec]:
    return Grid.of(BasinsSpec, {"batch_size": (20, 200), "learning_rate": (0.05,)}, **values)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (SweepSpec, {"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        (SweepSpec, {"learning_rate": -0.1}, "learning_rate must be positive"),
        (SweepSpec, {"learning_rate": float("nan")}, "learning_rate must be finite"),
        (SweepSpec, {"learning_rate": "fast"}, "learning_rate must be a number, got 'fast'"),
        (
            SweepSpec,
            {"batch_size": 1001},
            "batch_size must lie between 1 and the 1000 training samples, got 1001",
        ),
        (SweepSpec, {"batch_size": 0}, "batch_size must lie between 1"),
        (SweepSpec, {"batch_size": 10.5}, "batch_size must be a whole number, got 10.5"),
        (
            SweepSpec,
            {"dataset": "imagenet"},
            "no data set is named 'imagenet'; the names are digits, mnist, cifar10",
        ),
        (SweepSpec, {"dataset": 3}, "dataset must be text"),
        (
            SweepSpec,
            {"train_per_class": 180},
            "train_per_class of digits must lie between 1 and 173",
        ),
        (
            SweepSpec,
            {"dataset": "mnist", "test_per_class": 900},
            "test_per_class of mnist must lie between 1 and 892",
        ),
        (SweepSpec, {"n_records": 1}, "n_records must lie between 2"),
        (SweepSpec, {"n_records": 3000}, "n_records must lie between 2 and 2001"),
        (SweepSpec, {"n_realizations": 0}, "n_realizations must be 1 or more"),
        (SweepSpec, {"n_realizations": True}, "n_realizations must be a whole number"),
        (SweepSpec, {"training_time": -1}, "training_time must be positive"),
        (SweepSpec, {"thresholds": ()}, "thresholds must be positive"),
        (SweepSpec, {"thresholds": (0.1, 0.0)}, "thresholds must be positive"),
        (
            SweepSpec,
            {"n_whole_network": 5},
            "n_whole_network must lie between 0 and n_realizations",
        ),
        (SweepSpec, {"keep_weights": 1}, "keep_weights must be True or False"),
        (SweepSpec, {"seed": -1}, "seed must be 0 or more"),
        (sweeps, {"batch_sizes": ()}, "batch_sizes must hold one value or more"),
        (sweeps, {"batch_sizes": (50, 50)}, "batch_sizes must hold one value or more, each once"),
        (sweeps, {"batch_sizes": (50, 2000)}, "batch_size must lie between 1 and the 1000"),
        (sweeps, {"learning_rates": "0.1"}, "learning_rates must be a list"),
        (sweeps, {"batch_sizes": ("all",)}, "batch_sizes must be a whole number, got 'all'"),
        (
            sweeps,
            {"batch_sizes": (5, 10), "train_per_class": 0},
            "train_per_class of digits must lie between",
        ),
        (sweeps, {"followed_learning_rate": 0.3}, "followed_learning_rate must be 0 or one of"),
        (sweeps, {"weights_at": ((7, 0.1),)}, "weights_at must name"),
        (sweeps, {"weights_at": ((50,),)}, "weights_at must hold 2 values"),
        (restarts, {"n_restarts": 0}, "n_restarts must be 1 or more, got 0"),
        (restarts, {"n_restarts": 1.5}, "n_restarts must be a whole number, got 1.5"),
        (restarts, {"n_restarts": 2, "seed": -1}, "seed must be 0 or more, got -1"),
        (
            restarts,
            {"n_restarts": 2, "batch_sizes": (50,), "learning_rates": (0.1, 0.2)},
            "a comparison needs 3 solutions",
        ),
        (RestartSpec, {"n_fractions": 2}, "n_fractions must be 3 or more"),
        (
            basins,
            {"branch_time": 0.08, "last_time": 8.0},
            "branch_time 0.08 must be a whole number of steps of learning_rate 0.05",
        ),
        (basins, {"branch_time": 0.0}, "branch_time must be positive"),
        (basins, {"last_time": 300.0}, "n_steps must be above last_branch"),
        (basins, {"last_time": 12.0}, "last_time must be a multiple of branch_time 5.0"),
        (
            EndpointsSpec,
            {"batch_sizes": (50,), "learning_rates": (0.1, 0.2)},
            "a comparison needs 3 solutions",
        ),
        (EndpointsSpec, {"n_fractions": 2}, "n_fractions must be 3 or more"),
        (
            EndpointsSpec,
            {"spectrum_batch_sizes": (50, 50)},
            "spectrum_batch_sizes must hold one value or more, each once",
        ),
        (
            EndpointsSpec,
            {"spectrum_batch_sizes": (50, 2000)},
            "batch_size must lie between 1 and the 1000",
        ),
        (
            EndpointsSpec,
            {"spectrum_batch_sizes": (50,), "spectrum_learning_rate": 0.0},
            "learning_rate must be positive and finite, got 0.0",
        ),
        (
            ContinuationSpec,
            {"batch_size": 1000},
            "batch_size must be below the 1000 training samples",
        ),
        (ContinuationSpec, {"last_branch": 2000}, "n_steps must be above last_branch"),
        (ContinuationSpec, {"branch_every": 0}, "branch_every must lie between 1"),
        (ContinuationSpec, {"branch_every": 30}, "last_branch must be a multiple of branch_every"),
        (ContinuationSpec, {"flatness_every": 0}, "flatness_every must be 1 or more"),
        (ContinuationSpec, {"n_references": 0}, "n_references must be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(kind, values, message, monkeypatch):
    monkeypatch.setattr(datasets, "load", None)  # no data file is touched
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(")) as caught:
        kind(**values)
    assert "\n" not in str(caught.value)


def test_equal_questions_have_equal_names():
    first = sweeps([10, 50], [1, 0.5], weights_at=[[10, 1]])
    second = sweeps((10, 50), (1.0, 0.5), weights_at=((10, 1.0),))
    assert json.dumps(dataclasses.asdict(first)) == json.dumps(dataclasses.asdict(second))
    assert first == second


def test_a_sweep_asks_each_cell_once_and_keeps_what_it_was_told_to():
    grid = sweeps(
        (10, 1000),
        (0.1, 0.2),
        followed_learning_rate=0.2,
        flatness_every=2,
        n_whole_network=1,
        weights_at=((10, 0.1),),
    )
    cells = {(cell.batch_size, cell.learning_rate): cell for cell in grid.cells()}
    assert list(cells) == [(10, 0.1), (10, 0.2), (1000, 0.1), (1000, 0.2)]
    assert [cell.flatness_every for cell in cells.values()] == [0, 2, 0, 2]
    assert [cell.keep_weights for cell in cells.values()] == [True, False, False, False]
    assert list(grid.cells_with_weights()) == [cells[10, 0.1]]
    everywhere = dataclasses.replace(grid, follow_all=True).cells()
    assert [cell.flatness_every for cell in everywhere] == [2, 2, 2, 2]
    assert [cell.n_whole_network for cell in everywhere] == [0, 1, 0, 1]


def test_training_time_is_learning_rate_times_steps():
    assert SweepSpec(learning_rate=0.05, training_time=100).n_steps == 2000
    assert ContinuationSpec(branch_every=20, last_branch=1000).branch_steps.shape == (51,)
