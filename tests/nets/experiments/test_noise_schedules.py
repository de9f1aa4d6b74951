import dataclasses

import numpy as np
import pytest
import torch

from valleys.nets import load_problem
from valleys.nets.engine.convolutional import small_network as small
from valleys.nets.engine.networks import descend
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import train_ensemble
from valleys.nets.experiments.noise_schedules import courses
from valleys.nets.experiments.noise_schedules.courses import Reference, Stretch, course, names
from valleys.nets.experiments.noise_schedules.study import (
    NoiseScheduleSpec,
    flatnesses,
    noise_schedule,
)
from valleys.nets.experiments.noise_schedules.ways import Orders, Way
from valleys.nets.measures.gradient_noise import batch_factor
from valleys.results.grid import Grid, computed

REFERENCE = Reference(
    batch_size=50,
    learning_rate=0.05,
    training_time=40.0,
    calm_batch_size=500,
    strong_batch_size=20,
    n_train=1000,
    freezing_time=16.0,
)
SPEC = NoiseScheduleSpec(
    train_per_class=10,
    start=3,
    batch_size=10,
    learning_rate=0.1,
    training_time=30.0,
    calm_batch_size=50,
    strong_batch_size=5,
    tail_batch_size=25,
    n_runs=3,
    levels=(0.03, 0.02),
    window=10,
    stay=5,
)


def totals(stretches):
    """Steps, samples, ηt and mean noise over ηt, over that of the constant schedule."""
    rows = [(each.n_steps, each.learning_rate, each.batch_size) for each in stretches]
    steps, rates, sizes = np.array(rows).T
    noises = np.array([batch_factor(int(size), 1000) for size in sizes]) / batch_factor(50, 1000)
    time = steps * rates
    return steps.sum(), steps @ sizes, time.sum(), time @ noises / time.sum()


@pytest.mark.parametrize("name", [name for name in courses.NOISES if name != "calm"])
def test_at_equal_time_courses_of_noise_have_one_dose(name):
    steps, _, time, noise = totals(course(name, "time", REFERENCE))
    assert (steps, time) == (800, pytest.approx(40.0))
    assert noise == pytest.approx(1, rel=0.02)  # whole batch sizes


@pytest.mark.parametrize(
    "name", ["constant", "rising", "falling", "search_rising", "search_falling"]
)
def test_at_equal_samples_courses_of_noise_have_one_mean_batch_size(name):
    steps, samples, time, noise = totals(course(name, "samples", REFERENCE))
    assert (steps, time) == (800, pytest.approx(40.0))
    assert samples == pytest.approx(40_000, rel=0.01)
    assert (noise > 1.1) == (name != "constant")


@pytest.mark.parametrize("name", courses.RATES)
def test_courses_of_the_learning_rate_keep_to_their_budget_and_their_peak(name):
    *_, time, _ = totals(course(name, "time", REFERENCE))
    assert time == pytest.approx(40.0, rel=2e-3)
    by_samples = course(name, "samples", REFERENCE)
    assert totals(by_samples)[:2] == (800, 40_000)
    assert totals(by_samples)[2] < 39
    assert max(each.learning_rate for each in by_samples) <= 0.05
    assert len(by_samples) < 70


def test_lines_rise_and_fall_where_they_say():
    rising, falling = (
        [each.batch_size for each in course(name, "time", REFERENCE)]
        for name in ("rising", "falling")
    )
    assert rising == sorted(rising, reverse=True)
    assert falling == rising[::-1]
    assert rising[-1] == REFERENCE.size(1.87)  # the middle of its last piece
    search = course("search_rising", "time", REFERENCE)
    assert (search[-1].batch_size, search[-1].n_steps) == (50, 480)  # from step 320 on
    assert search[0].batch_size > 240


@pytest.mark.parametrize(
    ("name", "share"), [("decay_before", 0.5), ("decay_at", 1.0), ("decay_after", 1.5)]
)
@pytest.mark.parametrize("budget", courses.BUDGETS)
def test_decays_begin_before_at_and_after_freezing(name, share, budget):
    first, *others = course(name, budget, REFERENCE)
    assert first.learning_rate == 0.05
    assert first.n_steps == pytest.approx(share * 320, abs=1)
    last = [each.learning_rate for each in others]
    assert last == sorted(last, reverse=True)
    assert last[-1] == pytest.approx(0.005, rel=0.1)


def test_early_and_late_noise_part_at_freezing():
    early, late = (course(name, "time", REFERENCE) for name in ("early", "late"))
    assert [each.n_steps for each in early] == [each.n_steps for each in late] == [320, 480]
    assert early[1].batch_size == late[0].batch_size == 500
    assert early[0].batch_size < late[1].batch_size < 50


def test_what_is_left_after_a_rule_uses_the_budget_up():
    for budget, name, expected in (
        ("samples", "aware_size", Stretch(40, 0.05, 500)),
        ("samples", "aware_rate", Stretch(400, 0.005, 50)),
        ("time", "aware_size", Stretch(400, 0.05, 500)),
        ("time", "aware_rate", Stretch(4000, 0.005, 50)),
    ):
        left = courses.rest(name, budget, REFERENCE, 400)
        assert dataclasses.astuple(left) == pytest.approx(dataclasses.astuple(expected))


def test_batch_sizes_and_noises_belong_together():
    for size in (10, 50, 333, 1000):
        assert REFERENCE.size(REFERENCE.noise(size)) == size


def test_orders_go_on_in_the_middle_of_an_epoch():
    """However a training is cut, every sample comes once an epoch."""
    order, seen, rng = Orders.of(np.random.default_rng(5)), [], np.random.default_rng(6)
    whole = np.random.default_rng(5)
    expected = np.concatenate([whole.permutation(30) for _ in range(40)])
    for _ in range(40):
        size, n_steps, started = int(rng.integers(1, 12)), int(rng.integers(1, 9)), order.left.size
        rest = np.empty(0, int)
        for _ in range(n_steps):
            rest = rest if rest.size else order.permutation(30)
            seen.append(rest[:size])
            rest = rest[size:]
        order.leave(started, 30, n_steps, size)
    found = np.concatenate(seen)
    np.testing.assert_array_equal(found, expected[: len(found)])


def test_a_training_in_stretches_is_the_whole_one():
    problem = load_problem("digits", train_per_class=10, seed=3)

    def trained(*lengths):
        way = Way.begin(problem.start.repeat(2), problem.train, (1.0, 0.3))
        orders = [Orders.of(np.random.default_rng(run)) for run in range(2)]
        for length in lengths:
            way.advance(Stretch(length, 0.1, 12), orders)
        return way

    whole, parts = trained(90), trained(13, 27, 1, 49)
    assert torch.equal(whole.networks.flat(), parts.networks.flat())
    assert np.isfinite(whole.first).all()
    np.testing.assert_array_equal(whole.first, parts.first)
    assert torch.equal(whole.copies.flat(), parts.copies.flat())
    assert whole.spent() == parts.spent()


@pytest.fixture(scope="module")
def constant():
    return noise_schedule(SPEC)


@pytest.fixture(scope="module")
def ensemble():
    """The constant schedule as any ensemble of the library."""
    problem = load_problem("digits", train_per_class=10, seed=3)
    return train_ensemble(
        problem,
        n_runs=3,
        batch_size=10,
        learning_rate=0.1,
        training_time=30.0,
        n_records=2,
        thresholds=(0.1, 0.03, 0.02),
        seed=SPEC.order_seed,
    )


def test_the_constant_schedule_is_an_ensemble_of_its_start(constant, ensemble):
    np.testing.assert_allclose(constant.freezing_time, ensemble.freezing_time(0.1))
    assert float(constant.reference_freezing_time) == pytest.approx(
        ensemble.freezing_time(0.1).mean()
    )
    np.testing.assert_array_equal(constant.end_loss, ensemble.records.train_loss[:, -1])
    np.testing.assert_allclose(constant.end_flatness, ensemble.flatness)
    right = evaluate(ensemble.networks, ensemble.problem.full_test).accuracy
    np.testing.assert_allclose(constant.end_accuracy, right)
    assert np.isnan(constant.told_time).all()
    assert (constant.steps == 300).all()
    dose = 300 * 0.1**2 * batch_factor(10, 100)
    np.testing.assert_allclose(constant.dose, dose)


def test_levels_are_passed_in_the_tail_where_not_before(constant, ensemble):
    for level in (0.03, 0.02):
        found, early = constant.level_time.sel(level=level), ensemble.freezing_time(level)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, np.where(np.isfinite(early), early, found))
        assert (np.isfinite(early) | (found > 30)).all()
    assert (constant.level_flatness > 0).all()


def test_a_rule_without_a_sign_ends_as_the_constant_schedule(constant):
    blind = dataclasses.replace(SPEC, window=301)
    for schedule in courses.RULES:
        found = noise_schedule(dataclasses.replace(blind, schedule=schedule))
        np.testing.assert_array_equal(found.end_loss, constant.end_loss)
        np.testing.assert_array_equal(found.freezing_time, constant.freezing_time)
        assert np.isnan(found.told_time).all()


def test_a_rule_is_a_loop_by_hand():
    """Batch losses before each update, their running mean, and a tenth of the rate once it has
    stayed below the threshold.
    """
    found = noise_schedule(dataclasses.replace(SPEC, schedule="aware_rate", budget="samples"))
    problem = load_problem("digits", train_per_class=10, seed=3)
    network, stream = problem.start.copy(), SPEC.orders()[1]
    losses, told, order = [], None, np.empty(0, int)
    for step in range(300):
        if told is not None:
            break
        order = order if order.size else stream.permutation(100)
        batch = problem.train.pick(torch.from_numpy(order[:10].copy()))
        order = order[10:]
        losses.append(float(evaluate(network, batch).loss[0]))
        descend(network, batch.images, batch.labels, 0.1)
        means = [np.mean(losses[n - 10 : n]) for n in range(step - 4, step + 2) if n >= 10]
        told = step + 1 if len(means) == 6 and max(means) < 0.1 else None
    assert told is not None
    assert float(found.told_time[1]) == pytest.approx(0.1 * told)
    assert float(found.judged_time[1]) == pytest.approx(0.1 * np.ceil(told - 9.5))
    assert float(found.steps[1]) == 300
    assert float(found.time[1]) == pytest.approx(0.1 * told + 0.01 * (300 - told))
    assert (found.freezing_time <= found.told_time).all()


def test_schedules_that_begin_alike_are_alike_until_they_part(constant):
    late = noise_schedule(dataclasses.replace(SPEC, schedule="decay_after", budget="samples"))
    np.testing.assert_array_equal(late.freezing_time, constant.freezing_time)
    assert not np.array_equal(late.end_loss, constant.end_loss)


def test_flatness_is_of_the_second_matrix(ensemble):
    found = flatnesses(ensemble.networks, ensemble.problem, [0, 2])
    np.testing.assert_allclose(found[[0, 2]], ensemble.flatness[[0, 2]])
    assert np.isnan(found[1])


@pytest.mark.slow
def test_a_convolutional_network_goes_the_general_way():
    short = {"training_time": 80.0, "n_runs": 2, "levels": (0.05,), "longest_tail": 10.0}
    spec = dataclasses.replace(SPEC, channels=(4, 8), learning_rate=0.2, **short)
    found = noise_schedule(spec)
    problem = load_problem(
        "digits", train_per_class=10, seed=3, model=lambda: small((8, 8), 10, (4, 8))
    )
    runs = train_ensemble(
        problem,
        n_runs=2,
        batch_size=10,
        learning_rate=0.2,
        training_time=80.0,
        n_records=2,
        thresholds=(0.1,),
        seed=spec.order_seed,
    )
    np.testing.assert_allclose(found.freezing_time, runs.freezing_time(0.1), atol=0.2)
    np.testing.assert_allclose(found.end_loss, runs.records.train_loss[:, -1], rtol=0.05)
    by_rule = noise_schedule(dataclasses.replace(spec, schedule="aware_size"))
    assert (by_rule.told_time < 80).all()


def test_a_grid_has_a_dimension_of_schedules():
    short = {"n_runs": 2, "levels": (0.05,)}
    spec = dataclasses.replace(SPEC, **short)
    grid = Grid(spec, (("start", (3,)), ("schedule", ("constant", "step"))))
    found = computed(noise_schedule, grid)
    assert found.level_flatness.dims == ("start", "schedule", "run", "level")
    assert found.schedule.values.tolist() == ["constant", "step"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schedule": "noisy"}, "schedule must be one of constant, rising"),
        ({"schedule": "late", "budget": "samples"}, "at equal samples, got 'late'"),
        ({"budget": "money"}, "budget must be one of time, samples"),
        ({"calm_batch_size": 100}, "must rise, and stay below the 100 training samples"),
        ({"strong_batch_size": 10}, "must rise"),
        ({"levels": (0.2, 0.1)}, "levels"),
        ({"n_runs": 1}, "n_runs must be 2 or more"),
        ({"channels": (0,)}, "channels"),
        ({"tail_batch_size": 101}, "batch_size"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        dataclasses.replace(SPEC, **values)
    assert "\n" not in str(refused.value)


def test_runs_that_never_freeze_are_an_error_with_a_way_out():
    with pytest.raises(ValueError, match="train longer, or change learning_rate"):
        noise_schedule(dataclasses.replace(SPEC, training_time=0.5))


def test_names_begin_with_the_constant_schedule():
    for budget in courses.BUDGETS:
        assert names(budget)[0] == "constant"
    assert set(names("time")) - set(names("samples")) == {"early", "late", "calm"}
