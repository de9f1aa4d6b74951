"""Who freezes late, on made-up crossings whose answers are known."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import mannwhitneyu

from tests.findings import error, estimate, number
from valleys.toy.analysis import last_crossing

TIMES = np.geomspace(0.01, 100, 400)
NOISES = [1e-4, 1e-3, 1e-2]


def risen(middle: float) -> np.ndarray:
    """Distribution of a last crossing that is spread evenly on a logarithm around its middle."""
    return np.clip((np.log(TIMES / middle) + 1) / 2, 0, 1)


@pytest.fixture
def exact() -> xr.Dataset:
    """Flat ends: shares of 0.5, 0.6, 0.7, crossing for the last time around 1, 2 and 4; sharp ends
    cross twice as late at the weakest noise, equally late at the next, half as late at the last.
    """
    shares, middles, later = [0.5, 0.6, 0.7], [1.0, 2.0, 4.0], [2.0, 1.0, 0.5]
    rows = list(zip(shares, middles, later, strict=True))
    parts = {
        "frozen_flat": [share * risen(middle) for share, middle, _ in rows],
        "frozen_sharp": [(1 - share) * risen(middle * factor) for share, middle, factor in rows],
    }
    found = {name: (("effective_noise", "time"), values) for name, values in parts.items()}
    coords = {"effective_noise": NOISES, "time": TIMES, "learning_rate": 0.01}
    return xr.Dataset(found, coords)


@pytest.fixture
def runs(exact) -> xr.Dataset:
    """Four thousand runs of each noise, drawn from these distributions."""
    rng, n = np.random.default_rng(6), 4000
    flat = rng.random((3, n)) < np.array([0.5, 0.6, 0.7])[:, None]
    places = rng.random((3, n))
    times = np.empty((3, n))
    for row in range(3):
        for name, chosen in (("frozen_flat", flat[row]), ("frozen_sharp", ~flat[row])):
            course = exact[name].values[row] / exact[name].values[row, -1]
            times[row, chosen] = np.interp(places[row, chosen], course, TIMES)
    dims = ("effective_noise", "run")
    parts = {"last_crossing": (dims, times / 0.01), "flat": (dims, flat.astype(float))}
    return xr.Dataset(parts, {"effective_noise": NOISES, "learning_rate": 0.01})


def test_the_order_is_that_of_pairs_of_runs(exact):
    shift = np.log(2) / 2  # of two even distributions of length one
    apart = 1 - (1 - shift) ** 2
    assert last_crossing.exact_order(exact).values == pytest.approx([-apart, 0, apart], abs=0.01)


def test_the_order_of_runs_is_the_rank_sum_of_scipy_with_an_error_that_fits(exact, runs):
    row = runs.isel(effective_noise=0)
    times, flat = row.last_crossing.values, row.flat.values
    found = last_crossing.order(times, flat)
    late, early = times[flat > 0], times[flat == 0]
    expected = 2 * mannwhitneyu(late, early).statistic / (late.size * early.size) - 1
    assert found.value == pytest.approx(expected)
    exactly = last_crossing.exact_order(exact).values[0]
    parts = [last_crossing.order(times[start::40], flat[start::40]) for start in range(40)]
    pulls = [(part.value - exactly) / (part.high - part.low) * 2 * 1.96 for part in parts]
    assert 0.7 < np.std(pulls) < 1.3


def test_shares_by_time_are_those_of_the_curves(exact, runs):
    found = last_crossing.by_time(runs, exact)
    assert found.exact.isel(effective_noise=1).values == pytest.approx(0.6, abs=0.01)
    assert (found.exact.isel(effective_noise=0).diff("part") <= 1e-6).all()
    pulls = ((found.p_flat - found.exact) / found.p_flat_error).where(
        (found.exact > 0.1) & (found.exact < 0.9)
    )
    assert 0.4 < float((pulls**2).mean()) < 1.7
    whole = last_crossing.by_time(runs, exact, n_parts=1)
    assert whole.exact.values.ravel() == pytest.approx([0.5, 0.6, 0.7])
    curves = last_crossing.curves(exact).p_flat
    assert curves.isel(effective_noise=1).dropna("time").values == pytest.approx(0.6)


def test_findings_tell_the_noise_in_the_middle_and_both_ends(exact, runs):
    exact = exact.isel(effective_noise=[0, 0, 2]).assign_coords(effective_noise=NOISES)
    runs = runs.isel(effective_noise=[0, 0, 2]).assign_coords(effective_noise=NOISES)
    told = last_crossing.last_crossing_findings(runs, exact)
    assert (told["noises"], told["falling"], told["noise"]) == (3, 2, 1e-3)
    assert number(told, "early") == pytest.approx(1, abs=0.01)
    assert number(told, "late") == pytest.approx(0, abs=0.01)
    gap = estimate(told, "within_runs").value - number(told, "within")
    assert abs(gap) < 4 * error(told, "within_runs")
    assert number(told, "pull") < 5
    assert (told["share_low"], told["share_high"]) == pytest.approx((0.5, 0.7))
    assert number(told, "time_low") == pytest.approx(np.sinh(1) * (1 + 2) / 2, rel=0.02)
    assert number(told, "time_high") == pytest.approx(np.sinh(1) * (0.7 * 4 + 0.3 * 2), rel=0.02)
