import dataclasses

import numpy as np
import pytest

from valleys.nets.experiments.neighbours.clouds import CloudSpec, clouds, spread

SPEC = CloudSpec(train_per_class=10, batch_size=20, learning_rate=0.1, n_runs=2, n_copies=3)


@pytest.fixture(scope="module")
def found():
    return clouds(SPEC)


def test_two_copies_on_both_sides_are_told_apart_from_one_that_moves():
    moved = np.array([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 3.0], [0.0, 3.0]]])
    np.testing.assert_allclose(spread(moved), [[1.0, 9.0], [2.0, 0.0]])


def test_independent_copies_are_apart_by_their_variance():
    moved = 5 + 0.5 * np.random.default_rng(0).standard_normal((4000, 3, 7))
    assert spread(moved)[1].mean() == pytest.approx(7 * 0.25, rel=0.05)


def test_copies_part_and_averages_lie_between_them(found):
    assert found.sizes == {"moment": 2, "run": 2, "look": 12}
    assert (found.moved > 0).all()
    assert (found.apart.diff("look").mean("look") > 0).all()
    assert found.lag.values[0] == 1
    assert (np.diff(found.lag) >= 0).all()
    assert (found.average_loss > 0).all()
    assert ((found.average_accuracy > 0.3) & (found.average_accuracy < 1)).all()


def test_the_later_copies_begin_with_lower_losses(found):
    assert (found.last_loss.sel(moment=2.0) < found.last_loss.sel(moment=0.5)).all()


def test_what_makes_no_sense_is_refused():
    for wrong in ({"moments": (1.0, 1.0)}, {"window": 0.0}, {"n_copies": 1}, {"n_lags": 2}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(SPEC, **wrong)
