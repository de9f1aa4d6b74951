"""Theory of a row against quadrature, two valleys, a density on a grid, and the walk."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import eigh_tridiagonal, expm

from valleys.toy import ManyValleys, TwoValley
from valleys.toy.simulation import rows
from valleys.toy.simulation.rows import Walk
from valleys.toy.theory import at_fixed_y, chain, freezing

TWO, THREE = TwoValley(), ManyValleys((0.8, 0.65, 0.725))
SIGMAS = 4.5


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 2.0])
def test_shares_are_integrals_of_the_density_without_flux(power):
    y, noise = 2.0, 0.001
    spread, x = chain.diffusion(THREE, y, noise, power), np.linspace(-1.5, 1.5, 600_001)
    valley = THREE.valley(x, y)
    density = np.exp((THREE.drift_loss(y) - THREE.loss(x, y)) / spread[valley]) / spread[valley]
    mass = np.array([density[valley == each].sum() for each in range(3)])
    np.testing.assert_allclose(chain.shares(THREE, y, noise, power), mass / mass.sum(), rtol=1e-4)


def test_shares_of_two_valleys_are_those_of_the_two_valley_theory():
    y, noise = np.array([0.5, 3.0, 8.0]), 0.001
    np.testing.assert_allclose(
        chain.shares(TWO, y, noise)[1], at_fixed_y.p_flat_exact(TWO, y, noise), rtol=1e-12
    )
    np.testing.assert_allclose(
        chain.shares(TWO, y, noise, 0.0)[1], at_fixed_y.p_flat_boltzmann(TWO), rtol=1e-12
    )
    gamma = TWO.flatness_ratio
    for power in (-1.0, 0.5, 2.0):
        odds = gamma ** ((1 + power) / 2)
        assert np.isclose(chain.shares(TWO, 1e-9, noise, power)[1], odds / (1 + odds))


def test_fluctuations_follow_the_kind_of_noise():
    for power, noise in ((0.0, "isotropic"), (1.0, "hessian")):
        np.testing.assert_allclose(
            chain.diffusion(TWO, 3.0, 0.001, power)[::-1],
            at_fixed_y.noise_diffusion(TWO, 3.0, 0.001, noise),
            rtol=1e-12,
        )


def test_hop_rates_keep_the_shares_and_are_those_of_high_ridges():
    rates, steady = chain.hop_rates(THREE, 6.0, 0.001), chain.shares(THREE, 6.0, 0.001)
    np.testing.assert_allclose(rates * steady, (rates * steady).T, rtol=1e-10)
    assert rates[0, 2] == rates[2, 0] == rates[1, 1] == 0
    hops, times = chain.hop_rates(TWO, 8.0, 0.001), at_fixed_y.escape_times_exact(TWO, 8.0, 0.001)
    np.testing.assert_allclose([hops[0, 1] * times[0], hops[1, 0] * times[1]], 1, rtol=0.003)


def test_slowest_mode_of_the_chain_is_that_of_the_fokker_planck_operator():
    y, noise, n = 5.0, 0.001, 3001
    x, step = np.linspace(-1.0, 1.0, n, retstep=True)
    spread = chain.diffusion(THREE, y, noise)[THREE.valley(x, y)]
    potential = (THREE.loss(x, y) - THREE.drift_loss(y)) / spread
    # J between nodes = −e^{−U} ∂x(e^{U} D P); symmetric in the variable P √(D e^{U})
    middle = 1 / ((np.exp(potential[1:]) + np.exp(potential[:-1])) / 2) / step**2
    root = np.sqrt(spread * np.exp(potential))
    diagonal = np.zeros(n)
    diagonal[1:] += middle * root[1:] ** 2
    diagonal[:-1] += middle * root[:-1] ** 2
    coupling = -middle * root[1:] * root[:-1]
    modes = np.asarray(
        eigh_tridiagonal(diagonal, coupling, select="i", select_range=(0, 3), eigvals_only=True)
    )
    rates = chain.hop_rates(THREE, y, noise)
    chained = np.sort(-np.linalg.eigvals(rates - np.diag(rates.sum(axis=0))).real)
    np.testing.assert_allclose(chained[1:], modes[1:3], rtol=0.06)
    assert modes[3] > 5 * modes[2]


def test_balance_is_the_solution_of_its_equation():
    noise, start_y = 0.001, 2.0
    y = np.geomspace(start_y, 30.0, 1500)

    def change(place: float, share: np.ndarray) -> np.ndarray:
        rates = chain.hop_rates(THREE, place, noise)
        return (rates @ share - rates.sum(axis=0) * share) / freezing.drift_speed(TWO, place)

    solved = solve_ivp(
        change,
        (start_y, 30.0),
        [0.2, 0.5, 0.3],
        t_eval=y[::300],
        method="LSODA",
        rtol=1e-8,
        atol=1e-10,
    )
    found = chain.balance(THREE, noise, y, start=[0.2, 0.5, 0.3])
    np.testing.assert_allclose(found[:, ::300], solved.y, atol=2e-4)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=1e-9)


def test_exponentials_are_those_of_scipy():
    rates = np.moveaxis(chain.hop_rates(THREE, np.array([0.5, 3.0, 9.0]), 0.001), -1, 0)
    generators = (rates - np.eye(3) * rates.sum(axis=1, keepdims=True)) * np.array(
        [40.0, 5.0, 200.0]
    )[:, None, None]
    np.testing.assert_allclose(chain._exponentials(generators), expm(generators), atol=1e-7)


def test_balance_of_two_valleys_is_eq_a26_and_stays_finite_for_any_noise():
    y = np.geomspace(0.2, 60, 400)
    for noise in (1e-4, 1e-3, 3e-3):
        assert (
            abs(chain.balance(TWO, noise, y)[1, -1] - freezing.p_flat_balance(TWO, noise, y)[-1])
            < 0.003
        )
    for noise in (1e-7, 1e-5, 1.0):
        for row in (THREE, ManyValleys((0.7, 0.8, 0.69, 0.65, 0.76))):
            assert abs(chain.balance(row, noise, np.geomspace(5, 60, 100))[:, -1].sum() - 1) < 1e-9
    np.testing.assert_allclose(
        chain.balance(ManyValleys((0.7, 0.8, 0.69, 0.65, 0.76)), 1e-5, y[200:])[:, -1], 0.2
    )


def test_walk_at_fixed_y_has_the_shares_of_theory_for_small_steps():
    off = []
    for rate in (0.02, 0.005):
        found = rows.occupation_in_time(
            Walk(THREE, rate, 0.001 / rate, 2.0, moves=False),
            300,
            round(160 / rate),
            round(40 / rate),
            round(1 / rate),
        )
        off.append(found.share.values - chain.shares(THREE, 2.0, 0.001))
    limit, error = 2 * off[1] - off[0], 3 * found.share_error.values  # the difference falls as √η
    assert np.all(np.abs(limit) < SIGMAS * error)


def test_preference_reverses_between_minus_one_and_zero():
    turns = [chain.reversal(TWO, y, 0.001) for y in (1e-6, 1.0, 6.0)]
    assert -1 <= turns[0] < turns[1] < turns[2] < 0
    np.testing.assert_allclose(
        [
            chain.shares(TWO, y, 0.001, turn)[1]
            for y, turn in zip((1.0, 6.0), turns[1:], strict=True)
        ],
        0.5,
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: chain.shares(THREE, -1.0, 0.001), "must not be negative"),
        (lambda: chain.shares(THREE, 1.0, 0.0), "effective noise"),
        (lambda: chain.balance(THREE, 0.001, [3.0, 2.0]), "increasing"),
        (lambda: chain.balance(THREE, 0.001, [1.0, 2.0], start=[0.5, 0.5]), "3 shares"),
    ],
)
def test_bad_input_is_refused(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
