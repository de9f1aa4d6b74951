"""The balance over an uneven ridge is that of a solver, and findings compare the ends."""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

from tests.findings import error, estimate, number
from valleys.toy.analysis import uneven
from valleys.toy.experiments.uneven import UnevenSpec
from valleys.toy.theory.at_fixed_y import escape_times_exact
from valleys.toy.theory.freezing import drift_speed

SPEC = UnevenSpec((0.0, 0.6), n_runs=8, duration=100.0)


def ends(shares=(0.8, 0.9)) -> xr.Dataset:
    values = {
        "p_flat": shares,
        "p_flat_error": [0.03, 0.04],
        "freezings": [1.2, 2.5],
        "freezings_error": [0.1, 0.2],
        "end_y": [12.0, 12.5],
    }
    over = {name: ("ripple", np.asarray(value)) for name, value in values.items()}
    return xr.Dataset(over, {"ripple": [0.0, 0.6]})


@pytest.fixture(scope="module")
def balanced() -> xr.Dataset:
    return uneven.courses(SPEC, ends())


def test_courses_solve_the_balance_of_hops(balanced):
    """dP/dy of Eq. A26 by a stiff solver, over the ripple."""
    landscape = SPEC.uneven(0.6)

    def change(y, share):
        flat, sharp = escape_times_exact(landscape, y, SPEC.effective_noise)
        return ((1 - share) / sharp - share / flat) / drift_speed(landscape, y)

    solved = solve_ivp(change, (1.0, 12.0), [0.5], method="LSODA", rtol=1e-6, atol=1e-8)
    assert float(balanced.p_flat.isel(ripple=1, y=-1)) == pytest.approx(solved.y[0, -1], abs=2e-3)


def test_heights_are_those_of_the_rippled_ridge(balanced):
    y = balanced.y.values
    steady = balanced.height.sel(ripple=0.0)
    np.testing.assert_allclose(steady, 0.65**2 * (y / (y + 30)) ** 2 / 2e-3)
    np.testing.assert_allclose(balanced.height.sel(ripple=0.6) / steady, 1 + 0.6 * np.sin(y))


def test_findings_compare_the_largest_ripple_with_none(balanced):
    found = uneven.uneven_findings(SPEC, ends(), balanced)
    assert estimate(found, "gain").value == pytest.approx(0.1)
    assert error(found, "gain") == pytest.approx(0.05)
    assert estimate(found, "freezings_uneven").value == 2.5
    off = np.abs(balanced.p_flat.isel(y=-1).values - [0.8, 0.9]).max()
    assert number(found, "gap") == pytest.approx(off)


def test_the_last_low_ridge_is_one_over_which_runs_still_hop():
    y = np.linspace(1.0, 60.0, 10)
    low = uneven.last_low_ridge(SPEC, 0.6, y)
    assert np.sin(low) == pytest.approx(-1)
    landscape = SPEC.uneven(0.6)

    def stays(dip):
        """Chance to stay through the dip, by a solver."""

        def leave(y, share):
            rate = 1 / float(escape_times_exact(landscape, y, SPEC.effective_noise)[1])
            return -share * rate / drift_speed(landscape, y)

        ends = (dip - np.pi / 2, dip + np.pi / 2)
        return solve_ivp(leave, ends, [1.0], method="LSODA", rtol=1e-5).y[0, -1]

    assert stays(low) < 0.5 < stays(low + 2 * np.pi)
    assert np.isnan(uneven.last_low_ridge(SPEC, 0.6, np.array([1.0, 2.0])))
