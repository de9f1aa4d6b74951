import numpy as np
import pytest
import torch

from valleys.nets.engine import compiled, training
from valleys.nets.engine.kernels import blas
from valleys.nets.engine.networks import initialize, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.training import Samples, evaluate

# One process compiles the loop for both modules: two at once would compile the same.
pytestmark = pytest.mark.xdist_group("compiled loop")


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


def general(networks, samples, *, n_steps, visits, passages, **settings):
    """Plain training by the tensors of torch, watched at every step."""
    watched = passages.watched(visits, samples, n_steps)
    training.train(networks, samples, n_steps=n_steps, visits=watched, **settings)


def furthest(first, second):
    return max(
        (one - two).abs().max().item()
        for one, two in zip(
            first.weights + first.biases, second.weights + second.biases, strict=True
        )
    )


@pytest.fixture(params=[blas.BLAS, blas.OWN], ids=["blas", "own"])
def products(request, monkeypatch):
    """With and without a way of its own for small products, whatever the processor."""
    monkeypatch.setattr(blas, "product_way", lambda: request.param)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    ("hidden", "dtype", "tolerance"),
    [
        pytest.param((33, 17, 5), torch.float64, 1e-11, marks=pytest.mark.slow),
        ((50, 50), torch.float64, 1e-11),
        ((50, 50), torch.float32, 3e-5),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_size", [1, 8, 47, 60])
def test_the_loop_is_the_engine_step_by_step(dtype, tolerance, hidden, batch_size):
    data = samples(60, 37, dtype)
    own, theirs = stack(37, hidden, dtype), stack(37, hidden, dtype)
    settings = {"learning_rate": 0.05, "batch_size": batch_size, "n_steps": 12, "visits": {}}
    compiled.train(own, data, streams=generators(3), **settings)
    training.train(theirs, data, streams=generators(3), **settings)
    assert furthest(own, theirs) < tolerance


@pytest.mark.usefixtures("products")
def test_what_a_visit_does_to_the_weights_counts():
    data, seen = samples(60, 37, torch.float64), []

    def halve(step, networks):
        seen.append(networks.weights[0].clone())
        networks.weights[0].mul_(0.5)

    own, theirs = (stack(37, (20, 20), torch.float64) for _ in "ab")
    settings = {"learning_rate": 0.05, "batch_size": 13, "n_steps": 12}
    visits = {0: halve, 7: halve, 12: halve}
    compiled.train(own, data, streams=generators(3), visits=visits, **settings)
    training.train(theirs, data, streams=generators(3), visits=visits, **settings)
    assert furthest(own, theirs) < 1e-11
    for one, other in zip(seen[:3], seen[3:], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


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
        networks = stack(5, (4, 4), torch.float64)
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
    data, networks, seen = samples(60, 5, torch.float32), stack(5, (4, 4), torch.float32), []
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


THRESHOLDS = (0.2, 0.05, 0.5, 1e-9)


def losses_of(networks, data, **settings):
    """Training loss at every step, by looking at all samples, (n_steps + 1, R)."""
    losses, every = [], range(settings["n_steps"] + 1)
    look = dict.fromkeys(
        every, lambda step, now: losses.append(evaluate(now, data).loss.numpy().copy())
    )
    streams = generators(len(networks))
    training.train(networks.copy(), data, **settings, streams=streams, visits=look)
    return np.array(losses)


def passages_of(networks, data, *, n_steps, batch_size, learning_rate=0.1, thresholds=THRESHOLDS):
    """First passages in the loop, and by looking at all samples at every step."""
    settings = {"learning_rate": learning_rate, "batch_size": batch_size, "n_steps": n_steps}
    below = losses_of(networks, data, **settings)[:, :, None] < np.array(thresholds)
    expected = np.where(below.any(axis=0), below.argmax(axis=0), np.nan)
    found, streams = Passages(thresholds), generators(len(networks))
    compiled.train(networks, data, **settings, streams=streams, visits={}, passages=found)
    return found.first, expected


@pytest.mark.parametrize("batch_size", [7, 60], ids=["noisy", "gradient descent"])
def test_freezing_is_looked_at_before_every_update(batch_size):
    data, networks = samples(60, 37, torch.float64), stack(37, (20, 20), torch.float64)
    found, expected = passages_of(networks, data, n_steps=250, batch_size=batch_size)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found[:, :3]).all()
    assert np.isnan(found[:, 3]).all()


def test_a_training_set_of_few_samples_is_looked_at_whole():
    data, networks = samples(13, 37, torch.float64), stack(37, (20, 20), torch.float64)
    found, expected = passages_of(networks, data, n_steps=150, batch_size=7)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found[:, :3]).all()


@pytest.mark.parametrize("size", [0, 1, 2, 50, 177])
def test_the_samples_with_the_highest_losses_come_first(size):
    rng = np.random.default_rng(size)
    losses, samples = rng.exponential(size=size), rng.permutation(size)
    known, rest = dict(zip(samples, losses, strict=True)), np.array([900, 901])
    first = np.concatenate([samples, rest])
    compiled._hardest_first(losses, first)
    assert [known[sample] for sample in first[:size]] == sorted(known.values(), reverse=True)
    assert list(first[size:]) == list(rest)


def test_strong_noise_passes_thresholds_up_and_down(digits):
    digits = Samples(digits.images.double(), digits.labels)
    networks = initialize(64, seed=0).to(torch.float64).repeat(3)
    options = {"n_steps": 400, "batch_size": 10, "learning_rate": 0.1}
    found, expected = passages_of(networks, digits, thresholds=(0.5, 0.3, 0.2), **options)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(found, expected)


def test_a_loss_that_falls_with_the_last_update_counts():
    data, networks = samples(60, 37, torch.float64), stack(37, (20, 20), torch.float64)
    found, _ = passages_of(networks.copy(), data, n_steps=250, batch_size=7)
    last = int(found[:, 1].max())
    found, expected = passages_of(networks, data, n_steps=last, batch_size=7)
    np.testing.assert_array_equal(found, expected)
    assert found[:, 1].max() == last


def test_a_network_that_is_lost_freezes_never():
    data, networks = samples(60, 5, torch.float32), stack(5, (20, 20), torch.float32)
    networks.weights[0][1, 0, 0] = torch.nan
    found = Passages((1.05, 0.1))
    options = {"learning_rate": 0.5, "batch_size": 20, "n_steps": 300, "visits": {}}
    compiled.train(networks, data, streams=generators(3), passages=found, **options)
    assert np.isnan(found.first[1]).all()
    assert np.isfinite(found.first[[0, 2], 0]).all()


def last_returns(losses, thresholds, every):
    """Last of each `every` steps at which a loss is back above, after one at which it was below."""
    below = losses[::every, :, None] < np.array(thresholds)
    back = below[:-1] & ~below[1:]
    last = len(back) - back[::-1].argmax(axis=0)
    return every * np.where(back.any(axis=0), last, np.nan)


@pytest.mark.parametrize("way", [compiled.train, general], ids=["compiled", "general"])
@pytest.mark.parametrize(("rate", "batch_size"), [(0.2, 10), (0.4, 20), (0.3, 50)])
def test_the_way_back_up_is_looked_for_at_every_step(digits, rate, batch_size, way):
    digits, levels = Samples(digits.images.double(), digits.labels), (0.1, 0.5, 0.2)
    networks = initialize(64, seed=0).to(torch.float64).repeat(3)
    settings = {"learning_rate": rate, "batch_size": batch_size, "n_steps": 300}
    losses = losses_of(networks, digits, **settings)
    found = Passages(levels, returns=1)
    way(networks, digits, **settings, streams=generators(3), visits={}, passages=found)
    expected = last_returns(losses, levels, 1)
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(found.last_return, expected)


def test_seldom_looks_find_no_return_before_the_first_passage(digits):
    digits = Samples(digits.images.double(), digits.labels)
    networks = initialize(64, seed=0).to(torch.float64).repeat(3)
    settings = {"learning_rate": 0.2, "batch_size": 10, "n_steps": 300}
    losses = losses_of(networks, digits, **settings)
    found = Passages((0.2,), returns=7)
    compiled.train(networks, digits, **settings, streams=generators(3), visits={}, passages=found)
    steps = found.last_return[:, 0]
    assert (steps > found.first[:, 0]).all()
    assert (steps <= last_returns(losses, (0.2,), 1)[:, 0]).all()
    assert (losses[steps.astype(int), range(3)] >= 0.2).all()


@pytest.mark.parametrize("way", [compiled.train, general], ids=["compiled", "general"])
def test_networks_are_kept_as_they_passed_a_level(digits, way):
    levels, networks = (0.3, 1.0, 1e-9), initialize(64, 0).repeat(2)
    start = networks.copy()
    settings = {"learning_rate": 0.1, "batch_size": 50}
    found = Passages(levels, keep=True)
    way(networks, digits, n_steps=200, **settings, streams=generators(2), visits={}, passages=found)
    for place in range(2):
        kept, steps = found.kept(place), found.first[:, place]
        for run in range(2):  # the same run again, up to that step
            again = start.copy()
            training.train(
                again,
                digits,
                n_steps=int(steps[run]),
                **settings,
                streams=generators(2),
                visits={},
            )
            assert furthest(kept.one(run), again.one(run)) < 1e-4
            assert evaluate(kept, digits).loss[run] < levels[place]
    assert furthest(found.kept(2), start) == 0


def test_threads_change_nothing(digits):
    found = []
    for count in (1, 2):
        networks, passages = initialize(64, 0).repeat(5), Passages((0.5, 0.1), returns=1)
        torch.set_num_threads(count)
        compiled.train(
            networks,
            digits,
            learning_rate=0.1,
            batch_size=20,
            n_steps=200,
            streams=generators(5),
            visits={},
            passages=passages,
        )
        found.append((networks, passages))
    torch.set_num_threads(1)
    assert furthest(found[0][0], found[1][0]) == 0
    np.testing.assert_array_equal(found[0][1].last_return, found[1][1].last_return)


def test_what_nobody_watched_is_not_known():
    with pytest.raises(ValueError, match="train some first"):
        _ = Passages((0.1,)).first
    with pytest.raises(ValueError, match="keep=True"):
        Passages((0.1,)).kept(0)
