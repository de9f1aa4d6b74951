import copy
import itertools
import math

import numpy as np
import pytest
import torch

from valleys.nets.optimizers.freezing import FreezingAwareLR, FreezingMonitor

METHODS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.2),
    "momentum": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.05),
}


def told_by_hand(losses, threshold, window, stay):
    """The first update up to which `stay` + 1 running means in a row lie below the threshold."""
    means = [
        np.mean(losses[n - window : n]) if n >= window else np.inf for n in range(len(losses) + 1)
    ]
    for n in range(stay, len(losses) + 1):
        if all(mean < threshold for mean in means[n - stay : n + 1]):
            return n
    return None


@pytest.mark.parametrize(("window", "stay"), [(1, 0), (5, 0), (5, 7), (20, 3)])
def test_it_tells_the_first_stay_of_a_running_mean_below_the_threshold(window, stay):
    rng = np.random.default_rng(window + stay)
    losses = 0.5 * np.exp(-np.arange(120) / 40) * rng.gamma(2, 0.5, size=120)
    monitor = FreezingMonitor(0.1, window=window, stay=stay)
    told = [monitor.update(loss) for loss in losses]
    expected = told_by_hand(losses, 0.1, window, stay)
    assert expected is not None
    assert monitor.frozen_at == expected
    assert told == [n >= expected for n in range(1, 121)]  # once frozen, for good


@pytest.mark.parametrize(("window", "stay"), [(1, 0), (9, 0), (9, 4), (10, 5)])
def test_the_lag_is_that_of_a_loss_that_falls_in_a_line(window, stay):
    monitor, n_cross = FreezingMonitor(0.1, window=window, stay=stay), 60
    for n in itertools.count(1):
        if monitor.update(0.1 - 1e-3 * (n - n_cross + 1e-6)):  # below from update 60 on
            break
    assert monitor.lag == (window - 1) / 2 + stay
    assert monitor.crossed_at == pytest.approx(n_cross, abs=0.5)
    assert monitor.frozen_at == pytest.approx(n_cross + monitor.lag, abs=0.5)


def test_a_dip_of_one_batch_is_not_freezing_where_it_must_stay():
    losses = [0.5] * 5 + [0.01] + [0.5] * 5
    assert any(map(FreezingMonitor(0.1, window=1).update, losses))
    assert not any(map(FreezingMonitor(0.1, window=1, stay=1).update, losses))


def test_a_monitor_goes_on_where_it_was_left():
    losses = np.random.default_rng(0).gamma(2, 0.06, size=60)
    whole, first = (FreezingMonitor(0.09, window=7, stay=2) for _ in range(2))
    for loss in losses[:31]:
        whole.update(loss)
        first.update(loss)
    second = FreezingMonitor()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for loss in losses[31:]:
        assert whole.update(loss) == second.update(loss)
        assert whole.state_dict() == second.state_dict()
    assert whole.frozen_at is not None


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (math.nan, "the loss of update 3 is nan: training has diverged"),
        (torch.tensor(math.inf), "the loss of update 3 is inf"),
        ("0.1", "must be a number, got '0.1'"),
        (True, "must be a number, got True"),
        (torch.zeros(2), "must be a number"),
        (None, "must be a number, got None"),
    ],
)
def test_what_is_no_loss_is_refused_and_changes_nothing(loss, message):
    monitor = FreezingMonitor(0.1, window=2)
    monitor.update(0.5)
    monitor.update(torch.tensor([0.4]))
    before = copy.deepcopy(monitor.state_dict())
    with pytest.raises(ValueError, match=message):
        monitor.update(loss)
    assert monitor.state_dict() == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, "threshold must be a loss above 0, got 0"),
        ({"threshold": math.nan}, "threshold must be finite"),
        ({"threshold": "low"}, "threshold must be a number"),
        ({"window": 0}, "window must be 1 loss or more"),
        ({"window": 2.5}, "window must be a whole number"),
        ({"stay": -1}, "stay must be 0 updates or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        FreezingMonitor(**settings)


def problem(method, seed=0):
    """Points of two classes, a small network, its optimizer with two groups."""
    torch.manual_seed(seed)
    points = torch.randn(64, 3)
    labels = (points.sum(dim=1) > 0).long()
    model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters()}]
    optimizer = METHODS[method](groups)
    optimizer.param_groups[1]["lr"] *= 0.5
    return model, optimizer, points, labels


def train(model, optimizer, points, labels, steps, after):
    """Batches of eight in turn; `after` is called with the loss of each; rates of each step."""
    rates = []
    for step in steps:
        rows = slice(8 * (step % 8), 8 * (step % 8) + 8)
        loss = torch.nn.functional.cross_entropy(model(points[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        after(loss)
    return rates


def numbers(model):
    return torch.cat([part.detach().flatten() for part in model.parameters()])


@pytest.mark.parametrize("method", METHODS)
def test_training_is_that_of_a_loop_by_hand(method):
    model, optimizer, *data = problem(method)
    scheduler = FreezingAwareLR(optimizer, FreezingMonitor(0.3, window=8, stay=2), factor=0.1)
    rates = train(model, optimizer, *data, range(300), scheduler.step)
    frozen_at = scheduler.monitor.frozen_at
    assert frozen_at is not None
    assert 10 < frozen_at < 250

    by_hand, own, *data = problem(method)
    losses = []

    def after(loss):
        losses.append(loss.item())
        if told_by_hand(losses, 0.3, 8, 2) == len(losses):
            for group in own.param_groups:
                group["lr"] *= 0.1

    assert train(by_hand, own, *data, range(300), after) == rates
    assert torch.equal(numbers(model), numbers(by_hand))
    high, low = rates[0], rates[-1]
    assert rates == [high] * frozen_at + [low] * (300 - frozen_at)
    np.testing.assert_allclose(low, [0.1 * rate for rate in high], rtol=1e-12)


def test_the_fall_may_be_half_a_cosine():
    _, optimizer, *_ = problem("sgd")
    scheduler = FreezingAwareLR(optimizer, FreezingMonitor(0.1, window=1), factor=0.2, n_steps=10)
    rates = []
    for step in range(20):
        optimizer.step()
        scheduler.step(0.5 if step < 5 else 0.05)
        rates.append(optimizer.param_groups[0]["lr"])
    fall = [0.2 + 0.8 * (1 + math.cos(math.pi * k / 10)) / 2 for k in range(1, 11)]
    np.testing.assert_allclose(rates, 0.2 * np.array([1.0] * 5 + fall + [0.2] * 5), rtol=1e-12)
    assert scheduler.get_last_lr() == [rates[-1], rates[-1] / 2]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stop", [20, 140])
def test_a_resumed_training_is_the_same_to_the_last_bit(method, stop, tmp_path):
    settings = {"factor": 0.1, "n_steps": 30}

    def begin():
        model, optimizer, *data = problem(method)
        monitor = FreezingMonitor(0.3, window=8, stay=2)
        return model, optimizer, data, FreezingAwareLR(optimizer, monitor, **settings)

    model, optimizer, data, scheduler = begin()
    whole = train(model, optimizer, *data, range(250), scheduler.step)
    assert whole[-1] != whole[0]

    first, own, data, waiting = begin()
    before = train(first, own, *data, range(stop), waiting.step)
    state = {"model": first, "optimizer": own, "scheduler": waiting}
    torch.save({name: each.state_dict() for name, each in state.items()}, tmp_path / "state")

    second, own, data, waiting = begin()
    kept = torch.load(tmp_path / "state", weights_only=True)
    for name, each in {"model": second, "optimizer": own, "scheduler": waiting}.items():
        each.load_state_dict(kept[name])
    after = train(second, own, *data, range(stop, 250), waiting.step)
    assert before + after == whole
    assert torch.equal(numbers(second), numbers(model))
    assert waiting.monitor.state_dict() == scheduler.monitor.state_dict()


def test_it_acts_beside_a_warm_up():
    _, optimizer, *_ = problem("sgd")
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    scheduler = FreezingAwareLR(optimizer, FreezingMonitor(0.1, window=1), factor=0.5)
    rates = []
    for step in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        warm.step()
        scheduler.step(0.5 if step < 6 else 0.05)
    expected = [0.1, 0.125, 0.15, 0.175, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_without_freezing_nothing_changes():
    model, optimizer, *data = problem("adam")
    rates = train(model, optimizer, *data, range(50), FreezingAwareLR(optimizer, 1e-9).step)
    plain, own, *data = problem("adam")
    assert train(plain, own, *data, range(50), lambda _: None) == rates
    assert torch.equal(numbers(model), numbers(plain))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 0}, "factor must lie above 0 and below 1, got 0"),
        ({"factor": 1.0}, "factor must lie above 0 and below 1"),
        ({"n_steps": 0}, "n_steps must be 1 or more"),
        ({"monitor": -1.0}, "threshold must be a loss above 0"),
        ({"monitor": "soon"}, "threshold must be a number"),
    ],
)
def test_bad_settings_are_refused_and_leave_the_optimizer_as_it_is(settings, message):
    _, optimizer, *_ = problem("sgd")
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        FreezingAwareLR(optimizer, **settings)
    assert optimizer.state_dict() == before


def test_a_step_without_a_loss_and_a_foreign_state_are_refused():
    _, optimizer, *_ = problem("sgd")
    scheduler = FreezingAwareLR(optimizer)
    with pytest.raises(ValueError, match=r"scheduler\.step\(loss\)"):
        scheduler.step()
    with pytest.raises(ValueError, match="must hold that of its monitor"):
        scheduler.load_state_dict({"last_epoch": 3})
    with pytest.raises(ValueError, match="must hold frozen_at, losses"):
        scheduler.monitor.load_state_dict(
            {"window": 3, "stay": 0, "threshold": 1.0, "n_below": 0, "n_updates": 1}
        )
    with pytest.raises(TypeError, match="not an Optimizer"):
        FreezingAwareLR(torch.nn.Linear(1, 1))
