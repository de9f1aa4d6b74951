"""Studies of schedules: small ones, whole."""

import numpy as np
import pytest

from valleys.results.grid import Grid
from valleys.toy.experiments import schedules as studies

SMALL = {"n_pieces": 200, "n_changes": 30, "n_guesses": 2}


@pytest.fixture(scope="module")
def found():
    return studies.schedules(studies.SchedulesSpec(150.0, **SMALL))


def test_the_best_ends_highest_by_any_way_to_look_for_a_better_one(found):
    ends = found.p_flat.isel(border=-1)
    assert str(found.schedule[int(ends.argmax())].values) == studies.BEST
    best = float(ends.sel(schedule=studies.BEST))
    assert (found.changed < best).all()
    assert (found.descended <= best).all()
    np.testing.assert_allclose(found.descended, best, atol=5e-6)
    assert (found.by_rates < best).all()


def test_runs_meet_the_master_equation_of_the_same_blocks():
    spec = studies.SteppedSpec(
        100.0, "with the ridge", n_pieces=200, learning_rate=0.05, n_runs=2000
    )
    runs, exact = studies.runs(spec), studies.stepped(spec)
    end = runs.isel(record=-1)
    assert abs(end.p_flat - exact.p_flat) < 4 * end.p_flat_error
    assert float(end.time) == pytest.approx(100.0)
    assert float(end.diverged) == 0
    limit = studies.small_steps(studies.FollowedSpec(100.0, "with the ridge", n_pieces=200))
    assert abs(float(limit.p_flat) - float(exact.p_flat)) < 0.03


def test_equal_seeds_give_equal_runs_and_grids_line_up():
    grid = Grid.of(
        studies.SteppedSpec,
        {"learning_rate": (0.1, 0.05)},
        duration=50.0,
        n_pieces=100,
        n_runs=200,
    )
    parts = [studies.runs(cell) for cell in grid.cells()]
    again = studies.runs(grid.cells()[0])
    assert parts[0].identical(again)
    assert grid.assemble(parts).p_flat.dims == ("learning_rate", "record")


def test_samples_are_spent_to_the_last_one():
    found = studies.budgets(studies.BudgetsSpec(1e5, n_pieces=120))
    lengths = np.diff(found.samples)
    assert float(found.samples[-1]) == pytest.approx(1e5)
    for spending in studies.SPENDINGS:
        row = found.sel(spending=spending)
        assert float((row.noise * lengths).sum()) == pytest.approx(float(row.time[-1]))
    ends = found.p_flat.isel(border=-1)
    assert str(found.spending[int(ends.argmax())].values) == studies.BEST


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        (lambda: studies.SchedulesSpec(0.0), "duration"),
        (lambda: studies.SchedulesSpec(10.0, start_p=1.0), "start_p"),
        (lambda: studies.SchedulesSpec(10.0, n_guesses=0), "n_guesses"),
        (lambda: studies.FollowedSpec(10.0, "saw"), "saw"),
        (lambda: studies.SteppedSpec(0.1, learning_rate=0.05), "ten steps"),
        (lambda: studies.SteppedSpec(10.0, n_runs=3), "even"),
        (lambda: studies.BudgetsSpec(10.0), "n_samples"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(ask, word):
    with pytest.raises(ValueError, match=word):
        ask()
