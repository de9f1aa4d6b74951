import numpy as np
import pytest
import torch

from valleys.nets.engine import blas, compiled, training
from valleys.nets.engine.networks import initialize, join
from valleys.nets.engine.training import Samples


def generators(count, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


def samples(n_samples, n_features, dtype):
    rng = np.random.default_rng(5)
    labels = np.arange(n_samples) % 3
    images = rng.standard_normal((n_samples, n_features))
    return Samples.of(images, labels, dtype=dtype)


def stack(n_features, hidden, dtype, count=3):
    every = [initialize(n_features, seed, hidden=hidden, n_classes=3) for seed in range(count)]
    return join(every).to(dtype)


def furthest(first, second):
    return max(
        (one - two).abs().max().item()
        for one, two in zip(
            first.weights + first.biases, second.weights + second.biases, strict=True
        )
    )


@pytest.fixture(params=[True, False], ids=["small products", "whole products"])
def products(request, monkeypatch):
    """With and without a way of its own for small products, whatever the processor."""
    monkeypatch.setattr(blas, "takes_small", lambda: request.param)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 3e-5)])
@pytest.mark.parametrize("hidden", [(7,), (50, 50), (33, 17, 5)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 8, 32, 47, 60])
def test_the_loop_is_the_engine_step_by_step(dtype, tolerance, hidden, batch_size):
    data = samples(60, 37, dtype)
    own, theirs = stack(37, hidden, dtype), stack(37, hidden, dtype)
    settings = {"learning_rate": 0.05, "batch_size": batch_size, "n_steps": 12, "visits": {}}
    compiled.train(own, data, streams=generators(3), **settings)
    training.train(theirs, data, streams=generators(3), **settings)
    assert furthest(own, theirs) < tolerance


@pytest.mark.usefixtures("products")
def test_products_as_large_as_those_of_the_paper():
    data = samples(200, 588, torch.float64)
    own, theirs = (stack(588, (50, 50), torch.float64) for _ in "ab")
    settings = {"learning_rate": 0.01, "batch_size": 130, "n_steps": 3, "visits": {}}
    compiled.train(own, data, streams=generators(3), **settings)
    training.train(theirs, data, streams=generators(3), **settings)
    assert furthest(own, theirs) < 1e-11


def test_visits_see_each_network_before_the_update_of_their_step():
    data, seen = samples(60, 5, torch.float64), {}
    for train in (compiled.train, training.train):
        networks = stack(5, (4,), torch.float64)
        found = seen.setdefault(train, [])
        train(
            networks,
            data,
            learning_rate=0.1,
            batch_size=25,
            n_steps=10,
            streams=generators(3),
            visits=dict.fromkeys(
                (0, 1, 4, 10), lambda step, now, f=found: f.append((step, now.copy()))
            ),
        )
    for (step, own), (other, theirs) in zip(*seen.values(), strict=True):
        assert step == other
        assert furthest(own, theirs) < 1e-12


def test_a_network_that_is_lost_stays_so_and_leaves_the_others_alone():
    data = samples(60, 5, torch.float32)
    networks, alone = (stack(5, (4, 4), torch.float32) for _ in "ab")
    networks.weights[0][1, 0, 0] = torch.nan
    settings = {"learning_rate": 0.05, "batch_size": 20, "n_steps": 5, "visits": {}}
    for each in (networks, alone):
        compiled.train(each, data, streams=generators(3), **settings)
    assert networks.alive.tolist() == [True, False, True]
    torch.testing.assert_close(networks.weights[0][[0, 2]], alone.weights[0][[0, 2]])


def test_a_step_that_overflows_is_seen(digits):
    networks = initialize(64, seed=0).repeat(2)
    compiled.train(
        networks,
        digits,
        learning_rate=1e6,
        batch_size=50,
        n_steps=200,
        streams=generators(2),
        visits={100: lambda step, now: None},
    )
    assert not networks.alive.any()


def test_it_ends_early_once_no_network_is_finite():
    data, networks, seen = samples(60, 5, torch.float32), stack(5, (4,), torch.float32), []
    for weight in networks.weights:
        weight.fill_(torch.nan)
    compiled.train(
        networks,
        data,
        learning_rate=0.1,
        batch_size=20,
        n_steps=10,
        streams=generators(3),
        visits=dict.fromkeys((1, 5), lambda step, now: seen.append(step)),
    )
    assert seen == [1]


def test_what_the_loop_cannot_take_is_known():
    networks = stack(5, (4,), torch.float32)
    assert compiled.fits(networks)
    turned = type(networks)(tuple(weight.mT for weight in networks.weights), networks.biases)
    assert not compiled.fits(turned)
    assert not compiled.fits(networks.to("meta"))
