"""What other powers of the Hessian in the noise prefer, against shares made by hand."""

import numpy as np
import pytest
import xarray as xr

from tests.findings import error, estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis import noise_powers
from valleys.toy.theory import chain

LANDSCAPE = TwoValley(x1=0.8, x2=0.4)  # γ = 4
RATES = [0.01, 0.1]


def at_fixed_places() -> xr.Dataset:
    """Shares 0.5 + 0.1 (p + place), 0.04 more at the large learning rate."""
    powers, places = np.array([-1.0, 0.0, 1.0, 2.0]), np.array([0, 1, 2])
    small = 0.5 + 0.1 * (powers + places[:, None])
    coordinates = {"learning_rate": RATES, "y": [1.0, 3.0, 6.0], "power": powers}
    found = xr.Dataset({"p_flat": (tuple(coordinates), [small, small + 0.04])}, coordinates)
    return found.assign(p_flat_error=xr.full_like(found.p_flat, 0.01))


def test_shares_at_fixed_y_are_told_by_place_and_power():
    fixed = at_fixed_places()
    lines = fixed.p_flat.isel(learning_rate=0, drop=True) - np.array([[0.01], [0.02], [-0.03]])
    found = noise_powers.law_findings(LANDSCAPE, fixed, lines, 0.001)
    shares = {"early_none": 0.5, "early_less": 0.4, "middle_one": 0.7, "late_two": 0.9}
    assert {name: estimate(found, name).value for name in shares} == pytest.approx(shares)
    assert error(found, "late_two") == 0.01
    assert estimate(found, "middle_large").value == pytest.approx(0.64)
    assert found["fixed_off"] == pytest.approx(0.02)
    assert found["fixed_lowest"] == pytest.approx(0.5)
    assert found["boltzmann"] == pytest.approx(2 / 3)


def test_preference_turns_where_both_valleys_hold_one_half():
    landscape = TwoValley()
    fixed = at_fixed_places()
    lines = fixed.p_flat.isel(learning_rate=0, drop=True)
    found = noise_powers.law_findings(landscape, fixed, lines, 0.001)
    for label, y in zip(noise_powers.EARLY_TO_LATE, (1.0, 3.0, 6.0), strict=True):
        shares = chain.shares(landscape, y, 0.001, number(found, f"turn_{label}"))
        assert shares == pytest.approx([0.5, 0.5], abs=1e-6)


def moving() -> xr.Dataset:
    """Two learning rates, three noises, four powers; at the large rate all shares are 0.9."""
    small = [[0.6, 0.7, 0.8, 0.9], [0.6, 0.65, 0.85, 0.8], [0.66, 0.74, 0.72, 0.98]]
    noises, powers = [1e-4, 1e-3, 3e-3], [0.0, 0.5, 1.0, 2.0]
    coordinates = {"learning_rate": RATES, "effective_noise": noises, "power": powers}
    found = xr.Dataset({"p_flat": (tuple(coordinates), [small, np.full((3, 4), 0.9)])}, coordinates)
    error = xr.full_like(found.p_flat, 0.03)
    return found.assign(p_flat_error=error, diverged=0 * error)


def test_final_shares_are_told_by_steps_of_the_power_and_by_ends():
    lines = moving().p_flat.isel(learning_rate=0, drop=True) - np.array([[0.01], [0.02], [-0.03]])
    found = noise_powers.final_findings(moving(), lines)
    assert (found["steps"], found["rising"]) == (9, 9)  # −0.05 and −0.02 are within 2·0.03·√2
    exact = moving().assign(p_flat_error=moving().p_flat_error / 10)
    assert noise_powers.final_findings(exact, lines)["rising"] == 7
    assert (found["least"], found["coarse_low"], found["diverged"]) == (0.6, 0.9, 0)
    assert estimate(found, "end_none").value == pytest.approx(0.62)
    assert error(found, "end_none") == pytest.approx(0.03 / np.sqrt(3))
    assert (estimate(found, "end_one").value, estimate(found, "end_two").value) == (0.85, 0.8)
    assert (found["final_gap"], found["final_worst"]) == pytest.approx((0.02, 0.03))


def test_what_noise_adds_is_a_difference_of_its_ends():
    found = noise_powers.final_findings(moving(), moving().p_flat.isel(learning_rate=0, drop=True))
    gains = [f"gain_{name}" for name in noise_powers.FREE]
    assert [estimate(found, gain).value for gain in gains] == pytest.approx(
        [0.06, 0.04, -0.08, 0.08]
    )
    assert all(error(found, gain) == pytest.approx(0.03 * np.sqrt(2)) for gain in gains)
    few = moving().isel(power=[0, 2, 3])  # the next power to ½ is the first of two as close
    found = noise_powers.final_findings(few, few.p_flat.isel(learning_rate=0, drop=True))
    assert estimate(found, "gain_half").value == pytest.approx(0.06)


def test_lines_of_final_shares_are_the_balance_of_hops():
    lines = noise_powers.final_shares(TwoValley(), [0.001, 0.003], np.array([0.0, 1.0]))
    assert lines.dims == ("effective_noise", "power")
    expected = chain.balance(TwoValley(), 0.003, noise_powers.WAY, power=1.0)[1, -1]
    assert float(lines[1, 1]) == expected
    assert (lines.diff("power") > 0).all()


def test_a_start_is_remembered_where_no_run_hops():
    assert noise_powers.memory_findings(TwoValley(), 1e-6)["memory"] == pytest.approx(1, abs=1e-3)
    assert number(noise_powers.memory_findings(TwoValley(), 1e-2), "memory") < 1e-3
