import numpy as np
import pytest
import torch

from tests.nets.networks import trained
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.stack import flat
from valleys.nets.measures.curvature import curvature
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.nets.optimizers.following_noise import (
    AlongTop,
    BatchesHere,
    Independent,
    IsotropicLike,
    KeptBatches,
)

N_DRAWS = 3000
BATCHES = BatchesHere(4, replacement=False, n_probes=500)
WITH_REPLACEMENT = BatchesHere(4, n_probes=500)
TOP = 4


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def network(blobs):
    """One small network on its way, float64."""
    start = initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)
    return trained(start, blobs, 20)


@pytest.fixture
def here(network, blobs):
    return SampleSlopes.of(network, blobs)


def batch_noise(network, blobs, replacement):
    """g_B − ḡ of many batches by the closed form of the engine, (N_DRAWS, n)."""
    stream, size = rng(7), 4
    chosen = np.stack([stream.choice(30, size, replace=replacement) for _ in range(N_DRAWS)])
    many = network.repeat(N_DRAWS)
    found = flat(many.gradients(*blobs.batch(torch.from_numpy(chosen))))
    return found - flat(network.gradients(blobs.images, blobs.labels))


def drawn(local, seed=1):
    stream = rng(seed)
    return torch.stack([local.draw(stream) for _ in range(N_DRAWS)]).double()


def dense(network, blobs):
    bent = curvature(network, blobs)
    return torch.from_numpy(np.stack([bent.product(unit) for unit in np.eye(bent.size)]))


def assert_same_mean(first, second):
    """Means of two groups of independent values agree within standard errors."""
    error = (first.var() / len(first) + second.var() / len(second)).sqrt()
    assert abs(float(first.mean() - second.mean())) < 5 * float(error)


def lifts(noise, hessian):
    return torch.einsum("si,ij,sj->s", noise, hessian, noise)


@pytest.mark.parametrize("batches", [BATCHES, WITH_REPLACEMENT])
def test_strengths_of_batches_are_those_of_batches_drawn(network, blobs, here, batches):
    noise = batch_noise(network, blobs, batches.replacement)
    local, hessian = batches.at(here, rng()), dense(network, blobs)
    assert_same_mean(torch.tensor([local.power, local.power]), noise.square().sum(dim=1))
    assert_same_mean(torch.tensor([local.lift, local.lift]), lifts(noise, hessian))
    assert_same_mean(drawn(local).square().sum(dim=1), noise.square().sum(dim=1))


@pytest.mark.parametrize(
    "make",
    [
        lambda here: IsotropicLike(BATCHES),
        lambda here: AlongTop(BATCHES, 0.0, TOP),
        lambda here: AlongTop(BATCHES, 1.0, TOP),
        lambda here: AlongTop(BATCHES, 2.0, TOP),
        lambda here: KeptBatches(BATCHES, here),
    ],
)
def test_noise_of_equal_power_has_the_power_of_batches(network, blobs, here, make):
    local, expected = make(here).at(here, rng()), batch_noise(network, blobs, False)
    noise = drawn(local)
    assert_same_mean(noise.square().sum(dim=1), expected.square().sum(dim=1))
    assert_same_mean(lifts(noise, dense(network, blobs)), torch.tensor([local.lift] * 2))


def test_noise_of_equal_lift_has_the_lift_of_batches(network, blobs, here):
    noise, hessian = drawn(IsotropicLike(BATCHES, "lift").at(here, rng())), dense(network, blobs)
    assert_same_mean(lifts(noise, hessian), lifts(batch_noise(network, blobs, False), hessian))


def test_no_noise_is_made_where_there_is_no_curvature(network, blobs):
    network.weights[-1].zero_()
    network.biases[-1][:, 0] = 1e4  # sure of one class, whatever the image
    flat_place = SampleSlopes.of(network, blobs)
    assert flat_place.trace() == 0
    assert IsotropicLike(BATCHES, "lift").at(flat_place, rng()).power == 0


def test_isotropic_noise_has_no_direction_and_takes_a_factor(here):
    noise = drawn(IsotropicLike(BATCHES, factor=3.0).at(here, rng()))
    once = IsotropicLike(BATCHES).at(here, rng())
    assert float(noise.square().sum(dim=1).mean()) == pytest.approx(3 * once.power, rel=0.02)
    per_number = noise.square().mean(dim=0)
    assert float(per_number.max() / per_number.mean()) < 1.2


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_along_the_top_follows_a_power_of_the_eigenvalues(network, blobs, here, exponent):
    local = AlongTop(BATCHES, exponent, TOP).at(here, rng())
    values, vectors = torch.linalg.eigh(dense(network, blobs))
    values, vectors = values.flip(0)[:TOP], vectors.T.flip(0)[:TOP]
    noise, shares = drawn(local), values**exponent / (values**exponent).sum()
    along = (noise @ vectors.T).square().mean(dim=0)
    torch.testing.assert_close(along, local.power * shares, rtol=0.15, atol=0.01 * local.power)
    outside = noise - noise @ vectors.T @ vectors
    assert float(outside.square().sum()) < 1e-3 * float(noise.square().sum())


def test_eigenvectors_are_renewed_when_asked_and_the_power_always(network, blobs):
    kind, spans, powers = AlongTop(BATCHES, n_directions=2, renew_every=2), [], []
    for _ in range(4):
        network.weights[0].mul_(1.3)
        local = kind.at(SampleSlopes.of(network, blobs), rng())
        spans.append(torch.stack([local.draw(rng(seed)) for seed in range(4)]))
        powers.append(local.power)
    ranks = [torch.linalg.matrix_rank(torch.cat(part), rtol=1e-4) for part in (spans[:2], spans)]
    assert [int(rank) for rank in ranks] == [2, 4]
    assert len(set(powers)) == 4


def test_kept_noise_stays_where_the_network_goes_on(network, blobs, here):
    kept = KeptBatches(WITH_REPLACEMENT, here)
    before = kept.at(here, rng())
    network.weights[1].mul_(0.5)
    after = kept.at(SampleSlopes.of(network, blobs), rng())
    assert torch.equal(before.draw(rng(3)), after.draw(rng(3)))
    assert after.power == before.power
    assert after.lift != before.lift


def test_independent_orders_repeat_samples():
    order = Independent(np.random.PCG64(0)).permutation(1000)
    assert order.shape == (1000,)
    assert 600 < len(set(order.tolist())) < 660  # 1 − 1/e of them


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: BatchesHere(0), "batch_size"),
        (lambda: BatchesHere(4, n_probes=0), "n_probes"),
        (lambda: IsotropicLike(BATCHES, "strength"), "match must be power or lift"),
        (lambda: IsotropicLike(BATCHES, factor=0.0), "factor"),
        (lambda: AlongTop(BATCHES, n_directions=0), "n_directions"),
        (lambda: AlongTop(BATCHES, renew_every=0), "renew_every"),
    ],
)
def test_what_makes_no_sense_is_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make()
