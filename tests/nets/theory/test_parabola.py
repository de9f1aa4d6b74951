"""Kicks in a parabola: closed forms against simulations with real batches."""

import numpy as np
import pytest

from valleys.nets.engine.training import batches
from valleys.nets.experiments.timescales import correlations, independent
from valleys.nets.theory import parabola

N = 30


def drawn(draw: str, batch_size: int, n_steps: int, n_copies: int) -> np.ndarray:
    """Means of a fixed standardised sample over the batches of each step, (n_steps, n_copies)."""
    values = np.random.default_rng(3).exponential(size=N)
    values = (values - values.mean()) / values.std()
    streams = [np.random.default_rng([7, copy]) for copy in range(n_copies)]
    orders = (
        batches(N, batch_size, streams)
        if draw == parabola.RESHUFFLED
        else independent(N, batch_size, streams)
    )
    return np.array([values[next(orders).numpy()].mean(axis=1) for _ in range(n_steps)])


@pytest.mark.parametrize("draw", parabola.DRAWS)
@pytest.mark.parametrize("batch_size", [5, 7])
def test_the_covariance_between_batches_is_that_of_real_batches(draw, batch_size):
    noise = drawn(draw, batch_size, 9, 4000)
    expected = parabola.noise_covariance(draw, N, batch_size, 9)
    np.testing.assert_allclose(
        noise @ noise.T / 4000, expected, atol=5 * expected.max() / 4000**0.5
    )


@pytest.mark.parametrize("batch_size", [5, 7, 30])
def test_the_noises_of_an_epoch_add_up_to_nothing(batch_size):
    per_epoch = -(-N // batch_size)
    noise = parabola.noise_covariance("reshuffled", N, batch_size, per_epoch)
    sizes = np.minimum(batch_size, N - batch_size * np.arange(per_epoch))
    assert sizes @ noise @ sizes == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("draw", parabola.DRAWS)
@pytest.mark.parametrize("curvature", [0.3, 4.0, 14.0])
def test_deviations_scatter_and_forget_as_simulated(draw, curvature):
    rate, n_steps, n_copies = 0.1, 24, 3000
    noise, places = drawn(draw, 5, n_steps, n_copies), np.zeros((n_steps + 1, n_copies))
    for step in range(n_steps):
        places[step + 1] = (1 - rate * curvature) * places[step] - rate * noise[step]
    expected = parabola.covariance(curvature, rate, parabola.noise_covariance(draw, N, 5, n_steps))
    np.testing.assert_allclose(
        places @ places.T / n_copies, expected, atol=6 * expected.max() / n_copies**0.5
    )
    found = parabola.steps_to_forget(correlations(places[:, :, None]))
    np.testing.assert_allclose(found, parabola.forgetting(expected), rtol=0.15)
    assert (places[12:] ** 2).mean() == pytest.approx(parabola.late_scatter(expected), rel=0.1)


@pytest.mark.parametrize("curvature", [0.01, 0.5, 3.0, 9.0, 12.0, 19.0])
def test_independent_noise_is_forgotten_at_the_rate_of_the_curvature(curvature):
    grown = parabola.covariance(curvature, 0.1, parabola.noise_covariance("independent", N, 5, 60))
    expected = -1 / np.log(abs(1 - 0.1 * curvature))
    assert parabola.forgetting(grown) == pytest.approx(expected, rel=1e-6)


def test_reshuffled_noise_is_forgotten_within_an_epoch_where_the_valley_is_flat():
    found = [
        parabola.forgetting(
            parabola.covariance(1e-3, 0.01, parabola.noise_covariance(draw, 1000, 50, 200))
        )
        for draw in parabola.DRAWS
    ]
    assert found[0] < 20 < 1e4 < found[1]


def test_flat_directions_hold_a_sixth_of_an_epoch_of_kicks():
    """Between two shuffles a walk without restoring force is a bridge, whose variance is n/6
    single kicks on average.
    """
    grown = parabola.covariance(
        0.0, 1.0, parabola.noise_covariance("reshuffled", 10_000, 100, 1000)
    )
    assert np.diag(grown)[500:].mean() == pytest.approx(100 / 6 / 100, rel=0.01)


def test_a_way_to_draw_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="reshuffled, independent"):
        parabola.noise_covariance("sorted", 10, 5, 5)
