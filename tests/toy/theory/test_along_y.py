"""Averages at one y are those of quadrature, and the density without flux has no norm."""

import numpy as np
import pytest
from scipy.integrate import quad

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import along_y
from valleys.toy.theory.at_fixed_y import conditional_density

LANDSCAPE = TwoValley()


@pytest.mark.parametrize(("y", "noise"), [(2.0, 0.003), (15.0, 0.01)])
def test_averages_are_those_of_quadrature(y, noise):
    def average(of):
        return sum(
            quad(
                lambda x: of(x) * conditional_density(LANDSCAPE, x, y, noise),
                *ends,
                epsabs=0,
                epsrel=1e-9,
                limit=200,
            )[0]
            for ends in ((-1.5, 0.0), (0.0, 1.5))
        )

    slope, diffusion = along_y.averages(LANDSCAPE, y, noise)
    assert slope == pytest.approx(average(lambda x: LANDSCAPE.gradient(x, y)[1]), rel=1e-7)
    expected = noise * average(lambda x: LANDSCAPE.hessian(x, y)[1, 1])
    assert diffusion == pytest.approx(expected, rel=1e-7)


def test_density_without_flux_solves_its_equation():
    """P from the slope makes the bracket of Eq. A13 vanish."""
    y, noise = np.linspace(9.99, 10.01, 201), 0.01
    slope, diffusion = along_y.averages(LANDSCAPE, y, noise)
    log_p = np.cumsum(along_y.marginal_slope(LANDSCAPE, y, noise)) * (y[1] - y[0])
    bracket = slope + np.gradient(diffusion, y) + diffusion * np.gradient(log_p, y)
    assert np.abs(bracket[5:-5] / slope[5:-5]).max() < 1e-2


@pytest.mark.parametrize("noise", [0.001, 0.01])
def test_far_out_it_grows_without_limit(noise):
    """2y_f/y² of slope over Δ_S·4y_f/y³ of diffusion."""
    y = np.array([3e3, 1e4])
    found = along_y.marginal_slope(LANDSCAPE, y, noise)
    np.testing.assert_allclose(found, y / (2 * noise), rtol=0.03)
    assert (along_y.marginal_slope(LANDSCAPE, np.geomspace(1, 1e3, 20), noise) > 0).all()
