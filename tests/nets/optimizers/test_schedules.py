import math

import numpy as np
import pytest
import torch

from valleys.nets.optimizers.schedules import (
    KINDS,
    Piece,
    Schedule,
    constant,
    cosine,
    line,
    restarts,
    schedule,
    stairs,
    warm_up,
    warmup_stable_decay,
    window,
)


def of_torch(kind, n_steps, **settings):
    """Learning rates of a scheduler of torch, from a base of 0.1."""
    method = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, kind)(method, **settings)
    found = []
    for _ in range(n_steps):
        found.append(method.param_groups[0]["lr"])
        method.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("course", "kind", "settings"),
    [
        (cosine(0.1, 0.02, until=12), "CosineAnnealingLR", {"T_max": 12, "eta_min": 0.02}),
        (
            line(0.1, 0.05, until=8),
            "LinearLR",
            {"start_factor": 1, "end_factor": 0.5, "total_iters": 8},
        ),
        (warm_up(0.02, 0.1, until=5), "LinearLR", {"start_factor": 0.2, "total_iters": 5}),
        (stairs([0.1, 0.01, 0.001], ends=[3, 7]), "MultiStepLR", {"milestones": [3, 7]}),
        (
            restarts(0.1, 0.01, ends=[4, 12]),
            "CosineAnnealingWarmRestarts",
            {"T_0": 4, "T_mult": 2, "eta_min": 0.01},
        ),
    ],
)
def test_courses_are_those_of_torch(course, kind, settings):
    np.testing.assert_allclose(course.values(12), of_torch(kind, 12, **settings), rtol=1e-12)


def test_a_plateau_stands_between_rise_and_fall():
    values = warmup_stable_decay(0.0, 1.0, 0.2, ends=[2, 5, 9]).values(11)
    np.testing.assert_allclose(values, [0, 0.5, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_a_window_may_begin_at_once():
    assert window(9, 1, start=0, end=2).values(4).tolist() == [1, 1, 9, 9]
    assert window(9, 1, start=1, end=2).values(4).tolist() == [9, 1, 9, 9]


def test_time_is_learning_rate_times_step_added_up():
    course = stairs([0.5, 0.25], ends=[1.0], unit="time")
    assert course.values(4).tolist() == [0.5, 0.5, 0.25, 0.25]
    sizes = stairs([10, 20], ends=[1.0], unit="time")
    assert sizes.values(4, np.full(4, 0.25)).tolist() == [10, 10, 10, 10]
    assert sizes.values(4, np.full(4, 0.5)).tolist() == [10, 10, 20, 20]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_given_as_plain_data(kind):
    data = {
        "constant": {"value": 0.1},
        "line": {"first": 0.1, "last": 0.2, "until": 3},
        "cosine": {"first": 0.1, "last": 0.2, "until": 3},
        "stairs": {"values": [0.1, 0.2], "ends": [2]},
        "warm_up": {"first": 0.1, "peak": 0.2, "until": 2},
        "warmup_stable_decay": {"first": 0.1, "peak": 0.2, "last": 0.1, "ends": [1, 2, 3]},
        "restarts": {"first": 0.1, "last": 0.2, "ends": [1, 2]},
        "window": {"outside": 0.1, "inside": 0.2, "start": 1, "end": 2},
    }[kind]
    assert schedule({"kind": kind, **data}) == KINDS[kind](**data)
    assert hash(schedule({"kind": kind, **data}))


@pytest.mark.parametrize(
    ("course", "word"),
    [
        ({"kind": "zigzag"}, "one of constant, line"),
        ({"kind": "line", "first": 1}, "kind line cannot be made"),
        ({"kind": "line", "first": 1, "last": -1, "until": 3}, "never falls below 0"),
        ({"kind": "stairs", "values": [1, 2, 3], "ends": [2, 1]}, "one after the other"),
        ({"kind": "stairs", "values": [1, 2, 3], "ends": [2]}, "2 ends between"),
        ({"kind": "cosine", "first": 1, "last": 2, "until": math.inf}, "must end"),
        ({"kind": "constant", "value": "fast"}, "must be a number"),
        ({"kind": "line", "first": 1, "last": 2, "until": 3, "unit": "epoch"}, "step or time"),
        ("fast", "must be a number"),
        (math.nan, "must be finite"),
    ],
)
def test_odd_schedules_are_refused(course, word):
    with pytest.raises(ValueError, match=word):
        schedule(course)


def test_a_schedule_has_a_piece_of_a_known_shape():
    with pytest.raises(ValueError, match="one piece or more"):
        Schedule(())
    with pytest.raises(ValueError, match="one of hold"):
        Piece(1.0, "wave", 1.0, 1.0)
    assert constant(3).lowest == 3
