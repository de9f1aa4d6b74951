"""Exact exchange between two valleys, against a matrix on a grid and against escape times."""

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal

from valleys.toy import TwoValley, escape_times_exact, p_flat_exact
from valleys.toy.theory import at_fixed_y, exchange
from valleys.toy.theory.chain import shares

LANDSCAPE = TwoValley()


def noise_at(z: float, y: float) -> float:
    """The noise at which √(ΔL/D) of the sharp valley is z."""
    return (LANDSCAPE.x2 * y / (y + LANDSCAPE.y_b)) ** 2 / (2 * z * z)


def first_eigenvalue(y: float, noise: float, kind: str) -> float:
    """Of the Fokker-Planck operator on a grid, made symmetric."""
    spreads = at_fixed_y.noise_diffusion(LANDSCAPE, y, noise, kind)
    flatness, bottoms = LANDSCAPE.flatness(y), LANDSCAPE.valley_positions(y)
    widths = [np.sqrt(d * f / 2) for d, f in zip(spreads, flatness, strict=True)]
    right, left = bottoms[0] + 7 * widths[0], bottoms[1] - 7 * widths[1]
    spacing = (right - left) / 2000
    x = spacing * (np.arange(np.floor(left / spacing), np.ceil(right / spacing)) + 0.5)
    side = (x < 0).astype(int)
    pairs = ([float(each) for each in pair] for pair in (flatness, bottoms, spreads))
    f, c, d = (np.take(pair, side) for pair in pairs)
    potential = ((x - c) ** 2 - c**2) / f / d
    middle = (potential[1:] + potential[:-1]) / 2
    onward = d[:-1] * np.exp(potential[:-1] - middle) / spacing**2
    back = d[1:] * np.exp(potential[1:] - middle) / spacing**2
    diagonal = np.zeros(x.size)
    diagonal[:-1] += onward
    diagonal[1:] += back
    found = eigh_tridiagonal(diagonal, -np.sqrt(onward * back), select="i", select_range=(0, 1))[0]
    return float(found[1])


@pytest.mark.parametrize("kind", ["hessian", "isotropic"])
@pytest.mark.parametrize("z", [0.1, 0.6, 1.0, 1.7, 2.4])
def test_the_rate_is_the_first_eigenvalue_of_the_operator(z, kind):
    y = 20.0
    flat, sharp = exchange.exchange_rates(LANDSCAPE, y, noise_at(z, y), kind)
    assert flat + sharp == pytest.approx(first_eigenvalue(y, noise_at(z, y), kind), rel=2e-3)


def test_for_high_ridges_it_is_the_sum_of_both_escape_rates():
    for z in (3.0, 3.9, 4.3, 6.0):
        noise = noise_at(z, 8.0)
        total = sum(exchange.exchange_rates(LANDSCAPE, 8.0, noise))
        escapes = sum(1 / time for time in escape_times_exact(LANDSCAPE, 8.0, noise))
        assert total == pytest.approx(escapes, rel=10 * np.exp(-(z**2)) + 1e-8)


def test_without_a_ridge_equal_valleys_relax_like_one():
    twin = TwoValley(x1=0.65)
    flat, sharp = exchange.exchange_rates(twin, 20.0, 1e4)
    assert flat + sharp == pytest.approx(2 / twin.flatness(20.0)[0], rel=1e-2)
    assert flat == pytest.approx(sharp)


@pytest.mark.parametrize(("kind", "power"), [("hessian", 1.0), ("isotropic", 0.0)])
def test_the_stationary_share_is_that_of_the_row_of_two(kind, power):
    noise = np.array([1e-3, 1e-2, 0.3])
    flat, sharp = exchange.exchange_rates(LANDSCAPE, 12.0, noise, kind)
    row = shares(LANDSCAPE, 12.0, noise, power)[1]
    spread = at_fixed_y.noise_diffusion(LANDSCAPE, 12.0, noise, kind)
    assert sharp / (flat + sharp) == pytest.approx(row, rel=1e-6), spread
    if kind == "hessian":
        np.testing.assert_allclose(sharp / (flat + sharp), p_flat_exact(LANDSCAPE, 12.0, noise))


def test_rates_scale_with_the_noise_over_the_opening_and_with_f():
    places, noise = np.array([1.0, 10.0, 200.0]), 0.05
    for kind in ("hessian", "isotropic"):
        opened = (places / (places + LANDSCAPE.y_b)) ** 2
        flat, sharp = exchange.exchange_rates(LANDSCAPE, places, noise * opened, kind)
        scaled = np.array([flat, sharp]) * LANDSCAPE.flatness(places)[1]
        np.testing.assert_allclose(scaled, scaled[:, :1].repeat(3, axis=1), rtol=1e-8)
