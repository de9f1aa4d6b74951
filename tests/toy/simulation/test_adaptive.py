import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.exact.adaptive import p_flat_remembered
from valleys.toy.simulation.adaptive import adaptive_share

LANDSCAPE, Y, SIGMA = TwoValley(), 10.0, 1.0


def test_a_very_long_memory_is_the_operator_of_a_constant_v():
    """v hardly moves from where each walker begins; in equal valleys that is one number."""
    even = TwoValley(x1=0.65)
    share, error = adaptive_share(even, 0.04, SIGMA, Y, [1e6], n_runs=64, n_steps=4000)
    assert abs(share[0] - p_flat_remembered(even, 0.04, SIGMA, Y)) < 4 * error[0]


def test_one_step_of_a_walker_is_that_of_the_formula():
    """After one step the share is that of walkers whose first kick takes them over the ridge."""
    share, _ = adaptive_share(LANDSCAPE, 0.3, SIGMA, Y, [2.0], n_runs=4000, n_steps=1, seed=3)
    rng = np.random.default_rng(np.random.SeedSequence(3))
    flat, sharp = (float(each) for each in LANDSCAPE.valley_positions(Y))
    curves = 2 / np.array(LANDSCAPE.flatness(Y))
    x = np.where(np.arange(4000) % 2, flat, sharp)
    curve = np.where(x > 0, *curves)
    g = np.sqrt(2 * SIGMA * curve) * rng.standard_normal((1, 4000))
    v = 2 * SIGMA * curve + (g**2 - 2 * SIGMA * curve) / 2
    assert share[0] == pytest.approx(float((x - 0.3 * g / np.sqrt(v) > 0).mean()))


def test_signs_are_followed_where_nothing_is_remembered():
    """Each step is then as long as the learning rate, so that x stays on one lattice."""
    share, error = adaptive_share(
        TwoValley(x1=0.65), 0.05, SIGMA, Y, [1.0], n_runs=64, n_steps=2000
    )
    assert abs(share[0] - 0.5) < 4 * error[0]


def test_errors_are_those_of_independent_walkers():
    found = [
        adaptive_share(LANDSCAPE, 0.05, SIGMA, Y, [10.0], n_runs=64, n_steps=1000, seed=seed)
        for seed in range(12)
    ]
    shares, errors = (np.array(each)[:, 0] for each in zip(*found, strict=True))
    assert shares.std(ddof=1) == pytest.approx(errors.mean(), rel=0.6)


@pytest.mark.parametrize(
    ("memories", "momentum", "named"), [([0.5], 0.0, "memories"), ([10.0], 1.0, "momentum")]
)
def test_what_makes_no_sense_is_refused(memories, momentum, named):
    with pytest.raises(ValueError, match=named):
        adaptive_share(LANDSCAPE, 0.05, SIGMA, Y, memories, momentum=momentum, n_steps=10)
