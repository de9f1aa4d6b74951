from dataclasses import replace

import numpy as np
import pytest
import torch

from valleys.nets.engine import reference, training
from valleys.nets.engine.networks import descend, forward, initialize, interpolate, join
from valleys.nets.engine.plain import descend_from_branches
from valleys.nets.engine.problem import streams
from valleys.nets.engine.training import (
    Samples,
    batches,
    evaluate,
    plan,
    record_steps,
    train,
)


def _generators(count, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


def _distance(networks, index, module):
    """Largest difference in any weight or bias."""
    mine = [
        part[index].reshape(-1)
        for pair in zip(networks.weights, networks.biases, strict=True)
        for part in pair
    ]
    return (
        (torch.cat(mine) - torch.nn.utils.parameters_to_vector(module.parameters()))
        .abs()
        .max()
        .item()
    )


def test_initialization_is_kaiming_normal_with_zero_biases():
    start = initialize(784, seed=0, hidden=(400, 300))
    for weight, n_in in zip(start.weights, (784, 400, 300), strict=True):
        assert weight.shape[2] == n_in
        assert weight.std().item() == pytest.approx((2 / n_in) ** 0.5, rel=0.05)
        assert abs(weight.mean().item()) < 5 * (2 / n_in / weight.numel()) ** 0.5
    assert all(not bias.any() for bias in start.biases)


def test_one_seed_gives_one_initialization():
    first, same, other = initialize(64, 1), initialize(64, 1), initialize(64, 2)
    assert torch.equal(first.weights[0], same.weights[0])
    assert not torch.equal(first.weights[0], other.weights[0])


def test_scores_are_those_of_torch_layers(digits):
    networks = join([initialize(64, seed) for seed in range(3)])
    _, scores = forward(networks, digits.images)
    for index in range(3):
        torch.testing.assert_close(
            scores[index].T,
            reference.as_module(networks, index)(digits.images),
            atol=1e-5,
            rtol=1e-5,
        )


@pytest.mark.parametrize("shared", [True, False], ids=["one batch for all", "a batch for each"])
def test_closed_form_gradients_are_autograd_in_float64(blobs, shared):
    networks = join(
        [initialize(5, seed, hidden=(7, 6), n_classes=3).to(torch.float64) for seed in range(3)]
    )
    chosen = (
        torch.arange(30) if shared else torch.stack([torch.randperm(30)[:12] for _ in range(3)])
    )
    modules = [reference.as_module(networks, index) for index in range(3)]
    descend(networks, blobs.images[chosen], blobs.labels[chosen], learning_rate=1.0)  # θ − ∇L
    for index, module in enumerate(modules):
        mine = chosen if shared else chosen[index]
        torch.nn.functional.cross_entropy(module(blobs.images[mine]), blobs.labels[mine]).backward()
        for parameter in module.parameters():
            assert parameter.grad is not None
            parameter.data -= parameter.grad
        assert _distance(networks, index, module) < 1e-10


# In float32 a sum over a batch is rounded to about 1e-6 of itself. Where that switches a unit at
# its kink on for one of the two only, a step differs by η · slope · input / B, up to 1e-4 at
# η = 0.2, and chaos makes more of it from step to step.
@pytest.mark.parametrize(
    ("learning_rate", "batch_size"), [(0.05, 50), (0.1, 10), (0.1, 300), (0.2, 1000)]
)
@pytest.mark.parametrize(
    ("dtype", "n_steps", "tolerance"), [(torch.float64, 200, 1e-10), (torch.float32, 10, 5e-4)]
)
def test_many_steps_are_those_of_a_plain_torch_loop(
    digits, learning_rate, batch_size, dtype, n_steps, tolerance
):
    samples = Samples(digits.images.to(dtype), digits.labels)
    networks = initialize(64, 0).to(dtype).repeat(5)
    modules = [reference.as_module(networks, index) for index in range(5)]
    options = {"learning_rate": learning_rate, "batch_size": batch_size, "n_steps": n_steps}
    train(networks, samples, **options, streams=_generators(5), visits={})
    for index, (module, stream) in enumerate(zip(modules, _generators(5), strict=True)):
        reference.train(module, samples, **options, stream=stream)
        assert _distance(networks, index, module) < tolerance


def test_each_epoch_shows_every_sample_once_in_a_new_order():
    orders = batches(10, 4, _generators(2))
    epochs = [[next(orders) for _ in range(3)] for _ in range(2)]
    for epoch in epochs:
        # as a DataLoader with drop_last=False
        assert [batch.shape[1] for batch in epoch] == [4, 4, 2]
        for run in range(2):
            assert sorted(torch.cat([batch[run] for batch in epoch]).tolist()) == list(range(10))
    first, second = (torch.cat(epoch, dim=1) for epoch in epochs)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_streams_are_named_by_the_run_and_not_by_the_order_of_work():
    few, many = streams(0, 50, 0.1, 2), streams(0, 50, 0.1, 5)
    for one, same in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.permutation(100), same.permutation(100))
    names = [(0, 50, 0.1), (1, 50, 0.1), (0, 20, 0.1), (0, 50, 0.2)]
    drawn = {tuple(stream.permutation(100)) for name in names for stream in streams(*name, 3)}
    assert len(drawn) == 12


def test_a_run_does_not_depend_on_its_neighbours(digits):
    together, alone = initialize(64, 0).repeat(3), initialize(64, 0)
    options = {"learning_rate": 0.1, "batch_size": 20, "n_steps": 100, "visits": {}}
    train(together, digits, **options, streams=_generators(3))
    train(alone, digits, **options, streams=_generators(3)[2:])
    torch.testing.assert_close(together.weights[1][2], alone.weights[1][0], atol=1e-6, rtol=1e-5)


def test_full_batches_are_gradient_descent_whatever_the_stream(digits):
    ends = []
    for seed in (1, 2):
        networks = initialize(64, 0)
        train(
            networks,
            digits,
            learning_rate=0.1,
            batch_size=1000,
            n_steps=50,
            streams=_generators(1, seed),
            visits={},
        )
        ends.append(networks.weights[1])
    assert torch.equal(*ends)


def test_loss_and_errors_are_those_of_torch(digits):
    networks = initialize(64, 4)
    scores, found = reference.as_module(networks)(digits.images), evaluate(networks, digits)
    assert found.loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(scores, digits.labels).item(), rel=1e-5
    )
    assert torch.equal(found.misclassified[0], scores.argmax(1) != digits.labels)
    assert found.accuracy.item() == pytest.approx(
        (scores.argmax(1) == digits.labels).float().mean().item()
    )


def test_a_network_that_is_not_finite_leaves_its_neighbour_alone(digits):
    networks = initialize(64, 0).repeat(2)
    networks.weights[0][1] *= 1e30
    train(
        networks,
        digits,
        learning_rate=0.1,
        batch_size=50,
        n_steps=20,
        streams=_generators(2),
        visits={},
    )
    assert networks.alive.tolist() == [True, False]
    found = evaluate(networks, digits)
    assert torch.isnan(found.accuracy).tolist() == [False, True]
    assert found.misclassified[1].all()


def test_a_network_that_is_not_finite_is_trained_no_more(digits, monkeypatch):
    trained = []
    original = training.descend
    monkeypatch.setattr(
        training,
        "descend",
        lambda networks, *rest: (trained.append(len(networks)), original(networks, *rest)),
    )
    networks = initialize(64, 0).repeat(3)
    networks.weights[0][1] *= 1e30
    options = {"learning_rate": 0.1, "batch_size": 50, "n_steps": 40}
    train(
        networks,
        digits,
        **options,
        streams=_generators(3),
        visits=plan(((10, 20), lambda *_: None)),
    )
    assert trained == [3] * 10 + [2] * 30
    assert networks.alive.tolist() == [True, False, True]
    for index in (0, 2):
        module = reference.as_module(initialize(64, 0))
        reference.train(module, digits, **options, stream=_generators(3)[index])
        assert _distance(networks, index, module) < 1e-4


def test_training_stops_once_nothing_is_finite(digits):
    networks, seen = initialize(64, 0), []
    visits = plan((range(0, 101, 10), lambda step, _: seen.append(step)))
    train(
        networks,
        digits,
        learning_rate=1e6,
        batch_size=50,
        n_steps=100,
        streams=_generators(1),
        visits=visits,
    )
    assert seen[0] == 0
    assert seen[-1] < 100


def test_records_are_equally_spaced_and_include_both_ends():
    assert record_steps(100, 5).tolist() == [0, 25, 50, 75, 100]
    assert record_steps(10, 4).tolist() == [0, 3, 7, 10]


def test_branches_are_gradient_descent_from_where_they_were_left(digits):
    """In float64: gradient descent at this rate makes rounding grow."""
    digits = replace(digits, images=digits.images.double())
    branches = {}

    def leave(step, networks):
        branches[step] = networks.copy()

    train(
        initialize(64, 0).repeat(2).to(torch.float64),
        digits,
        learning_rate=0.1,
        batch_size=20,
        n_steps=30,
        streams=_generators(2),
        visits=plan(((0, 10, 30), leave)),
    )
    seen = {}
    visits = plan(((5, 10, 40), lambda step, stack: seen.update({step: len(stack)})))
    ends = descend_from_branches(branches, digits, learning_rate=0.1, n_steps=40, visits=visits)
    assert seen == {5: 2, 10: 4, 40: 6}
    for position, step in enumerate((0, 10, 30)):
        alone = branches[step].copy()
        train(
            alone,
            digits,
            learning_rate=0.1,
            batch_size=1000,
            n_steps=40 - step,
            streams=_generators(2),
            visits={},
        )
        torch.testing.assert_close(
            ends.weights[1][2 * position : 2 * position + 2], alone.weights[1], atol=1e-9, rtol=1e-7
        )


def test_branches_at_their_start_are_left_untouched(digits):
    branch = initialize(64, 0)
    before = branch.copy()
    descend_from_branches(
        {0: branch, 3: branch.copy()}, digits, learning_rate=0.1, n_steps=5, visits={}
    )
    assert torch.equal(branch.weights[0], before.weights[0])


def test_interpolation_runs_from_the_second_to_the_first():
    first, second = initialize(4, 0), initialize(4, 1)
    path = interpolate(first, second, torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(path.weights[0][0], second.weights[0][0])
    assert torch.equal(path.weights[0][2], first.weights[0][0])
    torch.testing.assert_close(
        path.weights[2][1], 0.25 * first.weights[2][0] + 0.75 * second.weights[2][0]
    )


def test_small_groups_are_the_whole_stack(digits, monkeypatch):
    ends = []
    for size in (1, 3000):
        monkeypatch.setattr(training, "SAMPLES_IN_CACHE", size)
        start = join([initialize(64, seed) for seed in range(3)])
        ends.append(
            descend_from_branches(
                {0: start}, digits, learning_rate=0.1, n_steps=10, visits={}
            ).weights[1]
        )
    torch.testing.assert_close(*ends)
